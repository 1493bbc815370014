//! What can be done with the rows of a file while those before them are being written: reading, judging and making tickets
//! of them, part by part, on a task of its own. Neither the database nor whoever waits for the organization's turn waits for it.

use std::sync::Arc;

use sea_orm::ActiveEnum as _;
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinSet,
};

use crate::{
    import::{
        entity::Model,
        plan::{Plan, Ready, Wrong},
        sheet::child::Reading,
    },
    kernel::{App, Error, Problem, Result},
    ticket::{self, Channel, Made, Means, Migrated, Status},
};

/// How many rows become tickets in one transaction.
const AT_ONCE: usize = 250;
/// How much room the texts of these rows take at most, in bytes.
const HEAVIEST: usize = 4 * 1024 * 1024;
/// How many parts wait to be written.
const WAITING: usize = 2;

/// A row with what it comes to.
pub(super) type Judged = (u32, std::result::Result<Made, Vec<Wrong>>);

/// What comes next.
pub(super) enum Next {
    /// These rows, of which there may be none, and whether they are the last.
    Part(Vec<Judged>, bool),
    /// Nothing, since the file can't be read any further.
    Fault(Problem),
}

/// Rows that are being made ready. The task ends with it.
pub(super) struct Making {
    parts: Receiver<Result<Next>>,
    _task: JoinSet<()>,
}

impl Making {
    /// Begins behind the rows of an import that are done.
    pub fn begin(app: App, import: &Model, means: Arc<Means>, (reading, plan): (Reading, Plan)) -> Self {
        let (send, parts) = channel(WAITING);
        let maker = Maker {
            app,
            import: import.id.0,
            means,
            reading,
            plan,
            done: usize::try_from(import.done_count).unwrap_or(0),
        };
        let mut task = JoinSet::new();
        task.spawn(maker.run(send));
        Self { parts, _task: task }
    }

    /// The next part.
    ///
    /// # Errors
    /// If the file can't be had, or a value can't be sealed.
    pub async fn next(&mut self) -> Result<Next> {
        let next = self.parts.recv().await;
        next.unwrap_or_else(|| Err(Error::internal("whoever made rows ready is gone")))
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
            let next = self.part().await;
            let is_last = !matches!(next, Ok(Next::Part(_, false)));
            if send.send(next).await.is_err() || is_last {
                return;
            }
        }
    }

    async fn part(&mut self) -> Result<Next> {
        let (mut rows, mut weight) = (Vec::with_capacity(AT_ONCE), 0);
        while rows.len() < AT_ONCE && weight < HEAVIEST {
            let row = match self.reading.next().await? {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(Next::Part(rows, true)),
                Err(fault) => return Ok(Next::Fault(fault.problem())),
            };
            // What is done is judged too: an external ID that comes twice is known by it.
            let judged = self.plan.judge(&row);
            if self.done > 0 {
                self.done -= 1;
                continue;
            }
            weight += row.weight();
            let made = match judged {
                Ok(ready) => Ok(ticket::make(&self.app, &self.means, self.import, migrated(ready)?)?),
                Err(wrong) => Err(wrong),
            };
            rows.push((row.number, made));
        }
        Ok(Next::Part(rows, false))
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
