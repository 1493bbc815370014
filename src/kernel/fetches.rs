//! When loaders fetch: not before nothing else of a request can go on. Until then they collect what resolvers ask for,
//! so that a list of any length takes one statement for each kind of thing that its rows ask for.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use async_graphql::runtime::Timer;
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, ready},
    stream::FuturesUnordered,
    task::{FutureObj, Spawn, SpawnError},
};

/// The fetches of one request that wait for their turn. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Fetches(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<FutureObj<'static, ()>>,
    is_driven: bool,
}

impl Fetches {
    /// Does `work`; whenever all of it waits, begins the fetches that it waits for, and goes on with them beside it.
    /// What nobody waits for any more when the work is done is dropped.
    pub async fn drive<T>(&self, work: impl Future<Output = T>) -> T {
        let _driven = Driven::begin(self);
        let (mut work, mut running) = (pin!(work), FuturesUnordered::new());
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Pending => {
                self.go_on(&mut running, context);
                Poll::Pending
            }
            done => done,
        })
        .await
    }

    /// A fetch that ends wakes the work that waits for it.
    fn go_on(&self, running: &mut FuturesUnordered<FutureObj<'static, ()>>, context: &mut Context<'_>) {
        loop {
            running.extend(std::mem::take(&mut self.queue().waiting));
            let has_ended = matches!(running.poll_next_unpin(context), Poll::Ready(Some(())));
            if !has_ended && self.queue().waiting.is_empty() {
                return;
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spawn for Fetches {
    /// Where nobody drives them, such as outside of a request, fetches run at once and each by itself.
    fn spawn_obj(&self, fetch: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        let mut queue = self.queue();
        if queue.is_driven {
            queue.waiting.push(fetch);
        } else {
            tokio::spawn(fetch);
        }
        Ok(())
    }
}

/// Says for as long as it lives that the fetches are driven.
struct Driven<'f>(&'f Fetches);

impl<'f> Driven<'f> {
    fn begin(fetches: &'f Fetches) -> Self {
        fetches.queue().is_driven = true;
        Self(fetches)
    }
}

impl Drop for Driven<'_> {
    fn drop(&mut self) {
        *self.0.queue() = Queue::default();
    }
}

/// Lets loaders hand their fetches over at once: waiting is [`Fetches::drive`]'s business.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtOnce;

impl Timer for AtOnce {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
    use futures_util::future::join_all;

    use super::*;

    #[derive(Default)]
    struct Counting(Mutex<Vec<usize>>);

    impl Loader<usize> for Counting {
        type Value = usize;
        type Error = ();

        async fn load(&self, keys: &[usize]) -> Result<HashMap<usize, usize>, ()> {
            self.0.lock().unwrap().push(keys.len());
            tokio::task::yield_now().await;
            Ok(keys.iter().map(|key| (*key, key + 1_000)).collect())
        }
    }

    fn loader(fetches: &Fetches) -> DataLoader<Counting, HashMapCache> {
        DataLoader::with_cache(Counting::default(), fetches.clone(), AtOnce, HashMapCache::default())
            .max_batch_size(usize::MAX)
    }

    async fn two_steps(loader: &DataLoader<Counting, HashMapCache>, key: usize) -> usize {
        let next = loader.load_one(key).await.unwrap().unwrap();
        loader.load_one(next).await.unwrap().unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_many_ask_for_at_once_is_fetched_at_once() {
        let fetches = Fetches::default();
        let loader = loader(&fetches);

        let found = fetches
            .drive(join_all((0..2_000).map(|key| two_steps(&loader, key % 1_500))))
            .await;

        assert_eq!(found.len(), 2_000);
        assert!(
            found
                .iter()
                .enumerate()
                .all(|(place, found)| *found == place % 1_500 + 2_000)
        );
        assert_eq!(
            *loader.loader().0.lock().unwrap(),
            [1_500, 1_000],
            "500 of the second step were known"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_nobody_drives_is_fetched_all_the_same() {
        let fetches = Fetches::default();
        let loader = loader(&fetches);

        let before = two_steps(&loader, 1).await;
        let driven = fetches.drive(two_steps(&loader, 2)).await;
        let after = two_steps(&loader, 3).await;

        assert_eq!((before, driven, after), (2_001, 2_002, 2_003));
    }
}
