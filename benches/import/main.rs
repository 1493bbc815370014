//! What it costs to bring 100,000 old consultations into a service: looking the file through and making tickets of its rows,
//! on PostgreSQL and on SQLite, beside calamine's bare read of the same file and PostgreSQL's COPY of the same rows in the
//! same run; how fast the API answers meanwhile; and a template of as many fields as there can be.
//! `cargo bench --bench import [-- --small] [--json FILE]`; docs/benchmarks.md has the figures.
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
mod copy;
#[path = "../requests/data.rs"]
#[expect(dead_code, reason = "the requests' benchmark needs more of it")]
mod data;
#[expect(dead_code, reason = "the extraction's benchmark needs more of it")]
mod place;
mod probe;
#[path = "../requests/server.rs"]
#[expect(dead_code, reason = "the requests' benchmark needs more of it")]
mod server;
#[path = "../../tests/it/support/skip.rs"]
mod skip;
mod start;
mod usage;
mod workbook;

use std::time::Duration;

use place::Place;
use probe::Answers;
use serde_json::{Value, json};
use usage::Used;
use workbook::Book;

/// How many rows the file of the figures has, and that of `--small`.
const ROWS: [u32; 2] = [100_000, 2_000];

/// For how long the API is asked while nothing else is done.
const IDLE: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(3)];

/// What servers are started with beside what each needs.
const VARIABLES: [(&str, &str); 0] = [];

/// How often the template is fetched.
const TEMPLATES: usize = 20;

fn main() {
    start::start("import", run);
}

/// What came of a database.
struct Measured {
    database: &'static str,
    rows: u32,
    bytes: usize,
    check: Used,
    /// While nobody else does anything.
    alone: Run,
    /// While others read and write.
    crowded: Run,
    /// What PostgreSQL takes by itself for what came alone.
    copied: Option<copy::Copied>,
    idle: Answers,
    busy: Answers,
    /// Columns of the widest template, and how long it takes to make: the middle one.
    columns: usize,
    template: Duration,
}

/// A run: from the beginning of the import to its end, as the service tells them, and what it used.
struct Run {
    wall: Duration,
    used: Used,
}

async fn run(size: usize) -> Value {
    println!("load {}", usage::load_average());
    let mut all = Vec::new();
    let mut bare = None;
    if let Some(place) = Place::on_postgres().await {
        let (measured, book) = measure(&place, size).await;
        bare = Some(workbook::bare_read(&book.bytes, 3));
        all.push(measured);
    } else {
        skip::skipped(
            "the half on PostgreSQL",
            "no initdb in PATH or /usr/lib/postgresql/*/bin",
        );
    }
    let place = Place::on_sqlite().await;
    let (measured, book) = measure(&place, size).await;
    all.push(measured);
    let bare = bare.unwrap_or_else(|| workbook::bare_read(&book.bytes, 3));
    let copied = all.iter().find_map(|measured| measured.copied.as_ref());
    for measured in &all {
        tell(measured, bare, copied);
    }
    println!("\nload {}", usage::load_average());
    json!({
        "rows": ROWS[size],
        "bareReadSeconds": bare.as_secs_f64(),
        "copySeconds": copied.map(|copied| copied.texts.as_secs_f64()),
        "copyOfTicketsSeconds": copied.map(|copied| copied.tickets.as_secs_f64()),
        "databases": all.iter().map(Measured::json).collect::<Vec<_>>(),
        "loadAverage": usage::load_average(),
    })
}

