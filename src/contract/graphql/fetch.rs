//! Contracts by their services, of many services in one statement.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, dataloader::Loader};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    contract::entity::{Column, Entity, Model},
    kernel::{Action, Batch, Caller, Error, Result, ServiceId, View},
};

/// The question for the contract of a service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OfService(pub ServiceId);

impl Loader<OfService> for Batch {
    type Value = Model;
    type Error = String;

    async fn load(&self, keys: &[OfService]) -> std::result::Result<HashMap<OfService, Model>, String> {
        let services = keys.iter().map(|key| key.0);
        let rows = self
            .select::<Entity>()
            .filter(Column::ServiceId.is_in(services))
            .all()
            .await;
        let rows = rows.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().map(|row| (OfService(row.service_id), row)).collect())
    }
}

/// Fetches the contracts of many services at once.
pub(crate) async fn prefetch(view: &View, services: &[ServiceId]) -> Result<()> {
    view.loader
        .load_many(services.iter().copied().map(OfService))
        .await
        .map_err(Error::internal)?;
    Ok(())
}

/// The contract of a service.
pub(crate) async fn of_service(context: &Context<'_>, service: ServiceId) -> Result<Option<Model>> {
    let view = context
        .data_unchecked::<Arc<Caller>>()
        .view(Action::ContractRead)
        .await?;
    view.loader.load_one(OfService(service)).await.map_err(Error::internal)
}
