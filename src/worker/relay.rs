//! The way from the outbox to the job runner: in one transaction a job is marked as taken and put into the runner's
//! table, so that none is lost and none is run for a deed that was rolled back. Nothing else writes that table.

use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use sea_orm::{DbBackend, Statement};

use crate::{
    kernel::{
        App, Database,
        db::JobPool,
        outbox::{self, Taken},
    },
    partner::webhook,
};

/// The runner's queue.
pub(super) const QUEUE: &str = "orgdesk";

/// The queue of messages to webhooks: systems of others answer them, or do not, and nothing else waits behind that.
pub(super) const WEBHOOKS: &str = "orgdesk-webhooks";

fn queue_of(kind: &str) -> &'static str {
    match kind {
        webhook::KIND => WEBHOOKS,
        _ => QUEUE,
    }
}

/// Makes the runner's tables. Not by `setup()`, which turns off synchronous writing on SQLite.
///
/// # Errors
/// If the database refuses.
pub async fn prepare(database: &Database) -> anyhow::Result<()> {
    match database.jobs() {
        JobPool::Sqlite(pool) => SqliteStorage::migrations().set_ignore_missing(true).run(pool).await?,
        JobPool::Postgres(pool) => PostgresStorage::migrations().set_ignore_missing(true).run(pool).await?,
    }
    Ok(())
}

/// The statement that hands a job to the runner of this database. Its key has the attempt in it, so that a job that
/// comes again is a new task, and the same attempt is one however often it is handed over.
pub fn runner_statement(app: &App) -> fn(&outbox::Model) -> Statement {
    match app.database.backend() {
        DbBackend::Postgres => |job| {
            let sql = "INSERT INTO apalis.jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority, metadata, idempotency_key)
                VALUES ($1, $2, $3, 'Pending', 0, 1, now(), 0, '', $2) ON CONFLICT (job_type, idempotency_key) DO NOTHING";
            Statement::from_sql_and_values(DbBackend::Postgres, sql, values(job))
        },
        _ => |job| {
            let sql = "INSERT INTO Jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority, metadata, idempotency_key)
                VALUES ($1, $2, $3, 'Pending', 0, 1, unixepoch(), 0, '{}', $2) ON CONFLICT (job_type, idempotency_key) DO NOTHING";
            Statement::from_sql_and_values(DbBackend::Sqlite, sql, values(job))
        },
    }
}

fn values(job: &outbox::Model) -> [sea_orm::Value; 3] {
    let payload = serde_json::to_vec(&Taken::from(job).to_string()).unwrap_or_default();
    let taken = job.handed_over_at.map_or(0, |at| at.0.timestamp_micros());
    [
        payload.into(),
        task_id(job.id.0, job.generation, taken).into(),
        queue_of(&job.kind).into(),
    ]
}

/// The runner names tasks by ULIDs: the job's own ID, with attempt and hand-over folded into the random part.
fn task_id(job: uuid::Uuid, attempt: i64, taken: i64) -> String {
    let folded = job.as_u128()
        ^ (u128::from(attempt.unsigned_abs() & 0x00ff_ffff) << 56)
        ^ u128::from(taken.unsigned_abs() & 0x00ff_ffff_ffff_ffff);
    crate::kernel::id::encode(uuid::Uuid::from_u128(folded)).to_uppercase()
}
