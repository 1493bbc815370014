//! What must not leave: credentials in columns, and the keys of the service. A `Secret` prints and serializes as
//! `***` and is no GraphQL type, so that a field of it can't be published by oversight.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::DeriveValueType;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::jwt::Verifier;

/// A credential as text, such as the hash of a password.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct SecretText(pub String);

/// A credential as bytes, such as the hash of a token.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct SecretBytes(pub Vec<u8>);

macro_rules! silent {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("***")
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str("***")
            }
        }
    )*};
}
silent!(SecretText, SecretBytes);

/// No number: a hash can be part of a key.
impl sea_orm::TryFromU64 for SecretBytes {
    fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
        Err(sea_orm::DbErr::ConvertFromU64("SecretBytes"))
    }
}

/// SHA-256 of a token of at least 128 random bits, as it is stored.
pub fn token_hash(token: &str) -> SecretBytes {
    SecretBytes(Sha256::digest(token.as_bytes()).to_vec())
}

/// The keys of this installation, all derived from one secret of at least 32 bytes. Each has one use. Cheap to clone: they
/// stand in memory once.
#[derive(Clone)]
pub struct Keys(Arc<Derived>);

struct Derived {
    tokens: Verifier,
    audit: Zeroizing<[u8; 32]>,
    cursor: Zeroizing<[u8; 32]>,
    quote: Zeroizing<[u8; 32]>,
    download: Zeroizing<[u8; 32]>,
    throttle: Zeroizing<[u8; 32]>,
    signing: Zeroizing<[u8; 32]>,
    file: Zeroizing<[u8; 32]>,
    input: Zeroizing<[u8; 32]>,
    partner: Zeroizing<[u8; 32]>,
    replay: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(***)")
    }
}

impl Keys {
    /// Derives the keys.
    pub fn derive(secret: &[u8]) -> Self {
        let source = Hkdf::<Sha256>::new(Some(b"orgdesk"), secret);
        let key = |purpose: &str| {
            let mut key = Zeroizing::new([0; 32]);
            // 32 bytes are always to be had: HKDF gives up to 255 blocks of 32.
            if source.expand(purpose.as_bytes(), key.as_mut_slice()).is_err() {
                tracing::error!(purpose, "a key could not be derived");
            }
            key
        };
        let (signing, partner) = (key("access tokens"), key("partner tokens"));
        Self(Arc::new(Derived {
            tokens: Verifier::of(&signing, &partner),
            audit: key("audit chain"),
            cursor: key("cursors"),
            quote: key("quotes"),
            download: key("downloads"),
            throttle: key("sign-in throttle"),
            signing,
            file: key("files"),
            input: key("repeated inputs"),
            partner,
            replay: key("signed requests"),
        }))
    }

    /// Who verifies the tokens that were signed with these keys.
    pub(super) fn tokens(&self) -> &Verifier {
        &self.0.tokens
    }

    /// The seed of the Ed25519 key that signs access tokens.
    pub(crate) fn signing_seed(&self) -> &[u8; 32] {
        &self.0.signing
    }

    /// The seed of the Ed25519 key that signs the tokens of partner systems.
    pub(crate) fn partner_seed(&self) -> &[u8; 32] {
        &self.0.partner
    }

    /// A name for a signature in the table of signed requests; it proves nothing to who reads it.
    pub(crate) fn replay_mark(&self, parts: &[&[u8]]) -> Vec<u8> {
        mac(&self.0.replay, parts)[..16].to_vec()
    }

    /// The link of an audit chain: the MAC of the entry before and this entry's text.
    pub(crate) fn chain(&self, previous: &[u8], entry: &[u8]) -> Vec<u8> {
        mac(&self.0.audit, &[previous, entry]).to_vec()
    }

    /// A part of a file's name, bound to what the file is and whose: nobody else can make it up.
    pub(crate) fn file_mark(&self, parts: &[&[u8]]) -> uuid::Uuid {
        uuid::Uuid::from_u128(u128::from_be_bytes(
            mac(&self.0.file, parts).first_chunk().copied().unwrap_or_default(),
        ))
    }

    /// A name for an account or address in the table of failed sign-ins that tells nobody which it is.
    pub(crate) fn throttle_key(&self, subject: &str) -> Vec<u8> {
        mac(&self.0.throttle, &[subject.as_bytes()])[..16].to_vec()
    }

    /// What tells one input of a mutation from another, and nothing of what is in it: inputs hold personal data, of which
    /// a hash without a key could be guessed.
    pub(crate) fn input_mark(&self, input: &[u8]) -> Vec<u8> {
        mac(&self.0.input, &[input]).to_vec()
    }

    /// Wraps `payload` into a text that only this installation can have written, for `context` only.
    pub(crate) fn seal(&self, purpose: Purpose, context: &[u8], payload: &[u8]) -> String {
        let tag = mac(self.of(purpose), &[context, payload]);
        URL_SAFE_NO_PAD.encode([&tag[..16], payload].concat())
    }

    /// Back from `seal`; `None` for any other text or context.
    pub(crate) fn open(&self, purpose: Purpose, context: &[u8], text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (tag, payload) = bytes.split_at_checked(16)?;
        let expected = mac(self.of(purpose), &[context, payload]);
        bool::from(expected[..16].ct_eq(tag)).then(|| payload.to_vec())
    }

    fn of(&self, purpose: Purpose) -> &[u8; 32] {
        match purpose {
            Purpose::Cursor => &self.0.cursor,
            Purpose::Quote => &self.0.quote,
            Purpose::Download => &self.0.download,
        }
    }
}

/// What a sealed text is for; a text of one use is refused for another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// A place in a list.
    Cursor,
    /// A price that was named.
    Quote,
    /// A file that can be fetched.
    Download,
}

/// HMAC-SHA-256 over parts, each with its length before it.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key of 32 bytes is never refused: HMAC takes any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_opens_only_as_it_was_made() {
        let keys = Keys::derive(&[7; 32]);
        let text = keys.seal(Purpose::Cursor, b"org", b"payload");
        assert_eq!(
            keys.open(Purpose::Cursor, b"org", &text).as_deref(),
            Some(b"payload".as_slice())
        );
        assert_eq!(keys.open(Purpose::Cursor, b"other", &text), None);
        assert_eq!(keys.open(Purpose::Quote, b"org", &text), None);
        assert_eq!(Keys::derive(&[8; 32]).open(Purpose::Cursor, b"org", &text), None);
        for at in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                keys.open(Purpose::Cursor, b"org", &String::from_utf8_lossy(&forged)),
                None,
                "{at}"
            );
        }
    }

    #[test]
    fn a_secret_shows_nothing() {
        let secret = SecretText("hunter2".into());
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
        assert_eq!(format!("{:?}", Keys::derive(b"x")), "Keys(***)");
    }
}
