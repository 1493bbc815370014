//! A ticket: what a customer asked for, who looks after it, and what came of it.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::content::{self, Plain, SealedValues};
use crate::kernel::{MemberId, OrganizationId, ServiceId, TicketId, Timestamp, record::record};

/// 채널: the way that a ticket came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "TicketChannel")]
pub enum Channel {
    /// 헬프센터(PC).
    Web,
    /// 헬프센터(Mobile).
    MobileWeb,
    /// 이메일.
    Email,
    /// API.
    Api,
    /// 채팅, Kakao included.
    Chat,
    /// 트위터.
    Twitter,
    /// 전화.
    Phone,
    /// 생성: made by hand.
    Manual,
}

/// 상태: how far a ticket is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "TicketStatus")]
pub enum Status {
    /// 미할당: nobody looks after it yet.
    New,
    /// 처리중: somebody is at work on it.
    Open,
    /// 보류: it waits for an answer.
    Reply,
    /// 해결: what was asked is done.
    Solved,
    /// 완료: it is over.
    Closed,
}

impl Status {
    /// Whether the work on it is done.
    pub fn is_done(self) -> bool {
        match self {
            Self::New | Self::Open | Self::Reply => false,
            Self::Solved | Self::Closed => true,
        }
    }
}

/// 우선순위: how soon somebody should look after a ticket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "TicketPriority")]
pub enum Priority {
    /// 낮음.
    Low,
    /// 일반.
    Normal,
    /// 높음.
    High,
    /// 긴급.
    Urgent,
}

/// 티켓: what a customer asked for, with the values of the service's fields. Personal data in it are masked.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "ticket")]
#[graphql(name = "Ticket", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TicketId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[graphql(skip)]
    pub service_id: ServiceId,
    /// 번호: what people call it by, counted in the service from 1.
    pub number: i32,
    /// 채널: the way that it came.
    pub channel: Channel,
    /// 상태: how far it is.
    pub status: Status,
    /// 우선순위: how soon somebody should look after it.
    pub priority: Priority,
    #[graphql(skip)]
    pub assignee_id: Option<MemberId>,
    /// 접수일시: when it came.
    pub received_at: Timestamp,
    /// 처리일시: when the work on it was done; null before.
    pub processed_at: Option<Timestamp>,
    /// 처리내용: what was done, at most 5,000 characters; null where nothing is said.
    #[serde(serialize_with = "content::as_length")]
    pub processing: Option<String>,
    /// What another system calls it; unique in the service. Null where none does.
    #[graphql(name = "externalReference")]
    pub external_id: Option<String>,
    /// 마이그레이션 여부: whether it came with an import.
    pub is_migrated: bool,
    #[graphql(skip)]
    pub import_id: Option<Uuid>,
    #[graphql(skip)]
    pub import_row: Option<i32>,
    /// What the telephone system calls the call that it was made of; null where it was made otherwise.
    pub call_reference: Option<String>,
    #[graphql(skip)]
    #[serde(serialize_with = "content::as_codes")]
    pub plain: Plain,
    #[graphql(skip)]
    #[serde(serialize_with = "content::as_sealed_codes")]
    pub sealed: SealedValues,
    /// When it was added here.
    pub created_at: Timestamp,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "ticket", TicketId, label: number, version: Version, service: service_id }
