//! Passwords, kept as Argon2id hashes. Hashing is heavy on purpose, so only as many run at once as there are cores,
//! off the async threads, and whoever comes beyond a short queue is told to come back.

mod blocklist;
pub(super) mod change;
pub(super) mod policy;

use std::sync::{Arc, LazyLock, atomic::Ordering};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::kernel::{App, Error, Result, secret::SecretText};

/// The longest password that is looked at, in bytes; beyond that it is refused before any work.
pub const LONGEST: usize = 1_024;

/// OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;

/// How many attempts wait for a turn at the hasher, at most.
const QUEUE: usize = 64;

static RUNNING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    Arc::new(Semaphore::new(
        std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
    ))
});
static WAITING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(QUEUE)));

/// Makes and checks the hashes of passwords.
#[derive(Debug, Clone, Copy)]
pub struct Hasher;

impl Hasher {
    /// The hash of a new password.
    ///
    /// # Errors
    /// `THROTTLED` if too many wait.
    pub async fn hash(app: &App, password: &str) -> Result<SecretText> {
        let (password, salt) = (normal(password), app.random.bytes::<16>());
        run(app, move || {
            let hash = argon2()?
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map_err(Error::internal)?;
            Ok(SecretText(hash.to_string()))
        })
        .await
    }

    /// Whether the password is the one of this hash. Where there is no hash, because there is no such account, the
    /// same work is done, so that the time it takes tells nothing.
    ///
    /// # Errors
    /// `THROTTLED` if too many wait.
    pub async fn verify(app: &App, password: &str, hash: Option<&SecretText>) -> Result<bool> {
        let exists = hash.is_some();
        let hash = hash.map_or_else(|| NOBODYS.clone(), |hash| hash.0.clone());
        let password = normal(password);
        run(app, move || {
            let known = PasswordHash::new(&hash).map_err(Error::internal)?;
            Ok(argon2()?.verify_password(password.as_bytes(), &known).is_ok() && exists)
        })
        .await
    }

    /// The work of looking at a password, where there is none to look at.
    ///
    /// # Errors
    /// `THROTTLED` if too many wait.
    pub(super) async fn pretend(app: &App) -> Result<()> {
        Self::verify(app, "", None).await.map(drop)
    }

    /// The hash of a password that was found right, made anew where the old one was made with less than is asked for
    /// today.
    ///
    /// # Errors
    /// `THROTTLED` if too many wait.
    pub(super) async fn renewed(app: &App, password: &str, hash: &SecretText) -> Result<Option<SecretText>> {
        if is_strong(hash) {
            Ok(None)
        } else {
            Self::hash(app, password).await.map(Some)
        }
    }
}

/// A password as it is hashed and compared: what looks the same is the same, on whatever keyboard it was typed.
fn normal(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfkc().collect())
}

/// Whether a hash was made with no less than what is asked for today.
fn is_strong(hash: &SecretText) -> bool {
    let Ok(known) = PasswordHash::new(&hash.0) else {
        return false;
    };
    let is_current = known.algorithm == Algorithm::Argon2id.ident() && known.version == Some(Version::V0x13.into());
    is_current
        && Params::try_from(&known).is_ok_and(|params| params.m_cost() >= MEMORY_KIB && params.t_cost() >= PASSES)
}

/// The hash of a password that nobody has, made with the same parameters.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let hash = argon2().and_then(|argon2| argon2.hash_password_with_salt(b"", &[0; 16]).map_err(Error::internal));
    hash.map(|hash| hash.to_string()).unwrap_or_default()
});

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

async fn run<T: Send + 'static>(app: &App, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let _place = WAITING.clone().try_acquire_owned().map_err(|_| Error::Busy(2))?;
    let turn = RUNNING.clone().acquire_owned().await.map_err(Error::internal)?;
    app.hashes.fetch_add(1, Ordering::Relaxed);
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    })
    .await
    .map_err(Error::internal)?
}
