//! The recovery codes of a member: each stands once for the second factor that he has not at hand.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{MemberId, OrganizationId, Timestamp, record::part, secret::SecretBytes};

/// One code; only its hash is kept.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "recovery_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: MemberId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub code_hash: SecretBytes,
    pub used_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "recovery code", key: |row| row.member_id.to_string() }
