//! What the API says of webhooks and their messages.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, dataloader::Loader};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    delivery::{self, Model as Delivery, State},
    hook::{Column, Entity, Model},
    input::{
        WebhookCreateInput, WebhookRemoveInput, WebhookReplayInput, WebhookRotateInput, WebhookTestInput,
        WebhookUpdateInput,
    },
    rules::{self, Issued},
};
use crate::{
    kernel::{
        Action, Batch, Caller, Code, Error, On, PageRequest, Result, WebhookId,
        page::{self, Cursors, Direction, Part, connection},
        payload::{payload, settle, user_errors},
    },
    service::graphql::PossibleAction,
};

user_errors! { WebhookUserError, WebhookErrorCode, "a webhook", {
    /// A value is needed.
    Blank,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// A number is out of its range.
    OutOfRange,
    /// There are too many of them.
    TooMany,
    /// There are as many webhooks as there can be.
    LimitReached,
    /// Messages may not be sent there: it is an address of this machine or of a private network.
    TargetNotAllowed,
    /// The message is still on its way.
    DeliveryPending,
} }

payload! { WebhookCreatePayload, "webhookCreate", WebhookUserError, {
    /// The webhook; null where there are user errors.
    webhook: Model,
    /// What its messages are signed with, `whsec_…`: shown this once. Null where there are user errors and in the answer to a repeated request.
    secret: String,
} }

payload! { WebhookUpdatePayload, "webhookUpdate", WebhookUserError, {
    /// The webhook as it is now, also where it was not changed; null where there is none.
    webhook: Model,
} }

payload! { WebhookRotatePayload, "webhookRotate", WebhookUserError, {
    /// The webhook; null where there are user errors.
    webhook: Model,
    /// The new secret, `whsec_…`: shown this once. Null where there are user errors and in the answer to a repeated request.
    secret: String,
} }

payload! { WebhookRemovePayload, "webhookRemove", WebhookUserError, {
    /// The webhook as it is now; null where there is none.
    webhook: Model,
} }

payload! { WebhookTestPayload, "webhookTest", WebhookUserError, {
    /// The message that is on its way; null where there are user errors.
    delivery: Delivery,
} }

payload! { WebhookReplayPayload, "webhookReplay", WebhookUserError, {
    /// The message that is on its way again; null where there are user errors.
    delivery: Delivery,
} }

connection! { WebhookDeliveryConnection, WebhookDeliveryEdge, Delivery, "message to a webhook", "messages to webhooks" }

/// Which messages; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct WebhookDeliveryFilter {
    /// Only those of this webhook.
    pub webhook_id: Option<ID>,
    /// Only those that are this far.
    pub state: Option<State>,
}

/// The question for a webhook by its ID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct HookById(WebhookId);

impl Loader<HookById> for Batch {
    type Value = Model;
    type Error = String;

    async fn load(&self, keys: &[HookById]) -> std::result::Result<HashMap<HookById, Model>, String> {
        let rows = self
            .select::<Entity>()
            .filter(Column::Id.is_in(keys.iter().map(|key| key.0)));
        let rows = rows.all().await.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().map(|row| (HookById(row.id), row)).collect())
    }
}

#[ComplexObject]
impl Model {
    /// The kinds of events that it is told of, at most 50: names of permissions.
    async fn events(&self) -> Vec<Action> {
        let named = |action: &&Action| self.kinds.0.iter().any(|kind| kind == action.name());
        Action::ALL.iter().filter(named).copied().collect()
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Vec<PossibleAction> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let gone = self.removed_at.map(|_| Code::NotFound);
        let verbs = [
            Action::WebhookUpdate,
            Action::WebhookRotate,
            Action::WebhookTest,
            Action::WebhookRemove,
        ];
        verbs.map(|name| PossibleAction::of(caller, name, gone)).into()
    }
}

#[ComplexObject]
impl Delivery {
    /// The webhook that it goes to.
    async fn webhook(&self, context: &Context<'_>) -> Result<Option<Model>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::WebhookRead).await?;
        view.loader
            .load_one(HookById(self.webhook_id))
            .await
            .map_err(Error::internal)
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let is_gone = self
            .webhook(context)
            .await?
            .is_none_or(|hook| hook.removed_at.is_some());
        let gone = is_gone.then_some(Code::NotFound);
        let pending = (self.state == State::Pending).then_some(Code::DeliveryPending);
        Ok(vec![PossibleAction::of(
            caller,
            Action::WebhookReplay,
            gone.or(pending),
        )])
    }

    /// The ID of the message that this is a repetition of; null where it is none.
    #[graphql(name = "replayedId")]
    async fn replayed(&self) -> Option<ID> {
        self.replay_of.map(|id| ID(id.to_string()))
    }
}

/// Webhooks, to look at.
#[derive(Debug, Default)]
pub struct WebhookQuery;

#[Object]
impl WebhookQuery {
    /// The organization's webhooks that were not removed, newest first, at most 20. Needs `WEBHOOK_READ`.
    async fn webhooks(&self, context: &Context<'_>) -> Result<Option<Vec<Model>>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::WebhookRead).await?;
        let hooks = view.select::<Entity>().filter(Column::RemovedAt.is_null());
        let hooks = hooks.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
        Ok(Some(hooks.limit(Some(20)).all().await?))
    }

