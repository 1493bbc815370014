//! Deeds of one organization take turns, and on PostgreSQL a commit that waits for the disk would wait in its turn, with
//! everybody else behind it. So a deed commits without waiting, gives its turn to the next, and then waits for the disk
//! together with all who have committed meanwhile, before it is answered: PostgreSQL writes its log in one order, so that
//! one commit that does wait brings all before it to the disk.
//!
//! That holds for the server that the deed was committed on. One that has started anew, or another in its place, would wait
//! for its own disk and may have lost the deed: so all wait on one connection that was open before the deed began, and where
//! it breaks, nobody who relied on it is told that he is done.
//!
//! Others can see a deed some milliseconds before it is on the disk. Whatever they commit comes after it there; what goes
//! elsewhere, such as the ends of the logs' chains, waits here first.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{sync::Mutex, time::timeout};

use super::{Error, Result};

/// A commit that changes nothing, and waits for the disk as the database's settings say.
const BARRIER: &str = "SELECT pg_logical_emit_message(true, 'orgdesk', '')";

/// How long opening a connection may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// For how many seconds a connection is taken for open without being asked.
const FRESH: u64 = 20;

/// The connection that was open when a deed began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line(u64);

/// Who waits for the disk.
#[derive(Debug)]
pub(super) struct Flush {
    options: PgConnectOptions,
    begun: Instant,
    committed: AtomicU64,
    /// Which connection is open, counted from 1; 0 where none is.
    line: AtomicU64,
    /// When it last answered, in seconds since `begun`.
    answered: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<PgConnection>,
    opened: u64,
    flushed: u64,
}

impl Flush {
    /// Over a connection of its own: whoever waits here holds none that others need.
    pub(super) fn over(options: PgConnectOptions) -> Self {
        Self {
            options,
            begun: Instant::now(),
            committed: AtomicU64::new(0),
            line: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// Has a connection open before a deed begins.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(super) async fn ready(&self) -> Result<Line> {
        if let Some(line) = self.fresh() {
            return Ok(line);
        }
        let mut state = self.state.lock().await;
        if let Some(line) = self.fresh() {
            return Ok(line);
        }
        if let Some(connection) = &mut state.connection {
            if matches!(timeout(PATIENCE, connection.ping()).await, Ok(Ok(()))) {
                self.answers();
                return Ok(Line(self.line.load(Ordering::SeqCst)));
            }
            self.lose(&mut state);
        }
        let connecting = Box::pin(PgConnection::connect_with(&self.options));
        let connection = timeout(PATIENCE, connecting).await;
        let connection = connection.map_err(Error::internal)?.map_err(Error::internal)?;
        state.connection = Some(connection);
        state.opened += 1;
        self.line.store(state.opened, Ordering::SeqCst);
        self.answers();
        Ok(Line(state.opened))
    }

    /// Waits until everything that was committed before is on the disk.
    ///
    /// # Errors
    /// If the database fails, or has failed since `line` was open: then it is not known whether it is.
    pub(super) async fn wait(&self, line: Line) -> Result<()> {
        let own = self.committed.fetch_add(1, Ordering::SeqCst) + 1;
        let mut state = self.state.lock().await;
        let is_open = self.line.load(Ordering::SeqCst) == line.0;
        if is_open && state.flushed >= own {
            return Ok(());
        }
        // Read before the barrier is set: all of these have committed by now.
        let all = self.committed.load(Ordering::SeqCst);
        let Some(connection) = state.connection.as_mut().filter(|_| is_open) else {
            return Err(Error::internal(
                "the connection that waits for the disk broke: it is not known whether a deed is there",
            ));
        };
        if let Err(error) = sqlx::query(BARRIER).execute(connection).await {
            self.lose(&mut state);
            return Err(Error::internal(error));
        }
        state.flushed = all;
        self.answers();
        Ok(())
    }

    /// Ends its connection.
    pub(super) async fn close(&self) {
        let mut state = self.state.lock().await;
        self.line.store(0, Ordering::SeqCst);
        if let Some(connection) = state.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "a connection did not end well");
        }
    }

    /// The open connection, if it has answered a while ago at most.
    fn fresh(&self) -> Option<Line> {
        let line = self.line.load(Ordering::SeqCst);
        let now = self.begun.elapsed().as_secs();
        let silent = now.saturating_sub(self.answered.load(Ordering::SeqCst));
        (line > 0 && silent < FRESH).then_some(Line(line))
    }

    fn answers(&self) {
        self.answered.store(self.begun.elapsed().as_secs(), Ordering::SeqCst);
    }

    fn lose(&self, state: &mut State) {
        self.line.store(0, Ordering::SeqCst);
        state.connection = None;
    }
}
