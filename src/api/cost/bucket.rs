//! Points by caller: each has a bucket of them that fills up over time, and a request takes what it costs. Buckets are
//! this server's own and in memory; those of callers who have not come for long are forgotten, which is as good as full.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use crate::kernel::{Actor, KeyId, MemberId, Origin, Timestamp, address::household};

/// How many buckets there are at the most in each of two generations.
const MOST: usize = 20_000;

/// Who takes points.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Taker {
    /// A member, by whichever session.
    Member(MemberId),
    /// A partner system, by a key.
    Key(KeyId),
    /// Whoever has not signed in, by his address; of IPv6, by his network of 64 bits.
    Address(Option<IpAddr>),
}

impl Taker {
    /// Whose bucket it is.
    pub fn of(actor: &Actor, origin: &Origin) -> Self {
        match actor {
            Actor::Member(member) => Self::Member(member.member_id),
            Actor::Key(partner) => Self::Key(partner.key_id),
            Actor::Nobody | Actor::System(_) | Actor::Operator => Self::Address(origin.address.map(household)),
        }
    }
}

/// How a bucket stands after a request has taken its points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Throttle {
    /// The points of a full bucket.
    pub maximum: u32,
    /// The points that are left, rounded down.
    pub available: u32,
    /// The points that come back in a second.
    pub restore_rate: u32,
}

/// A bucket as it stood at an instant.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Thousandths of points that are gone.
    taken: u64,
    /// Milliseconds since 1970.
    at: i64,
}

/// The buckets of all callers.
#[derive(Debug)]
pub struct Buckets {
    maximum: u32,
    restore_rate: u32,
    kept: Mutex<Generations>,
}

/// Who came lately, and who came before that.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Taker, Bucket>,
    old: HashMap<Taker, Bucket>,
}

impl Buckets {
    /// Buckets of so many points, of which so many come back in a second.
    pub fn new(maximum: u32, restore_rate: u32) -> Self {
        Self {
            maximum,
            restore_rate,
            kept: Mutex::default(),
        }
    }

    /// Takes what a request costs, at least one point.
    ///
    /// # Errors
    /// In how many seconds there are as many; nothing was taken then.
    pub fn take(&self, taker: Taker, points: u64, now: Timestamp) -> Result<Throttle, u32> {
        let mut at = now.0.timestamp_millis();
        let (rate, full) = (u64::from(self.restore_rate), u64::from(self.maximum) * 1_000);
        let wanted = points.max(1).saturating_mul(1_000).min(full);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = kept.find(taker).map_or(0, |bucket| {
            // A point a second is a thousandth a millisecond.
            let back = u64::try_from(at - bucket.at).unwrap_or(0).saturating_mul(rate);
            at = at.max(bucket.at);
            bucket.taken.saturating_sub(back)
        });
        if taken + wanted > full {
            kept.keep(taker, Bucket { taken, at });
            let missing = taken + wanted - full;
            return Err(u32::try_from(missing.div_ceil(rate.max(1) * 1_000)).unwrap_or(u32::MAX));
        }
        let taken = taken + wanted;
        kept.keep(taker, Bucket { taken, at });
        Ok(Throttle {
            maximum: self.maximum,
            available: u32::try_from((full - taken) / 1_000).unwrap_or(self.maximum),
            restore_rate: self.restore_rate,
        })
    }
}

impl Generations {
    fn find(&mut self, taker: Taker) -> Option<Bucket> {
        self.young.get(&taker).copied().or_else(|| self.old.remove(&taker))
    }

    fn keep(&mut self, taker: Taker, bucket: Bucket) {
        if self.young.len() >= MOST && !self.young.contains_key(&taker) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(taker, bucket);
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration};

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp(DateTime::UNIX_EPOCH + Duration::milliseconds(1_800_000_000_000 + millis))
    }

    fn somebody(number: u32) -> Taker {
        Taker::Address(Some(IpAddr::V4(number.into())))
    }

    #[test]
    fn g5_a_bucket_gives_what_it_has_and_fills_up_again() {
        let buckets = Buckets::new(100, 10);
        let take = |points, millis| buckets.take(somebody(1), points, at(millis)).map(|left| left.available);

        assert_eq!(take(60, 0), Ok(40));
        assert_eq!(take(0, 0), Ok(39), "nothing is free");
        assert_eq!(take(40, 0), Err(1));
        assert_eq!(take(40, 99), Err(1), "a tenth of a second brings a point");
        assert_eq!(take(40, 100), Ok(0));
        assert_eq!(take(50, 100), Err(5));
        assert_eq!(take(50, 5_099), Err(1));
        assert_eq!(take(50, 5_100), Ok(0));
        assert_eq!(take(1, 1_000_000), Ok(99), "it fills up and no further");
        assert_eq!(
            take(1_000, 2_000_000),
            Ok(0),
            "what costs more than there can be waits for all of it"
        );
        assert_eq!(take(1, 0), Err(1), "a clock that goes back brings nothing");
        assert_eq!(buckets.take(somebody(2), 100, at(0)).map(|left| left.available), Ok(0));
    }

    #[test]
    fn g5_buckets_are_of_a_number_whoever_comes() {
        let buckets = Buckets::new(10, 1);
        for number in 0..150_000 {
            buckets.take(somebody(number), 10, at(0)).unwrap();
            // Who keeps coming is not forgotten for the others' sake.
            assert!(buckets.take(somebody(0), 10, at(0)).is_err(), "{number}");
        }
        let kept = buckets.kept.lock().unwrap();
        assert!(kept.young.len() <= MOST && kept.old.len() <= MOST);
    }
}
