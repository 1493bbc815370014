//! One organization administrator.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::SimpleObject;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{
    MemberId, OrganizationId, Outcome, Result, Timestamp, Tx,
    permission::{Grants, Holder, Kind, Right},
    record::part,
};

/// 조직관리자: a member who may use this menu beside the owner.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "organization_admin")]
#[graphql(name = "OrganizationAdmin", complex)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub member_id: MemberId,
    #[graphql(skip)]
    pub added_by: Option<MemberId>,
    /// When he became one.
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

impl Outcome for Model {
    type Receipt = MemberId;

    fn receipt(&self) -> MemberId {
        self.member_id
    }

    async fn again(tx: &Tx, receipt: MemberId) -> Result<Self> {
        super::of_member(tx, receipt)
            .await?
            .ok_or_else(|| crate::kernel::Error::not_found("input.memberId"))
    }
}
