//! Messages to webhooks: each is a row that says how it fares, and a job that sends it until it is taken. What was sent
//! once can be sent again, as another row with the same message.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::{
    event::TEST,
    hook::{self, Model as Webhook},
    purge,
    send::{self, Message},
};
use crate::kernel::{
    Action, App, Caller, Error, Job, OrganizationId, Outcome, Plain, Result, Timestamp, Tx, View, WebhookDeliveryId,
    WebhookId,
    outbox::{self, Fate},
    record::record,
    seal::{Keychain, Purpose},
};

/// The job's name.
pub const KIND: &str = "webhook-delivery";

/// How far a message is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "WebhookDeliveryState")]
pub enum State {
    /// It is on its way: not yet tried, or due again after a failure.
    Pending,
    /// It was taken: the answer's status was one of 200 to 299.
    Delivered,
    /// It was given up.
    Failed,
}

/// A message to a webhook, and how it fared.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "webhook_delivery")]
#[graphql(name = "WebhookDelivery", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookDeliveryId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[graphql(skip)]
    pub webhook_id: WebhookId,
    /// What it tells of: the name of a permission, or `WEBHOOK_TEST`.
    pub kind: String,
    /// What is sent, as JSON.
    pub body: String,
    /// How far it is.
    pub state: State,
    /// How often it was tried.
    pub attempts: i32,
    /// The HTTP status of the last answer; null where there was none.
    pub status: Option<i32>,
    /// Why the last attempt failed: a code such as `STATUS`, `TIMEOUT` or `TARGET_NOT_ALLOWED`; null where it did not.
    #[graphql(name = "failureCode")]
    pub failure: Option<String>,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it was last tried; null before the first time.
    pub attempted_at: Option<Timestamp>,
    /// When it was taken or given up; null before.
    pub finished_at: Option<Timestamp>,
    #[graphql(skip)]
    pub replay_of: Option<WebhookDeliveryId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "webhook delivery", WebhookDeliveryId, label: kind }

/// Has a message sent once the deed is committed.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn put(tx: &Tx, hook: &Webhook, kind: &str, body: String) -> Result<Model> {
    write(tx, hook.id, kind, body, None).await
}

/// Has a message sent again.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn put_again(tx: &Tx, before: &Model) -> Result<Model> {
    write(
        tx,
        before.webhook_id,
        &before.kind,
        before.body.clone(),
        Some(before.id),
    )
    .await
}

async fn write(
    tx: &Tx,
    webhook_id: WebhookId,
    kind: &str,
    body: String,
    replay_of: Option<WebhookDeliveryId>,
) -> Result<Model> {
    let row = Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        webhook_id,
        kind: kind.to_owned(),
        body,
        state: State::Pending,
        attempts: 0,
        status: None,
        failure: None,
        created_at: tx.now(),
        attempted_at: None,
        finished_at: None,
        replay_of,
    };
    let row = tx.create_telling::<Entity>(row, &[Column::Kind]).await?;
    let job = Job {
        kind: KIND,
        argument: row.id.to_string(),
        due_at: tx.now(),
    };
    tx.enqueue(job).await?;
    Ok(row)
}

/// How an attempt is written down: nothing that anybody asks for again.
struct Noted;

impl Outcome for Noted {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self)
    }
}

/// What an attempt came to: the status of the answer and whether it brought the challenge back, or why there is none.
type Came = std::result::Result<(u16, bool), &'static str>;

/// Sends the message that a job is about.
///
/// # Errors
/// If the database fails. What becomes of the message is an answer.
pub async fn deliver(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let view = caller.view(Action::WebhookDeliver).await?;
    let found = find(&view, app, &job.argument).await;
    drop(view);
    caller.release().await;
    let Some((delivery, message)) = found? else {
        return Ok(Fate::Done);
    };
    let came: Came = match &message {
        Some(message) => send::send(app, message).await,
        None => Err("WEBHOOK_INACTIVE"),
    };
    let is_over = message.is_none();
    let (is_taken, reason) = match came {
        Ok((200..=299, true)) => (true, None),
        Ok((200..=299, false)) => (false, Some("CHALLENGE_NOT_RETURNED")),
        Ok(_) => (false, Some("STATUS")),
        Err(reason) => (false, Some(reason)),
    };
    let status = came.ok().map(|(status, _)| i32::from(status));
    let asked = message.as_ref().and_then(|message| message.challenge.as_deref());
    let deed = async |tx: &Tx| note(tx, &delivery, (is_taken, is_over), (status, reason), asked).await;
    caller.act(Action::WebhookDeliver, &Plain, deed).await?;
    Ok(match reason {
        Some(reason) if !is_over => Fate::Failed(reason.to_owned()),
        _ => Fate::Done,
    })
}

