//! Organization keys as text. A key is `oc_v1_<id>_<secret and checksum>`: the ID finds the row, the checksum lets a typing
//! error be told from a dead key without asking the database. What requests are signed with is `ocs_v1_<secret>`, another
//! secret: the key itself is kept as a hash, and a signature can't be checked by that.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq as _;

use crate::kernel::{KeyId, id::TypedId as _, seal::Cell, secret::token_hash};

/// The longest text that is looked at, in bytes.
pub const LONGEST: usize = 200;

/// Writes a key.
pub fn write(id: KeyId, secret: &[u8; 32]) -> String {
    let id = id.to_string();
    let id = id.trim_start_matches(KeyId::PREFIX).trim_start_matches('_');
    let text = URL_SAFE_NO_PAD.encode(secret);
    format!("oc_v1_{id}_{text}{}", checksum(id, &text))
}

/// Writes what requests are signed with.
pub fn write_signing(secret: &[u8; 32]) -> String {
    format!("ocs_v1_{}", URL_SAFE_NO_PAD.encode(secret))
}

/// Where a signing secret stands, so that it can't be moved to another key's row.
pub fn signing_cell(id: &KeyId) -> Cell<'_> {
    Cell {
        table: "organization_key",
        column: "signing_secret",
        row: id.0.as_bytes(),
    }
}

/// The ID in a key's text; `None` for what no key looks like. Whether it is the key of that ID is another question.
pub fn read(text: &str) -> Option<KeyId> {
    if text.len() > LONGEST {
        return None;
    }
    let (id, secret) = text.strip_prefix("oc_v1_")?.split_once('_')?;
    let (secret, told) = secret.split_at_checked(43)?;
    let right = checksum(id, secret);
    if !bool::from(right.as_bytes().ct_eq(told.as_bytes())) {
        return None;
    }
    format!("{}_{id}", KeyId::PREFIX).parse().ok()
}

fn checksum(id: &str, secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(&token_hash(&format!("{id}{secret}")).0[..3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o4_a_key_is_read_as_it_was_written_and_a_typing_error_is_found() {
        let id = KeyId(uuid::Uuid::from_u128(7));
        let text = write(id, &[9; 32]);
        assert_eq!(read(&text), Some(id));
        for place in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[place] = if other[place] == b'x' { b'y' } else { b'x' };
            assert_eq!(read(&String::from_utf8_lossy(&other)), None, "{place}");
        }
        let long = "x".repeat(LONGEST + 1);
        for wrong in [
            "",
            "oc_v1_",
            "oc_v1__",
            "key_7",
            "oc_v2_x_y",
            "oc_v1_가_나다라마바사아자차카타파하가나다라",
            &long,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
