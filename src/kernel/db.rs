//! The connections: one pool that writes, one that can't, and one for the job runner. Nothing outside the kernel can
//! name them. SQLite is one file with one writer; on PostgreSQL each connection of the second pool begins every transaction
//! as one that sees one instant and can't write, without being told so each time.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use sqlx::{PgPool, SqlitePool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Error, OrganizationId, Result,
    flush::{Flush, Line},
    pools::{self, TURN, Width},
    replica::{Mark, Replica},
    trace,
    turn::{Turn, Turns},
};

/// How many write to journals at once: fewer than there are connections, so that a flood of events leaves some to deeds.
const JOURNAL_WRITERS: usize = 4;

tokio::task_local! {
    /// Set while something is written down that is no part of what was asked for, and counts apart from it.
    static APART: ();
}

/// Does something whose statements count apart from those of the operation: what the log of access has to say of it.
pub(super) async fn apart<T>(work: impl Future<Output = T>) -> T {
    APART.scope((), work).await
}

/// The database of one installation.
#[derive(Clone)]
pub struct Database {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    replica: Option<Arc<Replica>>,
    jobs: JobPool,
    flush: Option<Arc<Flush>>,
    statements: Arc<AtomicU64>,
    texts: Arc<Mutex<Option<Vec<String>>>>,
    turns: Turns,
    journal_writers: Arc<Semaphore>,
}

