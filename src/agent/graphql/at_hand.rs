//! Agents in lists: what is written of them past the executor.

use super::{Channel, Model};
use crate::{
    billing::graphql::ById,
    kernel::{
        Action,
        at_hand::{Asked, AtHand, Way, choice, choices, plain, reference, scalar},
    },
    member::search::ById as MemberById,
};

impl AtHand for Model {
    fn write(field: &str, asked: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "id" => plain(|agent: &Self| agent.id),
            "service" => reference(asked, Action::ViewerRead, |agent: &Self| ById(agent.service_id)),
            "member" => reference(asked, Action::ViewerRead, |agent: &Self| MemberById(agent.member_id)),
            "role" => choice(|agent: &Self| agent.role),
            "channels" => choices(Self::made_channels),
            "assignsCallbacks" => plain(|agent: &Self| agent.assigns_callbacks),
            "forwardsTickets" => plain(|agent: &Self| agent.forwards_tickets),
            "viewsAccessLogs" => plain(|agent: &Self| agent.views_access_logs),
            "receivesTickets" => plain(|agent: &Self| agent.receives_tickets),
            "receivesChats" => plain(|agent: &Self| agent.receives_chats),
            "controlsAssignment" => plain(|agent: &Self| agent.controls_assignment),
            "addedAt" => scalar(|agent: &Self| &agent.added_at),
            "version" => plain(|agent: &Self| agent.version),
            _ => None,
        }
    }
}

impl Model {
    /// The channels that he was given.
    pub(super) fn made_channels(&self) -> Vec<Channel> {
        let given = Channel::ALL.into_iter().filter(|channel| self.handles(*channel));
        given.collect()
    }
}
