//! What is known of a chain from outside the database: its end, and which of its places are too young to have been
//! removed. Each block of the anchor knows the ends of all chains at its time, so what lies behind such an end was written
//! later, whatever the database says of it now.

use chrono::Duration;

use crate::kernel::Timestamp;

/// How far apart in time the ends are that are kept of a chain, one for each block being too many.
const APART: Duration = Duration::days(31);

/// The most of them: logs are kept for 240 months at most.
const MOST: usize = 250;

/// What no log is kept for as long as: an end from before that tells nothing any more.
const LONGEST: Duration = Duration::days(7_400);

/// How much earlier a place may go than the anchor thinks: days begin in the organization's zone, which can be changed,
/// clocks differ, and entries are on their way while the ends are read.
const SLACK: Duration = Duration::days(7);

/// What is known of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The last place that was anchored; 0 where none was.
    pub place: i64,
    /// The hash there.
    pub hash: Vec<u8>,
    /// The last place that can have been removed in its time by now.
    pub removable: i64,
}

impl Default for Known {
    /// Nothing is known: whatever was removed may have been.
    fn default() -> Self {
        Self {
            place: 0,
            hash: Vec::new(),
            removable: i64::MAX,
        }
    }
}

/// A chain as the blocks of an anchor tell of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    place: i64,
    hash: Vec<u8>,
    /// Where the chain ended at some times, the oldest first.
    steps: Vec<(Timestamp, i64)>,
    /// Since when it was not the chain that is known: what it got meanwhile may be as old.
    held_since: Option<Timestamp>,
}

impl Reach {
    pub(super) fn end(&self) -> (i64, &[u8]) {
        (self.place, &self.hash)
    }

    /// The next block that names it: `before` is the time of the block before that, at which it still ended where it did.
    /// A block that names it again at the same place says that it was held back.
    pub(super) fn take(&mut self, before: Option<Timestamp>, place: i64, hash: Vec<u8>) {
        if place == self.place {
            self.held_since = self.held_since.or(before);
            return;
        }
        let ended = self.held_since.take().or(before);
        let last = self.steps.last().map(|(at, _)| *at);
        if let Some(at) = ended.filter(|at| last.is_none_or(|last| last.0 + APART <= at.0)) {
            // Only what is too old for anything makes room: whoever adds ends pushes out none that tells something.
            self.steps.retain(|(step, _)| step.0 + LONGEST >= at.0);
            if self.steps.len() < MOST {
                self.steps.push((at, self.place));
            }
        }
        (self.place, self.hash) = (place, hash);
    }

    /// What is known of it by the block of this time, the last one, where entries from `kept_from` on are kept.
    pub(super) fn known(&self, at: Timestamp, kept_from: Timestamp) -> Known {
        let now = (self.held_since.unwrap_or(at), self.place);
        let young = self.steps.iter().copied().chain([now]);
        let mut young = young.filter(|(at, _)| at.0 >= kept_from.0 + SLACK);
        Known {
            place: self.place,
            hash: self.hash.clone(),
            removable: young.next().map_or(i64::MAX, |(_, place)| place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp(chrono::DateTime::UNIX_EPOCH + Duration::days(20_000 + day))
    }

    /// A chain that gets a place each day, whose end is anchored each evening, for so many days.
    fn daily(days: i64) -> Reach {
        let mut reach = Reach::default();
        for now in 1..=days {
            reach.take(Some(day(now - 1)), now, vec![now as u8]);
        }
        reach
    }

    #[test]
    fn l3_what_is_too_young_to_go_is_known_to_the_month() {
        let (reach, days) = (daily(1_000), 1_000);
        for kept_from in (0..days).step_by(13) {
            let removable = reach.known(day(days), day(kept_from)).removable;
            // The place of a day is written on it; what is older than the first day that is kept may go.
            assert!(
                removable >= kept_from,
                "{kept_from}: what is over may go, up to {removable}"
            );
            assert!(removable <= kept_from + 7 + 31, "{kept_from}: {removable}");
        }
        assert_eq!(
            reach.known(day(days), day(days + 1)).removable,
            i64::MAX,
            "all of it is over"
        );
        assert_eq!(reach.known(day(days), day(-9)).removable, 0, "none of it is");
    }

    #[test]
    fn l3_nothing_is_said_of_the_age_of_what_was_there_before_the_first_block() {
        let mut reach = Reach::default();
        reach.take(None, 50, vec![1]);
        reach.take(Some(day(1)), 60, vec![2]);
        assert_eq!(reach.known(day(2), day(-800)).removable, 50);
        assert_eq!(reach.known(day(800), day(1)).removable, 60);
    }

    #[test]
    fn l3_what_was_held_back_may_be_as_old_as_that() {
        let mut reach = daily(10);
        reach.take(Some(day(10)), 10, vec![10]);
        reach.take(Some(day(100)), 10, vec![10]);
        assert_eq!(
            reach.known(day(200), day(50)).removable,
            i64::MAX,
            "the last that is known is of day 10"
        );
        reach.take(Some(day(200)), 40, vec![40]);
        assert_eq!(
            reach.known(day(300), day(50)).removable,
            40,
            "places 11 to 40 may be of any day from then on"
        );
    }

    #[test]
    fn l3_what_is_kept_of_a_chain_is_bounded() {
        let reach = daily(31 * 300);
        assert!((230..=MOST).contains(&reach.steps.len()), "{}", reach.steps.len());
        let last = reach.steps.last().unwrap().1;
        assert!(last > 31 * 298, "it goes on after so many years: {last}");
    }
}
