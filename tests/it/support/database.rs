//! A PostgreSQL database per test: copied from a template that was migrated once, dropped when the test is over.
//! Roles are as in production: `orgdesk_owner` migrates, `orgdesk_app` lives under row-level security.

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc;
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row};
use tokio::sync::{Mutex, OnceCell};

use super::canary;
use super::cluster::{Cluster, random_word};

/// The role that owns tables and migrates; no superuser.
pub const OWNER: &str = "orgdesk_owner";
/// The role of the running service; neither superuser nor exempt from row-level security.
pub const APP: &str = "orgdesk_app";

/// A database of one test. It is dropped, open connections and all, when this value is.
#[derive(Debug)]
pub struct Database {
    /// For `orgdesk migrate`.
    pub owner_url: String,
    /// For `DATABASE_URL`.
    pub app_url: String,
    /// For looking behind the doors: no row-level security applies.
    pub admin_url: String,
    /// Unique on the server.
    pub name: String,
    dropper: Dropper,
}

/// A migrated database. `migrate` gets the owner's and the app's URL, once a process, for the template that every
/// later call copies; the first closure wins, so that all callers pass the same.
///
/// `None` where there is no server: that was said, and is a failure only where everything is required.
///
/// # Panics
/// When the server, the migration or the copy fails.
pub async fn fresh_database<Step, Migration>(migrate: Step) -> Option<Database>
where
    Step: FnOnce(String, String) -> Migration,
    Migration: Future<Output = ()>,
{
    static TEMPLATE: OnceCell<Database> = OnceCell::const_new();

    let server = server().await?;
    let template = TEMPLATE
        .get_or_init(|| async {
            let template = server.create_empty().await;
            migrate(template.owner_url.clone(), template.app_url.clone()).await;
            server.close(&template.name).await;
            template
        })
        .await;
    Some(server.copy(&template.name).await)
}

/// Puts the clock forward by which the database judges whether the time of a log is over, to after all tests' stopped clocks: only
/// the owner can.
pub async fn put_clock_forward(owner_url: &str) {
    let mut owner = connect(owner_url).await;
    let forward = "CREATE OR REPLACE FUNCTION wall_clock() RETURNS timestamptz LANGUAGE sql STABLE AS
        $$ SELECT now() + interval '100 years' $$";
    run(&mut owner, forward).await;
}

/// A database as a new installation finds it, with the extension `hstore`: for the migration's own tests.
///
/// # Panics
/// As [`fresh_database`].
pub async fn empty_database() -> Option<Database> {
    Some(server().await?.create_empty().await)
}

/// The one database, `orgdesk`, of a cluster of one's own: the URLs of its owner and of the service. What is committed there
/// is in the log before anybody is told, so that it outlives a crash of the server.
///
/// # Panics
/// When the server does not do as it is told.
pub async fn furnished(cluster: &Cluster) -> (String, String) {
    let password = random_word();
    let mut admin = connect(&cluster.admin_url).await;
    for role in [OWNER, APP] {
        run(&mut admin, &format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'")).await;
    }
    run(&mut admin, &format!("CREATE DATABASE orgdesk OWNER {OWNER}")).await;
    run(&mut admin, "ALTER DATABASE orgdesk SET synchronous_commit = on").await;
    let owner_url = cluster.url(OWNER, &password, "orgdesk");
    let mut owner = connect(&owner_url).await;
    run(&mut owner, "CREATE EXTENSION IF NOT EXISTS hstore").await;
    (owner_url, cluster.url(APP, &password, "orgdesk"))
}

/// The cluster, with its roles made.
struct Server {
    cluster: &'static Cluster,
    password: String,
    /// The start of all names of this process, with the time in it: a later process sees how old they are.
    prefix: String,
    dropper: Dropper,
}

async fn server() -> Option<&'static Server> {
    static SERVER: OnceCell<Option<Server>> = OnceCell::const_new();

    let prepare = async || Some(Server::prepare(Cluster::of_this_process()?).await);
    SERVER.get_or_init(prepare).await.as_ref()
}

impl Server {
    async fn prepare(cluster: &'static Cluster) -> Self {
        // A shared server's roles are shared too: every process must come to the same password.
        let password = if cluster.shared {
            stable_word(&cluster.admin_url)
        } else {
            random_word()
        };
        let mut admin = connect(&cluster.admin_url).await;
        // Two processes that alter a role at once would fail with "tuple concurrently updated".
        run(&mut admin, "SELECT pg_advisory_lock(7233185)").await;
        for role in [OWNER, APP] {
            let role_is = format!("FROM pg_roles WHERE rolname = '{role}'");
            let exists: bool = value(&mut admin, &format!("SELECT EXISTS (SELECT {role_is})")).await;
            let verb = if exists { "ALTER" } else { "CREATE" };
            run(&mut admin, &format!("{verb} ROLE {role} LOGIN PASSWORD '{password}'")).await;
            let mighty: bool = value(&mut admin, &format!("SELECT rolsuper OR rolbypassrls {role_is}")).await;
            assert!(!mighty, "on this server, {role} stands above row-level security");
        }
        // Without being superuser, only a member may give a role a database, or end its sessions.
        if !value::<bool>(&mut admin, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user").await {
            run(&mut admin, &format!("GRANT {OWNER}, {APP} TO CURRENT_USER")).await;
        }
        if cluster.shared {
            drop_leftovers(&mut admin).await;
        }
        let time: String = value(
            &mut admin,
            "SELECT lpad(to_hex(extract(epoch FROM now())::bigint), 10, '0')",
        )
        .await;
        let prefix = format!("orgdesk_test_{time}_{}", &random_word()[..8]);
        Self {
            cluster,
            password,
            prefix,
            dropper: Dropper::start(cluster),
        }
    }

