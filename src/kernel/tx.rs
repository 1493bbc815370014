//! The pen. Whatever a rule writes, it writes through a `Tx`, which keeps what changed and leaves it in the audit log
//! when the deed is done, in the same transaction. A `Tx` exists only inside `Caller::act`; it is no connection, so
//! nothing can be written past it.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use chrono_tz::Tz;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbBackend, IdenStatic, IntoActiveModel, Iterable,
    ModelTrait, PrimaryKeyToColumn, QueryFilter, Statement, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    Action, Actor, App, Code, Day, Error, Job, JobId, Origin, Problem, Reader, Record, Result, Timestamp,
    audit::Outcome,
    difference::{Told, camel, differences, line},
    flush::Line,
    id, outbox,
    turn::Turn,
    zone,
};

/// What is done, and what may be relied on once it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Doing {
    /// Something that is told of: it is on the disk before anybody hears of it.
    Deed(Action),
    /// A step of something larger, which may be lost with the database's memory.
    Step(Action),
}

impl Doing {
    /// Which action.
    pub(super) fn action(self) -> Action {
        match self {
            Self::Deed(action) | Self::Step(action) => action,
        }
    }
}

/// One write transaction of one actor in one organization, for one action.
pub struct Tx {
    reader: Arc<Reader>,
    app: App,
    actor: Actor,
    origin: Origin,
    doing: Doing,
    now: Timestamp,
    zone: Option<Tz>,
    told: Mutex<Told>,
    line: Option<Line>,
    has_waited: bool,
}

impl Deref for Tx {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Tx {
    /// Begins, and takes the organization's turn among all servers.
    pub(super) async fn begin(app: App, actor: Actor, origin: Origin, doing: Doing, turn: &Turn) -> Result<Self> {
        let (organization, mut has_waited) = (turn.organization, turn.was_anothers);
        let (connection, line) = match doing {
            Doing::Step(_) => (app.database.begin_step(organization).await?, None),
            Doing::Deed(_) => app.database.begin_deed(organization).await?,
        };
        let log = doing.action().log();
        let backend = connection.get_database_backend();
        let ask = async |lock: &str| {
            let sql = format!("SELECT time_zone FROM organization WHERE id = $1{lock}");
            let statement = Statement::from_sql_and_values(backend, sql, [organization.0.into()]);
            connection.query_one_raw(statement).await
        };
        let row = match backend {
            DbBackend::Postgres => {
                // Steps that come one after the other let others have their turns, so they ask whether there are any.
                let free = match log {
                    None => ask(" FOR NO KEY UPDATE SKIP LOCKED").await?,
                    Some(_) => None,
                };
                has_waited |= log.is_none() && free.is_none();
                match free {
                    None => ask(" FOR NO KEY UPDATE").await?,
                    free => free,
                }
            }
            _ => ask("").await?,
        };
        let name = row.map(|row| row.try_get_by_index::<String>(0)).transpose()?;
        let zone = name
            .map(|name| name.parse::<Tz>().map_err(Error::internal))
            .transpose()?;
        let now = app.clock.now();
        let reader = Arc::new(Reader {
            connection,
            organization,
        });
        Ok(Self {
            reader,
            app,
            actor,
            origin,
            doing,
            now,
            zone,
            told: Mutex::default(),
            line,
            has_waited,
        })
    }

    /// The instant of the deed: the same from beginning to end.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The organization's time zone.
    ///
    /// # Errors
    /// Only before the organization is there.
    pub fn zone(&self) -> Result<Tz> {
        self.zone.ok_or_else(|| Error::internal("there is no organization yet"))
    }

    /// Today in the organization's zone.
    ///
    /// # Errors
    /// Only before the organization is there.
    pub fn today(&self) -> Result<Day> {
        Ok(Day(zone::date_at(self.now.0, self.zone()?)))
    }

    /// Who does it.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// From now on it is he who does it.
    pub(super) fn be(&mut self, actor: Actor) {
        self.actor = actor;
    }

