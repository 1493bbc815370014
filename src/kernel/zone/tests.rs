//! Days, times and months against a table that was computed without this library.

use std::str::FromStr;

use chrono::Days;

use super::*;

/// Local times and their instants, computed with Python's zoneinfo and time zone data 2025b by trying every second of
/// the 54 hours around: the first that shows the time, or else the first that shows a later one.
///
/// Columns: zone, date, time, instant, the date shown at the instant and one second before it, and whether clocks
/// showed the time once, twice or jumped over it.
const TABLE: &str = "\
Asia/Seoul           2026-11-01 00:00:00 2026-10-31T15:00:00Z 2026-11-01 2026-10-31 same
Asia/Seoul           2026-01-01 00:00:00 2025-12-31T15:00:00Z 2026-01-01 2025-12-31 same
Asia/Seoul           1987-05-10 00:00:00 1987-05-09T15:00:00Z 1987-05-10 1987-05-09 same
Asia/Seoul           1987-05-10 02:30:00 1987-05-09T17:00:00Z 1987-05-10 1987-05-10 gap
Asia/Seoul           1988-10-09 02:30:00 1988-10-08T16:30:00Z 1988-10-09 1988-10-09 twice
Asia/Seoul           2024-02-29 23:59:59 2024-02-29T14:59:59Z 2024-02-29 2024-02-29 same
America/New_York     2026-03-08 00:00:00 2026-03-08T05:00:00Z 2026-03-08 2026-03-07 same
America/New_York     2026-03-08 02:00:00 2026-03-08T07:00:00Z 2026-03-08 2026-03-08 gap
America/New_York     2026-03-08 02:30:00 2026-03-08T07:00:00Z 2026-03-08 2026-03-08 gap
America/New_York     2026-03-09 00:00:00 2026-03-09T04:00:00Z 2026-03-09 2026-03-08 same
America/New_York     2026-11-01 00:00:00 2026-11-01T04:00:00Z 2026-11-01 2026-10-31 same
America/New_York     2026-11-01 01:00:00 2026-11-01T05:00:00Z 2026-11-01 2026-11-01 twice
America/New_York     2026-11-01 01:59:59 2026-11-01T05:59:59Z 2026-11-01 2026-11-01 twice
America/New_York     2026-11-01 02:00:00 2026-11-01T07:00:00Z 2026-11-01 2026-11-01 same
America/New_York     2026-11-02 00:00:00 2026-11-02T05:00:00Z 2026-11-02 2026-11-01 same
Asia/Kathmandu       1986-01-01 00:00:00 1985-12-31T18:30:00Z 1986-01-01 1985-12-31 gap
Asia/Kathmandu       1986-01-01 00:10:00 1985-12-31T18:30:00Z 1986-01-01 1985-12-31 gap
Asia/Kathmandu       2026-07-01 00:00:00 2026-06-30T18:15:00Z 2026-07-01 2026-06-30 same
Europe/London        2026-03-29 01:30:00 2026-03-29T01:00:00Z 2026-03-29 2026-03-29 gap
Europe/London        2026-10-25 01:30:00 2026-10-25T00:30:00Z 2026-10-25 2026-10-25 twice
Europe/London        2026-10-25 00:00:00 2026-10-24T23:00:00Z 2026-10-25 2026-10-24 same
Europe/London        2026-10-26 00:00:00 2026-10-26T00:00:00Z 2026-10-26 2026-10-25 same
Europe/London        1970-01-01 00:00:00 1969-12-31T23:00:00Z 1970-01-01 1969-12-31 same
America/Santiago     2024-09-08 00:00:00 2024-09-08T04:00:00Z 2024-09-08 2024-09-07 gap
America/Santiago     2024-09-08 00:59:59 2024-09-08T04:00:00Z 2024-09-08 2024-09-07 gap
America/Santiago     2024-09-08 01:00:00 2024-09-08T04:00:00Z 2024-09-08 2024-09-07 same
America/Santiago     2024-04-06 23:30:00 2024-04-07T02:30:00Z 2024-04-06 2024-04-06 twice
America/Santiago     2024-04-07 00:00:00 2024-04-07T04:00:00Z 2024-04-07 2024-04-06 same
America/Asuncion     2023-10-01 00:00:00 2023-10-01T04:00:00Z 2023-10-01 2023-09-30 gap
America/Asuncion     2023-10-01 00:30:00 2023-10-01T04:00:00Z 2023-10-01 2023-09-30 gap
America/Asuncion     2024-03-24 00:00:00 2024-03-24T04:00:00Z 2024-03-24 2024-03-23 same
America/Asuncion     2024-03-23 23:00:00 2024-03-24T02:00:00Z 2024-03-23 2024-03-23 twice
America/Asuncion     2025-03-23 00:00:00 2025-03-23T03:00:00Z 2025-03-23 2025-03-22 same
America/Sao_Paulo    2018-11-04 00:00:00 2018-11-04T03:00:00Z 2018-11-04 2018-11-03 gap
America/Sao_Paulo    2019-02-17 00:00:00 2019-02-17T03:00:00Z 2019-02-17 2019-02-16 same
America/Havana       2024-11-03 00:00:00 2024-11-03T04:00:00Z 2024-11-03 2024-11-02 twice
America/Havana       2024-11-03 00:30:00 2024-11-03T04:30:00Z 2024-11-03 2024-11-03 twice
America/Havana       2024-03-10 00:00:00 2024-03-10T05:00:00Z 2024-03-10 2024-03-09 gap
America/St_Johns     2010-11-07 00:00:00 2010-11-07T02:30:00Z 2010-11-07 2010-11-06 twice
America/St_Johns     2010-11-06 23:30:00 2010-11-07T02:00:00Z 2010-11-06 2010-11-06 twice
America/St_Johns     2010-03-14 00:00:30 2010-03-14T03:30:30Z 2010-03-14 2010-03-14 same
America/St_Johns     2010-03-14 00:01:00 2010-03-14T03:31:00Z 2010-03-14 2010-03-14 gap
Pacific/Apia         2011-12-29 00:00:00 2011-12-29T10:00:00Z 2011-12-29 2011-12-28 same
Pacific/Apia         2011-12-30 00:00:00 2011-12-30T10:00:00Z 2011-12-31 2011-12-29 gap
Pacific/Apia         2011-12-30 12:00:00 2011-12-30T10:00:00Z 2011-12-31 2011-12-29 gap
Pacific/Apia         2011-12-31 00:00:00 2011-12-30T10:00:00Z 2011-12-31 2011-12-29 same
Pacific/Apia         2012-01-01 00:00:00 2011-12-31T10:00:00Z 2012-01-01 2011-12-31 same
Pacific/Kwajalein    1993-08-21 00:00:00 1993-08-21T12:00:00Z 1993-08-22 1993-08-20 gap
Africa/Cairo         2024-04-26 00:00:00 2024-04-25T22:00:00Z 2024-04-26 2024-04-25 gap
Africa/Cairo         2024-04-26 00:30:00 2024-04-25T22:00:00Z 2024-04-26 2024-04-25 gap
Africa/Cairo         2024-10-31 23:30:00 2024-10-31T20:30:00Z 2024-10-31 2024-10-31 twice
Africa/Cairo         2024-11-01 00:00:00 2024-10-31T22:00:00Z 2024-11-01 2024-10-31 same
Africa/Cairo         2023-04-28 00:00:00 2023-04-27T22:00:00Z 2023-04-28 2023-04-27 gap
Asia/Beirut          2024-03-31 00:00:00 2024-03-30T22:00:00Z 2024-03-31 2024-03-30 gap
Asia/Beirut          2024-10-27 00:00:00 2024-10-26T22:00:00Z 2024-10-27 2024-10-26 same
Africa/Casablanca    2026-02-15 02:30:00 2026-02-15T01:30:00Z 2026-02-15 2026-02-15 twice
Africa/Casablanca    2026-03-22 02:30:00 2026-03-22T02:00:00Z 2026-03-22 2026-03-22 gap
Australia/Lord_Howe  2026-04-05 01:45:00 2026-04-04T14:45:00Z 2026-04-05 2026-04-05 twice
Australia/Lord_Howe  2026-10-04 02:15:00 2026-10-03T15:30:00Z 2026-10-04 2026-10-04 gap
Europe/Dublin        2026-10-25 01:00:00 2026-10-25T00:00:00Z 2026-10-25 2026-10-25 twice
Asia/Tehran          2022-03-22 00:00:00 2022-03-21T20:30:00Z 2022-03-22 2022-03-21 gap
Atlantic/Azores      2026-10-25 00:00:00 2026-10-25T00:00:00Z 2026-10-25 2026-10-24 twice
Atlantic/Azores      2026-03-29 00:00:00 2026-03-29T01:00:00Z 2026-03-29 2026-03-28 gap
America/Scoresbysund 2026-03-29 00:00:00 2026-03-29T01:00:00Z 2026-03-29 2026-03-28 same
Asia/Kolkata         2026-04-01 00:00:00 2026-03-31T18:30:00Z 2026-04-01 2026-03-31 same
Pacific/Kiritimati   1994-12-31 00:00:00 1994-12-31T10:00:00Z 1995-01-01 1994-12-30 gap
Pacific/Kiritimati   2026-01-01 00:00:00 2025-12-31T10:00:00Z 2026-01-01 2025-12-31 same
Pacific/Chatham      2026-04-05 03:00:00 2026-04-04T13:15:00Z 2026-04-05 2026-04-05 twice
Asia/Pyongyang       2018-05-04 23:30:00 2018-05-04T15:00:00Z 2018-05-05 2018-05-04 gap
Asia/Pyongyang       2015-08-15 00:00:00 2015-08-14T15:30:00Z 2015-08-15 2015-08-14 same
UTC                  2026-06-30 23:59:59 2026-06-30T23:59:59Z 2026-06-30 2026-06-30 same
";

