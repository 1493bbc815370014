//! The second factor of a member: the secret of his authenticator, sealed, good once he has proved it.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{MemberId, OrganizationId, Timestamp, record::part, secret::SecretBytes};

/// A second factor; one that is not activated is not asked for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "second_factor")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: MemberId,
    pub secret: SecretBytes,
    pub enrolled_at: Timestamp,
    pub activated_at: Option<Timestamp>,
    pub last_step: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "second factor", key: |row| row.member_id.to_string() }
