//! An installation of one test: a database of its own, copied from a template with two organizations in it, a clock
//! that stands until the test moves it, and the routes as they are served.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{Router, body::Body, http::Request};
use chrono::{DateTime, Duration, Utc};
use orgdesk::{
    api::{health::Ready, server::PeerAddress},
    kernel::{
        App, Letter, Random, Settings, StoppedClock, Undelivered,
        config::{AnchorPlace, Introspection, LogFormat, LogSettings, MailSettings, Source, Storage},
        seal::KeyRing,
        store::Store,
    },
    operate::{self, Person},
    serve, setup, worker,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tower::ServiceExt;
use zeroize::Zeroizing;

use super::{
    canary::Searched,
    cluster::Cluster,
    database::{self, Database},
    form,
    letters::Letters,
    running::BINARY,
};

/// The password of everybody in the tests.
pub const PASSWORD: &str = "a password for tests";

/// The keys that data are sealed under in the tests.
pub const KEY_RING: &str = "test:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=";

/// The instant at which tests begin: Tuesday, 2026-11-10, 10:00 in Seoul.
pub const BEGIN: &str = "2026-11-10T01:00:00Z";

/// An installation.
pub struct TestApp {
    /// The installation itself, for what has no API.
    pub app: App,
    /// Its clock.
    pub clock: StoppedClock,
    /// Where its database is.
    pub url: String,
    /// Behind row-level security, on PostgreSQL: for looking, never for what the service does.
    pub admin_url: Option<String>,
    letters: Letters,
    router: Router,
    _folder: Searched,
    _database: Option<Database>,
}

/// Runs a test on both databases: `both! { async fn name(app) { … } }`.
#[macro_export]
macro_rules! both {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$meta])*
            async fn test($app: $crate::support::app::TestApp) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                test($crate::support::app::TestApp::on_sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(app) = $crate::support::app::TestApp::on_postgres().await {
                    test(app).await;
                }
            }
        }
    )*};
}

/// The settings of the tests.
pub fn settings(url: &str) -> Settings {
    Settings {
        database_url: url.to_owned(),
        replica_url: None,
        pooler_url: None,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        metrics_listen: None,
        traces: None,
        data: std::env::temp_dir(),
        organization_url: "https://{domain}.example.com".to_owned(),
        public_url: "https://desk.example.com".to_owned(),
        mail: MailSettings {
            from: "Orgdesk <no-reply@example.com>".parse().unwrap(),
            server: None,
        },
        storage: Storage::Folder,
        picture_quota: 200 * 1024 * 1024,
        introspection: Introspection::SignedIn,
        has_playground: true,
        log_format: LogFormat::Text,
        secret: Zeroizing::new((0..32).collect()),
        key_ring: KeyRing::parse(KEY_RING, b"").unwrap(),
        trusted_proxies: Vec::new(),
        allowed_origins: vec!["https://app.example.com".to_owned()],
        // Tests ask more than anybody may.
        cost_bucket: 1_000_000_000,
        cost_refill: 1_000_000_000,
        webhook_networks: Vec::new(),
        cti_log_days: 90,
        logs: LogSettings {
            anchor: AnchorPlace::Off,
            anchor_minutes: 60,
            permission_months: 36,
            access_months: 24,
            management_months: 36,
        },
        extraction_rows: 10_000,
        extraction_days: 31,
        is_demo: false,
    }
}

impl TestApp {
    /// On SQLite.
    pub async fn on_sqlite() -> Self {
        static TEMPLATE: OnceCell<(tempfile::TempDir, PathBuf)> = OnceCell::const_new();
        let (_, template) = TEMPLATE
            .get_or_init(|| async {
                let folder = tempfile::tempdir().unwrap();
                let file = folder.path().join("template.db");
                furnish(&format!("sqlite:{}", file.display())).await;
                (folder, file)
            })
            .await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orgdesk.db");
        std::fs::copy(template, &file).unwrap();
        Self::open(format!("sqlite:{}", file.display()), None, folder, None).await
    }

    /// On PostgreSQL; `None` where there is none, which was said.
    pub async fn on_postgres() -> Option<Self> {
        let database = database::fresh_database(|owner_url, app_url| async move {
            setup::migrate(&owner_url, &app_url).await.unwrap();
            database::put_clock_forward(&owner_url).await;
            furnish(&app_url).await;
        })
        .await?;
        let (url, admin_url) = (database.app_url.clone(), database.admin_url.clone());
        Some(Self::open(url, Some(admin_url), tempfile::tempdir().unwrap(), Some(database)).await)
    }

    /// On a PostgreSQL server of its own, which can be restarted.
    pub async fn on_cluster(cluster: &Cluster) -> Self {
        let (owner_url, app_url) = database::furnished(cluster).await;
        setup::migrate(&owner_url, &app_url).await.unwrap();
        furnish(&app_url).await;
        let admin_url = cluster.admin_url_of("orgdesk");
        Self::open(app_url, Some(admin_url), tempfile::tempdir().unwrap(), None).await
    }

