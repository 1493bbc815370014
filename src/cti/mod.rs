//! CTI 관리: how the organization's telephony is reached, and which CTI IDs and numbers its agents log in to it with.
//! There is CTI only while some service has the telephone in its contract; what was set stays without one, unseen.

pub mod graphql;
pub mod line;
pub mod log;
pub mod login;
pub mod setting;

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, FromQueryResult, IdenStatic, Iterable, JoinType, QueryFilter, QueryResult,
    QuerySelect,
};

use crate::{
    agent::Channel,
    contract::{self, Contract},
    kernel::{Reader, Result, ServiceId},
    service::{self, Service},
};

/// The services that have the telephone in their contracts, suspended ones among them.
#[derive(Debug, Clone, Default)]
pub struct Contracted(HashMap<ServiceId, Service>);

impl Contracted {
    /// Whether there is any, and CTI with it.
    pub fn is_somewhere(&self) -> bool {
        !self.0.is_empty()
    }

    /// This one, if it is among them.
    pub fn service(&self, id: ServiceId) -> Option<&Service> {
        self.0.get(&id)
    }

    /// Their IDs.
    pub fn ids(&self) -> impl Iterator<Item = ServiceId> + '_ {
        self.0.keys().copied()
    }
}

/// A contract with its service.
struct Signed(Contract, Service);

impl FromQueryResult for Signed {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        let contract = Contract::from_query_result(row, prefix)?;
        Ok(Self(contract, Service::from_query_result(row, "service_")?))
    }
}

/// The services that have the telephone in their contracts: one statement.
///
/// # Errors
/// Only if the database fails.
pub async fn contracted(reader: &Reader) -> Result<Contracted> {
    let service = contract::Entity::belongs_to(service::Entity)
        .from((contract::Column::OrganizationId, contract::Column::ServiceId))
        .to((service::Column::OrganizationId, service::Column::Id));
    let mut contracts = reader
        .select::<contract::Entity>()
        .join(JoinType::InnerJoin, service.into())
        .filter(contract::Column::Status.eq(contract::Status::InForce));
    for column in service::Column::iter() {
        contracts = contracts.column_as(column, format!("service_{}", column.as_str()));
    }
    let signed = contracts.rows::<Signed>().await?;
    let offering = signed.into_iter().filter(|row| Channel::Phone.is_offered(&row.0));
    Ok(Contracted(offering.map(|row| (row.1.id, row.1)).collect()))
}
