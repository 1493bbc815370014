//! Serves a router over HTTP/1.1 and HTTP/2 through hyper-util, since `axum::serve` waits without end for a header that
//! does not come; and stops as a process under an orchestrator should.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Version, header},
};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time,
};
use tower::ServiceExt;

use super::{
    connection::{Activity, Counted, Watched},
    guests::Guests,
    health::Ready,
};

/// Largest head of a request in bytes, and hyper's buffer for it.
pub const MAX_HEADER_BYTES: u32 = 16 * 1024;
/// Most header lines of a request.
const MAX_HEADERS: usize = 64;
/// Most requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 64;
/// How often a connection is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a connection that was told to end may take when nothing is in flight on it.
const GOODBYE: Duration = Duration::from_secs(2);
/// Rest after the system refused a connection, as it does without free file descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// The other end of the connection, as an extension for handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// The limits of a server. The defaults are those of the decisions.
#[derive(Clone, Copy, Debug)]
pub struct ServerSettings {
    /// Longest wait for the whole head of a request, also of the next one on a kept connection: 10 s.
    pub header_read_timeout: Duration,
    /// Longest that a connection stays open without a request: 30 s.
    pub idle_limit: Duration,
    /// Longest that a connection stays open without a byte in either direction: 60 s.
    pub stall_limit: Duration,
    /// Most connections; further ones wait in the system's queue: 2,048.
    pub max_connections: usize,
    /// Most connections from one address (of version 6, from one /64); further ones are closed at once: 512. `None`
    /// where all come from a proxy, which has limits of its own.
    pub max_of_one: Option<usize>,
    /// After the signal: how long connections are still taken while `ready` already says no, so that whoever balances the
    /// load can see it: 1 s.
    pub announce: Duration,
    /// After that: how long requests in flight may take: 15 s.
    pub drain: Duration,
    /// After the signal: when the process ends in any case: 30 s.
    pub hard_stop: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            header_read_timeout: Duration::from_secs(10),
            idle_limit: Duration::from_secs(30),
            stall_limit: Duration::from_secs(60),
            max_connections: 2_048,
            max_of_one: Some(512),
            announce: Duration::from_secs(1),
            drain: Duration::from_secs(15),
            hard_stop: Duration::from_secs(30),
        }
    }
}

/// How a server ended.
pub struct Stopped {
    /// Connections that were cut off because they did not end in time.
    pub cut_off: usize,
    /// Still running: to be kept until everything else has ended as well.
    pub hard_stop: HardStop,
}

/// Ends the process after a time unless dropped before; on a thread of its own, since the runtime may be what hangs.
pub struct HardStop(#[expect(dead_code, reason = "dropping it is what tells the thread")] mpsc::Sender<()>);

impl HardStop {
    /// Calls `stop` after that time, unless what is returned is dropped before.
    pub fn after(time: Duration, stop: impl FnOnce() + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            if receiver.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout) {
                stop();
            }
        });
        Self(sender)
    }
}

/// Serves until `stop` is ready: then `ready` says no, after [`ServerSettings::announce`] nothing is accepted any more,
/// what is in flight gets [`ServerSettings::drain`], and the rest is cut off.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: ServerSettings,
    ready: Ready,
    stop: impl Future<Output = ()>,
) -> Stopped {
    let (stage, stages) = watch::channel(Stage::Serving);
    let mut open = Open {
        listener,
        router,
        settings,
        stages,
        builder: builder(&settings),
        tasks: JoinSet::new(),
        guests: Guests::default(),
    };
    let slots = Arc::new(Semaphore::new(settings.max_connections));
    tokio::select! {
        () = stop => {}
        () = open.accept(&slots) => {}
    }
    ready.set(false);
    let hard_stop = HardStop::after(settings.hard_stop, || std::process::exit(1));
    tracing::info!(connections = open.tasks.len(), "stopping");
    stage.send_replace(Stage::Announced);
    // Whatever waits in the system's queue was promised an answer; the rest of the time is for the balancer to look.
    let _ = time::timeout(settings.announce, open.accept(&slots)).await;
    stage.send_replace(Stage::Draining);
    let Open {
        listener, mut tasks, ..
    } = open;
    drop(listener);
    let drained = time::timeout(settings.drain, async { while tasks.join_next().await.is_some() {} }).await;
    let cut_off = if drained.is_ok() { 0 } else { tasks.len() };
    tasks.shutdown().await;
    tracing::info!(cut_off, "stopped");
    Stopped { cut_off, hard_stop }
}

