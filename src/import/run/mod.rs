//! 이관: the night of an import. Its rows are judged anew, by what the service is like now, and become tickets in parts: a part
//! with its counts is one transaction, so that the counts are always what the database holds, and whoever comes after a
//! crash goes on behind the last part that is there. Whoever begins counts up the import's fence; who finds another number
//! there was overtaken, and stops. No part is large, and nobody works on one import for long while others wait.

mod begin;
mod make;
mod pace;
mod part;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{ColumnTrait as _, QueryFilter as _, sea_query::ExprTrait as _};

use super::{
    entity::{Column, Entity, Model, Policy, State},
    file,
    ground::{Age, Ground, age},
    letter,
    plan::Plan,
    sheet::{Fault, child::Reading},
    sweep::{self, When},
};
use crate::{
    kernel::{
        Action, App, Caller, Code, Error, Plain, Problem, Result, Timestamp, Tx,
        outbox::{self, Fate},
    },
    ticket::{self, Means},
};
use begin::Claim;
use make::{Making, Next};
use pace::Pace;
use part::Wrote;

/// The job's name. Its argument is the import.
pub const KIND: &str = outbox::IMPORT_RUN;

/// How long one attempt works before others have their turn.
const SLICE: Duration = Duration::from_secs(20);

/// How long the work goes on before the job says that somebody is at work: one that is silent for a minute counts as lost.
const WORD: Duration = Duration::from_secs(10);

/// After how many rows the database counts what came; it does so again whenever four times as many have come.
const COUNTED: usize = 500;

/// What an attempt came to.
enum Came {
    /// Every row was done: so many.
    ToItsEnd(i32),
    /// There is more to do.
    More,
    /// Another has begun on it, or it was over.
    Nothing,
    /// It can't be done, or not any further than so many rows.
    Stopped(i32, Problem),
}

/// Does the job.
///
/// # Errors
/// If the database or the store fails; it comes again then.
pub async fn run(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let done = attempt(&caller, job).await;
    caller.release().await;
    done
}

async fn attempt(caller: &Caller, job: &outbox::Model) -> Result<Fate> {
    let (import, means) = match begin::claim(caller, job).await? {
        Claim::Begun(import, means) => (import, means),
        Claim::Later(at) => return Ok(Fate::Later(at)),
        Claim::Nothing => return Ok(Fate::Done),
        Claim::Refused(import, problem) => {
            return finish(caller, &import, import.done_count, Some(problem)).await;
        }
    };
    match work(caller, job, &import, means).await? {
        Came::More => Ok(Fate::Later(caller.now())),
        Came::Nothing => Ok(Fate::Done),
        Came::ToItsEnd(done) => finish(caller, &import, done, None).await,
        Came::Stopped(done, problem) => finish(caller, &import, done, Some(problem)).await,
    }
}

/// Reads the file, as often as it takes, and has its rows become tickets.
async fn work(caller: &Caller, job: &outbox::Model, import: &Model, means: Arc<Means>) -> Result<Came> {
    let view = caller.view(Action::ImportProgress).await?;
    let ground = Ground::of(&view, import).await?;
    drop(view);
    caller.release().await;
    // Where nothing has become a ticket yet, all rows are looked at before any is.
    if import.policy == Some(Policy::AllOrNothing) && import.done_count == 0 {
        let (mut reading, mut plan) = match open(caller, import, &ground).await? {
            Ok(opened) => opened,
            Err(problem) => return Ok(Came::Stopped(0, problem)),
        };
        let mut told = Instant::now();
        loop {
            if told.elapsed() > WORD {
                if !outbox::keep(caller.app(), job).await? {
                    return Ok(Came::Nothing);
                }
                told = Instant::now();
            }
            match reading.next().await? {
                Ok(None) => break,
                Ok(Some(row)) if plan.judge(&row).is_ok() => {}
                Ok(Some(_)) => return Ok(Came::Stopped(0, Problem::of(Code::ImportHasProblems))),
                Err(fault) => return Ok(Came::Stopped(0, fault.problem())),
            }
        }
    }
    match open(caller, import, &ground).await? {
        Ok(opened) => {
            let making = Making::begin(caller.app().clone(), import, means.clone(), opened);
            bring(caller, job, import, (making, &means)).await
        }
        Err(problem) => Ok(Came::Stopped(import.done_count, problem)),
    }
}

/// The file with the rules for it, if it can be read and is a template of the service, however old.
async fn open(
    caller: &Caller,
    import: &Model,
    ground: &Ground,
) -> Result<std::result::Result<(Reading, Plan), Problem>> {
    let view = caller.view(Action::ImportProgress).await?;
    let key = file::key(&view, caller, import).await?;
    drop(view);
    caller.release().await;
    let Some(content) = file::content(caller, import, key).await? else {
        return Ok(Err(Fault::Damaged.problem()));
    };
    let (reading, head) = match Reading::begin(&caller.app().program, content).await? {
        Ok(begun) => begun,
        Err(fault) => return Ok(Err(fault.problem())),
    };
    let view = caller.view(Action::ImportProgress).await?;
    let age = age(&view, ground, &head).await?;
    drop(view);
    caller.release().await;
    Ok(match age {
        Age::Present | Age::Past(_) => Ok((reading, ground.plan(&head, caller.now()))),
        Age::Unknown => Err(Problem::of(Code::TemplateUnknown)),
    })
}

