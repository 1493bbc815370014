//! One field of one service.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::{
    kind::FieldType,
    text::{Options, Texts},
};
use crate::kernel::{FieldId, OrganizationId, PersonalKind, ServiceId, Timestamp, record::record};

/// Who sees a field in a ticket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "FieldVisibility")]
pub enum Visibility {
    /// 고객 필드: the customer fills it in; managers and agents see it.
    Customers,
    /// 상담원 필드 (관리자+상담원): managers and agents of the service.
    Agents,
    /// 상담원 필드 (관리자): its managers alone.
    Managers,
}

/// 필드: something that a service's tickets ask for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "field")]
#[graphql(name = "Field", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FieldId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[graphql(skip)]
    pub service_id: ServiceId,
    /// 코드: what programs call it; unique in the service, also among fields that were removed, whatever the case.
    pub code: String,
    #[graphql(skip)]
    pub code_key: String,
    /// 유형: what it takes.
    #[graphql(name = "type")]
    pub kind: FieldType,
    /// Whether it came with the service: then it stays.
    pub is_system: bool,
    #[graphql(skip)]
    pub texts: Texts,
    /// 길이: the most characters that it takes, at most 5,000; 0 where nothing but that limits it.
    pub length: i32,
    #[graphql(skip)]
    pub options: Options,
    /// 필수: whether a ticket must have it.
    pub is_required: bool,
    /// 개인정보: whether its values are encrypted, and masked when they are read.
    pub is_encrypted: bool,
    /// What kind of thing its values are, and so how they are masked; null where they are not.
    pub personal_kind: Option<PersonalKind>,
    /// Who sees it.
    pub visibility: Visibility,
    #[graphql(skip)]
    pub position: i32,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was removed; null while it is there.
    pub removed_at: Option<Timestamp>,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "field", FieldId, label: code, version: Version, service: service_id }
