//! Connections to a standby. Each is held against the first database when it is opened, and says how far its server has
//! replayed whenever it is lent: several standbys may stand behind one address, and each answers for itself.

use std::{
    io,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqlxPostgresConnector, Statement};
use sqlx::{Connection as _, PgConnection, Row as _, postgres::PgConnectOptions};

use tokio::time::timeout;

use super::super::{pools, transaction::LAST_WORD};

/// Which database it is: the system's number, which a standby has from the server it was copied of, and the database's own.
const WHO: &str = "SELECT system_identifier, (SELECT oid::bigint FROM pg_database WHERE datname = current_database())
    FROM pg_control_system()";

/// What a connection has to be, beside its system.
const PROMISES: &str = "SELECT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user),
    current_setting('default_transaction_read_only') || ' ' || current_setting('default_transaction_isolation')";

/// Asked before a transaction begins: what it sees is this far at least.
const NOTE: &str = "SELECT pg_is_in_recovery() AND current_setting('orgdesk.fault') = '',
    set_config('orgdesk.replayed', coalesce(pg_last_wal_replay_lsn(), '0/0')::text, false),
    set_config('orgdesk.timeline',
        lpad(upper(to_hex(greatest(stopped.timeline_id, begun.min_recovery_end_timeline))), 8, '0'), false)
    FROM pg_control_checkpoint() AS stopped, pg_control_recovery() AS begun";

/// Who the first database is; nobody before it was asked.
#[derive(Debug, Default)]
pub(super) struct Identity(Mutex<Option<(i64, i64)>>);

impl Identity {
    /// Asks the first database.
    ///
    /// # Errors
    /// If it does not answer.
    pub(super) async fn learn(&self, first: &DatabaseConnection) -> Result<(), DbErr> {
        let statement = Statement::from_string(DbBackend::Postgres, WHO);
        if let Some(row) = first.query_one_raw(statement).await? {
            let who = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(who);
        }
        Ok(())
    }

    /// What is wrong with a connection; empty where nothing is.
    async fn fault(&self, connection: &mut PgConnection) -> Result<&'static str, sqlx::Error> {
        let row = sqlx::query(WHO).fetch_one(&mut *connection).await?;
        let who: (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let row = sqlx::query(PROMISES).fetch_one(connection).await?;
        let (sees_all, promised): (bool, String) = (row.try_get(0)?, row.try_get(1)?);
        let first = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(if first != Some(who) {
            "it is no copy of the first database"
        } else if sees_all {
            "its role passes row-level security over: it has to be the service's own"
        } else if promised != pools::PROMISED {
            "a pooler stands before it and passes settings of connections over"
        } else {
            ""
        })
    }
}

/// Connections that read, to be opened when somebody asks for one.
pub(super) fn pool(url: &str, width: u32, identity: &Arc<Identity>) -> anyhow::Result<DatabaseConnection> {
    let options = pools::looking(pools::postgres_options(PgConnectOptions::from_str(url)?));
    let identity = identity.clone();
    let pool = pools::postgres_pool(width)
        .after_connect(move |connection, _| {
            let identity = identity.clone();
            Box::pin(async move {
                let fault = identity.fault(connection).await?;
                sqlx::query("SELECT set_config('orgdesk.fault', $1, false)")
                    .bind(fault)
                    .execute(&mut *connection)
                    .await?;
                note(connection).await.map(drop)
            })
        })
        .after_release(|connection, _| {
            // One that was given up in the middle of its view may be one that nobody answers on any more.
            Box::pin(async move {
                timeout(LAST_WORD, connection.ping())
                    .await
                    .map_err(|_| sqlx::Error::Io(io::ErrorKind::TimedOut.into()))??;
                Ok(true)
            })
        })
        .before_acquire(|connection, _| {
            // One that broke is closed without a word: the next one tells.
            Box::pin(async move { Ok(pools::is_at_rest(connection) && note(connection).await.unwrap_or(false)) })
        })
        .connect_lazy_with(options);
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// Notes how far the server has replayed; `false` where the connection is not to be used any more.
async fn note(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query(NOTE).fetch_one(connection).await?.try_get(0)
}

/// Whether all connections are in use, so that whoever waits in vain waits for others.
pub(super) fn is_exhausted(pool: &DatabaseConnection) -> bool {
    let pool = pool.get_postgres_connection_pool();
    pool.num_idle() == 0 && pool.size() >= pool.options().get_max_connections()
}
