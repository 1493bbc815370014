//! Traces, for an operator who wants to see where a request's time goes: a span for each request and each job, and one
//! below it for each time that it looks or changes. What a span can say is fixed here: names of the schema, actions, routes
//! and codes, and numbers. No function takes a value, a statement, an address or an ID that a client chose, so that none
//! can get out this way.
//!
//! What is under way is known by the task that works at it ([`within`]). Where nobody wants traces nothing is there at all,
//! and whoever asks is told so by one look at the task.

mod otlp;
mod parent;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hyper::header::HeaderMap;
use opentelemetry::{
    Array, Context, KeyValue, StringValue, Value,
    trace::{Span as _, SpanContext, SpanKind, Status, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::{
    Resource,
    resource::EnvResourceDetector,
    trace::{Sampler, SdkTracer, SdkTracerProvider, Span as SdkSpan},
};
use sea_orm::DbBackend;
use tracing::Instrument;
use uuid::Builder;

use super::{
    Action, Random,
    config::{Sampling, TraceSettings},
};
use otlp::Otlp;

/// How long the end of a server waits until what is there is sent.
const GOODBYE: Duration = Duration::from_secs(2);

tokio::task_local! {
    /// The request or job that the task works at.
    static NOW: Span;
}

/// Who makes spans; nobody, unless an operator says where to send them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Arc<Making>>);

#[derive(Debug)]
struct Making {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
    follows_caller: bool,
}

impl Traces {
    /// Begins; within the runtime that is to send them.
    ///
    /// # Errors
    /// If TLS can't be spoken.
    pub fn start(settings: Option<&TraceSettings>, random: &Random) -> anyhow::Result<Self> {
        let Some(settings) = settings else {
            return Ok(Self::default());
        };
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler(settings.sampling))
            .with_resource(resource(settings, random))
            .with_batch_exporter(Otlp::new(settings)?)
            .build();
        let tracer = provider.tracer("orgdesk");
        let follows_caller = settings.sampling.follows_caller;
        Ok(Self(Some(Arc::new(Making {
            tracer,
            provider,
            follows_caller,
        }))))
    }

    /// Sends what is there, for two seconds at most.
    pub async fn end(&self) {
        let Some(making) = self.0.clone() else { return };
        let ended = tokio::task::spawn_blocking(move || making.provider.shutdown_with_timeout(GOODBYE)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last traces were not sent in time");
        }
    }

    /// A request over HTTP, by its method and the pattern of its route; it goes on with the trace of a caller who has one, if
    /// callers are heeded: whoever chooses the ID of his trace chooses whether it is among those that are sent.
    pub fn request(&self, method: &str, route: Option<&str>, headers: &HeaderMap) -> Option<Span> {
        let method = match method {
            "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH" => method,
            _ => "_OTHER",
        };
        let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
        let heeds = self.0.as_ref().is_some_and(|making| making.follows_caller);
        let parent = heeds.then(|| parent::of(headers)).flatten();
        let span = self.root(name, SpanKind::Server, parent, true)?;
        span.set("http.request.method", method.to_owned());
        if let Some(route) = route {
            span.set("http.route", route.to_owned());
        }
        Some(span)
    }

    /// An operation of a WebSocket. It may go on for hours, so nothing stands below it.
    pub fn subscription(&self) -> Option<Span> {
        self.root("subscription".to_owned(), SpanKind::Server, None, false)
    }

    /// An attempt of a job, by its kind.
    pub fn job(&self, kind: &str, attempt: i32) -> Option<Span> {
        let span = self.root(format!("job {kind}"), SpanKind::Consumer, None, true)?;
        span.set("orgdesk.job.kind", kind.to_owned());
        span.set("orgdesk.job.attempt", i64::from(attempt));
        Some(span)
    }

    fn root(&self, name: String, kind: SpanKind, parent: Option<SpanContext>, has_parts: bool) -> Option<Span> {
        let tracer = self.0.as_ref()?.tracer.clone();
        let above = parent.map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent));
        let span = tracer
            .span_builder(name)
            .with_kind(kind)
            .start_with_context(&tracer, &above);
        Some(Span(Arc::new(Live {
            context: span.span_context().clone(),
            is_wanted: span.is_recording(),
            span: Mutex::new(span),
            tracer,
            has_parts,
            statements: AtomicU64::new(0),
            nanoseconds: AtomicU64::new(0),
        })))
    }
}

