//! What the time of an answer tells a stranger, and what a crowd at the door does to everybody else: sign-ins and requests
//! for new passwords, for accounts that exist and that do not, interleaved; and the health check beside 200 sign-ins at once.
//! `cargo bench --bench sign_in`; docs/benchmarks.md has the figures.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark stops at the first surprise and talks to whoever runs it"
)]

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use orgdesk::{
    kernel::{Random, Settings, SystemClock, config::Source},
    operate::{self, Person},
    setup,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};

/// The keys that data are sealed under.
const KEY_RING: &str = "bench:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=";

/// How often each kind of account is tried.
const TRIES: usize = 200;

/// How many members there are: a hundred tries a day are taken for each.
const MEMBERS: usize = 10;

/// How many sign in at once.
const CROWD: usize = 200;

/// How often health is asked meanwhile.
const PROBES: usize = 200;

const SIGN_IN: &str = "mutation M($input: SessionStartInput!) { sessionStart(input: $input) { userErrors { code } } }";
const RESET: &str =
    "mutation M($input: PasswordResetRequestInput!) { passwordResetRequest(input: $input) { userErrors { code } } }";

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(folder.path()).await;
        compare(&server, "sign-in", 1, |organization, login| {
            body(
                SIGN_IN,
                json!({ "organization": organization, "login": login, "password": "a wrong password 123" }),
            )
        })
        .await;
        compare(&server, "request for a new password", 2, |organization, login| {
            body(RESET, json!({ "organization": organization, "login": login }))
        })
        .await;
        crowd(&server).await;
    });
}

/// A server on a database of its own. It is killed with this value.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    async fn start(folder: &std::path::Path) -> Self {
        let url = format!("sqlite:{}", folder.join("orgdesk.db").display());
        furnish(&url).await;
        let free = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("an address");
        let address = free.local_addr().expect("an address");
        drop(free);
        let child = Command::new(env!("CARGO_BIN_EXE_orgdesk"))
            .arg("serve")
            .env_clear()
            .envs(variables(&url))
            .env("ORGDESK_LISTEN", address.to_string())
            .env("ORGDESK_DATA", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the service's program");
        let server = Self { child, address };
        for _ in 0..3_000 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        unreachable!("the service does not serve");
    }

    /// Sends a request from an address of this machine and says how long the answer took, and what it was.
    async fn ask(&self, from: Ipv4Addr, request: &str) -> (Duration, String) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind(SocketAddr::from((from, 0)))
            .expect("an address of this machine");
        let mut stream = socket.connect(self.address).await.expect("a connection");
        stream.set_nodelay(true).expect("a connection");
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await.expect("a connection");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        (sent.elapsed(), answer)
    }
}

fn variables(url: &str) -> [(String, String); 8] {
    let secret = STANDARD.encode((0..32).collect::<Vec<u8>>());
    [
        ("DATABASE_URL", url),
        ("ORGDESK_SECRET", &secret),
        ("ORGDESK_KEY_RING", KEY_RING),
        ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
        ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
        ("ORGDESK_MAIL_FROM", "no-reply@example.com"),
        ("ORGDESK_SMTP_URL", "smtp://127.0.0.1:1025?tls=none"),
        // What is measured asks more than anybody may.
        ("ORGDESK_COST_BUCKET", "1000000000"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

async fn furnish(url: &str) {
    let source = Source::read(variables(url).into_iter()).expect("known names");
    let settings = Settings::for_service(&source).expect("whole settings");
    let random = Random::from_system().expect("randomness");
    let app = setup::open(settings, Arc::new(SystemClock), random)
        .await
        .expect("a database");
    let password_hash = operate::hash_password(&app, "a password for tests")
        .await
        .expect("a hash");
    let person = |login: String| Person {
        name: login.clone(),
        email: format!("{login}@example.com"),
        login,
        password_hash: password_hash.clone(),
        is_administrator: false,
    };
    operate::create_organization(&app, "Acme", "acme", "Asia/Seoul", person("owner".into()))
        .await
        .expect("an organization");
    for number in 0..MEMBERS {
        operate::add_member(&app, "acme", person(format!("member{number}")))
            .await
            .expect("a member");
    }
    app.database.close().await;
}

fn body(query: &str, input: serde_json::Value) -> String {
    let body = json!({ "query": query, "variables": { "input": input } }).to_string();
    let length = body.len();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

/// An address that was not used before, so that no brake is put on.
fn address(group: u8, number: usize) -> Ipv4Addr {
    let [.., high, low] = u32::try_from(number).expect("a small number").to_be_bytes();
    Ipv4Addr::new(127, group, high, low)
}

/// Tries the kinds of account by turns.
async fn compare(server: &Server, what: &str, group: u8, request: impl Fn(&str, &str) -> String) {
    let kinds = ["known", "unknown login", "unknown organization"];
    let mut took = [const { Vec::new() }; 3];
    for number in 0..TRIES + 20 {
        let member = number % MEMBERS;
        let accounts = [("acme", "member"), ("acme", "nobody"), ("nowhere", "member")];
        for turn in 0..kinds.len() {
            // Each goes first as often as the others, so that none always inherits what another left behind.
            let kind = (turn + number) % kinds.len();
            let (organization, login) = accounts[kind];
            let request = request(organization, &format!("{login}{member}"));
            let (time, answer) = server.ask(address(group, number * 3 + kind), &request).await;
            assert!(answer.contains(" 200 ") && !answer.contains("BLOCKED"), "{answer}");
            // The first ones warm up.
            if number >= 20 {
                took[kind].push(time);
            }
        }
    }
    let medians = took.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1_000.0
    });
    for (kind, median) in kinds.iter().zip(medians) {
        let apart = (median / medians[0] - 1.0) * 100.0;
        println!("{what}, {kind}: median {median:.2} ms, {apart:+.1} %");
    }
}

/// Asks how the service is while a crowd signs in.
async fn crowd(server: &Server) {
    let begin = Instant::now();
    let tries = (0..CROWD).map(|number| {
        let input =
            json!({ "organization": "acme", "login": format!("guest{number}"), "password": "a wrong password 123" });
        let request = body(SIGN_IN, input);
        async move { server.ask(address(3, number), &request).await.1 }
    });
    let signing_in = async {
        let answers = futures_util::future::join_all(tries).await;
        (answers, begin.elapsed())
    };
    let health = async {
        let request = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut times = Vec::new();
        for _ in 0..PROBES {
            let (time, answer) = server.ask(Ipv4Addr::LOCALHOST, request).await;
            assert!(answer.contains(" 200 "), "{answer}");
            times.push(time);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        times
    };
    let ((answers, wall), mut times) = tokio::join!(signing_in, health);
    let throttled = answers.iter().filter(|answer| answer.contains("THROTTLED")).count();
    times.sort_unstable();
    let at = |part: f64| times[(times.len() as f64 * part) as usize].as_secs_f64() * 1_000.0;
    println!(
        "{CROWD} sign-ins at once took {:.2} s, {throttled} of them were told to come back; health beside them: \
         median {:.1} ms, p99 {:.1} ms",
        wall.as_secs_f64(),
        at(0.5),
        at(0.99),
    );
}
