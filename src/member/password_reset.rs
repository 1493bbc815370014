//! A new password that somebody asked for by mail; its link is good once, and not for long.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{MemberId, OrganizationId, PasswordResetId, Timestamp, record::record, secret::SecretBytes};

/// One reset; of its link only the hash is kept.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "password_reset")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PasswordResetId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    pub member_id: MemberId,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
    pub token_hash: Option<SecretBytes>,
    pub used_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "password reset", PasswordResetId, label: id }
