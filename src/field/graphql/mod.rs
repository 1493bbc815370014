//! What the API says of fields. Whoever has a place in a service sees its fields, agents not those of managers alone; owner
//! and administrators see all.

mod sight;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object};

use super::{
    Text,
    composition::{self, Composition},
    entity::Model,
    input::{FieldAddInput, FieldRemoveInput, FieldReorderInput, FieldUpdateInput},
    rules,
};
use crate::{
    billing::graphql::ById,
    kernel::{
        Action, Caller, Code, Error, On, Result, ServiceId,
        payload::{payload, settle, user_errors},
    },
    service::{self, Service, graphql::PossibleAction},
};

use sight::{Sight, sight};
pub(crate) use sight::{composition_of, find, of_service};

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

    /// What it is called, one a language, at most 20.
    #[graphql(name = "texts")]
    async fn text_list(&self) -> Vec<Text> {
        self.texts.0.clone()
    }

    /// 옵션: what it offers, in its order, at most 100: each as its way from the top, one word or, for 유형, up to five; empty for types without options.
    #[graphql(name = "options")]
    async fn option_list(&self) -> &[Vec<String>] {
        &self.options.0
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let service = self.service(context).await?;
        let is_over = service.is_none_or(|service| service.status == service::Status::Terminated);
        let manages = manages(context, self.service_id).await?;
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

#[ComplexObject]
impl Composition {
    /// The fields, in their order, at most 100; without those that the caller does not see.
    async fn fields(&self, context: &Context<'_>) -> Result<Vec<Model>> {
        of_service(context, self.service_id).await
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::FieldRead).await?;
        let service = view.loader.load_one(ById(self.service_id)).await;
        let service = service.map_err(Error::internal)?;
        let is_over = service.is_none_or(|service| service.status == service::Status::Terminated);
        let is_over = is_over.then_some(Code::ServiceTerminated);
        let manages = manages(context, self.service_id).await?;
        let one = |name| match manages {
            true => PossibleAction::of(caller, name, is_over),
            false => PossibleAction::forbidden(name),
        };
        Ok([Action::FieldAdd, Action::FieldReorder].map(one).into())
    }
}

/// Whether the caller changes the fields of a service: its managers do, and the owner.
async fn manages(context: &Context<'_>, service: ServiceId) -> Result<bool> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    Ok(match sight(context, service).await? {
        Sight::All => caller.actor().member().is_none_or(|actor| actor.is_owner),
        sight => sight == Sight::Manager,
    })
}

/// Fields, to look at.
#[derive(Debug, Default)]
pub struct FieldQuery;

#[Object]
impl FieldQuery {
    /// 필드: what the tickets of a service ask for, for whoever works in it; null where there is no such service, or none of his. Needs `FIELD_READ`.
    async fn field_composition(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] service_id: ID,
    ) -> Result<Option<Composition>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::FieldRead).await?;
        let id = match service_id.parse::<ServiceId>() {
            Ok(id) => view.loader.load_one(ById(id)).await.map_err(Error::internal)?,
            Err(()) => None,
        };
        match id {
            Some(service) => composition_of(context, service.id).await,
            None => Ok(None),
        }
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
