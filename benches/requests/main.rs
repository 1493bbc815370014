//! What a request costs: processor time of server and database for five works on PostgreSQL, beside a hand-written handler
//! that runs the same statements; start-up, memory, and what it costs to refuse. `cargo bench --bench requests [-- --small] [--json FILE]
//! [--statements]`, `-- --instructions [--keep]` or `-- --soak MINUTES`; docs/benchmarks.md has the figures.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first surprise and talks to whoever runs it"
)]

mod client;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../../tests/it/support/cluster.rs"]
mod cluster;
mod data;
#[path = "../../tests/it/support/hostile.rs"]
mod hostile;
mod instructions;
mod limit;
mod limit_agents;
mod limit_edit;
mod limit_log;
mod measure;
mod refuse;
mod server;
#[path = "../../tests/it/support/skip.rs"]
mod skip;
mod soak;
mod statements;
mod work;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use client::Until;
use data::{DataSet, Scale};
use measure::{Measured, Plan, measure, median};
use serde_json::{Value, json};
use server::{HAND_WRITTEN, Server};
use statements::Statements;
use work::{Reads, Side, Work};

/// The data set of the figures.
const WHOLE: Scale = Scale {
    organizations: 200,
    entries: 2_000_000,
};

/// The data set of `--small`.
const SMALL: Scale = Scale {
    organizations: 20,
    entries: 20_000,
};

/// How often a server is started to see how long that takes.
const STARTS: usize = 5;

/// Connections under which memory is looked at.
const CROWD: usize = 32;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if let Some(address) = after(HAND_WRITTEN) {
        runtime.block_on(limit::serve(&address));
    } else if has("--soak") {
        let minutes = after("--soak").and_then(|minutes| minutes.parse().ok());
        runtime.block_on(soak(minutes.expect("a number of minutes")));
    } else if has("--instructions") {
        runtime.block_on(count_instructions(has("--keep")));
    } else if has("--bench") {
        let report = runtime.block_on(run(has("--small"), has("--statements")));
        if let (Some(file), Some(report)) = (after("--json"), report) {
            let text = serde_json::to_string_pretty(&report).expect("JSON");
            fs::write(&file, text + "\n").expect("a file that can be written");
        }
    } else {
        println!("This is measured by `cargo bench --bench requests`.");
    }
}

async fn count_instructions(keeps: bool) {
    match DataSet::make(SMALL).await {
        Some(data) => instructions::run(&data, Path::new("target/instructions"), keeps).await,
        None => skip::skipped("the count", "no initdb in PATH or /usr/lib/postgresql/*/bin"),
    }
}

async fn soak(minutes: usize) {
    match DataSet::make(SMALL).await {
        Some(mut data) => soak::run(&mut data, minutes).await,
        None => skip::skipped("the long run", "no initdb in PATH or /usr/lib/postgresql/*/bin"),
    }
}

async fn run(is_small: bool, shows_statements: bool) -> Option<Value> {
    let begin = Instant::now();
    let (scale, rounds, millis, limit) = if is_small {
        (SMALL, 3, 500, 40)
    } else {
        (WHOLE, 7, 1_500, 240)
    };
    let plan = Plan {
        rounds,
        time: Duration::from_millis(millis),
        end: begin + Duration::from_secs(limit),
    };
    let Some(data) = DataSet::make(scale).await else {
        skip::skipped("the benchmark", "no initdb in PATH or /usr/lib/postgresql/*/bin");
        return None;
    };
    println!(
        "{} organizations, {} log entries, PostgreSQL {}, made in {:.0} s; load {}",
        scale.organizations,
        scale.entries,
        data.version,
        begin.elapsed().as_secs_f64(),
        load_average(),
    );
    let (service, service_starts) = start(&data, Side::Service).await;
    let (hand_written, hand_written_starts) = start(&data, Side::HandWritten).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let servers = [&service, &hand_written];
    let idle = servers.map(Server::resident);

    let reads = Reads::make(&data, &service).await;
    reads.compare(&service, &hand_written).await;
    let crowded = [
        crowd(&reads, Side::Service, &service).await,
        crowd(&reads, Side::HandWritten, &hand_written).await,
    ];
    let measured = measure(&data, &reads, servers, plan).await;
    let statements = count(&data, &reads, servers, shows_statements).await;
    let refused = refuse::measure(&data, &service).await;

    let starts = [service_starts, hand_written_starts].map(median);
    report(&measured, &statements, starts, [idle, crowded]);
    refuse::report(&refused);
    println!(
        "\n{:.0} s in all; load {}",
        begin.elapsed().as_secs_f64(),
        load_average()
    );
    Some(json!({
        "organizations": scale.organizations,
        "entries": scale.entries,
        "postgresql": data.version,
        "works": measured.iter().map(Measured::json).collect::<Vec<_>>(),
        "statements": statements.iter().map(|both| both.each_ref().map(|one| one.0.len())).collect::<Vec<_>>(),
        "startSeconds": starts,
        "idleBytes": idle,
        "crowdedBytes": crowded,
        "refused": refused.iter().map(refuse::Refused::json).collect::<Vec<_>>(),
        "loadAverage": load_average(),
    }))
}