fn date(text: &str) -> NaiveDate {
    NaiveDate::from_str(text).expect("a date")
}

fn instant(text: &str) -> DateTime<Utc> {
    DateTime::from_str(text).expect("an instant")
}

fn zone(name: &str) -> Tz {
    name.parse().expect("a zone")
}

fn month(text: &str) -> Month {
    Month::parse(text).expect("a month")
}

#[test]
fn instants_and_dates_agree_with_the_table() {
    let mut rows = 0;
    for row in TABLE.lines() {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let &[name, day, time, at, shown, before, _] = columns.as_slice() else {
            panic!("seven columns: {row}")
        };
        let (zone, day, at) = (zone(name), date(day), instant(at));
        let time = NaiveTime::from_str(time).expect("a time");
        assert_eq!(instant_of(day, time, zone), Some(at), "{row}");
        if time == NaiveTime::MIN {
            assert_eq!(first_instant(day, zone), Some(at), "{row}");
            assert_eq!(day_end(day - Days::new(1), zone), Some(at), "{row}");
        }
        assert_eq!(date_at(at, zone), date(shown), "{row}");
        assert_eq!(date_at(at - chrono::TimeDelta::seconds(1), zone), date(before), "{row}");
        rows += 1;
    }
    assert_eq!(rows, 71);
}

