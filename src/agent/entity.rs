//! One member's place in one service: as its manager (관리자) or as an agent (상담원), with his rights there.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::Enum;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{AgentId, MemberId, OrganizationId, ServiceId, Timestamp, record::record};

/// 기본권한: what a member is in a service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "AgentRole")]
pub enum Role {
    /// 관리자: sets the service up as well.
    Manager,
    /// 상담원: consults.
    Agent,
}

/// A member in a service, with his rights there.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "agent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AgentId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    pub service_id: ServiceId,
    pub member_id: MemberId,
    pub role: Role,
    pub handles_tickets: bool,
    pub handles_chats: bool,
    pub handles_calls: bool,
    pub assigns_callbacks: bool,
    pub forwards_tickets: bool,
    pub views_access_logs: bool,
    pub receives_tickets: bool,
    pub receives_chats: bool,
    pub controls_assignment: bool,
    pub added_at: Timestamp,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "agent", AgentId, label: id, version: Version, service: service_id }
