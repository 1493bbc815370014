//! What the API says of fields. Whoever has a place in a service sees its fields, agents not those of managers alone; owner
//! and administrators see all.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject, dataloader::Loader};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    Text,
    composition::{self, Composition},
    entity::{Entity, Model, Visibility},
    input::{FieldAddInput, FieldRemoveInput, FieldReorderInput, FieldUpdateInput},
    rules,
};
use crate::{
    agent,
    billing::graphql::ById,
    kernel::{
        Action, Batch, Caller, Code, Error, MemberId, On, Result, ServiceId,
        payload::{payload, settle, user_errors},
    },
    service::{self, Service, graphql::PossibleAction},
};

user_errors! { FieldUserError, FieldErrorCode, "a field", {
    /// A value is needed.
    Blank,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// A number is too small or too large.
    OutOfRange,
    /// There are too many of them.
    TooMany,
    /// It is in the list twice.
    Duplicate,
    /// The code was used before in the service.
    Taken,
    /// There is no help-center language of this code.
    UnknownLanguage,
    /// There are as many fields as there can be.
    LimitReached,
    /// A field of this type can't be told that.
    NotForType,
    /// The field came with the service, and has to stay so.
    FieldIsFixed,
    /// The list is not of all fields, each once.
    FieldsDiffer,
    /// The service has been terminated.
    ServiceTerminated,
} }

payload! { FieldAddPayload, "fieldAdd", FieldUserError, {
    /// The new field; null where there are user errors.
    field: Model,
    /// What the service's fields make together now; null where there are user errors.
    composition: Composition,
} }
payload! { FieldUpdatePayload, "fieldUpdate", FieldUserError, {
    /// The field as it is now, also where it was not changed; null where there is none.
    field: Model,
    /// What the service's fields make together now; null where there are user errors.
    composition: Composition,
} }
payload! { FieldReorderPayload, "fieldReorder", FieldUserError, {
    /// What the service's fields make together now; null where there are user errors.
    composition: Composition,
}, {
    /// The fields in their new order, at most 100; empty where there are user errors.
    fields: Model,
} }
payload! { FieldRemovePayload, "fieldRemove", FieldUserError, {
    /// The field as it is now, also where it was not removed; null where there is none.
    field: Model,
    /// What the service's fields make together now; null where there are user errors.
    composition: Composition,
} }

/// What a field offers.
#[derive(Debug, SimpleObject)]
pub struct FieldOption {
    /// What it says; for 유형 its way from the top, at most 5 levels.
    pub path: Vec<String>,
}

/// The verbs of a field that is there.
const VERBS: [Action; 2] = [Action::FieldUpdate, Action::FieldRemove];

#[ComplexObject]
impl Model {
    /// The service; null where the caller may not see it.
    async fn service(&self, context: &Context<'_>) -> Result<Option<Service>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::FieldRead).await?;
        let service = view.loader.load_one(ById(self.service_id)).await;
        service.map_err(Error::internal)
    }

    /// What it is called, one a language, at most 50.
    #[graphql(name = "texts")]
    async fn text_list(&self) -> Vec<Text> {
        self.texts.0.clone()
    }

    /// 옵션: what it offers, in its order, at most 100; empty for types without options.
    #[graphql(name = "options")]
    async fn option_list(&self) -> Vec<FieldOption> {
        let ways = self.options.0.iter().cloned();
        ways.map(|path| FieldOption { path }).collect()
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let service = self.service(context).await?;
        let is_over = service.is_none_or(|service| service.status == service::Status::Terminated);
        let manages = match sight(context, self.service_id).await? {
            Sight::All => caller.actor().member().is_none_or(|actor| actor.is_owner),
            sight => sight == Sight::Manager,
        };
        let one = |name: Action| {
            let hindrance = match name {
                _ if !caller.may(name) || !manages => Some("FORBIDDEN"),
                _ if self.removed_at.is_some() => Some(Code::NotFound.name()),
                _ if is_over => Some(Code::ServiceTerminated.name()),
                Action::FieldRemove if self.is_system => Some(Code::FieldIsFixed.name()),
                _ => None,
            };
            PossibleAction {
                name,
                is_allowed: hindrance.is_none(),
                reason_code: hindrance.map(str::to_owned),
                available_at: None,
            }
        };
        Ok(VERBS.into_iter().map(one).collect())
    }
}

