//! Turns: deeds of one organization take place one after the other. On one server they wait for each other in memory, so that
//! a crowd that wants one organization does not wait on the connections; other servers are kept off by a lock of its row.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as Lock, OwnedMutexGuard};

use super::{Error, OrganizationId, Result, pools::TURN};

/// Who does something in which organization, on this server.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    places: Arc<Mutex<HashMap<OrganizationId, Arc<Lock<()>>>>>,
    /// That of SQLite's one writer.
    file: Arc<Lock<()>>,
}

/// A place that nobody else has until it is dropped.
pub(super) type Place = OwnedMutexGuard<()>;

/// An organization's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) organization: OrganizationId,
    /// Whether it was another's when it was asked for.
    pub(super) was_anothers: bool,
    _places: (Place, Option<Place>),
}

impl Turns {
    /// Waits until no other deed of this organization is under way here; of any, where all write to one file.
    ///
    /// # Errors
    /// `THROTTLED` after 20 seconds.
    pub(super) async fn take(&self, organization: OrganizationId, is_one_file: bool) -> Result<Turn> {
        let place = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            if places.len() > 10_000 {
                places.retain(|_, place| Arc::strong_count(place) > 1);
            }
            places.entry(organization).or_default().clone()
        };
        let (own, has_waited) = taken(place).await?;
        let (file, has_waited_for_file) = match is_one_file {
            true => taken(self.file.clone())
                .await
                .map(|(file, waited)| (Some(file), waited))?,
            false => (None, false),
        };
        Ok(Turn {
            organization,
            was_anothers: has_waited || has_waited_for_file,
            _places: (own, file),
        })
    }

    /// Waits for the place of SQLite's one writer.
    ///
    /// # Errors
    /// `THROTTLED` after 20 seconds.
    pub(super) async fn file(&self) -> Result<Place> {
        taken(self.file.clone()).await.map(|(place, _)| place)
    }
}

/// A place, and whether it was another's.
async fn taken(place: Arc<Lock<()>>) -> Result<(Place, bool)> {
    if let Ok(place) = place.clone().try_lock_owned() {
        return Ok((place, false));
    }
    let waited = tokio::time::timeout(TURN, place.lock_owned()).await;
    waited.map(|place| (place, true)).map_err(|_| Error::Busy(1))
}
