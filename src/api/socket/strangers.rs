//! Whoever has opened a socket and not said yet who he is. There is room for so many from one address, and for so many in
//! all: where it is full, somebody of the address that has most of them makes room, and of these who has waited the longest,
//! since whoever means well says who he is at once. So nobody keeps others out by opening sockets and saying nothing.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// An address; of IPv6, a network of 64 bits.
type Address = Option<IpAddr>;

/// All strangers of a server.
#[derive(Clone, Default)]
pub(super) struct Strangers(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    begun: u64,
    by_age: BTreeMap<u64, (Address, CancellationToken)>,
    by_address: HashMap<Address, usize>,
}

impl Strangers {
    /// Lets one more wait, until what is returned is dropped; `None` where there are as many from his address as may be.
    pub(super) fn take(&self, from: Address, most_of_address: usize, most: usize) -> Option<Stranger> {
        let mut waiting = self.lock();
        if waiting.by_address.get(&from).copied().unwrap_or_default() >= most_of_address {
            return None;
        }
        while waiting.by_age.len() >= most.max(1) {
            waiting.push_one_out();
        }
        waiting.begun += 1;
        let (number, pushed_out) = (waiting.begun, CancellationToken::new());
        waiting.by_age.insert(number, (from, pushed_out.clone()));
        *waiting.by_address.entry(from).or_default() += 1;
        Some(Stranger {
            all: self.clone(),
            number,
            pushed_out,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push_one_out(&mut self) {
        let crowd = |from| self.by_address.get(from).copied().unwrap_or_default();
        // Of several with as many, the oldest.
        let unlucky = self.by_age.iter().min_by_key(|(_, (from, _))| Reverse(crowd(from)));
        let unlucky = unlucky.map(|(number, (_, pushed_out))| (*number, pushed_out.clone()));
        if let Some((number, pushed_out)) = unlucky {
            pushed_out.cancel();
            self.forget(number);
        }
    }

    fn forget(&mut self, number: u64) {
        let Some((from, _)) = self.by_age.remove(&number) else {
            return;
        };
        if let Some(count) = self.by_address.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&from);
            }
        }
    }
}

/// Somebody who waits.
pub(super) struct Stranger {
    all: Strangers,
    number: u64,
    /// Cancelled when he has to make room.
    pub(super) pushed_out: CancellationToken,
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.all.lock().forget(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn from(last: u8) -> Address {
        Some(Ipv4Addr::new(203, 0, 113, last).into())
    }

    #[test]
    fn g7_an_address_has_so_many_strangers_and_gets_its_places_back() {
        let strangers = Strangers::default();
        let all = [strangers.take(from(1), 2, 10), strangers.take(from(1), 2, 10)];
        assert!(all.iter().all(Option::is_some) && strangers.take(from(1), 2, 10).is_none());
        assert!(strangers.take(from(2), 2, 10).is_some(), "others have their own");

        drop(all);

        assert!(strangers.take(from(1), 2, 10).is_some());
        assert!(strangers.lock().by_age.is_empty() && strangers.lock().by_address.is_empty());
    }

    #[test]
    fn g7_where_it_is_full_the_oldest_of_the_largest_crowd_makes_room() {
        let strangers = Strangers::default();
        let take = |last| strangers.take(from(last), 3, 4).unwrap();
        let all = [take(1), take(2), take(2), take(3)];
        let out = || all.each_ref().map(|stranger| stranger.pushed_out.is_cancelled());

        let fifth = take(4);
        assert_eq!(out(), [false, true, false, false]);
        let sixth = take(5);
        assert_eq!(out(), [true, true, false, false], "where all have as many, the oldest");
        let [gone, ..] = all;
        drop(gone);

        assert!(!fifth.pushed_out.is_cancelled() && !sixth.pushed_out.is_cancelled());
        assert_eq!(
            strangers.lock().by_age.len(),
            4,
            "whoever was pushed out is not counted twice"
        );
    }
}
