//! The end of the logs: what has been kept for as long as its log is kept goes, the oldest first, and a sealed segment
//! stands in its place. Nothing goes that does not verify: what was tampered with is evidence. The last entry of a log
//! stays, so that a chain never begins anew.

use chrono::Months;
use chrono_tz::Tz;
use sea_orm::{ColumnTrait, Iterable, QueryFilter, QueryOrder, QuerySelect};

use super::{
    anchor,
    verify::{Rights, STEP, entries},
};
use crate::{
    kernel::{
        Action, App, AuditLog, Caller, Error, OrganizationId, Outcome, Plain, Reader, Result, Timestamp, Tx,
        audit::{
            self, Break, Known, Verifier,
            anchor::Anchor,
            segment::{self, Stretch},
        },
        zone,
    },
    organization, pii,
};

/// The system's name for it in the log.
const NAME: &str = "audit-purge";

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

/// From when on the logs of an organization are kept: the beginning of a day in its zone, so that what happened on a day
/// is kept for whole months after the end of that day.
struct Kept<'a> {
    app: &'a App,
    zone: Tz,
    now: Timestamp,
}

impl Kept<'_> {
    fn from(&self, log: AuditLog) -> Result<Timestamp> {
        let months = Months::new(self.app.settings.logs.months(log));
        let day = zone::date_at(self.now.0, self.zone).checked_sub_months(months);
        let from = day.and_then(|day| zone::first_instant(day, self.zone));
        from.map(Timestamp)
            .ok_or_else(|| Error::internal("a day without a beginning"))
    }
}

/// Removes from the logs of an organization what has been kept long enough, as far as the anchor knows it to be that old.
/// Answers how many rows went.
///
/// # Errors
/// Only if the database fails.
pub async fn purge(app: &App, organization: OrganizationId, anchor: &Anchor) -> Result<u64> {
    let caller = Caller::system(app.clone(), NAME, organization);
    let done = purge_all(&caller, anchor).await;
    caller.release().await;
    done
}

async fn purge_all(caller: &Caller, anchor: &Anchor) -> Result<u64> {
    let view = caller.view(Action::AuditPurge).await?;
    let zone = organization::own(&view).await?.time_zone;
    let kept = Kept {
        app: caller.app(),
        zone: zone.parse().map_err(Error::internal)?,
        now: caller.now(),
    };
    let organization = view.organization_id();
    let rights_from = kept.from(AuditLog::Permission)?;
    let mut due = Vec::new();
    for log in AuditLog::iter() {
        let from = kept.from(log)?;
        match is_due(&view, log, from, rights_from).await {
            Ok(true) => due.push((log, from)),
            Ok(false) => {}
            Err(error) => tracing::error!(?error, ?log, "what is over in a log stays"),
        }
    }
    let grants_from = kept.from(AuditLog::PiiGrant)?;
    let has_changes = pii::has_changes_before(&view, grants_from).await?;
    drop(view);
    let mut total = 0;
    for (log, from) in due {
        let known = anchor::known(caller.app(), anchor, organization, log);
        loop {
            let deed = async |tx: &Tx| remove(tx, &known, log, (from, rights_from)).await;
            let removed = match caller.act(Action::AuditPurge, &Plain, deed).await {
                Ok(Removed(removed)) => removed,
                // The other logs go on.
                Err(error) => {
                    tracing::error!(?error, ?log, "what is over in a log stays");
                    break;
                }
            };
            total += removed;
            if removed + 1 < STEP {
                break;
            }
        }
    }
    let mut goes_on = has_changes;
    while goes_on {
        let deed = async |tx: &Tx| pii::purge_changes(tx, grants_from).await.map(Removed);
        let removed = caller.act(Action::AuditPurge, &Plain, deed).await?.0;
        total += removed;
        goes_on = removed >= pii::PURGED_AT_ONCE;
    }
    Ok(total)
}

/// Whether the oldest entry of a log is over, and not the only one.
async fn is_due(reader: &Reader, log: AuditLog, from: Timestamp, rights_from: Timestamp) -> Result<bool> {
    let rows = reader
        .select::<audit::Entity>()
        .filter(audit::Column::Log.eq(log))
        .order_by_asc(audit::Column::Sequence);
    let oldest = rows.limit(2).all().await?;
    Ok(oldest.len() == 2 && oldest.first().is_some_and(|entry| is_over(entry, from, rights_from)))
}

/// Whether the time of an entry is over. One that changed rights is kept as long as they are, in whatever log it stands.
fn is_over(entry: &audit::Model, from: Timestamp, rights_from: Timestamp) -> bool {
    entry.occurred_at < from && (entry.rights_digest.is_none() || entry.occurred_at < rights_from)
}

/// Removes the oldest entries of a log, as many as one deed takes.
async fn remove(tx: &Tx, known: &Known, log: AuditLog, (from, rights_from): (Timestamp, Timestamp)) -> Result<Removed> {
    let keys = &tx.app().keys;
    let last = tx
        .select::<segment::Entity>()
        .filter(segment::Column::Log.eq(log))
        .order_by_desc(segment::Column::LastSequence);
    let begun = match QuerySelect::limit(last, Some(1)).one().await? {
        Some(last) => Verifier::behind(keys, &last, known.clone()),
        None => Ok(Verifier::new(keys, log, known.clone())),
    };
    let mut verifier = begun.map_err(broken)?;
    let before = verifier.head().to_vec();
    let mut rows = entries(tx, log, verifier.place(), STEP).await?;
    rows.pop();
    let over = rows
        .iter()
        .take_while(|entry| is_over(entry, from, rights_from) && entry.sequence <= known.removable)
        .count();
    rows.truncate(over);
    let mut rights = Rights::new(tx, log);
    for entry in &rows {
        let digest = rights.up_to(entry.sequence).await?;
        verifier.next(entry, digest).map_err(broken)?;
    }
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Ok(Removed(0));
    };
    let stretch = Stretch {
        log,
        places: (first.sequence, last.sequence),
        times: (first.occurred_at, last.occurred_at),
        hashes: (before, last.hash.clone()),
    };
    tx.remove_sealed(stretch).await.map(Removed)
}

/// What does not verify is kept, whatever its time.
fn broken(at: Break) -> Error {
    Error::internal(format!(
        "{:?} is broken at entry {}: see `orgdesk audit verify`",
        at.log, at.sequence
    ))
}
