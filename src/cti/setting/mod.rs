//! CTI 설정: which telephony an organization is connected to, and what it does with calls.

mod check;
mod entity;
mod rules;

use crate::kernel::{Reader, Result};

pub use check::is_approved;
pub use entity::{Column, CtiVersion, Entity, Model, Model as CtiSetting};
pub use rules::{CtiSettingUpdateInput, Saved, update};

/// The setting; as it is before anything was set, where nothing was.
///
/// # Errors
/// Only if the database fails.
pub async fn read(reader: &Reader) -> Result<Model> {
    let found = reader.select::<Entity>().one().await?;
    Ok(found.unwrap_or_else(|| Model::unset(reader.organization_id())))
}

/// CTI Log 모니터링: whether what the telephony does is to be logged, day by day. Never without a contract for it.
///
/// # Errors
/// Only if the database fails.
pub async fn is_log_monitored(reader: &Reader) -> Result<bool> {
    Ok(read(reader).await?.is_cti_log_monitored && super::contracted(reader).await?.is_somewhere())
}

/// Whether the setting lacks anything that its version needs.
pub fn lacks(setting: &Model) -> bool {
    !check::lacks(setting).is_empty()
}