    async fn open(
        url: String,
        admin_url: Option<String>,
        folder: tempfile::TempDir,
        database: Option<Database>,
    ) -> Self {
        let clock = StoppedClock::at(instant(BEGIN));
        let letters = Letters::default();
        let app = open(&url, &clock, Random::seeded(2), &letters).await;
        let app = App {
            store: Store::open(&Storage::Folder, folder.path()).unwrap(),
            ..app
        };
        let ready = Ready::default();
        ready.set(true);
        let router = serve::routes(&app, ready, None).unwrap();
        Self {
            app,
            clock,
            url,
            admin_url,
            letters,
            router,
            _folder: Searched(folder),
            _database: database,
        }
    }

    /// Another server on the same database, with the same clock, whose letters go the same way.
    pub async fn second_server(&self) -> Self {
        self.server_of((*self.app.settings).clone()).await.unwrap()
    }

    /// The same with other keys that data are sealed under.
    pub async fn server_with(&self, ring: &str) -> anyhow::Result<Self> {
        self.server_of(Settings {
            key_ring: KeyRing::parse(ring, b"").map_err(anyhow::Error::msg)?,
            ..(*self.app.settings).clone()
        })
        .await
    }

    /// The same behind proxies that are believed, such as `10.0.0.0/8`.
    pub async fn server_behind(&self, proxies: &str) -> Self {
        let pairs = [("ORGDESK_TRUSTED_PROXIES", proxies)];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let source = Source::read(pairs.into_iter()).unwrap();
        let read = Settings::for_demo(&source, Zeroizing::default(), KeyRing::default()).unwrap();
        self.server_of(Settings {
            trusted_proxies: read.trusted_proxies,
            ..(*self.app.settings).clone()
        })
        .await
        .unwrap()
    }

    /// The same with buckets of so many points, of which so many come back in a second.
    pub async fn server_spending(&self, bucket: u32, refill: u32) -> Self {
        self.server_of(Settings {
            cost_bucket: bucket,
            cost_refill: refill,
            ..(*self.app.settings).clone()
        })
        .await
        .unwrap()
    }

    /// The same whose transactions go through a pooler before the database.
    pub async fn server_through(&self, pooler: &str) -> anyhow::Result<Self> {
        self.server_of(Settings {
            pooler_url: Some(pooler.to_owned()),
            ..(*self.app.settings).clone()
        })
        .await
    }

    /// The same that reads from a standby of the database, too.
    pub async fn server_beside(&self, replica: &str) -> Self {
        self.server_of(Settings {
            replica_url: Some(replica.to_owned()),
            ..(*self.app.settings).clone()
        })
        .await
        .unwrap()
    }

    /// The same that reaches the database another way.
    pub async fn server_by(&self, url: &str) -> Self {
        self.server_of(Settings {
            database_url: url.to_owned(),
            ..(*self.app.settings).clone()
        })
        .await
        .unwrap()
    }

    async fn server_of(&self, settings: Settings) -> anyhow::Result<Self> {
        let app = setup::open(settings, Arc::new(self.clock.clone()), Random::seeded(3)).await?;
        let app = App {
            mailer: Arc::new(self.letters.clone()),
            store: self.app.store.clone(),
            program: self.app.program.clone(),
            ..app
        };
        let ready = Ready::default();
        ready.set(true);
        let router = serve::routes(&app, ready, None).unwrap();
        Ok(Self {
            app,
            clock: self.clock.clone(),
            url: self.url.clone(),
            admin_url: self.admin_url.clone(),
            letters: self.letters.clone(),
            router,
            _folder: Searched(tempfile::tempdir().unwrap()),
            _database: None,
        })
    }

    /// The same installation with something else about it.
    #[must_use]
    pub fn changed(self, change: impl FnOnce(App) -> App) -> Self {
        let app = change(self.app);
        let ready = Ready::default();
        ready.set(true);
        let router = serve::routes(&app, ready, None).unwrap();
        Self { app, router, ..self }
    }

    /// The same, whose webhooks may be sent to this machine.
    #[must_use]
    pub fn with_webhooks(self) -> Self {
        let pairs = [("ORGDESK_WEBHOOK_NETWORKS", "127.0.0.0/8")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let source = Source::read(pairs.into_iter()).unwrap();
        let read = Settings::for_demo(&source, Zeroizing::default(), KeyRing::default()).unwrap();
        self.changed(|app| App {
            settings: Arc::new(Settings {
                webhook_networks: read.webhook_networks,
                ..(*app.settings).clone()
            }),
            ..app
        })
    }

    /// The owner of Acme.
    pub fn owner(&self) -> Who<'_> {
        self.someone("acme", "owner")
    }

