//! What Prometheus asks of a server, on an address of its own: numbers, and labels out of a fixed set. Nothing of anybody
//! stands in them, and nothing that a client can choose.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use super::{layers::Layers, socket::Sockets};
use crate::kernel::{App, outbox};

/// What OpenMetrics calls its text.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the durations that are told apart, in seconds.
const BOUNDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: String,
}

type Durations = Family<Route, Histogram, fn() -> Histogram>;

/// Counts what a server answers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Meter {
    answers: Family<Answer, Counter>,
    durations: Durations,
    errors: Family<Code, Counter>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            answers: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            errors: Family::default(),
        }
    }
}

impl Meter {
    /// Counts an answer. `route` is the route's pattern, never the path that somebody asked for.
    pub fn answered(&self, route: &str, status: StatusCode, took: Duration) {
        let answer = Answer {
            route: route.to_owned(),
            status: status.as_u16(),
        };
        self.answers.get_or_create(&answer).inc();
        let route = Route { route: answer.route };
        self.durations.get_or_create(&route).observe(took.as_secs_f64());
    }

    /// Counts the errors of an answer by their codes, which are those of `docs/codes.md`.
    pub fn erred(&self, codes: &[String]) {
        for code in codes {
            self.errors.get_or_create(&Code { code: code.clone() }).inc();
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    pool: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Jobs {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Way {
    went: &'static str,
}

/// What is looked at when somebody asks.
#[derive(Clone, Debug, Default)]
struct Gauges {
    in_flight: Gauge,
    sockets: Gauge,
    connections: Family<Pool, Gauge>,
    is_replica_used: Gauge,
    views: Family<Way, Counter>,
    jobs: Family<Jobs, Gauge>,
    overdue: Gauge<f64, AtomicU64>,
    memory: Gauge,
    is_database_there: Gauge,
}

/// A server, as it is asked about itself.
#[derive(Clone)]
struct Asked {
    app: App,
    layers: Layers,
    sockets: Sockets,
    gauges: Gauges,
    registry: Arc<Registry>,
}

/// The one route, `/metrics`.
pub fn routes(app: &App, layers: &Layers, sockets: &Sockets) -> Router {
    let gauges = Gauges::default();
    let mut registry = registry(layers.meter(), &gauges);
    if app.database.replica_told().is_some() {
        let help = "Whether views go to the read replica: 1 or 0";
        registry.register("replica_used", help, gauges.is_replica_used.clone());
        let help = "Views that could go to the read replica: those that did, and why the others did not";
        registry.register("replica_views", help, gauges.views.clone());
    }
    let asked = Asked {
        app: app.clone(),
        layers: layers.clone(),
        sockets: sockets.clone(),
        gauges,
        registry: Arc::new(registry),
    };
    Router::new().route("/metrics", get(tell)).with_state(asked)
}

fn registry(meter: &Meter, gauges: &Gauges) -> Registry {
    let mut all = Registry::with_prefix("orgdesk");
    let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    all.register("build", "Which version it is", version);
    all.register("http_requests", "Requests that were answered", meter.answers.clone());
    let durations = meter.durations.clone();
    let help = "How long answers took, from the head of the request on";
    all.register_with_unit("http_request_duration", help, Unit::Seconds, durations);
    let help = "Errors of GraphQL in answers, by their code";
    all.register("graphql_errors", help, meter.errors.clone());
    let in_flight = gauges.in_flight.clone();
    all.register("http_requests_in_flight", "Requests that are being answered", in_flight);
    all.register("sockets", "WebSockets that are open", gauges.sockets.clone());
    let help = "Connections to the database";
    all.register("database_connections", help, gauges.connections.clone());
    let help = "Whether the database answered when it was asked for the jobs: 1 or 0";
    all.register("database_up", help, gauges.is_database_there.clone());
    let help = "Jobs of all servers that wait for their time or turn, were handed over, or were given up";
    all.register("jobs", help, gauges.jobs.clone());
    let help = "For how long the oldest job that is due has waited";
    all.register_with_unit("jobs_overdue", help, Unit::Seconds, gauges.overdue.clone());
    let help = "Memory of the process that is resident";
    all.register_with_unit("resident_memory", help, Unit::Bytes, gauges.memory.clone());
    all
}

async fn tell(State(asked): State<Asked>) -> Response {
    asked.look().await;
    let mut told = String::new();
    match text::encode(&mut told, &asked.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], told).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Asked {
    async fn look(&self) {
        let gauges = &self.gauges;
        gauges.in_flight.set(whole(self.layers.in_flight()));
        gauges.sockets.set(whole(self.sockets.count()));
        for (pool, all, idle) in self.app.database.connections() {
            let gauge = |state| gauges.connections.get_or_create(&Pool { pool, state }).clone();
            gauge("idle").set(whole(idle));
            gauge("used").set(whole(all.saturating_sub(idle)));
        }
        if let Some((is_used, views)) = self.app.database.replica_told() {
            gauges.is_replica_used.set(i64::from(is_used));
            for (went, count) in views {
                let went = gauges.views.get_or_create(&Way { went }).clone();
                went.inner().store(count, Ordering::Relaxed);
            }
        }
        gauges.memory.set(resident().unwrap_or_default());
        let standing = tokio::time::timeout(Duration::from_secs(2), outbox::standing(&self.app)).await;
        let standing = standing.ok().and_then(Result::ok);
        gauges.is_database_there.set(i64::from(standing.is_some()));
        let Some(standing) = standing else { return };
        for (state, count) in standing.counts {
            gauges.jobs.get_or_create(&Jobs { state }).set(count);
        }
        let now = self.app.clock.now().0;
        let overdue = standing.oldest_due.map(|due| (now - due.0).as_seconds_f64());
        gauges.overdue.set(overdue.unwrap_or_default().max(0.0));
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// In bytes; `None` where the system does not tell.
fn resident() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