#[test]
fn the_last_millisecond_of_a_korean_day_belongs_to_it() {
    let seoul = Tz::Asia__Seoul;
    assert_eq!(date_at(instant("2026-11-30T14:59:59.999Z"), seoul), date("2026-11-30"));
    assert_eq!(date_at(instant("2026-11-30T15:00:00Z"), seoul), date("2026-12-01"));
    assert_eq!(
        day_end(date("2026-11-30"), seoul),
        Some(instant("2026-11-30T15:00:00Z"))
    );
}

#[test]
fn a_skipped_day_is_empty() {
    let apia = Tz::Pacific__Apia;
    assert_eq!(
        first_instant(date("2011-12-30"), apia),
        day_end(date("2011-12-30"), apia)
    );
}

#[test]
fn every_day_starts_on_itself_and_ends_where_the_next_starts() {
    for zone in [
        Tz::Asia__Seoul,
        Tz::America__New_York,
        Tz::America__Santiago,
        Tz::America__Asuncion,
        Tz::Africa__Cairo,
        Tz::Europe__London,
        Tz::Asia__Kathmandu,
        Tz::Australia__Lord_Howe,
    ] {
        for day in date("2015-01-01").iter_days().take(20 * 365) {
            let start = first_instant(day, zone).expect("a start");
            let end = day_end(day, zone).expect("an end");
            assert_eq!(date_at(start, zone), day, "{zone} {day}");
            assert_eq!(
                date_at(end - chrono::TimeDelta::milliseconds(1), zone),
                day,
                "{zone} {day}"
            );
            assert!((23..=25).contains(&(end - start).num_hours()), "{zone} {day}");
        }
    }
}