    /// An organization administrator of Acme.
    pub fn administrator(&self) -> Who<'_> {
        self.someone("acme", "admin")
    }

    /// A member of Acme without a role.
    pub fn member(&self) -> Who<'_> {
        self.someone("acme", "member")
    }

    /// The owner of another organization, Rival.
    pub fn rival(&self) -> Who<'_> {
        self.someone("rival", "owner")
    }

    /// Anybody.
    pub fn someone<'a>(&'a self, organization: &'a str, login: &'a str) -> Who<'a> {
        Who {
            app: self,
            organization,
            login,
            language: "en",
            address: [127, 0, 0, 1],
            bearer: None,
        }
    }

    /// Whoever has this token.
    pub fn bearing<'a>(&'a self, token: &'a str) -> Who<'a> {
        Who {
            bearer: Some(token),
            ..self.owner()
        }
    }

    /// The folder in which its files are kept.
    pub fn data(&self) -> &Path {
        self._folder.0.path()
    }

    /// Runs the jobs that are due.
    pub async fn run_due(&self) -> usize {
        worker::run_due(&self.app).await.unwrap()
    }

    /// The letters that were sent so far, the oldest first.
    pub fn letters(&self) -> Vec<Letter> {
        self.letters.sent()
    }

    /// The letters whose sending was tried so far, whatever came of it.
    pub fn letters_tried(&self) -> Vec<Letter> {
        self.letters.tried()
    }

    /// From now on every letter fails like this; with `None` they go again.
    pub fn let_mail_fail(&self, failure: Option<Undelivered>) {
        self.letters.fail(failure);
    }

    /// Moves the clock to an instant such as `2026-12-01T00:10:00+09:00`.
    pub fn go_to(&self, at: &str) {
        self.clock.set(instant(at));
    }

    /// Moves the clock on.
    pub fn wait(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Sends a request to the routes.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        if request.extensions().get::<PeerAddress>().is_none() {
            request
                .extensions_mut()
                .insert(PeerAddress(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let mut json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        // What is left of a bucket differs from request to request; the text has it.
        if let Some(cost) = json.pointer_mut("/extensions/cost").and_then(Value::as_object_mut) {
            cost.shift_remove("throttleStatus");
        }
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.to_vec(),
            json,
        }
    }

    /// Asks as nobody, or with any token.
    pub async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Answer {
        self.ask_from([127, 0, 0, 1], "en", token, query, variables).await
    }

    /// Asks from any address, in any language, as nobody or with any token.
    pub async fn ask_from(
        &self,
        address: [u8; 4],
        language: &str,
        token: Option<&str>,
        query: &str,
        variables: Value,
    ) -> Answer {
        self.ask_at(address.into(), language, token, query, variables).await
    }

    /// The same from an address of either kind.
    pub async fn ask_at(
        &self,
        address: IpAddr,
        language: &str,
        token: Option<&str>,
        query: &str,
        variables: Value,
    ) -> Answer {
        // A document that takes a file without saying which gets one that is as good as none.
        if query.contains("$file: Upload!") && variables.get("file").is_none() {
            return self
                .send_files(address, language, token, query, variables, &[("file", "none", b"none")])
                .await;
        }
        let head = Request::post("/graphql").header("content-type", "application/json");
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.send_as(address, language, token, head, Body::from(body)).await
    }

    /// Asks with files.
    pub async fn send_files(
        &self,
        address: impl Into<IpAddr>,
        language: &str,
        token: Option<&str>,
        query: &str,
        variables: Value,
        files: &[form::File<'_>],
    ) -> Answer {
        let body = form::body(query, variables, files);
        self.send_as(address.into(), language, token, form::head(), body).await
    }

    async fn send_as(
        &self,
        address: IpAddr,
        language: &str,
        token: Option<&str>,
        head: axum::http::request::Builder,
        body: Body,
    ) -> Answer {
        let mut head = head.header("accept-language", language);
        if let Some(token) = token {
            head = head.header("authorization", format!("Bearer {token}"));
        }
        let mut request = head.body(body).unwrap();
        request
            .extensions_mut()
            .insert(PeerAddress(SocketAddr::new(address, 40_000)));
        self.send(request).await
    }
}

/// Somebody who asks.
#[derive(Clone, Copy)]
pub struct Who<'a> {
    app: &'a TestApp,
    organization: &'a str,
    login: &'a str,
    language: &'a str,
    address: [u8; 4],
    bearer: Option<&'a str>,
}

impl Who<'_> {
    /// The same one, in another language.
    #[must_use]
    pub fn speaking<'b>(&self, language: &'b str) -> Who<'b>
    where
        Self: 'b,
    {
        Who {
            app: self.app,
            organization: self.organization,
            login: self.login,
            language,
            address: self.address,
            bearer: self.bearer,
        }
    }

    /// A fresh access token, of a session that begins now; for whoever has a token, that.
    pub async fn token(&self) -> String {
        if let Some(token) = self.bearer {
            return token.to_owned();
        }
        operate::access_token(&self.app.app, self.organization, self.login)
            .await
            .unwrap()
    }

    /// Asks, in a session of its own.
    pub async fn ask(&self, query: &str, variables: Value) -> Answer {
        let token = self.token().await;
        self.app
            .ask_from(self.address, self.language, Some(&token), query, variables)
            .await
    }

    /// Asks with files, each with its place in the variables, its name and its content.
    pub async fn ask_with(&self, query: &str, variables: Value, files: &[form::File<'_>]) -> Answer {
        let token = self.token().await;
        self.app
            .send_files(self.address, self.language, Some(&token), query, variables, files)
            .await
    }

    /// Asks for `data`; any error fails the test.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let answer = self.ask(query, variables).await;
        assert_eq!(answer.json.get("errors"), None, "{query}: {}", answer.text);
        answer.json["data"].clone()
    }

    /// Asks for one mutation's payload, without errors of any kind: `deed("serviceCreate(input: {…}) { service { id } }")`.
    pub async fn deed(&self, field: &str, variables: Value) -> Value {
        let payload = self.payload(field, variables).await;
        assert_eq!(payload["userErrors"], json!([]), "{field}");
        payload
    }

    /// Asks for one mutation's payload, with its user errors. `field` is the mutation with its arguments and the
    /// payload's fields; `$id` and `$input` are declared for it.
    pub async fn payload(&self, field: &str, variables: Value) -> Value {
        let name = field.split(['(', ' ', '{']).next().unwrap();
        let (head, fields) = field.rsplit_once(" => ").unwrap_or((field, ""));
        let type_name = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let mut declared = Vec::new();
        if head.contains("$id") {
            declared.push("$id: ID!".to_owned());
        }
        if head.contains("$input") {
            declared.push(format!("$input: {type_name}!"));
        }
        let declared = if declared.is_empty() {
            String::new()
        } else {
            format!("({})", declared.join(", "))
        };
        let query =
            format!("mutation M{declared} {{ {head} {{ {fields} userErrors {{ code field message availableAt }} }} }}");
        let data = self.data(&query, variables).await;
        data[name].clone()
    }

    /// The codes of one mutation's user errors, each with its path: `TAKEN at input.name`.
    pub async fn problems(&self, field: &str, variables: Value) -> Vec<String> {
        let payload = self.payload(field, variables).await;
        codes(&payload)
    }
}

