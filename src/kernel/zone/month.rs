//! A calendar month, the period that charges are made for.

use std::fmt;

use chrono::{Datelike, Days, NaiveDate};

/// A calendar month from 2000-01 to 2200-12, written "2026-11". It is held as its index, year × 12 + month − 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(u16);

impl Month {
    /// The first month there is, 2000-01.
    pub const FIRST: Self = Self(2000 * 12);
    /// The last month there is, 2200-12.
    pub const LAST: Self = Self(2200 * 12 + 11);

    /// The month numbered `month` (1 to 12) of `year` (2000 to 2200).
    #[must_use]
    pub fn new(year: i32, month: u32) -> Option<Self> {
        let month = i32::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
        Self::from_index(year.checked_mul(12)?.checked_add(month - 1)?)
    }

    /// The month that `date` lies in; `None` before 2000 and after 2200.
    #[must_use]
    pub fn of(date: NaiveDate) -> Option<Self> {
        Self::new(date.year(), date.month())
    }

    /// Reads exactly the form "2026-11".
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        Self::new(number(year, 4)?.try_into().ok()?, number(month, 2)?)
    }

    /// The month with this index, see [`Month::index`].
    #[must_use]
    pub fn from_index(index: i32) -> Option<Self> {
        let month = Self(u16::try_from(index).ok()?);
        (Self::FIRST..=Self::LAST).contains(&month).then_some(month)
    }

    /// Year × 12 + month − 1: the form a month is stored in. It counts on by one a month.
    #[must_use]
    pub fn index(self) -> i32 {
        i32::from(self.0)
    }

    /// The year, 2000 to 2200.
    #[must_use]
    pub fn year(self) -> i32 {
        i32::from(self.0 / 12)
    }

    /// The number of the month in its year, 1 to 12.
    #[must_use]
    pub fn month(self) -> u32 {
        u32::from(self.0 % 12) + 1
    }

    /// How many days the month has, 28 to 31.
    #[must_use]
    pub fn days(self) -> u32 {
        match self.month() {
            2 if self.first_day().leap_year() => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    /// The 1st of the month.
    #[must_use]
    pub fn first_day(self) -> NaiveDate {
        // Every month of these years has a 1st, so that the default never comes out.
        NaiveDate::from_ymd_opt(self.year(), self.month(), 1).unwrap_or_default()
    }

    /// The last day of the month, itself part of it.
    #[must_use]
    pub fn last_day(self) -> NaiveDate {
        self.first_day() + Days::new(u64::from(self.days() - 1))
    }

    /// Whether `date` lies in the month.
    #[must_use]
    pub fn contains(self, date: NaiveDate) -> bool {
        Self::of(date) == Some(self)
    }

    /// The month after; `None` after 2200-12.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::from_index(self.index() + 1)
    }

    /// The month before; `None` before 2000-01.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        Self::from_index(self.index() - 1)
    }

    /// All months from `self` to `last`, both included, in order; none if `last` is earlier.
    pub fn through(self, last: Self) -> impl DoubleEndedIterator<Item = Self> {
        (self.0..=last.0).map(Self)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year(), self.month())
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A number written in exactly `digits` ASCII digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
