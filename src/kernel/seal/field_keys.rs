//! The keys of encrypted fields: those that their values are sealed with, and the one that finds them again. Whoever needs
//! one of them mostly needs both.

use super::{BlindIndex, Keychain, Purpose};
use crate::kernel::{App, Reader, Result, Tx};

/// Both, as they are in one transaction.
#[derive(Debug)]
pub struct FieldKeys {
    /// What values are sealed with.
    pub values: Keychain,
    /// What they are found by; `None` where nothing was sealed yet, and so nothing can be found.
    pub index: Option<BlindIndex>,
}

impl FieldKeys {
    /// For reading and searching, in one statement. A key that is not to be had is left out, which is told to whoever runs
    /// the service: values under it do not open, and all others do.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn of(reader: &Reader, app: &App) -> Result<Self> {
        let purposes = [Purpose::FieldValue, Purpose::FieldIndex];
        let [values, index] = Keychain::of_each(reader, app, purposes).await?;
        for broken in [&values.1, &index.1].into_iter().flatten() {
            let organization = reader.organization_id();
            tracing::error!(%organization, %broken, "a data key is not to be had");
        }
        Ok(Self {
            values: values.0,
            index: BlindIndex::under(&index.0),
        })
    }

    /// For writing: keys that are not there yet are made.
    ///
    /// # Errors
    /// As for [`Keychain::for_sealing`].
    pub async fn for_writing(tx: &Tx) -> Result<Self> {
        let present = Keychain::of_each(tx, tx.app(), [Purpose::FieldValue, Purpose::FieldIndex]).await?;
        if let [(values, None), (index, None)] = present
            && !values.is_empty()
            && let Some(index) = BlindIndex::under(&index)
        {
            return Ok(Self {
                values,
                index: Some(index),
            });
        }
        Ok(Self {
            values: Keychain::for_sealing(tx, Purpose::FieldValue).await?,
            index: Some(BlindIndex::for_writing(tx).await?),
        })
    }

    /// Whether others seal and find as these do: under the same keys.
    pub fn seal_like(&self, others: &Self) -> bool {
        self.values.seals_like(&others.values) && self.index == others.index
    }
}
