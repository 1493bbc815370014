//! The end of files. One is destroyed when its time is over, and when whoever asked for it may not have it any more: then its key
//! goes at once, in the same transaction, and its bytes a little later.

use std::collections::HashMap;

use chrono::Duration;

use super::{
    departure::open,
    entity::{Entity, Model, State},
    eyes, file, step,
};
use crate::kernel::{
    Action, App, Caller, Code, Error, ExtractionId, Job, MemberId, Outcome, Plain, Result, Timestamp, Tx,
    outbox::{self, EXTRACTION_RECHECK, Fate},
};

/// The job that destroys a file.
pub const EXPIRE: &str = "extraction-expire";
/// The job that takes away what has no row.
pub const SWEEP: &str = "extraction-sweep";

/// How long a file is kept.
pub(super) const KEPT_FOR: Duration = Duration::days(7);
/// How long bytes may be without a row. No file takes nearly as long to make.
const ROWLESS_FOR: Duration = Duration::hours(24);
/// From one sweep of an organization to the next.
const EVERY: Duration = Duration::hours(24);
/// When to come again where the store does not answer.
const LATER: Duration = Duration::hours(1);

/// The deed of which only its entry is left.
pub(super) struct Told;

impl Outcome for Told {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self)
    }
}

/// The job that destroys an extraction's file, at its time or now.
pub(super) fn expiry(extraction: ExtractionId, why: &str, due_at: Timestamp) -> Job {
    Job {
        kind: EXPIRE,
        argument: format!("{extraction}/{why}"),
        due_at,
    }
}

/// The job that sweeps an organization, from its first extraction on every day.
pub(super) fn job(now: Timestamp) -> Job {
    Job {
        kind: SWEEP,
        argument: "all".to_owned(),
        due_at: Timestamp(now.0 + EVERY),
    }
}

/// Ends an extraction for good: nobody can read its file from this transaction on.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn fail(tx: &Tx, extraction: Model, code: Code, reason: Option<&str>) -> Result<Model> {
    let now = tx.now();
    let extraction = tx
        .update::<Entity>(extraction, |row| {
            row.state = State::Failed;
            row.failure = Some(code.name().to_owned());
            row.finished_at = row.finished_at.or(Some(now));
            row.file_key = None;
            row.asked = None;
        })
        .await?;
    step::tell(tx, step::Kind::Failed, &extraction, Some(reason.unwrap_or(code.name()))).await?;
    if extraction.has_file {
        tx.enqueue(expiry(extraction.id, "failed", now)).await?;
    }
    Ok(extraction)
}

/// Destroys a file whose time is over, or that nobody may have any more.
///
/// # Errors
/// Only if the database fails; where the store does, the job comes again in an hour.
pub async fn expire(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), EXPIRE, job.organization_id);
    let done = expired(&caller, job).await;
    caller.release().await;
    match done {
        Err(Error::StorageUnavailable) => Ok(Fate::Later(Timestamp(app.clock.now().0 + LATER))),
        done => done,
    }
}

async fn expired(caller: &Caller, job: &outbox::Model) -> Result<Fate> {
    let id = job.argument.split('/').next().unwrap_or_default();
    let view = caller.view(Action::ExtractionSweep).await?;
    let extraction = view.seek::<Entity>(id).await?;
    drop(view);
    caller.release().await;
    let Some(extraction) = extraction.filter(|extraction| extraction.has_file) else {
        return Ok(Fate::Done);
    };
    let now = caller.now();
    if let Some(at) = extraction
        .expires_at
        .filter(|at| extraction.state.is_done() && *at > now)
    {
        return Ok(Fate::Later(at));
    }
    // First nobody can read it, then it goes.
    let deed = async |tx: &Tx| {
        let extraction = tx.find::<Entity>("id", id).await?;
        if extraction.state.is_done() {
            let extraction = tx
                .update::<Entity>(extraction, |row| {
                    row.state = State::Expired;
                    row.file_key = None;
                })
                .await?;
            step::tell(tx, step::Kind::Expired, &extraction, None).await?;
        }
        Ok(Told)
    };
    caller.act(Action::ExtractionSweep, &Plain, deed).await?;
    let path = file::path(extraction.organization_id, extraction.id, extraction.fence);
    caller.app().store.delete(&path).await?;
    let deed = async |tx: &Tx| {
        let extraction = tx.find::<Entity>("id", id).await?;
        tx.update::<Entity>(extraction, |row| row.has_file = false).await?;
        Ok(Told)
    };
    caller.act(Action::ExtractionSweep, &Plain, deed).await?;
    Ok(Fate::Done)
}

