//! SQLite copies itself: `VACUUM INTO` reads one instant, as every reader does, and keeps nobody from writing.

use std::{
    fs::File,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use anyhow::{Context, ensure};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{Facts, Instant, own_file};

/// What SQLite keeps beside a database: a file without it would be read together with what another left there.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

pub(super) async fn take(url: &str, file: &Path) -> anyhow::Result<Facts> {
    let options = SqliteConnectOptions::from_str(url)?.busy_timeout(Duration::from_secs(20));
    let source = options.get_filename().display().to_string();
    let mut connection = SqliteConnection::connect_with(&options.read_only(true))
        .await
        .with_context(|| format!("the database {source} can't be opened"))?;
    let name = file.to_str().context("the folder's name is no UTF-8")?;
    sqlx::query("VACUUM INTO $1")
        .bind(name)
        .execute(&mut connection)
        .await
        .context("the database can't be copied")?;
    connection.close().await?;
    File::open(file)?.sync_all()?;
    // What is told of the copy is asked of the copy.
    let copy = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .immutable(true);
    let mut copy = SqliteConnection::connect_with(&copy).await?;
    let mut instant = Instant::Sqlite(&mut copy);
    let faults = instant.rows::<1>("PRAGMA quick_check(1)").await?;
    ensure!(faults == [["ok".to_owned()]], "the database is damaged: {faults:?}");
    let facts = instant.facts().await?;
    copy.close().await?;
    Ok(facts)
}

pub(super) fn check_empty(url: &str) -> anyhow::Result<()> {
    let place = place(url)?;
    for path in std::iter::once(place.clone()).chain(COMPANIONS.map(|end| beside(&place, end))) {
        ensure!(!path.exists(), "{} is there already", path.display());
    }
    Ok(())
}

/// The file gets its name when all of it is on the disk.
pub(super) fn put(url: &str, file: &Path) -> anyhow::Result<()> {
    let place = place(url)?;
    let half = beside(&place, ".restoring");
    if half.exists() {
        std::fs::remove_file(&half)?;
    }
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    own_file(&half)?;
    let written = (|| {
        let mut into = File::options().write(true).open(&half)?;
        std::io::copy(&mut File::open(file)?, &mut into)?;
        into.sync_all()?;
        std::fs::rename(&half, &place)?;
        File::open(folder)?.sync_all()
    })();
    if written.is_err() && half.exists() {
        std::fs::remove_file(&half)?;
    }
    written.with_context(|| place.display().to_string())
}

fn place(url: &str) -> anyhow::Result<PathBuf> {
    Ok(SqliteConnectOptions::from_str(url)?.get_filename().to_owned())
}

fn beside(place: &Path, end: &str) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(end);
    name.into()
}
