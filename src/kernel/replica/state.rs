//! What is known of a standby: whether views go there, and how many did. The log is told when that changes, and not of each
//! view.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a standby that could not be used is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// For how long a standby has to be too late for the log to be told.
const LATE: Duration = Duration::from_secs(5);

/// Why a view did not go to the standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Passed {
    /// It did.
    Not,
    /// The standby is away, or is none.
    Away,
    /// It has not replayed yet what the caller has to see.
    Late,
    /// All connections to it are in use.
    Busy,
    /// It broke the view off; what was asked was asked once more.
    Broken,
}

impl Passed {
    const ALL: [Self; 5] = [Self::Not, Self::Away, Self::Late, Self::Busy, Self::Broken];

    /// What the metrics call it.
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Not => "replica",
            Self::Away => "away",
            Self::Late => "late",
            Self::Busy => "busy",
            Self::Broken => "broken",
        }
    }
}

/// What is known of a standby.
#[derive(Debug, Default)]
pub(super) struct State {
    known: Mutex<Known>,
    counts: [AtomicU64; Passed::ALL.len()],
}

#[derive(Debug, Default)]
struct Known {
    is_serving: bool,
    /// Why it is not, as the log was told.
    fault: Option<String>,
    /// When it may be tried out again.
    again: Option<Instant>,
    is_tried: bool,
    /// Since when it has been too late, and whether the log knows.
    late: Option<(Instant, bool)>,
}

impl State {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a view.
    pub(super) fn passed(&self, why: Passed) {
        if let Some(count) = self.counts.get(why as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many views there were of each kind.
    pub(super) fn told(&self) -> [(Passed, u64); Passed::ALL.len()] {
        let count = |why: Passed| {
            self.counts
                .get(why as usize)
                .map_or(0, |count| count.load(Ordering::Relaxed))
        };
        Passed::ALL.map(|why| (why, count(why)))
    }

    /// Whether views go there.
    pub(super) fn is_serving(&self) -> bool {
        self.known().is_serving
    }

    /// Why it can't be used, as the log was told.
    pub(super) fn fault(&self) -> Option<String> {
        self.known().fault.clone()
    }

    /// Whether it is to be tried out now; whoever is told so does it.
    pub(super) fn may_try(&self) -> bool {
        let mut known = self.known();
        let is_due = known.again.is_none_or(|again| again <= Instant::now());
        let may = is_due && !known.is_tried && !known.is_serving;
        known.is_tried |= may;
        may
    }

    /// It can be used.
    pub(super) fn serves(&self) {
        let mut known = self.known();
        known.is_tried = false;
        known.is_serving = true;
        known.fault = None;
        tracing::info!("views go to the read replica");
    }

    /// It can't be used. The same fault is told once, until it has served meanwhile.
    pub(super) fn away(&self, fault: &str) {
        let mut known = self.known();
        known.is_tried = false;
        known.is_serving = false;
        known.late = None;
        known.again = Some(Instant::now() + PAUSE);
        if known.fault.is_none() {
            known.fault = Some(fault.to_owned());
            tracing::warn!(fault, "views go to the first database: the read replica can't be used");
        }
    }

    /// Whether it was too late the last time.
    pub(super) fn is_late(&self) -> bool {
        self.known().late.is_some()
    }

    /// It was too late.
    pub(super) fn late(&self) {
        let mut known = self.known();
        let (since, is_told) = *known.late.get_or_insert_with(|| (Instant::now(), false));
        if !is_told && since.elapsed() > LATE {
            known.late = Some((since, true));
            tracing::warn!("views go to the first database: the read replica has been behind for some seconds");
        }
    }

    /// It was not.
    pub(super) fn caught_up(&self) {
        if let Some((_, true)) = self.known().late.take() {
            tracing::info!("views go to the read replica: it has caught up");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_one_at_a_time_tries_a_replica_out_and_not_at_once_again() {
        let state = State::default();
        assert!(state.may_try());
        assert!(!state.may_try(), "somebody does already");

        state.away("gone");
        assert!(!state.is_serving() && !state.may_try(), "it is left alone for a while");

        state.serves();
        assert!(state.is_serving() && !state.may_try(), "there is nothing to try out");
    }

    #[test]
    fn p2_each_view_counts_once() {
        let state = State::default();
        for why in Passed::ALL {
            state.passed(why);
        }
        state.passed(Passed::Late);
        assert_eq!(state.told().map(|(_, count)| count), [1, 1, 2, 1, 1]);
        assert_eq!(state.told().map(|(why, _)| why), Passed::ALL);
    }
}
