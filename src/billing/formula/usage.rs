//! The usage part of a month, and what late usage adds to a month that is closed.

use super::input::check_discount;
use super::{FormulaError, ItemPrice, Line, LineKind, UsagePrice, amount, rounded, share};
use crate::contract::item::ItemCode;

/// The item's usage line; it stands even if all the usage is free.
pub(super) fn line(item: ItemCode, price: &UsagePrice, used: u64) -> Result<Line, FormulaError> {
    let charged = used.saturating_sub(price.free);
    Ok(Line {
        item: Some(item),
        quantity: Some(charged),
        used: Some(used),
        free: Some(used - charged),
        charged: Some(charged),
        ..Line::new(LineKind::Usage, cost(price, used)?)?
    })
}

/// What late usage adds to a closed month, in minor units before VAT: the usage's cost with `new_total` less its cost
/// with `already_charged`, each with the month's discount taken off.
///
/// `price` is the item's price in that month, and both counts are without the usage of free-trial days. A corrected
/// count is `already_charged` the next time, so that several corrections sum to what a single one would have been.
/// Less usage than before gives a negative amount; an item that is not charged by use gives 0.
///
/// # Errors
/// [`FormulaError::TooLarge`], [`FormulaError::BadDiscount`].
pub fn correction(
    price: &ItemPrice,
    already_charged: u64,
    new_total: u64,
    discount_percent: u8,
) -> Result<i64, FormulaError> {
    check_discount(discount_percent)?;
    let Some(usage) = price.usage else {
        return Ok(0);
    };
    let net = |used| cost(&usage, used).map(|gross| gross - share(gross, discount_percent));
    amount(net(new_total)? - net(already_charged)?)
}

/// What so much usage costs in a month, in minor units.
fn cost(price: &UsagePrice, used: u64) -> Result<i128, FormulaError> {
    let limit = if price.limit1 == 0 {
        u64::MAX
    } else {
        price.limit1.max(price.free)
    };
    let above_limit = used.saturating_sub(limit);
    let up_to_limit = used.min(limit).saturating_sub(price.free);
    let part = |units, unit_milli| i128::from(units).checked_mul(i128::from(unit_milli));
    let thousandths = part(up_to_limit, price.unit1_milli)
        .zip(part(above_limit, price.unit2_milli))
        .and_then(|(below, above)| below.checked_add(above))
        .ok_or(FormulaError::TooLarge)?;
    rounded(thousandths)
}
