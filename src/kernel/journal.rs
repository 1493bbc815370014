//! Tables that are logs themselves, and the door through which they are written. Their rows come by the thousand, each
//! tells who and when, and none ever changes: an entry in the audit log for each would say the same once more, and a
//! turn of the whole organization for each batch would have everybody wait for everybody. What goes through this door
//! therefore takes no turn and leaves no entry. In exchange it can do one thing only: add rows to a [`Journal`].
//!
//! A row of a journal goes when its time is over, and not before: [`Tx::purge`] is a deed like any other, with an entry.

use std::ops::Deref;

use sea_orm::{ActiveModelTrait, Condition, IntoActiveModel, Iterable, ModelTrait, QueryFilter, TryInsertResult};

use super::{
    Action, Actor, App, Caller, Error, Job, JobId, Reader, Record, Result, Timestamp, Tx, audit::Change, id, outbox,
    trace::Work,
};

/// A table that is a log itself. Its rows give nobody a right, and the database itself refuses to change them, and to
/// let one go that has not had its time.
pub trait Journal: Record {}

/// One write transaction of one actor in one organization that can add rows to journals.
pub struct JournalPen {
    reader: Reader,
    app: App,
    actor: Actor,
    now: Timestamp,
}

impl Deref for JournalPen {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl JournalPen {
    /// The instant of the deed: the same from beginning to end.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Who does it.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The installation.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Adds the rows whose key is not there yet, in one statement; a row that is there stays as it is. Answers how many
    /// were new.
    ///
    /// Rows are written in the order of their keys, so that two deeds with the same rows wait for each other and never
    /// each for the other.
    ///
    /// # Errors
    /// If a row is not the organization's own, or the database refuses it.
    pub async fn add<E: Journal>(&self, mut rows: Vec<E::Model>) -> Result<u64> {
        const {
            assert!(
                E::GRANTS.is_none(),
                "what gives rights is written with a Tx, which tells it"
            )
        };
        let own: sea_orm::Value = self.organization_id().into();
        if rows.iter().any(|row| row.get(E::owner()) != own) {
            return Err(Error::internal("a row of another organization"));
        }
        rows.sort_by_cached_key(E::key);
        let mut added = 0;
        // SQLite takes 32,766 values in one statement.
        let width = E::Column::iter().count().max(1);
        for chunk in rows.chunks(30_000 / width) {
            let active = chunk.iter().map(|row| row.clone().into_active_model().reset_all());
            let insert = E::insert_many(active).on_conflict_do_nothing();
            if let TryInsertResult::Inserted(count) = insert.exec_without_returning(&self.reader.connection).await? {
                added += count;
            }
        }
        Ok(added)
    }

    /// Has jobs done once the rows are committed and the jobs are due, in one statement. Asking again for the same job is
    /// asking once.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn enqueue(&self, jobs: Vec<Job>) -> Result<()> {
        let fresh = |job| (JobId(id::fresh(self.now, &self.app.random)), job);
        let jobs = jobs.into_iter().map(fresh);
        outbox::put(&self.reader.connection, self.organization_id(), jobs).await
    }
}

impl Caller {
    /// The door for adding to journals: permission, one write transaction, the rows, commit. An error on the way leaves
    /// nothing behind; a refusal leaves its entry in the log of access.
    ///
    /// Several go on at once, also of one organization. Who writes is asked anew inside the transaction, as by
    /// [`Caller::act`]; what else an event needs, the deed asks there.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `FORBIDDEN`, `SECOND_FACTOR_REQUIRED`, and what the deed says.
    pub async fn note<T: Send>(
        &self,
        action: Action,
        deed: impl for<'t> AsyncFnOnce(&'t JournalPen) -> Result<T> + Send,
    ) -> Result<T> {
        self.release().await;
        let organization = match self.admit(self.actor(), action) {
            Err(refusal) => return Err(self.refuse(action, refusal).await),
            Ok(organization) => organization,
        };
        if action.log().is_some() {
            return Err(Error::internal(
                "what stands in the audit log is done through the other door",
            ));
        }
        let mut work = Work::deed(action, self.app().database.backend());
        let pass = self.app().database.pass().await?;
        let mut pen = JournalPen {
            reader: Reader {
                connection: self.app().database.begin_write(organization).await?,
                organization,
            },
            app: self.app().clone(),
            actor: self.actor().clone(),
            now: self.now(),
        };
        work.iter_mut().for_each(Work::has_begun);
        let done = match self.actor_now(&pen.reader, action).await {
            Ok(actor) => {
                pen.actor = actor;
                Box::pin(deed(&pen)).await
            }
            Err(refusal) => Err(refusal),
        };
        match done {
            Ok(outcome) => {
                pen.reader.connection.commit().await?;
                Ok(outcome)
            }
            Err(error) => {
                if let Err(fault) = pen.reader.connection.rollback().await {
                    tracing::warn!(%fault, "a transaction did not roll back");
                }
                drop(pass);
                work.iter_mut().for_each(Work::was_undone);
                drop(work);
                Err(self.refuse(action, error).await)
            }
        }
    }
}

impl Tx {
    /// Has rows of a journal go whose time is over; the log holds their number. Which time that is, stands in the
    /// database: it refuses a row that is to be kept.
    ///
    /// # Errors
    /// If a row is to be kept, or the database fails.
    pub async fn purge<E: Journal>(&self, old: Condition) -> Result<u64> {
        let own = sea_orm::ColumnTrait::eq(&E::owner(), self.organization_id());
        let delete = E::delete_many().filter(own).filter(old);
        let gone = delete.exec(&self.reader().connection).await?.rows_affected;
        if gone > 0 {
            self.told().tell(Change {
                record: E::NAME.into(),
                key: "*".into(),
                field: Some("count".into()),
                before: Some(gone.to_string()),
                after: None,
            });
        }
        Ok(gone)
    }
}

impl std::fmt::Debug for JournalPen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalPen")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}
