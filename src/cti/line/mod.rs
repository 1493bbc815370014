//! CTI 상담원 관리: the CTI ID and number that an agent logs in to the telephony with, of which each is one agent's at
//! a time, and who held which when.

mod entity;
pub mod history;
mod number;

use sea_orm::{ColumnTrait, QueryFilter};

use crate::kernel::{Reader, Result};

pub use entity::{Column, Entity, Model};
pub use number::folded;

/// Whether any agent holds a CTI ID and number.
///
/// # Errors
/// Only if the database fails.
pub async fn is_any_held(reader: &Reader) -> Result<bool> {
    let held = reader.select::<Entity>().filter(Column::CtiNumber.is_not_null());
    Ok(held.one().await?.is_some())
}