    async fn create_empty(&self) -> Database {
        let database = self.copy("template1").await;
        // The queue's tables need it. It is a trusted extension: the database's owner may create it.
        let mut owner = connect(&database.owner_url).await;
        run(&mut owner, "CREATE EXTENSION IF NOT EXISTS hstore").await;
        database
    }

    async fn copy(&self, template: &str) -> Database {
        static COPIES: Mutex<u32> = Mutex::const_new(0);

        let mut copies = COPIES.lock().await;
        *copies += 1;
        let name = format!("{}_{copies}", self.prefix);
        let mut admin = connect(&self.cluster.admin_url).await;
        run(
            &mut admin,
            &format!("CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}"),
        )
        .await;
        Database {
            owner_url: self.cluster.url(OWNER, &self.password, &name),
            app_url: self.cluster.url(APP, &self.password, &name),
            admin_url: self.cluster.admin_url_of(&name),
            name,
            dropper: self.dropper.clone(),
        }
    }

    /// Makes a template of `name`: a database can be copied only while nobody is connected to it.
    async fn close(&self, name: &str) {
        let mut admin = connect(&self.cluster.admin_url).await;
        run(
            &mut admin,
            &format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"),
        )
        .await;
        let sessions = format!("FROM pg_stat_activity WHERE datname = '{name}'");
        run(&mut admin, &format!("SELECT pg_terminate_backend(pid) {sessions}")).await;
        while value::<bool>(&mut admin, &format!("SELECT EXISTS (SELECT {sessions})")).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Drops databases on a thread of its own: `Drop` cannot wait for a server, and a test's runtime may be gone by then.
#[derive(Clone, Debug)]
struct Dropper {
    names: mpsc::Sender<(String, mpsc::Sender<()>)>,
    /// On a shared server the test waits until its database is gone: the process may end right after.
    waits: bool,
}

impl Dropper {
    fn start(cluster: &'static Cluster) -> Self {
        let (names, requests) = mpsc::channel::<(String, mpsc::Sender<()>)>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a small runtime");
            for (name, done) in requests {
                runtime.block_on(async {
                    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    if let Ok(mut admin) = PgConnection::connect(&cluster.admin_url).await {
                        if canary::asked().is_some() && !cluster.shared {
                            search(&mut admin, &name).await;
                        }
                        let _ = try_run(&mut admin, &drop).await;
                    }
                });
                let _ = done.send(());
            }
        });
        Self {
            names,
            waits: cluster.shared || canary::asked().is_some(),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (done, answer) = mpsc::channel();
        if self.dropper.names.send((self.name.clone(), done)).is_ok() && self.dropper.waits {
            let _ = answer.recv_timeout(Duration::from_secs(60));
        }
    }
}

/// Looks for personal data in the files of a database, and in those of the server that have what it wrote last: its log and
/// the newest part of the write-ahead log. No old row leaves a file before that, since nothing is vacuumed.
async fn search(admin: &mut PgConnection, name: &str) {
    run(admin, "CHECKPOINT").await;
    let folder: String = value(admin, "SELECT current_setting('data_directory')").await;
    let number = format!("SELECT oid::text FROM pg_database WHERE datname = '{name}'");
    let number: String = value(admin, &number).await;
    let newest: String = value(admin, "SELECT pg_walfile_name(pg_current_wal_lsn())").await;
    let places = [format!("base/{number}"), format!("pg_wal/{newest}"), "log".to_owned()];
    let places = places.map(|place| std::path::Path::new(&folder).join(place));
    canary::search("the files of a database", &places);
}

/// Drops what killed processes left on a shared server more than twelve hours ago.
async fn drop_leftovers(admin: &mut PgConnection) {
    let old = "SELECT coalesce(string_agg(datname, ' '), '') FROM pg_database
        WHERE datname ~ '^orgdesk_test_[0-9a-f]{10}_'
        AND ('x' || substr(datname, 14, 10))::bit(40)::bigint < extract(epoch FROM now()) - 43200";
    let names: String = value(admin, old).await;
    for name in names.split_whitespace() {
        let _ = try_run(admin, &format!("DROP DATABASE IF EXISTS {name}")).await;
    }
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url)
        .await
        .unwrap_or_else(|error| panic!("PostgreSQL for the tests: {error}"))
}

async fn run(connection: &mut PgConnection, statement: &str) {
    try_run(connection, statement)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn try_run(connection: &mut PgConnection, statement: &str) -> sqlx::Result<()> {
    // The names in a statement are made in this file.
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map(drop)
}

async fn value<T>(connection: &mut PgConnection, query: &str) -> T
where
    T: for<'row> sqlx::Decode<'row, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let row: PgRow = sqlx::query(AssertSqlSafe(query))
        .fetch_one(connection)
        .await
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    row.get(0)
}

/// The same word for the same URL, which nobody guesses who does not know it.
fn stable_word(url: &str) -> String {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, url).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(0), half(1))
}
