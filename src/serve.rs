//! Serving: the routes, the server around them, the job runner beside it, and their end.

use anyhow::Context;
use axum::{Router, response::Redirect, routing::get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{
        account_page, cross_origin, download, graphql_http, health,
        health::{Checks, Ready},
        layers::Layers,
        mailbox, metrics, pictures,
        playground::{self, Hint},
        server::{self, ServerSettings},
        session::Api,
        socket::Sockets,
    },
    kernel::{App, Traces, id, outbox},
    worker,
};

/// Every route of the service with everything that stands around them.
///
/// # Errors
/// Only if the schema's own text can't be read.
pub fn routes(app: &App, ready: Ready, hint: Option<Hint>) -> anyhow::Result<Router> {
    routes_with(app, ready, hint, &Sockets::default(), layers(app))
}

/// What stands around the routes of a server.
pub fn layers(app: &App) -> Layers {
    let random = app.random.clone();
    Layers::new(move || id::encode(uuid::Uuid::from_bytes(random.bytes()))).with_traces(app.traces.clone())
}

/// The same with sockets that whoever serves can count and close, and with layers whose meter he can read.
///
/// # Errors
/// Only if the schema's own text can't be read.
pub fn routes_with(
    app: &App,
    ready: Ready,
    hint: Option<Hint>,
    sockets: &Sockets,
    layers: Layers,
) -> anyhow::Result<Router> {
    let api = Api::new(app.clone())?;
    let mut router = Router::new()
        .route("/graphql", sockets.beside(graphql_http::route(api.clone()), api))
        .merge(health::routes(ready, Database(app.clone())))
        .merge(mailbox::routes(app))
        .merge(pictures::routes(app))
        .merge(download::routes(app))
        .merge(account_page::routes()?);
    if app.settings.has_playground {
        router = router
            .route("/", get(|| async { Redirect::temporary("/graphiql") }))
            .merge(playground::routes(hint));
    }
    Ok(layers.around(cross_origin::around(router, &app.settings.allowed_origins)))
}

/// Serves until the process is told to stop, and lets go of everything in order: readiness first, then requests, then
/// jobs, then the database.
///
/// # Errors
/// If one of the addresses can't be listened on.
pub async fn serve(app: App, hint: Option<Hint>) -> anyhow::Result<()> {
    let listener = listen(&app).await?;
    serve_on(app, hint, listener, stopped()).await
}

/// Takes the address of the settings.
///
/// # Errors
/// If it is taken, or is not this machine's.
pub async fn listen(app: &App) -> anyhow::Result<TcpListener> {
    let address = app.settings.listen;
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("{address} can't be listened on; ORGDESK_LISTEN names another"))
}

/// Ends when the process is told to stop.
pub async fn stopped() {
    if let Err(error) = server::stop_signal().await {
        tracing::error!(%error, "signals can't be listened to");
        std::future::pending::<()>().await;
    }
}

/// A proxy that is trusted is where all connections come from.
fn limits(app: &App) -> ServerSettings {
    let mut limits = ServerSettings::default();
    if !app.settings.trusted_proxies.is_empty() {
        limits.max_of_one = None;
    }
    limits
}

/// Serves on a listener until `stop`.
///
/// # Errors
/// If the schema's own text can't be read, or the address of the metrics can't be listened on.
pub async fn serve_on(
    app: App,
    hint: Option<Hint>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let app = traced(app)?;
    let ready = Ready::default();
    let sockets = Sockets::default();
    let layers = layers(&app);
    let metrics = listen_for_metrics(&app).await?;
    let metrics =
        metrics.map(|listener| tokio::spawn(tell_metrics(listener, metrics::routes(&app, &layers, &sockets))));
    let router = routes_with(&app, ready.clone(), hint, &sockets, layers)?;
    let jobs = CancellationToken::new();
    let worker = tokio::spawn(worker::work(app.clone(), jobs.clone()));
    app.database.try_replica();
    ready.set(true);
    tracing::info!(address = %listener.local_addr()?, "listening");
    let stop = async {
        stop.await;
        // Their clients connect again, elsewhere where there is an elsewhere, while requests in flight are answered.
        sockets.stop();
    };
    let ended = server::serve(listener, router, limits(&app), ready, stop).await;
    sockets.stopped().await;
    jobs.cancel();
    if let Err(error) = worker.await {
        tracing::error!(%error, "the job runner ended badly");
    }
    // To the end: how a server stops is what its operator wants to see.
    if let Some(metrics) = metrics {
        metrics.abort();
    }
    app.traces.end().await;
    app.database.close().await;
    drop(ended.hard_stop);
    Ok(())
}

/// From here on traces are made, where an operator wants them.
fn traced(app: App) -> anyhow::Result<App> {
    let settings = app.settings.traces.as_ref();
    if let Some(settings) = settings {
        tracing::info!(receiver = settings.endpoint.host_str(), "traces");
    }
    let traces = Traces::start(settings, &app.random).context("traces")?;
    Ok(App { traces, ..app })
}

async fn listen_for_metrics(app: &App) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = app.settings.metrics_listen else {
        return Ok(None);
    };
    let bound = TcpListener::bind(address).await;
    let bound =
        bound.with_context(|| format!("{address} can't be listened on; ORGDESK_METRICS_LISTEN names another"))?;
    tracing::info!(address = %bound.local_addr()?, "metrics");
    Ok(Some(bound))
}

/// Serves the metrics until it is aborted.
async fn tell_metrics(listener: TcpListener, router: Router) {
    let limits = ServerSettings {
        max_connections: 32,
        ..ServerSettings::default()
    };
    server::serve(listener, router, limits, Ready::default(), std::future::pending()).await;
}

/// What readiness asks of the database.
#[derive(Clone)]
struct Database(App);

impl Checks for Database {
    async fn faults(&self) -> Vec<&'static str> {
        match outbox::oldest_due(&self.0).await {
            Err(_) => vec!["DATABASE_UNREACHABLE"],
            Ok(Some(due)) if self.0.clock.now().0 - due.0 > chrono::Duration::minutes(10) => vec!["JOBS_OVERDUE"],
            Ok(_) => Vec::new(),
        }
    }
}
