//! An installation on one of the two databases: a server of its own process, two organizations, and what is done there.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use orgdesk::{
    kernel::{App, Clock, Random, Settings, SystemClock, config::Source},
    operate::{self, Person},
    setup,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tokio::sync::Mutex;

use crate::{
    client::{self, Connection, Request, post},
    data::{self, DataSet, Scale},
    probe::Writer,
    server::Server,
    usage::{Used, Watch},
    workbook::Book,
};

/// Other organizations with their logs are there too, on PostgreSQL.
const SCALE: Scale = Scale {
    organizations: 20,
    entries: 20_000,
};

/// The organization that imports, and another.
pub const MOVER: &str = "mover";
const NEIGHBOUR: &str = "neighbour";

/// A token is good for ten minutes; it is replaced well before.
const TOKEN_FOR: Duration = Duration::from_secs(240);

/// How long anything may take, of a debug build too.
pub const PATIENCE: Duration = Duration::from_secs(1_800);

/// How often it is asked how far something is.
const ASK_EVERY: Duration = Duration::from_millis(250);

pub struct Place {
    pub name: &'static str,
    pub server: Server,
    pub app: App,
    pub url: String,
    tokens: Mutex<HashMap<&'static str, (Instant, String)>>,
    /// Go last: with them goes what the server stands on.
    data: Option<DataSet>,
    pub folder: tempfile::TempDir,
}

impl Place {
    /// `None` where PostgreSQL is not installed.
    pub async fn on_postgres() -> Option<Self> {
        let data = DataSet::make(SCALE).await?;
        let url = data.app_url.clone();
        Some(Self::open("PostgreSQL", url, Some(data), folder()).await)
    }

    pub async fn on_sqlite() -> Self {
        let folder = folder();
        let url = format!("sqlite:{}", folder.path().join("orgdesk.db").display());
        Self::open("SQLite", url, None, folder).await
    }

    async fn open(name: &'static str, url: String, data: Option<DataSet>, folder: tempfile::TempDir) -> Self {
        let variables = variables(&url, folder.path());
        let source = Source::read(variables.clone().into_iter()).expect("known names");
        let settings = Settings::for_service(&source).expect("whole settings");
        let random = Random::from_system().expect("randomness");
        let app = setup::open(settings, Arc::new(SystemClock), random)
            .await
            .expect("an installation");
        let password = operate::hash_password(&app, "a password for benchmarks").await;
        let password_hash = password.expect("a hash");
        for domain in [MOVER, NEIGHBOUR] {
            let owner = Person {
                login: "owner".to_owned(),
                name: "소유자".to_owned(),
                email: format!("owner@{domain}.example.com"),
                password_hash: password_hash.clone(),
                is_administrator: false,
            };
            let made = operate::create_organization(&app, domain, domain, "Asia/Seoul", owner).await;
            made.expect("an organization");
        }
        let token = operate::access_token(&app, MOVER, "owner").await.expect("a token");
        let first = post(
            "/graphql",
            Some(&token),
            &json!({ "query": "{ viewer { permissions } }" }),
        );
        let server = Server::with(variables, &first).await;
        let place = Self {
            name,
            server,
            app,
            url,
            tokens: Mutex::default(),
            data,
            folder,
        };
        place.service(NEIGHBOUR, "desk").await;
        place
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Whether it is on PostgreSQL.
    pub fn is_on_postgres(&self) -> bool {
        self.data.is_some()
    }

    /// Where the superuser of PostgreSQL finds its database.
    pub fn admin_url(&self) -> &str {
        &self.data.as_ref().expect("PostgreSQL").admin_url
    }

    /// Whoever writes in the organization that imports, and in the other one.
    pub async fn writers(&self) -> [Writer; 2] {
        [self.writer(MOVER).await, self.writer(NEIGHBOUR).await]
    }

    /// Whoever changes the latest service of an organization.
    async fn writer(&self, domain: &'static str) -> Writer {
        let query = "{ services(first: 1) { nodes { id version } } }";
        let service = self.data_of(domain, query, Value::Null).await["services"]["nodes"][0].clone();
        Writer {
            token: self.token(domain).await,
            service: text(&service["id"]),
            version: service["version"].as_i64().expect("a version"),
        }
    }

    async fn token(&self, domain: &'static str) -> String {
        let mut tokens = self.tokens.lock().await;
        match tokens.get(domain) {
            Some((made, token)) if made.elapsed() < TOKEN_FOR => token.clone(),
            _ => {
                let token = operate::access_token(&self.app, domain, "owner")
                    .await
                    .expect("a token");
                tokens.insert(domain, (Instant::now(), token.clone()));
                token
            }
        }
    }

    pub async fn data_of(&self, domain: &'static str, query: &str, variables: Value) -> Value {
        let token = self.token(domain).await;
        let body = json!({ "query": query, "variables": variables });
        let answer = client::ask(self.address(), &post("/graphql", Some(&token), &body)).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].clone()
    }

