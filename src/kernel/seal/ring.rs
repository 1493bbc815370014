//! The keys that wrap data keys: a ring from the settings, or a service elsewhere that never hands its keys out.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::aead::NONCE_LEN;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::{BoxFuture, FutureExt as _};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Broken, DataKey};

/// The most keys in a ring: the present one, and those that are on their way out.
const MOST_KEYS: usize = 20;

/// So many unwrapped keys are kept in memory; a service elsewhere is then asked seldom.
const MOST_KEPT: usize = 10_000;

/// Whoever wraps data keys. `context` says whose a key is and what for; a wrapped key opens with no other.
pub trait KeyService: Send + Sync {
    /// The name of the key that new data keys are wrapped under.
    fn current(&self) -> &str;

    /// Wraps a data key under the current key. `nonce` is random, for services that need one.
    fn wrap<'a>(
        &'a self,
        key: &'a [u8; 32],
        context: &'a [u8],
        nonce: [u8; NONCE_LEN],
    ) -> BoxFuture<'a, Result<Vec<u8>, Broken>>;

    /// Unwraps a data key that was wrapped under the key of this name.
    fn unwrap<'a>(
        &'a self,
        name: &'a str,
        wrapped: &'a [u8],
        context: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<[u8; 32]>, Broken>>;
}

/// Named keys of 256 bits. The first wraps; all of them unwrap. The empty one, which settings with faults have, does neither.
#[derive(Clone, Default)]
pub struct KeyRing(Vec<(String, Zeroizing<[u8; 32]>)>);

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl KeyRing {
    /// Reads `name:key` entries, with commas or lines between; a key is 32 random bytes in base 64.
    ///
    /// # Errors
    /// What is wrong, without any of the keys; also where a key is no more than the installation's own secret.
    pub fn parse(text: &str, secret: &[u8]) -> Result<Self, String> {
        let entries = text.split(['\n', ',']).map(str::trim).filter(|entry| !entry.is_empty());
        let mut ring: Vec<(String, Zeroizing<[u8; 32]>)> = Vec::new();
        for entry in entries {
            let (name, key) = entry.split_once(':').ok_or("each entry is name:key")?;
            let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if !(1..=32).contains(&name.len()) || !name.bytes().all(letters) {
                return Err("a key's name has 1 to 32 small letters, digits and hyphens".to_owned());
            }
            let bytes = STANDARD.decode(key.trim()).map(Zeroizing::new);
            let bytes = bytes.map_err(|_| format!("the key {name} is not base 64"))?;
            let mut key = Zeroizing::new([0; 32]);
            if bytes.len() != key.len() || distinct(&bytes) < 16 {
                return Err(format!("the key {name} is not 32 random bytes"));
            }
            key.copy_from_slice(&bytes);
            if ring.iter().any(|(other, known)| other == name || *known == key) {
                return Err(format!("the key {name} is there twice"));
            }
            if secret == key.as_slice() {
                return Err(format!(
                    "the key {name} is the installation's secret: it needs one of its own"
                ));
            }
            ring.push((name.to_owned(), key));
        }
        match ring.len() {
            0 => Err("it has no key".to_owned()),
            1..=MOST_KEYS => Ok(Self(ring)),
            _ => Err(format!("it has more than {MOST_KEYS} keys")),
        }
    }

    /// All of it as [`KeyRing::parse`] reads it, for a file that is kept apart from what it opens.
    pub fn to_text(&self) -> Zeroizing<String> {
        let entry = |(name, key): &(String, Zeroizing<[u8; 32]>)| format!("{name}:{}", STANDARD.encode(key.as_slice()));
        Zeroizing::new(self.0.iter().map(entry).collect::<Vec<_>>().join(","))
    }

    fn key(&self, name: &str) -> Result<DataKey, Broken> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, key)| DataKey(key.clone())).ok_or(Broken::KeyUnknown)
    }
}

/// How many different bytes there are: random ones differ.
fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|is| **is).count()
}

impl KeyService for KeyRing {
    fn current(&self) -> &str {
        self.0.first().map_or("", |(name, _)| name)
    }

    fn wrap<'a>(
        &'a self,
        key: &'a [u8; 32],
        context: &'a [u8],
        nonce: [u8; NONCE_LEN],
    ) -> BoxFuture<'a, Result<Vec<u8>, Broken>> {
        async move { self.key(self.current())?.seal(nonce, context, key) }.boxed()
    }

    fn unwrap<'a>(
        &'a self,
        name: &'a str,
        wrapped: &'a [u8],
        context: &'a [u8],
    ) -> BoxFuture<'a, Result<Zeroizing<[u8; 32]>, Broken>> {
        async move {
            let opened = self.key(name)?.open(context, wrapped)?;
            let key = opened.first_chunk::<32>().filter(|_| opened.len() == 32);
            key.copied().map(Zeroizing::new).ok_or(Broken::Form)
        }
        .boxed()
    }
}

/// Whoever wraps, and the data keys that were unwrapped since the start.
pub struct Vault {
    pub(super) service: Box<dyn KeyService>,
    /// By the digest of what was wrapped and its context: a key that was never committed is kept under a name that
    /// nobody asks for again.
    kept: Mutex<HashMap<[u8; 32], Arc<DataKey>>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("current", &self.service.current())
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Over a ring or another service.
    pub fn new(service: Box<dyn KeyService>) -> Self {
        Self {
            service,
            kept: Mutex::default(),
        }
    }

    /// A data key, unwrapped.
    pub(super) async fn unwrap(&self, name: &str, wrapped: &[u8], context: &[u8]) -> Result<Arc<DataKey>, Broken> {
        let digest: [u8; 32] = Sha256::digest(super::joined(&[name.as_bytes(), wrapped, context])).into();
        if let Some(key) = self.kept().get(&digest) {
            return Ok(key.clone());
        }
        let key = Arc::new(DataKey(self.service.unwrap(name, wrapped, context).await?));
        let mut kept = self.kept();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(digest, key.clone());
        Ok(key)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Arc<DataKey>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
