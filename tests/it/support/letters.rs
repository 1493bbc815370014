//! A mailer that keeps what it is given, or fails as the test wants.

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, future::BoxFuture};
use orgdesk::kernel::{Letter, Mailer, Undelivered};

/// The letters of a test.
#[derive(Clone, Default)]
pub struct Letters(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    sent: Vec<Letter>,
    tried: Vec<Letter>,
    failure: Option<Undelivered>,
}

impl Letters {
    /// What was sent so far.
    pub fn sent(&self) -> Vec<Letter> {
        self.0.lock().unwrap().sent.clone()
    }

    /// What was tried so far: what was sent, and what failed.
    pub fn tried(&self) -> Vec<Letter> {
        self.0.lock().unwrap().tried.clone()
    }

    /// From now on every letter fails like this, or none.
    pub fn fail(&self, failure: Option<Undelivered>) {
        self.0.lock().unwrap().failure = failure;
    }
}

impl Mailer for Letters {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), Undelivered>> {
        let mut inside = self.0.lock().unwrap();
        inside.tried.push(letter.clone());
        let result = match inside.failure.clone() {
            Some(failure) => Err(failure),
            None => {
                inside.sent.push(letter);
                Ok(())
            }
        };
        async move { result }.boxed()
    }
}
