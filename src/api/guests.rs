//! How many connections one client has: nobody takes all the room that there is.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::kernel::address;

/// How many connections there are from each address.
#[derive(Clone, Default)]
pub(super) struct Guests(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Guests {
    /// Lets one more in from there, until what is returned is dropped; `None` where there are as many as may be.
    pub(super) fn admit(&self, peer: IpAddr, most: Option<usize>) -> Option<Guest> {
        let from = address::household(peer);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(from).or_default();
        if most.is_some_and(|most| *count >= most) {
            return None;
        }
        *count += 1;
        Some(Guest {
            all: self.clone(),
            from,
        })
    }
}

/// One of the connections from an address.
pub(super) struct Guest {
    all: Guests,
    from: IpAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.from);
            }
        }
    }
}
