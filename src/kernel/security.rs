//! What happens before anyone is known: the brake on guessing, and the log of attempts that belong to no
//! organization. These two tables hold no personal data: accounts and addresses stand in the first as keyed hashes.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use chrono::{Duration, Months, NaiveTime};
use sea_orm::{ConnectionTrait, Statement};

use super::{App, AuditLog, Caller, Error, Result, Timestamp, id, transaction::Transaction};

/// Most rows of the log of attempts that go in one transaction.
const PURGED_AT_ONCE: u64 = 500;

/// How many attempts are taken in how long.
#[derive(Debug, Clone, Copy)]
pub struct Brake {
    /// What it is for, so that counts do not mix.
    pub name: &'static str,
    /// How many.
    pub attempts: i32,
    /// In how long, from the first.
    pub window: Duration,
}

/// What a brake says that does not take an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Stop {
    /// From when on it takes another one.
    pub until: Timestamp,
    /// Whether this is the first that it stops in its window: the one that a log tells of, so that a flood fills none.
    pub is_first: bool,
}

/// An attempt that was counted: what to give back where it turns out to be none of a guesser's.
#[derive(Debug, Default)]
pub struct Counted(Vec<Count>);

#[derive(Debug)]
struct Count {
    brake: &'static str,
    key: Vec<u8>,
    from: Timestamp,
}

impl Counted {
    /// What of it was counted by this brake.
    #[must_use]
    pub fn by(mut self, brake: Brake) -> Self {
        self.0.retain(|count| count.brake == brake.name);
        self
    }
}

/// As [`count`], for an attempt that stays counted until it is forgiven.
///
/// # Errors
/// Only if the database fails.
pub async fn attempt(caller: &Caller, brakes: &[(Brake, String)]) -> Result<Option<Stop>> {
    Ok(count(caller, brakes).await?.err())
}

/// Counts an attempt against each brake, up to the first that stops it, if one does. Attempts are counted before they
/// are looked at, one by one in the database, so that neither parallel requests nor several servers give more of them.
///
/// # Errors
/// Only if the database fails.
pub async fn count(caller: &Caller, brakes: &[(Brake, String)]) -> Result<std::result::Result<Counted, Stop>> {
    let (app, now) = (caller.app(), caller.now());
    let transaction = begin(caller).await?;
    let backend = transaction.get_database_backend();
    let forgotten = [Timestamp(now.0 - Duration::days(1)).into()];
    let sql = "DELETE FROM sign_in_throttle WHERE counted_from < $1";
    transaction
        .execute_raw(Statement::from_sql_and_values(backend, sql, forgotten))
        .await?;
    let mut counted = Counted::default();
    let mut stop = None;
    for (brake, subject) in brakes {
        let key = app.keys.throttle_key(&format!("{}:{subject}", brake.name));
        let oldest = Timestamp(now.0 - brake.window);
        let sql = "INSERT INTO sign_in_throttle (key, attempts, counted_from) VALUES ($1, 1, $2)
            ON CONFLICT (key) DO UPDATE SET
              attempts = CASE WHEN sign_in_throttle.counted_from <= $3 THEN 1 ELSE sign_in_throttle.attempts + 1 END,
              counted_from = CASE WHEN sign_in_throttle.counted_from <= $3 THEN $2 ELSE sign_in_throttle.counted_from END
            RETURNING attempts, counted_from";
        let values = [key.clone().into(), now.into(), oldest.into()];
        let row = transaction
            .query_one_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                sql,
                values,
            ))
            .await?;
        let Some(row) = row else { continue };
        let (attempts, from): (i32, Timestamp) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if attempts > brake.attempts {
            stop = Some(Stop {
                until: Timestamp(from.0 + brake.window),
                is_first: attempts == brake.attempts + 1,
            });
            break;
        }
        let brake = brake.name;
        counted.0.push(Count { brake, key, from });
    }
    transaction.commit().await?;
    Ok(stop.map_or(Ok(counted), Err))
}

