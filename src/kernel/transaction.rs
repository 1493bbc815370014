//! A transaction: one connection from its beginning to its end. It begins in one round trip, whatever it is told on the way, and
//! whoever gives up in the middle leaves nothing open: what was begun is rolled back before its connection is lent again.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values,
    error::ConnAcquireErr,
};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Database, Executor as _, Postgres, SqlSafeStr as _, Sqlite, pool::PoolConnection};
use sqlx_core::transaction::TransactionManager;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, timeout},
};

use super::{
    heard::Heard,
    pools::{LIMITS, PATIENCE},
    trace,
};

/// How long a connection whose transaction nobody wants any more has to say that it is over, before it is one no more: longer
/// than the longest statement.
pub(super) const LAST_WORD: Duration = Duration::from_secs(6);

/// What SQLite answers where another connection writes: the lowest byte of its code.
const SQLITE_BUSY: u32 = 5;

/// Which database of which server it is, and who is asking.
const WHO: &str = "SELECT concat_ws(' ', system_identifier, oid, current_user, pg_is_in_recovery())
    FROM pg_control_system(), pg_database WHERE datname = current_database()";

/// Connections to begin transactions on.
pub(super) struct Pool {
    /// What transactions begin on.
    connections: DatabaseConnection,
    /// What runs statements by themselves, where a pooler may send each of them elsewhere.
    alone: Option<DatabaseConnection>,
    heard: Arc<Heard>,
    /// What each transaction is told beside what it begins with, where its connection was not.
    told: String,
}

/// One transaction; dropped, it is as if it had never been.
pub(crate) struct Transaction {
    open: Mutex<Open>,
    backend: DbBackend,
    heard: Arc<Heard>,
    /// Whether statements stay prepared on the connection, which a pooler lends to others meanwhile. Where they do not, there
    /// may be no column of a type that the driver has to look up: it would ask for it between a statement and its values.
    prepares: bool,
}

/// A connection on which a transaction has begun.
struct Open {
    on: On,
    /// Whether its end was answered; whoever went away before that leaves it to be undone.
    is_over: bool,
}

enum On {
    Postgres(PoolConnection<Postgres>),
    Sqlite(PoolConnection<Sqlite>),
}

type Of<D> = <D as Database>::TransactionManager;

impl Pool {
    /// Over connections that keep what they were told.
    pub(super) fn new(mut connections: DatabaseConnection, heard: &Arc<Heard>) -> Self {
        Heard::listen(heard, &mut connections);
        Self {
            connections,
            alone: None,
            heard: heard.clone(),
            told: String::new(),
        }
    }

    /// Over connections through a pooler, which gives each transaction one that keeps nothing, and others of the same database
    /// for statements by themselves.
    pub(super) fn through(connections: DatabaseConnection, alone: DatabaseConnection, heard: &Arc<Heard>) -> Self {
        let limits = LIMITS.map(|(name, value)| format!("; SET LOCAL {name} = '{value}'"));
        Self {
            alone: Some(alone),
            told: limits.concat(),
            ..Self::new(connections, heard)
        }
    }

    /// The connections themselves: to be counted and closed.
    pub(super) fn connections(&self) -> &DatabaseConnection {
        &self.connections
    }

    /// Where statements by themselves run.
    pub(super) fn alone(&self) -> &DatabaseConnection {
        self.alone.as_ref().unwrap_or(&self.connections)
    }

    /// Whether transactions and statements by themselves reach the same database of the same server, as the same role.
    ///
    /// # Errors
    /// If either does not answer.
    pub(super) async fn stands_before_its_own(&self) -> Result<bool, DbErr> {
        let who = Statement::from_string(DbBackend::Postgres, WHO);
        let transaction = self.begin("BEGIN".to_owned()).await?;
        let told = |row: Option<QueryResult>| row.map(|row| row.try_get_by_index::<String>(0)).transpose();
        let there = told(transaction.query_one_raw(who.clone()).await?)?;
        Ok(there.is_some() && there == told(self.alone().query_one_raw(who).await?)?)
    }

