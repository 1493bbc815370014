//! Days and times of a sheet: numbers of days, or texts, whichever program wrote them.

use calamine::ExcelDateTime;
use chrono::{Datelike as _, Duration, NaiveDate, NaiveDateTime, Timelike as _};

/// The day and time that a number of days stands for, to the nearest second; empty where there is none. Excel's calendar
/// from 1900 has a 29 February 1900 that never was: it is number 60. What is less than a day is a time without one, whichever
/// the calendar.
pub(super) fn counted(at: &ExcelDateTime, is_1904: bool) -> String {
    let days = at.as_f64();
    let first = match (is_1904, days) {
        (_, ..1.0) => None,
        (true, _) => NaiveDate::from_ymd_opt(1904, 1, 1),
        (false, ..60.0) => NaiveDate::from_ymd_opt(1899, 12, 31),
        (false, 61.0..) => NaiveDate::from_ymd_opt(1899, 12, 30),
        _ => None,
    };
    let seconds = (days * 86_400.0).round();
    if !(0.0..300_000_000_000.0).contains(&seconds) {
        return String::new();
    }
    let at = first.and_then(|first| {
        first
            .and_hms_opt(0, 0, 0)?
            .checked_add_signed(Duration::seconds(seconds as i64))
    });
    at.map(told).unwrap_or_default()
}

/// How times travel, such as `2026-11-28 13:00:00`: written digit by digit, since a pattern takes far longer and there can be
/// a million of them. Excel's last day is the end of the year 9999: what comes after is nothing, like what is no time.
fn told(at: NaiveDateTime) -> String {
    let (day, time) = (at.date(), at.time());
    if !(0..=9_999).contains(&day.year()) {
        return String::new();
    }
    let mut text = String::with_capacity("2026-11-28 13:00:00".len());
    let mut put = |number: u32, size: u32, after: &str| {
        let digit = |place| number / 10_u32.pow(place) % 10;
        text.extend((0..size).rev().filter_map(|place| char::from_digit(digit(place), 10)));
        text.push_str(after);
    };
    put(day.year().unsigned_abs(), 4, "-");
    put(day.month(), 2, "-");
    put(day.day(), 2, " ");
    put(time.hour(), 2, ":");
    put(time.minute(), 2, ":");
    put(time.second(), 2, "");
    text
}

/// The day and time that a text of ISO 8601 says; empty where it says none.
pub(super) fn said(said: &str) -> String {
    let said = said.trim_end_matches('Z');
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let at = forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(said, form).ok());
    let day = || NaiveDate::parse_from_str(said, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    let at = at.or_else(day).and_then(|at| at.with_nanosecond(0));
    at.map(told).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m2_times_travel_in_one_form_and_no_year_loses_a_digit() {
        let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        for seconds in (0..311_000_000_000_i64).step_by(98_765_431) {
            let at = first + Duration::seconds(seconds);
            assert_eq!(told(at), at.format("%Y-%m-%d %H:%M:%S").to_string());
        }
        for (text, expected) in [
            ("2026-11-28", "2026-11-28 00:00:00"),
            ("2026-11-28T13:05", "2026-11-28 13:05:00"),
            ("2026-11-28T13:05:09.75Z", "2026-11-28 13:05:09"),
            ("9999-12-31T23:59:59", "9999-12-31 23:59:59"),
            ("+12026-11-28", ""),
            ("-2026-11-28", ""),
            ("2026-02-29", ""),
            ("", ""),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }
}
