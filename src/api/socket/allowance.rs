//! How many messages a socket takes that nobody pays for: signs of life, and whatever begins and ends nothing. So many come
//! at once, and one more after each while.

use std::time::{Duration, Instant};

/// What is left of it on one socket.
#[derive(Debug)]
pub(super) struct Allowance {
    most: u32,
    left: u32,
    back: Duration,
    /// Up to when what comes back has been counted.
    counted: Instant,
}

impl Allowance {
    /// A full one.
    pub(super) fn new(most: u32, back: Duration, now: Instant) -> Self {
        Self {
            most,
            left: most,
            back,
            counted: now,
        }
    }

    /// Takes one; `false` where there is none.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let whiles = now.saturating_duration_since(self.counted).as_nanos() / self.back.as_nanos().max(1);
        let come = u32::try_from(whiles).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(come).min(self.most);
        self.counted = match self.back.checked_mul(come) {
            Some(counted) if self.left < self.most => self.counted + counted,
            _ => now,
        };
        let has = self.left > 0;
        self.left = self.left.saturating_sub(1);
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g7_so_many_come_at_once_and_one_more_after_each_while() {
        let begun = Instant::now();
        let mut allowance = Allowance::new(3, Duration::from_secs(1), begun);
        let mut take = |millis| allowance.take(begun + Duration::from_millis(millis));

        assert_eq!([0, 0, 0, 0].map(&mut take), [true, true, true, false]);
        assert_eq!([999, 1_000, 1_001, 1_999].map(&mut take), [false, true, false, false]);
        assert_eq!([2_000, 3_500, 4_000, 4_000].map(&mut take), [true, true, true, false]);
        assert_eq!(
            [90_000, 90_000, 90_000, 90_000].map(&mut take),
            [true, true, true, false]
        );
        assert!(!take(0), "an instant that is past brings nothing");
    }
}
