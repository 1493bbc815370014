//! The licence part of a month: what it costs that an item is on.

use std::collections::BTreeSet;

use super::{FormulaError, ItemPrice, Line, LineKind, Stretch, rounded};
use crate::contract::item::ItemCode;
use crate::kernel::zone::Month;

/// The item's licence line; `None` if it was on for nobody or on no day.
///
/// Seat `k` is on wherever the item has `k` seats or more. A seat that is on all month costs the base price, another
/// its days times the day price, at most the base. Seats between two neighbouring levels are on together, so that the
/// work depends on how often the contract changed, not on how many seats it has.
pub(super) fn line(
    item: ItemCode,
    price: &ItemPrice,
    month: Month,
    stretches: &[Stretch<'_>],
) -> Result<Option<Line>, FormulaError> {
    let states: Vec<(u32, u32)> = stretches
        .iter()
        .map(|(days, items)| (items.get(&item).map_or(0, |seats| seats.0), days.count()))
        .map(|(seats, days)| (if price.per_user { seats } else { seats.min(1) }, days))
        .filter(|(seats, days)| *seats > 0 && *days > 0)
        .collect();
    let levels: BTreeSet<u32> = states.iter().map(|(seats, _)| *seats).collect();
    let mut below = 0;
    let mut thousandths: i128 = 0;
    let mut seat_days = 0;
    for &level in &levels {
        let days = states
            .iter()
            .filter(|(seats, _)| *seats >= level)
            .map(|(_, days)| days)
            .sum();
        let seats = level - below;
        thousandths = i128::from(seats)
            .checked_mul(seat_cost(price, days, month))
            .and_then(|cost| thousandths.checked_add(cost))
            .ok_or(FormulaError::TooLarge)?;
        seat_days += u64::from(seats) * u64::from(days);
        below = level;
    }
    if levels.is_empty() {
        return Ok(None);
    }
    Ok(Some(Line {
        item: Some(item),
        quantity: Some(seat_days),
        seats: Some(below),
        days: Some(states.iter().map(|(_, days)| days).sum()),
        ..Line::new(LineKind::Licence, rounded(thousandths)?)?
    }))
}

/// What a seat costs that is on for `days` of the month, in thousandths.
fn seat_cost(price: &ItemPrice, days: u32, month: Month) -> i128 {
    let base = i128::from(price.base_milli);
    if days == month.days() {
        return base;
    }
    base.min(i128::from(days) * i128::from(price.day_milli))
}
