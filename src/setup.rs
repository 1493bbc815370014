//! From settings to a running installation: connect, bring the tables up to date or insist that they are, check that
//! the database's role can't see past row-level security.
#![expect(
    clippy::disallowed_methods,
    reason = "the tables themselves are changed and checked here, before any door opens"
)]

use std::{collections::BTreeSet, path::Path, sync::Arc};

use anyhow::{Context, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use migration::{APPEND_ONLY, Migrator, MigratorTrait, PURGED, ROUTING, TENANT};
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::{
    admin, agent, api, audit, billing, cti, extraction, import,
    kernel::{
        App, Clock, Database, Demand, Departure, Keys, Mailer, Random, Settings, Traces,
        extract::Source,
        mail::{
            mailbox::{Folder, Mailbox},
            smtp::Smtp,
        },
        seal::{self, KeyRing, Sealing, Vault},
        security::Hush,
        store::Store,
    },
    member, operate, organization, partner, pii, ticket, worker,
};

/// What happens to what hangs on a member when he leaves: each area that hangs something on members stands here, from
/// the right to the left. A table that still speaks of him afterwards fails a test.
const DEPARTURES: &[Departure] = &[
    extraction::depart,
    ticket::depart,
    pii::depart,
    cti::line::depart,
    agent::depart,
    admin::depart,
    member::depart,
];

/// What makes a member one of those of whom an organization can demand a second factor, if not of everybody.
const DEMANDS: &[Demand] = &[pii::holds];

/// Where sealed values stand, so that their keys can be replaced. A table with such a column that no area tells of fails a
/// test.
const SEALINGS: &[Sealing] = &[
    organization::SEALING,
    member::SEALING,
    ticket::SEALING,
    import::SEALING,
    extraction::SEALING,
    partner::webhook::SEALING,
];

/// The lists that can leave as files: each says once which columns it has and how its rows are read.
const SOURCES: &[Source] = &[
    member::SOURCE,
    billing::SOURCE,
    agent::graphql::SOURCE,
    cti::log::SOURCE,
    pii::SOURCE,
    ticket::graphql::SOURCE,
    extraction::SOURCE,
    audit::ENTRIES,
    audit::PERMISSION_CHANGES,
];

/// How many pictures are decoded at a time: each takes up to 64 MiB meanwhile.
const DECODING: usize = 2;

/// Opens an installation. On SQLite its tables are brought up to date; on PostgreSQL that takes `orgdesk migrate`,
/// since the service's own role may not change tables.
///
/// # Errors
/// If the database does not answer, its tables are not those of this version, or its role can see too much.
pub async fn open(settings: Settings, clock: Arc<dyn Clock>, random: Random) -> anyhow::Result<App> {
    let database = match &settings.pooler_url {
        Some(pooler) => Database::connect_through(&settings.database_url, pooler).await?,
        None => Database::connect(&settings.database_url)
            .await
            .context("the database does not answer")?,
    };
    let database = match &settings.replica_url {
        Some(url) => database.beside(url).context("ORGDESK_REPLICA_URL")?,
        None => database,
    };
    let app = App {
        keys: Keys::derive(&settings.secret),
        vault: Arc::new(Vault::new(Box::new(settings.key_ring.clone()))),
        mailer: mailer(&settings, &clock, &random)?,
        store: Store::open(&settings.storage, &settings.data)
            .map_err(|error| anyhow::anyhow!("the store of files: {error:?}"))?,
        program: std::env::current_exe()
            .context("where this program is can't be told")?
            .into(),
        decoding: Arc::new(Semaphore::new(DECODING)),
        settings: Arc::new(settings),
        shelf: Arc::default(),
        watches: Arc::default(),
        verification: Arc::default(),
        departures: DEPARTURES,
        bad_tokens: Arc::new(Hush::new(100)),
        refusals: Arc::new(Hush::new(10_000)),
        standing: api::standing::again,
        announce: partner::webhook::announce,
        demands: DEMANDS,
        sealings: SEALINGS,
        sources: SOURCES,
        hashes: Arc::default(),
        traces: Traces::default(),
        database,
        clock,
        random,
    };
    if app.database.backend() == DbBackend::Sqlite {
        Migrator::up(app.database.raw(), None).await?;
        worker::prepare(&app.database).await?;
    } else {
        check_role(&app.database).await?;
        let line = app.database.line().await.map_err(operate::told)?;
        let flushed = app.database.flushed(line).await.map_err(operate::told);
        flushed.context("deeds can't wait for the disk: the role needs EXECUTE on pg_logical_emit_message")?;
    }
    check_version(&app.database).await?;
    seal::check_ring(&app).await.map_err(operate::told)?;
    billing::ensure_prices(&app)
        .await
        .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(app)
}

/// The way that letters go: to the mail server, or into the data folder where none is set.
fn mailer(settings: &Settings, clock: &Arc<dyn Clock>, random: &Random) -> anyhow::Result<Arc<dyn Mailer>> {
    let from = settings.mail.from.clone();
    Ok(match settings.mail.server.clone() {
        Some(server) => Arc::new(Smtp::new(server, from, clock.clone()).context("the mail server")?),
        None => {
            let folder = Folder::of(&settings.data);
            Arc::new(Mailbox::new(folder, from, clock.clone(), random.clone()))
        }
    })
}

/// The tables must be those of this version: neither older nor newer.
async fn check_version(database: &Database) -> anyhow::Result<()> {
    let connection = database.raw();
    let sql = "SELECT version FROM seaql_migrations";
    let rows = connection
        .query_all_raw(Statement::from_string(connection.get_database_backend(), sql))
        .await;
    let rows = rows.context("the database has no tables yet: run `orgdesk migrate` first")?;
    let applied = rows
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<BTreeSet<String>, _>>()?;
    let known: BTreeSet<String> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    ensure!(
        known.is_subset(&applied),
        "the database is older than this version: run `orgdesk migrate` first"
    );
    ensure!(
        applied.is_subset(&known),
        "the database is newer than this version of Orgdesk"
    );
    Ok(())
}

/// Brings a PostgreSQL database up to date as its owner, and lets the service's role work in it.
///
/// # Errors
/// If the database refuses.
pub async fn migrate(owner_url: &str, service_url: &str) -> anyhow::Result<()> {
    let database = Database::connect(owner_url)
        .await
        .context("the database does not answer")?;
    if database.backend() == DbBackend::Postgres {
        let transaction = take_turn(&database).await?;
        // A change of large tables takes as long as it takes.
        transaction
            .execute_unprepared("SET LOCAL statement_timeout = 0")
            .await?;
        Migrator::up(&transaction, None).await?;
        transaction.commit().await?;
        worker::prepare(&database).await?;
        grant(&database, &role_of(service_url)?).await?;
    } else {
        Migrator::up(database.raw(), None).await?;
        worker::prepare(&database).await?;
    }
    database.close().await;
    Ok(())
}

/// A transaction that changes tables or rights: several servers that start together do so one after the other.
#[expect(
    clippy::disallowed_types,
    reason = "this transaction is no deed: it changes the tables themselves"
)]
async fn take_turn(database: &Database) -> anyhow::Result<sea_orm::DatabaseTransaction> {
    let transaction = database.raw().begin().await?;
    transaction
        .execute_unprepared("SELECT pg_advisory_xact_lock(727274)")
        .await?;
    Ok(transaction)
}

