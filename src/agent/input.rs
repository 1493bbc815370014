//! What the verbs of agents are asked with.

use async_graphql::{ID, InputObject};
use serde::Serialize;

use super::{channel::Channel, entity::Role};
use crate::kernel::payload::asks;

/// Rights as they are asked for.
#[derive(Debug, Clone, Default, Serialize, InputObject)]
pub struct AgentRightsInput {
    /// 기본권한: manager or agent; as it was where absent, `AGENT` for who is new.
    pub role: Option<Role>,
    /// 상담권한: all the channels that he is to handle, at most 3, as the contract offers them; `PHONE` brings `TICKET`. As they were where absent, `TICKET` for who is new.
    pub channels: Option<Vec<Channel>>,
    /// 콜백 할당 권한: may give callbacks to others. Managers always may, agents only with `PHONE`. As it was where absent; it goes with `PHONE`.
    pub assigns_callbacks: Option<bool>,
    /// 티켓 전달 권한: may pass tickets on to others. As it was where absent, false for who is new.
    pub forwards_tickets: Option<bool>,
    /// 조회 권한: may see the access logs of all agents of the organization; in an issue service not for agents. A manager gives it only where he has it. As it was where absent; new managers get it if they can be given it.
    pub views_access_logs: Option<bool>,
    /// 티켓 할당: is given tickets automatically; only with `TICKET`, and it goes with that. As it was where absent, true for who is new.
    pub receives_tickets: Option<bool>,
    /// 채팅 할당: is given chats automatically; only with `CHAT`, and it goes with that. As it was where absent, true for who is new.
    pub receives_chats: Option<bool>,
    /// 할당 제어: may turn being given tickets and chats on and off himself. As it was where absent, false for who is new.
    pub controls_assignment: Option<bool>,
}

/// A new agent.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct AgentAddInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The ID of the service.
    pub service_id: ID,
    /// The ID of the member.
    pub member_id: ID,
    /// His rights.
    #[graphql(flatten)]
    pub rights: AgentRightsInput,
}

/// Changes to an agent. Absent fields stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct AgentUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// His rights.
    #[graphql(flatten)]
    pub rights: AgentRightsInput,
}

/// Changes to one of many agents. Absent fields stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct AgentUpdateEntryInput {
    /// The agent's ID.
    pub id: ID,
    /// The `version` last read.
    pub expected_version: i32,
    /// His rights.
    #[graphql(flatten)]
    pub rights: AgentRightsInput,
}

/// Changes to many agents at once: all of them are made, or none.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct AgentUpdateManyInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The changes, 1 to 100, each of another agent.
    pub entries: Vec<AgentUpdateEntryInput>,
}

/// How to take a member out of a service.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct AgentRemoveInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

asks!(AgentAddInput, AgentUpdateInput, AgentUpdateManyInput, AgentRemoveInput);
