//! One member's place in one service: as its manager (관리자) or as an agent (상담원), with his rights there.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::channel::Channel;
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
    /// 관리자: consults, sets the service up, and looks after its agents.
    Manager,
    /// 상담원: consults.
    Agent,
}

/// 상담원: a member's place in a service, with his rights there. There is one for each member and service.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "agent")]
#[graphql(name = "Agent", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AgentId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[graphql(skip)]
    pub service_id: ServiceId,
    #[graphql(skip)]
    pub member_id: MemberId,
    /// 기본권한: manager or agent.
    pub role: Role,
    #[graphql(skip)]
    pub handles_tickets: bool,
    #[graphql(skip)]
    pub handles_chats: bool,
    #[graphql(skip)]
    pub handles_calls: bool,
    /// 콜백 할당 권한: may give callbacks to others. Managers always may, agents only with `PHONE`.
    pub assigns_callbacks: bool,
    /// 티켓 전달 권한: may pass tickets on to others.
    pub forwards_tickets: bool,
    /// 조회 권한: may see the access logs of all agents of the organization. In an issue service only managers may.
    pub views_access_logs: bool,
    /// 티켓 할당: is given tickets automatically; only with `TICKET`.
    pub receives_tickets: bool,
    /// 채팅 할당: is given chats automatically; only with `CHAT`.
    pub receives_chats: bool,
    /// 할당 제어: may turn being given tickets and chats on and off himself.
    pub controls_assignment: bool,
    /// When he came into the service.
    pub added_at: Timestamp,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

impl Model {
    /// Whether a channel is among the rights, offered by the contract or not.
    pub fn handles(&self, channel: Channel) -> bool {
        match channel {
            Channel::Ticket => self.handles_tickets,
            Channel::Chat => self.handles_chats,
            Channel::Phone => self.handles_calls,
        }
    }
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
