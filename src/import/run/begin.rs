//! The beginning of an import: whether it is its turn, and whether it may still be done.

use std::sync::Arc;

use chrono::Duration;

use super::is_anothers_turn;
use crate::{
    admin::rank::{Rank, Standing},
    import::entity::{Entity, Model, State},
    kernel::{Action, Caller, Code, Outcome, Plain, Problem, Result, Timestamp, Tx, outbox},
    member, service,
    ticket::Means,
};

/// How long one waits whose turn is another's.
const WAIT: Duration = Duration::seconds(2);

/// What a beginning comes to.
pub(super) enum Claim {
    /// It is begun, under this fence, and its rows become tickets by these means.
    Begun(Model, Arc<Means>),
    /// It is too early, or another's turn.
    Later(Timestamp),
    /// There is nothing to do.
    Nothing,
    /// It may not be done any more.
    Refused(Model, Problem),
}

/// The claim as a deed: it is never repeated.
struct Claimed(Claim);

impl Outcome for Claimed {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self(Claim::Nothing))
    }
}

/// Begins an import, or goes on with it. The organization's turn is held meanwhile: of two that come at once, one finds
/// what the other has left.
///
/// # Errors
/// If the database fails.
pub(super) async fn claim(caller: &Caller, job: &outbox::Model) -> Result<Claim> {
    // Attempts are counted from here: too many are in vain if no row is done by then. The mark is there whatever becomes of
    // the beginning.
    if job.attempts == 1 {
        let deed = async |tx: &Tx| mark(tx, job).await;
        caller.act(Action::ImportProgress, &Plain, deed).await?;
    }
    let deed = async |tx: &Tx| claimed(tx, job).await.map(Claimed);
    caller
        .act(Action::ImportProgress, &Plain, deed)
        .await
        .map(|claimed| claimed.0)
}

async fn mark(tx: &Tx, job: &outbox::Model) -> Result<()> {
    if let Some(import) = tx.seek::<Entity>(&job.argument).await?
        && import.state == State::Running
    {
        tx.update::<Entity>(import, |row| row.stuck_at = row.done_count).await?;
    }
    Ok(())
}

async fn claimed(tx: &Tx, job: &outbox::Model) -> Result<Claim> {
    let now = tx.now();
    let Some(import) = tx.seek::<Entity>(&job.argument).await? else {
        return Ok(Claim::Nothing);
    };
    match (import.state, import.due_at) {
        (State::Reserved, Some(due)) if now < due => return Ok(Claim::Later(due)),
        (State::Reserved, Some(_)) => {}
        (State::Running, _) => {
            // Whoever began it may have found a hindrance and not come to say so.
            let hindrance = match import.done_count {
                0 => hindrance(tx, &import).await?,
                _ => None,
            };
            let import = tx.update::<Entity>(import, |row| row.fence += 1).await?;
            return begun(tx, import, hindrance).await;
        }
        _ => return Ok(Claim::Nothing),
    }
    if is_anothers_turn(tx, &import).await? {
        return Ok(Claim::Later(Timestamp(now.0 + WAIT)));
    }
    let hindrance = hindrance(tx, &import).await?;
    let import = tx
        .update::<Entity>(import, |row| {
            row.state = State::Running;
            row.started_at = Some(now);
            row.done_count = 0;
            row.fence += 1;
        })
        .await?;
    begun(tx, import, hindrance).await
}

async fn begun(tx: &Tx, import: Model, hindrance: Option<Code>) -> Result<Claim> {
    if let Some(code) = hindrance {
        return Ok(Claim::Refused(import, Problem::of(code)));
    }
    let means = Means::of(tx, import.service_id).await?;
    Ok(Claim::Begun(import, Arc::new(means)))
}

/// Why an import may not be done any more: the service is not in use, or who confirmed it is no owner and no administrator
/// any more.
async fn hindrance(tx: &Tx, import: &Model) -> Result<Option<Code>> {
    let service = tx.find::<service::Entity>("id", &import.service_id.to_string()).await?;
    match service.status {
        service::Status::InUse => {}
        service::Status::Terminated => return Ok(Some(Code::ServiceTerminated)),
        service::Status::NotInUse | service::Status::Suspended => return Ok(Some(Code::ServiceNotInUse)),
    }
    let Some(confirmer) = import.confirmed_by else {
        return Ok(None);
    };
    let member = tx.find::<member::Entity>("id", &confirmer.to_string()).await?;
    let standing = Standing::read(tx, &member).await?;
    let may = standing.is_active && standing.rank >= Rank::Administrator;
    Ok((!may).then_some(Code::ImportWithoutConfirmer))
}
