//! What can be done with the rows of a file while those before them are being written: reading, judging and making tickets
//! of them, part by part, on a thread of its own. Neither the database nor whoever waits for the organization's turn waits for it.

use std::sync::Arc;

use sea_orm::ActiveEnum as _;
use tokio::{
    runtime::Handle,
    sync::mpsc::{Receiver, Sender, channel},
    task::spawn_blocking,
};

use crate::{
    import::{
        entity::Model,
        plan::{Plan, Ready, Wrong},
        sheet::child::Reading,
    },
    kernel::{App, Error, Problem, Result},
    ticket::{self, Channel, MOST_ROWS, Made, Means, Migrated, Status},
};

/// How many rows are handed over at once.
pub(super) const HANDFUL: usize = 25;
/// How much room the texts of a handful take at most, in bytes, but for its last row.
const HEAVY: usize = 1024 * 1024;
/// How many handfuls wait to be written.
const WAITING: usize = 20;
/// How much room the texts of rows take at most that become tickets in one transaction, in bytes, but for the last handful.
const HEAVIEST: usize = 4 * 1024 * 1024;

/// A row with what it comes to.
pub(super) type Judged = (u32, std::result::Result<Made, Vec<Wrong>>);

/// What comes next.
pub(super) enum Next {
    /// These rows, of which there may be none.
    Rows(Rows),
    /// Nothing, since the file can't be read any further.
    Fault(Problem),
}

/// Rows that are ready.
#[derive(Default)]
pub(super) struct Rows {
    pub rows: Vec<Judged>,
    /// Whether none come after them.
    pub are_last: bool,
    weight: usize,
}

/// Rows that are being made ready. Nobody makes more of them once it is gone.
pub(super) struct Making {
    handfuls: Receiver<Result<Next>>,
    /// One that came after enough rows.
    kept: Option<Result<Next>>,
}

impl Making {
    /// Begins behind the rows of an import that are done.
    pub fn begin(app: App, import: &Model, means: Arc<Means>, (reading, plan): (Reading, Plan)) -> Self {
        let (send, handfuls) = channel(WAITING);
        let maker = Maker {
            app,
            import: import.id.0,
            means,
            reading,
            plan,
            done: usize::try_from(import.done_count).unwrap_or(0),
        };
        // It computes most of the time: on a thread of its own it has no request wait.
        let handle = Handle::current();
        spawn_blocking(move || handle.block_on(maker.run(send)));
        Self { handfuls, kept: None }
    }

    /// Waits for the next rows, and takes as many more handfuls as are ready until there are so many rows. Nothing is lost
    /// where nobody waits for it to the end.
    ///
    /// # Errors
    /// If the file can't be had, or a value can't be sealed.
    pub async fn next(&mut self, most: usize) -> Result<Next> {
        let first = match self.kept.take() {
            Some(next) => next,
            None => self.handfuls.recv().await.unwrap_or_else(|| Err(gone())),
        };
        let mut taken = match first? {
            Next::Rows(rows) => rows,
            fault @ Next::Fault(_) => return Ok(fault),
        };
        let most = most.min(MOST_ROWS - HANDFUL + 1);
        while !taken.are_last && taken.rows.len() < most && taken.weight < HEAVIEST {
            match self.handfuls.try_recv() {
                Ok(Ok(Next::Rows(more))) => taken.add(more),
                Ok(other) => {
                    self.kept = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        Ok(Next::Rows(taken))
    }
}

fn gone() -> Error {
    Error::internal("whoever made rows ready is gone")
}

impl Rows {
    fn add(&mut self, more: Self) {
        self.rows.extend(more.rows);
        self.are_last = more.are_last;
        self.weight += more.weight;
    }
}

/// Whoever makes rows ready.
struct Maker {
    app: App,
    import: uuid::Uuid,
    means: Arc<Means>,
    reading: Reading,
    plan: Plan,
    /// How many rows are done, of those that are still to be read.
    done: usize,
}

impl Maker {
    async fn run(mut self, send: Sender<Result<Next>>) {
        loop {
            let next = tokio::select! {
                next = self.handful() => next,
                () = send.closed() => return,
            };
            let is_last = !matches!(&next, Ok(Next::Rows(rows)) if !rows.are_last);
            if send.send(next).await.is_err() || is_last {
                return;
            }
        }
    }

    async fn handful(&mut self) -> Result<Next> {
        let mut made = Rows::default();
        while made.rows.len() < HANDFUL && made.weight < HEAVY {
            let row = match self.reading.next().await? {
                Ok(Some(row)) => row,
                Ok(None) => {
                    made.are_last = true;
                    break;
                }
                Err(fault) => return Ok(Next::Fault(fault.problem())),
            };
            // What is done is judged too: an external ID that comes twice is known by it.
            let judged = self.plan.judge(&row);
            if self.done > 0 {
                self.done -= 1;
                continue;
            }
            made.weight += row.weight();
            let ticket = match judged {
                Ok(ready) => Ok(ticket::make(&self.app, &self.means, self.import, migrated(ready)?)?),
                Err(wrong) => Err(wrong),
            };
            made.rows.push((row.number, ticket));
        }
        Ok(Next::Rows(made))
    }
}

/// A row as tickets take it.
fn migrated(row: Ready) -> Result<Migrated> {
    let channel = Channel::try_from_value(&row.channel.to_owned()).map_err(Error::internal)?;
    let status = Status::try_from_value(&row.status.to_owned()).map_err(Error::internal)?;
    Ok(Migrated {
        row: i32::try_from(row.row).unwrap_or(i32::MAX),
        received_at: row.received_at,
        processed_at: row.processed_at,
        status: Some(status),
        channel: Some(channel),
        priority: None,
        assignee: row.assignee,
        processing: row.processing,
        external_reference: row.external_id,
        values: row.values.into_iter().collect(),
    })
}
