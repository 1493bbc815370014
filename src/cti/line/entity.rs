//! What a member holds now: one row a member, once he held something, empty while he holds nothing.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{MemberId, OrganizationId, Timestamp, record::part};

/// The CTI ID and number of a member: both, or neither.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "cti_agent")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Who holds them.
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: MemberId,
    /// CTI ID, as it was written; `None` where he holds nothing.
    pub cti_id: Option<String>,
    /// The CTI ID in small letters: one agent's in an organization.
    pub cti_id_key: Option<String>,
    /// CTI NO: digits, one agent's in an organization; `None` where he holds nothing.
    pub cti_number: Option<String>,
    /// When that came to be.
    pub changed_at: Timestamp,
    /// Counts the changes.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "CTI agent", key: |row| row.member_id.to_string(), version: Version }
