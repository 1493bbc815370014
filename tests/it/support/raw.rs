//! The database itself, past every door: for looking at what is there, and for being the intruder.

use std::collections::BTreeMap;

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};

use super::app::TestApp;

/// A connection of one's own.
pub enum Raw {
    /// To a file.
    Sqlite(Box<SqliteConnection>),
    /// To a server.
    Postgres(Box<PgConnection>),
}

impl Raw {
    /// With every right: on PostgreSQL the superuser, behind row-level security.
    pub async fn admin(app: &TestApp) -> Self {
        Self::open(app.admin_url.as_deref().unwrap_or(&app.url)).await
    }

    /// With the rights of the service.
    pub async fn service(app: &TestApp) -> Self {
        Self::open(&app.url).await
    }

    /// To any database.
    pub async fn open(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            let options: SqliteConnectOptions = url.parse().unwrap();
            let options = options
                .foreign_keys(true)
                .busy_timeout(std::time::Duration::from_secs(5))
                .pragma("recursive_triggers", "ON");
            Self::Sqlite(Box::new(SqliteConnection::connect_with(&options).await.unwrap()))
        } else {
            let options: PgConnectOptions = url.parse().unwrap();
            Self::Postgres(Box::new(PgConnection::connect_with(&options).await.unwrap()))
        }
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Runs statements; the error as text.
    pub async fn run(&mut self, sql: &str) -> Result<(), String> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        let done = match self {
            Self::Sqlite(connection) => sql.execute(&mut **connection).await.map(drop),
            Self::Postgres(connection) => sql.execute(&mut **connection).await.map(drop),
        };
        done.map_err(|error| error.to_string())
    }

    /// Runs statements that must work.
    pub async fn must(&mut self, sql: &str) {
        self.run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The first column, which must be text.
    pub async fn texts(&mut self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut **connection).await;
                rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
                    .iter()
                    .map(|row| row.get(0))
                    .collect()
            }
            Self::Postgres(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut **connection).await;
                rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
                    .iter()
                    .map(|row| row.get(0))
                    .collect()
            }
        }
    }

    /// How many rows a table shows.
    pub async fn count(&mut self, from: &str) -> u64 {
        let sql = format!("SELECT CAST(count(*) AS TEXT) FROM {from}");
        self.texts(&sql).await[0].parse().unwrap()
    }

    /// The tables, without the runner's and the database's own.
    pub async fn tables(&mut self) -> Vec<String> {
        let sql = if self.is_postgres() {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        } else {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        };
        self.texts(sql).await
    }

    /// Every row of every table as text.
    pub async fn dump(&mut self) -> BTreeMap<String, Vec<String>> {
        let mut dump = BTreeMap::new();
        for table in self.tables().await {
            let sql = if self.is_postgres() {
                format!("SELECT t::text FROM public.{table} t ORDER BY 1")
            } else {
                let columns = format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
                let columns = self.texts(&columns).await.join(" || '|' || ");
                format!("SELECT {columns} FROM \"{table}\" ORDER BY 1")
            };
            dump.insert(table, self.texts(&sql).await);
        }
        dump
    }
}
