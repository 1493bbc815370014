//! Every command of the runbooks is run, in the order of its page, as an operator would paste it: on SQLite or on PostgreSQL,
//! as the marker above its block says, beside a service that runs. `systemctl` starts and stops the binary under test.

use std::collections::BTreeMap;

use super::support::{
    blocks::{Block, blocks_of, commands, marked},
    cluster::{Cluster, free_port},
    running::Running,
    skip::skipped,
    terminal::Terminal,
};

const README: &str = include_str!("../../README.md");

macro_rules! pages {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../docs/runbooks/", $name)))),*]
    };
}

const PAGES: [(&str, &str); 6] = pages![
    "backup-and-restore.md",
    "upgrade.md",
    "key-rotation.md",
    "retention.md",
    "several-servers.md",
    "read-replica.md"
];

/// The markers: each has its blocks run on a service of its own for each page.
const MARKERS: [&str; 3] = ["run: sqlite", "run: postgres", "run: standby"];

/// What a service has before a page begins: the settings of an operator, and an organization.
const SETTINGS: &str = "(umask 077; openssl rand -base64 32 >orgdesk.secret
printf 'first:%s\\n' \"$(openssl rand -base64 32)\" >orgdesk.ring)
export ORGDESK_SECRET_FILE=$PWD/orgdesk.secret ORGDESK_KEY_RING_FILE=$PWD/orgdesk.ring
export ORGDESK_ORGANIZATION_URL='https://{domain}.example.com' ORGDESK_PUBLIC_URL='https://desk.example.com'
export ORGDESK_MAIL_FROM='Example <no-reply@example.com>' ORGDESK_SMTP_URL='smtp://127.0.0.1:9?tls=none'
mkdir data";

const ROLES: &str =
    "sudo -u postgres psql --quiet --command \"CREATE ROLE orgdesk_owner LOGIN PASSWORD 'owner-password'\"
sudo -u postgres psql --quiet --command \"CREATE ROLE orgdesk_service LOGIN PASSWORD 'service-password'\"
sudo -u postgres psql --quiet --command \"CREATE DATABASE orgdesk OWNER orgdesk_owner\"
sudo -u postgres psql --quiet --dbname orgdesk --command \"CREATE EXTENSION IF NOT EXISTS hstore\"
export DATABASE_URL=postgres://orgdesk_service:service-password@127.0.0.1:5432/orgdesk
export ORGDESK_MIGRATION_URL=postgres://orgdesk_owner:owner-password@127.0.0.1:5432/orgdesk";

const FOUND: &str = "orgdesk migrate
orgdesk organization create --name Example --domain example --owner-login owner --owner-name 소유자 \\
    --owner-email owner@example.com --print-link";

/// What pages take as done that another page tells.
const BACKUP_ROLE: &str = "sudo -u postgres psql --quiet --command \"CREATE ROLE orgdesk_backup LOGIN BYPASSRLS PASSWORD 'backup-password' IN ROLE pg_read_all_data\"
export ORGDESK_BACKUP_URL=postgres://orgdesk_backup:backup-password@127.0.0.1:5432/orgdesk";

#[test]
fn p5_every_block_of_a_runbook_is_run_and_every_page_is_linked() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbooks");
    assert_eq!(
        std::fs::read_dir(folder).unwrap().count(),
        PAGES.len(),
        "a page that no test runs"
    );
    for (name, text) in PAGES {
        assert!(
            README.contains(&format!("docs/runbooks/{name}")),
            "{name} is not linked"
        );
        let blocks = blocks_of(name, text);
        assert!(!blocks.is_empty(), "{name} has no command");
        for block in blocks {
            assert!(
                MARKERS.contains(&block.marker) && block.language == "sh",
                "{name}:{}: a {} block under <!-- {} -->",
                block.line,
                block.language,
                block.marker
            );
        }
    }
}

#[test]
fn p5_backup_and_restore_as_the_page_says() {
    run("backup-and-restore.md");
}

#[test]
fn p5_upgrade_as_the_page_says() {
    run("upgrade.md");
}

#[test]
fn p5_key_rotation_as_the_page_says() {
    run("key-rotation.md");
}

#[test]
fn p5_retention_as_the_page_says() {
    run("retention.md");
}

#[test]
fn p5_several_servers_as_the_page_says() {
    run("several-servers.md");
}

#[test]
fn p5_read_replica_as_the_page_says() {
    run("read-replica.md");
}

