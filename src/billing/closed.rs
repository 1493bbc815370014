//! Charges of closed months with their lines, many at once: of all columns only those that answers show, read by their places,
//! since a year of an organization is hundreds of rows.

use std::collections::HashMap;

use sea_orm::{
    Condition, DbErr, FromQueryResult, JoinType, QueryFilter as _, QueryOrder as _, QueryResult, QuerySelect as _,
    RelationTrait as _,
};

use super::{
    charge,
    graphql::{Charge, ChargeBreakdown, ChargeLine, ChargeStatus, is_counted},
    line,
};
use crate::kernel::{Money, Month, Reader, Result, ServiceId};

const CHARGE: [charge::Column; 8] = [
    charge::Column::ServiceId,
    charge::Column::Month,
    charge::Column::ClosedAt,
    charge::Column::Subtotal,
    charge::Column::Discount,
    charge::Column::Supply,
    charge::Column::Vat,
    charge::Column::Total,
];

const LINE: [line::Column; 9] = [
    line::Column::Kind,
    line::Column::Item,
    line::Column::Seats,
    line::Column::Days,
    line::Column::Used,
    line::Column::Free,
    line::Column::Charged,
    line::Column::Corrects,
    line::Column::Amount,
];

/// The charges, newest month first and in each by service, with their lines in their order.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn read(reader: &Reader, which: Condition) -> Result<Vec<Charge>> {
    let rows = reader
        .select::<charge::Entity>()
        .select_only()
        .columns(CHARGE)
        .columns(LINE)
        .join(JoinType::LeftJoin, charge::Relation::Lines.def())
        .filter(which)
        .order_by_desc(charge::Column::Month)
        .order_by_asc(charge::Column::ServiceId)
        .order_by_asc(line::Column::Position);
    let mut charges: Vec<Charge> = Vec::new();
    rows.each(|row| {
        let line = line_from(row, CHARGE.len())?;
        let whose: (ServiceId, Month) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        match charges.last_mut() {
            Some(last) if (last.service_id, last.month) == whose => last.sums.lines.extend(line),
            // What all lines of a charge have in common is read once.
            _ => charges.push(charge_from(row, whose, line)?),
        }
        Ok(())
    })
    .await?;
    Ok(charges)
}

/// The lines of charges, each charge's in their order.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn lines(reader: &Reader, which: Condition) -> Result<HashMap<(ServiceId, Month), Vec<ChargeLine>>> {
    let rows = reader
        .select::<line::Entity>()
        .select_only()
        .columns([line::Column::ServiceId, line::Column::Month])
        .columns(LINE)
        .filter(which)
        .order_by_asc(line::Column::Position)
        .rows::<LineOf>()
        .await?;
    let mut found = HashMap::<_, Vec<_>>::new();
    for LineOf(charge, line) in rows {
        found.entry(charge).or_default().extend(line);
    }
    Ok(found)
}

/// The charge whose columns a row begins with, and its first line; none where it has none.
fn charge_from(
    row: &QueryResult,
    (service_id, month): (ServiceId, Month),
    line: Option<ChargeLine>,
) -> std::result::Result<Charge, DbErr> {
    let won = |place| row.try_get_by_index(place).map(Money::won);
    Ok(Charge {
        service_id,
        month,
        status: ChargeStatus::Closed,
        closed_at: Some(row.try_get_by_index(2)?),
        sums: ChargeBreakdown {
            lines: line.into_iter().collect(),
            subtotal: won(3)?,
            discount: won(4)?,
            supply: won(5)?,
            vat: won(6)?,
            total: won(7)?,
        },
    })
}

/// A line, and of which charge.
struct LineOf((ServiceId, Month), Option<ChargeLine>);

impl FromQueryResult for LineOf {
    fn from_query_result(row: &QueryResult, _: &str) -> std::result::Result<Self, DbErr> {
        let charge = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        Ok(Self(charge, line_from(row, 2)?))
    }
}

/// The line whose columns begin at a place; `None` where the row has none.
fn line_from(row: &QueryResult, first: usize) -> std::result::Result<Option<ChargeLine>, DbErr> {
    let Some(kind) = row.try_get_by_index(first)? else {
        return Ok(None);
    };
    let small = |place| {
        let number: Option<i64> = row.try_get_by_index(first + place)?;
        Ok::<_, DbErr>(number.map(|number| i32::try_from(number).unwrap_or(i32::MAX)))
    };
    let item = row.try_get_by_index(first + 1)?;
    let seats: Option<i32> = row.try_get_by_index(first + 2)?;
    Ok(Some(ChargeLine {
        kind,
        item,
        seats: seats.filter(|_| is_counted(item)),
        days: row.try_get_by_index(first + 3)?,
        used: small(4)?,
        free: small(5)?,
        charged: small(6)?,
        corrects: row.try_get_by_index(first + 7)?,
        amount: Money::won(row.try_get_by_index(first + 8)?),
    }))
}