/// Looks anew at a member's extractions in clear, since the grant behind them has changed, and ends those that it holds for no
/// more. The first part of the job's argument is the member.
///
/// # Errors
/// Only if the database fails.
pub async fn recheck(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), EXTRACTION_RECHECK, job.organization_id);
    let member = job.argument.split('/').next().unwrap_or_default();
    let Ok(member) = member.parse::<MemberId>() else {
        return Ok(Fate::Done);
    };
    let view = caller.view(Action::ExtractionSweep).await?;
    let mut ended = Vec::new();
    for extraction in open(&view, member).await?.into_iter().filter(|one| one.is_unmasked) {
        let access = eyes::access(&view, &extraction, eyes::address(&extraction), caller.now()).await?;
        if let Err(hindrance) = access {
            ended.push((extraction.id.to_string(), hindrance));
        }
    }
    drop(view);
    caller.release().await;
    for (id, hindrance) in ended {
        let deed = async |tx: &Tx| {
            let extraction = tx.find::<Entity>("id", &id).await?;
            if extraction.state.is_open() {
                fail(tx, extraction, hindrance.code(), Some(hindrance.name())).await?;
            }
            Ok(Told)
        };
        caller.act(Action::ExtractionSweep, &Plain, deed).await?;
    }
    Ok(Fate::Done)
}

/// Takes away what has no row.
///
/// # Errors
/// Only if the database fails; where the store does, the job comes again in an hour.
pub async fn sweep(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), SWEEP, job.organization_id);
    let now = app.clock.now();
    let done = take_away(&caller, Timestamp(now.0 - ROWLESS_FOR)).await;
    caller.release().await;
    match done {
        Ok(()) => Ok(Fate::Later(Timestamp(now.0 + EVERY))),
        Err(Error::StorageUnavailable) => Ok(Fate::Later(Timestamp(now.0 + LATER))),
        Err(error) => Err(error),
    }
}

async fn take_away(caller: &Caller, before: Timestamp) -> Result<()> {
    let organization = caller.organization_id().ok_or(Error::Unauthenticated)?;
    let store = &caller.app().store;
    let folder = file::folder(organization);
    let mut paths = store.list(&folder).await?;
    paths.extend(store.unfinished(&folder).await?);
    let old: Vec<_> = paths
        .into_iter()
        .filter_map(|path| file::extraction_of(&path).map(|(extraction, fence)| (extraction, fence, path)))
        .filter(|(extraction, ..)| made_at(*extraction).is_some_and(|at| at < before))
        .collect();
    let keys: Vec<String> = old.iter().map(|(extraction, ..)| extraction.to_string()).collect();
    let view = caller.view(Action::ExtractionSweep).await?;
    let mut kept = HashMap::new();
    for keys in keys.chunks(500) {
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let rows = view.seek_many::<Entity>(&keys).await?;
        let at_work = rows
            .into_iter()
            .filter(|row| row.has_file || row.state == State::Running);
        kept.extend(at_work.map(|row| (row.id, row.fence)));
    }
    drop(view);
    caller.release().await;
    for (_, _, path) in old
        .iter()
        .filter(|(extraction, fence, _)| kept.get(extraction) != Some(fence))
    {
        store.delete(path).await?;
    }
    Ok(())
}

/// When an extraction got its ID, to the millisecond: before anything of it was written.
fn made_at(extraction: ExtractionId) -> Option<Timestamp> {
    let (seconds, nanoseconds) = extraction.0.get_timestamp()?.to_unix();
    chrono::DateTime::from_timestamp(seconds.try_into().ok()?, nanoseconds).map(Timestamp)
}
