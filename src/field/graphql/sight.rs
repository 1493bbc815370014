//! Who sees which fields, and what a list of services fetches of them at once.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, dataloader::Loader};

use crate::{
    agent,
    field::{
        composition::{self, Composition},
        entity::{Entity, Model, Visibility},
    },
    kernel::{Action, Batch, Caller, Error, MemberId, Result, ServiceId},
};

/// Which of a service's fields somebody sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sight {
    /// All of them, by his rank.
    All,
    /// All of them, as its manager.
    Manager,
    /// Those of agents and customers.
    Agent,
    /// None.
    None,
}

impl Sight {
    fn shows(self, field: &Model) -> bool {
        match self {
            Self::All | Self::Manager => true,
            Self::Agent => field.visibility != Visibility::Managers,
            Self::None => false,
        }
    }
}

/// What the caller sees of a service's fields: whoever is both administrator and manager there is its manager.
pub(super) async fn sight(context: &Context<'_>, service: ServiceId) -> Result<Sight> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::FieldRead).await?;
    let Some(actor) = caller.actor().member() else {
        return Ok(Sight::All);
    };
    let place = view.loader.load_one(PlaceOf(service, actor.member_id)).await;
    let is_high = actor.is_owner || actor.is_administrator;
    Ok(match place.map_err(Error::internal)? {
        Some(agent::Role::Manager) => Sight::Manager,
        _ if is_high => Sight::All,
        Some(agent::Role::Agent) => Sight::Agent,
        None => Sight::None,
    })
}

/// The fields of a service that the caller sees, in their order.
pub(crate) async fn of_service(context: &Context<'_>, service: ServiceId) -> Result<Vec<Model>> {
    let sight = sight(context, service).await?;
    let view = context.data_unchecked::<Arc<Caller>>().view(Action::FieldRead).await?;
    let fields = view.loader.load_one(FieldsOf(service)).await.map_err(Error::internal)?;
    Ok(fields
        .unwrap_or_default()
        .into_iter()
        .filter(|field| sight.shows(field))
        .collect())
}

/// What the fields of a service make together; `None` for whoever sees none of them.
pub(crate) async fn composition_of(context: &Context<'_>, service: ServiceId) -> Result<Option<Composition>> {
    if sight(context, service).await? == Sight::None {
        return Ok(None);
    }
    let view = context.data_unchecked::<Arc<Caller>>().view(Action::FieldRead).await?;
    let kept = view.loader.load_one(CompositionOf(service)).await;
    if let Some(kept) = kept.map_err(Error::internal)? {
        return Ok(Some(kept));
    }
    let fields = view.loader.load_one(FieldsOf(service)).await.map_err(Error::internal)?;
    composition::first(&view, service, &fields.unwrap_or_default()).map(Some)
}

/// The fields of these IDs that the caller sees.
pub(crate) async fn find(context: &Context<'_>, ids: &[&str]) -> Result<Vec<Model>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let Some(view) = caller.view_if_allowed(Action::FieldRead).await? else {
        return Ok(Vec::new());
    };
    let mut seen = Vec::new();
    for field in view.seek_many::<Entity>(ids).await? {
        if sight(context, field.service_id).await?.shows(&field) {
            seen.push(field);
        }
    }
    Ok(seen)
}

/// The question for the fields of a service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct FieldsOf(ServiceId);

impl Loader<FieldsOf> for Batch {
    type Value = Vec<Model>;
    type Error = String;

    async fn load(&self, keys: &[FieldsOf]) -> std::result::Result<HashMap<FieldsOf, Vec<Model>>, String> {
        let services: Vec<ServiceId> = keys.iter().map(|key| key.0).collect();
        let rows = composition::fields(self, &services).await;
        let mut found: HashMap<_, Vec<Model>> = HashMap::new();
        for row in rows.map_err(|error| format!("{error:?}"))? {
            found.entry(FieldsOf(row.service_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// The question for what the fields of a service make together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct CompositionOf(ServiceId);

impl Loader<CompositionOf> for Batch {
    type Value = Composition;
    type Error = String;

    async fn load(&self, keys: &[CompositionOf]) -> std::result::Result<HashMap<CompositionOf, Composition>, String> {
        let services = keys.iter().map(|key| key.0);
        let rows = self
            .select::<composition::Entity>()
            .among(composition::Column::ServiceId, services);
        let rows = rows.all().await.map_err(|error| format!("{error:?}"))?;
        Ok(rows
            .into_iter()
            .map(|row| (CompositionOf(row.service_id), row))
            .collect())
    }
}

/// The question for what a member is in a service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct PlaceOf(ServiceId, MemberId);

impl Loader<PlaceOf> for Batch {
    type Value = agent::Role;
    type Error = String;

    async fn load(&self, keys: &[PlaceOf]) -> std::result::Result<HashMap<PlaceOf, agent::Role>, String> {
        let rows = self
            .select::<agent::Entity>()
            .among(agent::Column::ServiceId, keys.iter().map(|key| key.0))
            .among(agent::Column::MemberId, keys.iter().map(|key| key.1));
        let rows = rows.all().await.map_err(|error| format!("{error:?}"))?;
        Ok(rows
            .into_iter()
            .map(|row| (PlaceOf(row.service_id, row.member_id), row.role))
            .collect())
    }
}