/// Takes back what [`count`] has counted, and nothing that others did; after its window there is nothing to take back.
///
/// # Errors
/// Only if the database fails.
pub async fn give_back(caller: &Caller, counted: &Counted) -> Result<()> {
    if counted.0.is_empty() {
        return Ok(());
    }
    let transaction = begin(caller).await?;
    for Count { key, from, .. } in &counted.0 {
        let backend = transaction.get_database_backend();
        let sql = "UPDATE sign_in_throttle SET attempts = attempts - 1
            WHERE key = $1 AND counted_from = $2 AND attempts > 0";
        let values = [key.clone().into(), (*from).into()];
        transaction
            .execute_raw(Statement::from_sql_and_values(backend, sql, values))
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Forgets the attempts against a subject: one of them was right.
///
/// # Errors
/// Only if the database fails.
pub async fn forgive(caller: &Caller, brakes: &[(Brake, String)]) -> Result<()> {
    let transaction = begin(caller).await?;
    for (brake, subject) in brakes {
        let key = caller.app().keys.throttle_key(&format!("{}:{subject}", brake.name));
        let backend = transaction.get_database_backend();
        let sql = "DELETE FROM sign_in_throttle WHERE key = $1";
        transaction
            .execute_raw(Statement::from_sql_and_values(backend, sql, [key.into()]))
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// What was told of lately, so that what costs nobody anything fills no table.
#[derive(Debug)]
pub struct Hush {
    most: usize,
    minute: Mutex<(i64, HashSet<String>)>,
}

impl Hush {
    /// At most so many are told in a minute.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            minute: Mutex::default(),
        }
    }

    /// Whether this is to be told: the first of its kind in a minute.
    pub fn is_news(&self, now: Timestamp, what: &str) -> bool {
        let mut kept = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.0.timestamp().div_euclid(60);
        if kept.0 != minute {
            *kept = (minute, HashSet::new());
        }
        kept.1.len() < self.most && kept.1.insert(what.to_owned())
    }
}

/// Logs an attempt that belongs to no organization, such as a sign-in to a domain that does not exist.
///
/// # Errors
/// Only if the database fails.
pub async fn log(caller: &Caller, kind: &'static str) -> Result<()> {
    let (now, origin) = (caller.now(), caller.origin());
    let transaction = begin(caller).await?;
    let sql = "INSERT INTO security_event (id, occurred_at, kind, address, request_id) VALUES ($1, $2, $3, $4, $5)";
    let values = [
        id::fresh(now, &caller.app().random).into(),
        now.into(),
        kind.into(),
        origin.address_text().into(),
        origin.request_id.clone().into(),
    ];
    transaction
        .execute_raw(Statement::from_sql_and_values(
            transaction.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Removes from that log what has been kept for as long as records of access are, in whole days of UTC. Answers how many rows
/// went.
///
/// # Errors
/// Only if the database fails.
pub async fn purge(app: &App) -> Result<u64> {
    let now = app.clock.now();
    let months = Months::new(app.settings.logs.months(AuditLog::Access));
    let day = now.0.date_naive().checked_sub_months(months);
    let from = day.map(|day| Timestamp(day.and_time(NaiveTime::MIN).and_utc()));
    let from = from.ok_or_else(|| Error::internal("a day before all days"))?;
    let mut total = 0;
    loop {
        let gone = purge_some(app, from).await?;
        total += gone;
        if gone < PURGED_AT_ONCE {
            return Ok(total);
        }
    }
}

/// Removes the oldest rows, as many as one transaction takes.
async fn purge_some(app: &App, from: Timestamp) -> Result<u64> {
    let transaction = app.database.begin_free().await?;
    let backend = transaction.get_database_backend();
    // The database lets a row go only where a mark says that its time is over.
    let mark = "INSERT INTO security_purge (keeps_from, purged_at) SELECT $1, $2
        WHERE EXISTS (SELECT 1 FROM security_event WHERE occurred_at < $1)
        AND NOT EXISTS (SELECT 1 FROM security_purge WHERE keeps_from = $1) ON CONFLICT DO NOTHING";
    let mark = Statement::from_sql_and_values(backend, mark, [from.into(), app.clock.now().into()]);
    transaction.execute_raw(mark).await?;
    let sql = "DELETE FROM security_event WHERE id IN
        (SELECT id FROM security_event WHERE occurred_at < $1 ORDER BY occurred_at, id LIMIT $2)";
    let most = i64::try_from(PURGED_AT_ONCE).map_err(Error::internal)?;
    let gone = Statement::from_sql_and_values(backend, sql, [from.into(), most.into()]);
    let gone = transaction.execute_raw(gone).await?.rows_affected();
    transaction.commit().await?;
    Ok(gone)
}

/// A transaction over the tables that belong to no organization. A dry run that the request has open ends before: it would wait
/// for itself.
async fn begin(caller: &Caller) -> Result<Transaction> {
    caller.end_dry_run().await;
    caller.app().database.begin_free().await
}