    /// Runs a mutation, which must be done.
    pub async fn deed(&self, domain: &'static str, (name, fields): (&str, &str), variables: Value) -> Value {
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let (declared, id) = if variables.get("id").is_some() {
            ("$id: ID!, ", "id: $id, ")
        } else {
            ("", "")
        };
        let query = format!(
            "mutation M({declared}$input: {kind}!) {{ {name}({id}input: $input) {{ {fields} userErrors {{ code field }} }} }}"
        );
        let payload = self.data_of(domain, &query, variables).await[name].clone();
        assert_eq!(payload["userErrors"], json!([]), "{name}");
        payload
    }

    /// The ID of a new service in use.
    async fn service(&self, domain: &'static str, code: &str) -> String {
        let input = json!({ "kind": "CONSULTATION", "code": code, "name": format!("창구 {code}") });
        let create = ("serviceCreate", "service { id contract { id } }");
        let made = self.deed(domain, create, json!({ "input": input })).await["service"].clone();
        let input = json!({ "expectedVersion": 1, "items": [{ "code": "TICKET", "userCount": 3 }] });
        let variables = json!({ "id": made["contract"]["id"], "input": input });
        self.deed(domain, ("contractSign", ""), variables).await;
        text(&made["id"])
    }

    /// The ID of a new service in use of the organization that imports, with a field for account numbers, which are encrypted,
    /// and so many more, every fourth with options.
    pub async fn desk(&self, code: &str, more: usize) -> String {
        let service = self.service(MOVER, code).await;
        let add = async |mut input: Value| {
            input["serviceId"] = json!(service);
            self.deed(MOVER, ("fieldAdd", ""), json!({ "input": input })).await;
        };
        let texts = |title: &str| json!([{ "language": "ko", "title": title, "description": "설명" }]);
        add(json!({ "code": "account", "type": "TEXT", "texts": texts("계좌"), "isEncrypted": true, "personalKind": "ACCOUNT" })).await;
        for number in 1..more {
            let (code, title) = (format!("own{number}"), format!("필드 {number}"));
            let options: Vec<_> = (0..40)
                .map(|option| json!([format!("선택지 {number}-{option}")]))
                .collect();
            add(match number % 4 {
                0 => json!({ "code": code, "type": "DROPDOWN", "texts": texts(&title), "options": options }),
                1 => json!({ "code": code, "type": "DATE", "texts": texts(&title) }),
                _ => json!({ "code": code, "type": "TEXT", "texts": texts(&title) }),
            })
            .await;
        }
        service
    }

    /// Where the template of a service is.
    pub async fn template_path(&self, service: &str) -> String {
        let query = "query T($id: ID!) { importTemplate(serviceId: $id) { url } }";
        let data = self.data_of(MOVER, query, json!({ "id": service })).await;
        let url = text(&data["importTemplate"]["url"]);
        let path = url.strip_prefix("https://desk.example.com");
        path.expect("an address of the service").to_owned()
    }

    /// A template, and how long it took to make it and to bring it here.
    pub async fn template_at(&self, path: &str) -> (Vec<u8>, Duration) {
        let request: Request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .into_bytes()
            .into();
        let mut connection = Connection::open(self.address()).await.expect("a connection");
        let begin = Instant::now();
        let (status, body) = connection.ask(&request).await.expect("an answer");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
        (body.to_vec(), begin.elapsed())
    }

    /// The template of a service.
    pub async fn template(&self, service: &str) -> Vec<u8> {
        self.template_at(&self.template_path(service).await).await.0
    }

    /// Does something, and tells what it used.
    pub async fn watched<T>(&self, work: impl Future<Output = T>) -> (T, Used) {
        let watch = Watch::begin(&self.server, self.data.as_ref().map(|data| data.postmaster));
        let done = work.await;
        (done, watch.end(&self.server))
    }

