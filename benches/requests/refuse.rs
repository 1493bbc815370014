//! What refusing costs: each hostile document of the tests, and bodies that are no request, sent by a signed-in owner;
//! time of the processors for one, and by how much memory grows at its highest.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    client::{Connection, Request, post, text},
    data::DataSet,
    hostile,
    server::Server,
};

/// For how long each is sent.
const TIME: Duration = Duration::from_millis(400);

/// One hostile request and what it cost.
#[derive(Debug)]
pub struct Refused {
    pub what: &'static str,
    /// Length of the request, in bytes.
    pub length: usize,
    /// Milliseconds of the processors for one.
    pub millis: f64,
    /// By how many bytes resident memory was higher than before, at most.
    pub grown: u64,
}

impl Refused {
    pub fn json(&self) -> Value {
        json!({ "what": self.what, "bytes": self.length, "processorMillis": self.millis, "grownBytes": self.grown })
    }
}

/// Sends each again and again, to a server that has nothing else to do.
pub async fn measure(data: &DataSet, server: &Server) -> Vec<Refused> {
    let token = &data.organizations[0].token;
    let documents = hostile::documents().into_iter().map(|(what, document, _)| {
        let body = json!({ "query": document, "operationName": "Mark" });
        (what, post("/graphql", Some(token), &body))
    });
    let bodies = bodies()
        .into_iter()
        .map(|(what, body)| (what, text("/graphql", Some(token), &body)));
    let mut all = Vec::new();
    for (what, request) in documents.chain(bodies) {
        all.push(one(data, server, what, &request).await);
    }
    all
}

async fn one(data: &DataSet, server: &Server, what: &'static str, request: &Request) -> Refused {
    server.forget_peak();
    let (before, resident, begin) = (server.used(data), server.resident(), Instant::now());
    let mut count = 0_u32;
    while begin.elapsed() < TIME {
        // A refusal may end the connection.
        let mut connection = Connection::open(server.address).await.expect("a connection");
        for _ in 0..20 {
            let Ok((status, body)) = connection.ask(request).await else {
                break;
            };
            let answer = String::from_utf8_lossy(body);
            assert!(
                (200..500).contains(&status) && answer.contains("\"errors\""),
                "{what}: {status} {answer:.300}"
            );
            count += 1;
        }
    }
    assert!(count > 0, "{what}: no answer");
    let used = server.used(data).since(before);
    Refused {
        what,
        length: request.len(),
        millis: (used.server + used.database).as_secs_f64() * 1e3 / f64::from(count),
        grown: server.peak().saturating_sub(resident),
    }
}

/// Bodies that are no request, or one with values beyond measure.
fn bodies() -> Vec<(&'static str, String)> {
    let with = |variables: String| {
        format!(r#"{{"query":"query Q($v: Int) {{ __typename }}","variables":{{"v":{variables}}}}}"#)
    };
    let single = r#"{"query":"{ __typename }"}"#;
    vec![
        (
            "variables of 10,000 levels",
            with("[".repeat(10_000) + &"]".repeat(10_000)),
        ),
        (
            "200,000 values in a variable",
            with(format!("[{}0]", "0,".repeat(199_999))),
        ),
        (
            "100 requests in one body",
            format!("[{}{single}]", format!("{single},").repeat(99)),
        ),
        ("half a body", single[..20].to_owned()),
    ]
}

pub fn report(all: &[Refused]) {
    println!("\n{:<42} {:>9} {:>9} {:>9}", "refusing", "bytes", "CPU ms", "grown kB");
    for one in all {
        println!(
            "{:<42} {:>9} {:>9.3} {:>9}",
            one.what,
            one.length,
            one.millis,
            one.grown / 1_000
        );
    }
}
