//! The public keys of providers, kept in memory. They are fetched from the one address that the provider's row names:
//! when they are older than ten minutes, and when a token names a key that is not among them, yet at most once a minute
//! and by one request at a time. While the provider is down, its last keys are good for a day.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::Duration;
use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    fetch,
    provider::{self, Algorithm},
};
use crate::kernel::{App, Clock, Timestamp, json::Foreign};

/// Keys of this age are good without asking.
const FRESH: Duration = Duration::minutes(10);

/// Keys of this age are good while the provider does not answer.
const STALE: Duration = Duration::hours(24);

/// So long is waited between two fetches, whatever tokens say.
const PAUSE: Duration = Duration::minutes(1);

/// Most keys of one provider that are looked at.
const MOST_KEYS: usize = 100;

/// The keys of every provider that somebody came from, by the address of the keys.
#[derive(Default)]
struct Cache(Mutex<HashMap<String, Arc<Place>>>);

/// What is known of one provider's keys.
#[derive(Default)]
struct Place {
    kept: Mutex<Kept>,
    /// Held by whoever fetches.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    keys: Vec<Jwk>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

/// The provider's keys that a token which names this one can be signed with; none where the key is unknown.
pub(super) async fn keys_of(app: &App, provider: &provider::Model, key_id: Option<&str>) -> Vec<DecodingKey> {
    let cache = app.shelf.lasting::<Cache>();
    let place = lock(&cache.0).entry(provider.jwks_url.clone()).or_default().clone();
    let find = |age| place.find(app.clock.now(), age, key_id, provider.algorithm);
    let known = find(FRESH);
    if !known.is_empty() {
        return known;
    }
    // In a task of its own: whoever asks and hangs up does not keep the keys from everybody else.
    let refreshed = tokio::spawn(place.clone().refresh(app.clock.clone(), provider.clone())).await;
    if let Err(error) = refreshed {
        tracing::error!(provider = %provider.id, error = %error, "fetching a provider's keys broke off");
    }
    find(STALE)
}

impl Place {
    /// Fetches the keys, unless somebody has just tried.
    async fn refresh(self: Arc<Self>, clock: Arc<dyn Clock>, provider: provider::Model) {
        let _turn = self.turn.lock().await;
        let now = clock.now();
        if !self.may_try(now) {
            return;
        }
        match fetch::get(&provider.jwks_url).await.and_then(|body| read(&body)) {
            Ok(keys) => self.put(now, keys),
            Err(error) => {
                tracing::warn!(provider = %provider.id, error = %error, "a provider's keys could not be fetched");
            }
        }
    }

    /// The keys, not older than `age`, that a token of this algorithm can be signed with.
    fn find(&self, now: Timestamp, age: Duration, key_id: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
        let kept = lock(&self.kept);
        if !kept.fetched_at.is_some_and(|at| is_within(now, at, age)) {
            return Vec::new();
        }
        let fitting = kept.keys.iter().filter(|key| fits(key, algorithm));
        let named: Vec<&Jwk> = match key_id {
            Some(_) => fitting.filter(|key| key.common.key_id.as_deref() == key_id).collect(),
            // A token need not name the key where there is but one.
            None => Some(fitting.collect())
                .filter(|all: &Vec<_>| all.len() == 1)
                .unwrap_or_default(),
        };
        named
            .into_iter()
            .filter_map(|key| DecodingKey::from_jwk(key).ok())
            .collect()
    }

    /// Whether it is time to fetch; if so, it is done now.
    fn may_try(&self, now: Timestamp) -> bool {
        let mut kept = lock(&self.kept);
        let may = !kept.tried_at.is_some_and(|at| is_within(now, at, PAUSE));
        if may {
            kept.tried_at = Some(now);
        }
        may
    }

    fn put(&self, now: Timestamp, keys: Vec<Jwk>) {
        let mut kept = lock(&self.kept);
        kept.keys = keys;
        kept.fetched_at = Some(now);
    }
}

/// What a key is made of that the library is shown: whatever else stands there it would read by a reader of its own.
const MEMBERS: [&str; 10] = ["kty", "kid", "alg", "use", "key_ops", "crv", "n", "e", "x", "y"];

/// The keys of a set. What is no key is passed over, so that a key of a new kind does not lock everybody out.
fn read(body: &[u8]) -> anyhow::Result<Vec<Jwk>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Foreign>,
    }
    let set: Set = serde_json::from_slice(body)?;
    let keys = set.keys.into_iter().take(MOST_KEYS);
    Ok(keys.filter_map(|Foreign(key)| plain(key)).collect())
}

/// A key of texts and lists of texts.
fn plain(key: Value) -> Option<Jwk> {
    let Value::Object(mut members) = key else { return None };
    members.retain(|name, _| MEMBERS.contains(&name.as_str()));
    let is_plain = |value: &Value| match value {
        Value::Array(items) => items.iter().all(Value::is_string),
        value => value.is_string(),
    };
    let is_known = matches!(members.get("kty")?.as_str()?, "RSA" | "EC" | "OKP");
    if !is_known || !members.values().all(is_plain) {
        return None;
    }
    serde_json::from_value(Value::Object(members)).ok()
}

/// Whether a key is one for signatures of this algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let common = &key.common;
    let is_of_kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::Rs256 | Algorithm::Ps256) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::Es256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDsa) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    let own = jsonwebtoken::Algorithm::from(algorithm).into();
    is_of_kind
        && common.key_algorithm.is_none_or(|named| named == own)
        && common
            .public_key_use
            .as_ref()
            .is_none_or(|named| *named == PublicKeyUse::Signature)
        && common
            .key_operations
            .as_ref()
            .is_none_or(|named| named.contains(&KeyOperations::Verify))
}

fn is_within(now: Timestamp, at: Timestamp, age: Duration) -> bool {
    now >= at && now.0 - at.0 < age
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e2_a_set_of_keys_is_read_without_what_else_stands_in_it() {
        // case: E2
        let raw = r#"{"$serde_json::private::RawValue":"[[[]]]"}"#;
        let set = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a","extra":{raw}}},
                {{"kty":"X","x":{raw}}}, {{"kty":"RSA","n":{raw},"e":"AQAB"}}, {{"kty":"OKP","crv":"Ed25519"}}, {raw}, 7]}}"#
        );
        let keys = read(set.as_bytes()).unwrap();
        let of_kind = |key: &&Jwk| matches!(key.algorithm, AlgorithmParameters::OctetKeyPair(_));
        assert_eq!(keys.iter().filter(of_kind).count(), 1, "{keys:?}");
        let texts = format!("{keys:?}");
        assert!(!texts.contains("RawValue") && !texts.contains("Array"), "{texts}");
    }
}