/// Has the rows become tickets, part by part, from behind those that are done.
async fn bring(
    caller: &Caller,
    job: &outbox::Model,
    import: &Model,
    (mut making, means): (Making, &Means),
) -> Result<Came> {
    // What it takes to come back to one's place is no part of one's turn.
    let (mut begun, mut told) = (None, Instant::now());
    let (mut came, mut counted) = (0, COUNTED);
    let mut done = import.done_count;
    let (mut pace, mut premises) = (Pace::default(), None);
    loop {
        if told.elapsed() > WORD {
            if !outbox::keep(caller.app(), job).await? {
                return Ok(Came::Nothing);
            }
            told = Instant::now();
        }
        let Ok(next) = tokio::time::timeout(WORD, making.next(pace.rows())).await else {
            continue;
        };
        let part = match next? {
            Next::Rows(part) => part,
            Next::Fault(problem) => return Ok(Came::Stopped(done, problem)),
        };
        let begun = begun.get_or_insert_with(Instant::now);
        let by = (means, premises.as_ref());
        let rows = part.rows.len();
        match part::write(caller, import, by, (done, part.rows)).await? {
            Wrote::All(done) => {
                pace.after(done.has_waited, rows, done.took);
                premises = Some(done.premises);
            }
            Wrote::Overtaken => return Ok(Came::Nothing),
            Wrote::Lost => return Ok(Came::More),
            Wrote::Refused(problem) => return Ok(Came::Stopped(done, problem)),
        }
        came += rows;
        done += i32::try_from(rows).unwrap_or(i32::MAX);
        if part.are_last {
            return Ok(Came::ToItsEnd(done));
        }
        if came >= counted * 4 {
            ticket::count_anew(caller.app()).await;
            counted = came;
        }
        if begun.elapsed() > SLICE {
            return Ok(Came::More);
        }
    }
}

/// Ends an import of which so many rows are done, and has whoever confirmed it told. Where the database has lost some of
/// them with its memory, they come again first.
async fn finish(caller: &Caller, import: &Model, done: i32, problem: Option<Problem>) -> Result<Fate> {
    let (id, fence) = (import.id.to_string(), import.fence);
    let is_ours = |import: &Model| import.fence == fence && !import.state.is_over();
    // Whoever was overtaken ends nothing, and leaves no entry that says so.
    let view = caller.view(Action::ImportProgress).await?;
    let present = view.seek::<Entity>(&id).await;
    drop(view);
    caller.release().await;
    match present? {
        Some(import) if is_ours(&import) => {}
        _ => return Ok(Fate::Done),
    }
    let deed = async |tx: &Tx| {
        let import = tx.find::<Entity>("id", &id).await?;
        if !is_ours(&import) {
            return Ok(());
        }
        if import.done_count != done {
            return Err(Error::internal(
                "the database has lost rows of an import: they come again",
            ));
        }
        let import = end(tx, import, problem.as_ref()).await?;
        tx.enqueue(sweep::forgetting(import.id, When::Over, tx.now())).await?;
        tx.enqueue(letter::job(import.id, tx.now())).await?;
        Ok(())
    };
    caller.act(Action::ImportRun, &Plain, deed).await?;
    Ok(Fate::Done)
}

async fn end(tx: &Tx, import: Model, problem: Option<&Problem>) -> Result<Model> {
    let now = tx.now();
    let import = tx
        .update::<Entity>(import, |row| {
            let brought = row.inserted_count + row.known_count;
            // What was not looked at any more has become nothing.
            row.failed_count = row.row_count - brought;
            row.state = match (row.failed_count, brought) {
                (0, _) => State::Completed,
                (_, 0) => State::Failed,
                _ => State::Partial,
            };
            row.finished_at = Some(now);
            if let Some(problem) = problem {
                row.refusal = Some(problem.code.name().to_owned());
                row.refusal_words = super::check::said(problem);
            }
        })
        .await?;
    tx.about::<Entity>(&import);
    Ok(import)
}

/// Whether an import that was begun too often goes on all the same, since its rows are becoming tickets: its servers were
/// lost, and have done some since attempts were last counted from one. One that has stood still since then ends. Asking
/// changes nothing: whoever asked may be lost before the attempts are counted anew, and another asks again.
///
/// # Errors
/// If the database fails.
pub async fn goes_on(app: &App, job: &outbox::Model) -> Result<bool> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let view = caller.view(Action::ImportProgress).await?;
    let import = view.seek::<Entity>(&job.argument).await;
    drop(view);
    caller.release().await;
    let Some(import) = import?.filter(|import| !import.state.is_over()) else {
        return Ok(false);
    };
    if import.done_count > import.stuck_at {
        return Ok(true);
    }
    finish(
        &caller,
        &import,
        import.done_count,
        Some(Problem::of(Code::ImportGivenUp)),
    )
    .await?;
    caller.release().await;
    Ok(false)
}

/// The imports of a service that are to be done before another: those that are at work, and those that are due and were
/// confirmed earlier.
fn before(import: &Model, now: Timestamp) -> sea_orm::Condition {
    let is_waiting = Column::State.eq(State::Reserved).and(Column::DueAt.lte(now));
    let is_earlier = Column::ConfirmedAt.lt(import.confirmed_at).or(Column::ConfirmedAt
        .eq(import.confirmed_at)
        .and(Column::Id.lt(import.id)));
    sea_orm::Condition::all()
        .add(Column::ServiceId.eq(import.service_id))
        .add(Column::Id.ne(import.id))
        .add(Column::State.eq(State::Running).or(is_waiting.and(is_earlier)))
}

/// Whether another import of the service comes first.
async fn is_anothers_turn(tx: &Tx, import: &Model) -> Result<bool> {
    let first = tx.select::<Entity>().filter(before(import, tx.now())).one().await?;
    Ok(first.is_some())
}
