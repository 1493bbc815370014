//! PgBouncer before a database of the tests.

use std::{
    net::TcpStream,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{cluster::free_port, skip::skipped};

/// Whether there is one; that there is none is said.
pub fn is_there() -> bool {
    let is_there = Command::new("pgbouncer").arg("--version").output().is_ok();
    if !is_there {
        skipped("PgBouncer before PostgreSQL", "no pgbouncer");
    }
    is_there
}

/// A pooler in transaction mode. It ends with this value.
pub struct Pooler {
    process: Child,
    /// Where it takes connections, as the role of the database's address.
    pub url: String,
    _folder: tempfile::TempDir,
}

impl Pooler {
    /// Before the database of this address, with so many connections to it; what connections ask for when they begin is
    /// passed over where it is named.
    pub fn before(url: &str, size: u32, passed_over: &str) -> Self {
        let mut url = url::Url::parse(url).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let (host, own, port) = (url.host_str().unwrap(), url.port().unwrap_or(5432), free_port());
        let users = write(
            "users",
            format!("\"{}\" \"{}\"\n", url.username(), url.password().unwrap()),
        );
        let settings = write(
            "pgbouncer.ini",
            format!(
                "[databases]\n* = host={host} port={own}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
                 unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = {size}\n\
                 ignore_startup_parameters = {passed_over}\n",
                users.display()
            ),
        );
        // It refuses to run as root, and whoever it runs as reads these.
        for path in [folder.path(), &users, &settings] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let mut command = Command::new("pgbouncer");
        if folder.path().metadata().is_ok_and(|folder| folder.uid() == 0) {
            command = Command::new("setpriv");
            command.args(["--reuid=65532", "--regid=65532", "--clear-groups", "--", "pgbouncer"]);
        }
        command.arg(&settings).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("pgbouncer runs");
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(port)).unwrap();
        let mut pooler = Self {
            process,
            url: url.into(),
            _folder: folder,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(pooler.process.try_wait().unwrap().is_none(), "pgbouncer does not start");
            assert!(begun.elapsed() < Duration::from_secs(60), "pgbouncer does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        pooler
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
