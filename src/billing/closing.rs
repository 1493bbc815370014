//! 마감: the close of a month. On the first of the next one, at 00:10 in the organization's zone, what the month comes
//! to is written down for good. It is one deed: run twice, it closes once.

use sea_orm::{ColumnTrait, QueryFilter};

use super::{charge, ledger::Books, line, month, price};
use crate::{
    contract,
    kernel::{Day, Error, Month, Outcome, Result, Timestamp, Tx, outbox},
};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// So many services were charged.
    Closed(usize),
    /// The month had been closed.
    Already,
    /// The month is not over yet in the organization's zone; it is at this instant.
    NotYet(Timestamp),
}

impl Outcome for Closing {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self::Already)
    }
}

/// Closes the month, and asks for the close of the next.
///
/// # Errors
/// If the database fails; nothing is half done then.
pub async fn close(tx: &Tx, month: Month) -> Result<Closing> {
    let last = month::last_closed(tx).await?;
    if last.is_some_and(|last| last >= month) {
        return Ok(Closing::Already);
    }
    let zone = tx.zone()?;
    let due_at = outbox::month_close(month, zone)?.due_at;
    if tx.now() < due_at {
        return Ok(Closing::NotYet(due_at));
    }
    let closed_at = tx.now();
    tx.create::<month::Entity>(month::Model {
        organization_id: tx.organization_id(),
        month,
        closed_at,
    })
    .await?;
    let signed = contract::Column::StartedOn.lte(Day(month.last_day()));
    let contracts = tx.select::<contract::Entity>().filter(signed).all().await?;
    let services: Vec<_> = contracts.iter().map(|contract| contract.service_id).collect();
    let books = Books::open(tx, price::fresh_book(tx.app(), tx).await?, &services, month).await?;
    let (mut charges, mut lines) = (Vec::new(), Vec::new());
    for service_id in services {
        let Some(estimate) = books.charge(service_id)? else {
            continue;
        };
        let sums = &estimate.breakdown;
        let charge = charge::Model {
            organization_id: tx.organization_id(),
            service_id,
            month,
            price_list_id: estimate.price_list_id,
            subtotal: sums.subtotal,
            discount: sums.discount,
            supply: sums.supply,
            vat: sums.vat,
            total: sums.total,
            closed_at,
        };
        lines.extend(
            sums.lines
                .iter()
                .enumerate()
                .map(|(place, line)| line::Model::of(&charge, place, line)),
        );
        charges.push(charge);
    }
    let count = charges.len();
    tx.create_many::<charge::Entity>(charges).await?;
    tx.create_many::<line::Entity>(lines).await?;
    let next = month
        .next()
        .ok_or_else(|| Error::internal("the last month has no end"))?;
    tx.enqueue(outbox::month_close(next, zone)?).await?;
    Ok(Closing::Closed(count))
}
