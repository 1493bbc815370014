//! How many sockets and subscriptions there are of each kind of holder: nobody takes all the room that there is. Whoever is
//! not known yet has room of his own: `strangers.rs`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{api::cost::Taker, kernel::OrganizationId};

/// Who holds what.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Holder {
    /// The server, the sockets of all callers.
    Server,
    /// A caller, his sockets.
    Caller(Taker),
    /// An organization, the sockets of its callers.
    Organization(OrganizationId),
    /// A caller, his subscriptions on all of his sockets.
    SubscriptionsOf(Taker),
    /// An organization, the subscriptions of its callers.
    SubscriptionsIn(OrganizationId),
}

/// How much each holder has.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<HashMap<Holder, usize>>>);

impl Places {
    /// Takes one more, until what is returned is dropped; `None` where there are as many as may be.
    pub(super) fn take(&self, holder: Holder, most: usize) -> Option<Place> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(holder).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place {
            all: self.clone(),
            holder,
        })
    }

    /// Whether there are as many as may be.
    pub(super) fn is_full(&self, holder: Holder, most: usize) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&holder).copied().unwrap_or_default() >= most
    }
}

/// One socket or subscription of a holder.
pub(super) struct Place {
    all: Places,
    holder: Holder,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.holder) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g7_a_place_is_free_again_when_it_is_left() {
        let places = Places::default();
        let one = places.take(Holder::Server, 2);
        let two = places.take(Holder::Server, 2);
        assert!(one.is_some() && two.is_some() && places.take(Holder::Server, 2).is_none());
        assert!(places.is_full(Holder::Server, 2));
        let caller = Holder::Caller(Taker::Address(None));
        assert!(places.take(caller, 1).is_some(), "others have their own");

        drop(one);

        assert!(places.take(Holder::Server, 2).is_some());
        drop(two);
        assert!(places.0.lock().unwrap().is_empty());
    }
}
