//! `pg_dump` and `pg_restore`, as processes. They learn where the database is from their environment: a command line can be
//! read by everybody on the machine, and has no password in it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use percent_encoding::percent_decode_str;
use url::Url;

/// Where Debian has them, in a folder for each version.
const PACKAGED: &str = "/usr/lib/postgresql";

/// The parameters of an address, as sqlx knows them, and the variables of libpq.
const VARIABLES: [(&[&str], &str); 9] = [
    (&["host", "hostaddr"], "PGHOST"),
    (&["port"], "PGPORT"),
    (&["user"], "PGUSER"),
    (&["password"], "PGPASSWORD"),
    (&["dbname"], "PGDATABASE"),
    (&["sslmode", "ssl-mode"], "PGSSLMODE"),
    (&["sslrootcert", "ssl-root-cert", "ssl-ca"], "PGSSLROOTCERT"),
    (&["sslcert", "ssl-cert"], "PGSSLCERT"),
    (&["sslkey", "ssl-key"], "PGSSLKEY"),
];

/// Runs one of them over a file: `pg_dump` writes it, `pg_restore` reads it.
pub(super) async fn run(name: &'static str, url: &str, arguments: Vec<String>, file: &Path) -> anyhow::Result<()> {
    let program = program(name)?;
    let variables = variables(url)?;
    let mut command = Command::new(&program);
    command.args(arguments).arg("--no-password");
    if name == "pg_dump" {
        command.arg("--file").arg(file);
    } else {
        let database = variables.iter().find(|(name, _)| *name == "PGDATABASE");
        let (_, database) = database.context("the database's address does not name a database")?;
        command.arg("--dbname").arg(database).arg(file);
    }
    command
        .envs(variables)
        .env("PGAPPNAME", "orgdesk")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await?;
    let output = output.with_context(|| program.display().to_string())?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{name} failed: {}", own_words(name, &output.stderr));
}

/// What it said itself: beside that it may quote rows, which are for nobody's terminal.
fn own_words(name: &str, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let own = said
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let own: Vec<&str> = own.take(3).collect();
    if own.is_empty() {
        return "it does not say why".to_owned();
    }
    own.join("; ")
}

/// The program of `PATH`, else the newest of Debian's.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut packaged: Vec<(u32, PathBuf)> = std::fs::read_dir(PACKAGED)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            Some((folder.file_name()?.to_str()?.parse().ok()?, folder.join("bin")))
        })
        .collect();
    packaged.sort();
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .chain(packaged.into_iter().rev().map(|(_, folder)| folder))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .with_context(|| format!("{name} is neither in PATH nor in {PACKAGED}/*/bin: install the client of PostgreSQL"))
}

/// An address as variables of libpq.
fn variables(url: &str) -> anyhow::Result<Vec<(&'static str, String)>> {
    let url = Url::parse(url).context("the database's address is none")?;
    let plain = |text: &str| -> anyhow::Result<String> { Ok(percent_decode_str(text).decode_utf8()?.into_owned()) };
    let mut found = vec![
        ("PGHOST", plain(url.host_str().unwrap_or_default())?),
        ("PGPORT", url.port().map(|port| port.to_string()).unwrap_or_default()),
        ("PGUSER", plain(url.username())?),
        ("PGPASSWORD", plain(url.password().unwrap_or_default())?),
        ("PGDATABASE", plain(url.path().trim_start_matches('/'))?),
    ];
    for (key, value) in url.query_pairs() {
        let known = VARIABLES.iter().find(|(names, _)| names.contains(&&*key));
        found.extend(known.map(|(_, name)| (*name, value.clone().into_owned())));
    }
    found.retain(|(_, value)| !value.is_empty());
    ensure!(
        found.iter().all(|(_, value)| !value.contains('\0')),
        "the database's address is none"
    );
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_what_libpq_reads() {
        let url = "postgres://desk:p%40ss%2Fword@db.example.com:6432/org%20desk?sslmode=verify-full&ssl-ca=/ca.pem&statement-cache-capacity=0";
        let found = variables(url).unwrap();

        let told: Vec<String> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            told,
            [
                "PGHOST=db.example.com",
                "PGPORT=6432",
                "PGUSER=desk",
                "PGPASSWORD=p@ss/word",
                "PGDATABASE=org desk",
                "PGSSLMODE=verify-full",
                "PGSSLROOTCERT=/ca.pem"
            ]
        );
        let socket = variables("postgres://desk@%2Frun%2Fpostgresql/orgdesk").unwrap();
        assert_eq!(socket[0], ("PGHOST", "/run/postgresql".to_owned()));
    }

    #[test]
    fn what_quotes_rows_is_not_repeated() {
        let said = b"pg_restore: error: could not execute query: ERROR:  duplicate key\nDETAIL:  Key (name)=(Kim) already exists.\nCOPY member, line 1: \"Kim\"\n";
        assert_eq!(
            own_words("pg_restore", said),
            "error: could not execute query: ERROR:  duplicate key"
        );
    }
}
