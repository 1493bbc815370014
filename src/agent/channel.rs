//! 상담권한: the channels that an agent can handle, and which of them the contract of a service offers.

use async_graphql::Enum;
use serde::Serialize;

use crate::contract::{Contract, Status, item::ItemCode};

/// 상담권한: a channel in which an agent consults.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum)]
#[graphql(name = "AgentChannel")]
pub enum Channel {
    /// 티켓: tickets.
    Ticket,
    /// 채팅: chats.
    Chat,
    /// 전화: calls. Whoever has it has `TICKET` as well, since every call becomes a ticket.
    Phone,
}

impl Channel {
    /// Every channel, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Ticket, Self::Chat, Self::Phone];

    /// The item that offers it where a contract has it on.
    fn item(self) -> ItemCode {
        match self {
            Self::Ticket => ItemCode::Ticket,
            Self::Chat => ItemCode::Chat,
            Self::Phone => ItemCode::Telticket,
        }
    }

    /// Whether a contract offers it: tickets from its draft on, chats and calls while it is in force with their items.
    /// No contract of an issue service has these.
    pub fn is_offered(self, contract: &Contract) -> bool {
        match contract.status {
            Status::Draft => self == Self::Ticket,
            Status::InForce => contract
                .items
                .0
                .iter()
                .any(|item| item.is_on && item.code == self.item()),
            Status::Ended => false,
        }
    }
}