fn sampler(sampling: Sampling) -> Sampler {
    let own = Sampler::TraceIdRatioBased(sampling.ratio);
    if sampling.follows_caller {
        Sampler::ParentBased(Box::new(own))
    } else {
        own
    }
}

/// Who sends: a name, which an operator can change, a version, and an ID of this process.
fn resource(settings: &TraceSettings, random: &Random) -> Resource {
    let instance = Builder::from_random_bytes(random.bytes()).into_uuid().to_string();
    let named = settings.service_name.clone();
    Resource::builder_empty()
        .with_service_name("orgdesk")
        .with_attribute(KeyValue::new("service.instance.id", instance))
        .with_detector(Box::new(EnvResourceDetector::new()))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(named.map(|name| KeyValue::new("service.name", name)))
        .build()
}

/// Does something as part of a request or job; its lines in the log have the trace's ID.
pub async fn within<T>(span: Option<&Span>, work: impl Future<Output = T>) -> T {
    match span {
        None => work.await,
        Some(span) => {
            let noted = tracing::error_span!("trace", trace_id = %span.0.context.trace_id());
            // On the heap: who has no traces should not have to make room for this twice.
            NOW.scope(span.clone(), Box::pin(work)).instrument(noted).await
        }
    }
}

/// What the task works at, if that is traced.
pub fn current() -> Option<Span> {
    NOW.try_with(|span| span.0.is_wanted.then(|| span.clone())).ok()?
}

/// Counts a statement that the task ran.
pub(super) fn count(took: Duration) {
    let _ = NOW.try_with(|Span(live)| {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        live.statements.fetch_add(1, Ordering::Relaxed);
        live.nanoseconds.fetch_add(took, Ordering::Relaxed);
    });
}

/// A request or a job. It ends when it is told so, or else when nobody works at it any more.
#[derive(Clone, Debug)]
pub struct Span(Arc<Live>);

#[derive(Debug)]
struct Live {
    tracer: SdkTracer,
    context: SpanContext,
    span: Mutex<SdkSpan>,
    /// Whether it is one of those that are sent.
    is_wanted: bool,
    has_parts: bool,
    statements: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Live {
    fn span(&self) -> MutexGuard<'_, SdkSpan> {
        self.span.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> [u64; 2] {
        [&self.statements, &self.nanoseconds].map(|count| count.load(Ordering::Relaxed))
    }
}

impl Span {
    fn set(&self, name: &'static str, value: impl Into<Value>) {
        self.0.span().set_attribute(KeyValue::new(name, value));
    }

    /// Says which operation of GraphQL it is: its type, its name where that is one of the service's own, and its root
    /// fields, which the caller has found in the schema.
    pub fn operation(&self, kind: &'static str, name: Option<&'static str>, fields: Vec<String>) {
        let shown = match (name, &fields[..]) {
            (Some(name), _) => format!("{kind} {name}"),
            (None, [only]) => format!("{kind} {only}"),
            (None, _) => kind.to_owned(),
        };
        self.0.span().update_name(shown);
        self.set("graphql.operation.type", kind);
        if let Some(name) = name {
            self.set("graphql.operation.name", name);
        }
        self.set("orgdesk.graphql.fields", texts(fields));
    }

