//! Whether a thousand events a second get into the CTI log of one organization, on PostgreSQL, for a minute: none lost, in
//! how much memory, and at what price in processor time. `cargo bench --bench cti_log [-- --small] [--single] [--agents N]`;
//! docs/benchmarks.md has the figures.
//!
//! The load is offered by the clock and not by the answers: each agent's widget sends what a second brought it when that
//! second is over, whether or not its last request was quick; `--single` sends each event by itself as it happens.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first surprise and talks to whoever runs it"
)]

#[expect(dead_code, reason = "the requests' benchmark needs more of it")]
#[path = "../requests/client.rs"]
mod client;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../../tests/it/support/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "the requests' benchmark needs more of it")]
#[path = "../requests/data.rs"]
mod data;
#[expect(dead_code, reason = "the requests' benchmark needs more of it")]
#[path = "../requests/server.rs"]
mod server;
#[path = "../../tests/it/support/skip.rs"]
mod skip;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use client::{Connection, post};
use data::{DataSet, Scale};
use orgdesk::kernel::{Clock, SystemClock, config::Source};
use serde_json::json;
use server::Server;
use tokio::time::{Instant, sleep, sleep_until};

/// Other organizations with their logs are there too.
const SCALE: Scale = Scale {
    organizations: 20,
    entries: 20_000,
};

/// Events a second, of all agents together.
const RATE: u64 = 1_000;

/// Agents who telephone at once, where nothing else is said.
const AGENTS: u64 = 200;

const MUTATION: &str =
    "mutation E($input: CtiEventsRecordInput!) { ctiEventsRecord(input: $input) { isMonitored results { outcome }
    userErrors { code field } } }";

/// Telephony for the first organization of the data set, a log that is on, and so many agents who handle calls.
const FURNISH: &str = "SET session_replication_role = replica;
    INSERT INTO member (id, organization_id, login, name, email, password_hash, is_owner, status, joined_at, version)
      SELECT gen_random_uuid(), o.id, 'agent-' || n, '상담원 ' || n, 'agent-' || n || '@house-1.example.com', 'none', false,
             'ACTIVE', now(), 1
      FROM organization o, generate_series(0, :agents - 1) n WHERE o.domain = 'house-1';
    INSERT INTO agent SELECT gen_random_uuid(), m.organization_id, s.id, m.id, 'AGENT', true, false, true, false, false, false, true,
             false, false, now(), 1
      FROM member m JOIN service s ON s.organization_id = m.organization_id AND s.code = 'deska' WHERE m.login LIKE 'agent-%';
    UPDATE contract c SET items = items || '[{\"code\": \"TELTICKET\", \"is_on\": true, \"user_count\": 100, \"expected_volume\": null}]'
      FROM service s WHERE s.id = c.service_id AND s.code = 'deska';
    INSERT INTO cti_setting (organization_id, is_mobile_contact_enabled, is_cti_log_monitored, has_bulk_wait_state,
        is_outbound_ticket_auto_created, is_inbound_auto_answered, version)
      SELECT id, false, true, false, false, false, 1 FROM organization WHERE domain = 'house-1';
    ANALYZE member, agent, contract, cti_setting;";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let after = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)?.parse().ok()
    };
    if !has("--bench") {
        println!("This is measured by `cargo bench --bench cti_log`.");
        return;
    }
    let seconds = if has("--small") { 5 } else { 60 };
    let plan = Plan {
        agents: after("--agents").unwrap_or(AGENTS).clamp(1, RATE),
        seconds,
        is_single: has("--single"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run(plan));
}

/// What is offered.
#[derive(Clone, Copy)]
struct Plan {
    agents: u64,
    seconds: u64,
    is_single: bool,
}

impl Plan {
    /// How often an agent sends.
    fn every(self) -> Duration {
        let second = Duration::from_secs(1);
        if self.is_single {
            second / u32::try_from(RATE / self.agents).expect("few")
        } else {
            second
        }
    }

    /// How many events an agent sends at once.
    fn batch(self) -> u64 {
        if self.is_single { 1 } else { RATE / self.agents }
    }

    /// How often each agent sends in all.
    fn rounds(self) -> u64 {
        self.seconds * RATE / self.agents / self.batch()
    }
}

