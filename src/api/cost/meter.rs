//! What a subscription costs: as much for each of its events as a request for the same. The first event is paid before
//! anything is done for it, so that whoever begins and gives up has paid too; each other before it is looked at.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Buckets, Taker, Throttle};
use crate::kernel::Timestamp;

/// What one subscription takes from its caller's bucket.
#[derive(Debug)]
pub struct Meter {
    buckets: Arc<Buckets>,
    taker: Taker,
    points: u64,
    read: Mutex<Reading>,
}

/// Whether an event is paid that did not come yet, and how the bucket stood after the last payment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    is_ahead: bool,
    throttle: Throttle,
}

impl Meter {
    /// A meter of so many points an event, whose first event was paid: so the bucket stood then.
    pub fn new(buckets: Arc<Buckets>, taker: Taker, points: u64, throttle: Throttle) -> Self {
        let read = Mutex::new(Reading {
            is_ahead: true,
            throttle,
        });
        Self {
            buckets,
            taker,
            points,
            read,
        }
    }

    /// Pays an event.
    ///
    /// # Errors
    /// In how many seconds there are enough points; nothing was taken then.
    pub fn pay(&self, now: Timestamp) -> Result<(), u32> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::take(&mut read.is_ahead) {
            read.throttle = self.buckets.take(self.taker, self.points, now)?;
        }
        Ok(())
    }

    /// How the bucket stood after the last payment.
    pub fn throttle(&self) -> Throttle {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).throttle
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn g5_the_first_event_was_paid_and_each_other_is() {
        let now = Timestamp(DateTime::UNIX_EPOCH);
        let buckets = Arc::new(Buckets::new(10, 1));
        let taker = Taker::Address(None);
        let first = buckets.take(taker, 4, now).unwrap();
        let meter = Meter::new(buckets, taker, 4, first);
        let pay = |seconds| {
            let paid = meter.pay(Timestamp(now.0 + chrono::Duration::seconds(seconds)));
            (paid, meter.throttle().available)
        };

        assert_eq!(pay(0), (Ok(()), 6));
        assert_eq!(pay(0), (Ok(()), 2));
        assert_eq!(pay(0), (Err(2), 2));
        assert_eq!(pay(2), (Ok(()), 0));
    }
}