#[test]
fn the_ends_of_time_do_not_panic() {
    for zone in chrono_tz::TZ_VARIANTS {
        for day in [NaiveDate::MIN, NaiveDate::MAX] {
            let _ = (first_instant(day, zone), day_end(day, zone));
        }
        let _ = (
            date_at(DateTime::<Utc>::MIN_UTC, zone),
            date_at(DateTime::<Utc>::MAX_UTC, zone),
        );
    }
    assert_eq!(day_end(NaiveDate::MAX, Tz::UTC), None);
}

#[test]
fn months_are_read_exactly_as_they_are_written() {
    for text in ["2000-01", "2026-11", "2200-12"] {
        assert_eq!(month(text).to_string(), text);
    }
    for text in [
        "",
        "-",
        "2026",
        "2026-",
        "-11",
        "2026-1",
        "2026-00",
        "2026-13",
        "1999-12",
        "2201-01",
        "26-11",
        " 2026-11",
        "2026-11 ",
        "2026-+1",
        "+026-11",
        "2026-11-01",
        "2026/11",
        "202６-11",
    ] {
        assert_eq!(Month::parse(text), None, "{text}");
    }
}

#[test]
fn a_month_knows_its_days() {
    let days = |text| month(text).days();
    assert_eq!([days("2026-01"), days("2026-04"), days("2026-12")], [31, 30, 31]);
    let februaries = ["2000-02", "2024-02", "2026-02", "2100-02", "2200-02"];
    assert_eq!(februaries.map(days), [29, 29, 28, 28, 28]);
    assert_eq!(month("2024-02").first_day(), date("2024-02-01"));
    assert_eq!(month("2024-02").last_day(), date("2024-02-29"));
    for month in Month::FIRST.through(Month::LAST) {
        assert_eq!(
            month
                .first_day()
                .iter_days()
                .take_while(|day| month.contains(*day))
                .count(),
            usize::try_from(month.days()).expect("a small number")
        );
        assert_eq!(Month::of(month.last_day()), Some(month));
    }
}

#[test]
fn months_follow_each_other_and_end() {
    assert_eq!(month("2026-12").next(), Some(month("2027-01")));
    assert_eq!(month("2027-01").previous(), Some(month("2026-12")));
    assert_eq!(Month::LAST.next(), None);
    assert_eq!(Month::FIRST.previous(), None);
    assert!(month("2026-12") < month("2027-01"));
    let texts: Vec<String> = month("2026-11")
        .through(month("2027-02"))
        .map(|month| month.to_string())
        .collect();
    assert_eq!(texts, ["2026-11", "2026-12", "2027-01", "2027-02"]);
    assert_eq!(month("2026-11").through(month("2026-11")).count(), 1);
    assert_eq!(month("2026-11").through(month("2026-10")).count(), 0);
    assert_eq!(Month::FIRST.through(Month::LAST).count(), 201 * 12);
}

#[test]
fn a_month_comes_back_from_its_index_and_nothing_else_does() {
    assert_eq!(month("2026-11").index(), 2026 * 12 + 10);
    for month in Month::FIRST.through(Month::LAST) {
        assert_eq!(Month::from_index(month.index()), Some(month));
        assert_eq!(Month::new(month.year(), month.month()), Some(month));
    }
    for index in [i32::MIN, -1, 0, 2000 * 12 - 1, 2201 * 12, 65_536 + 2026 * 12, i32::MAX] {
        assert_eq!(Month::from_index(index), None, "{index}");
    }
    for (year, month) in [
        (2026, 0),
        (2026, 13),
        (1999, 12),
        (2201, 1),
        (i32::MAX, 1),
        (2026, u32::MAX),
    ] {
        assert_eq!(Month::new(year, month), None, "{year} {month}");
    }
    assert_eq!(Month::of(NaiveDate::MIN), None);
    assert_eq!(Month::of(NaiveDate::MAX), None);
}
