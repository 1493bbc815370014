//! How the job runner looks for jobs. apalis 1.0's own interval replaces its timer without polling it, so that nothing
//! wakes the worker until its next heartbeat; this one polls until it has to wait.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use apalis::prelude::{PollSnapshot, PollStrategy};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Looks every so often.
#[derive(Debug)]
pub(super) struct Ticker {
    every: Duration,
    interval: Option<Interval>,
}

impl Ticker {
    /// Looks every `every`.
    pub(super) fn new(every: Duration) -> Self {
        Self { every, interval: None }
    }
}

impl Clone for Ticker {
    fn clone(&self) -> Self {
        Self::new(self.every)
    }
}

impl PollStrategy for Ticker {
    fn poll_drive(&mut self, context: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let every = self.every;
        let interval = self.interval.get_or_insert_with(|| {
            let mut interval = interval(every);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        });
        let mut is_due = false;
        while interval.poll_tick(context).is_ready() {
            is_due = true;
        }
        if is_due { Poll::Ready(Some(())) } else { Poll::Pending }
    }
}
