//! The chain of a session's refresh tokens. Each is good once; a token that comes back later than two tabs of one
//! browser could explain was stolen, and ends its session.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{OrganizationId, RefreshTokenId, SessionId, Timestamp, record::part, secret::SecretBytes};

/// One link of the chain; the token itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RefreshTokenId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    pub session_id: SessionId,
    pub token_hash: SecretBytes,
    pub issued_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "refresh token", key: |row| row.id.to_string() }
