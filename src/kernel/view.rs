//! What a request sees: one reader, shared by all its resolvers, and a loader over it that fetches rows of many
//! parents in one statement. A later view has a new loader, so nothing stale is ever shown.

use std::{ops::Deref, sync::Arc};

use async_graphql::dataloader::{DataLoader, HashMapCache};
use sea_orm::{ConnectionTrait as _, DbBackend};

use super::{
    App, Reader,
    fetches::{AtOnce, Fetches},
    trace::Work,
    turn::Turn,
};

/// A reader with its loader.
pub struct View {
    reader: Arc<Reader>,
    /// Rows by the IDs of their parents: what the resolvers of a list ask for one by one is fetched in one statement.
    pub loader: DataLoader<Batch, HashMapCache>,
    /// What a trace says of it, as long as it lives.
    work: Option<Work>,
    /// The turn of a dry run, which nobody else has while what it wrote is looked at.
    turn: Option<Turn>,
}

/// What the loader reads through. Areas implement async-graphql's `Loader` for it, a key type each.
pub struct Batch {
    reader: Arc<Reader>,
    /// The installation.
    pub app: App,
}

impl View {
    pub(super) fn of(reader: Arc<Reader>, app: App, fetches: Fetches, work: Option<Work>) -> Self {
        let batch = Batch {
            reader: reader.clone(),
            app,
        };
        // The limits of documents are the limits of a batch.
        let loader = DataLoader::with_cache(batch, fetches, AtOnce, HashMapCache::default()).max_batch_size(usize::MAX);
        Self {
            reader,
            loader,
            work,
            turn: None,
        }
    }

    /// Whether it shows what a dry run wrote.
    pub(super) fn is_of_dry_run(&self) -> bool {
        self.turn.is_some()
    }

    /// The same, which keeps an organization's turn until it ends.
    pub(super) fn keeping(self, turn: Turn) -> Self {
        Self {
            turn: Some(turn),
            ..self
        }
    }

    /// Ends the transaction; what a dry run wrote is gone. PostgreSQL is told so when the connection goes back to its pool,
    /// which talks to it then anyway: nobody waits for it.
    pub(super) async fn end(self) {
        drop(self.loader);
        let (_work, _turn) = (self.work, self.turn);
        if let Some(reader) = Arc::into_inner(self.reader)
            && reader.connection.get_database_backend() != DbBackend::Postgres
            && let Err(error) = reader.connection.rollback().await
        {
            tracing::warn!(%error, "a view did not end well");
        }
    }
}

impl Deref for View {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Deref for Batch {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.reader
    }
}
