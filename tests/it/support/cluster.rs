//! A PostgreSQL server for the tests: the one that `TEST_DATABASE_URL` names, or a throw-away cluster of this process
//! made from the local server programs (`cluster.sh` says how it starts and how it goes away).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use super::skip::skipped;

/// A running server and its superuser.
#[derive(Debug)]
pub struct Cluster {
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, of a role that can create databases and roles.
    pub admin_url: String,
    /// Whether other processes may use the same server: then what a test made must be gone when it ends.
    pub shared: bool,
    keeper: Option<Keeper>,
}

/// The shell that owns a throw-away cluster; it stops the cluster once `pipe` is closed.
#[derive(Debug)]
struct Keeper {
    pipe: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    shell: Child,
}

impl Cluster {
    /// The server that all tests of this process share. `None`, said once, where there is neither a URL nor programs.
    ///
    /// # Panics
    /// When the server does not start, and where everything is required but nothing is there.
    pub fn of_this_process() -> Option<&'static Self> {
        static CLUSTER: std::sync::OnceLock<Option<Cluster>> = std::sync::OnceLock::new();

        let cluster = CLUSTER.get_or_init(|| match std::env::var("TEST_DATABASE_URL") {
            Ok(admin_url) if !admin_url.is_empty() => Some(Self {
                admin_url,
                shared: true,
                keeper: None,
            }),
            _ => Self::throw_away(),
        });
        if cluster.is_none() {
            skipped(
                "PostgreSQL half",
                "no TEST_DATABASE_URL, and no initdb in PATH or /usr/lib/postgresql/*/bin",
            );
        }
        cluster.as_ref()
    }

    /// A cluster of one's own, for a test that needs the whole server. It ends when the value is dropped.
    /// `None` where the server's programs are not installed.
    ///
    /// # Panics
    /// When the programs are there and the server does not start.
    pub fn throw_away() -> Option<Self> {
        Self::made("alone", &random_word())
    }

    /// The same of which standbys can be made.
    ///
    /// # Panics
    /// As [`Self::throw_away`].
    pub fn copied() -> Option<Self> {
        Self::made("copied", &random_word())
    }

    /// A standby of this server, which follows it.
    ///
    /// # Panics
    /// When it does not start.
    pub fn standby(&self) -> Self {
        let (_, login) = self
            .admin_url
            .split_once("postgres://postgres:")
            .expect("a superuser's URL");
        let (password, _) = login.split_once('@').expect("a URL with a password");
        Self::made(&self.admin_url, password).expect("the programs are there")
    }

    fn made(role: &str, password: &str) -> Option<Self> {
        let programs = programs()?;
        let mut said = String::new();
        // Somebody may take the free port before the server does.
        for _ in 0..3 {
            match Self::start(&programs, role, password) {
                Ok(cluster) => return Some(cluster),
                Err(output) => said = output,
            }
        }
        panic!("PostgreSQL of {} does not start:\n{said}", programs.display());
    }

    fn start(programs: &Path, role: &str, password: &str) -> Result<Self, String> {
        let port = free_port();
        let mut shell = Command::new("sh")
            .args(["-c", include_str!("cluster.sh"), "cluster.sh"])
            .arg(programs)
            .arg(port.to_string())
            .arg(role)
            .env("CLUSTER_PASSWORD", password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A Ctrl-C in the terminal, or a kill of the tests' process group, must not take the keeper along.
            .process_group(0)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("sh: {error}"))?;
        let pipe = shell.stdin.take();
        let mut output = BufReader::new(shell.stdout.take().expect("standard output is piped"));

        let mut said = String::new();
        while output.read_line(&mut said).is_ok_and(|read| read > 0) {
            if said.ends_with("ready\n") {
                let admin_url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
                return Ok(Self {
                    admin_url,
                    shared: false,
                    keeper: Some(Keeper { pipe, output, shell }),
                });
            }
        }
        let _ = shell.wait();
        Err(said)
    }

    /// Ends the server and starts it again: `fast` says goodbye to everybody, `immediate` is as good as a crash. `kill` and
    /// `start` are one half of that each, and `promote` makes a standby a server of its own.
    ///
    /// # Panics
    /// When this is no throw-away cluster, or the server does not come back.
    pub fn restart(&mut self, how: &str) {
        let keeper = self.keeper.as_mut().expect("a cluster of one's own");
        let pipe = keeper.pipe.as_mut().expect("it is open as long as the cluster is");
        writeln!(pipe, "{how}").expect("the shell listens");
        let mut said = String::new();
        keeper.output.read_line(&mut said).expect("the shell answers");
        assert_eq!(said, "restarted\n", "{how}");
    }

    /// `admin_url` with another user, password and database; the server and the options stay.
    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        let (scheme, rest) = self.admin_url.split_once("://").expect("a database URL has a scheme");
        let (place, options) = rest
            .split_once('?')
            .map_or((rest, None), |(place, options)| (place, Some(options)));
        let server = place.rsplit_once('@').map_or(place, |(_, server)| server);
        let server = server.split_once('/').map_or(server, |(server, _)| server);
        let options = options.map(|options| format!("?{options}")).unwrap_or_default();
        format!("{scheme}://{user}:{password}@{server}/{database}{options}")
    }

    /// The superuser's URL for `database`.
    pub fn admin_url_of(&self, database: &str) -> String {
        let rest = self.admin_url.split_once("://").map_or("", |(_, rest)| rest);
        let place = rest.split_once('?').map_or(rest, |(place, _)| place);
        let (user, password) = match place.rsplit_once('@') {
            Some((user, _)) => user.split_once(':').unwrap_or((user, "")),
            None => ("postgres", ""),
        };
        self.url(user, password, database)
    }

    /// The variables by which `psql` and its like reach this server as its superuser. Empty for a shared server.
    pub fn variables(&self) -> BTreeMap<&'static str, String> {
        let Some((login, server)) = self
            .admin_url
            .trim_start_matches("postgres://")
            .rsplit_once('@')
            .filter(|_| !self.shared)
        else {
            return BTreeMap::new();
        };
        let password = login.split_once(':').map_or("", |(_, password)| password);
        let port = server.split([':', '/']).nth(1).unwrap_or("5432");
        BTreeMap::from([
            ("PGHOST", "127.0.0.1".to_owned()),
            ("PGPORT", port.to_owned()),
            ("PGUSER", "postgres".to_owned()),
            ("PGPASSWORD", password.to_owned()),
        ])
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.shell.wait();
    }
}