/// Runs the blocks of a page.
fn run(name: &'static str) {
    let (_, text) = PAGES.iter().find(|(page, _)| *page == name).expect("a page");
    let blocks = blocks_of(name, text);
    let on_sqlite: Vec<_> = marked(&blocks, MARKERS[0]).collect();
    if !on_sqlite.is_empty() {
        let mut machine = Machine::new(None);
        machine.terminal.paste(&[SETTINGS, FOUND].join("\n"));
        machine.run(&on_sqlite);
    }
    for (marker, cluster) in [
        (MARKERS[1], Cluster::throw_away as fn() -> _),
        (MARKERS[2], Cluster::copied),
    ] {
        let on_postgres: Vec<_> = marked(&blocks, marker).collect();
        if on_postgres.is_empty() {
            continue;
        }
        let Some(cluster) = cluster() else {
            return skipped(
                "PostgreSQL half of the runbooks",
                "no initdb in PATH or /usr/lib/postgresql/*/bin",
            );
        };
        let mut machine = Machine::new(Some(&cluster));
        machine.terminal.paste(&[SETTINGS, ROLES, FOUND].join("\n"));
        if !text.contains("CREATE ROLE orgdesk_backup") {
            machine.terminal.paste(BACKUP_ROLE);
        }
        machine.run(&on_postgres);
    }
}

/// A machine on which services run, by the names that `systemctl` knows them by.
struct Machine<'c> {
    terminal: Terminal,
    cluster: Option<&'c Cluster>,
    standby: Option<Cluster>,
    second: String,
    metrics: String,
    running: BTreeMap<String, Running>,
}

impl<'c> Machine<'c> {
    fn new(cluster: Option<&'c Cluster>) -> Self {
        Self {
            terminal: Terminal::open(free_port(), cluster),
            cluster,
            standby: None,
            second: format!("127.0.0.1:{}", free_port()),
            metrics: format!("127.0.0.1:{}", free_port()),
            running: BTreeMap::new(),
        }
    }

    /// Runs blocks beside a service. Each of them has to leave it running.
    fn run(&mut self, blocks: &[&Block]) {
        self.start("orgdesk");
        for block in blocks {
            let mut pasted = Vec::new();
            for command in commands(block.text) {
                match command.strip_prefix("systemctl ") {
                    None => pasted.push(self.placed(&command)),
                    Some(verb) => {
                        self.terminal.paste(&pasted.join("\n"));
                        pasted.clear();
                        self.control(verb);
                    }
                }
            }
            block.compare(&self.terminal.paste(&pasted.join("\n")));
            assert!(
                self.running.contains_key("orgdesk"),
                "{}:{}: no service runs",
                block.file,
                block.line
            );
        }
    }

    /// A command with this machine's addresses in place of the page's.
    fn placed(&self, command: &str) -> String {
        let command = command.replace("127.0.0.1:8081", &self.second);
        let command = command.replace("127.0.0.1:9464", &self.metrics);
        match &self.standby {
            None => command,
            Some(standby) => {
                let port = &standby.variables()["PGPORT"];
                let command = command.replace("--port 5433", &format!("--port {port}"));
                command.replace("127.0.0.1:5433", &format!("127.0.0.1:{port}"))
            }
        }
    }

    /// A standby is started on a copy of its own: a server that runs as another user can't have the page's.
    fn control_standby(&mut self, verb: &str) {
        match (verb, &mut self.standby) {
            ("start", None) => self.standby = Some(self.cluster.expect("a cluster").standby()),
            ("start", Some(standby)) => standby.restart("start"),
            ("stop", Some(standby)) => standby.restart("kill"),
            _ => panic!("systemctl {verb} postgresql@standby"),
        }
    }

    fn control(&mut self, verb: &str) {
        let words: Vec<&str> = verb.split(' ').collect();
        match words[..] {
            [verb, "postgresql@standby"] => self.control_standby(verb),
            ["start", unit] => self.start(unit),
            ["stop", unit] => self.stop(unit),
            ["restart", unit] => {
                self.stop(unit);
                self.start(unit);
            }
            ["kill", "--signal", "KILL", unit] => drop(self.running.remove(unit).expect("it runs")),
            _ => panic!("systemctl {verb}"),
        }
    }

    fn start(&mut self, unit: &str) {
        let running = match unit {
            "orgdesk" => self.terminal.serve(&["orgdesk serve".to_owned()]),
            "orgdesk@second" => self.terminal.serve_at(&self.second, "orgdesk serve"),
            _ => panic!("there is no {unit}"),
        };
        let before = self.running.insert(unit.to_owned(), running);
        assert!(before.is_none(), "{unit} runs already");
    }

    fn stop(&mut self, unit: &str) {
        let ended = self.running.remove(unit).expect("it runs").terminate();
        assert!(ended.success(), "{unit}: {ended}");
    }
}
