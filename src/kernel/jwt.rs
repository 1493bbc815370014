//! Signed tokens (RFC 7519): signed with Ed25519, of one of two kinds, each with a type, an audience and a key of its own,
//! so that a token of one kind is nothing where the other is asked for. The algorithm and the key are ours; nothing in a
//! token can choose them. A signature is verified once: a token whose signature was right is known by its hash.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use sha2::{Digest as _, Sha256};

use super::{Error, Keys, Result, Timestamp};

/// Who writes every token.
pub(crate) const ISSUER: &str = "orgdesk";

/// The longest token in bytes that is looked at. The library reads members of its head by `serde_json::Value`, before it knows
/// whose it is: what is longer could be deeper than a stack (`kernel/json.rs`).
const LONGEST: usize = 2_048;

/// How far clocks of two servers may be apart, in seconds.
const LEEWAY: i64 = 5;

/// How many tokens are known at most; a hash takes 32 bytes. Whoever has none of ours can't make one known.
const KNOWN: usize = 8_192;

/// Whose token it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A member's, of one session.
    Member,
    /// A partner system's, of one organization key.
    Partner,
}

impl Kind {
    /// What `typ` says in the header.
    fn typ(self) -> &'static str {
        match self {
            Self::Member => "at+jwt",
            Self::Partner => "pt+jwt",
        }
    }

    /// What `aud` says in the claims.
    pub(crate) fn audience(self) -> &'static str {
        match self {
            Self::Member => "orgdesk-api",
            Self::Partner => "orgdesk-partner",
        }
    }

    fn seed(self, keys: &Keys) -> &[u8; 32] {
        match self {
            Self::Member => keys.signing_seed(),
            Self::Partner => keys.partner_seed(),
        }
    }
}

/// Signs claims, which say `iss` and `aud` themselves.
///
/// # Errors
/// Only if signing fails.
pub(crate) fn write(keys: &Keys, kind: Kind, claims: &impl Serialize) -> Result<String> {
    let header = Header {
        typ: Some(kind.typ().to_owned()),
        ..Header::new(Algorithm::EdDSA)
    };
    let key = EncodingKey::from_ed_der(&private_key(kind.seed(keys)));
    jsonwebtoken::encode(&header, claims, &key).map_err(Error::internal)
}

/// What a token of this kind says, if it is one of ours. Whether its time is over is [`is_timely`]'s question.
pub(crate) fn read<C: DeserializeOwned>(keys: &Keys, kind: Kind, text: &str) -> Option<C> {
    if text.len() > LONGEST {
        return None;
    }
    let (verifier, mark) = (keys.tokens(), mark(kind, text));
    if !verifier.known().contains(&mark) {
        verifier.verify(kind, text)?;
        let mut known = verifier.known();
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(mark);
    }
    let claims = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&claims).ok()
}

/// What a token is known by: SHA-256 of its kind and its text.
fn mark(kind: Kind, text: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(kind.typ())
        .chain_update(text)
        .finalize()
        .into()
}

/// The keys that signatures are verified with, and the tokens that were.
pub(super) struct Verifier {
    member: DecodingKey,
    partner: DecodingKey,
    known: Mutex<HashSet<[u8; 32]>>,
}

impl Verifier {
    /// Of the two seeds that tokens are signed with.
    pub(super) fn of(member: &[u8; 32], partner: &[u8; 32]) -> Self {
        let public = |seed: &[u8; 32]| {
            // A seed of 32 bytes is never refused; a key of no bytes would verify nothing.
            let pair = Ed25519KeyPair::from_seed_unchecked(seed);
            DecodingKey::from_ed_der(pair.as_ref().map_or(&[], |pair| pair.public_key().as_ref()))
        };
        Self {
            member: public(member),
            partner: public(partner),
            known: Mutex::default(),
        }
    }

    /// Whether the header, the signature and the claims are those of a token of this kind.
    fn verify(&self, kind: Kind, text: &str) -> Option<()> {
        if jsonwebtoken::decode_header(text).ok()?.typ.as_deref() != Some(kind.typ()) {
            return None;
        }
        let key = match kind {
            Kind::Member => &self.member,
            Kind::Partner => &self.partner,
        };
        jsonwebtoken::decode::<IgnoredAny>(text, key, &validation(kind))
            .ok()
            .map(drop)
    }

    fn known(&self) -> MutexGuard<'_, HashSet<[u8; 32]>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a token of these seconds is good at `now`.
pub(crate) fn is_timely(now: Timestamp, iat: i64, exp: i64) -> bool {
    iat <= now.0.timestamp() + LEEWAY && now.0.timestamp() < exp
}

/// The injected clock decides about time, so the library is told not to.
fn validation(kind: Kind) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[kind.audience()]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    validation.validate_exp = false;
    validation
}

/// The private key in PKCS #8, as RFC 8410 writes an Ed25519 seed.
fn private_key(seed: &[u8; 32]) -> Vec<u8> {
    const HEAD: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ];
    [HEAD.as_slice(), seed].concat()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn token(keys: &Keys, kind: Kind) -> String {
        let claims = json!({ "iss": ISSUER, "aud": kind.audience(), "sub": "mbr_1", "exp": 1 });
        write(keys, kind, &claims).unwrap()
    }

    #[test]
    fn a_token_that_is_known_makes_no_other_one_good() {
        let keys = Keys::derive(&[7; 32]);
        let text = token(&keys, Kind::Member);
        for _ in 0..2 {
            assert!(read::<Value>(&keys, Kind::Member, &text).is_some());
            assert_eq!(read::<Value>(&keys, Kind::Partner, &text), None);
            assert_eq!(read::<Value>(&Keys::derive(&[8; 32]), Kind::Member, &text), None);
            for at in 0..text.len() {
                let mut forged = text.clone().into_bytes();
                forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
                let forged = String::from_utf8(forged).unwrap();
                assert_eq!(read::<Value>(&keys, Kind::Member, &forged), None, "{at}");
            }
        }
        assert_eq!(keys.tokens().known().len(), 1, "what is refused is not remembered");
    }

    #[test]
    fn few_tokens_are_remembered() {
        let keys = Keys::derive(&[7; 32]);
        let text = token(&keys, Kind::Partner);
        keys.tokens()
            .known()
            .extend((0..KNOWN).map(|number| mark(Kind::Member, &number.to_string())));
        assert!(read::<Value>(&keys, Kind::Partner, &text).is_some());
        assert_eq!(keys.tokens().known().len(), 1);
    }
}
