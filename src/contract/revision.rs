//! Every version that a contract ever had: what charges are computed from, and what is asked "as of". Rows never
//! change.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use std::{
    cmp::{max, min},
    collections::{BTreeMap, HashMap},
};

use async_graphql::{Enum, SimpleObject, dataloader::Loader};
use sea_orm::{
    ColumnTrait, Condition, QueryFilter, QueryOrder,
    entity::prelude::*,
    sea_query::{ExprTrait as _, Func, Query, SelectStatement},
};
use serde::Serialize;

use super::entity::Items;
use crate::kernel::{Batch, ContractId, Day, OrganizationId, Reader, Result, ServiceId, Timestamp, record::part};

/// Why a version came to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ContractRevisionCause")]
pub enum Cause {
    /// The contract was completed.
    Signed,
    /// It was edited.
    Updated,
    /// The operator set a discount or free-trial days.
    Discounted,
    /// Its service was terminated.
    Ended,
}

/// A version of a contract.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "contract_revision")]
#[graphql(name = "ContractRevision", complex)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub contract_id: ContractId,
    #[graphql(skip)]
    pub service_id: ServiceId,
    /// Its number, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(name = "number")]
    pub revision: i32,
    /// Why it came to be.
    pub cause: Cause,
    #[graphql(skip)]
    pub items: Items,
    /// Percent taken off each month's charges, 0 to 100.
    pub discount_percent: i32,
    /// The first free day; null where there is none.
    #[graphql(name = "freeTrialFromDate")]
    pub trial_from: Option<Day>,
    /// The last free day; null where there is none.
    #[graphql(name = "freeTrialToDate")]
    pub trial_to: Option<Day>,
    /// The first day that it counts for.
    pub effective_on: Day,
    #[graphql(skip)]
    pub edited_on: Option<Day>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who made it: the name as it was then.
    pub made_by: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "contract revision", key: |row| format!("{}#{}", row.contract_id, row.revision), service: service_id }

/// The question for a version of a contract by its number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Version(pub ContractId, pub i32);

impl Model {
    /// Which version it is.
    pub fn version(&self) -> Version {
        Version(self.contract_id, self.revision)
    }
}

impl Loader<Version> for Batch {
    type Value = Model;
    type Error = String;

    async fn load(&self, keys: &[Version]) -> std::result::Result<HashMap<Version, Model>, String> {
        let mut spans = BTreeMap::<_, (i32, i32)>::new();
        for Version(contract, number) in keys {
            let span = spans.entry(*contract).or_insert((*number, *number));
            *span = (min(span.0, *number), max(span.1, *number));
        }
        let any = spans.into_iter().fold(Condition::any(), |any, (contract, (from, to))| {
            any.add(Column::ContractId.eq(contract).and(Column::Revision.between(from, to)))
        });
        let rows = self.select::<Entity>().filter(any).all().await;
        let rows = rows.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().map(|row| (row.version(), row)).collect())
    }
}

/// Number and contract of the last versions that were made until an instant, as a part of another statement.
pub(super) fn last_at(organization: OrganizationId, contracts: &[ContractId], at: Timestamp) -> SelectStatement {
    let mut select = Query::select();
    select
        .column(Column::ContractId)
        .expr(Func::max(Expr::col(Column::Revision)))
        .from(Entity)
        .and_where(Column::OrganizationId.eq(organization))
        .and_where(Column::ContractId.is_in(contracts.iter().copied()))
        .and_where(Column::MadeAt.lte(at))
        .group_by_col(Column::ContractId);
    select
}

/// The versions of these services' contracts that count up to a day, each service's in their order.
///
/// # Errors
/// Only if the database fails.
pub async fn of_services(reader: &Reader, services: &[ServiceId], until: Day) -> Result<Vec<Model>> {
    reader
        .select::<Entity>()
        .filter(Column::ServiceId.is_in(services.iter().copied()))
        .filter(Column::EffectiveOn.lte(until))
        .order_by_asc(Column::ServiceId)
        .order_by_asc(Column::Revision)
        .all()
        .await
}
