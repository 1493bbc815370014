//! 취소: taking away again what an import has brought, for a week. Tickets that people have changed since stay, with their
//! number in `keptCount` and each in the report. They go part by part, as they came.

use chrono::Duration;

use super::entity::{Entity, Model, State};
use super::rules::ImportUndoInput;
use crate::{
    kernel::{
        Action, App, Caller, Code, Job, Outcome, Plain, Problem, Result, Timestamp, Tx,
        outbox::{self, Fate},
    },
    ticket,
};

/// The job's name. Its argument is the import.
pub const KIND: &str = "import-undo";

/// How long what was brought can be taken away again.
const GOOD_FOR: Duration = Duration::days(7);
/// How many tickets go in one transaction.
const AT_ONCE: u64 = 250;

/// How many tickets went.
struct Gone(usize);

impl Outcome for Gone {
    type Receipt = usize;

    fn receipt(&self) -> usize {
        self.0
    }

    async fn again(_: &Tx, gone: usize) -> Result<Self> {
        Ok(Self(gone))
    }
}

/// Why an import can't be undone at this instant; `None` where it can.
pub(super) fn obstacle(import: &Model, now: Timestamp) -> Option<Code> {
    let until = import.finished_at.map(|at| Timestamp(at.0 + GOOD_FOR));
    match import.state {
        State::Completed | State::Partial if until.is_some_and(|until| now < until) => None,
        State::Completed | State::Partial => Some(Code::ImportUndoTooLate),
        _ => Some(Code::ImportNotDone),
    }
}

/// `importUndo`.
///
/// # Errors
/// `NOT_FOUND`, `STALE_VERSION`, `IMPORT_NOT_DONE`, `IMPORT_UNDO_TOO_LATE`.
pub(super) async fn undo(tx: &Tx, id: &str, input: &ImportUndoInput) -> Result<Model> {
    let import = tx.find_current::<Entity>(id, input.expected_version).await?;
    let now = tx.now();
    if let Some(code) = obstacle(&import, now) {
        return Err(Problem::at("id", code).into());
    }
    let import = tx
        .update::<Entity>(import, |row| {
            row.state = State::Undone;
            row.undone_at = Some(now);
        })
        .await?;
    tx.enqueue(Job {
        kind: KIND,
        argument: import.id.to_string(),
        due_at: now,
    })
    .await?;
    Ok(import)
}

/// Does the job.
///
/// # Errors
/// If the database fails; it comes again then.
pub async fn run(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let done = attempt(&caller, &job.argument).await;
    caller.release().await;
    done.map(|()| Fate::Done)
}

async fn attempt(caller: &Caller, id: &str) -> Result<()> {
    loop {
        let deed = async |tx: &Tx| part(tx, id).await;
        if caller.act(Action::ImportProgress, &Plain, deed).await?.0 == 0 {
            break;
        }
    }
    let deed = async |tx: &Tx| {
        let import = tx.find::<Entity>("id", id).await?;
        // What is still there was changed by somebody.
        let import = tx
            .update::<Entity>(import, |row| row.kept_count = row.inserted_count)
            .await?;
        tx.about::<Entity>(&import);
        Ok(Gone(0))
    };
    caller.act(Action::ImportTakeBack, &Plain, deed).await?;
    Ok(())
}

async fn part(tx: &Tx, id: &str) -> Result<Gone> {
    let import = tx.find::<Entity>("id", id).await?;
    if import.state != State::Undone {
        return Ok(Gone(0));
    }
    let gone = ticket::take_back(tx, import.id.0, AT_ONCE).await?;
    let less = i32::try_from(gone).unwrap_or(0);
    tx.update::<Entity>(import, |row| row.inserted_count -= less).await?;
    Ok(Gone(gone))
}