/// The user errors of a payload as `CODE at path`.
pub fn codes(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| {
            let path = error["field"]
                .as_array()
                .map(|path| path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("."));
            format!(
                "{} at {}",
                error["code"].as_str().unwrap(),
                path.unwrap_or_else(|| "-".to_owned())
            )
        })
        .collect()
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: axum::http::HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The body as JSON, without what is left of the caller's bucket; null where it is none.
    pub json: Value,
}

impl Answer {
    /// The code of the first error.
    pub fn code(&self) -> &str {
        self.json["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
    }
}

/// An instant.
pub fn instant(at: &str) -> DateTime<Utc> {
    at.parse::<DateTime<Utc>>().unwrap()
}

/// A server of a test: its letters go nowhere.
async fn open(url: &str, clock: &StoppedClock, random: Random, letters: &Letters) -> App {
    let app = setup::open(settings(url), Arc::new(clock.clone()), random)
        .await
        .unwrap();
    App {
        mailer: Arc::new(letters.clone()),
        program: Path::new(BINARY).into(),
        ..app
    }
}

/// Two organizations, Acme and Rival, each with an owner, an administrator and a member.
async fn furnish(url: &str) {
    let clock = StoppedClock::at(instant(BEGIN));
    let app = setup::open(settings(url), Arc::new(clock), Random::seeded(1))
        .await
        .unwrap();
    let password_hash = operate::hash_password(&app, PASSWORD).await.unwrap();
    let person = |login: &str, name: &str, is_administrator| Person {
        login: login.to_owned(),
        name: name.to_owned(),
        email: format!("{login}@example.com"),
        password_hash: password_hash.clone(),
        is_administrator,
    };
    for (name, domain) in [("Acme", "acme"), ("Rival", "rival")] {
        operate::create_organization(&app, name, domain, "Asia/Seoul", person("owner", "소유자", false))
            .await
            .unwrap();
        operate::add_member(&app, domain, person("admin", "조직관리자", true))
            .await
            .unwrap();
        operate::add_member(&app, domain, person("member", "구성원", false))
            .await
            .unwrap();
    }
    app.database.close().await;
}
