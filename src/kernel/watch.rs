//! Whoever wants to be told when a row changes: while anybody on this server watches it, the row is looked at again and
//! again, once for all of them. What a watcher is told is only that something has changed; the row says what, and it is the
//! same on every server of a database.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{MissedTickBehavior, interval},
};

use super::Result;

/// How often a watched row is looked at: whoever watches is told twice a second at the most.
const USUAL: Duration = Duration::from_millis(500);

/// How many views are open at once for whoever follows something: half of the connections by which SQLite is read, a sixth
/// of PostgreSQL's. However many are told of a change, the other connections are there for requests.
const PASSES: usize = 2;

/// What is watched on this server.
#[derive(Debug)]
pub struct Watches {
    every: Duration,
    passes: Arc<Semaphore>,
    kept: Mutex<Kept>,
}

/// Each watched thing with the number of its watch.
#[derive(Debug, Default)]
struct Kept {
    watches: HashMap<String, (u64, watch::Sender<String>)>,
    begun: u64,
}

impl Default for Watches {
    fn default() -> Self {
        Self::every(USUAL)
    }
}

impl Watches {
    /// Watches that look at another pace.
    pub fn every(pace: Duration) -> Self {
        Self {
            every: pace,
            passes: Arc::new(Semaphore::new(PASSES)),
            kept: Mutex::default(),
        }
    }

    /// How many things are watched.
    pub fn count(&self) -> usize {
        self.lock().watches.len()
    }

    /// Waits until few enough others hold a view for somebody who follows something.
    pub(crate) async fn pass(&self) -> Pass {
        Pass {
            _permit: self.passes.clone().acquire_owned().await.ok(),
        }
    }

    /// Follows the thing of this key. `look` says what can be seen of it, in any words that differ where something does, or
    /// `None` where there is nothing more to see; then the receiver ends. Looking stops when nobody follows any more.
    pub fn follow<F>(self: &Arc<Self>, key: &str, look: impl Fn() -> F + Send + 'static) -> watch::Receiver<String>
    where
        F: Future<Output = Result<Option<String>>> + Send + 'static,
    {
        let mut kept = self.lock();
        if let Some((_, sender)) = kept.watches.get(key) {
            return sender.subscribe();
        }
        kept.begun += 1;
        let number = kept.begun;
        let (sender, receiver) = watch::channel(String::new());
        kept.watches.insert(key.to_owned(), (number, sender.clone()));
        drop(kept);
        let watch = Watch {
            all: self.clone(),
            key: key.to_owned(),
            number,
            sender,
        };
        tokio::spawn(watch.go_on(look));
        receiver
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held as long as a view is open for somebody who follows something.
#[derive(Debug)]
pub struct Pass {
    // The semaphore is never closed.
    _permit: Option<OwnedSemaphorePermit>,
}

/// One watch; it is off the list when it ends, however it ends.
struct Watch {
    all: Arc<Watches>,
    key: String,
    number: u64,
    sender: watch::Sender<String>,
}

impl Watch {
    async fn go_on<F>(self, look: impl Fn() -> F)
    where
        F: Future<Output = Result<Option<String>>>,
    {
        let mut pace = interval(self.all.every);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pace.tick().await;
            if self.is_left() {
                return;
            }
            let pass = self.all.pass().await;
            let seen = look().await;
            drop(pass);
            match seen {
                Ok(Some(seen)) => {
                    self.sender.send_if_modified(|last| {
                        let differs = *last != seen;
                        *last = seen;
                        differs
                    });
                }
                Ok(None) => return,
                // The next look may do better.
                Err(error) => tracing::warn!(?error, key = self.key, "what is watched could not be looked at"),
            }
        }
    }

    /// Whether nobody follows; then nobody finds it on the list any more.
    fn is_left(&self) -> bool {
        let mut kept = self.all.lock();
        let is_left = self.sender.receiver_count() == 0;
        if is_left {
            self.forget(&mut kept);
        }
        is_left
    }

    fn forget(&self, kept: &mut Kept) {
        if kept
            .watches
            .get(&self.key)
            .is_some_and(|(number, _)| *number == self.number)
        {
            kept.watches.remove(&self.key);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.forget(&mut self.all.lock());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn watches() -> Arc<Watches> {
        Arc::new(Watches::every(Duration::from_millis(1)))
    }

    #[tokio::test]
    async fn m7_all_who_watch_share_one_look_and_are_told_of_changes_only() {
        let (watches, looks) = (watches(), Arc::new(AtomicUsize::new(0)));
        let look = |looks: Arc<AtomicUsize>| {
            move || {
                let looked = looks.fetch_add(1, Ordering::SeqCst);
                // Each state is seen ten times in a row.
                async move { Ok((looked < 30).then(|| (looked / 10).to_string())) }
            }
        };
        let mut first = watches.follow("a", look(looks.clone()));
        let mut second = watches.follow("a", look(looks.clone()));
        assert_eq!(watches.count(), 1);

        let mut told = Vec::new();
        while first.changed().await.is_ok() {
            told.push(first.borrow_and_update().clone());
        }
        while second.changed().await.is_ok() {
            second.borrow_and_update();
        }

        assert_eq!(told, ["0", "1", "2"]);
        assert_eq!((looks.load(Ordering::SeqCst), watches.count()), (31, 0));
    }

    #[tokio::test]
    async fn m7_nothing_is_looked_at_that_nobody_watches() {
        let (watches, looks) = (watches(), Arc::new(AtomicUsize::new(0)));
        let counted = looks.clone();
        let look = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok(Some(String::from("as ever"))) }
        };
        let mut receiver = watches.follow("a", look);
        assert!(receiver.changed().await.is_ok());

        drop(receiver);
        while watches.count() > 0 {
            tokio::task::yield_now().await;
        }

        let then = looks.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(looks.load(Ordering::SeqCst), then);
    }

    #[tokio::test]
    async fn m7_however_many_look_few_do_at_once() {
        let watches = watches();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let follow = |number: usize| {
            let (now, most) = (now.clone(), most.clone());
            watches.follow(&number.to_string(), move || {
                let (now, most) = (now.clone(), most.clone());
                async move {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    for _ in 0..10 {
                        tokio::task::yield_now().await;
                    }
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(Some(String::from("seen")))
                }
            })
        };
        let mut all: Vec<_> = (0..20).map(follow).collect();

        for one in &mut all {
            assert!(one.changed().await.is_ok(), "everybody's turn comes");
        }

        assert_eq!(most.load(Ordering::SeqCst), PASSES);
    }

    #[tokio::test]
    async fn m7_a_look_that_fails_is_taken_again() {
        let (watches, looks) = (watches(), Arc::new(AtomicUsize::new(0)));
        let look = move || {
            let looked = looks.fetch_add(1, Ordering::SeqCst);
            async move {
                match looked {
                    0..3 => Err(crate::kernel::Error::internal("the database is away")),
                    _ => Ok(Some(String::from("back"))),
                }
            }
        };
        let mut receiver = watches.follow("a", look);

        assert!(receiver.changed().await.is_ok());
        assert_eq!(*receiver.borrow(), "back");
    }
}
