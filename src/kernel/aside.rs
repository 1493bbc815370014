//! Whose looks may go to the read replica ([`super::replica`]): a caller's who was checked on the first database, from what
//! was seen there on, and once. What he opens after that, or after he has changed something, is the first database's.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{Caller, Error, Result, replica::Mark};

/// How long a look may take by the replica: longer than its longest statement, so that one who waits for more waits for a
/// server that has gone without a word.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a caller has seen of the first database, and whether that lets him look elsewhere.
#[derive(Debug, Default)]
pub(super) struct Aside {
    seen: Mutex<Option<Mark>>,
    /// Whether his next look goes there.
    is_due: AtomicBool,
    /// Whether what he has open is there.
    is_there: AtomicBool,
}

impl Aside {
    fn seen(&self) -> MutexGuard<'_, Option<Mark>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first database showed itself to him, as far as this.
    pub(super) fn saw(&self, mark: Option<Mark>) {
        if mark.is_some() {
            *self.seen() = mark;
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Acquire)
    }

    /// What the replica has to have: for one look.
    pub(super) fn take(&self) -> Option<Mark> {
        let is_due = self.is_due.swap(false, Ordering::AcqRel);
        self.seen().take().filter(|_| is_due)
    }

    pub(super) fn went(&self) {
        self.is_there.store(true, Ordering::Release);
    }

    /// Ends with what he has open.
    pub(super) fn end(&self) {
        self.is_due.store(false, Ordering::Release);
        self.is_there.store(false, Ordering::Release);
        self.seen().take();
    }
}

impl Caller {
    /// Lets the look that comes next go to the read replica, where there is one: whoever asks was checked just now, through
    /// the view that is open, and changes nothing.
    #[must_use]
    pub(crate) fn looking_aside(self) -> Self {
        let has_seen = self.aside.seen().is_some();
        self.aside.is_due.store(has_seen, Ordering::Release);
        self
    }

    /// The same where somebody else's view showed who he is and what he may.
    #[must_use]
    pub(crate) fn looking_aside_after(self, other: &Self) -> Self {
        self.aside.saw(other.aside.seen().clone());
        self.looking_aside()
    }

    /// Whether the next look goes to the read replica.
    pub(crate) fn is_to_look_aside(&self) -> bool {
        self.aside.is_due()
    }

    /// Whether what he has open is the read replica's.
    pub(crate) fn looks_aside(&self) -> bool {
        self.aside.is_there.load(Ordering::Acquire)
    }

    /// What work comes to; `None` where the read replica has gone without a word in the middle of it. Where the caller turned
    /// out to look at the first database, it takes as long as it takes there.
    pub(crate) async fn unless_gone<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = Box::pin(work);
        match tokio::time::timeout(PATIENCE, &mut work).await {
            Ok(came) => Some(came),
            Err(_) if self.looks_aside() => {
                if let Some(replica) = self.app().database.replica() {
                    replica.went_silent();
                }
                None
            }
            Err(_) => Some(work.await),
        }
    }

    /// What a look comes to; `None` where the read replica broke it off, so that it is to be taken again.
    pub(crate) async fn unless_broken_off<T>(&self, look: impl Future<Output = Result<T>>) -> Option<Result<T>> {
        let came = self.unless_gone(look).await;
        let is_fault = came
            .as_ref()
            .is_none_or(|came| came.as_ref().is_err_and(Error::is_fault));
        if self.looks_aside() && is_fault {
            self.look_anew().await;
            return None;
        }
        came
    }

    /// Ends what the read replica broke off, as if nothing had been looked at: what is asked for again comes from the first
    /// database.
    pub(crate) async fn look_anew(&self) {
        self.release().await;
        self.forget_looks();
        if let Some(replica) = self.app().database.replica() {
            replica.broke_off();
        }
    }
}
