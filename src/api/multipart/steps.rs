//! A body in small steps. The reader of forms takes whatever is there before it looks at it, and keeps what it can't
//! make a part of; so it is shown one step at a time, and so many between one part's piece and the next.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::BodyDataStream;
use bytes::Bytes;
use futures_util::Stream;

/// Most bytes of one step.
const STEP: usize = 16 * 1024;
/// Most bytes that may be read in vain: the head of a part with what stands before it.
const IN_VAIN: usize = 4 * STEP;

/// How much may be read still: of the whole, and until something has come of it.
#[derive(Clone, Debug)]
pub(super) struct Allowance(Arc<[AtomicUsize; 2]>);

impl Allowance {
    pub(super) fn of(whole: usize) -> Self {
        Self(Arc::new([AtomicUsize::new(whole), AtomicUsize::new(IN_VAIN)]))
    }

    /// Something has come of what was read.
    pub(super) fn renew(&self) {
        self.0[1].store(IN_VAIN, Ordering::Relaxed);
    }

    fn spend(&self, bytes: usize) -> Result<(), Stopped> {
        let [whole, now] = &*self.0;
        for (left, stopped) in [(whole, Stopped::FormTooLarge), (now, Stopped::HeadTooLarge)] {
            let rest = left.load(Ordering::Relaxed).checked_sub(bytes).ok_or(stopped)?;
            left.store(rest, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Why no more is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// All parts together are too large.
    FormTooLarge,
    /// Nothing came of what was read.
    HeadTooLarge,
    /// The client is gone.
    BrokeOff,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Stopped {}

/// The steps.
pub(super) struct Steps {
    body: BodyDataStream,
    rest: Bytes,
    allowance: Allowance,
    pauses: bool,
}

impl Steps {
    pub(super) fn new(body: BodyDataStream, allowance: Allowance) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            allowance,
            pauses: false,
        }
    }
}

impl Stream for Steps {
    type Item = Result<Bytes, Stopped>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pauses) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(context)) {
                None => return Poll::Ready(None),
                Some(Err(_)) => return Poll::Ready(Some(Err(Stopped::BrokeOff))),
                Some(Ok(bytes)) => self.rest = bytes,
            }
        }
        let length = self.rest.len().min(STEP);
        let step = self.rest.split_to(length);
        self.pauses = true;
        Poll::Ready(Some(self.allowance.spend(length).map(|()| step)))
    }
}
