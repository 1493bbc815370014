//! The command line: what an operator runs. Results go to standard output, everything else to standard error.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "commands speak to whoever runs them"
)]

mod audit;
mod backup;
mod contract;
mod demo;
mod identity_provider;
mod import;
mod organization;
mod progress;
mod token;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use clap::Subcommand;

use crate::{
    api::schema,
    kernel::{
        App, Random, Settings, SystemClock,
        config::{self, LogFormat, Source},
    },
    operate, serve, setup,
};

/// What can be run.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API. Everything is chosen by environment variables; see the README.
    Serve,
    /// Serve a demo organization with two years of history on a database of its own, made in ./data at the first start.
    Demo,
    /// Bring the database up to date. On PostgreSQL as the owner of the tables: ORGDESK_MIGRATION_URL.
    Migrate,
    /// Write a backup of the database and the stored files into a new folder, beside a running service. It names the keys
    /// that it can't be read without, and does not have them. On PostgreSQL as a role that sees all rows:
    /// ORGDESK_BACKUP_URL.
    Backup(backup::Backup),
    /// Make an installation out of a backup, where there is none yet, and verify its audit log. On PostgreSQL as the owner of
    /// the tables: ORGDESK_MIGRATION_URL.
    Restore(backup::Restore),
    /// Print the GraphQL schema.
    Schema,
    /// Print an access token for a member, and nothing else.
    Token(token::Arguments),
    /// Ask a server on this machine whether it is ready; for health checks of containers.
    Health,
    /// The audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Organizations.
    #[command(subcommand)]
    Organization(organization::Command),
    /// Identity providers that sign an organization's people in.
    #[command(subcommand)]
    IdentityProvider(identity_provider::Command),
    /// Imports of tickets.
    #[command(subcommand)]
    Import(import::Command),
    /// Price lists.
    #[command(subcommand)]
    Price(PriceCommand),
    /// Contracts.
    #[command(subcommand)]
    Contract(contract::Command),
    /// Jobs.
    #[command(subcommand)]
    Job(JobCommand),
    /// The keys that data are sealed under.
    #[command(subcommand)]
    Key(KeyCommand),
}

/// What can be done with the keys that data are sealed under.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Wrap the data keys of every organization under the first key of the ring, and print the names of the keys that may
    /// leave it now, one a line. Each server must have the new ring before.
    Rewrap,
    /// Replace the data keys of every organization and put every sealed value under the new ones, beside a running service.
    /// Interrupted, it goes on when it is called again. Fails where a value does not open: then its key stays.
    Rotate,
}

/// What can be done with jobs.
#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// Print the jobs that were given up, the last ones first, at most 1,000, one a line and with tabs between: ID,
    /// organization, kind, what it works on, attempts, when it was given up, and why.
    List,
    /// Have the jobs that were given up done again, and print them.
    Retry,
}

/// What can be done with price lists.
#[derive(Debug, Subcommand)]
pub enum PriceCommand {
    /// Load a price list from a TOML file; it holds from the day that it says, today at the earliest.
    Load {
        /// The file.
        file: PathBuf,
    },
}

/// Runs a command that needs no runtime, and may not have one: what binds its own process counts what is there already.
/// `None` for any other.
pub fn run_bare(command: &Command) -> Option<anyhow::Result<()>> {
    match command {
        Command::Import(command) => import::run_bare(command),
        _ => None,
    }
}

