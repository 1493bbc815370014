//! PostgreSQL is copied by `pg_dump`, which sees the instant of a transaction of ours, and made again by `pg_restore`. Rights
//! and owners are left out: they are those of the place where it is made again.

use std::path::Path;

use anyhow::{Context, ensure};
use sqlx::{Connection as _, PgConnection, raw_sql};

use super::{Facts, Instant, programs};

/// What tells whether a role sees all rows: all others see those of no organization, and would copy nothing.
const SEES_ALL: &str =
    "SELECT CASE WHEN rolsuper OR rolbypassrls THEN 'all' ELSE 'some' END FROM pg_roles WHERE rolname = current_user";

/// What is there that no extension brought.
const THERE: &str = "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1 LIMIT 1";

pub(super) async fn take(url: &str, file: &Path) -> anyhow::Result<Facts> {
    let mut connection = connect(url).await?;
    let sees = Instant::Postgres(&mut connection).rows::<1>(SEES_ALL).await?;
    ensure!(
        sees == [["all".to_owned()]],
        "row-level security hides rows from this role: ORGDESK_BACKUP_URL names one that was made by \
         CREATE ROLE … LOGIN BYPASSRLS IN ROLE pg_read_all_data"
    );
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
        SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0";
    raw_sql(begin).execute(&mut connection).await?;
    let mut instant = Instant::Postgres(&mut connection);
    let name = instant
        .rows::<1>("SELECT pg_export_snapshot()")
        .await?
        .concat()
        .concat();
    let facts = instant.facts().await?;
    let arguments = ["--format=custom".to_owned(), format!("--snapshot={name}")];
    programs::run("pg_dump", url, arguments.into(), file).await?;
    raw_sql("ROLLBACK").execute(&mut connection).await?;
    connection.close().await?;
    std::fs::File::open(file)?.sync_all()?;
    Ok(facts)
}

pub(super) async fn check_empty(url: &str) -> anyhow::Result<()> {
    let mut connection = connect(url).await?;
    let there = Instant::Postgres(&mut connection).rows::<1>(THERE).await?;
    connection.close().await?;
    ensure!(
        there.is_empty(),
        "the database is not empty: {} is there already",
        there.concat().concat()
    );
    Ok(())
}

pub(super) async fn put(url: &str, file: &Path) -> anyhow::Result<()> {
    let whole = ["--exit-on-error", "--single-transaction"];
    let bare = ["--no-owner", "--no-privileges", "--no-comments"];
    let arguments = whole.iter().chain(&bare).map(|argument| (*argument).to_owned());
    programs::run("pg_restore", url, arguments.collect(), file).await?;
    // A copy has no statistics, and without them the first requests would be planned blindly.
    let mut connection = connect(url).await?;
    raw_sql("ANALYZE").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    PgConnection::connect(url).await.context("the database does not answer")
}