    /// From where.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What is being done.
    pub fn action(&self) -> Action {
        self.doing.action()
    }

    /// Whether the organization's turn was another's when a step asked for it, on whichever server; for other deeds, on this
    /// one.
    pub fn has_waited(&self) -> bool {
        self.has_waited
    }

    /// The installation.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// A new ID.
    pub fn fresh_id<I: From<Uuid>>(&self) -> I {
        I::from(id::fresh(self.now, &self.app.random))
    }

    /// Makes the deed ask for a fresh confirmation of the password, where only a part of an action needs one.
    ///
    /// # Errors
    /// `CONFIRMATION_REQUIRED` if the last one is more than five minutes ago.
    pub fn require_confirmation(&self) -> Result<()> {
        if self.actor.is_confirmed(self.now) {
            Ok(())
        } else {
            Err(Error::ConfirmationRequired)
        }
    }

    /// The row of this key, if its lock counter is still the one that the caller read.
    ///
    /// # Errors
    /// `NOT_FOUND` at `id`, `STALE_VERSION` at `input.expectedVersion`.
    pub async fn find_current<E: Record>(&self, key: &str, expected_version: i32) -> Result<E::Model> {
        let row = self.find::<E>("id", key).await?;
        let version = E::version().map(|column| row.get(column));
        if version.is_some_and(|version| version != expected_version.into()) {
            return Err(Problem::at("input.expectedVersion", Code::StaleVersion).into());
        }
        Ok(row)
    }

    /// Writes a new row.
    ///
    /// # Errors
    /// `TAKEN` where another organization was faster with something that only one can have; if the row is not the
    /// organization's own, or the database refuses it.
    pub async fn create<E: Record>(&self, row: E::Model) -> Result<E::Model> {
        self.write::<E>(row, |_| true).await
    }

    /// Writes a new row of which the log tells these columns only: the rest follows from the deed, or a deed writes so
    /// many rows that all of it would drown them.
    ///
    /// # Errors
    /// As for [`Tx::create`].
    pub async fn create_telling<E: Record>(&self, row: E::Model, columns: &[E::Column]) -> Result<E::Model> {
        let names: Vec<_> = columns.iter().map(|column| camel(column.as_str())).collect();
        self.write::<E>(row, |field| names.iter().any(|name| name == field))
            .await
    }

    async fn write<E: Record>(&self, row: E::Model, is_told: impl Fn(&str) -> bool) -> Result<E::Model> {
        self.own::<E>(&row)?;
        let active = row.clone().into_active_model().reset_all();
        Box::pin(E::insert(active).exec_without_returning(&self.reader.connection))
            .await
            .map_err(Error::of_insert)?;
        self.told().tell_of::<E>(None, Some(&row));
        for (field, _, after) in differences::<E>(None, &row)? {
            if is_told(&field) {
                self.told().tell(line::<E>(&row, Some(field), None, after));
            }
        }
        Ok(row)
    }

    /// Changes a row. Where nothing differs, nothing is written; else its lock counter goes up.
    ///
    /// # Errors
    /// If the row is gone or was changed since it was read, or the database refuses it.
    pub async fn update<E: Record>(&self, before: E::Model, change: impl FnOnce(&mut E::Model)) -> Result<E::Model> {
        self.own::<E>(&before)?;
        let mut after = before.clone();
        change(&mut after);
        let told = differences::<E>(Some(&before), &after)?;
        if told.is_empty() {
            return Ok(before);
        }
        if let Some(version) = E::version() {
            let next = before.get(version).unwrap::<i32>() + 1;
            after.try_set(version, next.into())?;
        }
        self.put::<E>(&before, &after).await?;
        self.told().tell_of::<E>(Some(&before), Some(&after));
        for (field, before, now) in told {
            self.told().tell(line::<E>(&after, Some(field), before, now));
        }
        Ok(after)
    }

