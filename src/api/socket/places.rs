//! How many sockets there are of each kind of holder: nobody takes all the room that there is.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{api::cost::Taker, kernel::OrganizationId};

/// Who holds sockets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Holder {
    /// The server, all of them.
    Server,
    /// An address, those whose caller is not known yet; of IPv6, a network of 64 bits.
    Stranger(Option<IpAddr>),
    /// A caller.
    Caller(Taker),
    /// An organization.
    Organization(OrganizationId),
}

/// How many sockets each holder has.
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
}

/// One socket of a holder.
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
        assert!(
            places.take(Holder::Stranger(None), 1).is_some(),
            "others have their own"
        );

        drop(one);

        assert!(places.take(Holder::Server, 2).is_some());
        drop(two);
        assert!(places.0.lock().unwrap().is_empty());
    }
}
