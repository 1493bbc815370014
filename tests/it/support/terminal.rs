//! A shell in which the commands of README.md and other pages mean the binary under test.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::cluster::{Cluster, programs};
use super::running::{BINARY, Running};

/// The addresses of the text, in whose place the test puts free ports.
const HTTP: [&str; 2] = ["127.0.0.1:8080", "localhost:8080"];
const POSTGRES: [&str; 2] = ["127.0.0.1:5432", "localhost:5432"];

/// A shell in an empty folder, in which `cargo run -- …` and `orgdesk …` mean the binary under test.
#[derive(Debug)]
pub struct Terminal {
    /// Where it stands.
    pub folder: tempfile::TempDir,
    programs: tempfile::TempDir,
    http: String,
    postgres: Option<String>,
}

impl Terminal {
    /// A terminal whose servers listen on `port` of 127.0.0.1, and whose PostgreSQL is `cluster`.
    pub fn open(port: u16, cluster: Option<&Cluster>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(".variables"), "").expect("the folder is ours");
        let mine = tempfile::tempdir().expect("a temporary folder");
        let program = |name: &str, text: &str| write_program(&mine.path().join(name), text);
        program("cargo", &include_str!("cargo.sh").replace("@BINARY@", BINARY));
        program("orgdesk", &format!("#!/bin/sh\nexec '{BINARY}' \"$@\"\n"));

        let postgres = cluster.map(|cluster| {
            let variables = cluster.variables();
            let settings: Vec<String> = variables
                .iter()
                .map(|(name, value)| format!("{name}='{value}'"))
                .collect();
            let theirs = programs().expect("the cluster runs");
            let linked = theirs.join("postgres").canonicalize().expect("the cluster runs");
            let theirs = format!(
                "{}':'{}",
                theirs.display(),
                linked.parent().expect("a folder").display()
            );
            for name in ["psql", "createdb", "createuser", "pg_basebackup"] {
                let call = format!(
                    "PATH='{theirs}':/usr/bin:/bin exec env {} {name} \"$@\"",
                    settings.join(" ")
                );
                program(name, &format!("#!/bin/sh\n{call}\n"));
            }
            // `sudo -u postgres psql …`: the superuser is in the variables.
            program("sudo", "#!/bin/sh\nshift 2\nexec \"$@\"\n");
            format!("{}:{}", variables["PGHOST"], variables["PGPORT"])
        });
        Self {
            folder,
            programs: mine,
            http: format!("127.0.0.1:{port}"),
            postgres,
        }
    }

    /// Runs `text`; what it assigned is there for the next. Answers what it printed.
    ///
    /// # Panics
    /// When a command fails.
    pub fn paste(&self, text: &str) -> String {
        // Two minutes, lest a command that waits for ever holds up the tests.
        let mut shell = self.shell(&["timeout", "120", "sh"], &format!("{text}\nexport -p >.variables\n"));
        let output = shell.output().expect("timeout runs sh");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{printed}\n{errors}");
        printed
    }

    /// Sends a GraphQL operation as the demo's owner.
    pub fn send(&self, operation: &str) -> String {
        let body = serde_json::json!({ "query": operation }).to_string();
        std::fs::write(self.folder.path().join(".operation"), body).expect("the folder is ours");
        self.paste(
            "OWNER=$(orgdesk token --organization demo --login owner)
            curl --silent --show-error --header \"Authorization: Bearer $OWNER\" \\
                --header 'Content-Type: application/json' --data @.operation http://127.0.0.1:8080/graphql",
        )
    }

    /// Runs the commands, of which the last becomes the server.
    pub fn serve(&self, commands: &[String]) -> Running {
        let (last, before) = commands.split_last().expect("a command");
        let script = format!("{}\nexport -p >.variables\nexec env {last}\n", before.join("\n"));
        Running::start(&mut self.shell(&["sh"], &script), &self.http)
    }

    /// Runs a command that becomes a server at another address.
    pub fn serve_at(&self, address: &str, command: &str) -> Running {
        let script = format!("exec env ORGDESK_LISTEN={address} {command}\n");
        Running::start(&mut self.shell(&["sh"], &script), address)
    }

    fn shell(&self, program: &[&str], script: &str) -> Command {
        let mut script = HTTP
            .iter()
            .fold(script.to_owned(), |script, address| script.replace(address, &self.http));
        if let Some(postgres) = &self.postgres {
            script = POSTGRES
                .iter()
                .fold(script, |script, address| script.replace(address, postgres));
        }
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .arg("-c")
            .arg(format!("set -eua\n. ./.variables\n{script}"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ORGDESK_") || name == "DATABASE_URL") {
            command.env_remove(name);
        }
        let path = format!(
            "{}:{}",
            self.programs.path().display(),
            std::env::var("PATH").unwrap_or_default()
        );
        command
            .env("PATH", path)
            .env("ORGDESK_LISTEN", &self.http)
            .current_dir(self.folder.path());
        command
    }
}

fn write_program(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the folder is ours");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("the file is ours");
}