    /// Sends a file and waits until it was looked through: the import's ID and its version then.
    pub async fn looked_through(&self, service: &str, book: &Book) -> (String, i64) {
        let query = "mutation U($input: ImportUploadInput!) { importUpload(input: $input) { import { id } userErrors { code } } }";
        let operations = json!({ "query": query, "variables": { "input": { "serviceId": service, "file": null } } });
        let token = self.token(MOVER).await;
        let answer = client::ask(self.address(), &form(&token, &operations, &book.bytes)).await;
        let id = text(&answer["data"]["importUpload"]["import"]["id"]);
        let import = self.until(&id, &["DRAFT", "REFUSED"]).await;
        assert_eq!(
            (&import["state"], &import["rowCount"], &import["badRowCount"]),
            (&json!("DRAFT"), &json!(book.rows), &json!(0)),
            "{import}"
        );
        (id, import["version"].as_i64().expect("a version"))
    }

    /// Reserves the night of an import.
    pub async fn confirmed(&self, import: &str, version: i64) -> String {
        let input = json!({ "expectedVersion": version, "agreeCautions": true, "policy": "SKIP_BAD_ROWS" });
        let variables = json!({ "id": import, "input": input });
        self.deed(MOVER, ("importConfirm", "import { state }"), variables).await;
        import.to_owned()
    }

    /// Has the night of an import come, and waits until its rows are tickets. How long it was at work.
    pub async fn brought(&self, import: &str, rows: u32) -> Duration {
        let now = SystemClock.now().0.to_rfc3339();
        let due = format!(
            "UPDATE import SET due_at = '{now}' WHERE state = 'RESERVED';
             UPDATE job_outbox SET due_at = '{now}' WHERE kind = 'import-run'"
        );
        self.run(&due).await;
        let import = self.until(import, &["COMPLETED", "PARTIAL", "FAILED"]).await;
        assert_eq!(
            (&import["state"], &import["insertedCount"]),
            (&json!("COMPLETED"), &json!(rows)),
            "{import}"
        );
        let at = |name: &str| text(&import[name]).parse::<DateTime<Utc>>().expect("an instant");
        (at("finishedAt") - at("startedAt"))
            .to_std()
            .expect("an end after its beginning")
    }

    async fn until(&self, import: &str, states: &[&str]) -> Value {
        let query = "query I($id: ID!) { import(id: $id) { state version rowCount badRowCount insertedCount startedAt finishedAt
            refusal { code } problems { rowNumber columnCode code } } }";
        let begin = Instant::now();
        loop {
            let import = self.data_of(MOVER, query, json!({ "id": import })).await["import"].clone();
            if states.contains(&import["state"].as_str().expect("a state")) {
                return import;
            }
            assert!(begin.elapsed() < PATIENCE, "{import}");
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    pub async fn run(&self, sql: &str) {
        // The texts are this benchmark's own.
        if let Some(data) = &self.data {
            return data.run(sql).await;
        }
        let mut file = SqliteConnection::connect(&self.url).await.expect("the file");
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut file).await;
        done.expect("a statement of the benchmark's own");
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// What a server is started with; a benchmark says more of it.
pub fn variables(url: &str, folder: &Path) -> Vec<(String, String)> {
    let data = ("ORGDESK_DATA".to_owned(), folder.display().to_string());
    let more = crate::VARIABLES.iter();
    let more = more.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    data::variables(url).into_iter().chain([data]).chain(more).collect()
}

pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// A request that brings a file.
fn form(token: &str, operations: &Value, file: &[u8]) -> Request {
    const BOUNDARY: &str = "boundary-of-the-benchmark";
    let mut body = Vec::new();
    let mut part = |disposition: &str, content: &[u8]| {
        body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").bytes());
        body.extend(content);
        body.extend(b"\r\n");
    };
    part("name=\"operations\"", operations.to_string().as_bytes());
    part(
        "name=\"map\"",
        json!({ "0": ["variables.input.file"] }).to_string().as_bytes(),
    );
    part("name=\"0\"; filename=\"old.xlsx\"", file);
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
         GraphQL-Require-Preflight: 1\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut request = head.into_bytes();
    request.extend(body);
    request.into()
}
