//! 검사: looking through a file that was sent, from its first row to its last, so that everything that is wrong is told at
//! once. What is told never says what stands in a cell.

use super::{
    entity::{Difference, Differences, Entity, Model, State, Words, problem},
    file,
    ground::{Age, Ground, age},
    plan::Wrong,
    rules::DRAFT_FOR,
    sheet::{Fault, Head, child::Reading},
    sweep::{self, When},
};
use crate::kernel::{
    Action, App, Caller, Code, ImportId, Plain, Problem, Result, Timestamp, Tx,
    message::Word,
    outbox::{self, Fate},
};

/// The job's name. Its argument is the import.
pub const KIND: &str = "import-check";

/// How many problems are kept to be asked for.
const MOST_KEPT: usize = 100;
/// After so many rows whoever waits is told how far it is.
const STRIDE: u32 = 10_000;

/// What was found.
#[derive(Debug, Default)]
struct Found {
    refusal: Option<Problem>,
    differences: Vec<Difference>,
    head: Head,
    rows: u32,
    bad_rows: u32,
    problems: u32,
    first: Vec<Wrong>,
}

impl Found {
    fn refused(problem: Problem) -> Self {
        Self {
            refusal: Some(problem),
            ..Self::default()
        }
    }
}

impl From<Fault> for Found {
    fn from(fault: Fault) -> Self {
        Self::refused(fault.problem())
    }
}

/// Does the job.
///
/// # Errors
/// If the database or the store fails; it comes again then.
pub async fn run(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let done = attempt(&caller, &job.argument).await;
    caller.release().await;
    done.map(|()| Fate::Done)
}

async fn attempt(caller: &Caller, id: &str) -> Result<()> {
    let view = caller.view(Action::ImportCheck).await?;
    let import = view.seek::<Entity>(id).await?;
    let Some(import) = import.filter(|import| import.state == State::Checking) else {
        return Ok(());
    };
    let ground = Ground::of(&view, &import).await?;
    let key = file::key(&view, caller, &import).await?;
    drop(view);
    caller.release().await;
    let found = match file::content(caller, &import, key).await? {
        Some(content) => look(caller, &import, &ground, content).await?,
        None => Found::from(Fault::Damaged),
    };
    let deed = async |tx: &Tx| {
        let import = tx.find::<Entity>("id", id).await?;
        if import.state == State::Checking {
            keep(tx, import, found).await?;
        }
        Ok(())
    };
    caller.act(Action::ImportCheck, &Plain, deed).await
}

/// Ends the looking through of a file whose job was begun too often: it is refused, and can be sent again. There is no
/// letter: whoever sent it waits for what it comes to.
///
/// # Errors
/// If the database fails.
pub async fn give_up(app: &App, job: &outbox::Model) -> Result<()> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let deed = async |tx: &Tx| {
        let import = tx.seek::<Entity>(&job.argument).await?;
        if let Some(import) = import.filter(|import| import.state == State::Checking) {
            keep(tx, import, Found::refused(Problem::of(Code::FileNotChecked))).await?;
        }
        Ok(())
    };
    let done = caller.act(Action::ImportCheck, &Plain, deed).await;
    caller.release().await;
    done
}

/// Looks a file through.
async fn look(
    caller: &Caller,
    import: &Model,
    ground: &Ground,
    content: impl futures_util::Stream<Item = Result<bytes::Bytes>> + Send + Unpin + 'static,
) -> Result<Found> {
    let (mut reading, head) = match Reading::begin(&caller.app().program, content).await? {
        Ok(begun) => begun,
        Err(fault) => return Ok(fault.into()),
    };
    let view = caller.view(Action::ImportCheck).await?;
    let age = age(&view, ground, &head).await?;
    drop(view);
    caller.release().await;
    match age {
        Age::Present => {}
        Age::Unknown => return Ok(Found::refused(Problem::of(Code::TemplateUnknown))),
        Age::Past(differences) => {
            return Ok(Found {
                differences,
                ..Found::refused(Problem::of(Code::TemplateOutdated))
            });
        }
    }
    let mut plan = ground.plan(&head, caller.now());
    let mut found = Found {
        head,
        ..Found::default()
    };
    loop {
        let row = match reading.next().await? {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(found),
            Err(fault) => return Ok(fault.into()),
        };
        found.rows += 1;
        if let Err(wrong) = plan.judge(&row) {
            found.bad_rows += 1;
            found.problems += u32::try_from(wrong.len()).unwrap_or(u32::MAX);
            let room = MOST_KEPT - found.first.len();
            found.first.extend(wrong.into_iter().take(room));
        }
        if found.rows.is_multiple_of(STRIDE) {
            progress(caller, import.id, found.rows).await?;
        }
    }
}

/// Tells how far it is.
async fn progress(caller: &Caller, import: ImportId, rows: u32) -> Result<()> {
    let deed = async |tx: &Tx| {
        let import = tx.find::<Entity>("id", &import.to_string()).await?;
        if import.state == State::Checking {
            let rows = count(rows);
            tx.update::<Entity>(import, |row| row.done_count = rows).await?;
        }
        Ok(())
    };
    caller.act(Action::ImportProgress, &Plain, deed).await
}

async fn keep(tx: &Tx, import: Model, found: Found) -> Result<()> {
    let now = tx.now();
    let expires_at = Timestamp(now.0 + DRAFT_FOR);
    let rows = found.first.iter().enumerate().map(|(number, wrong)| problem::Model {
        organization_id: import.organization_id,
        import_id: import.id,
        number: i32::try_from(number).unwrap_or(i32::MAX),
        row_number: count(wrong.row),
        place: wrong.place.into(),
        column_code: wrong.column.clone(),
        column_title: found
            .head
            .titles
            .get(usize::from(wrong.place))
            .cloned()
            .unwrap_or_default(),
        code: wrong.code.name().to_owned(),
        words: Words::of(&wrong.words),
    });
    let is_refused = found.refusal.is_some();
    let id = import.id;
    let rows: Vec<_> = rows.collect();
    let import = tx
        .update::<Entity>(import, |row| {
            row.checked_at = Some(now);
            row.done_count = count(found.rows);
            row.row_count = count(found.rows);
            row.bad_row_count = count(found.bad_rows);
            row.problem_count = count(found.problems);
            row.hidden_row_count = count(found.head.hidden_rows);
            row.differences = Differences(found.differences);
            match &found.refusal {
                Some(problem) => {
                    row.state = State::Refused;
                    row.finished_at = Some(now);
                    row.refusal = Some(problem.code.name().to_owned());
                    row.refusal_words = said(problem);
                }
                None => {
                    row.state = State::Draft;
                    row.expires_at = Some(expires_at);
                }
            }
        })
        .await?;
    tx.about::<Entity>(&import);
    tx.create_many::<problem::Entity>(rows).await?;
    let (when, due_at) = if is_refused {
        (When::Over, now)
    } else {
        (When::Draft, expires_at)
    };
    tx.enqueue(sweep::forgetting(id, when, due_at)).await
}

/// The words of a problem.
pub(super) fn said(problem: &Problem) -> Words {
    let word = |(name, word): &(&'static str, Word)| match word {
        Word::Same(word) => Some(((*name).to_owned(), word.clone())),
        Word::Own { .. } => None,
    };
    Words(problem.words.iter().filter_map(word).collect())
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A code by its name; `None` for what a newer version has written.
pub(super) fn code_of(name: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.name() == name)
}
