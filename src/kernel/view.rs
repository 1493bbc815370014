//! What a request sees: one reader, shared by all its resolvers, and a loader over it that fetches rows of many
//! parents in one statement. A later view has a new loader, so nothing stale is ever shown.

use std::{ops::Deref, sync::Arc, time::Duration};

use async_graphql::{
    dataloader::{DataLoader, HashMapCache},
    runtime::{TokioSpawner, TokioTimer},
};
use sea_orm::DatabaseTransaction;

use super::{OrganizationId, Reader};

/// A reader with its loader.
pub struct View {
    reader: Arc<Reader>,
    /// Rows by the IDs of their parents, batched. List resolvers feed it what a query is about to ask for.
    pub loader: DataLoader<Batch, HashMapCache>,
}

/// What the loader reads through. Areas implement async-graphql's `Loader` for it, a key type each.
pub struct Batch(pub Arc<Reader>);

impl View {
    pub(super) fn over(connection: DatabaseTransaction, organization: OrganizationId) -> Self {
        Self::of(Arc::new(Reader {
            connection,
            organization,
        }))
    }

    pub(super) fn of(reader: Arc<Reader>) -> Self {
        let loader = DataLoader::with_cache(
            Batch(reader.clone()),
            TokioSpawner::current(),
            TokioTimer::default(),
            HashMapCache::default(),
        )
        .delay(Duration::ZERO);
        Self { reader, loader }
    }

    /// Ends the transaction; what a dry run wrote is gone.
    pub(super) async fn end(self) {
        drop(self.loader);
        if let Some(reader) = Arc::into_inner(self.reader)
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
        &self.0
    }
}
