//! CTI 관리: how the organization's telephony is reached, and which CTI IDs and numbers its agents log in to it with.
//! There is CTI only while some service has the telephone in its contract; what was set stays without one, unseen.

pub mod graphql;
pub mod line;
pub mod log;
pub mod setting;

use std::collections::HashSet;

use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    agent::Channel,
    contract,
    kernel::{Reader, Result, ServiceId},
};

/// The services that have the telephone in their contracts, suspended ones among them.
#[derive(Debug, Clone, Default)]
pub struct Contracted(HashSet<ServiceId>);

impl Contracted {
    /// Whether there is any, and CTI with it.
    pub fn is_somewhere(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether this one is among them.
    pub fn includes(&self, service: ServiceId) -> bool {
        self.0.contains(&service)
    }

    /// Their IDs.
    pub fn services(&self) -> impl Iterator<Item = ServiceId> + '_ {
        self.0.iter().copied()
    }
}

/// The services that have the telephone in their contracts: one statement.
///
/// # Errors
/// Only if the database fails.
pub async fn contracted(reader: &Reader) -> Result<Contracted> {
    let in_force = contract::Column::Status.eq(contract::Status::InForce);
    let contracts = reader.select::<contract::Entity>().filter(in_force).all().await?;
    let offering = contracts.iter().filter(|row| Channel::Phone.is_offered(row));
    Ok(Contracted(offering.map(|row| row.service_id).collect()))
}
