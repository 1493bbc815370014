//! One member's role in one service.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::Enum;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{MemberId, OrganizationId, Outcome, Result, ServiceId, Timestamp, Tx, record::part};

/// What a member is in a service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "AgentRole")]
pub enum Role {
    /// 관리자: sets the service up as well.
    Manager,
    /// 상담원: consults.
    Agent,
}

/// A member's role in a service.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "agent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: ServiceId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: MemberId,
    pub role: Role,
    pub added_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "agent", key: |row| format!("{}/{}", row.service_id, row.member_id), service: service_id }

impl Outcome for Model {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(crate::kernel::Error::internal("agents are not added twice"))
    }
}
