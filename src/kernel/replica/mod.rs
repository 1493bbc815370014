//! A standby of the same PostgreSQL that views may read from, so that lists and files take nothing from the first database
//! but the check of who asks.
//!
//! # What goes there
//! Whatever a query of GraphQL looks at once its caller is known, and the rows of an extraction. Everything else stays: the
//! check of a session or key, sign-in, all of a request that changes something, subscriptions, downloads, jobs. What a look
//! leaves in the log of access is a deed of its own, on the first database. This module hands out [`View`]s and nothing
//! else, so that no deed can be handed a connection to a standby; which would refuse to write, too.
//!
//! # Why nobody sees less than he has written
//! The check on the first database, which each request makes anyway, reads a [`Mark`] in its transaction, and a view of a
//! standby that is not as far as the mark is not handed out; after a short wait the view of the check goes on in its place.
//! The mark is
//!
//! - how far the log of PostgreSQL is on the disk. A deed is acknowledged when it is there (`flush.rs`), whichever server did
//!   it, whoever asks now, and also where it leaves no entry: events of telephones, sessions, jobs, progress. That is more
//!   than each session's own writes, and needs no word between servers and no column. Where commits don't wait for the disk
//!   by the database's own settings, it is how far the log has been written at all.
//! - the ends of the organization's audit chains. Others can see a deed some milliseconds before it is on the disk, and so
//!   does a check that finds somebody's right gone: the rows behind are not to be older than the check.
//! - the timeline, since places of a log that was forked can't be compared.
//!
//! The chains alone would do for what people do, and never wait for another organization's writes. But not each deed
//! leaves an entry, and a journal takes no turn: a number that each of them moves would have them all wait for one row. What
//! is on the disk of the first database is on its way to the standby already, so that the wait is short however many write.
//!
//! PostgreSQL takes a snapshot before it runs what asks how far a standby has replayed. So a connection is asked when it is
//! lent, before its transaction begins ([`connection`]), and the transaction is held against that.
//!
//! # When there is none
//! A standby that is away, strange, promoted or too late is passed over, and a query that it breaks off is asked once more
//! on the first database; nobody hears of it but the log and the metrics. Whether it is back is tried out beside requests.

mod connection;
mod state;

use std::{sync::Arc, time::Duration};

use sea_orm::{ActiveEnum, ConnectionTrait, DbBackend, DbErr, Iterable, QueryResult, Statement};
use tokio::time::{Instant, sleep, timeout};

use super::{
    App, AuditLog, OrganizationId, Reader, Result, View,
    db::LOOKING,
    fetches::Fetches,
    heard::Heard,
    pools::READERS,
    trace::Work,
    transaction::{Pool, Transaction},
};
use connection::Identity;
use state::{Passed, State};

/// How long a request waits for the standby's connection and answer before it goes to the first database.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a request waits for a standby that is not far enough yet.
const WAIT: Duration = Duration::from_millis(20);

/// How long trying out whether a standby is back may take.
const TRIAL: Duration = Duration::from_secs(5);

/// How far the first database was when somebody was checked there: what a view has to have, to be shown to him.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    log: String,
    timeline: String,
    heads: i64,
}

/// The standby.
pub(super) struct Replica {
    /// Where it is asked who the first database is.
    first: Arc<Pool>,
    pool: Pool,
    identity: Arc<Identity>,
    state: State,
    mark: String,
    scope: String,
}

impl Replica {
    /// Of an address; it is connected to when somebody looks. `first` reads from the database that it is a standby of.
    ///
    /// # Errors
    /// If the address is none.
    pub(super) fn new(url: &str, first: Arc<Pool>, heard: &Arc<Heard>) -> anyhow::Result<Self> {
        let identity = Arc::new(Identity::default());
        let scope = "WITH scope AS MATERIALIZED (SELECT set_config('orgdesk.organization', $1, true) AS organization)";
        let heads = heads();
        Ok(Self {
            pool: Pool::new(connection::pool(url, READERS, &identity)?, heard),
            first,
            identity,
            state: State::default(),
            mark: format!(
                "{scope} SELECT (CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn() \
                 ELSE pg_current_wal_flush_lsn() END)::text, left(pg_walfile_name(pg_current_wal_lsn()), 8), ({heads}) \
                 FROM scope"
            ),
            scope: format!(
                "{scope} SELECT current_setting('orgdesk.fault'), pg_is_in_recovery(), \
                 current_setting('orgdesk.timeline') = $3 AND current_setting('orgdesk.replayed')::pg_lsn >= $2::pg_lsn \
                 AND ({heads}) >= $4 FROM scope"
            ),
        })
    }

    /// The connections, to count and close them.
    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// How many views went where since the start.
    pub(super) fn told(&self) -> [(Passed, u64); 5] {
        self.state.told()
    }

    /// Whether views go there at the moment.
    pub(super) fn is_used(&self) -> bool {
        self.state.is_serving()
    }

    /// Why not, as the log was told.
    pub(super) fn fault(&self) -> Option<String> {
        self.state.fault()
    }

