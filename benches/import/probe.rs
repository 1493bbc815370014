//! Others who ask the API meanwhile: by the clock and not by the answers, so that a request that waits long is one that
//! others wait behind.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::{
    client::{Connection, post},
    place::Place,
};

/// How often each of the two organizations is asked.
const READ_EVERY: Duration = Duration::from_millis(80);
/// How often something is written in each.
const WRITE_EVERY: Duration = Duration::from_millis(400);

const READ: &str = "{ services(first: 20) { totalCount nodes { id code name status } } imports(first: 5) { nodes { state insertedCount } }
    organization { name } }";
const WRITE: &str =
    "mutation W($id: ID!, $input: ServiceUpdateInput!) { serviceUpdate(id: $id, input: $input) { service { version }
    userErrors { code } } }";

/// How long answers took.
#[derive(Debug, Default)]
pub struct Answers {
    reads: Vec<Duration>,
    writes: Vec<Duration>,
}

/// Some answers, in milliseconds.
pub struct Summary {
    pub count: usize,
    pub p95: f64,
    pub p99: f64,
}

fn summary(latencies: &[Duration]) -> Summary {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    let at = |part: f64| {
        let place = (sorted.len().saturating_sub(1) as f64 * part) as usize;
        sorted.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    Summary {
        count: sorted.len(),
        p95: at(0.95),
        p99: at(0.99),
    }
}

impl Answers {
    fn all(&self) -> Vec<Duration> {
        self.reads.iter().chain(&self.writes).copied().collect()
    }

    /// What is compared, each with its name.
    pub fn beside(&self, busy: &Self) -> [(&'static str, Summary, Summary); 3] {
        [
            ("all", summary(&self.all()), summary(&busy.all())),
            ("reads", summary(&self.reads), summary(&busy.reads)),
            ("writes", summary(&self.writes), summary(&busy.writes)),
        ]
    }

    pub fn json(&self) -> Value {
        let of =
            |summary: Summary| json!({ "count": summary.count, "p95Millis": summary.p95, "p99Millis": summary.p99 });
        json!({ "all": of(summary(&self.all())), "reads": of(summary(&self.reads)), "writes": of(summary(&self.writes)) })
    }
}

/// Asks while `work` goes on.
pub async fn ask<T>(place: &Place, work: impl Future<Output = T>) -> (Answers, T) {
    let stop = AtomicBool::new(false);
    let [own, neighbour] = place.writers().await;
    let working = async {
        let done = work.await;
        stop.store(true, Ordering::Relaxed);
        done
    };
    let ((reads, more_reads), (writes, more_writes), done) = tokio::join!(
        async { tokio::join!(read(place, &own.token, &stop), read(place, &neighbour.token, &stop)) },
        async { tokio::join!(write(place, own.clone(), &stop), write(place, neighbour.clone(), &stop)) },
        working,
    );
    let answers = Answers {
        reads: [reads, more_reads].concat(),
        writes: [writes, more_writes].concat(),
    };
    (answers, done)
}

/// Who writes, and what.
#[derive(Clone)]
pub struct Writer {
    pub token: String,
    pub service: String,
    pub version: i64,
}

async fn read(place: &Place, token: &str, stop: &AtomicBool) -> Vec<Duration> {
    let request = post("/graphql", Some(token), &json!({ "query": READ }));
    let mut connection = Connection::open(place.address()).await.expect("a connection");
    let (mut latencies, begin) = (Vec::new(), Instant::now());
    for round in 1.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let due = begin + READ_EVERY * round;
        sleep_until(due).await;
        let (status, body) = connection.ask(&request).await.expect("an answer");
        let text = std::str::from_utf8(body).expect("text");
        assert!(status == 200 && text.contains("\"totalCount\":"), "{status} {text}");
        latencies.push(due.elapsed());
    }
    latencies
}

async fn write(place: &Place, mut writer: Writer, stop: &AtomicBool) -> Vec<Duration> {
    let mut connection = Connection::open(place.address()).await.expect("a connection");
    let (mut latencies, begin) = (Vec::new(), Instant::now());
    for round in 1.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let due = begin + WRITE_EVERY * round;
        sleep_until(due).await;
        let name = format!("창구 {}", writer.version);
        let variables = json!({ "id": writer.service, "input": { "expectedVersion": writer.version, "name": name } });
        let request = post(
            "/graphql",
            Some(&writer.token),
            &json!({ "query": WRITE, "variables": variables }),
        );
        let (status, body) = connection.ask(&request).await.expect("an answer");
        latencies.push(due.elapsed());
        let answer: Value = serde_json::from_slice(body).expect("JSON");
        let version = answer["data"]["serviceUpdate"]["service"]["version"].as_i64();
        assert!(status == 200, "{status} {answer}");
        writer.version = version.unwrap_or_else(|| panic!("{answer}"));
    }
    latencies
}
