//! What a member holds now: one row a member, once he held something, empty while he holds nothing.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::number::Pair;
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

impl Model {
    /// What he holds; `None` where that is nothing.
    pub fn pair(&self) -> Option<Pair> {
        let (id, number) = self.cti_id.clone().zip(self.cti_number.clone())?;
        Some(Pair { id, number })
    }

    /// Gives him this, or nothing.
    pub(super) fn hold(&mut self, pair: Option<&Pair>, now: Timestamp) {
        self.cti_id = pair.map(|pair| pair.id.clone());
        self.cti_id_key = pair.map(Pair::key);
        self.cti_number = pair.map(|pair| pair.number.clone());
        self.changed_at = now;
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "CTI agent", key: |row| row.member_id.to_string(), version: Version }