    /// Writes the columns of a row that differ.
    pub(super) async fn put<E: Record>(&self, before: &E::Model, after: &E::Model) -> Result<()> {
        let mut update = E::update_many().filter(self.row::<E>(before));
        for column in E::Column::iter() {
            if after.get(column) != before.get(column) {
                update = update.col_expr(column, Expr::value(after.get(column)));
            }
        }
        let written = update.exec(&self.reader.connection).await?.rows_affected;
        if written == 1 {
            Ok(())
        } else {
            let name = E::NAME;
            Err(Error::internal(format!(
                "{written} rows of {name} changed instead of one"
            )))
        }
    }

    /// Removes a row.
    ///
    /// # Errors
    /// If the row is gone or was changed since it was read, or the database refuses it.
    pub async fn delete<E: Record>(&self, row: E::Model) -> Result<()> {
        self.own::<E>(&row)?;
        let delete = E::delete_many().filter(self.row::<E>(&row));
        let gone = delete.exec(&self.reader.connection).await?.rows_affected;
        if gone != 1 {
            return Err(Error::internal(format!(
                "{gone} rows of {} went instead of one",
                E::NAME
            )));
        }
        self.told().tell_of::<E>(Some(&row), None);
        self.told().tell(line::<E>(&row, None, Some(E::label(&row)), None));
        Ok(())
    }

    /// Has a job done once the deed is committed and the job is due. Asking again for the same job is asking once.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn enqueue(&self, job: Job) -> Result<()> {
        let job = (self.fresh_id::<JobId>(), job);
        outbox::put(&self.reader.connection, self.organization, [job]).await
    }

    /// Says what the deed is about, where it is not the first row that it writes.
    pub fn about<E: Record>(&self, row: &E::Model) {
        let mut told = self.told();
        told.target = Some((E::key(row), E::label(row)));
        told.service = E::service(row).or(told.service);
    }

    /// Commits the deed although it did not do what was asked, such as a sign-in with a wrong password: the log says
    /// that it failed, and why.
    pub fn failed(&self, code: Code) {
        self.told().outcome = Some((Outcome::Failed, code.name().to_owned()));
    }

    /// The transaction's own connection, for the kernel.
    pub(super) fn reader(&self) -> &Arc<Reader> {
        &self.reader
    }

    /// Ends the transaction for good, gives the organization's turn to the next, and waits until the deed is on the disk,
    /// unless it is a step, which may be lost with the database's memory.
    pub(super) async fn commit(self, turn: Turn) -> Result<()> {
        let reader = Arc::try_unwrap(self.reader).map_err(|_| Error::internal("the transaction is still in use"))?;
        let committed = reader.connection.commit().await;
        committed.map_err(|error| Error::Uncertain(error.to_string()))?;
        drop(turn);
        if matches!(self.doing, Doing::Step(_)) {
            return Ok(());
        }
        let flushed = self.app.database.flushed(self.line).await;
        flushed.map_err(|error| Error::Uncertain(format!("{error:?}")))
    }

    /// Ends the transaction as if it had never been.
    pub(super) async fn rollback(self) {
        if let Some(reader) = Arc::into_inner(self.reader)
            && let Err(error) = reader.connection.rollback().await
        {
            tracing::warn!(%error, "a transaction did not roll back");
        }
    }

    pub(super) fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn own<E: Record>(&self, row: &E::Model) -> Result<()> {
        let own: sea_orm::Value = self.organization.into();
        if row.get(E::owner()) == own {
            Ok(())
        } else {
            Err(Error::internal("a row of another organization"))
        }
    }

    /// The row as it was read: what the logs say of the time before is what was there.
    fn row<E: Record>(&self, row: &E::Model) -> Condition {
        let own = Condition::all().add(E::owner().eq(self.organization));
        E::PrimaryKey::iter()
            .map(PrimaryKeyToColumn::into_column)
            .chain(E::version())
            .fold(own, |all, column| all.add(column.eq(row.get(column))))
    }
}
