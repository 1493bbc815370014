//! A contract with its items: one aggregate, one row, one lock counter.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::item::ItemCode;
use crate::kernel::{ContractId, Day, OrganizationId, ServiceId, Timestamp, record::record};

/// How far a contract is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ContractStatus")]
pub enum Status {
    /// 작성중: begun and not completed.
    Draft,
    /// 이용중: in force, also while its service is suspended.
    InForce,
    /// 종료: ended with its service.
    Ended,
}

/// One item of a contract as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// Which.
    pub code: ItemCode,
    /// Whether it is on.
    pub is_on: bool,
    /// 사용자 수: for how many users; `None` where the item is not counted by users, or nobody has said yet.
    pub user_count: Option<i32>,
    /// 처리 건 수: what volume a month is expected; it counts in quotes only.
    pub expected_volume: Option<i32>,
}

/// The items that anybody has decided on, in the order of the catalogue; all others are off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Items(pub Vec<Item>);

/// What of a service is used, by how many.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "contract")]
#[graphql(name = "Contract", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContractId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[graphql(skip)]
    pub service_id: ServiceId,
    /// How far it is.
    pub status: Status,
    #[graphql(skip)]
    pub items: Items,
    /// 할인율: percent taken off each month's charges, 0 to 100, set by the operator.
    pub discount_percent: i32,
    /// The first free day; null where there is none.
    #[graphql(name = "freeTrialFromDate")]
    pub trial_from: Option<Day>,
    /// The last free day; null where there is none.
    #[graphql(name = "freeTrialToDate")]
    pub trial_to: Option<Day>,
    /// The first day that counts: the day it was completed; null before.
    pub started_on: Option<Day>,
    /// The last day that counts: the day its service was terminated; null before.
    pub ended_on: Option<Day>,
    /// When it was completed; null before.
    pub signed_at: Option<Timestamp>,
    /// The last day on which it was edited; null before the first edit.
    pub edited_on: Option<Day>,
    /// The end of that day in the zone that the organization had then.
    #[graphql(skip)]
    pub edit_spent_until: Option<Timestamp>,
    #[graphql(skip)]
    pub revision: i32,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "contract", ContractId, label: id, version: Version, service: service_id }
