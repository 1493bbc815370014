//! What anybody may read: the published footer of an open help center, found by domain and code. It stands in a table
//! of its own, so that a reader who has not signed in never comes near any other row.
use async_graphql::Enum;
use sea_orm::{FromQueryResult, JoinType, QueryFilter, QuerySelect, entity::prelude::*};
use serde::Serialize;

use crate::{
    company::content::{self, Content},
    kernel::{
        Caller, OrganizationId, Result, ServiceId,
        record::part,
        routing::{self, Unowned},
    },
    organization::route as organizations,
    service::route as services,
};

/// The published footer of a service.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "public_footer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: ServiceId,
    pub is_on_pc: bool,
    pub is_on_mobile: bool,
    #[serde(serialize_with = "content::as_digest")]
    pub content: Content,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl Unowned for Entity {}

part! { "public footer", key: |row| row.service_id.to_string(), service: service_id }

/// What a help center is looked at with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
#[graphql(name = "HelpCenterDevice")]
pub enum Device {
    /// PC.
    Pc,
    /// 모바일: a phone.
    Mobile,
}

/// A footer and the language that its help center speaks first.
#[derive(Debug, FromQueryResult)]
pub struct Shown {
    /// What it says.
    pub content: Content,
    /// The help center's main language.
    pub main_language: Option<String>,
}

/// The footer that a help center shows on a device; `None` where there is no such help center, it is not open, or it
/// shows none there.
///
/// # Errors
/// Only if the database fails.
pub async fn read(caller: &Caller, domain: &str, code: &str, device: Device) -> Result<Option<Shown>> {
    // PostgreSQL takes no NUL, in a question neither; no domain and no code is so long.
    if [domain, code]
        .iter()
        .any(|text| text.contains('\0') || text.len() > 100)
    {
        return Ok(None);
    }
    let service = Entity::belongs_to(services::Entity)
        .from((Column::OrganizationId, Column::ServiceId))
        .to((services::Column::OrganizationId, services::Column::ServiceId));
    let organization = Entity::belongs_to(organizations::Entity)
        .from(Column::OrganizationId)
        .to(organizations::Column::OrganizationId);
    let is_on = match device {
        Device::Pc => Column::IsOnPc,
        Device::Mobile => Column::IsOnMobile,
    };
    routing::joined::<Entity, Shown>(caller, |select| {
        select
            .column(Column::Content)
            .column(services::Column::MainLanguage)
            .join(JoinType::InnerJoin, service.into())
            .join(JoinType::InnerJoin, organization.into())
            .filter(organizations::Column::Domain.eq(domain.to_lowercase()))
            .filter(services::Column::Code.eq(code))
            .filter(services::Column::IsOpen.eq(true))
            .filter(is_on.eq(true))
    })
    .await
}
