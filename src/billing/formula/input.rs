//! What the price of a month is computed from, and the checks that it makes sense.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{FormulaError, Stretch};
use crate::contract::item::{ItemCode, Meter};
use crate::kernel::zone::Month;

/// The price of an item. All prices are thousandths of a minor unit and not negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ItemPrice {
    /// A whole month, for one user or for the item.
    pub base_milli: i64,
    /// One day, for one user or for the item; never more than the base in all.
    pub day_milli: i64,
    /// Whether the item is charged for each user.
    pub per_user: bool,
    /// What use costs; `None` where only the licence costs.
    pub usage: Option<UsagePrice>,
}

/// What the use of an item costs in a month, for the service as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsagePrice {
    /// So much use is free.
    pub free: u64,
    /// The price of one unit above the free ones, up to `limit1`.
    pub unit1_milli: i64,
    /// The total use above which a unit costs `unit2_milli`, the free ones counted in; 0: `unit1_milli` has no limit.
    pub limit1: u64,
    /// The price of one unit above `limit1`.
    pub unit2_milli: i64,
}

impl ItemPrice {
    /// Whether no price is below zero.
    fn is_valid(&self) -> bool {
        let usage_valid = |usage: UsagePrice| usage.unit1_milli >= 0 && usage.unit2_milli >= 0;
        self.base_milli >= 0 && self.day_milli >= 0 && self.usage.is_none_or(usage_valid)
    }
}

/// For how many users an item is on; items that are not charged for each user count as one seat. With 0 it is off.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Seats(pub u32);

/// Days from one to another, both included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DateRange {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

/// A part of the month in which the contract stayed the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// Its days, inside the month. The day of signing and the day of termination count.
    pub days: DateRange,
    /// The items that were on. Suspended days are charged like the others.
    pub items: BTreeMap<ItemCode, Seats>,
}

/// A meter's count of the month.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// The whole count.
    pub total: u64,
    /// The part of it that fell on days of the free trial; ignored if the month has none.
    pub on_trial_days: u64,
}

/// A charge for usage that became known after its month was closed, or a refund; see [`super::correction`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Correction {
    /// The closed month that it corrects.
    pub month: Month,
    /// The item that was used.
    pub item: ItemCode,
    /// The amount in minor units, that month's discount taken off already, before VAT.
    pub amount: i64,
}

/// A service's month.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The month, in the organization's zone.
    pub month: Month,
    /// The prices of the month.
    pub prices: &'a BTreeMap<ItemCode, ItemPrice>,
    /// The contract's states in any order; no two share a day. Days in no span are not charged.
    pub spans: &'a [Span],
    /// The days of the free trial; they may overlap and reach beyond the month.
    pub free_trial: &'a [DateRange],
    /// The discount in percent, 0 to 100.
    pub discount_percent: u8,
    /// The counts by meter. A count is charged only if its item was on at some time of the month.
    pub usage: &'a BTreeMap<Meter, Usage>,
    /// What earlier months still owe or are owed.
    pub corrections: &'a [Correction],
}

impl Input<'_> {
    /// The spans with their days as sets, once everything about the input is checked.
    pub(super) fn stretches(&self) -> Result<Vec<Stretch<'_>>, FormulaError> {
        check_discount(self.discount_percent)?;
        for (meter, usage) in self.usage {
            if usage.on_trial_days > usage.total {
                return Err(FormulaError::BadUsage(*meter));
            }
        }
        let mut taken = DaySet::default();
        let mut stretches = Vec::new();
        for span in self.spans {
            let DateRange { from, to } = span.days;
            if from > to || !self.month.contains(from) || !self.month.contains(to) {
                return Err(FormulaError::BadSpan(span.days));
            }
            let days = DaySet::of(self.month, span.days);
            if let Some(day) = days.shared_with(taken).first(self.month) {
                return Err(FormulaError::SpansOverlap(day));
            }
            taken = taken.joined_with(days);
            stretches.push((days, &span.items));
        }
        Ok(stretches)
    }

    /// The days of the month that are on trial.
    pub(super) fn trial_days(&self) -> DaySet {
        let days = self.free_trial.iter().map(|range| DaySet::of(self.month, *range));
        days.fold(DaySet::default(), DaySet::joined_with)
    }

    /// The price of an item that some span has; `None` if none has it.
    pub(super) fn price_if_used(&self, item: ItemCode) -> Result<Option<&ItemPrice>, FormulaError> {
        if !self.spans.iter().any(|span| span.items.contains_key(&item)) {
            return Ok(None);
        }
        let price = self.prices.get(&item).ok_or(FormulaError::NoPrice(item))?;
        if price.is_valid() {
            Ok(Some(price))
        } else {
            Err(FormulaError::NegativePrice(item))
        }
    }
}

/// Refuses a discount above 100 %.
pub(super) fn check_discount(percent: u8) -> Result<(), FormulaError> {
    if percent > 100 {
        Err(FormulaError::BadDiscount(percent))
    } else {
        Ok(())
    }
}

/// Days of one month, one bit each.
#[derive(Clone, Copy, Default)]
pub(super) struct DaySet(u32);

impl DaySet {
    /// The days of the range that lie in the month.
    fn of(month: Month, range: DateRange) -> Self {
        let first = month.first_day();
        let bits = (0..month.days()).zip(first.iter_days());
        let inside = bits.filter(|(_, date)| (range.from..=range.to).contains(date));
        Self(inside.fold(0, |days, (bit, _)| days | 1 << bit))
    }

    /// The days that are in both.
    pub(super) fn shared_with(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The days that are in either.
    fn joined_with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The days that are not in `other`.
    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many days there are.
    pub(super) fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there are none.
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The earliest day, in `month`.
    fn first(self, month: Month) -> Option<NaiveDate> {
        (!self.is_empty())
            .then(|| month.first_day().iter_days().nth(self.0.trailing_zeros() as usize))
            .flatten()
    }
}