/// Runs a command.
///
/// # Errors
/// Whatever keeps it from being done, in words for whoever runs it.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Schema => print!("{}", schema::sdl(&schema::build())),
        Command::Demo => demo::run(&source()?).await?,
        Command::Serve => {
            let settings = settings(&source()?)?;
            start_log(settings.log_format);
            serve::serve(open(settings).await?, None).await?;
        }
        Command::Migrate => {
            let source = source()?;
            let service = config::database_url(&source).map_err(anyhow::Error::msg)?;
            setup::migrate(source.get("MIGRATION_URL").unwrap_or(&service), &service).await?;
            eprintln!("The database is up to date.");
        }
        Command::Backup(arguments) => backup::back_up(&source()?, arguments).await?,
        Command::Restore(arguments) => backup::restore(&source()?, arguments).await?,
        Command::Health => health(&source()?).await?,
        Command::Token(arguments) => token::run(&installation().await?, arguments).await?,
        Command::Audit(command) => audit::run(&installation().await?, command).await?,
        Command::Organization(command) => organization::run(&installation().await?, command).await?,
        Command::IdentityProvider(command) => identity_provider::run(&installation().await?, command).await?,
        Command::Import(command) => import::run(command).await?,
        Command::Contract(command) => contract::run(&installation().await?, command).await?,
        Command::Job(command) => {
            let app = installation().await?;
            let jobs = match command {
                JobCommand::List => operate::dead_jobs(&app).await?,
                JobCommand::Retry => operate::revive_jobs(&app).await?,
            };
            jobs.iter().for_each(|job| println!("{job}"));
        }
        Command::Key(KeyCommand::Rewrap) => {
            let (count, unused) = operate::rewrap_keys(&installation().await?).await?;
            eprintln!("{count} data keys were wrapped anew.");
            unused.iter().for_each(|name| println!("{name}"));
        }
        Command::Key(KeyCommand::Rotate) => {
            let rotated = operate::rotate_keys(&installation().await?).await?;
            let (resealed, retired) = (rotated.resealed, rotated.retired);
            eprintln!("{resealed} values were sealed anew, {retired} old data keys are gone.");
            anyhow::ensure!(
                rotated.broken == 0,
                "{} values do not open, and their keys stay",
                rotated.broken
            );
        }
        Command::Price(PriceCommand::Load { file }) => {
            let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let id = operate::load_prices(&installation().await?, &text).await?;
            println!("{id}");
        }
    }
    Ok(())
}

fn source() -> anyhow::Result<Source> {
    Source::read(std::env::vars()).map_err(list)
}

/// The settings of the service; or of the demo, where there is nothing but a demo's data folder.
fn settings(source: &Source) -> anyhow::Result<Settings> {
    Settings::for_service(source).map_err(list)
}

/// The installation that a command works on: the demo's, if its data folder has one and nothing else is set.
async fn installation() -> anyhow::Result<App> {
    open(settings_of_installation(&source()?)?).await
}

fn settings_of_installation(source: &Source) -> anyhow::Result<Settings> {
    let is_demo = source.get("SECRET").is_none()
        && source.get("SECRET_FILE").is_none()
        && config::data_folder(source).join("secret.key").exists();
    if is_demo {
        demo::settings(source)
    } else {
        settings(source)
    }
}

async fn open(settings: Settings) -> anyhow::Result<App> {
    setup::open(settings, Arc::new(SystemClock), Random::from_system()?).await
}

fn list(faults: Vec<String>) -> anyhow::Error {
    let lines: String = faults.iter().map(|fault| format!("\n  - {fault}")).collect();
    anyhow::anyhow!("the configuration is not usable:{lines}")
}

fn start_log(format: LogFormat) {
    use tracing_subscriber::{EnvFilter, fmt};
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    if let Err(error) = started {
        eprintln!("The log was started before: {error}");
    }
}

async fn health(source: &Source) -> anyhow::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address: std::net::SocketAddr = source
        .get("LISTEN")
        .unwrap_or("127.0.0.1:8080")
        .parse()
        .context("ORGDESK_LISTEN")?;
    let loopback: std::net::IpAddr = if address.is_ipv4() {
        [127, 0, 0, 1].into()
    } else {
        std::net::Ipv6Addr::LOCALHOST.into()
    };
    let ip = if address.ip().is_unspecified() {
        loopback
    } else {
        address.ip()
    };
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect((ip, address.port())).await?;
        stream
            .write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        stream.take(4_096).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(3), ask)
        .await
        .with_context(|| format!("no answer from {address}"))?
        .with_context(|| format!("{address} does not answer; ORGDESK_LISTEN names another"))?;
    if !answer.starts_with(b"HTTP/1.1 200") {
        bail!("not ready");
    }
    Ok(())
}