    /// Says which errors an answer has, by their codes; `INTERNAL` is one to look into.
    pub fn erred(&self, codes: &[String]) {
        let Some(first) = codes.first() else { return };
        self.set("error.type", first.clone());
        self.set("orgdesk.error.codes", texts(codes.to_vec()));
        if codes.iter().any(|code| code == "INTERNAL") {
            self.0.span().set_status(Status::error(""));
        }
    }

    /// Ends with the status of an answer.
    pub fn answered(&self, status: u16) {
        self.set("http.response.status_code", i64::from(status));
        if status >= 500 {
            self.0.span().set_status(Status::error(""));
        }
        self.end();
    }

    /// Ends with what became of a job.
    pub fn ended(&self, outcome: &'static str, is_well: bool) {
        self.set("orgdesk.job.outcome", outcome);
        if !is_well {
            self.0.span().set_status(Status::error(""));
        }
        self.end();
    }

    fn end(&self) {
        let counts = self.0.counts();
        tell_counts(&mut self.0.span(), counts);
        self.0.span().end();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let counts = self.counts();
        let span = self.span.get_mut().unwrap_or_else(PoisonError::into_inner);
        if span.is_recording() {
            tell_counts(span, counts);
            span.end();
        }
    }
}

fn texts(texts: Vec<String>) -> Value {
    Value::Array(Array::String(texts.into_iter().map(StringValue::from).collect()))
}

fn tell_counts(span: &mut SdkSpan, [statements, nanoseconds]: [u64; 2]) {
    if statements > 0 {
        let count = i64::try_from(statements).unwrap_or(i64::MAX);
        let took = Duration::from_nanos(nanoseconds).as_secs_f64();
        span.set_attribute(KeyValue::new("orgdesk.database.statements", count));
        span.set_attribute(KeyValue::new("orgdesk.database.seconds", took));
    }
}

/// One transaction of a request or job, until it is dropped. A caller has one at a time, so what was counted meanwhile is
/// its own.
#[derive(Debug)]
pub(super) struct Work {
    of: Span,
    span: SdkSpan,
    began: Instant,
    before: [u64; 2],
}

impl Work {
    /// Somebody looks.
    pub(super) fn look(backend: DbBackend) -> Option<Self> {
        Self::begin("read".to_owned(), "read", backend)
    }

    /// Somebody does this.
    pub(super) fn deed(action: Action, backend: DbBackend) -> Option<Self> {
        NOW.try_with(|_| ()).ok()?;
        let mut work = Self::begin(format!("write {}", action.name()), "write", backend)?;
        work.span.set_attribute(KeyValue::new("orgdesk.action", action.name()));
        Some(work)
    }

    fn begin(name: String, operation: &'static str, backend: DbBackend) -> Option<Self> {
        let of = current().filter(|span| span.0.has_parts)?;
        let system = match backend {
            DbBackend::Postgres => "postgresql",
            _ => "sqlite",
        };
        let said = [
            KeyValue::new("db.system.name", system),
            KeyValue::new("db.operation.name", operation),
        ];
        let above = Context::new().with_remote_span_context(of.0.context.clone());
        let span = of.0.tracer.span_builder(name).with_kind(SpanKind::Client);
        let span = span.with_attributes(said).start_with_context(&of.0.tracer, &above);
        let (began, before) = (Instant::now(), of.0.counts());
        Some(Self {
            of,
            span,
            began,
            before,
        })
    }

    /// The transaction is there: until now it waited for its turn and for a connection.
    pub(super) fn has_begun(&mut self) {
        let waited = self.began.elapsed().as_secs_f64();
        self.span
            .set_attribute(KeyValue::new("orgdesk.database.waited", waited));
    }

    /// It changed nothing: it was refused, or failed.
    pub(super) fn was_undone(&mut self) {
        self.span.set_attribute(KeyValue::new("orgdesk.database.undone", true));
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let [statements, nanoseconds] = self.of.0.counts();
        let own = [statements - self.before[0], nanoseconds - self.before[1]];
        tell_counts(&mut self.span, own);
        self.span.end();
    }
}