/// The job runner's own connections to the same database.
#[derive(Clone, Debug)]
pub(crate) enum JobPool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Database {
    /// Connects to `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// If the URL is no such URL or the database does not answer.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        Self::over(url, Width::Usual).await
    }

    /// The same by one connection that reads and one that writes: whoever asks for a second one while he holds one is told
    /// to come again, however few there are. For tests.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_narrowly(url: &str) -> anyhow::Result<Self> {
        Self::over(url, Width::One).await
    }

    async fn over(url: &str, width: Width) -> anyhow::Result<Self> {
        let pools = if url.starts_with("sqlite:") {
            pools::sqlite(url, width).await?
        } else {
            pools::postgres(url, width).await?
        };
        let mut database = Self {
            writer: pools.writer,
            reader: pools.reader,
            replica: None,
            jobs: pools.jobs,
            flush: pools.flush,
            statements: Arc::default(),
            texts: Arc::default(),
            turns: Turns::default(),
            journal_writers: Arc::new(Semaphore::new(JOURNAL_WRITERS)),
        };
        let (statements, texts) = (database.statements.clone(), database.texts.clone());
        for connection in [&mut database.writer, &mut database.reader] {
            overhear(connection, &statements, &texts);
        }
        Ok(database)
    }

    /// The same database, whose views may come from a standby too. It need not be there: until it is, and whenever it is
    /// not, they come from here.
    ///
    /// # Errors
    /// If the address is none of PostgreSQL.
    pub fn beside(mut self, replica: &str) -> anyhow::Result<Self> {
        let mut replica = Replica::new(replica, self.reader.clone(), pools::READERS)?;
        overhear(replica.pool_mut(), &self.statements, &self.texts);
        self.replica = Some(Arc::new(replica));
        Ok(self)
    }

    /// Which of the two databases it is.
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// How many statements ran since the start, transactions' own ones left out.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// How many connections each pool has, and how many of them nobody uses.
    pub fn connections(&self) -> Vec<(&'static str, usize, usize)> {
        let count = |connection: &DatabaseConnection| match connection.get_database_backend() {
            DbBackend::Postgres => {
                let pool = connection.get_postgres_connection_pool();
                (pool.size() as usize, pool.num_idle())
            }
            _ => {
                let pool = connection.get_sqlite_connection_pool();
                (pool.size() as usize, pool.num_idle())
            }
        };
        let replica = self.replica.as_ref().map(|replica| ("replica", replica.pool()));
        [("writing", &self.writer), ("reading", &self.reader)]
            .into_iter()
            .chain(replica)
            .map(|(name, pool)| (name, count(pool)))
            .map(|(name, (all, idle))| (name, all, idle))
            .collect()
    }

    /// Whether views go to the read replica at the moment, and how many did since the start, or why they did not; `None`
    /// without one.
    pub fn replica_told(&self) -> Option<(bool, [(&'static str, u64); 5])> {
        let replica = self.replica.as_ref()?;
        Some((
            replica.is_used(),
            replica.told().map(|(why, count)| (why.name(), count)),
        ))
    }

    /// Why the read replica is not used, as the log was told; `None` where it is, or nobody has tried.
    pub fn replica_fault(&self) -> Option<String> {
        self.replica.as_ref()?.fault()
    }

    /// Tries out whether the read replica can be used, so that the log says so before anybody looks.
    pub(crate) fn try_replica(&self) {
        if let Some(replica) = &self.replica {
            replica.try_out();
        }
    }

    /// The standby that views may come from.
    pub(super) fn replica(&self) -> Option<&Arc<Replica>> {
        self.replica.as_ref()
    }

    /// The statements since the last call, their values filled in; none at the first, which begins to keep them. For
    /// whoever asks the database how it would run them: a running service never does.
    pub fn overhear(&self) -> Vec<String> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.replace(Vec::new()).unwrap_or_default()
    }

    /// The connection that changes the tables themselves. Only `orgdesk migrate` and its like ask for it.
    pub(crate) fn raw(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// The connection that reads what belongs to nobody.
    pub(super) fn looking(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// The job runner's connections.
    pub(crate) fn jobs(&self) -> &JobPool {
        &self.jobs
    }

    /// Has PostgreSQL count the rows of a table to which many have come, if it has doubled since they were counted: until
    /// then, statements are planned as if it were small. It is no harm where that fails.
    pub async fn count_anew<E: EntityTrait>(&self) {
        if self.writer.get_database_backend() != DbBackend::Postgres {
            return;
        }
        let which = E::default().table_name().to_owned();
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT count_anew($1)", [which.into()]);
        if let Err(error) = self.writer.execute_raw(statement).await {
            tracing::warn!(%error, "the rows of a table were not counted");
        }
    }

    /// Waits until no other deed of this organization is under way on this server. On SQLite, where one writes at a time, it
    /// is another's also while any other writes.
    pub(super) async fn turn(&self, organization: OrganizationId) -> Result<Turn> {
        let is_one_file = self.backend() == DbBackend::Sqlite;
        self.turns.take(organization, is_one_file).await
    }

    /// Waits until there are few enough others who write to journals, so that a crowd of them waits in memory too.
    pub(super) async fn pass(&self) -> Result<OwnedSemaphorePermit> {
        match tokio::time::timeout(TURN, self.journal_writers.clone().acquire_owned()).await {
            Ok(Ok(pass)) => Ok(pass),
            _ => Err(Error::Busy(1)),
        }
    }

    /// A transaction that can write rows of `organization`.
    pub(super) async fn begin_write(&self, organization: OrganizationId) -> Result<DatabaseTransaction> {
        self.begin(organization, SCOPE).await
    }

    /// The same, whose commit does not wait for the disk: whoever commits it says nothing of it before
    /// [`Database::flushed`].
    pub(super) async fn begin_deed(&self, organization: OrganizationId) -> Result<(DatabaseTransaction, Option<Line>)> {
        let line = self.line().await?;
        Ok((self.begin(organization, SCOPE_OF_DEED).await?, line))
    }

    /// What [`Database::flushed`] will wait on; to be asked for before anything is read or written that it is to be on the
    /// disk with. `None` where every commit waits for the disk.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(crate) async fn line(&self) -> Result<Option<Line>> {
        match &self.flush {
            Some(flush) => flush.ready().await.map(Some),
            None => Ok(None),
        }
    }

    /// Waits until everything that was committed before is on the disk.
    ///
    /// # Errors
    /// If the database fails, or did since the line was asked for: then it is not known whether it is.
    pub(crate) async fn flushed(&self, line: Option<Line>) -> Result<()> {
        match (&self.flush, line) {
            (Some(flush), Some(line)) => flush.wait(line).await,
            _ => Ok(()),
        }
    }

    async fn begin(&self, organization: OrganizationId, sql: &str) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let transaction = self.writer.begin_with_options(options).await?;
        scope(&transaction, organization, sql).await?;
        Ok(transaction)
    }

    /// A transaction that sees `organization` as it is at this instant and can't write; with a standby beside, also how far
    /// that is.
    pub(super) async fn begin_read(&self, organization: OrganizationId) -> Result<(DatabaseTransaction, Option<Mark>)> {
        let transaction = self.reader.begin().await?;
        let mark = match &self.replica {
            Some(replica) => replica.scope(&transaction, organization).await?,
            None => {
                scope(&transaction, organization, SCOPE).await?;
                None
            }
        };
        Ok((transaction, mark))
    }

    /// Ends every connection.
    pub async fn close(&self) {
        match &self.jobs {
            JobPool::Sqlite(pool) => pool.close().await,
            JobPool::Postgres(pool) => pool.close().await,
        }
        if let Some(flush) = &self.flush {
            flush.close().await;
        }
        let replica = self.replica.as_ref().map(|replica| replica.pool());
        for connection in [&self.reader, &self.writer].into_iter().chain(replica) {
            if let Err(error) = connection.clone().close().await {
                tracing::warn!(%error, "a connection did not end well");
            }
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Database({:?})", self.backend())
    }
}

/// Counts the statements of a pool, and keeps them for whoever asked for that.
fn overhear(connection: &mut DatabaseConnection, statements: &Arc<AtomicU64>, texts: &Arc<Mutex<Option<Vec<String>>>>) {
    let (statements, texts) = (statements.clone(), texts.clone());
    connection.set_metric_callback(move |told| {
        let is_own = OWN.iter().any(|own| told.statement.sql.starts_with(own));
        if is_own || APART.try_with(|()| ()).is_ok() {
            return;
        }
        statements.fetch_add(1, Ordering::Relaxed);
        trace::count(told.elapsed);
        if let Some(texts) = &mut *texts.lock().unwrap_or_else(PoisonError::into_inner) {
            texts.push(told.statement.to_string());
        }
    });
}

/// How the statements begin that belong to a transaction and not to what is asked for.
const OWN: [&str; 2] = ["SELECT set_config", "WITH scope AS"];
const SCOPE: &str = "SELECT set_config('orgdesk.organization', $1, true)";
const SCOPE_OF_DEED: &str =
    "SELECT set_config('orgdesk.organization', $1, true), set_config('synchronous_commit', 'off', true)";

/// On PostgreSQL, row-level security shows a transaction the rows of the organization named here, until it ends.
async fn scope(transaction: &DatabaseTransaction, organization: OrganizationId, sql: &str) -> Result<()> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let id = organization.0.to_string();
        transaction
            .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into()]))
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // case: K2
    #[tokio::test]
    async fn p4_what_is_acknowledged_was_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("orgdesk.db").display());
        let database = Database::connect(&url).await.unwrap();
        let ask = async |pragma: &str| {
            let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {pragma}"));
            database.writer.query_one_raw(statement).await.unwrap().unwrap()
        };

        let mode: String = ask("journal_mode").await.try_get_by_index(0).unwrap();
        let synchronous: i32 = ask("synchronous").await.try_get_by_index(0).unwrap();

        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
    }
}
