//! Rounds, and what is made of them: in each round every work is done by both servers one after the other, so that what
//! else the machine does meets both alike.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    client::{self, Load, Until},
    data::DataSet,
    server::{Server, Used},
    work::{self, Reads, Side, Work},
};

/// Connections at which the servers are kept busy.
pub const CONNECTIONS: usize = 8;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub rounds: usize,
    /// For each work and server in a round; edits end with the contracts.
    pub time: Duration,
    /// No round begins after it.
    pub end: Instant,
}

/// One work by one server in one round.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub requests: usize,
    /// Microseconds of the processors for a request.
    pub server: f64,
    pub database: f64,
    pub per_second: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p99: f64,
}

impl Sample {
    fn of(load: &Load, used: Used) -> Self {
        let count = load.latencies.len() as f64;
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / count;
        Self {
            requests: load.latencies.len(),
            server: micros(used.server),
            database: micros(used.database),
            per_second: count / load.wall.as_secs_f64(),
            p50: load.percentile(0.5).as_secs_f64() * 1e3,
            p99: load.percentile(0.99).as_secs_f64() * 1e3,
        }
    }

    fn total(self) -> f64 {
        self.server + self.database
    }
}

/// One work by both servers, round by round.
#[derive(Debug)]
pub struct Measured {
    pub work: Work,
    pub rounds: Vec<[Sample; 2]>,
}

impl Measured {
    pub fn median(&self, of: impl Fn(&[Sample; 2]) -> f64) -> f64 {
        median(self.rounds.iter().map(of).collect())
    }

    /// The service's processor time over the hand-written handler's.
    pub fn ratio(&self) -> f64 {
        self.median(|[service, limit]| service.total() / limit.total())
    }

    /// The service's requests a second over the hand-written handler's.
    pub fn speed(&self) -> f64 {
        self.median(|[service, limit]| service.per_second / limit.per_second)
    }

    pub fn json(&self) -> Value {
        let side = |place: usize| {
            json!({
                "requests": self.rounds.iter().map(|round| round[place].requests).sum::<usize>(),
                "serverMicros": self.median(|round| round[place].server),
                "databaseMicros": self.median(|round| round[place].database),
                "totalMicros": self.median(|round| round[place].total()),
                "perSecond": self.median(|round| round[place].per_second),
                "p50Millis": self.median(|round| round[place].p50),
                "p99Millis": self.median(|round| round[place].p99),
            })
        };
        json!({
            "work": self.work.name(), "rounds": self.rounds.len(), "service": side(0), "handWritten": side(1),
            "processorRatio": self.ratio(), "speedRatio": self.speed(),
        })
    }
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Measures every work. `servers` are the service and the hand-written one.
pub async fn measure(data: &DataSet, reads: &Reads, servers: [&Server; 2], plan: Plan) -> Vec<Measured> {
    let mut all = Work::ALL.map(|work| Measured {
        work,
        rounds: Vec::new(),
    });
    let mut version = 1;
    // What comes first in a process, such as preparing statements and filling caches, is not measured.
    for measured in all.iter().filter(|measured| measured.work != Work::Edit) {
        for (side, server) in [Side::Service, Side::HandWritten].into_iter().zip(servers) {
            let requests = reads.of(measured.work, side, CONNECTIONS);
            client::load(
                server.address,
                &requests,
                Until::For(plan.time / 4),
                measured.work.sign(),
            )
            .await;
        }
    }
    for round in 0..plan.rounds {
        if round > 0 && Instant::now() > plan.end {
            break;
        }
        for measured in &mut all {
            let mut order = [(0, Side::Service), (1, Side::HandWritten)];
            if round % 2 == 1 {
                order.reverse();
            }
            let mut samples = [None; 2];
            for (place, side) in order {
                let server = servers[place];
                let (requests, until) = if measured.work == Work::Edit {
                    data.free_the_day().await;
                    version += 1;
                    (work::edits(data, side, CONNECTIONS, version - 1), Until::Through)
                } else {
                    (reads.of(measured.work, side, CONNECTIONS), Until::For(plan.time))
                };
                let before = server.used(data);
                let load = client::load(server.address, &requests, until, measured.work.sign()).await;
                samples[place] = Some(Sample::of(&load, server.used(data).since(before)));
            }
            if let [Some(service), Some(limit)] = samples {
                measured.rounds.push([service, limit]);
            }
        }
    }
    all.into()
}
