//! Deeds of one organization take turns, and on PostgreSQL a commit that waits for the disk would wait in its turn, with
//! everybody else behind it. So a deed commits without waiting, gives its turn to the next, and then waits for the disk
//! together with all who have committed meanwhile, before it is answered: PostgreSQL writes its log in one order, so that
//! one commit that does wait brings all before it to the disk.
//!
//! Others can see a deed some milliseconds before it is on the disk. Whatever they commit comes after it there; what goes
//! elsewhere, such as the ends of the logs' chains, waits here first.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::PgPool;
use tokio::sync::Mutex;

use super::Result;

/// A commit that changes nothing, and waits for the disk as the database's settings say.
const BARRIER: &str = "SELECT pg_logical_emit_message(true, 'orgdesk', '')";

/// Who waits for the disk.
#[derive(Debug)]
pub(super) struct Flush {
    pool: PgPool,
    committed: AtomicU64,
    flushed: Mutex<u64>,
}

impl Flush {
    /// Over connections of its own: whoever waits here holds none that others need.
    pub(super) fn over(pool: PgPool) -> Self {
        Self {
            pool,
            committed: AtomicU64::new(0),
            flushed: Mutex::new(0),
        }
    }

    /// Waits until everything that was committed before is on the disk.
    ///
    /// # Errors
    /// If the database fails: then it is not known whether it is.
    pub(super) async fn wait(&self) -> Result<()> {
        let own = self.committed.fetch_add(1, Ordering::SeqCst) + 1;
        let mut flushed = self.flushed.lock().await;
        if *flushed >= own {
            return Ok(());
        }
        // Read before the barrier is set: all of these have committed by now.
        let all = self.committed.load(Ordering::SeqCst);
        sqlx::query(BARRIER)
            .execute(&self.pool)
            .await
            .map_err(super::Error::internal)?;
        *flushed = all;
        Ok(())
    }

    /// Ends its connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}