/// What the service's role may: its tables, row by row, and of what is append-only no change; of what is kept for a time, its end.
async fn grant(database: &Database, role: &str) -> anyhow::Result<()> {
    let role = format!("\"{}\"", role.replace('"', "\"\""));
    let mut sql = format!(
        "GRANT USAGE ON SCHEMA public, apalis TO {role};
         GRANT SELECT ON seaql_migrations TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA apalis TO {role};
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA apalis TO {role};
         REVOKE ALL ON FUNCTION count_anew(text) FROM PUBLIC;
         GRANT EXECUTE ON FUNCTION count_anew(text) TO {role};
         GRANT SELECT, INSERT, UPDATE ON organization TO {role};"
    );
    for table in TENANT.iter().chain(ROUTING) {
        let rights = if PURGED.contains(table) {
            "SELECT, INSERT, DELETE"
        } else if APPEND_ONLY.contains(table) {
            "SELECT, INSERT"
        } else {
            "SELECT, INSERT, UPDATE, DELETE"
        };
        sql += &format!("GRANT {rights} ON {table} TO {role};");
    }
    let transaction = take_turn(database).await?;
    transaction.execute_unprepared(&sql).await?;
    transaction.commit().await?;
    Ok(())
}

fn role_of(url: &str) -> anyhow::Result<String> {
    let options: sqlx::postgres::PgConnectOptions = url.parse().context("DATABASE_URL")?;
    Ok(options.get_username().to_owned())
}

