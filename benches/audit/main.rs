//! Two figures of the audit log, on both databases: how long and in how much memory a chain of a million entries is
//! verified, and how fast two hundred writers at once make one chain, beside the same rows without one.
//! `cargo bench --bench audit [-- --small]`; docs/benchmarks.md has the figures.
//!
//! The million entries are made by an implementation of the chain of its own, below: what it makes has to verify, and the
//! first entry that the service itself wrote has to come out of it byte for byte.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first surprise and talks to whoever runs it"
)]

mod chain;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../../tests/it/support/cluster.rs"]
mod cluster;
#[path = "../../tests/it/support/skip.rs"]
mod skip;
mod stand;
mod writers;

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use stand::Stand;

/// The longest that a million entries may take, and the most memory.
const GOAL: (Duration, u64) = (Duration::from_secs(60), 64);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if !has("--bench") {
        println!("This is measured by `cargo bench --bench audit`.");
        return;
    }
    let plan = if has("--small") {
        Plan {
            entries: 10_000,
            writers: 40,
            rounds: 5,
        }
    } else {
        Plan {
            entries: 1_000_000,
            writers: 200,
            rounds: 50,
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run(plan));
}

/// What is done.
#[derive(Debug, Clone, Copy)]
struct Plan {
    entries: u64,
    writers: u32,
    rounds: u32,
}

async fn run(plan: Plan) {
    let sqlite = Stand::sqlite().await;
    measure(&sqlite, plan).await;
    match Stand::postgres().await {
        Some(postgres) => measure(&postgres, plan).await,
        None => skip::skipped("the benchmark", "no initdb in PATH or /usr/lib/postgresql/*/bin"),
    }
}

async fn measure(stand: &Stand, plan: Plan) {
    println!("{}", stand.name);
    writers::measure(stand, plan.writers, plan.rounds).await;
    let begun = Instant::now();
    stand.fill(plan.entries).await;
    println!(
        "  {} entries made in {:.1} s",
        plan.entries,
        begun.elapsed().as_secs_f64()
    );
    verify(stand, plan.entries);
}

/// `orgdesk audit verify`, as an operator has it, in a process of its own.
fn verify(stand: &Stand, entries: u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orgdesk"));
    command
        .args(["audit", "verify"])
        .env_clear()
        .envs(stand.variables())
        .stdout(Stdio::piped());
    let begun = Instant::now();
    let mut child = command.spawn().expect("the program");
    let mut peak = 0;
    let status = loop {
        peak = peak.max(high_water(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().expect("the program") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let took = begun.elapsed();
    let output = child.wait_with_output().expect("what it printed");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(status.success(), "{printed}");
    let line = printed
        .lines()
        .find(|line| line.contains(" EXTRACTION "))
        .expect("the log");
    assert!(line.contains(&format!(" EXTRACTION {entries} entries")), "{line}");
    let rate = entries as f64 / took.as_secs_f64();
    println!(
        "  verified {entries} entries in {:.1} s ({rate:.0}/s), {:.1} MiB at most; goal {} s, {} MB",
        took.as_secs_f64(),
        peak as f64 / 1_024.0,
        GOAL.0.as_secs(),
        GOAL.1,
    );
}

/// The most memory that a process had so far, in KiB.
fn high_water(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