/// Starts a server several times; the last one stays.
async fn start(data: &DataSet, side: Side) -> (Server, Vec<f64>) {
    let first = work::organization(side, &data.organizations[0]);
    let mut times = Vec::new();
    loop {
        let server = match side {
            Side::Service => Server::service(data, &first).await,
            Side::HandWritten => Server::hand_written(data, &first).await,
        };
        times.push(server.start.as_secs_f64());
        if times.len() == STARTS {
            return (server, times);
        }
    }
}

/// Resident memory after the largest work on many connections.
async fn crowd(reads: &Reads, side: Side, server: &Server) -> u64 {
    let requests = reads.of(Work::Services, side, CROWD);
    client::load(
        server.address,
        &requests,
        Until::For(Duration::from_secs(2)),
        Work::Services.sign(),
    )
    .await;
    server.resident()
}

/// The statements of every work by both servers.
async fn count(data: &DataSet, reads: &Reads, servers: [&Server; 2], shows: bool) -> Vec<[Statements; 2]> {
    let mut all = Vec::new();
    for work in Work::ALL {
        let mut both = Vec::new();
        for (side, server) in [Side::Service, Side::HandWritten].into_iter().zip(servers) {
            let request = if work == Work::Edit {
                data.free_the_day().await;
                work::edits(data, side, 1, data.version_of_first().await)[0][0].clone()
            } else {
                reads.of(work, side, 1)[0][0].clone()
            };
            let statements = Statements::of(data, side, server, &request).await;
            if shows {
                println!("\n{} {side:?}\n  {}", work.name(), statements.0.join("\n  "));
            }
            both.push(statements);
        }
        all.extend(<[Statements; 2]>::try_from(both).ok());
    }
    all
}

fn report(measured: &[Measured], statements: &[[Statements; 2]], starts: [f64; 2], memory: [[u64; 2]; 2]) {
    println!(
        "\n{:<42} {:>9} {:>9} {:>9} {:>9} {:>6} {:>7} {:>6} {:>15} {:>15} {:>11}",
        "CPU a request, ms",
        "server",
        "database",
        "together",
        "by hand",
        "ratio",
        "req/s",
        "ratio",
        "p50 by hand",
        "p99 by hand",
        "statements"
    );
    for (one, [service, limit]) in measured.iter().zip(statements) {
        let millis = |of: fn(&measure::Sample) -> f64, place: usize| one.median(|round| of(&round[place])) / 1e3;
        let pair = |of: fn(&measure::Sample) -> f64| {
            format!(
                "{:.2} {:.2}",
                one.median(|round| of(&round[0])),
                one.median(|round| of(&round[1]))
            )
        };
        println!(
            "{:<42} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>6.2} {:>7.0} {:>6.2} {:>15} {:>15} {:>11}",
            one.work.name(),
            millis(|sample| sample.server, 0),
            millis(|sample| sample.database, 0),
            millis(|sample| sample.server + sample.database, 0),
            millis(|sample| sample.server + sample.database, 1),
            one.ratio(),
            one.median(|round| round[0].per_second),
            one.speed(),
            pair(|sample| sample.p50),
            pair(|sample| sample.p99),
            format!("{}+{} {}", service.own(), service.around(), limit.0.len()),
        );
    }
    let megabytes = |bytes: u64| bytes / 1_000_000;
    println!(
        "\nfrom the start of the process to the first answer: {:.3} s, by hand {:.3} s",
        starts[0], starts[1]
    );
    let [idle, crowded] = memory.map(|both| both.map(megabytes));
    println!("resident memory, idle: {} MB, by hand {} MB", idle[0], idle[1]);
    println!(
        "resident memory after (b) on {CROWD} connections: {} MB, by hand {} MB",
        crowded[0], crowded[1]
    );
}

/// The machine's load, as it is told.
fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
