//! Who walks whole chains: each organization once at a time, and few of them at once, since each takes a connection for as
//! long as it lasts.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use crate::kernel::OrganizationId;

/// How many walk at once: fewer than SQLite has connections that read.
const MOST: usize = 2;

/// The organizations whose chains are walked on this server.
#[derive(Debug, Default)]
pub struct Walks(Mutex<HashSet<OrganizationId>>);

/// One that walks, until this is dropped.
#[derive(Debug)]
pub struct Walk {
    walks: Arc<Walks>,
    organization: OrganizationId,
}

impl Walks {
    /// Begins, where neither this organization nor too many others are at it.
    pub fn begin(self: &Arc<Self>, organization: OrganizationId) -> Option<Walk> {
        let mut walking = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if walking.len() >= MOST || !walking.insert(organization) {
            return None;
        }
        Some(Walk {
            walks: self.clone(),
            organization,
        })
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        let mut walking = self.walks.0.lock().unwrap_or_else(PoisonError::into_inner);
        walking.remove(&self.organization);
    }
}