async fn note(
    tx: &Tx,
    delivery: &Model,
    (is_taken, is_over): (bool, bool),
    (status, reason): (Option<i32>, Option<&str>),
    asked: Option<&str>,
) -> Result<Noted> {
    let row = tx.find::<Entity>("id", &delivery.id.to_string()).await?;
    let now = tx.now();
    let is_test = row.kind == TEST;
    let webhook = row.webhook_id;
    tx.update::<Entity>(row, |row| {
        row.attempts += 1;
        row.attempted_at = Some(now);
        row.status = status;
        row.failure = reason.map(str::to_owned);
        if is_taken || is_over {
            row.state = if is_taken { State::Delivered } else { State::Failed };
            row.finished_at = Some(now);
        }
    })
    .await?;
    if is_taken || is_over {
        tx.enqueue(purge::job(now)).await?;
    }
    if is_taken && is_test {
        let hook = tx.find::<hook::Entity>("id", &webhook.to_string()).await?;
        // It may point elsewhere by now: that has to answer for itself.
        if asked == Some(hook.challenge.as_str()) {
            // Once is enough: each change would have whoever edits it read it again.
            tx.update::<hook::Entity>(hook, |row| row.verified_at = row.verified_at.or(Some(now)))
                .await?;
        }
    }
    Ok(Noted)
}

/// Gives a message up that was tried often enough.
///
/// # Errors
/// Only if the database fails.
pub async fn give_up(app: &App, job: &outbox::Model) -> Result<()> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let deed = async |tx: &Tx| {
        if let Some(row) = tx.seek::<Entity>(&job.argument).await?
            && row.state == State::Pending
        {
            let now = tx.now();
            tx.update::<Entity>(row, |row| {
                row.state = State::Failed;
                row.finished_at = Some(now);
                row.failure.get_or_insert_with(|| "LOST".to_owned());
            })
            .await?;
            tx.enqueue(purge::job(now)).await?;
        }
        Ok(Noted)
    };
    caller.act(Action::WebhookDeliver, &Plain, deed).await?;
    Ok(())
}

/// A message that is still to be sent, ready for it; without the message where its webhook does not want it any more.
async fn find(view: &View, app: &App, id: &str) -> Result<Option<(Model, Option<Message>)>> {
    let Some(delivery) = view.seek::<Entity>(id).await?.filter(|row| row.state == State::Pending) else {
        return Ok(None);
    };
    let hook = view
        .find::<hook::Entity>("id", &delivery.webhook_id.to_string())
        .await?;
    let is_test = delivery.kind == TEST;
    // A test tells whether it can be turned on.
    let is_wanted = hook.removed_at.is_none() && (is_test || hook.is_active && hook.verified_at.is_some());
    if !is_wanted {
        return Ok(Some((delivery, None)));
    }
    let now = app.clock.now();
    let chain = Keychain::of(view, app, Purpose::WebhookSecret).await?;
    let previous = hook.previous_secret.as_ref();
    let previous = previous.filter(|_| hook.previous_secret_until.is_some_and(|until| now < until));
    let mut secrets = Vec::new();
    for sealed in [Some(&hook.secret), previous].into_iter().flatten() {
        let opened = hook::open(&chain, &hook.id, sealed).map_err(Error::internal)?;
        secrets.extend(hook::bytes_of(&opened));
    }
    let told: serde_json::Value = serde_json::from_str(&delivery.body)?;
    let message = Message {
        url: hook.url,
        id: told["id"].as_str().unwrap_or_default().to_owned(),
        delivery: delivery.id.to_string(),
        at: now,
        body: delivery.body.clone(),
        secrets,
        challenge: is_test.then_some(hook.challenge),
    };
    Ok(Some((delivery, Some(message))))
}
