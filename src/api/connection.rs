//! One connection: what it does is watched, so that one that does nothing is closed, whatever its protocol.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// What a connection did last.
#[derive(Debug)]
pub struct Activity {
    opened: Instant,
    bytes_at: AtomicU64,
    request_at: AtomicU64,
    bytes_read: AtomicU64,
    in_flight: AtomicUsize,
}

impl Activity {
    /// That of a connection that was just accepted.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            bytes_at: AtomicU64::new(0),
            request_at: AtomicU64::new(0),
            bytes_read: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
        })
    }

    /// Counts a request until what is returned is dropped, with the last byte of the reply.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        InFlight(Arc::clone(self))
    }

    /// Whether no request is or was in flight for that long.
    #[must_use]
    pub fn is_idle(&self, limit: Duration) -> bool {
        self.in_flight.load(Ordering::SeqCst) == 0 && self.since(&self.request_at) >= limit
    }

    /// Whether no byte went either way for that long.
    #[must_use]
    pub fn is_stalled(&self, limit: Duration) -> bool {
        self.since(&self.bytes_at) >= limit
    }

    /// Whether the client has not sent anything yet.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.bytes_read.load(Ordering::Relaxed) == 0
    }

    fn since(&self, moment: &AtomicU64) -> Duration {
        self.opened
            .elapsed()
            .saturating_sub(Duration::from_millis(moment.load(Ordering::SeqCst)))
    }

    fn mark(&self, moment: &AtomicU64) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        moment.store(now, Ordering::SeqCst);
    }
}

/// A request of a connection, as long as it is in flight.
#[derive(Debug)]
pub struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.mark(&self.0.request_at);
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The socket of a connection, telling its bytes.
pub struct Watched {
    socket: TcpStream,
    activity: Arc<Activity>,
}

impl Watched {
    /// Watches a socket.
    #[must_use]
    pub fn new(socket: TcpStream, activity: Arc<Activity>) -> Self {
        Self { socket, activity }
    }

    fn wrote(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(outcome, Poll::Ready(Ok(bytes)) if bytes > 0) {
            self.activity.mark(&self.activity.bytes_at);
        }
        outcome
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.socket).poll_read(context, buffer);
        let read = buffer.filled().len().saturating_sub(before);
        if read > 0 {
            self.activity
                .bytes_read
                .fetch_add(u64::try_from(read).unwrap_or(u64::MAX), Ordering::Relaxed);
            self.activity.mark(&self.activity.bytes_at);
        }
        outcome
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.wrote(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// The body of a reply, which keeps its request in flight until it is sent or given up.
pub struct Counted {
    body: Body,
    _in_flight: InFlight,
}

impl Counted {
    /// Ties a body to its request.
    #[must_use]
    pub fn new(body: Body, in_flight: InFlight) -> Self {
        Self {
            body,
            _in_flight: in_flight,
        }
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_idle_only_without_requests() {
        let activity = Activity::new();
        assert!(activity.is_untouched() && activity.is_idle(Duration::ZERO));
        let (one, two) = (activity.begin(), activity.begin());
        drop(one);
        assert!(!activity.is_idle(Duration::ZERO));
        let reply = Counted::new(Body::from("x"), two);
        assert!(!activity.is_idle(Duration::ZERO) && !reply.is_end_stream());
        assert_eq!(reply.size_hint().exact(), Some(1));
        drop(reply);
        assert!(activity.is_idle(Duration::ZERO) && !activity.is_idle(Duration::from_secs(3_600)));
        assert!(activity.is_stalled(Duration::ZERO) && !activity.is_stalled(Duration::from_secs(3_600)));
    }
}
