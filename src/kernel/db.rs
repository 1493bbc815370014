//! The connections: those that write, those that can't, and those of the job runner. Nothing outside the kernel can name them.
//! SQLite is one file with one writer at a time; on PostgreSQL each transaction says, as it begins, what it may see and do.

use std::sync::Arc;

use anyhow::Context as _;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, Statement};
use sqlx::{PgPool, SqlitePool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Error, OrganizationId, Result,
    checkpoint::Checkpoint,
    flush::{Flush, Line},
    heard::Heard,
    pools::{self, TURN, Width},
    replica::{Mark, Replica},
    transaction::{Pool, Transaction},
    turn::{Place, Turn, Turns},
};

/// How many write to journals at once: fewer than there are connections, so that a flood of events leaves some to deeds.
const JOURNAL_WRITERS: usize = 4;

/// The database of one installation.
#[derive(Clone)]
pub struct Database {
    writer: Arc<Pool>,
    reader: Arc<Pool>,
    replica: Option<Arc<Replica>>,
    jobs: JobPool,
    flush: Option<Arc<Flush>>,
    checkpoint: Option<Arc<Checkpoint>>,
    heard: Arc<Heard>,
    /// Whether deeds go another way than whoever waits for the disk: each waits by itself then, too.
    is_pooled: bool,
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

    /// The same, whose transactions go through a pooler before a server of PostgreSQL. Jobs, statements by themselves and
    /// what changes tables go there directly, by a few connections.
    ///
    /// # Errors
    /// As [`Self::connect`]; if the pooler does not answer, or stands before another database or takes another role.
    pub async fn connect_through(url: &str, pooler: &str) -> anyhow::Result<Self> {
        let own = Self::over(url, Width::Few).await;
        let mut database = own.context("the database does not answer")?;
        let (writer, reader) = pools::pooler(pooler).await.context("the pooler does not answer")?;
        let through = |pooled, own: &Pool| Arc::new(Pool::through(pooled, own.alone().clone(), &database.heard));
        let (writer, reader) = (through(writer, &database.writer), through(reader, &database.reader));
        for pool in [&writer, &reader] {
            let same = pool
                .stands_before_its_own()
                .await
                .context("the pooler does not answer")?;
            anyhow::ensure!(
                same,
                "ORGDESK_POOLER_URL has to lead to the database of DATABASE_URL, as the same role"
            );
        }
        (database.writer, database.reader) = (writer, reader);
        database.is_pooled = true;
        Ok(database)
    }

    async fn over(url: &str, width: Width) -> anyhow::Result<Self> {
        let pools = if url.starts_with("sqlite:") {
            pools::sqlite(url, width).await?
        } else {
            pools::postgres(url, width).await?
        };
        let heard = Arc::<Heard>::default();
        Ok(Self {
            writer: Arc::new(Pool::new(pools.writer, &heard)),
            reader: Arc::new(Pool::new(pools.reader, &heard)),
            replica: None,
            jobs: pools.jobs,
            flush: pools.flush,
            checkpoint: pools.checkpoint,
            heard,
            is_pooled: false,
            turns: Turns::default(),
            journal_writers: Arc::new(Semaphore::new(JOURNAL_WRITERS)),
        })
    }

    /// The same database, whose views may come from a standby too. It need not be there: until it is, and whenever it is
    /// not, they come from here.
    ///
    /// # Errors
    /// If the address is none of PostgreSQL.
    pub fn beside(mut self, replica: &str) -> anyhow::Result<Self> {
        let replica = Replica::new(replica, self.reader.clone(), &self.heard)?;
        self.replica = Some(Arc::new(replica));
        Ok(self)
    }

    /// Which of the two databases it is.
    pub fn backend(&self) -> DbBackend {
        self.writer.alone().get_database_backend()
    }

    /// How many statements ran since the start, transactions' own ones left out.
    pub fn statements(&self) -> u64 {
        self.heard.count()
    }