async fn measure(place: &Place, size: usize) -> (Measured, Book) {
    let desk = place.desk("alone", 0).await;
    let book = Book::make(&place.template(&desk).await, ROWS[size]);
    println!(
        "{}: {} rows of {} columns, {:.1} MB",
        place.name,
        book.rows,
        workbook::COLUMNS.len(),
        book.bytes.len() as f64 / 1e6
    );

    let ((import, version), check) = place.watched(place.looked_through(&desk, &book)).await;
    let import = place.confirmed(&import, version).await;
    let (wall, used) = place.watched(place.brought(&import, book.rows)).await;
    let alone = Run { wall, used };
    let copied = if place.is_on_postgres() {
        Some(copy::copy(place, &book).await)
    } else {
        None
    };

    let desk = place.desk("desk", 0).await;
    let book = Book::make(&place.template(&desk).await, ROWS[size]);
    let (import, version) = place.looked_through(&desk, &book).await;
    let import = place.confirmed(&import, version).await;
    let (idle, ()) = probe::ask(place, async { tokio::time::sleep(IDLE[size]).await }).await;
    let (busy, (wall, used)) = probe::ask(place, place.watched(place.brought(&import, book.rows))).await;
    let crowded = Run { wall, used };

    let wide = place.desk("wide", 80).await;
    let mut times = Vec::new();
    let mut columns = 0;
    for _ in 0..TEMPLATES {
        let (template, time) = place.template_at(&place.template_path(&wide).await).await;
        times.push(time);
        columns = workbook::columns(&template).len();
    }
    times.sort_unstable();
    let measured = Measured {
        database: place.name,
        rows: book.rows,
        bytes: book.bytes.len(),
        check,
        alone,
        crowded,
        copied,
        idle,
        busy,
        columns,
        template: times[times.len() / 2],
    };
    (measured, book)
}

impl Measured {
    /// Rows a second of the check: from the start of its process to its end.
    fn checked_per_second(&self) -> f64 {
        f64::from(self.rows) / self.check.child_wall.as_secs_f64()
    }

    fn json(&self) -> Value {
        json!({
            "database": self.database, "rows": self.rows, "bytes": self.bytes,
            "check": self.check.json(), "checkedRowsPerSecond": self.checked_per_second(),
            "run": self.alone.json(), "crowdedRun": self.crowded.json(),
            "idle": self.idle.json(), "busy": self.busy.json(),
            "templateColumns": self.columns, "templateSeconds": self.template.as_secs_f64(),
        })
    }
}

impl Run {
    fn json(&self) -> Value {
        json!({ "seconds": self.wall.as_secs_f64(), "used": self.used.json() })
    }
}

fn tell(measured: &Measured, bare: Duration, copied: Option<&copy::Copied>) {
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    let megabytes = |bytes: u64| format!("{:.0} MB", bytes as f64 / 1e6);
    let ratio = |one: Duration, other: Duration| format!("{:.2}", one.as_secs_f64() / other.as_secs_f64());
    let check = &measured.check;
    println!("\n{}", measured.database);
    println!(
        "  check: {:.0} rows/s; processors: its process {}, server {}; a bare read {}: the process {} times that (goal 1.5), both {} times",
        measured.checked_per_second(),
        seconds(check.child),
        seconds(check.server),
        seconds(bare),
        ratio(check.child, bare),
        ratio(check.child + check.server, bare),
    );
    println!(
        "  check: memory: its process {} at most (goal 128 MiB, wall 256), server {}",
        megabytes(check.child_peak),
        megabytes(check.server_peak)
    );
    for (how, run) in [("alone", &measured.alone), ("while others write", &measured.crowded)] {
        let used = &run.used;
        println!(
            "  run, {how}: {:.0} rows/s, {} in all; processors: server {}, its reader {}, database {}; memory: server {}, reader {}",
            f64::from(measured.rows) / run.wall.as_secs_f64(),
            seconds(run.wall),
            seconds(used.server),
            seconds(used.child),
            seconds(used.database),
            megabytes(used.server_peak),
            megabytes(used.child_peak),
        );
        if let Some(copied) = copied {
            let goal = if measured.database == "SQLite" { 40 } else { 20 };
            println!(
                "  run, {how}: {} times PostgreSQL's COPY of the same rows as texts, {} (goal {goal}); {} times its COPY of the tickets with their indexes, {}",
                ratio(run.wall, copied.texts),
                seconds(copied.texts),
                ratio(run.wall, copied.tickets),
                seconds(copied.tickets),
            );
        }
    }
    for (name, idle, busy) in measured.idle.beside(&measured.busy) {
        println!(
            "  API, {name}: p95 {:.1} ms idle, {:.1} ms while it runs, {:.2} times (goal 2); p99 {:.1} and {:.1} ms; {} and {} requests",
            idle.p95,
            busy.p95,
            busy.p95 / idle.p95,
            idle.p99,
            busy.p99,
            idle.count,
            busy.count,
        );
    }
    println!(
        "  a template of {} columns: {:.1} ms (goal 20 for 100)",
        measured.columns,
        measured.template.as_secs_f64() * 1e3
    );
}
