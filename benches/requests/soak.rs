//! A long run: all five works at a steady rate, for as long as is wanted, and what the server holds at the end of every
//! minute. What grows without an end shows here and nowhere else.

use std::{
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    client::{Connection, Request},
    data::DataSet,
    measure::median,
    server::Server,
    work::{self, Reads, Side, Work},
};

/// How long one set of connections is kept.
const MINUTE: Duration = Duration::from_secs(60);

/// Connections of each work.
const CONNECTIONS: usize = 4;

/// What a connection that reads waits between an answer and the next request. Edits, of which a contract has one each minute,
/// are spread over most of it.
const PAUSE: Duration = Duration::from_millis(100);

/// What the server holds at an instant.
struct Held {
    resident: u64,
    files: usize,
}

impl Held {
    fn by(server: &Server) -> Self {
        let files = fs::read_dir(format!("/proc/{}/fd", server.id())).expect("a running server");
        Self {
            resident: server.resident(),
            files: files.count(),
        }
    }
}

/// Goes on for so many minutes, and tells of each.
pub async fn run(data: &mut DataSet, minutes: usize) {
    let first = work::organization(Side::Service, &data.organizations[0]);
    let server = Server::service(data, &first).await;
    println!(
        "{:>6} {:>9} {:>7} {:>7} {:>9} {:>6}",
        "minute", "requests", "p50 ms", "p99 ms", "memory MB", "files"
    );
    let mut resident = Vec::new();
    for minute in 1..=minutes {
        data.sign_in_anew().await;
        let reads = Reads::make(data, &server).await;
        let mut latencies = one_minute(data, &reads, server.address, minute).await;
        latencies.sort_unstable();
        let percentile = |part: f64| latencies[(latencies.len() as f64 * part) as usize].as_secs_f64() * 1e3;
        let held = Held::by(&server);
        resident.push(held.resident as f64 / 1e6);
        println!(
            "{minute:>6} {:>9} {:>7.1} {:>7.1} {:>9.1} {:>6}",
            latencies.len(),
            percentile(0.5),
            percentile(0.99),
            held.resident as f64 / 1e6,
            held.files,
        );
    }
    let quarter = resident.len().div_ceil(4);
    let of = |part: &[f64]| median(part.to_vec());
    println!(
        "memory in the last quarter against the first: {:.2}; no request failed",
        of(&resident[resident.len() - quarter..]) / of(&resident[..quarter])
    );
}

/// All works on connections of their own, which end with the minute.
async fn one_minute(data: &DataSet, reads: &Reads, address: SocketAddr, minute: usize) -> Vec<Duration> {
    data.free_the_day().await;
    let version = i32::try_from(minute).expect("a number of minutes");
    let mut tasks = Vec::new();
    for work in Work::ALL {
        let lists = match work {
            Work::Edit => work::edits(data, Side::Service, CONNECTIONS, version),
            reading => reads.of(reading, Side::Service, CONNECTIONS),
        };
        let ask = |list| tokio::spawn(ask(address, list, work));
        tasks.extend(lists.into_iter().map(ask));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a connection's task"));
    }
    latencies
}

/// Asks one after the other on one connection: each edit once, and each question again and again until the minute is over.
async fn ask(address: SocketAddr, requests: Vec<Request>, work: Work) -> Vec<Duration> {
    let begin = Instant::now();
    let mut connection = Connection::open(address).await.expect("a connection");
    let mut latencies = Vec::new();
    let count = u32::try_from(requests.len()).expect("a few requests");
    let (most, pause) = match work {
        Work::Edit => (requests.len(), MINUTE * 9 / 10 / count),
        _ => (usize::MAX, PAUSE),
    };
    for request in requests.iter().cycle().take(most) {
        if work != Work::Edit && begin.elapsed() >= MINUTE {
            break;
        }
        let sent = Instant::now();
        let (status, body) = connection.ask(request).await.expect("an answer");
        latencies.push(sent.elapsed());
        let text = std::str::from_utf8(body).expect("text");
        assert!(status == 200 && text.contains(work.sign()), "{status} {text}");
        tokio::time::sleep(pause).await;
    }
    latencies
}
