//! One line of a charge.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::{
    charge,
    formula::{Line, LineKind},
};
use crate::{
    contract::item::ItemCode,
    kernel::{Month, OrganizationId, ServiceId, record::part},
};

/// One line of the charge of a closed month. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "charge_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: ServiceId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub month: Month,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    pub kind: LineKind,
    pub item: Option<ItemCode>,
    pub seats: Option<i32>,
    pub days: Option<i32>,
    pub used: Option<i64>,
    pub free: Option<i64>,
    pub charged: Option<i64>,
    pub corrects: Option<Month>,
    pub amount: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "charge::Entity",
        from = "(Column::OrganizationId, Column::ServiceId, Column::Month)",
        to = "(charge::Column::OrganizationId, charge::Column::ServiceId, charge::Column::Month)"
    )]
    Charge,
}

impl Related<charge::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Charge.def()
    }
}

part! { "charge line", key: |row| format!("{} {} {}", row.service_id, row.month, row.position), service: service_id }

impl Model {
    /// The row of a computed line.
    pub(super) fn of(charge: &charge::Model, position: usize, line: &Line) -> Self {
        let small = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let large = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            organization_id: charge.organization_id,
            service_id: charge.service_id,
            month: charge.month,
            position: i32::try_from(position).unwrap_or(i32::MAX),
            kind: line.kind,
            item: line.item,
            seats: line.seats.map(small),
            days: line.days.map(small),
            used: line.used.map(large),
            free: line.free.map(large),
            charged: line.charged.map(large),
            corrects: line.corrects,
            amount: line.amount,
        }
    }
}
