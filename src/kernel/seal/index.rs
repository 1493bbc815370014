//! The blind index: an encrypted value is found by exact match, through a keyed hash of its normal form. The hash is
//! another in each organization and in each column, so that nobody sees that two of them hold the same.

use std::sync::Arc;

use super::{DataKey, Keychain, Purpose, joined};
use crate::kernel::{App, Reader, Result, Tx, personal::Personal, secret::mac};

/// How long a token is, in bytes: 128 bits, so that no two values meet by chance.
const LENGTH: usize = 16;

/// Makes the tokens of one organization.
#[derive(PartialEq)]
pub struct BlindIndex(Arc<DataKey>);

impl std::fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlindIndex")
    }
}

impl BlindIndex {
    /// For searching; `None` where nothing was indexed yet, so that nothing can be found.
    ///
    /// # Errors
    /// As for [`Keychain::of`].
    pub async fn of(reader: &Reader, app: &App) -> Result<Option<Self>> {
        let chain = Keychain::of(reader, app, Purpose::FieldIndex).await?;
        if chain.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self(chain.newest()?.1.clone())))
    }

    /// For writing.
    ///
    /// # Errors
    /// As for [`Keychain::for_sealing`].
    pub async fn for_writing(tx: &Tx) -> Result<Self> {
        let chain = Keychain::for_sealing(tx, Purpose::FieldIndex).await?;
        Ok(Self(chain.newest()?.1.clone()))
    }

    /// Under the key of a chain; `None` where there is none.
    pub(super) fn under(chain: &Keychain) -> Option<Self> {
        chain.newest().ok().map(|(_, key)| Self(key.clone()))
    }

    #[cfg(test)]
    pub(super) fn with(key: DataKey) -> Self {
        Self(Arc::new(key))
    }

    /// What a value is found by in a column of a table; where values of many fields share a column, the field's ID
    /// belongs to `column`. Values that mean the same have the same token.
    pub fn token(&self, table: &str, column: &str, value: &Personal) -> Vec<u8> {
        let normal = value.kind().normal(value.clear());
        let place = joined(&[table.as_bytes(), column.as_bytes(), value.kind().name().as_bytes()]);
        mac(&self.0.0, &[&place, normal.as_bytes()])[..LENGTH].to_vec()
    }
}
