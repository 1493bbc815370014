//! The charge of a service for a closed month.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::line;
use crate::kernel::{Month, OrganizationId, PriceListId, ServiceId, Timestamp, record::part};

/// What a service cost in a month that is closed. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "charge")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: ServiceId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub month: Month,
    pub price_list_id: PriceListId,
    pub subtotal: i64,
    pub discount: i64,
    pub supply: i64,
    pub vat: i64,
    pub total: i64,
    pub closed_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(has_many = "line::Entity")]
    Lines,
}

part! { "charge", key: |row| format!("{} {}", row.service_id, row.month), service: service_id }
