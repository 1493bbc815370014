//! PgBouncer before the database: it does not keep what readers rely on, and a server that meets it says so and does not start.

use std::{
    net::TcpStream,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use orgdesk::{
    kernel::{Random, SystemClock},
    setup,
};

use crate::support::{
    app::{TestApp, settings},
    cluster::free_port,
    skip::skipped,
};

/// A pooler in transaction mode. It ends with this value.
struct Pooler {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Pooler {
    /// Before the database of this address; what connections ask for when they begin is passed over where it is named.
    fn before(url: &str, passed_over: &str) -> Self {
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
                 unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\n\
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_a_server_behind_a_pooler_that_keeps_no_settings_does_not_start() {
    if Command::new("pgbouncer").arg("--version").output().is_err() {
        return skipped("PgBouncer before PostgreSQL", "no pgbouncer");
    }
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    for (passed_over, word) in [
        ("extra_float_digits", "unsupported startup parameter: options"),
        ("extra_float_digits, options", "a pooler stands before the database"),
    ] {
        let pooler = Pooler::before(&app.url, passed_over);
        let opened = setup::open(settings(&pooler.url), Arc::new(SystemClock), Random::seeded(1)).await;
        let said = opened.err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(said.contains(word), "{said}");
    }
    let itself = setup::open(settings(&app.url), Arc::new(SystemClock), Random::seeded(1)).await;
    itself.unwrap().database.close().await;
}