/// Which of a service's fields somebody sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sight {
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
async fn sight(context: &Context<'_>, service: ServiceId) -> Result<Sight> {
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
            .filter(composition::Column::ServiceId.is_in(services));
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
            .filter(agent::Column::ServiceId.is_in(keys.iter().map(|key| key.0)))
            .filter(agent::Column::MemberId.is_in(keys.iter().map(|key| key.1)));
        let rows = rows.all().await.map_err(|error| format!("{error:?}"))?;
        Ok(rows
            .into_iter()
            .map(|row| (PlaceOf(row.service_id, row.member_id), row.role))
            .collect())
    }
}

/// Fields, to change.
#[derive(Debug, Default)]
pub struct FieldMutation;

#[Object]
impl FieldMutation {
    /// 필드 추가: adds a field to a service, behind the others. The owner can, and the service's managers. Needs `FIELD_ADD`.
    async fn field_add(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The new field.")] input: FieldAddInput,
    ) -> Result<FieldAddPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::add(tx, &input).await;
        let (field, problems) = settle(caller.act(Action::FieldAdd, &input, deed).await)?;
        Ok(FieldAddPayload {
            composition: together(caller, field.as_ref()).await?,
            field,
            user_errors: FieldUserError::all(problems)?,
        })
    }

    /// 필드 수정: changes a field. Absent values stay as they are; code, type and encryption can't be changed. Needs `FIELD_UPDATE`.
    async fn field_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The field's ID.")] id: ID,
        #[graphql(desc = "The changes.")] input: FieldUpdateInput,
    ) -> Result<FieldUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::FieldUpdate, &On(&id, &input), deed).await)?;
        Ok(FieldUpdatePayload {
            composition: together(caller, done.as_ref()).await?,
            field: as_it_is(context, done, &id).await?,
            user_errors: FieldUserError::all(problems)?,
        })
    }

    /// 필드 순서 변경: puts a service's fields into another order. Needs `FIELD_REORDER`.
    async fn field_reorder(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] id: ID,
        #[graphql(desc = "The order.")] input: FieldReorderInput,
    ) -> Result<FieldReorderPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::reorder(tx, &id, &input).await;
        let (composition, problems) = settle(caller.act(Action::FieldReorder, &On(&id, &input), deed).await)?;
        let fields = match &composition {
            Some(composition) => {
                let view = caller.view(Action::FieldRead).await?;
                rules::of_service(&view, composition.service_id).await?
            }
            None => Vec::new(),
        };
        Ok(FieldReorderPayload {
            composition,
            fields,
            user_errors: FieldUserError::all(problems)?,
        })
    }

    /// 필드 삭제: removes one of a service's own fields. Its code is never free again, and what tickets have of it stays. Needs `FIELD_REMOVE`.
    async fn field_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The field's ID.")] id: ID,
        #[graphql(desc = "How.")] input: FieldRemoveInput,
    ) -> Result<FieldRemovePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::remove(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::FieldRemove, &On(&id, &input), deed).await)?;
        Ok(FieldRemovePayload {
            composition: together(caller, done.as_ref()).await?,
            field: as_it_is(context, done, &id).await?,
            user_errors: FieldUserError::all(problems)?,
        })
    }
}

/// What the fields of a changed field's service make together now.
async fn together(caller: &Caller, field: Option<&Model>) -> Result<Option<Composition>> {
    let Some(field) = field else { return Ok(None) };
    let view = caller.view(Action::FieldRead).await?;
    composition::current(&view, field.service_id).await.map(Some)
}

/// What was done, or where nothing was, the field as it is.
async fn as_it_is(context: &Context<'_>, done: Option<Model>, id: &str) -> Result<Option<Model>> {
    match done {
        Some(field) => Ok(Some(field)),
        None => Ok(find(context, &[id]).await?.pop()),
    }
}
