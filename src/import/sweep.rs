//! Taking files away: they hold personal data, and go as soon as nobody needs them. Drafts end after an hour; the file of an
//! import that is over goes at once, and every file after seven days; bytes that never got a row, because a server fell
//! between the two, go after a day.

use std::collections::HashSet;

use chrono::Duration;

use super::{
    entity::{Entity, Model, State},
    file,
};
use crate::kernel::{
    Action, App, Caller, Error, ImportId, Job, Plain, Result, Timestamp, Tx,
    outbox::{self, Fate},
};

/// The job that ends a draft, or takes a file away.
pub const FORGET: &str = "import-forget";
/// The job that takes away what has no row.
pub const SWEEP: &str = "import-sweep";

/// The longest that a file is kept.
const KEPT_FOR: Duration = Duration::days(7);
/// How long bytes may be without a row. No request lasts nearly as long.
const ROWLESS_FOR: Duration = Duration::hours(24);
/// From one sweep of an organization to the next.
const EVERY: Duration = Duration::hours(24);
/// When to come again where the store does not answer, or the import is at work.
const LATER: Duration = Duration::hours(1);

/// Why a file goes: each is asked for once.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// Nobody has confirmed it in time.
    Draft,
    /// The import is over.
    Over,
    /// Seven days have passed.
    Late,
}

/// The job that takes an import's file away.
pub(super) fn forgetting(import: ImportId, when: When, now: Timestamp) -> Job {
    let (why, due_at) = match when {
        When::Draft => ("draft", now),
        When::Over => ("over", now),
        When::Late => ("late", Timestamp(now.0 + KEPT_FOR)),
    };
    Job {
        kind: FORGET,
        argument: format!("{import}/{why}"),
        due_at,
    }
}

/// The job that sweeps an organization, from its first file on every day.
pub(super) fn job(now: Timestamp) -> Job {
    Job {
        kind: SWEEP,
        argument: "all".to_owned(),
        due_at: Timestamp(now.0 + EVERY),
    }
}

/// Ends a draft whose time is over, and takes away the file of an import that needs it no more.
///
/// # Errors
/// Only if the database fails; where the store does, the job comes again in an hour.
pub async fn forget(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), FORGET, job.organization_id);
    let done = forgotten(&caller, job).await;
    caller.release().await;
    match done {
        Err(Error::StorageUnavailable) => Ok(Fate::Later(Timestamp(app.clock.now().0 + LATER))),
        done => done,
    }
}

async fn forgotten(caller: &Caller, job: &outbox::Model) -> Result<Fate> {
    let id = job.argument.split('/').next().unwrap_or_default();
    let now = caller.now();
    let mut found = with_file(caller, id).await?;
    if found.as_ref().is_some_and(|import| is_at_its_end(import, now)) {
        expire(caller, id).await?;
        found = with_file(caller, id).await?;
    }
    let Some(import) = found else { return Ok(Fate::Done) };
    if !import.state.is_over() {
        // What waits for its night or is at work keeps its file; whoever ends it asks for it to go.
        return Ok(if is_late(&import, now) {
            Fate::Later(Timestamp(now.0 + LATER))
        } else {
            Fate::Done
        });
    }
    // Nothing that is over ever comes back, so that nobody can want the file any more.
    let path = file::path(import.organization_id, import.id);
    caller.app().store.delete(&path).await?;
    let deed = async |tx: &Tx| {
        let import = tx.find::<Entity>("id", id).await?;
        tx.update::<Entity>(import, |row| row.has_file = false).await?;
        Ok(())
    };
    caller.act(Action::ImportSweep, &Plain, deed).await?;
    Ok(Fate::Done)
}

/// An import as it is now, if its file is still there.
async fn with_file(caller: &Caller, id: &str) -> Result<Option<Model>> {
    let view = caller.view(Action::ImportSweep).await?;
    let import = view.seek::<Entity>(id).await?;
    drop(view);
    caller.release().await;
    Ok(import.filter(|import| import.has_file))
}

fn is_late(import: &Model, now: Timestamp) -> bool {
    Timestamp(import.uploaded_at.0 + KEPT_FOR) <= now
}

/// Whether an import ends because nobody has confirmed it in time, or nobody has looked it through within a week.
fn is_at_its_end(import: &Model, now: Timestamp) -> bool {
    match import.state {
        State::Draft => is_late(import, now) || import.expires_at.is_some_and(|until| until <= now),
        State::Checking => is_late(import, now),
        _ => false,
    }
}

/// Ends an import that nobody has confirmed in time. This is committed before its file goes: whoever confirms in the last
/// instant has either been there before, and keeps the file, or finds that it is too late.
async fn expire(caller: &Caller, id: &str) -> Result<()> {
    let deed = async |tx: &Tx| {
        let import = tx.find::<Entity>("id", id).await?;
        let now = tx.now();
        if is_at_its_end(&import, now) {
            let end = |row: &mut Model| {
                row.state = State::Expired;
                row.expires_at = None;
                row.finished_at = Some(now);
            };
            tx.update::<Entity>(import, end).await?;
        }
        Ok(())
    };
    caller.act(Action::ImportSweep, &Plain, deed).await
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
    let paths = store.list(&file::folder(organization)).await?;
    let old: Vec<_> = paths
        .into_iter()
        .filter_map(|path| file::import_of(&path).map(|import| (import, path)))
        .filter(|(import, _)| made_at(*import).is_some_and(|at| at < before))
        .collect();
    let keys: Vec<String> = old.iter().map(|(import, _)| import.to_string()).collect();
    let view = caller.view(Action::ImportSweep).await?;
    let mut kept = HashSet::new();
    for keys in keys.chunks(500) {
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let rows = view.seek_many::<Entity>(&keys).await?;
        kept.extend(rows.into_iter().filter(|row| row.has_file).map(|row| row.id));
    }
    drop(view);
    caller.release().await;
    for (_, path) in old.iter().filter(|(import, _)| !kept.contains(import)) {
        store.delete(path).await?;
    }
    Ok(())
}

/// When an import got its ID, to the millisecond: before anything of it was written.
fn made_at(import: ImportId) -> Option<Timestamp> {
    let (seconds, nanoseconds) = import.0.get_timestamp()?.to_unix();
    chrono::DateTime::from_timestamp(seconds.try_into().ok()?, nanoseconds).map(Timestamp)
}
