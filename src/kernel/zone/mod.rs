//! Local days and times of an IANA zone as instants, and the calendar month.
//!
//! The organization's zone decides which day and which month an instant belongs to, never the server's.
//! The zone data know clock changes up to 2099; from 2100 on standard time holds all year.

mod month;
#[cfg(test)]
mod tests;

use chrono::offset::LocalResult;
use chrono::{DateTime, NaiveDate, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

pub use month::Month;

/// The local date on the calendar of `zone` at `instant`.
///
/// At the very ends of what an instant can hold (some 262,000 years away) the offset is left out.
#[must_use]
pub fn date_at(instant: DateTime<Utc>, zone: Tz) -> NaiveDate {
    let utc = instant.naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    utc.checked_add_offset(offset).unwrap_or(utc).date()
}

/// The start of the local day: the first instant that is at or after 00:00 of `date` in `zone`.
///
/// Where clocks jump over midnight, it is the first instant after the jump; where midnight comes twice, the earlier
/// one. A date that a zone skipped as a whole starts where the next one starts. `None` only beyond what an instant can
/// hold.
#[must_use]
pub fn first_instant(date: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    instant_of(date, NaiveTime::MIN, zone)
}

/// The end of the local day, not part of it: the first instant of the day after `date` in `zone`.
///
/// `None` only beyond what a date or an instant can hold.
#[must_use]
pub fn day_end(date: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    first_instant(date.succ_opt()?, zone)
}

/// The instant at which clocks in `zone` show `time` on `date`.
///
/// A time that clocks jumped over is the first instant after the jump; a time that came twice is the first of the two.
/// `None` only beyond what an instant can hold.
#[must_use]
pub fn instant_of(date: NaiveDate, time: NaiveTime, zone: Tz) -> Option<DateTime<Utc>> {
    let local = date.and_time(time);
    let instant = match zone.from_local_datetime(&local) {
        LocalResult::Single(only) => only,
        LocalResult::Ambiguous(earlier, _) => earlier,
        LocalResult::None => GapInfo::new(&local, &zone)?.end?,
    };
    Some(instant.with_timezone(&Utc))
}