    /// Ends every connection.
    pub(super) async fn close(&self) {
        for connections in [Some(&self.connections), self.alone.as_ref()].into_iter().flatten() {
            if let Err(error) = connections.clone().close().await {
                tracing::warn!(%error, "a connection did not end well");
            }
        }
    }

    /// Begins with this statement, which may be followed by others that tell the transaction something.
    ///
    /// What waits for a connection is large, and would be part of whatever may look at something: it is on the heap.
    ///
    /// # Errors
    /// If no connection is free, or the database does not begin.
    pub(super) fn begin(&self, sql: String) -> BoxFuture<'_, Result<Transaction, DbErr>> {
        Box::pin(self.begun(sql))
    }

    async fn begun(&self, sql: String) -> Result<Transaction, DbErr> {
        let backend = self.connections.get_database_backend();
        let on = match backend {
            DbBackend::Postgres => {
                let pool = self.connections.get_postgres_connection_pool();
                let connection = pool.acquire().await.map_err(not_lent)?;
                let beginning = begun(connection, sql + &self.told);
                On::Postgres(match &self.alone {
                    // A pooler takes whoever comes, and lets him wait.
                    Some(_) => timeout(PATIENCE, beginning).await.map_err(|_| too_late())??,
                    None => beginning.await?,
                })
            }
            _ => {
                let pool = self.connections.get_sqlite_connection_pool();
                let mut connection = pool.acquire().await.map_err(not_lent)?;
                let sql = AssertSqlSafe(sql).into_sql_str();
                Of::<Sqlite>::begin(&mut connection, Some(sql))
                    .await
                    .map_err(not_begun)?;
                On::Sqlite(connection)
            }
        };
        Ok(Transaction {
            open: Mutex::new(Open { on, is_over: false }),
            backend,
            heard: self.heard.clone(),
            prepares: self.alone.is_none(),
        })
    }
}

/// A connection of PostgreSQL on which a transaction begins. Nobody else gets it before that has come to an end: the driver
/// knows of no transaction that it has not seen begin, and the next one would go on with it. Where whoever wanted it is gone,
/// it is ended beside; to close the connection would cost a pooler its own.
struct Beginning(Option<PoolConnection<Postgres>>);

impl Drop for Beginning {
    fn drop(&mut self) {
        if let Some(mut connection) = self.0.take() {
            tokio::spawn(async move {
                let ended = timeout(LAST_WORD, connection.execute("ROLLBACK")).await;
                if !matches!(ended, Ok(Ok(_))) {
                    connection.close_on_drop();
                }
            });
        }
    }
}

async fn begun(connection: PoolConnection<Postgres>, sql: String) -> Result<PoolConnection<Postgres>, DbErr> {
    let mut beginning = Beginning(Some(connection));
    if let Some(connection) = &mut beginning.0 {
        let sql = AssertSqlSafe(sql).into_sql_str();
        Of::<Postgres>::begin(connection, Some(sql)).await.map_err(at_work)?;
    }
    beginning.0.take().ok_or_else(too_late)
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // Also where it did end and nobody heard of it: SQLite's driver counts on being told, and does nothing then.
        match &mut self.on {
            On::Postgres(connection) => Of::<Postgres>::start_rollback(connection),
            On::Sqlite(connection) => Of::<Sqlite>::start_rollback(connection),
        }
    }
}

impl Transaction {
    /// Ends it for good.
    ///
    /// # Errors
    /// If the database fails; it is not known then whether it did what was asked.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        let mut open = self.open.lock().await;
        match &mut open.on {
            On::Postgres(connection) => Of::<Postgres>::commit(connection).await,
            On::Sqlite(connection) => Of::<Sqlite>::commit(connection).await,
        }
        .map_err(at_work)?;
        open.is_over = true;
        Ok(())
    }

    /// Ends it as if it had never been.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        let mut open = self.open.lock().await;
        match &mut open.on {
            On::Postgres(connection) => Of::<Postgres>::rollback(connection).await,
            On::Sqlite(connection) => Of::<Sqlite>::rollback(connection).await,
        }
        .map_err(at_work)?;
        open.is_over = true;
        Ok(())
    }

    /// A statement with what it takes to run it, when it is its turn on the connection.
    async fn turn(&self, statement: Statement) -> Turn<'_> {
        let is_counted = self.heard.hear(&statement);
        Turn {
            open: self.open.lock().await,
            begun: Instant::now(),
            is_counted,
            sql: statement.sql,
            values: SqlxValues(statement.values.unwrap_or(Values(Vec::new()))),
            prepares: self.prepares,
        }
    }
}

