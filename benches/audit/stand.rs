//! An installation with one organization on a database of its own, and the ways past the service into it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use orgdesk::{
    kernel::{App, OrganizationId, Random, Settings, SystemClock, config::Source, seal::KeyRing},
    operate::{self, Person},
    setup,
};
use sqlx::{AssertSqlSafe, PgPool, Row, SqlitePool, postgres::PgPoolOptions, sqlite::SqlitePoolOptions};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    chain::{self, Told},
    cluster::{self, Cluster},
};

/// The keys that data are sealed under.
const KEY_RING: &str = "bench:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=";

/// The installation's secret, and as a setting has it.
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// How many rows go in one statement.
const CHUNK: usize = 1_000;

/// As many connections as the service writes with.
const CONNECTIONS: u32 = 8;

/// The columns that an entry of the benchmark has.
const COLUMNS: &str =
    "id, organization_id, log, sequence, occurred_at, action, outcome, actor_kind, actor_name, address,
    request_id, subjects, changes, previous_hash, hash";

enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// One installation.
pub struct Stand {
    pub name: String,
    pub app: App,
    pub organization: OrganizationId,
    url: String,
    pool: Pool,
    _folder: tempfile::TempDir,
    _cluster: Option<Cluster>,
}

impl Stand {
    /// On SQLite.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("orgdesk.db").display());
        let (app, organization) = found(&url).await;
        let options = url.parse::<sqlx::sqlite::SqliteConnectOptions>().expect("a URL");
        let options = options.busy_timeout(Duration::from_secs(60));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        Self {
            name: "SQLite".to_owned(),
            app,
            organization,
            url,
            pool: Pool::Sqlite(pool.expect("a connection")),
            _folder: folder,
            _cluster: None,
        }
    }

    /// On PostgreSQL, where it is installed.
    pub async fn postgres() -> Option<Self> {
        let cluster = Cluster::throw_away()?;
        let admin = PgPool::connect(&cluster.admin_url).await.expect("a connection");
        let password = cluster::random_word();
        for role in ["orgdesk_owner", "orgdesk_app"] {
            run(&admin, &format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'")).await;
        }
        // The keeper's settings are those of small tests: what is measured waits for the disk, as it does in earnest.
        for (name, value) in [
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
        ] {
            run(&admin, &format!("ALTER SYSTEM SET {name} = '{value}'")).await;
        }
        run(&admin, "SELECT pg_reload_conf()").await;
        run(&admin, "CREATE DATABASE orgdesk OWNER orgdesk_owner").await;
        let (owner, url) = (
            cluster.url("orgdesk_owner", &password, "orgdesk"),
            cluster.url("orgdesk_app", &password, "orgdesk"),
        );
        setup::migrate(&owner, &url).await.expect("the migration");
        let (app, organization) = found(&url).await;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS);
        let pool = pool.connect(&cluster.admin_url_of("orgdesk")).await;
        let pool = pool.expect("a connection");
        let version: String = sqlx::query_scalar("SHOW server_version")
            .fetch_one(&pool)
            .await
            .expect("a version");
        Some(Self {
            name: format!("PostgreSQL {version}"),
            app,
            organization,
            url,
            pool: Pool::Postgres(pool),
            _folder: tempfile::tempdir().expect("a folder"),
            _cluster: Some(cluster),
        })
    }

    /// The variables by which the program finds it all.
    pub fn variables(&self) -> BTreeMap<&'static str, String> {
        [
            ("DATABASE_URL", self.url.as_str()),
            ("ORGDESK_SECRET", SECRET),
            ("ORGDESK_KEY_RING", KEY_RING),
            ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
            ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
            ("ORGDESK_MAIL_FROM", "Orgdesk <no-reply@example.com>"),
            ("ORGDESK_SMTP_URL", "smtp://127.0.0.1:2525?tls=none"),
            ("ORGDESK_AUDIT_ANCHOR", "off"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }

    /// How many entries a log has.
    pub async fn count(&self, log: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM audit_entry WHERE log = '{log}'");
        let count: i64 = match &self.pool {
            Pool::Sqlite(pool) => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await,
            Pool::Postgres(pool) => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await,
        }
        .expect("a count");
        u64::try_from(count).expect("a count")
    }

    /// The same rows as deeds leave, each in a transaction of its own, without a chain: how long they take.
    pub async fn bare(&self, writers: u32, rounds: u32) -> Duration {
        let table = "CREATE TABLE bare_entry AS SELECT * FROM audit_entry WHERE 1 = 0";
        let row = format!(
            "INSERT INTO bare_entry ({COLUMNS}) SELECT {COLUMNS} FROM audit_entry WHERE log = 'MANAGEMENT' AND sequence = 1"
        );
        match &self.pool {
            Pool::Sqlite(pool) => {
                sqlx::raw_sql(table).execute(pool).await.expect("a table");
            }
            Pool::Postgres(pool) => run(pool, table).await,
        }
        let begun = Instant::now();
        let tasks = (0..writers).map(|_| async {
            for _ in 0..rounds {
                match &self.pool {
                    Pool::Sqlite(pool) => {
                        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.expect("a transaction");
                        let inserted = sqlx::query(AssertSqlSafe(row.clone())).execute(&mut *transaction).await;
                        inserted.expect("a row");
                        transaction.commit().await.expect("a commit");
                    }
                    Pool::Postgres(pool) => {
                        let mut transaction = pool.begin().await.expect("a transaction");
                        let inserted = sqlx::query(AssertSqlSafe(row.clone())).execute(&mut *transaction).await;
                        inserted.expect("a row");
                        transaction.commit().await.expect("a commit");
                    }
                }
            }
        });
        join_all(tasks).await;
        begun.elapsed()
    }

    /// Fills the log of extractions with so many entries.
    pub async fn fill(&self, entries: u64) {
        let key = chain::key(&(0..32).collect::<Vec<u8>>());
        self.check(&key).await;
        let mut previous: Vec<u8> = Vec::new();
        let mut rows = Vec::with_capacity(CHUNK);
        for sequence in 1..=i64::try_from(entries).expect("few") {
            let told = Told {
                id: Uuid::from_u128(0x7000_8000_0000_0000_0000 << 48 | u128::from(sequence.unsigned_abs())),
                organization: self.organization,
                log: "EXTRACTION",
                sequence,
                occurred_at: "2026-11-10T01:00:00Z".to_owned(),
                action: "CTI_LOG_DOWNLOAD".to_owned(),
                actor_name: "벤치".to_owned(),
                request_id: format!("request-{sequence}"),
                changes: format!(
                    r#"[{{"record":"download","key":"*","field":"rows","before":null,"after":"{sequence}"}},{{"record":"download","key":"*","field":"sha256","before":null,"after":"\"{sequence:064x}\""}}]"#
                ),
            };
            let hash = chain::link(&key, &previous, &told);
            rows.push((told, std::mem::replace(&mut previous, hash.clone()), hash));
            if rows.len() == CHUNK {
                self.insert(std::mem::take(&mut rows)).await;
            }
        }
        self.insert(rows).await;
    }

    /// The first entry that the service wrote for a deed comes out of this implementation too.
    async fn check(&self, key: &[u8; 32]) {
        let sql = "SELECT id, action, actor_name, request_id, changes, hash, occurred_at FROM audit_entry
            WHERE log = 'MANAGEMENT' AND sequence = 1";
        macro_rules! told {
            ($row:expr, $at:expr) => {{
                let row = $row;
                let told = Told {
                    id: row.get(0),
                    organization: self.organization,
                    log: "MANAGEMENT",
                    sequence: 1,
                    occurred_at: $at(row.get(6)),
                    action: row.get(1),
                    actor_name: row.get(2),
                    request_id: row.get(3),
                    changes: row.get(4),
                };
                (told, row.get::<Vec<u8>, _>(5))
            }};
        }
        let text = |at: chrono::DateTime<chrono::Utc>| serde_json::to_string(&at).expect("a time").replace('"', "");
        let (told, hash) = match &self.pool {
            Pool::Sqlite(pool) => told!(sqlx::query(sql).fetch_one(pool).await.expect("an entry"), text),
            Pool::Postgres(pool) => told!(sqlx::query(sql).fetch_one(pool).await.expect("an entry"), text),
        };
        assert_eq!(chain::link(key, &[], &told), hash, "the two implementations agree");
    }

    async fn insert(&self, rows: Vec<(Told, Vec<u8>, Vec<u8>)>) {
        if rows.is_empty() {
            return;
        }
        let at = "2026-11-10T01:00:00Z"
            .parse::<chrono::DateTime<chrono::Utc>>()
            .expect("a time");
        macro_rules! insert {
            ($pool:expr) => {{
                let mut builder = sqlx::QueryBuilder::new(format!("INSERT INTO audit_entry ({COLUMNS}) "));
                builder.push_values(&rows, |mut row, (told, previous, hash)| {
                    row.push_bind(told.id)
                        .push_bind(told.organization.0)
                        .push_bind(told.log)
                        .push_bind(told.sequence)
                        .push_bind(at)
                        .push_bind(&told.action)
                        .push_bind("DONE")
                        .push_bind("SYSTEM")
                        .push_bind(&told.actor_name)
                        .push_bind("")
                        .push_bind(&told.request_id)
                        .push_bind("[]")
                        .push_bind(&told.changes)
                        .push_bind(previous)
                        .push_bind(hash);
                });
                builder.build().execute($pool).await.expect("rows");
            }};
        }
        match &self.pool {
            Pool::Sqlite(pool) => insert!(pool),
            Pool::Postgres(pool) => insert!(pool),
        }
    }
}

async fn run(pool: &PgPool, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Opens an installation and founds an organization in it.
async fn found(url: &str) -> (App, OrganizationId) {
    let pairs = [("DATABASE_URL", url), ("ORGDESK_AUDIT_ANCHOR", "off")];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let source = Source::read(pairs.into_iter()).expect("settings");
    let ring = KeyRing::parse(KEY_RING, b"").expect("keys");
    let secret = Zeroizing::new((0..32).collect::<Vec<u8>>());
    let settings = Settings::for_demo(&source, secret, ring).expect("settings");
    let random = Random::from_system().expect("randomness");
    let app = setup::open(settings, Arc::new(SystemClock), random).await;
    let app = app.expect("an installation");
    let owner = Person {
        login: "owner".to_owned(),
        name: "소유자".to_owned(),
        email: "owner@example.com".to_owned(),
        password_hash: operate::hash_password(&app, "a password for benchmarks")
            .await
            .expect("a hash"),
        is_administrator: false,
    };
    let organization = operate::create_organization(&app, "Bench", "bench", "Asia/Seoul", owner).await;
    let organization = organization.expect("an organization");
    (app, organization)
}
