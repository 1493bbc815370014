//! A service: its basic information (기본정보) and its state.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::ServiceKind;
use crate::kernel::{OrganizationId, PictureId, ServiceId, Timestamp, record::record};

/// How far a service is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ServiceStatus")]
pub enum Status {
    /// 미사용: its contract has not been completed. It is not charged.
    NotInUse,
    /// 사용: in use, and charged.
    InUse,
    /// 사용 중지: it can't be used, and is charged the same.
    Suspended,
    /// 해지: it has ended. Its records and charges stay.
    Terminated,
}

/// What an answer to a customer is written in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EditorType {
    /// Formatted text.
    Html,
    /// Plain text.
    Text,
}

/// The help center's languages; the first is the main one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Languages(pub Vec<String>);

/// A contact desk of the organization.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "service")]
#[graphql(name = "Service", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// 서비스 ID: 2 to 45 letters, part of its addresses. It never changes and is never used again.
    pub code: String,
    /// 유형: what it is for. It never changes.
    pub kind: ServiceKind,
    /// 서비스 명: 1 to 100 characters, unique among services that have not been terminated.
    pub name: String,
    /// The name in small letters, which SQLite itself can make of A to Z only: for finding it, and for keeping it
    /// unique among services that have not been terminated.
    #[graphql(skip)]
    pub name_key: String,
    #[graphql(skip)]
    pub languages: Languages,
    /// 타임 존: the IANA time zone that its people see times in. Days and months are the organization's.
    pub time_zone: String,
    /// 에디터 타입: what answers are written in; null for an issue service.
    pub editor_type: Option<EditorType>,
    /// 상태: how far it is in its life.
    pub status: Status,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when it is suspended; null while it is not.
    pub suspended_at: Option<Timestamp>,
    /// When it was terminated; null before.
    pub terminated_at: Option<Timestamp>,
    #[graphql(skip)]
    pub banner_id: Option<PictureId>,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "service", ServiceId, label: name, version: Version, service: id }