/// A statement whose turn it is.
struct Turn<'t> {
    open: MutexGuard<'t, Open>,
    begun: Instant,
    is_counted: bool,
    sql: String,
    values: SqlxValues,
    prepares: bool,
}

/// Runs a statement whose turn it is, on whichever database.
macro_rules! run {
    ($turn:expr, |$query:ident, $connection:ident| $work:expr) => {{
        let mut turn = $turn;
        let sql = AssertSqlSafe(turn.sql);
        let done = match &mut turn.open.on {
            On::Postgres(open) => {
                let $query = sqlx::query_with::<Postgres, _>(sql, turn.values).persistent(turn.prepares);
                let $connection = &mut **open;
                $work
            }
            On::Sqlite(open) => {
                let $query = sqlx::query_with::<Sqlite, _>(sql, turn.values);
                let $connection = &mut **open;
                $work
            }
        };
        if turn.is_counted {
            trace::count(turn.begun.elapsed());
        }
        done
    }};
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        run!(self.turn(statement).await, |query, connection| {
            query.execute(connection).await.map(ExecResult::from)
        })
        .map_err(|error| DbErr::Exec(told(error)))
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &mut self.open.lock().await.on {
            On::Postgres(connection) => connection.execute(sql).await.map(ExecResult::from),
            On::Sqlite(connection) => connection.execute(sql).await.map(ExecResult::from),
        }
        .map_err(|error| DbErr::Exec(told(error)))
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        run!(self.turn(statement).await, |query, connection| {
            query
                .fetch_optional(connection)
                .await
                .map(|row| row.map(QueryResult::from))
        })
        .map_err(at_work)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        run!(self.turn(statement).await, |query, connection| {
            let rows = query.fetch_all(connection).await;
            rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
        })
        .map_err(at_work)
    }
}

fn told(error: sqlx::Error) -> RuntimeErr {
    RuntimeErr::SqlxError(Arc::new(error))
}

fn at_work(error: sqlx::Error) -> DbErr {
    DbErr::Query(told(error))
}

fn too_late() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)
}

/// Why no connection was lent. That there is none free says that somebody is to come again.
fn not_lent(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => too_late(),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        other => DbErr::Conn(told(other)),
    }
}

/// Why SQLite does not begin. That somebody else writes for too long says the same.
fn not_begun(error: sqlx::Error) -> DbErr {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(SQLITE_BUSY) => too_late(),
        _ => at_work(error),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::kernel::pools::{self, Width};

    #[tokio::test]
    async fn p4_whoever_goes_away_before_he_hears_of_the_end_leaves_nothing_open_behind() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("orgdesk.db").display());
        let pools = pools::sqlite(&url, Width::Usual).await.unwrap();
        let heard = Arc::default();
        let writer = Pool::new(pools.writer, &heard);
        // Another connection to the same file.
        let beside = Pool::new(pools::sqlite(&url, Width::Usual).await.unwrap().writer, &heard);
        let begin = async |pool: &Pool| pool.begin("BEGIN IMMEDIATE".to_owned()).await.unwrap();
        let count = async || {
            let sql = "SELECT count(*) FROM sqlite_schema";
            let statement = Statement::from_string(DbBackend::Sqlite, sql);
            let row = pools.reader.query_one_raw(statement).await.unwrap().unwrap();
            row.try_get_by_index::<i64>(0).unwrap()
        };

        let heard_of_nothing = begin(&writer).await;
        heard_of_nothing.execute_unprepared("CREATE TABLE t (x)").await.unwrap();
        {
            let mut end = pin!(heard_of_nothing.commit());
            assert!(futures_util::poll!(&mut end).is_pending());
            while count().await == 0 {}
        }
        drop(begin(&writer).await);

        // Another connection would wait for the one that was left open, and be told to come again.
        begin(&beside).await.commit().await.unwrap();
    }
}
