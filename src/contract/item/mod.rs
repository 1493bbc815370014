//! The items a contract is made of: what they are called, what they need and where they can be switched on.

mod check;
#[cfg(test)]
mod tests;

use async_graphql::Enum;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::service::kind::ServiceKind;

pub use check::{ItemProblem, ItemRequest, ItemRule, MAXIMUM_USERS, MAXIMUM_VOLUME, check};

/// An item of a contract. The codes are the product's own, one word each.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Enum, EnumIter, DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ContractItemCode")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ItemCode {
    /// 티켓: tickets, always on.
    Ticket,
    /// 티켓 (전화 포함): tickets with telephone; its users do not count under 티켓.
    Telticket,
    /// 채팅: chat.
    Chat,
    /// FAQ: the help center's articles.
    Helpdoc,
    /// 지식관리: knowledge for agents.
    Knowledge,
    /// 콜백: calling customers back.
    Callback,
    /// 고객정보관리: the customers' records.
    Endusermanagement,
    /// SMS 발송: sending text messages; sending itself is charged where it is done.
    Smssend,
    /// SMS 발송 현황: statistics of text messages.
    Smssendingstatus,
    /// 전광판: the wall board.
    Electronicboard,
    /// 보안 서비스: masking, log linkage, spam; needs the operator's approval.
    Security,
    /// 이슈이관 통계: statistics of tickets handed to issue management.
    Issuetransferstatistics,
    /// 재문의율: how often customers ask again.
    Reinquiryrate,
    /// 해피콜: follow-up calls.
    Happycall,
}

/// Whether a kind of service can have an item.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Availability {
    /// It is on and cannot be switched off.
    AlwaysOn,
    /// It can be switched on and off.
    Optional,
    /// It cannot be switched on.
    Unavailable,
}

/// What is counted where an item is charged by use.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Enum, EnumIter, DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "UsageMeter")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Meter {
    /// 티켓 수: tickets received in the month.
    Tickets,
    /// 채팅 수: chats held in the month.
    Chats,
    /// 통화 시간(초): seconds spent on the telephone in the month.
    CallSeconds,
}

impl Meter {
    /// All meters.
    pub const ALL: [Self; 3] = [Self::Tickets, Self::Chats, Self::CallSeconds];

    /// The item whose price the meter's count is charged at.
    #[must_use]
    pub fn item(self) -> ItemCode {
        match self {
            Self::Tickets => ItemCode::Ticket,
            Self::Chats => ItemCode::Chat,
            Self::CallSeconds => ItemCode::Telticket,
        }
    }
}

impl ItemCode {
    /// The whole catalogue, in the order it is shown and charged.
    pub const ALL: [Self; 14] = [
        Self::Ticket,
        Self::Telticket,
        Self::Chat,
        Self::Helpdoc,
        Self::Knowledge,
        Self::Callback,
        Self::Endusermanagement,
        Self::Smssend,
        Self::Smssendingstatus,
        Self::Electronicboard,
        Self::Security,
        Self::Issuetransferstatistics,
        Self::Reinquiryrate,
        Self::Happycall,
    ];

    /// The code as the schema, the database and price lists write it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ticket => "TICKET",
            Self::Telticket => "TELTICKET",
            Self::Chat => "CHAT",
            Self::Helpdoc => "HELPDOC",
            Self::Knowledge => "KNOWLEDGE",
            Self::Callback => "CALLBACK",
            Self::Endusermanagement => "ENDUSERMANAGEMENT",
            Self::Smssend => "SMSSEND",
            Self::Smssendingstatus => "SMSSENDINGSTATUS",
            Self::Electronicboard => "ELECTRONICBOARD",
            Self::Security => "SECURITY",
            Self::Issuetransferstatistics => "ISSUETRANSFERSTATISTICS",
            Self::Reinquiryrate => "REINQUIRYRATE",
            Self::Happycall => "HAPPYCALL",
        }
    }

    /// The item with this code, written exactly as [`ItemCode::code`] gives it.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.code() == code)
    }

    /// The name in Korean.
    #[must_use]
    pub fn label_ko(self) -> &'static str {
        match self {
            Self::Ticket => "티켓",
            Self::Telticket => "티켓 (전화 포함)",
            Self::Chat => "채팅",
            Self::Helpdoc => "FAQ",
            Self::Knowledge => "지식관리",
            Self::Callback => "콜백",
            Self::Endusermanagement => "고객정보관리",
            Self::Smssend => "SMS 발송",
            Self::Smssendingstatus => "SMS 발송 현황",
            Self::Electronicboard => "전광판",
            Self::Security => "보안 서비스",
            Self::Issuetransferstatistics => "이슈이관 통계",
            Self::Reinquiryrate => "재문의율",
            Self::Happycall => "해피콜",
        }
    }

    /// The name in English.
    #[must_use]
    pub fn label_en(self) -> &'static str {
        match self {
            Self::Ticket => "Tickets",
            Self::Telticket => "Tickets with telephone",
            Self::Chat => "Chat",
            Self::Helpdoc => "FAQ",
            Self::Knowledge => "Knowledge base",
            Self::Callback => "Callback",
            Self::Endusermanagement => "Customer records",
            Self::Smssend => "Text messages",
            Self::Smssendingstatus => "Text message statistics",
            Self::Electronicboard => "Wall board",
            Self::Security => "Security service",
            Self::Issuetransferstatistics => "Issue transfer statistics",
            Self::Reinquiryrate => "Repeat inquiry rate",
            Self::Happycall => "Happy call",
        }
    }

    /// Whether the item is charged for each user; the others cost the same for any number of users.
    #[must_use]
    pub fn is_per_user(self) -> bool {
        matches!(self, Self::Ticket | Self::Telticket | Self::Chat)
    }

    /// Whether a service of this kind can have the item.
    #[must_use]
    pub fn availability(self, kind: ServiceKind) -> Availability {
        match (self, kind) {
            (Self::Ticket, _) => Availability::AlwaysOn,
            (_, ServiceKind::Consultation)
            | (Self::Knowledge | Self::Smssend | Self::Security | Self::Issuetransferstatistics, ServiceKind::Issue) => {
                Availability::Optional
            }
            (_, ServiceKind::Issue) => Availability::Unavailable,
        }
    }

    /// The item that has to be on for this one to be on.
    #[must_use]
    pub fn depends_on(self) -> Option<Self> {
        match self {
            Self::Callback => Some(Self::Telticket),
            Self::Smssendingstatus => Some(Self::Smssend),
            _ => None,
        }
    }

    /// Whether the operator has to approve the item for the organization before it can be switched on.
    #[must_use]
    pub fn needs_approval(self) -> bool {
        matches!(self, Self::Security)
    }

    /// What is counted to charge the item by use; `None` where only the licence costs.
    #[must_use]
    pub fn meter(self) -> Option<Meter> {
        Meter::ALL.into_iter().find(|meter| meter.item() == self)
    }
}
