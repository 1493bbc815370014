//! Jobs that commit with the deed: a row with `due_at`, written in the caller's transaction, taken up once it is due
//! by whichever server comes first, also when none was up at that time. A row holds IDs, never data.

mod standing;
mod taken;
#[cfg(test)]
mod tests;

use chrono::{Duration, NaiveTime};
use chrono_tz::Tz;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryOrder, QuerySelect, Statement,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict},
};

pub use standing::{oldest_due, standing};
pub use taken::Taken;

use super::{App, Error, JobId, Month, OrganizationId, Random, Result, Timestamp, transaction::Transaction, zone};

/// How far a job is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Not yet due, or due again after a failure.
    Waiting,
    /// Handed to the job runner.
    Queued,
    /// Done.
    Done,
    /// Given up, at once or after too many attempts.
    Dead,
}

/// One job.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_outbox")]
pub struct Model {
    /// Its ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    /// For whom it works.
    pub organization_id: OrganizationId,
    /// What it is: the name of a [`Job`].
    pub kind: String,
    /// On what: an ID or a month. With organization and kind it is unique, so that asking twice is asking once.
    pub argument: String,
    /// From when on it may run.
    pub due_at: Timestamp,
    /// How far it is.
    pub state: State,
    /// How often it was begun since it was last too early; counted before the work, so that a job that kills its server is
    /// counted too.
    pub attempts: i32,
    /// How often it was begun in all. It never goes back, so that no word of before is taken for one of now.
    pub generation: i64,
    /// When it was handed to the job runner, or begun by it.
    pub handed_over_at: Option<Timestamp>,
    /// When it was done or given up.
    pub finished_at: Option<Timestamp>,
    /// Why the last attempt failed: a code, never data.
    pub failure: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A job as an area asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What it is.
    pub kind: &'static str,
    /// On what.
    pub argument: String,
    /// From when on.
    pub due_at: Timestamp,
}

/// The monthly close of charges.
pub const MONTH_CLOSE: &str = "month-close";

/// The night of an import.
pub const IMPORT_RUN: &str = "import-run";

/// The making of an extraction's file.
pub const EXTRACTION_RUN: &str = "extraction-run";

/// Looking anew at a member's extractions in clear, since the grant behind them has changed.
pub const EXTRACTION_RECHECK: &str = "extraction-recheck";

/// The close of a month: due on the first of the next one, at 00:10 in the organization's zone.
///
/// # Errors
/// Only beyond the last month there is.
pub fn month_close(month: Month, zone: Tz) -> Result<Job> {
    let ten_past = NaiveTime::from_hms_opt(0, 10, 0).unwrap_or_default();
    let due = month
        .next()
        .and_then(|next| zone::instant_of(next.first_day(), ten_past, zone));
    let due_at = due
        .map(Timestamp)
        .ok_or_else(|| Error::internal("the last month has no end"))?;
    Ok(Job {
        kind: MONTH_CLOSE,
        argument: month.to_string(),
        due_at,
    })
}

/// Writes the jobs' rows in one statement. A job that is there already stays as it is.
pub(super) async fn put(
    connection: &impl ConnectionTrait,
    organization_id: OrganizationId,
    jobs: impl IntoIterator<Item = (JobId, Job)>,
) -> Result<()> {
    let row = |(id, job): (JobId, Job)| Model {
        id,
        organization_id,
        kind: job.kind.to_owned(),
        argument: job.argument,
        due_at: job.due_at,
        state: State::Waiting,
        attempts: 0,
        generation: 0,
        handed_over_at: None,
        finished_at: None,
        failure: None,
    };
    let once = OnConflict::columns([Column::OrganizationId, Column::Kind, Column::Argument])
        .do_nothing()
        .to_owned();
    let insert = Entity::insert_many(jobs.into_iter().map(|job| row(job).into_active_model().reset_all()))
        .on_conflict(once)
        .try_insert();
    Box::pin(insert.exec_without_returning(connection)).await?;
    Ok(())
}

/// How often a job is begun before it is given up: with the pauses between, after an hour to an hour and three quarters.
const MOST_ATTEMPTS: i32 = 12;

/// After so long without an end a job that was handed over is handed over again: its server may be gone.
const LOST_AFTER: Duration = Duration::minutes(10);

