//! Installations that are backed up, and places where there is none yet: each an environment for the binary.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

use super::{
    app::{KEY_RING, TestApp},
    cluster::random_word,
    database::{Database, empty_database},
    import_server::SECRET,
    raw::Raw,
    running::{BINARY, Running},
};

/// What the binary needs to know of an installation, and the folder that it is in.
pub struct Place {
    /// Its folder.
    pub folder: tempfile::TempDir,
    /// The variables.
    pub variables: BTreeMap<&'static str, String>,
    database: Option<Database>,
    role: Option<(String, String)>,
}

impl Place {
    fn new(url: &str, data: &Path, folder: tempfile::TempDir) -> Self {
        let anchor = data.join("anchor.jsonl");
        let variables = [
            ("DATABASE_URL", url),
            ("ORGDESK_DATA", data.to_str().unwrap()),
            ("ORGDESK_SECRET", SECRET),
            ("ORGDESK_KEY_RING", KEY_RING),
            ("ORGDESK_AUDIT_ANCHOR", anchor.to_str().unwrap()),
            ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
            ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
            ("ORGDESK_MAIL_FROM", "Orgdesk <no-reply@example.com>"),
            ("ORGDESK_SMTP_URL", "smtp://127.0.0.1:9?tls=none"),
        ];
        Self {
            folder,
            variables: variables.map(|(name, value)| (name, value.to_owned())).into(),
            database: None,
            role: None,
        }
    }

    /// The installation of a test, as an operator has it who backs it up: on PostgreSQL with a role that sees all rows.
    pub async fn of(app: &TestApp) -> Self {
        let mut place = Self::new(&app.url, app.data(), tempfile::tempdir().unwrap());
        if let Some(admin_url) = &app.admin_url {
            let (role, password) = (format!("orgdesk_backup_{}", &random_word()[..12]), random_word());
            let make = format!("CREATE ROLE {role} LOGIN BYPASSRLS PASSWORD '{password}' IN ROLE pg_read_all_data");
            Raw::open(admin_url).await.must(&make).await;
            let mut url = url::Url::parse(admin_url).unwrap();
            url.set_username(&role).unwrap();
            url.set_password(Some(&password)).unwrap();
            place.variables.insert("ORGDESK_BACKUP_URL", url.into());
            place.role = Some((admin_url.clone(), role));
        }
        place
    }

    /// A place on the same kind of database, where nothing is.
    pub async fn empty_like(app: &TestApp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        if app.admin_url.is_none() {
            let url = format!("sqlite:{}", data.join("orgdesk.db").display());
            return Self::new(&url, &data, folder);
        }
        let database = empty_database().await.expect("there is a server");
        let mut place = Self::new(&database.app_url, &data, folder);
        place
            .variables
            .insert("ORGDESK_MIGRATION_URL", database.owner_url.clone());
        place.database = Some(database);
        place
    }

    /// The binary with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .env_clear()
            .current_dir(self.folder.path())
            .envs(&self.variables);
        command
    }

    /// What comes of it.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints, where it must work.
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Why it does not work.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(!output.status.success(), "{arguments:?} works: {said}");
        said
    }

    /// A server on it.
    pub fn serve(&self, address: &str) -> Running {
        Running::start(self.command(&["serve"]).env("ORGDESK_LISTEN", address), address)
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.variables["ORGDESK_DATA"].clone().into()
    }

    /// Its database, past every door.
    pub async fn raw(&self) -> Raw {
        let admin = self.database.as_ref().map(|database| &database.admin_url);
        Raw::open(admin.unwrap_or(&self.variables["DATABASE_URL"])).await
    }

    /// Whether nothing is there, whatever was tried.
    pub async fn is_empty(&self) -> bool {
        let files = files(&self.data());
        let mut tables = 0;
        if self.database.is_some() {
            tables = self.raw().await.tables().await.len();
        }
        files.is_empty() && tables == 0
    }

    /// Takes away the role that it was backed up by.
    pub async fn forget_role(&mut self) {
        if let Some((admin_url, role)) = self.role.take() {
            Raw::open(&admin_url).await.must(&format!("DROP ROLE {role}")).await;
        }
    }
}

/// The files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Asks a server; `None` where it does not answer or has errors.
pub async fn ask(address: &str, token: &str, query: &str, variables: Value) -> Option<Value> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({ "query": query, "variables": variables });
    let request = client
        .post(format!("http://{address}/graphql"))
        .bearer_auth(token)
        .json(&body);
    let answer: Value = request.send().await.ok()?.json().await.ok()?;
    answer.get("errors").is_none().then(|| answer["data"].clone())
}
