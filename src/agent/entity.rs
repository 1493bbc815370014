//! One member's place in one service: as its manager (관리자) or as an agent (상담원), with his rights there.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::Enum;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{
    AgentId, MemberId, OrganizationId, ServiceId, Timestamp,
    permission::{Grants, Groups, Holder, Kind, Right, held},
    record::record,
};

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

record! { "agent", AgentId, label: id, version: Version, service: service_id, grants: GRANTS }

const GRANTS: Grants<Model> = Grants {
    holder: |row| Holder::Member(row.member_id),
    added: Kind::AgentAdded,
    removed: Kind::AgentRemoved,
    rights,
};

/// Names every column, so that a new one does not compile before it is said here what right it is, if it is one.
fn rights(row: &Model) -> Groups {
    let Model {
        id: _,
        organization_id: _,
        service_id: _,
        member_id: _,
        role,
        handles_tickets,
        handles_chats,
        handles_calls,
        assigns_callbacks,
        forwards_tickets,
        views_access_logs,
        receives_tickets,
        receives_chats,
        controls_assignment,
        added_at: _,
        version: _,
    } = *row;
    let role = match role {
        Role::Manager => Right::Manager,
        Role::Agent => Right::Agent,
    };
    let channels = held([
        (handles_tickets, Right::HandlesTickets),
        (handles_chats, Right::HandlesChats),
        (handles_calls, Right::HandlesCalls),
    ]);
    let assignment = held([
        (receives_tickets, Right::ReceivesTickets),
        (receives_chats, Right::ReceivesChats),
        (controls_assignment, Right::ControlsAssignment),
    ]);
    vec![
        (Kind::BaseRoleChanged, vec![role]),
        (Kind::ChannelRightsChanged, channels),
        (
            Kind::CallbackAssignChanged,
            held([(assigns_callbacks, Right::AssignsCallbacks)]),
        ),
        (
            Kind::TicketForwardChanged,
            held([(forwards_tickets, Right::ForwardsTickets)]),
        ),
        (
            Kind::ViewRightChanged,
            held([(views_access_logs, Right::ViewsAccessLogs)]),
        ),
        (Kind::AssignmentChanged, assignment),
    ]
}
