//! What belongs to no organization, is read often and changes rarely, such as price lists: kept for a minute, so that
//! looking does not ask the database each time. Whatever must not be a minute old is read past the shelf. Below it lies
//! what an area keeps in memory as long as the process lives, such as what it fetched from elsewhere.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::Duration;

use super::{Result, Timestamp};

const KEPT_FOR: Duration = Duration::minutes(1);

/// Things by their types, each with the instant at which it was read.
type Things = HashMap<TypeId, (Timestamp, Arc<dyn Any + Send + Sync>)>;

/// One thing of each type.
#[derive(Default)]
pub struct Shelf {
    things: Mutex<Things>,
    lasting: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Shelf {
    /// The thing, read anew where it is absent or old.
    ///
    /// # Errors
    /// What reading says.
    pub async fn get<T: Send + Sync + 'static>(
        &self,
        now: Timestamp,
        read: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        let kept = self
            .lock()
            .get(&TypeId::of::<T>())
            .filter(|(at, _)| now >= *at && now.0 - at.0 < KEPT_FOR)
            .cloned();
        if let Some(thing) = kept.and_then(|(_, thing)| thing.downcast::<T>().ok()) {
            return Ok(thing);
        }
        Ok(self.put(now, read.await?))
    }

    /// Puts a thing that was just read.
    pub fn put<T: Send + Sync + 'static>(&self, now: Timestamp, thing: T) -> Arc<T> {
        let thing = Arc::new(thing);
        self.lock().insert(TypeId::of::<T>(), (now, thing.clone()));
        thing
    }

    /// The thing that stays as long as the process lives, empty at the first asking.
    pub fn lasting<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut lasting = self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lasting
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()));
        // The entry of a type is of that type.
        kept.clone().downcast().unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Things> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf")
    }
}