    /// Has a transaction of the first database see an organization, and reads how far that database is. `None` where that
    /// says nothing: of an organization without a log.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn scope(&self, transaction: &Transaction, organization: OrganizationId) -> Result<Option<Mark>> {
        let values = [organization.0.to_string().into()];
        let row = transaction
            .query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, &self.mark, values))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mark = Mark {
            log: row.try_get_by_index(0)?,
            timeline: row.try_get_by_index(1)?,
            heads: row.try_get_by_index(2)?,
        };
        Ok(Some(mark).filter(|mark| mark.heads > 0))
    }

    /// A view of an organization that has everything that the mark has; `None` where the first database has to do.
    pub(super) async fn view(
        self: &Arc<Self>,
        (organization, mark): (OrganizationId, &Mark),
        app: &App,
        fetches: &Fetches,
    ) -> Option<Arc<View>> {
        if !self.state.is_serving() {
            self.state.passed(Passed::Away);
            self.try_out();
            return None;
        }
        let mut work = Work::look(DbBackend::Postgres);
        // Where others have all of them, they are not waited for: whoever waits holds a connection of the first database.
        let patience = if connection::is_exhausted(self.pool.connections()) {
            WAIT
        } else {
            PATIENCE
        };
        let connection = match timeout(patience, self.reach(organization, mark)).await {
            Ok(Ok(found)) => found,
            Ok(Err(fault)) => {
                self.state.passed(Passed::Away);
                self.state.away(&fault);
                None
            }
            Err(_) if connection::is_exhausted(self.pool.connections()) => {
                self.state.passed(Passed::Busy);
                None
            }
            Err(_) => {
                self.state.passed(Passed::Away);
                self.state.away("it does not answer");
                None
            }
        }?;
        self.state.passed(Passed::Not);
        work.iter_mut().for_each(Work::has_begun);
        let reader = Arc::new(Reader {
            connection,
            organization,
        });
        Some(Arc::new(View::of(reader, app.clone(), fetches.clone(), work)))
    }

    /// Says that a view got no answer, nor a word that there will be none.
    pub(super) fn went_silent(&self) {
        self.state.away("it has gone silent");
    }

    /// Says that a view was broken off, and what was asked is asked once more.
    pub(super) fn broke_off(&self) {
        self.state.passed(Passed::Broken);
    }

    /// A transaction of the standby that is far enough; `None` where it did not get there. Where it was too late the last
    /// time, nobody waits.
    async fn reach(
        &self,
        organization: OrganizationId,
        mark: &Mark,
    ) -> std::result::Result<Option<Transaction>, String> {
        let until = Instant::now() + if self.state.is_late() { Duration::ZERO } else { WAIT };
        let mut pause = Duration::from_millis(1);
        loop {
            let (transaction, is_there) = self.begin(organization, mark).await?;
            if is_there {
                self.state.caught_up();
                return Ok(Some(transaction));
            }
            drop(transaction);
            if Instant::now() + pause > until {
                self.state.passed(Passed::Late);
                self.state.late();
                return Ok(None);
            }
            sleep(pause).await;
            pause *= 2;
        }
    }

    async fn begin(
        &self,
        organization: OrganizationId,
        mark: &Mark,
    ) -> std::result::Result<(Transaction, bool), String> {
        let told = |error: DbErr| error.to_string();
        let transaction = self.pool.begin(LOOKING.to_owned()).await.map_err(told)?;
        let values = [
            organization.0.to_string().into(),
            mark.log.clone().into(),
            mark.timeline.clone().into(),
            mark.heads.into(),
        ];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, &self.scope, values);
        let row = transaction.query_one_raw(statement).await.map_err(told)?;
        let is_there = row.ok_or_else(|| "it does not answer".to_owned()).and_then(|row| {
            standby(&row)?;
            row.try_get_by_index(2).map_err(told)
        })?;
        Ok((transaction, is_there))
    }

    /// Tries out, beside the requests, whether the standby can be used.
    pub(super) fn try_out(self: &Arc<Self>) {
        if !self.state.may_try() {
            return;
        }
        let replica = self.clone();
        tokio::spawn(async move {
            let tried = timeout(TRIAL, replica.examine()).await;
            match tried.unwrap_or_else(|_| Err("it does not answer".to_owned())) {
                Ok(()) => replica.state.serves(),
                Err(fault) => replica.state.away(&fault),
            }
        });
    }

    async fn examine(&self) -> std::result::Result<(), String> {
        let first = self.identity.learn(self.first.alone()).await;
        first.map_err(|error| format!("the first database can't be asked who it is: {error}"))?;
        let told = |error: DbErr| error.to_string();
        let sql = "SELECT current_setting('orgdesk.fault'), pg_is_in_recovery()";
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = self.pool.alone().query_one_raw(statement).await.map_err(told)?;
        standby(&row.ok_or_else(|| "it does not answer".to_owned())?)?;
        // What a view begins with works, too.
        let nowhere = Mark {
            log: "0/0".to_owned(),
            timeline: String::new(),
            heads: 0,
        };
        self.begin(OrganizationId(uuid::Uuid::nil()), &nowhere).await.map(drop)
    }
}

/// What is wrong with the server behind a connection, by the first two columns of a row.
fn standby(row: &QueryResult) -> std::result::Result<(), String> {
    let told = |error: DbErr| error.to_string();
    let fault: String = row.try_get_by_index(0).map_err(told)?;
    let is_standby: bool = row.try_get_by_index(1).map_err(told)?;
    match (fault.as_str(), is_standby) {
        ("", true) => Ok(()),
        ("", false) => Err("it is no standby: it was promoted, or is a database of its own".to_owned()),
        (fault, _) => Err(fault.to_owned()),
    }
}

/// The ends of an organization's audit chains as one number, which each entry moves on. The organization is a column of
/// `scope`: row-level security has been told of it by then.
fn heads() -> String {
    let logs: Vec<_> = AuditLog::iter().map(|log| format!("('{}')", log.to_value())).collect();
    format!(
        "SELECT coalesce(sum(ends.place), 0)::bigint FROM (VALUES {}) AS logs (log) CROSS JOIN LATERAL \
         (SELECT max(sequence) AS place FROM audit_entry WHERE organization_id = scope.organization::uuid \
         AND audit_entry.log = logs.log) AS ends",
        logs.join(", ")
    )
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").finish_non_exhaustive()
    }
}
