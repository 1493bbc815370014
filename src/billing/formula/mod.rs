//! What one service costs in one month. Quote, preview, estimate and bill all come from [`compute`].
//!
//! Amounts are whole minor units (won), prices thousandths of one. Each line is rounded once, half up, from exact
//! thousandths; nothing is ever a float, and what does not fit is an error.

mod input;
mod licence;
mod line;
#[cfg(test)]
mod tests;
mod usage;

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;

use crate::contract::item::{ItemCode, Meter};
use input::DaySet;

pub use input::{Correction, DateRange, Input, ItemPrice, Seats, Span, Usage, UsagePrice};
pub use line::{Breakdown, Line, LineKind};
pub use usage::correction;

/// Why an input has no price. All but [`FormulaError::TooLarge`] mean that the caller put the input together wrongly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FormulaError {
    /// An amount does not fit 64 bits.
    TooLarge,
    /// The price list lacks an item that was on.
    NoPrice(ItemCode),
    /// A price of the item is below zero.
    NegativePrice(ItemCode),
    /// A span leaves its month, or ends before it begins.
    BadSpan(DateRange),
    /// Two spans share this day.
    SpansOverlap(NaiveDate),
    /// The discount is above 100 %.
    BadDiscount(u8),
    /// More usage on trial days than altogether.
    BadUsage(Meter),
}

impl fmt::Display for FormulaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => formatter.write_str("an amount is too large"),
            Self::NoPrice(item) => write!(formatter, "{} has no price", item.code()),
            Self::NegativePrice(item) => {
                write!(formatter, "a price of {} is below zero", item.code())
            }
            Self::BadSpan(days) => {
                write!(formatter, "{} to {} is no part of the month", days.from, days.to)
            }
            Self::SpansOverlap(day) => write!(formatter, "{day} is in two spans"),
            Self::BadDiscount(percent) => write!(formatter, "a discount of {percent} %"),
            Self::BadUsage(meter) => {
                write!(formatter, "more usage of {meter:?} on trial days than altogether")
            }
        }
    }
}

impl std::error::Error for FormulaError {}

/// A span's days and the items that were on in it.
type Stretch<'a> = (DaySet, &'a BTreeMap<ItemCode, Seats>);

/// Computes the month's lines and sums.
///
/// Lines come in this order: licences and then usage, each in the catalogue's order; free trial; discount; corrections;
/// VAT. A month in which nothing was on has no trial and discount lines, and without corrections no lines at all.
///
/// # Errors
/// [`FormulaError`], for amounts that do not fit and for inputs that contradict themselves.
pub fn compute(input: &Input<'_>) -> Result<Breakdown, FormulaError> {
    let stretches = input.stretches()?;
    let mut lines = charges(input, &stretches, false)?;
    let has_charges = !lines.is_empty();
    if has_charges {
        lines.extend(trial_line(input, &stretches, sum(&lines))?);
    }
    let subtotal = sum(&lines);
    let discount = share(subtotal, input.discount_percent);
    if has_charges && input.discount_percent > 0 {
        lines.push(Line::new(LineKind::Discount, -discount)?);
    }
    for correction in input.corrections {
        lines.push(Line {
            item: Some(correction.item),
            corrects: Some(correction.month),
            ..Line::new(LineKind::Correction, correction.amount.into())?
        });
    }
    let supply = sum(&lines);
    let vat = supply.div_euclid(10);
    if !lines.is_empty() {
        lines.push(Line::new(LineKind::Vat, vat)?);
    }
    Ok(Breakdown {
        lines,
        subtotal: amount(subtotal)?,
        discount: amount(discount)?,
        supply: amount(supply)?,
        vat: amount(vat)?,
        total: amount(supply + vat)?,
    })
}

/// The licence and usage lines; without the days and the usage of the free trial if `trial_left_out`.
fn charges(input: &Input<'_>, stretches: &[Stretch<'_>], trial_left_out: bool) -> Result<Vec<Line>, FormulaError> {
    let trial = if trial_left_out {
        input.trial_days()
    } else {
        DaySet::default()
    };
    let stretches: Vec<Stretch<'_>> = stretches
        .iter()
        .map(|(days, items)| (days.without(trial), *items))
        .collect();
    let mut licences = Vec::new();
    let mut usages = Vec::new();
    for item in ItemCode::ALL {
        let Some(price) = input.price_if_used(item)? else {
            continue;
        };
        let Some(licence) = licence::line(item, price, input.month, &stretches)? else {
            continue;
        };
        licences.push(licence);
        let used = item.meter().and_then(|meter| input.usage.get(&meter));
        if let (Some(usage_price), Some(used)) = (price.usage, used) {
            let left_out = if trial_left_out { used.on_trial_days } else { 0 };
            usages.push(usage::line(item, &usage_price, used.total.saturating_sub(left_out))?);
        }
    }
    licences.append(&mut usages);
    Ok(licences)
}

/// The line that takes back what the free trial's days and usage cost, as though they had not been; `None` if no day
/// of the month is on trial.
fn trial_line(input: &Input<'_>, stretches: &[Stretch<'_>], gross: i128) -> Result<Option<Line>, FormulaError> {
    let trial = input.trial_days();
    if trial.is_empty() {
        return Ok(None);
    }
    let days = stretches.iter().map(|(days, _)| days.shared_with(trial).count()).sum();
    let net = sum(&charges(input, stretches, true)?);
    let line = Line::new(LineKind::FreeTrial, net - gross)?;
    Ok(Some(Line {
        days: Some(days),
        ..line
    }))
}

/// The sum of the lines' amounts. 64-bit amounts cannot overflow 128 bits in any list that fits a memory.
fn sum(lines: &[Line]) -> i128 {
    lines.iter().map(|line| i128::from(line.amount)).sum()
}

/// `percent` hundredths of `whole`, which is not negative, rounded half up.
fn share(whole: i128, percent: u8) -> i128 {
    (whole * i128::from(percent) + 50).div_euclid(100)
}

/// Thousandths of a minor unit as minor units, rounded half up.
fn rounded(thousandths: i128) -> Result<i128, FormulaError> {
    Ok(thousandths
        .checked_add(500)
        .ok_or(FormulaError::TooLarge)?
        .div_euclid(1000))
}

/// An amount in the form it is kept in.
fn amount(minor_units: i128) -> Result<i64, FormulaError> {
    i64::try_from(minor_units).map_err(|_| FormulaError::TooLarge)
}