/// Row-level security stands behind the types only if the role is under it.
async fn check_role(database: &Database) -> anyhow::Result<()> {
    let sql = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
    let row = database
        .raw()
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    let too_much: bool = row.context("the role is unknown")?.try_get_by_index(0)?;
    ensure!(
        !too_much,
        "the service must not run as a superuser or a role that bypasses row-level security"
    );
    let tables = TENANT
        .iter()
        .map(|table| format!("'{table}'"))
        .collect::<Vec<_>>()
        .join(",");
    let sql = format!(
        "SELECT count(*) FILTER (WHERE NOT relrowsecurity OR NOT relforcerowsecurity),
                count(*) FILTER (WHERE pg_has_role(current_user, relowner, 'MEMBER')), count(*)
         FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname IN ({tables}, 'organization')"
    );
    let row = database
        .raw()
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    let row = row.context("the tables are unknown")?;
    let (open, own, all): (i64, i64, i64) = (
        row.try_get_by_index(0)?,
        row.try_get_by_index(1)?,
        row.try_get_by_index(2)?,
    );
    ensure!(all > 0, "the database has no tables yet: run `orgdesk migrate` first");
    ensure!(
        open == 0,
        "{open} tables are not behind row-level security: run `orgdesk migrate`"
    );
    ensure!(
        own == 0,
        "the service must not run as the owner of its tables, nor as a member of that role: DATABASE_URL is the service's role"
    );
    Ok(())
}

/// The secret of a data folder, made at the first start; only its owner can read it.
///
/// # Errors
/// If the folder can't be written, or others can read the secret.
pub fn own_secret(data: &Path, random: &Random) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let text = own_file(data, "secret.key", || STANDARD.encode(random.bytes::<32>()))?;
    let secret = STANDARD
        .decode(text.trim())
        .map(Zeroizing::new)
        .context("secret.key is damaged")?;
    ensure!(secret.len() >= 32, "secret.key is damaged");
    Ok(secret)
}

/// The key ring of a data folder, made at the first start; only its owner can read it.
///
/// # Errors
/// If the folder can't be written, or others can read the keys.
pub fn own_key_ring(data: &Path, random: &Random, secret: &[u8]) -> anyhow::Result<KeyRing> {
    let text = own_file(data, "ring.key", || {
        format!("demo:{}", STANDARD.encode(random.bytes::<32>()))
    })?;
    KeyRing::parse(&text, secret).map_err(|fault| anyhow::anyhow!("ring.key: {fault}"))
}

/// The text of a file in the data folder that only its owner can read, made where it is absent.
fn own_file(data: &Path, name: &str, make: impl FnOnce() -> String) -> anyhow::Result<Zeroizing<String>> {
    use std::{
        io::Write,
        os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    };
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true).mode(0o700);
    folder
        .create(data)
        .with_context(|| format!("{} can't be made", data.display()))?;
    let path = data.join(name);
    if !path.exists() {
        let text = Zeroizing::new(make());
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    let mode = std::fs::metadata(&path)?.permissions().mode();
    ensure!(mode & 0o077 == 0, "{} can be read by others: chmod 600", path.display());
    Ok(Zeroizing::new(std::fs::read_to_string(&path)?))
}