    /// How many connections each pool that requests use has, and how many of them nobody uses.
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
        let replica = self
            .replica
            .as_ref()
            .map(|replica| ("replica", replica.pool().connections()));
        [
            ("writing", self.writer.connections()),
            ("reading", self.reader.connections()),
        ]
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
        self.heard.texts()
    }

    /// The connection that changes the tables themselves. Only `orgdesk migrate` and its like ask for it.
    pub(crate) fn raw(&self) -> &DatabaseConnection {
        self.writer.alone()
    }

    /// The connection that reads what belongs to nobody.
    pub(super) fn looking(&self) -> &DatabaseConnection {
        self.reader.alone()
    }

    /// The job runner's connections.
    pub(crate) fn jobs(&self) -> &JobPool {
        &self.jobs
    }

    /// Has PostgreSQL count the rows of a table to which many have come, if it has doubled since they were counted: until
    /// then, statements are planned as if it were small. It is no harm where that fails.
    pub async fn count_anew<E: EntityTrait>(&self) {
        if self.writer.alone().get_database_backend() != DbBackend::Postgres {
            return;
        }
        let which = E::default().table_name().to_owned();
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT count_anew($1)", [which.into()]);
        if let Err(error) = self.writer.alone().execute_raw(statement).await {
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
    pub(super) async fn pass(&self) -> Result<(OwnedSemaphorePermit, Option<Place>)> {
        match tokio::time::timeout(TURN, self.journal_writers.clone().acquire_owned()).await {
            Ok(Ok(pass)) if self.backend() == DbBackend::Sqlite => Ok((pass, Some(self.turns.file().await?))),
            Ok(Ok(pass)) => Ok((pass, None)),
            _ => Err(Error::Busy(1)),
        }
    }

    /// A transaction that can write what belongs to no organization.
    pub(super) async fn begin_free(&self) -> Result<Transaction> {
        self.begin(&self.writer, "; SET LOCAL orgdesk.organization = ''").await
    }

    /// A transaction that can write rows of `organization`.
    pub(super) async fn begin_write(&self, organization: OrganizationId) -> Result<Transaction> {
        self.begin(&self.writer, &scope(organization)).await
    }

    /// The same, whose commit does not wait for the disk: whoever commits it says nothing of it before
    /// [`Database::flushed`].
    pub(super) async fn begin_deed(&self, organization: OrganizationId) -> Result<(Transaction, Option<Line>)> {
        let line = self.line().await?;
        let transaction = if self.is_pooled {
            self.begin_write(organization).await?
        } else {
            self.begin(&self.writer, &scope_unflushed(organization)).await?
        };
        Ok((transaction, line))
    }

    /// The same for a step that may be lost with the database's memory: nobody waits for the disk at all. SQLite does: whoever
    /// commits next would bring to the disk all that the steps before him have left.
    pub(super) async fn begin_step(&self, organization: OrganizationId) -> Result<Transaction> {
        self.begin(&self.writer, &scope_unflushed(organization)).await
    }

    async fn begin(&self, pool: &Pool, told: &str) -> Result<Transaction> {
        Ok(pool
            .begin(match self.backend() {
                DbBackend::Postgres => format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE{told}"),
                _ => "BEGIN IMMEDIATE".to_owned(),
            })
            .await?)
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

    /// A transaction that sees `organization` as it is when it is first asked and can't write; with a standby beside, also how
    /// far that is.
    pub(super) async fn begin_read(&self, organization: OrganizationId) -> Result<(Transaction, Option<Mark>)> {
        let sql = match (self.backend(), &self.replica) {
            (DbBackend::Postgres, None) => format!("{LOOKING}{}", scope(organization)),
            (DbBackend::Postgres, Some(_)) => LOOKING.to_owned(),
            _ => "BEGIN".to_owned(),
        };
        let transaction = self.reader.begin(sql).await?;
        let mark = match &self.replica {
            Some(replica) => replica.scope(&transaction, organization).await?,
            None => None,
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
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.end().await;
        }
        let own = [&self.reader, &self.writer].into_iter();
        let replica = self.replica.as_ref().map(|replica| replica.pool());
        for pool in own.map(|pool| &**pool).chain(replica) {
            pool.close().await;
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Database({:?})", self.backend())
    }
}

/// How a transaction begins that sees one instant and can't write.
pub(super) const LOOKING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// What a transaction of PostgreSQL is told when it begins: row-level security shows it the rows of this organization until
/// it ends. Nothing is selected for that: PostgreSQL would plan it, and answer.
fn scope(organization: OrganizationId) -> String {
    format!("; SET LOCAL orgdesk.organization = '{}'", organization.0)
}

/// The same, and that its commit does not wait for the disk.
fn scope_unflushed(organization: OrganizationId) -> String {
    format!("{}; SET LOCAL synchronous_commit = off", scope(organization))
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
        let ask = async |pool: &Pool, pragma: &str| {
            let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {pragma}"));
            pool.alone().query_one_raw(statement).await.unwrap().unwrap()
        };

        let mode: String = ask(&database.writer, "journal_mode").await.try_get_by_index(0).unwrap();
        let synchronous: i32 = ask(&database.writer, "synchronous").await.try_get_by_index(0).unwrap();

        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
    }
}