async fn run(plan: Plan) {
    let Some(data) = DataSet::make(SCALE).await else {
        skip::skipped("the benchmark", "no initdb in PATH or /usr/lib/postgresql/*/bin");
        return;
    };
    data.run(&FURNISH.replace(":agents", &plan.agents.to_string())).await;
    let tokens = sign_in(&data, plan.agents).await;
    let first = post(
        "/graphql",
        Some(&tokens[0]),
        &json!({ "query": "{ viewer { permissions } }" }),
    );
    let server = Server::service(&data, &first).await;
    sleep(Duration::from_secs(2)).await;
    println!(
        "PostgreSQL {}; {} agents, each sends {} event(s) every {} ms for {} s",
        data.version,
        plan.agents,
        plan.batch(),
        plan.every().as_millis(),
        plan.seconds,
    );

    let sent = Arc::new(AtomicU64::new(0));
    let before = server.used(&data);
    let own = processor_of_this_program();
    let begin = Instant::now() + Duration::from_millis(200);
    let widgets = (0..plan.agents).zip(tokens).map(|(number, token)| {
        let (address, sent) = (server.address, sent.clone());
        tokio::spawn(async move { widget(plan, number, &token, address, begin, &sent).await })
    });
    let widgets: Vec<_> = widgets.collect();
    let mut memory = Vec::new();
    for part in 0..=4 {
        sleep_until(begin + Duration::from_secs(plan.seconds) * part / 4).await;
        memory.push(server.resident() / 1_048_576);
    }
    let mut latencies = Vec::new();
    for widget in widgets {
        latencies.extend(widget.await.expect("a widget"));
    }
    let wall = begin.elapsed();
    let used = server.used(&data).since(before);
    let own = processor_of_this_program() - own;

    let sent = sent.load(Ordering::Relaxed);
    let kept = count(&data).await;
    latencies.sort_unstable();
    let at = |part: f64| latencies[((latencies.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
    let share = |time: Duration| time.as_secs_f64() / wall.as_secs_f64();
    println!(
        "sent {sent}, kept {kept}, {:.0} a second over {:.1} s; {} requests, median {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        kept as f64 / wall.as_secs_f64(),
        wall.as_secs_f64(),
        latencies.len(),
        at(0.5),
        at(0.99),
        at(1.0),
    );
    println!(
        "processors: server {:.2}, database {:.2}, this program {:.2}; resident memory at the quarters: {memory:?} MiB",
        share(used.server),
        share(used.database),
        share(own),
    );
    assert_eq!(sent, kept, "events were lost, or there are more than were sent");
    assert_eq!(
        sent,
        plan.rounds() * plan.batch() * plan.agents,
        "not everything was sent"
    );
}

/// One agent's widget: sends by the clock, a phase of its own away from the others. Answers how long each request took
/// from when it was due.
async fn widget(
    plan: Plan,
    number: u64,
    token: &str,
    address: std::net::SocketAddr,
    begin: Instant,
    sent: &AtomicU64,
) -> Vec<Duration> {
    let mut connection = Connection::open(address).await.expect("a connection");
    let mut latencies = Vec::new();
    let phase = plan.every() * u32::try_from(number).expect("few") / u32::try_from(plan.agents).expect("few");
    for round in 0..plan.rounds() {
        let due = begin + phase + plan.every() * u32::try_from(round).expect("few");
        sleep_until(due).await;
        let now = SystemClock.now().to_text();
        let event = |place: u64| {
            let call = format!("c-{number}-{}", round / 4);
            json!({ "externalId": format!("{number:04x}-{round:06x}-{place:04x}-7c3a-9b1e2f6d8a4c"), "kind": "CALL_CONNECTED",
                "occurredAt": now, "callReference": call, "customerNumber": "010-1234-5678" })
        };
        let events: Vec<_> = (0..plan.batch()).map(event).collect();
        let body = json!({ "query": MUTATION, "variables": { "input": { "events": events } } });
        let request = post("/graphql", Some(token), &body);
        let (status, body) = connection.ask(&request).await.expect("an answer");
        let text = std::str::from_utf8(body).expect("text");
        let kept = text.matches("\"KEPT\"").count() as u64;
        assert!(status == 200 && kept == plan.batch(), "{status} {text}");
        sent.fetch_add(kept, Ordering::Relaxed);
        latencies.push(due.elapsed());
    }
    latencies
}

async fn sign_in(data: &DataSet, agents: u64) -> Vec<String> {
    let source = Source::read(data::variables(&data.app_url).into_iter()).expect("known names");
    let settings = orgdesk::kernel::Settings::for_service(&source).expect("whole settings");
    let random = orgdesk::kernel::Random::from_system().expect("randomness");
    let app = orgdesk::setup::open(settings, Arc::new(SystemClock), random)
        .await
        .expect("an installation");
    let mut tokens = Vec::new();
    for number in 0..agents {
        let token = orgdesk::operate::access_token(&app, "house-1", &format!("agent-{number}")).await;
        tokens.push(token.expect("a token"));
    }
    app.database.close().await;
    tokens
}

async fn count(data: &DataSet) -> u64 {
    use sqlx::{Connection as _, Row as _};
    let mut admin = sqlx::PgConnection::connect(&data.admin_url).await.expect("the cluster");
    let row = sqlx::query("SELECT count(*) FROM cti_event")
        .fetch_one(&mut admin)
        .await;
    let kept: i64 = row.expect("a count").get(0);
    kept.try_into().expect("a count")
}

/// What this program used of the processors, to the hundredth of a second.
fn processor_of_this_program() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("/proc");
    let (_, fields) = text.rsplit_once(')').expect("a name");
    // utime and stime: fields 14 and 15 of proc(5), from 3 on; USER_HZ is 100.
    let ticks = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap_or(0));
    Duration::from_millis(10) * ticks.sum::<u32>()
}
