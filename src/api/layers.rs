//! What holds for every reply of every route, refusals and failures included: request ID, security headers, the access
//! line, a limit of time and of requests in flight, and no panic that leaves the process or its text.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};
use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    answer,
    codes::{RequestCode, request_error},
    media::{self, Media},
    metrics::Meter,
};
use crate::kernel::{
    Traces, download,
    trace::{self, Span},
};

/// Longest that a request may take, its body arrived.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Most requests in flight.
pub const MAX_IN_FLIGHT: usize = 512;
/// Seconds after which a shed client may come again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// Routes that are served past the limit of requests in flight: an overloaded process is alive.
const ALWAYS_SERVED: &str = "/health/";
/// Longest path in the access line, in characters.
const MAX_LOGGED_PATH: usize = 200;
/// Slack in which a handler answers that a body is late, before the layer says so for it.
const BODY_SLACK: Duration = Duration::from_secs(1);

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Headers of every reply; the first two in any case, the rest unless the handler has its own.
const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

/// The ID of a request, as an extension for handlers: in the log, in `X-Request-Id`, and in `INTERNAL` errors.
#[derive(Clone, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The ID as text, 8 to 64 letters, digits, hyphens or underscores where it came from outside.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The moment at which a request runs out of time, and its seat among those in flight, as an extension for handlers.
/// Reading a body has its own deadline and takes no seat: clients that send slowly keep nobody else out.
#[derive(Clone, Debug)]
pub struct AnswerClock {
    timeout: Duration,
    deadline: Arc<Mutex<tokio::time::Instant>>,
    seats: Arc<Semaphore>,
    seat: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl AnswerClock {
    fn new(timeout: Duration, seats: Arc<Semaphore>) -> Self {
        Self {
            timeout,
            deadline: Arc::new(Mutex::new(tokio::time::Instant::now() + timeout)),
            seats,
            seat: Arc::default(),
        }
    }

    /// Waits for a body that has `deadline` to arrive, and leaves it to the handler to say when it is late.
    pub fn await_body(&self, deadline: Duration) {
        self.set(deadline + BODY_SLACK);
        *self.seat.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Gives the whole time again: the body is here. Says no where all seats are taken by now.
    #[must_use]
    pub fn restart(&self) -> bool {
        self.set(self.timeout);
        self.sit()
    }

    fn sit(&self) -> bool {
        let seat = Arc::clone(&self.seats).try_acquire_owned().ok();
        let is_seated = seat.is_some();
        *self.seat.lock().unwrap_or_else(PoisonError::into_inner) = seat;
        is_seated
    }

    fn set(&self, left: Duration) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = tokio::time::Instant::now() + left;
    }

    fn get(&self) -> tokio::time::Instant {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run_out(&self) {
        while self.get() > tokio::time::Instant::now() {
            tokio::time::sleep_until(self.get()).await;
        }
    }
}

/// What can be set about the layers.
#[derive(Clone)]
pub struct Layers {
    request_ids: Arc<dyn Fn() -> String + Send + Sync>,
    timeout: Duration,
    in_flight: Arc<Semaphore>,
    most_in_flight: usize,
    meter: Meter,
    traces: Traces,
}

impl Layers {
    /// The limits of this file, with a source of fresh request IDs (each a valid header value).
    pub fn new(request_ids: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self {
            request_ids: Arc::new(request_ids),
            timeout: REQUEST_TIMEOUT,
            in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
            most_in_flight: MAX_IN_FLIGHT,
            meter: Meter::default(),
            traces: Traces::default(),
        }
    }

    /// Another limit of requests in flight.
    #[must_use]
    pub fn with_in_flight(mut self, most: usize) -> Self {
        self.in_flight = Arc::new(Semaphore::new(most));
        self.most_in_flight = most;
        self
    }

    /// Another limit of time.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Who makes traces of the requests; those of health are not among them.
    #[must_use]
    pub fn with_traces(mut self, traces: Traces) -> Self {
        self.traces = traces;
        self
    }

    /// What counts the answers.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// How many requests are being answered.
    pub fn in_flight(&self) -> usize {
        self.most_in_flight.saturating_sub(self.in_flight.available_permits())
    }

    /// Puts the layers around all routes of a router and its fallback. To be called last.
    pub fn around(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, outermost))
    }
}

