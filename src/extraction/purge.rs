//! The end of the log's time: steps go as old as entries of the audit log of extractions do, by a mark that says from when on they
//! are kept.

use chrono::Months;
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};

use super::step::{Column, Entity};
use crate::{
    kernel::{
        Action, App, AuditLog, Caller, Error, ExtractionStepId, OrganizationId, Outcome, Plain, Reader, Result,
        Timestamp, Tx, zone,
    },
    organization,
};

/// The system's name for it in the log.
const NAME: &str = "extraction-log-purge";
/// The log's table, as its marks name it.
const TABLE: &str = "extraction_step";
/// Most rows that go in one deed.
const AT_ONCE: u64 = 500;

/// How many rows went.
struct Removed(u64);

impl Outcome for Removed {
    type Receipt = u64;

    fn receipt(&self) -> u64 {
        self.0
    }

    async fn again(_: &Tx, receipt: u64) -> Result<Self> {
        Ok(Self(receipt))
    }
}

/// Removes from the log of extractions of an organization what has been kept long enough. Answers how many rows went.
///
/// # Errors
/// Only if the database fails.
pub async fn purge(app: &App, organization: OrganizationId) -> Result<u64> {
    let caller = Caller::system(app.clone(), NAME, organization);
    let done = purge_all(&caller).await;
    caller.release().await;
    done
}

async fn purge_all(caller: &Caller) -> Result<u64> {
    let view = caller.view(Action::AuditPurge).await?;
    let zone = organization::own(&view).await?.time_zone;
    let zone = zone.parse().map_err(Error::internal)?;
    let months = Months::new(caller.app().settings.logs.months(AuditLog::Extraction));
    let day = zone::date_at(caller.now().0, zone).checked_sub_months(months);
    let from = day.and_then(|day| zone::first_instant(day, zone)).map(Timestamp);
    let from = from.ok_or_else(|| Error::internal("a day without a beginning"))?;
    let mut goes_on = !before(&view, from, 1).await?.is_empty();
    drop(view);
    let mut total = 0;
    while goes_on {
        let deed = async |tx: &Tx| remove(tx, from).await.map(Removed);
        let removed = caller.act(Action::AuditPurge, &Plain, deed).await?.0;
        total += removed;
        goes_on = removed >= AT_ONCE;
    }
    Ok(total)
}

/// Removes the oldest rows, as many as one deed takes.
async fn remove(tx: &Tx, from: Timestamp) -> Result<u64> {
    let ids = before(tx, from, AT_ONCE).await?;
    tx.keep_log_from(TABLE, from).await?;
    tx.remove_over::<Entity>(Condition::all().add(Column::Id.is_in(ids)))
        .await
}

async fn before(reader: &Reader, from: Timestamp, most: u64) -> Result<Vec<ExtractionStepId>> {
    let rows = reader.select::<Entity>().filter(Column::OccurredAt.lt(from));
    let rows = rows.order_by_asc(Column::OccurredAt).order_by_asc(Column::Id);
    let rows = rows.limit(most).all().await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