    /// The log of messages to webhooks, newest first. Needs `WEBHOOK_READ`.
    async fn webhook_deliveries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which messages.")] filter: Option<WebhookDeliveryFilter>,
    ) -> Result<Option<WebhookDeliveryConnection>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::WebhookRead).await?;
        let filter = filter.unwrap_or_default();
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let select = || {
            let mut select = view.select::<delivery::Entity>();
            if let Some(id) = &filter.webhook_id {
                let id = id.parse().unwrap_or(WebhookId(uuid::Uuid::nil()));
                select = select.filter(delivery::Column::WebhookId.eq(id));
            }
            if let Some(state) = filter.state {
                select = select.filter(delivery::Column::State.eq(state));
            }
            select
        };
        let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "webhook deliveries");
        let place = |row: &Delivery| [Part::Instant(row.created_at), Part::Id(row.id.0)];
        let columns = [delivery::Column::CreatedAt, delivery::Column::Id];
        let page = page::read(select(), columns, Direction::Desc, &request, &cursors, place).await?;
        let total = match context.look_ahead().field("totalCount").exists() {
            true => select().count().await?,
            false => 0,
        };
        Ok(Some(WebhookDeliveryConnection::of(page, total)))
    }
}

/// Webhooks, to change.
#[derive(Debug, Default)]
pub struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Makes a webhook and shows its secret, this once. A test is sent at once; it is told of events once that was answered. Needs `WEBHOOK_CREATE` and a recent `sessionConfirm`.
    async fn webhook_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The new webhook.")] input: WebhookCreateInput,
    ) -> Result<WebhookCreatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::create(tx, &input).await;
        let (done, problems) = settle(caller.act(Action::WebhookCreate, &input, deed).await)?;
        let (webhook, secret) = shown(done);
        Ok(WebhookCreatePayload {
            webhook,
            secret,
            user_errors: WebhookUserError::all(problems)?,
        })
    }

    /// Changes a webhook. Absent fields stay as they are. Needs `WEBHOOK_UPDATE` and a recent `sessionConfirm`.
    async fn webhook_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook's ID.")] id: ID,
        #[graphql(desc = "The changes.")] input: WebhookUpdateInput,
    ) -> Result<WebhookUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::WebhookUpdate, &On(&id, &input), deed).await)?;
        Ok(WebhookUpdatePayload {
            webhook: as_it_is(caller, done, &id).await?,
            user_errors: WebhookUserError::all(problems)?,
        })
    }

    /// Replaces a webhook's secret and shows the new one, this once. Needs `WEBHOOK_ROTATE` and a recent `sessionConfirm`.
    async fn webhook_rotate(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook's ID.")] id: ID,
        #[graphql(desc = "How.")] input: WebhookRotateInput,
    ) -> Result<WebhookRotatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::rotate(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::WebhookRotate, &On(&id, &input), deed).await)?;
        let (webhook, secret) = shown(done);
        Ok(WebhookRotatePayload {
            webhook,
            secret,
            user_errors: WebhookUserError::all(problems)?,
        })
    }

    /// Removes a webhook: nothing more is sent to it. Needs `WEBHOOK_REMOVE`.
    async fn webhook_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook's ID.")] id: ID,
        #[graphql(desc = "How.")] input: WebhookRemoveInput,
    ) -> Result<WebhookRemovePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::remove(tx, &id, input.expected_version).await;
        let (done, problems) = settle(caller.act(Action::WebhookRemove, &On(&id, &input), deed).await)?;
        Ok(WebhookRemovePayload {
            webhook: as_it_is(caller, done, &id).await?,
            user_errors: WebhookUserError::all(problems)?,
        })
    }

    /// Sends a test to a webhook. Who answers it with its challenge is told of events. Needs `WEBHOOK_TEST`.
    async fn webhook_test(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook's ID.")] id: ID,
        #[graphql(desc = "How.")] input: WebhookTestInput,
    ) -> Result<WebhookTestPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::try_out(tx, &id).await;
        let (delivery, problems) = settle(caller.act(Action::WebhookTest, &On(&id, &input), deed).await)?;
        Ok(WebhookTestPayload {
            delivery,
            user_errors: WebhookUserError::all(problems)?,
        })
    }

    /// Sends a message again that was taken or given up, with the same ID in it. Needs `WEBHOOK_REPLAY`.
    async fn webhook_replay(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The message's ID.")] id: ID,
        #[graphql(desc = "How.")] input: WebhookReplayInput,
    ) -> Result<WebhookReplayPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::replay(tx, &id).await;
        let (delivery, problems) = settle(caller.act(Action::WebhookReplay, &On(&id, &input), deed).await)?;
        Ok(WebhookReplayPayload {
            delivery,
            user_errors: WebhookUserError::all(problems)?,
        })
    }
}

/// A webhook and what is shown of its secret.
fn shown(issued: Option<Issued>) -> (Option<Model>, Option<String>) {
    issued.map_or((None, None), |issued| {
        (Some(issued.hook), issued.secret.map(|secret| secret.0))
    })
}

/// What was done, or where nothing was, the webhook as it is.
async fn as_it_is(caller: &Caller, done: Option<Model>, id: &str) -> Result<Option<Model>> {
    match done {
        Some(webhook) => Ok(Some(webhook)),
        None => caller.view(Action::WebhookRead).await?.seek::<Entity>(id).await,
    }
}
