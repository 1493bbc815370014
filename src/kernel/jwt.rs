//! Signed tokens (RFC 7519): signed with Ed25519, of one of two kinds, each with a type, an audience and a key of its own,
//! so that a token of one kind is nothing where the other is asked for. The algorithm and the key are ours; nothing in a
//! token can choose them.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Serialize, de::DeserializeOwned};

use super::{Error, Keys, Result, Timestamp};

/// Who writes every token.
pub(crate) const ISSUER: &str = "orgdesk";

/// The longest token in bytes that is looked at.
const LONGEST: usize = 2_048;

/// How far clocks of two servers may be apart, in seconds.
const LEEWAY: i64 = 5;

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
    if text.len() > LONGEST || jsonwebtoken::decode_header(text).ok()?.typ.as_deref() != Some(kind.typ()) {
        return None;
    }
    let pair = Ed25519KeyPair::from_seed_unchecked(kind.seed(keys)).ok()?;
    let key = DecodingKey::from_ed_der(pair.public_key().as_ref());
    Some(jsonwebtoken::decode::<C>(text, &key, &validation(kind)).ok()?.claims)
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
