//! What is heard of statements as they run: how many there were, and their texts for whoever asked to be told.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use sea_orm::{DatabaseConnection, Statement};

use super::trace;

/// How a statement begins that belongs to a transaction and not to what is asked for.
const OWN: &str = "WITH scope AS";

tokio::task_local! {
    /// Set while something is written down that is no part of what was asked for, and counts apart from it.
    static APART: ();
}

/// Does something whose statements count apart from those of the operation: what the log of access has to say of it.
pub(super) async fn apart<T>(work: impl Future<Output = T>) -> T {
    APART.scope((), work).await
}

/// The statements of one database.
#[derive(Debug, Default)]
pub(super) struct Heard {
    count: AtomicU64,
    texts: Mutex<Option<Vec<String>>>,
}

impl Heard {
    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Those since the last call, their values filled in; none at the first, which begins to keep them.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.replace(Vec::new()).unwrap_or_default()
    }

    /// Hears one, and tells whether it is a part of what was asked for.
    pub(super) fn hear(&self, statement: &Statement) -> bool {
        if statement.sql.starts_with(OWN) || APART.try_with(|()| ()).is_ok() {
            return false;
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        if let Some(texts) = &mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner) {
            texts.push(statement.to_string());
        }
        true
    }

    /// Hears those that run by themselves on these connections.
    pub(super) fn listen(heard: &Arc<Self>, connections: &mut DatabaseConnection) {
        let heard = heard.clone();
        connections.set_metric_callback(move |told| {
            if heard.hear(told.statement) {
                trace::count(told.elapsed);
            }
        });
    }
}