/// Ends with SIGTERM or SIGINT.
///
/// # Errors
/// Those of the system, where a signal cannot be listened to.
pub async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Serving,
    /// Replies ask HTTP/1.1 clients to come on a new connection, which goes elsewhere.
    Announced,
    Draining,
}

type Builder = auto::Builder<TokioExecutor>;

struct Open {
    listener: TcpListener,
    router: Router,
    settings: ServerSettings,
    stages: watch::Receiver<Stage>,
    builder: Builder,
    tasks: JoinSet<()>,
    guests: Guests,
}

impl Open {
    /// Accepts connections, never to end by itself.
    async fn accept(&mut self, slots: &Arc<Semaphore>) {
        loop {
            while self.tasks.try_join_next().is_some() {}
            let Ok(slot) = Arc::clone(slots).acquire_owned().await else {
                return;
            };
            let (socket, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    time::sleep(ACCEPT_REST).await;
                    continue;
                }
            };
            let Some(guest) = self.guests.admit(peer.ip(), self.settings.max_of_one) else {
                tracing::debug!(%peer, "too many connections from there");
                continue;
            };
            let (builder, router) = (self.builder.clone(), self.router.clone());
            let (settings, stages) = (self.settings, self.stages.clone());
            self.tasks.spawn(async move {
                connection(socket, peer, &builder, router, &settings, stages).await;
                drop((slot, guest));
            });
        }
    }
}

fn builder(settings: &ServerSettings) -> Builder {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_read_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(usize::try_from(MAX_HEADER_BYTES).unwrap_or(16 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES);
    builder
}

/// Serves one connection to its end.
async fn connection(
    socket: TcpStream,
    peer: SocketAddr,
    builder: &Builder,
    router: Router,
    settings: &ServerSettings,
    mut stages: watch::Receiver<Stage>,
) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "a socket keeps its delay");
    }
    let activity = Activity::new();
    let service = service_fn({
        let (activity, stages) = (Arc::clone(&activity), stages.clone());
        move |request| reply(router.clone(), request, peer, Arc::clone(&activity), *stages.borrow())
    });
    let io = TokioIo::new(Watched::new(socket, Arc::clone(&activity)));
    let mut serving = std::pin::pin!(builder.serve_connection_with_upgrades(io, service));
    let mut look = time::interval(LOOK_EVERY);
    let mut told = None;
    loop {
        tokio::select! {
            biased;
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            _ = stages.changed(), if *stages.borrow() < Stage::Draining => {}
            _ = look.tick() => {}
        }
        // A connection that was opened just before the end gets a moment for its first request.
        let used = !activity.is_untouched() || activity.is_idle(LOOK_EVERY);
        let draining = used && *stages.borrow() == Stage::Draining;
        if told.is_none() && (draining || activity.is_idle(settings.idle_limit)) {
            serving.as_mut().graceful_shutdown();
            told = Some(time::Instant::now());
        }
        let outstayed = told.is_some_and(|told| told.elapsed() >= GOODBYE) && activity.is_idle(GOODBYE);
        if outstayed || activity.is_stalled(settings.stall_limit) {
            return;
        }
    }
}

async fn reply(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    activity: Arc<Activity>,
    stage: Stage,
) -> Result<Response<Counted>, std::convert::Infallible> {
    let in_flight = activity.begin();
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(PeerAddress(peer));
    let old = request.version() < Version::HTTP_2;
    let mut response = router.oneshot(request).await?;
    if old && stage > Stage::Serving {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Counted::new(body, in_flight)))
}
