//! The data set on a throw-away cluster: roles as in production, tables from the service's own migration, rows from
//! `data.sql`, and a signed-in owner for every organization.

use std::{fs, os::unix::fs::MetadataExt, os::unix::process::CommandExt, path::PathBuf, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use orgdesk::{
    kernel::{App, ContractId, OrganizationId, Random, Settings, SystemClock, config::Source},
    operate, setup,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use uuid::Uuid;

use crate::cluster::{self, Cluster};

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub organizations: i64,
    pub entries: i64,
}

/// A filled database.
pub struct DataSet {
    pub app_url: String,
    pub admin_url: String,
    /// The process that all of the database's processes are children of.
    pub postmaster: u32,
    /// The server's log.
    pub log: PathBuf,
    pub version: String,
    pub organizations: Vec<Organization>,
    /// Goes last: with it goes the cluster.
    _cluster: Cluster,
}

/// An organization with what it takes to ask for it.
pub struct Organization {
    pub id: OrganizationId,
    /// The owner's access token, good for ten minutes.
    pub token: String,
    pub contracts: Vec<ContractId>,
}

/// The keys that data are sealed under.
const KEY_RING: &str = "bench:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=";

/// What belongs to a database of some size on a server of its own; the keeper's settings are those of small tests.
const SERVER: &[(&str, &str)] = &[
    ("shared_buffers", "512MB"),
    ("max_wal_size", "8GB"),
    // As it is unless somebody turns it off: tables that grow are planned for as they are.
    ("autovacuum", "on"),
    ("checkpoint_timeout", "1h"),
    ("log_line_prefix", "%p %a|"),
];

impl DataSet {
    /// Makes a cluster, fills it, and signs everybody in. `None` where PostgreSQL is not installed.
    pub async fn make(scale: Scale) -> Option<Self> {
        let cluster = Cluster::throw_away()?;
        let mut admin = connect(&cluster.admin_url).await;
        for (name, value) in SERVER {
            run(&mut admin, &format!("ALTER SYSTEM SET {name} = '{value}'")).await;
        }
        let folder: String = value(&mut admin, "SHOW data_directory").await;
        let folder = PathBuf::from(folder);
        drop(admin);
        restart(&folder);

        let mut admin = connect(&cluster.admin_url).await;
        let password = cluster::random_word();
        for role in ["orgdesk_owner", "orgdesk_app"] {
            run(&mut admin, &format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'")).await;
        }
        run(&mut admin, "CREATE DATABASE orgdesk OWNER orgdesk_owner").await;
        let owner_url = cluster.url("orgdesk_owner", &password, "orgdesk");
        let app_url = cluster.url("orgdesk_app", &password, "orgdesk");
        let admin_url = cluster.admin_url_of("orgdesk");

        let mut admin = connect(&admin_url).await;
        run(&mut admin, "CREATE EXTENSION IF NOT EXISTS hstore").await;
        setup::migrate(&owner_url, &app_url).await.expect("the migration");
        let app = open(&app_url).await;
        let sql = include_str!("data.sql")
            .replace(":organizations", &scale.organizations.to_string())
            .replace(":entries", &scale.entries.to_string());
        run(&mut admin, &sql).await;
        // Of an empty table that was vacuumed PostgreSQL believes that it stays empty.
        let filled = "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
                      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0";
        let filled: String = value(&mut admin, filled).await;
        run(&mut admin, &format!("VACUUM (ANALYZE) {filled}")).await;
        run(&mut admin, "CHECKPOINT").await;
        let organizations = sign_in(&app, &mut admin).await;
        app.database.close().await;
        let first_line = fs::read_to_string(folder.join("postmaster.pid")).expect("a running server");
        Some(Self {
            app_url,
            admin_url,
            postmaster: first_line
                .lines()
                .next()
                .and_then(|line| line.parse().ok())
                .expect("a process ID"),
            log: folder.join("log"),
            version: value(&mut admin, "SHOW server_version").await,
            organizations,
            _cluster: cluster,
        })
    }

    /// Signs everybody in anew, before the tokens are too old.
    pub async fn sign_in_anew(&mut self) {
        let app = open(&self.app_url).await;
        self.organizations = sign_in(&app, &mut connect(&self.admin_url).await).await;
        app.database.close().await;
    }

    /// Gives every contract its edit of the day back. The versions stay.
    pub async fn free_the_day(&self) {
        let mut admin = connect(&self.admin_url).await;
        let free = "SET session_replication_role = replica;
            UPDATE contract SET edited_on = NULL, edit_spent_until = NULL WHERE edited_on IS NOT NULL;
            UPDATE contract_revision SET edited_on = NULL WHERE edited_on IS NOT NULL;";
        run(&mut admin, free).await;
        run(&mut admin, "VACUUM contract, contract_revision").await;
    }

    /// The version of the first organization's first contract; with [`Self::free_the_day`], all have the same but after
    /// single edits.
    pub async fn version_of_first(&self) -> i32 {
        let mut admin = connect(&self.admin_url).await;
        let sql = "SELECT version FROM contract WHERE id = $1";
        let id = self.organizations[0].contracts[0].0;
        sqlx::query(sql)
            .bind(id)
            .fetch_one(&mut admin)
            .await
            .expect("a contract")
            .get(0)
    }

    /// Runs a statement as the superuser.
    pub async fn run(&self, sql: &str) {
        run(&mut connect(&self.admin_url).await, sql).await;
    }
}

/// The variables by which the service finds its database, secret and addresses.
pub fn variables(app_url: &str) -> [(String, String); 8] {
    let secret = STANDARD.encode((0..32).collect::<Vec<u8>>());
    [
        ("DATABASE_URL", app_url),
        ("ORGDESK_SECRET", &secret),
        ("ORGDESK_KEY_RING", KEY_RING),
        ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
        ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
        ("ORGDESK_MAIL_FROM", "no-reply@example.com"),
        ("ORGDESK_SMTP_URL", "smtp://127.0.0.1:1025?tls=none"),
        // What is measured asks more than anybody may.
        ("ORGDESK_COST_BUCKET", "1000000000"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

fn settings(app_url: &str) -> Settings {
    let source = Source::read(variables(app_url).into_iter()).expect("known names");
    Settings::for_service(&source).expect("whole settings")
}

async fn open(app_url: &str) -> App {
    let random = Random::from_system().expect("randomness");
    setup::open(settings(app_url), Arc::new(SystemClock), random)
        .await
        .expect("an installation")
}

async fn sign_in(app: &App, admin: &mut PgConnection) -> Vec<Organization> {
    let sql = "SELECT o.id, o.domain, array_agg(c.id ORDER BY c.id)
        FROM organization o JOIN contract c ON c.organization_id = o.id GROUP BY o.id ORDER BY o.id";
    let rows = sqlx::query(sql).fetch_all(admin).await.expect("organizations");
    let mut organizations = Vec::new();
    for row in rows {
        let domain: String = row.get(1);
        organizations.push(Organization {
            id: OrganizationId(row.get(0)),
            token: operate::access_token(app, &domain, "owner").await.expect("a token"),
            contracts: row.get::<Vec<Uuid>, _>(2).into_iter().map(ContractId).collect(),
        });
    }
    organizations
}

/// Starts the server of a data folder again, as the user that owns it.
fn restart(folder: &std::path::Path) {
    let owner = fs::metadata(folder).expect("the data folder");
    let programs = cluster::programs().expect("the server's programs");
    let done = std::process::Command::new(programs.join("pg_ctl"))
        .args(["restart", "-w", "-m", "fast", "-D"])
        .arg(folder)
        .arg("-l")
        .arg(folder.join("log"))
        .current_dir(folder)
        .uid(owner.uid())
        .gid(owner.gid())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .status();
    assert!(done.expect("pg_ctl").success(), "the server does not start again");
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the throw-away cluster")
}

async fn run(connection: &mut PgConnection, sql: &str) {
    // The texts are this benchmark's own.
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn value(connection: &mut PgConnection, sql: &'static str) -> String {
    sqlx::query(sql).fetch_one(connection).await.expect("a value").get(0)
}
