//! How the connections are made: on SQLite one writer over one file; on PostgreSQL connections with limits of time, and those that
//! read can't write, whatever runs on them.

use std::{str::FromStr, sync::Arc, time::Duration};

use sea_orm::{DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::{
    Connection as _, Executor as _, PgPool, Row as _,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    Result,
    checkpoint::{self, Checkpoint},
    db::JobPool,
    flush::Flush,
};

/// How long a request waits for a connection before it is told to come back.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// How long a connection to PostgreSQL may have lain idle to be lent without being asked first whether it still is one. It
/// is asked when it comes back anyway; asking twice took as long as the smallest request's own statement.
const FRESH: Duration = Duration::from_secs(1);

/// How long a write waits for its organization's turn, and on SQLite for the one writer.
pub(super) const TURN: Duration = Duration::from_secs(20);

/// How many connections to PostgreSQL write.
const WRITERS: u32 = 8;

/// How many connections to PostgreSQL read.
pub(super) const READERS: u32 = 12;

/// How many connections there are for requests.
#[derive(Clone, Copy, Debug)]
pub(super) enum Width {
    /// As many as a server has.
    Usual,
    /// Two of each, where those that are many go through a pooler.
    Few,
    /// One that reads and one that writes.
    One,
}

impl Width {
    fn of(self, usual: u32) -> u32 {
        match self {
            Self::Usual => usual,
            Self::Few => 2,
            Self::One => 1,
        }
    }
}

/// All connections of one server.
pub(super) struct Pools {
    /// Those that write.
    pub(super) writer: DatabaseConnection,
    /// Those that can't.
    pub(super) reader: DatabaseConnection,
    /// The job runner's.
    pub(super) jobs: JobPool,
    /// Who waits for the disk; nobody where each commit does by itself.
    pub(super) flush: Option<Arc<Flush>>,
    /// Who brings SQLite's log into its file.
    pub(super) checkpoint: Option<Arc<Checkpoint>>,
}

/// Opens the file of an address.
pub(super) async fn sqlite(url: &str, width: Width) -> anyhow::Result<Pools> {
    let options = sqlite_options(url)?;
    own_file(options.get_filename())?;
    let pool = |size: u32, patience| {
        SqlitePoolOptions::new()
            .max_connections(size)
            .acquire_timeout(patience)
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(async { Ok(is_at_rest(connection)) }))
    };
    let writer = pool(1, TURN).connect_with(writing(options.clone())).await?;
    // Two may walk through logs and two look for those who follow work: others read meanwhile.
    let looking = options.clone().read_only(true).pragma("query_only", "ON");
    let reader = pool(width.of(6), PATIENCE).connect_with(looking).await?;
    let jobs = pool(2, TURN).connect_with(options.clone()).await?;
    Ok(Pools {
        writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
        reader: SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        jobs: JobPool::Sqlite(jobs),
        flush: None,
        checkpoint: Some(Arc::new(Checkpoint::of(options))),
    })
}

/// Whoever writes many rows comes back to the same pages again and again: he keeps more of them, in KiB below zero.
fn writing(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("cache_size", "-16384")
}

/// Connects to a server.
pub(super) async fn postgres(url: &str, width: Width) -> anyhow::Result<Pools> {
    let options = postgres_options(PgConnectOptions::from_str(url)?);
    let pool = asked_pool;
    let writer = pool(width.of(WRITERS)).connect_with(options.clone()).await?;
    let reader = pool(width.of(READERS)).connect_with(looking(options.clone())).await?;
    check_promises(&reader).await?;
    let jobs = pool(4).connect_with(options.clone()).await?;
    Ok(Pools {
        writer: SqlxPostgresConnector::from_sqlx_postgres_pool(writer),
        reader: SqlxPostgresConnector::from_sqlx_postgres_pool(reader),
        jobs: JobPool::Postgres(jobs),
        flush: Some(Arc::new(Flush::over(options))),
        checkpoint: None,
    })
}

/// Connects to a pooler before a server, which lends its connections for a transaction each: those that write, and those that
/// read. It keeps nothing of what a connection was opened with, so nothing is asked of it then.
pub(super) async fn pooler(url: &str) -> anyhow::Result<(DatabaseConnection, DatabaseConnection)> {
    let options = PgConnectOptions::from_str(url)?.application_name("orgdesk");
    let writer = asked_pool(WRITERS).connect_with(options.clone()).await?;
    let reader = asked_pool(READERS).connect_with(options).await?;
    Ok((
        SqlxPostgresConnector::from_sqlx_postgres_pool(writer),
        SqlxPostgresConnector::from_sqlx_postgres_pool(reader),
    ))
}

/// So many connections, which are asked whether they still are ones where they lay idle for a while.
fn asked_pool(size: u32) -> PgPoolOptions {
    postgres_pool(size).before_acquire(|connection, told| {
        Box::pin(async move {
            if told.idle_for > FRESH {
                connection.ping().await?;
            }
            Ok(is_at_rest(connection))
        })
    })
}

/// How long a statement may take, how long it may wait for a lock, and how long a transaction may lie idle.
pub(super) const LIMITS: [(&str, &str); 4] = [
    ("statement_timeout", "5s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("TimeZone", "UTC"),
];

/// What all connections to PostgreSQL are opened with.
pub(super) fn postgres_options(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("orgdesk").options(LIMITS)
}

/// The same for connections whose transactions see one instant and can't write.
pub(super) fn looking(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("default_transaction_isolation", "repeatable read"),
        ("default_transaction_read_only", "on"),
    ])
}

/// So many connections, none of which is asked before it is lent.
pub(super) fn postgres_pool(size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
}

/// What [`looking`] promises, as a connection tells it.
pub(super) const PROMISED: &str = "on repeatable read";

/// A statement by itself relies on what its connection was opened with. A pooler between may have passed that over, without a
/// word.
async fn check_promises(reader: &PgPool) -> anyhow::Result<()> {
    // Not prepared: a pooler may run it elsewhere than where it was.
    let sql = "SELECT current_setting('default_transaction_read_only') || ' ' || current_setting('default_transaction_isolation')";
    let row = reader.fetch_one(sqlx::raw_sql(sql)).await?;
    let promised: String = row.try_get(0)?;
    anyhow::ensure!(
        promised == PROMISED,
        "a pooler stands before the database and passes settings of connections over: DATABASE_URL has to lead to PostgreSQL \
         itself, and ORGDESK_POOLER_URL to the pooler"
    );
    Ok(())
}

/// Whether a connection can be lent again; one that can't is closed. On a full disk SQLite itself ends a transaction whose
/// commit finds no room, the driver's rollback then finds none to roll back, and it would take each later transaction for a
/// part of the one that it believes to be open: what was acknowledged would never be committed.
pub(super) fn is_at_rest(connection: &impl sqlx::Connection) -> bool {
    !connection.is_in_transaction()
}

/// Makes the database's file for its owner alone, before SQLite would make it for everybody; its companions get the same
/// rights.
fn own_file(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(drop)
}

fn sqlite_options(url: &str) -> Result<SqliteConnectOptions, sqlx::Error> {
    // FULL: a commit that was acknowledged survives a power cut. recursive_triggers: or else INSERT OR REPLACE would
    // pass the triggers that keep the logs append-only.
    Ok(checkpoint::left_alone(SqliteConnectOptions::from_str(url)?)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // A command beside the server and the job runner have connections of their own to the one file.
        .busy_timeout(TURN)
        .pragma("recursive_triggers", "ON")
        // On a read-only root there is no folder for temporary files.
        .pragma("temp_store", "MEMORY")
        .pragma("trusted_schema", "OFF"))
}