/// The folder of `initdb`, `pg_ctl` and `postgres`: of `PATH`, else the newest of Debian's.
pub fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // A lone link to `postgres` in PATH leads to the folder of its siblings.
    let linked = std::env::split_paths(&path).filter_map(|folder| {
        folder
            .join("postgres")
            .canonicalize()
            .ok()?
            .parent()
            .map(Path::to_path_buf)
    });
    let mut packaged: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            Some((folder.file_name()?.to_str()?.parse().ok()?, folder.join("bin")))
        })
        .collect();
    packaged.sort();

    std::env::split_paths(&path)
        .chain(linked)
        .chain(packaged.into_iter().rev().map(|(_, folder)| folder))
        .find(|folder| {
            ["initdb", "pg_ctl", "postgres"]
                .iter()
                .all(|program| folder.join(program).exists())
        })
}

/// A port of 127.0.0.1 that nobody listens on. It lies below those that the system lends to connections, so that none of
/// the many connections of other tests takes it meanwhile.
pub fn free_port() -> u16 {
    static ASKED: AtomicU16 = AtomicU16::new(0);

    loop {
        let step = u32::from(ASKED.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(20_000 + (std::process::id() * 97 + step) % 12_000).expect("below 32,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// 32 hexadecimal digits that nobody can guess, fit for a URL.
pub fn random_word() -> String {
    let mut bytes = [0_u8; 16];
    let mut source = std::fs::File::open("/dev/urandom").expect("the machine has /dev/urandom");
    source.read_exact(&mut bytes).expect("/dev/urandom never ends");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
