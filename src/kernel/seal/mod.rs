//! Encryption at rest. A value is sealed under a data key that one organization has for one purpose; a data key lies in
//! the database wrapped under a key of the ring, which lies elsewhere. A sealed value is bound to its cell: moved to
//! another row, column, table or organization it does not open, nor with one bit changed.
//!
//! The cipher is AES-256-GCM-SIV (RFC 8452), whose safety does not hang on a nonce that never repeats.

mod data_key;
mod field_keys;
mod file;
mod index;
mod ring;
mod rotation;
mod staging;
#[cfg(test)]
mod tests;

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sea_orm::DeriveValueType;
use serde::{Serialize, Serializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::OrganizationId;

pub use data_key::{Keychain, check_ring, forget_unused};
pub(crate) use data_key::{PROOF, rewrap};
pub use field_keys::FieldKeys;
pub use file::FileKey;
pub use index::BlindIndex;
pub use ring::{KeyRing, KeyService, Vault};
pub use rotation::{Passed, ROWS, Rotated, Sealing};
pub(crate) use rotation::{reseal, rotate};
pub use staging::{Staged, Staging};

/// What the data key of an organization is for. A value of one purpose does not open for another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// What members' authenticators share with us.
    SecondFactor,
    /// The keys that files are encrypted under, each file under one of its own.
    File,
    /// Values of fields that are encrypted.
    FieldValue,
    /// What partner systems sign their requests with.
    KeySigning,
    /// What messages to webhooks are signed with.
    WebhookSecret,
    /// Finding such values again. Its key stays the same for good, so that what was found is found.
    FieldIndex,
}

impl Purpose {
    /// Its name in the database and in what values are bound to.
    pub fn name(self) -> &'static str {
        match self {
            Self::SecondFactor => "second factor",
            Self::File => "file",
            Self::FieldValue => "field value",
            Self::KeySigning => "key signing",
            Self::WebhookSecret => "webhook secret",
            Self::FieldIndex => "field index",
        }
    }
}

/// Where a sealed value stands: it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// The table.
    pub table: &'static str,
    /// The column; where values of many fields share a column, the field's ID with it.
    pub column: &'a str,
    /// The row's ID.
    pub row: &'a [u8],
}

/// A sealed value, as it is stored. It prints and serializes as `***` and is no GraphQL type.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// Why a sealed value does not open. None of it tells anything of the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// It is none of ours: too short, or of a form that this version does not know.
    Form,
    /// The organization has no key of this version for this purpose.
    KeyUnknown,
    /// It was changed, or belongs elsewhere.
    Forged,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "a sealed value has no known form",
            Self::KeyUnknown => "the key of a sealed value is unknown",
            Self::Forged => "a sealed value was changed or moved",
        })
    }
}

impl std::error::Error for Broken {}

/// The form of a sealed value: this byte, the key's version in four, the nonce, then the cipher's text and tag.
const FORM: u8 = 1;

/// What stands before the nonce.
const HEAD: usize = 5;

/// The least that a sealed value has: an empty text and its tag of 16 bytes.
const SHORTEST: usize = HEAD + NONCE_LEN + 16;

/// A key of 256 bits, whatever it seals.
pub(super) struct DataKey(pub(super) Zeroizing<[u8; 32]>);

impl PartialEq for DataKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_slice()).into()
    }
}

impl DataKey {
    /// Seals, for what `bound` says only. The nonce is random.
    fn seal(&self, nonce: [u8; NONCE_LEN], bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut text = Zeroizing::new(plain.to_vec());
        self.cipher()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut *text)
            .map_err(|_| Broken::Form)?;
        Ok([nonce.as_slice(), &text].concat())
    }

    /// Back from `seal`.
    fn open(&self, bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Broken::Form)?;
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.cipher()?.open_in_place(nonce, Aad::from(bound), &mut text);
        let length = plain.map_err(|_| Broken::Forged)?.len();
        text.truncate(length);
        Ok(text)
    }

    fn cipher(&self) -> Result<LessSafeKey, Broken> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, self.0.as_slice());
        key.map(LessSafeKey::new).map_err(|_| Broken::KeyUnknown)
    }
}

/// Seals a value for its cell.
fn seal_value(
    key: &DataKey,
    (organization, purpose, version): (OrganizationId, Purpose, i32),
    nonce: [u8; NONCE_LEN],
    cell: &Cell<'_>,
    plain: &[u8],
) -> Result<Sealed, Broken> {
    let text = key.seal(nonce, &bound(organization, purpose, version, cell), plain)?;
    Ok(Sealed([&[FORM], version.to_be_bytes().as_slice(), &text].concat()))
}

/// The version of the key that a value was sealed with, and what the cipher made of it.
fn parts(sealed: &Sealed) -> Result<(i32, &[u8]), Broken> {
    match sealed.0.split_first_chunk::<HEAD>() {
        Some(([FORM, version @ ..], text)) if sealed.0.len() >= SHORTEST => Ok((i32::from_be_bytes(*version), text)),
        _ => Err(Broken::Form),
    }
}

/// What a value is bound to: each part with its length before it, so that no two cells run together.
fn bound(organization: OrganizationId, purpose: Purpose, version: i32, cell: &Cell<'_>) -> Vec<u8> {
    let version = version.to_be_bytes();
    joined(&[
        b"orgdesk sealed value",
        organization.0.as_bytes(),
        purpose.name().as_bytes(),
        cell.table.as_bytes(),
        cell.column.as_bytes(),
        cell.row,
        &version,
    ])
}

/// Parts with their lengths before them.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    all
}