/// The jobs that tell with [`keep`] that somebody is at work on them, and after how long a silence that somebody is lost.
const KEPT: [&str; 2] = [IMPORT_RUN, EXTRACTION_RUN];
const SILENT_AFTER: Duration = Duration::seconds(60);

/// What became of a job.
#[derive(Debug)]
pub enum Fate {
    /// It is done.
    Done,
    /// It was too early; it is due at this instant.
    Later(Timestamp),
    /// It failed, for this reason, and may do better another time.
    Failed(String),
    /// It failed, for this reason, and would each time: only an operator can have it done again.
    GivenUp(String),
}

/// Takes the jobs that are due, so that no other server takes them, and hands each over in the same transaction:
/// `hand_over` is the statement that puts one of them into the runner's own table, if there is a runner.
///
/// # Errors
/// Only if the database fails; nothing was taken then.
pub async fn take_due(app: &App, hand_over: Option<fn(&Model) -> Statement>) -> Result<Vec<Taken>> {
    let now = app.clock.now();
    let transaction = begin(app).await?;
    let waiting = Column::State.eq(State::Waiting).and(Column::DueAt.lte(now));
    let handed_over_by = |ago: Duration| Column::HandedOverAt.lte(Timestamp(now.0 - ago));
    let silent = Column::Kind.is_in(KEPT).and(handed_over_by(SILENT_AFTER));
    let lost = Column::State
        .eq(State::Queued)
        .and(handed_over_by(LOST_AFTER).or(silent));
    let mut due = Entity::find()
        .filter(waiting.or(lost))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(100);
    if transaction.get_database_backend() == DbBackend::Postgres {
        due = due.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let jobs = due.all(&transaction).await?;
    for job in &jobs {
        Entity::update_many()
            .col_expr(Column::State, Expr::value(State::Queued))
            .col_expr(Column::HandedOverAt, Expr::value(now))
            .filter(Column::Id.eq(job.id))
            .exec(&transaction)
            .await?;
        if let Some(hand_over) = hand_over {
            transaction.execute_raw(hand_over(job)).await?;
        }
    }
    transaction.commit().await?;
    Ok(jobs.iter().map(Taken::from).collect())
}

/// What the beginning of an attempt comes to.
#[derive(Debug)]
pub enum Attempt {
    /// It is begun.
    Begun(Model),
    /// The job was begun often enough: whoever asks has to give it up.
    Spent(Model),
    /// There is nothing left to do.
    Nothing,
}

/// Begins an attempt, counted before the work.
///
/// # Errors
/// Only if the database fails.
pub async fn begin_attempt(app: &App, taken: Taken) -> Result<Attempt> {
    let transaction = begin(app).await?;
    let job = Entity::find_by_id(taken.id)
        .one(&transaction)
        .await?
        .filter(|job| job.state == State::Queued && job.generation == taken.generation);
    let Some(job) = job else {
        transaction.rollback().await?;
        return Ok(Attempt::Nothing);
    };
    if job.attempts >= MOST_ATTEMPTS {
        transaction.rollback().await?;
        return Ok(Attempt::Spent(job));
    }
    // From here on its server may be lost, not since it was put into the runner's queue.
    let count = Entity::update_many()
        .filter(Column::Id.eq(job.id))
        .filter(Column::Generation.eq(job.generation))
        .col_expr(Column::Attempts, Expr::value(job.attempts + 1))
        .col_expr(Column::Generation, Expr::value(job.generation + 1))
        .col_expr(Column::HandedOverAt, Expr::value(app.clock.now()));
    let won = count.exec(&transaction).await?.rows_affected == 1;
    transaction.commit().await?;
    Ok(if won {
        Attempt::Begun(Model {
            attempts: job.attempts + 1,
            generation: job.generation + 1,
            ..job
        })
    } else {
        Attempt::Nothing
    })
}

/// Tells that somebody is at work on a job. `false` where another is, since this one was silent for too long.
///
/// # Errors
/// Only if the database fails.
pub async fn keep(app: &App, job: &Model) -> Result<bool> {
    let transaction = begin(app).await?;
    let row = Entity::update_many()
        .filter(Column::Id.eq(job.id))
        .filter(Column::State.eq(State::Queued))
        .filter(Column::Generation.eq(job.generation))
        .col_expr(Column::HandedOverAt, Expr::value(app.clock.now()));
    let is_ours = row.exec(&transaction).await?.rows_affected == 1;
    transaction.commit().await?;
    Ok(is_ours)
}

/// How long a failed job waits: 2, 4, 8 … up to 1,024 seconds and by chance up to half as long again, so that what
/// failed together does not come back together.
fn pause(random: &Random, attempts: i32) -> Duration {
    let least: i64 = 1_000 << attempts.clamp(1, 10);
    let more = random.below(least.unsigned_abs() / 2 + 1);
    Duration::milliseconds(least.saturating_add_unsigned(more))
}

/// Ends an attempt. When a failed job comes again is kept in the row and not in anyone's memory.
///
/// # Errors
/// Only if the database fails.
pub async fn end_attempt(app: &App, job: &Model, fate: Fate) -> Result<()> {
    let now = app.clock.now();
    // An attempt that was overtaken by another has no say any more.
    let row = Entity::update_many()
        .filter(Column::Id.eq(job.id))
        .filter(Column::State.eq(State::Queued))
        .filter(Column::Generation.eq(job.generation));
    let row = match fate {
        Fate::Done => row
            .col_expr(Column::State, Expr::value(State::Done))
            .col_expr(Column::FinishedAt, Expr::value(now))
            .col_expr(Column::Failure, Expr::value(None::<String>)),
        Fate::Later(at) => row
            .col_expr(Column::State, Expr::value(State::Waiting))
            .col_expr(Column::DueAt, Expr::value(at))
            .col_expr(Column::Attempts, Expr::value(0)),
        Fate::GivenUp(reason) => {
            tracing::error!(job = %job.id, kind = job.kind, reason, "a job was given up");
            row.col_expr(Column::State, Expr::value(State::Dead))
                .col_expr(Column::FinishedAt, Expr::value(now))
                .col_expr(Column::Failure, Expr::value(Some(reason)))
        }
        Fate::Failed(reason) => {
            let due_at = Timestamp(now.0 + pause(&app.random, job.attempts));
            row.col_expr(Column::State, Expr::value(State::Waiting))
                .col_expr(Column::DueAt, Expr::value(due_at))
                .col_expr(Column::Failure, Expr::value(Some(reason)))
        }
    };
    let transaction = begin(app).await?;
    row.exec(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// The jobs that were given up, the last ones first, at most 1,000.
///
/// # Errors
/// Only if the database fails.
pub async fn dead(app: &App) -> Result<Vec<Model>> {
    let dead = Entity::find()
        .filter(Column::State.eq(State::Dead))
        .order_by_desc(Column::FinishedAt)
        .order_by_desc(Column::Id)
        .limit(1_000);
    Ok(dead.all(app.database.looking()).await?)
}

/// Has the jobs that were given up done again, from now on. Answers which.
///
/// # Errors
/// Only if the database fails.
pub async fn revive(app: &App) -> Result<Vec<Model>> {
    let transaction = begin(app).await?;
    let dead = Entity::find()
        .filter(Column::State.eq(State::Dead))
        .all(&transaction)
        .await?;
    Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Waiting))
        .col_expr(Column::DueAt, Expr::value(app.clock.now()))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::FinishedAt, Expr::value(None::<Timestamp>))
        .filter(Column::State.eq(State::Dead))
        .exec(&transaction)
        .await?;
    transaction.commit().await?;
    Ok(dead)
}

/// The jobs of a kind that were handed over and are not done, at most 100.
///
/// # Errors
/// Only if the database fails.
pub async fn at_work(app: &App, kind: &str) -> Result<Vec<Model>> {
    let queued = Entity::find()
        .filter(Column::State.eq(State::Queued))
        .filter(Column::Kind.eq(kind))
        .order_by_asc(Column::Id)
        .limit(100);
    Ok(queued.all(app.database.looking()).await?)
}

/// Whether a job of a kind waits that is due by then.
///
/// # Errors
/// Only if the database fails.
pub async fn is_due_by(app: &App, kind: &str, then: Timestamp) -> Result<bool> {
    let waiting = Column::State.eq(State::Waiting).and(Column::DueAt.lte(then));
    let first = Entity::find()
        .filter(waiting)
        .filter(Column::Kind.eq(kind))
        .one(app.database.looking())
        .await?;
    Ok(first.is_some())
}

async fn begin(app: &App) -> Result<Transaction> {
    app.database.begin_free().await
}
