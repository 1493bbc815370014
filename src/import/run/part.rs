//! A part of an import: its rows become tickets, what came of the others is noted, and the counts follow, in one
//! transaction.

use std::time::{Duration, Instant};

use super::make::Judged;
use crate::{
    import::{
        column::Fixed,
        entity::{Entity, Model, State, Words, outcome},
        plan::Wrong,
    },
    kernel::{Action, Caller, Code, Error, Outcome, Problem, Result, Tx},
    ticket::{self, Fate, Means, Place, Premises},
};

/// What came of a part.
pub(super) enum Wrote {
    /// Every row of it is done.
    All(Done),
    /// Another has begun on the import.
    Overtaken,
    /// The database has lost a part before it, with its memory.
    Lost,
    /// No row of it can be done, nor of any other part.
    Refused(Problem),
}

/// A part that is done.
pub(super) struct Done {
    /// What the next part may rely on.
    pub premises: Premises,
    /// Whether somebody else had the turn.
    pub has_waited: bool,
    /// How long others have waited for theirs, if there are any.
    pub took: Duration,
}

impl Outcome for Wrote {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("a part of an import is not repeated"))
    }
}

/// Writes the rows of a file behind so many that are done, relying on what the part before has left. It does not wait for
/// the disk: the database counts a part exactly if it has its rows, and each part goes on from what it counts or not at all.
///
/// # Errors
/// If the database fails; nothing of the part is there then.
pub(super) async fn write(
    caller: &Caller,
    import: &Model,
    (means, kept): (&Means, Option<&Premises>),
    (done, rows): (i32, Vec<Judged>),
) -> Result<Wrote> {
    let mut begun = Instant::now();
    let deed = async |tx: &Tx| {
        begun = Instant::now();
        written(tx, import, (means, kept), (done, rows)).await
    };
    match caller.step(Action::ImportProgress, deed).await {
        Ok(Wrote::All(done)) => Ok(Wrote::All(Done {
            took: begun.elapsed(),
            ..done
        })),
        // The service went out of use between two parts.
        Err(Error::Problems(problems)) => {
            let first = problems.into_iter().next();
            Ok(Wrote::Refused(first.map_or_else(
                || Problem::of(Code::NotFound),
                |problem| Problem::of(problem.code),
            )))
        }
        wrote => wrote,
    }
}

async fn written(
    tx: &Tx,
    import: &Model,
    by: (&Means, Option<&Premises>),
    (done, rows): (i32, Vec<Judged>),
) -> Result<Wrote> {
    let present = tx.find::<Entity>("id", &import.id.to_string()).await?;
    if present.state != State::Running || present.fence != import.fence {
        tracing::warn!(import = %import.id, fence = import.fence, "another server has gone on with this import: this one writes nothing more");
        return Ok(Wrote::Overtaken);
    }
    if present.done_count != done {
        let (import, counted) = (import.id, present.done_count);
        tracing::warn!(%import, done, counted, "the database has lost rows of this import, which come again");
        return Ok(Wrote::Lost);
    }
    let count = rows.len();
    let (mut numbers, mut made, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    for (row, judged) in rows {
        match judged {
            Ok(row_made) => {
                numbers.push(number(row));
                made.push(row_made);
            }
            Err(wrong) => outcomes.push(failed(import, row, wrong.first())),
        }
    }
    let ticket::Brought { fates, premises } = ticket::migrate(tx, import.id.0, by, made).await?;
    let (mut inserted, mut known) = (0, 0);
    for (row, fate) in numbers.into_iter().zip(fates) {
        match fate {
            Fate::Written(_) | Fate::Known(_) => inserted += 1,
            Fate::Refused(faults) if faults.iter().all(|fault| fault.at == Place::External) => {
                known += 1;
                outcomes.push(row_outcome(import, row, outcome::Kind::Known));
            }
            Fate::Refused(faults) => outcomes.push(refused(import, row, faults.first())),
        }
    }
    let bad = outcomes.iter().filter(|row| row.kind == outcome::Kind::Failed).count();
    tx.create_many::<outcome::Entity>(outcomes).await?;
    let add = |number: &mut i32, more: usize| *number += i32::try_from(more).unwrap_or(0);
    tx.update::<Entity>(present, |row| {
        row.inserted_count += inserted;
        row.known_count += known;
        add(&mut row.failed_count, bad);
        add(&mut row.done_count, count);
    })
    .await?;
    Ok(Wrote::All(Done {
        premises,
        has_waited: tx.has_waited(),
        took: Duration::ZERO,
    }))
}

fn number(row: u32) -> i32 {
    i32::try_from(row).unwrap_or(i32::MAX)
}

fn row_outcome(import: &Model, row: i32, kind: outcome::Kind) -> outcome::Model {
    outcome::Model {
        organization_id: import.organization_id,
        import_id: import.id,
        row_number: row,
        kind,
        column_code: String::new(),
        code: String::new(),
        words: Words::default(),
    }
}

/// A row that was found wrong when it was judged: the first thing that is.
fn failed(import: &Model, row: u32, wrong: Option<&Wrong>) -> outcome::Model {
    let row = row_outcome(import, number(row), outcome::Kind::Failed);
    match wrong {
        Some(wrong) => outcome::Model {
            column_code: wrong.column.clone(),
            code: wrong.code.name().to_owned(),
            words: Words::of(&wrong.words),
            ..row
        },
        None => row,
    }
}

/// A row that tickets did not take: what has changed since it was judged.
fn refused(import: &Model, row: i32, fault: Option<&ticket::Fault>) -> outcome::Model {
    let column = fault.map(|fault| match &fault.at {
        Place::ReceivedAt => Fixed::ReceivedAt.code().to_owned(),
        Place::ProcessedAt => Fixed::ProcessedAt.code().to_owned(),
        Place::Status => Fixed::Status.code().to_owned(),
        Place::Assignee => Fixed::Assignee.code().to_owned(),
        Place::Processing => Fixed::Processing.code().to_owned(),
        Place::External => Fixed::ExternalId.code().to_owned(),
        Place::Field(code) => code.clone(),
    });
    outcome::Model {
        column_code: column.unwrap_or_default(),
        code: Code::RowRefused.name().to_owned(),
        ..row_outcome(import, row, outcome::Kind::Failed)
    }
}
