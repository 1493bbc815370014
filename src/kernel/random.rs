//! The only source of randomness: seeded by the operating system when the service runs, by a number in tests and in
//! the demo's seed, so that their IDs come out the same each time.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// A cryptographically strong generator that is shared by everything in one process.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<ChaCha20Rng>>);

impl Random {
    /// Seeded by the operating system.
    ///
    /// # Errors
    /// If the operating system gives no randomness.
    pub fn from_system() -> std::io::Result<Self> {
        let mut seed = [0; 32];
        aws_lc_rs::rand::fill(&mut seed).map_err(|_| std::io::Error::other("the system gives no randomness"))?;
        Ok(Self(Arc::new(Mutex::new(ChaCha20Rng::from_seed(seed)))))
    }

    /// The same bytes for the same number, every time. Never for a service that real people use.
    pub fn seeded(number: u64) -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(number))))
    }

    /// `N` bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        bytes
    }

    /// A number in `0..end`; 0 where `end` is 0. The bias is below 2⁻³² for every `end` below 2³².
    pub fn below(&self, end: u64) -> u64 {
        u64::from_le_bytes(self.bytes()).checked_rem(end).unwrap_or(0)
    }
}
