//! Who a member is at a provider: the subject of its tokens, which the provider never gives to anybody else. Once it is
//! written down, the subject alone counts, whatever e-mail address a later token has.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{IdentityProviderId, MemberId, OrganizationId, Timestamp, record::part};

/// A member, as one provider knows him.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "external_identity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_id: IdentityProviderId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    pub member_id: MemberId,
    pub linked_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "external identity", key: |row| format!("{}/{}", row.provider_id, row.subject) }
