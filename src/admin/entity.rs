//! One organization administrator.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{
    MemberId, OrganizationId, Timestamp,
    permission::{Grants, Holder, Kind, Right},
    record::part,
};

/// A member who is an organization administrator.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "organization_admin")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: MemberId,
    pub added_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "organization administrator", key: |row| row.member_id.to_string(), grants: GRANTS }

const GRANTS: Grants<Model> = Grants {
    holder: |row| Holder::Member(row.member_id),
    added: Kind::OrgAdminAdded,
    removed: Kind::OrgAdminRemoved,
    rights: |_| vec![(Kind::OrgAdminAdded, vec![Right::OrganizationAdmin])],
};
