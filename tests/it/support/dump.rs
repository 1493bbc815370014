//! Every row of every table, as text: what a dry run or a refusal has to leave as it was. The tables that signing in
//! writes are left out, so that a test may get itself a token in between.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::app::TestApp;

/// The tables that only signing in writes.
const OF_SIGNING_IN: [&str; 2] = ["session", "refresh_token"];

/// The rows of each table, sorted.
pub type Dump = BTreeMap<String, Vec<String>>;

/// What the database of `app` holds now.
///
/// # Panics
/// When the database can't be read.
pub async fn dump(app: &TestApp) -> Dump {
    let mut found = match &app.admin_url {
        Some(url) => of_postgres(url).await,
        None => of_sqlite(&app.url).await,
    };
    found.retain(|table, _| !OF_SIGNING_IN.iter().any(|left_out| table.ends_with(left_out)));
    assert!(
        found.values().any(|rows| !rows.is_empty()),
        "an installation is never empty"
    );
    found
}

async fn of_sqlite(url: &str) -> Dump {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut found = Dump::new();
    for table in tables {
        // `quote` writes what is no text, too; the names come from the schema.
        let columns: Vec<String> = sqlx::query_scalar("SELECT format('quote(\"%w\")', name) FROM pragma_table_info(?)")
            .bind(&table)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let row = columns.join(" || ' | ' || ");
        let rows = sqlx::query_scalar(AssertSqlSafe(format!("SELECT {row} FROM \"{table}\" ORDER BY 1")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        found.insert(table, rows);
    }
    connection.close().await.unwrap();
    found
}

async fn of_postgres(url: &str) -> Dump {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut found = Dump::new();
    for table in tables {
        let rows = sqlx::query_scalar(AssertSqlSafe(format!("SELECT t::text FROM {table} t ORDER BY 1")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        found.insert(table, rows);
    }
    connection.close().await.unwrap();
    found
}
