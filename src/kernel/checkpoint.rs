//! SQLite's writers append pages to a log beside the file, and somebody has to bring them into the file, or else the log grows.
//! By itself SQLite has that done by whoever commits when there are enough of them: he, and all who wait for their turn,
//! would wait for the disk. So a task of its own does it while others go on writing. A log begins anew only when all of it is in
//! the file and nobody reads from it: where writers never pause, whoever commits does the little that is left.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{sync::Mutex, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Beyond which length of the log its pages are brought into the file, in bytes.
const LONG: u64 = 1 << 20;

/// How many pages a log has when whoever commits brings them into the file himself: thirty-two times as many.
const TOO_LONG: &str = "8192";

/// How often the log is looked at.
const PAUSE: Duration = Duration::from_millis(250);

/// How soon it is looked at again while it grows: whoever commits while pages are brought to the disk waits for them, so there
/// should be few at once. Where the disk is slow, it is left alone for four times as long as that took.
const SOON: Duration = Duration::from_millis(25);

/// How long it is left alone after it could not be brought into the file.
const REST: Duration = Duration::from_secs(60);

/// What the connections are opened with: those that write leave the log to the task as long as they can, and one that begins
/// the log anew cuts it, so that it is longer only where there is more in it. What is left of it is written over, which the
/// disk does faster than making a file longer.
pub(super) fn left_alone(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .pragma("wal_autocheckpoint", TOO_LONG)
        .pragma("journal_size_limit", LONG.to_string())
}

/// The task, until it is dropped.
#[derive(Debug)]
pub(super) struct Checkpoint {
    over: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Checkpoint {
    /// Watches over the log of this file, which is there.
    pub(super) fn of(options: SqliteConnectOptions) -> Self {
        let file = options.get_filename();
        // SQLite has it beside the file itself, not beside a link to it.
        let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        let mut log = file.into_os_string();
        log.push("-wal");
        let over = CancellationToken::new();
        let task = tokio::spawn(watch(options, log.into(), over.clone()));
        Self {
            over,
            task: Mutex::new(Some(task)),
        }
    }

    /// Ends it, when what it has begun is done.
    pub(super) async fn end(&self) {
        self.over.cancel();
        if let Some(task) = self.task.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::warn!(%error, "whoever watches over the log of the database did not end well");
        }
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

async fn watch(options: SqliteConnectOptions, log: PathBuf, over: CancellationToken) {
    let (mut connection, mut known, mut pause) = (None, 0, PAUSE);
    while over.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        pause = PAUSE;
        let length = std::fs::metadata(&log).map_or(0, |log| log.len());
        if length <= LONG {
            known = 0;
        }
        if length <= LONG || length == known {
            continue;
        }
        let begun = Instant::now();
        match bring(&options, connection.take()).await {
            Ok(open) => {
                (connection, known) = (Some(open), length);
                pause = (begun.elapsed() * 4).clamp(SOON, PAUSE);
            }
            Err(error) => {
                // Whoever commits does it meanwhile.
                tracing::warn!(%error, "the log of the database was not brought into its file");
                pause = REST;
            }
        }
    }
    if let Some(open) = connection
        && let Err(error) = open.close().await
    {
        tracing::warn!(%error, "a connection did not end well");
    }
}

async fn bring(options: &SqliteConnectOptions, open: Option<SqliteConnection>) -> sqlx::Result<SqliteConnection> {
    let mut connection = match open {
        Some(open) => open,
        None => options.connect().await?,
    };
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    #[tokio::test]
    async fn p4_a_long_log_is_brought_into_the_file_beside_those_who_write() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orgdesk.db");
        let options = SqliteConnectOptions::from_str(&format!("sqlite:{}", file.display()))
            .unwrap()
            .create_if_missing(true)
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
        let options = left_alone(options);
        let mut writer = options.connect().await.unwrap();
        let mut must = async |sql: &'static str| sqlx::query(sql).execute(&mut writer).await.unwrap();
        let length = |name: &str| std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len());

        must("CREATE TABLE t (x)").await;
        let task = Checkpoint::of(options.clone());
        must("INSERT INTO t VALUES (zeroblob(6000000))").await;
        // Whoever writes next begins the log anew, once all of it is in the file.
        let begun = Instant::now();
        while length("orgdesk.db-wal") > LONG {
            assert!(begun.elapsed() < Duration::from_secs(30), "it is not brought there");
            must("INSERT INTO t VALUES (1)").await;
            tokio::time::sleep(PAUSE / 10).await;
        }

        assert!(length("orgdesk.db") > 6_000_000);
        task.end().await;
    }
}