async fn outermost(State(layers): State<Layers>, request: Request, next: Next) -> Response {
    let span = span_of(&layers, &request);
    let work = Box::pin(whole(&layers, span.as_ref(), request, next));
    trace::within(span.as_ref(), work).await
}

fn span_of(layers: &Layers, request: &Request) -> Option<Span> {
    if request.uri().path().starts_with(ALWAYS_SERVED) {
        return None;
    }
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    layers
        .traces
        .request(request.method().as_str(), route, request.headers())
}

async fn whole(layers: &Layers, span: Option<&Span>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = given_id(request.headers()).unwrap_or_else(|| (layers.request_ids)());
    let id = RequestId(id.into());
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let path = logged(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = bounded(layers, &id, request, next).await;
    seal(response.headers_mut(), &id);
    let took = started.elapsed();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    layers.meter.answered(route, response.status(), took);
    if let Some(codes) = response.extensions().get::<answer::Codes>() {
        layers.meter.erred(&codes.0);
        if let Some(span) = span {
            span.erred(&codes.0);
        }
    }
    if let Some(span) = span {
        span.answered(response.status().as_u16());
    }
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    tracing::info!(target: "access", %method, path, status, ms, request_id = id.as_str());
    response
}

/// The path as the access line has it: a link to a file is good for whoever has it, so the log does not.
fn logged(path: &str) -> String {
    if path.starts_with(download::PATH) {
        return format!("{}…", download::PATH);
    }
    path.chars().take(MAX_LOGGED_PATH).collect()
}

/// Runs the handler within the limits, and answers for it where it cannot.
async fn bounded(layers: &Layers, id: &RequestId, mut request: Request, next: Next) -> Response {
    let media = media::negotiate(request.headers()).unwrap_or(Media::Json);
    let clock = AnswerClock::new(layers.timeout, Arc::clone(&layers.in_flight));
    if !clock.sit() && !request.uri().path().starts_with(ALWAYS_SERVED) {
        return overloaded(media);
    }
    request.extensions_mut().insert(clock.clone());
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind();
    tokio::select! {
        biased;
        handled = handled => handled.unwrap_or_else(|_| {
            tracing::error!(request_id = id.as_str(), "a handler panicked");
            answer::problem(media, StatusCode::INTERNAL_SERVER_ERROR, &answer::internal_error(id.as_str()))
        }),
        () = clock.run_out() => unavailable(media, RequestCode::Timeout, "The answer was not ready in time."),
    }
}

/// The answer to a request for which there is no seat.
pub fn overloaded(media: Media) -> Response {
    let mut response = unavailable(media, RequestCode::Overloaded, "Too many requests are in flight.");
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    response
}

fn unavailable(media: Media, code: RequestCode, message: &str) -> axum::http::Response<Body> {
    answer::problem(
        media,
        StatusCode::SERVICE_UNAVAILABLE,
        &request_error(code, message, None),
    )
}

/// An ID from outside, where it is one that can stand in a log: a single `^[A-Za-z0-9_-]{8,64}$`.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(&X_REQUEST_ID).iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return None;
    };
    let text = only.to_str().ok().filter(|text| (8..=64).contains(&text.len()))?;
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        .then(|| text.to_owned())
}

fn seal(headers: &mut HeaderMap, id: &RequestId) {
    headers.remove(header::SERVER);
    for (index, (name, value)) in SECURITY_HEADERS.into_iter().enumerate() {
        if index < 2 || !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(X_REQUEST_ID.clone(), value);
    }
}
