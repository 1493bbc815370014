//! A part of an import: its rows become tickets, what came of the others is noted, and the counts follow, in one
//! transaction.

use std::collections::BTreeMap;

use sea_orm::ActiveEnum as _;

use crate::{
    import::{
        column::Fixed,
        entity::{Entity, Model, State, Words, outcome},
        plan::{Ready, Wrong},
    },
    kernel::{Action, Caller, Code, Error, Outcome, Plain, Problem, Result, Tx},
    service::Service,
    ticket::{self, Channel, Fate, Migrated, Place, Status},
};

/// A row with what it comes to.
pub(super) type Judged = (u32, Result<Ready, Vec<Wrong>>);

/// What came of a part.
pub(super) enum Wrote {
    /// Every row of it is done.
    All,
    /// Another has begun on the import.
    Overtaken,
    /// No row of it can be done, nor of any other part.
    Refused(Problem),
}

impl Outcome for Wrote {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self::All)
    }
}

/// Writes a part.
///
/// # Errors
/// If the database fails; nothing of the part is there then.
pub(super) async fn write(caller: &Caller, import: &Model, service: &Service, rows: Vec<Judged>) -> Result<Wrote> {
    let deed = async |tx: &Tx| written(tx, import, service, rows).await;
    match caller.act(Action::ImportProgress, &Plain, deed).await {
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

async fn written(tx: &Tx, import: &Model, service: &Service, rows: Vec<Judged>) -> Result<Wrote> {
    let present = tx.find::<Entity>("id", &import.id.to_string()).await?;
    if present.state != State::Running || present.fence != import.fence {
        tracing::warn!(import = %import.id, fence = import.fence, "another server has gone on with this import: this one writes nothing more");
        return Ok(Wrote::Overtaken);
    }
    let count = rows.len();
    let (mut ready, mut outcomes) = (Vec::new(), Vec::new());
    for (number, judged) in rows {
        match judged {
            Ok(row) => ready.push(migrated(row)?),
            Err(wrong) => outcomes.push(failed(import, number, wrong.first())),
        }
    }
    let fates = ticket::migrate(tx, import.id.0, service, &ready).await?;
    let (mut inserted, mut known) = (0, 0);
    for (row, fate) in ready.iter().zip(fates) {
        match fate {
            Fate::Written(_) | Fate::Known(_) => inserted += 1,
            Fate::Refused(faults) if faults.iter().all(|fault| fault.at == Place::External) => {
                known += 1;
                outcomes.push(row_outcome(import, row.row, outcome::Kind::Known));
            }
            Fate::Refused(faults) => outcomes.push(refused(import, row.row, faults.first())),
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
    Ok(Wrote::All)
}

/// A row as tickets take it.
fn migrated(row: Ready) -> Result<Migrated> {
    let channel = Channel::try_from_value(&row.channel.to_owned()).map_err(Error::internal)?;
    let status = Status::try_from_value(&row.status.to_owned()).map_err(Error::internal)?;
    Ok(Migrated {
        row: number(row.row),
        received_at: row.received_at,
        processed_at: row.processed_at,
        status: Some(status),
        channel: Some(channel),
        priority: None,
        assignee: row.assignee,
        processing: row.processing,
        external_reference: row.external_id,
        values: row.values.into_iter().collect::<BTreeMap<_, _>>(),
    })
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
