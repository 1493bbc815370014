//! What it costs to have 100,000 rows leave as a workbook: tickets of 15 columns, three of them encrypted, and entries of the
//! audit log, on PostgreSQL and on SQLite, by a server of its own process; beside it, in the same run, `rust_xlsxwriter` with
//! the same rows from memory.
//! `cargo bench --bench extraction [-- --small] [--json FILE]`; docs/benchmarks.md says what it measures.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at the first surprise and talks to whoever runs it"
)]

#[path = "../requests/client.rs"]
#[expect(dead_code, reason = "the requests' benchmark needs more of it")]
mod client;
#[path = "../../tests/it/support/cluster.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod cluster;
#[path = "../requests/data.rs"]
#[expect(dead_code, reason = "the requests' benchmark needs more of it")]
mod data;
mod leave;
#[path = "../import/place.rs"]
#[expect(dead_code, reason = "the imports' benchmark needs more of it")]
mod place;
#[path = "../import/probe.rs"]
#[expect(dead_code, reason = "the imports' benchmark needs more of it")]
mod probe;
#[path = "../requests/server.rs"]
#[expect(dead_code, reason = "the requests' benchmark needs more of it")]
mod server;
#[path = "../../tests/it/support/skip.rs"]
mod skip;
#[path = "../import/start.rs"]
mod start;
#[path = "../import/usage.rs"]
#[expect(dead_code, reason = "the imports' benchmark needs more of it")]
mod usage;
#[path = "../import/workbook.rs"]
#[expect(dead_code, reason = "the imports' benchmark needs more of it")]
mod workbook;
mod write;

use std::time::Duration;

use leave::{Left, List};
use place::Place;
use serde_json::{Value, json};
use write::{Mode, Written};

/// How many rows the list of the figures has, and that of `--small`.
const ROWS: [u32; 2] = [100_000, 2_000];

/// How often each is done: the middle one counts.
const TIMES: usize = 3;

/// What servers are started with beside what each needs: as many rows and days as an installation can allow.
const VARIABLES: [(&str, &str); 2] = [
    ("ORGDESK_EXTRACTION_ROWS", "100000"),
    ("ORGDESK_EXTRACTION_DAYS", "184"),
];

fn main() {
    start::start("extraction", run);
}

/// What came of a list on a database.
struct Measured {
    database: &'static str,
    list: &'static str,
    left: Left,
    /// The library with the same rows: all of them in memory, and in its mode for constant memory.
    whole: Written,
    constant: Written,
}

async fn run(size: usize) -> Value {
    println!("load {}", usage::load_average());
    let mut all = Vec::new();
    match Place::on_postgres().await {
        Some(place) => all.extend(both(place, size).await),
        None => skip::skipped(
            "the half on PostgreSQL",
            "no initdb in PATH or /usr/lib/postgresql/*/bin",
        ),
    }
    all.extend(both(Place::on_sqlite().await, size).await);
    all.iter().for_each(tell);
    println!("\nload {}", usage::load_average());
    json!({
        "rows": ROWS[size],
        "lists": all.iter().map(Measured::json).collect::<Vec<_>>(),
        "loadAverage": usage::load_average(),
    })
}

/// Both lists of a database, each by a server that has done nothing yet.
async fn both(place: Place, size: usize) -> [Measured; 2] {
    let service = leave::filled(&place, ROWS[size]).await;
    leave::logged(&place, ROWS[size]).await;
    let place = leave::restarted(place).await;
    let tickets = measure(&place, List::Tickets(&service), size).await;
    let place = leave::restarted(place).await;
    [tickets, measure(&place, List::Entries, size).await]
}

async fn measure(place: &Place, list: List<'_>, size: usize) -> Measured {
    let database = place.name;
    let mut lefts = Vec::new();
    for _ in 0..TIMES {
        lefts.push(leave::leave(place, list, ROWS[size]).await);
    }
    let rows = write::rows_of(&leave::file(place, &lefts[0].extraction).await);
    assert_eq!(rows.len() as u64, u64::from(ROWS[size]) + 1, "all rows left");
    // The first one is the one that a server which has done nothing yet had in memory.
    let extra = lefts[0].extra;
    lefts.sort_unstable_by_key(|left| left.wall);
    let left = lefts.swap_remove(TIMES / 2);
    println!(
        "{database}: {} {}, {:.1} MB",
        ROWS[size],
        list.name(),
        left.bytes as f64 / 1e6
    );
    Measured {
        database,
        list: list.name(),
        left: Left { extra, ..left },
        whole: write::middle(&rows, Mode::Whole, TIMES),
        constant: write::middle(&rows, Mode::Constant, TIMES),
    }
}

impl Measured {
    fn json(&self) -> Value {
        json!({
            "database": self.database, "list": self.list, "bytes": self.left.bytes, "wallSeconds": self.left.wall.as_secs_f64(),
            "serverSeconds": self.left.used.server.as_secs_f64(), "databaseSeconds": self.left.used.database.as_secs_f64(),
            "idleBytes": self.left.idle, "extraBytes": self.left.extra,
            "libraryWhole": self.whole.json(), "libraryConstant": self.constant.json(),
        })
    }
}

fn tell(measured: &Measured) {
    let Measured {
        left, whole, constant, ..
    } = measured;
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    let ratio = |one: Duration, other: Duration| format!("{:.2}", one.as_secs_f64() / other.as_secs_f64());
    let mebibytes = |bytes: u64| format!("{:.1} MiB", bytes as f64 / 1_048_576.0);
    println!("\n{}, {}", measured.database, measured.list);
    println!(
        "  {} from begin to end; processors: server {}, database {}",
        seconds(left.wall),
        seconds(left.used.server),
        seconds(left.used.database),
    );
    println!(
        "  rust_xlsxwriter, rows in memory: {} ({} of the processors), {:.1} MB; the extraction takes {} times that (goal 3), of the server's processors {} times",
        seconds(whole.wall),
        seconds(whole.processor),
        whole.bytes as f64 / 1e6,
        ratio(left.wall, whole.wall),
        ratio(left.used.server, whole.processor),
    );
    println!(
        "  rust_xlsxwriter, constant memory: {} ({} of the processors); the extraction takes {} times that, {} times as many rows a second (goal 0.85)",
        seconds(constant.wall),
        seconds(constant.processor),
        ratio(left.wall, constant.wall),
        ratio(constant.wall, left.wall),
    );
    println!(
        "  memory: {} idle, {} more at most (goal 64, then 16)",
        mebibytes(left.idle),
        mebibytes(left.extra),
    );
}
