//! Making, changing, rotating and removing webhooks; sending a test, and a message again. A webhook is told of events once
//! the system behind its URL has answered a test with the challenge in it: nobody points messages at a stranger.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Duration;
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::{
    delivery::{self, Model as Delivery, State},
    event::{self, EVENTS, TEST},
    hook::{self, Column, Entity, Kinds, Model},
    input::{WebhookCreateInput, WebhookRotateInput, WebhookUpdateInput},
    target::Target,
};
use crate::{
    kernel::{Action, Code, Error, Outcome, Problem, Result, Timestamp, Tx, WebhookDeliveryId},
    organization::check_name,
};

/// How many webhooks an organization can have.
const MOST_HOOKS: u64 = 20;

/// How many kinds of events a webhook can name.
const MOST_KINDS: usize = 50;

/// The longest overlap of a rotation, in hours.
const LONGEST_OVERLAP: i32 = 24;

/// A webhook and, the first time, its secret.
#[derive(Debug)]
pub struct Issued {
    /// The webhook's row.
    pub hook: Model,
    /// What its messages are signed with; `None` in the answer to a repeated request.
    pub secret: Option<Secret>,
}

/// A secret that is shown once.
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Outcome for Issued {
    type Receipt = String;

    fn receipt(&self) -> String {
        self.hook.receipt()
    }

    async fn again(tx: &Tx, receipt: String) -> Result<Self> {
        Ok(Self {
            hook: Model::again(tx, receipt).await?,
            secret: None,
        })
    }
}

/// `webhookCreate`: it is told of events once it has answered the test that is sent at once.
///
/// # Errors
/// As the input says; `LIMIT_REACHED` beyond 20; `TARGET_NOT_ALLOWED`.
pub async fn create(tx: &Tx, input: &WebhookCreateInput) -> Result<Issued> {
    let mut problems: Vec<_> = check_name("input.name", &input.name).into_iter().collect();
    problems.extend(check_url(tx, &input.url));
    problems.extend(check_events(&input.events));
    Error::unless_none(problems)?;
    if tx
        .select::<Entity>()
        .filter(Column::RemovedAt.is_null())
        .count()
        .await?
        >= MOST_HOOKS
    {
        return Err(Problem::of(Code::LimitReached).with("max", MOST_HOOKS).into());
    }
    let (id, secret) = (tx.fresh_id(), hook::fresh_secret(tx));
    let hook = tx
        .create::<Entity>(Model {
            id,
            organization_id: tx.organization_id(),
            name: input.name.trim().to_owned(),
            url: input.url.clone(),
            kinds: kinds(&input.events),
            is_active: true,
            challenge: fresh_challenge(tx),
            verified_at: None,
            secret: hook::seal(tx, &id, &secret).await?,
            previous_secret: None,
            previous_secret_until: None,
            created_at: tx.now(),
            removed_at: None,
            version: 1,
        })
        .await?;
    test(tx, &hook).await?;
    Ok(Issued {
        hook,
        secret: Some(Secret(secret)),
    })
}

/// `webhookUpdate`.
///
/// # Errors
/// As the input says; `TARGET_NOT_ALLOWED`.
pub async fn update(tx: &Tx, id: &str, input: &WebhookUpdateInput) -> Result<Model> {
    let hook = current(tx, id, input.expected_version).await?;
    let url = input.url.as_deref().filter(|url| *url != hook.url);
    let name = input.name.as_deref();
    let mut problems: Vec<_> = name
        .and_then(|name| check_name("input.name", name))
        .into_iter()
        .collect();
    problems.extend(url.and_then(|url| check_url(tx, url)));
    problems.extend(input.events.as_deref().map(check_events).unwrap_or_default());
    Error::unless_none(problems)?;
    let challenge = url.map(|_| fresh_challenge(tx));
    let hook = tx
        .update::<Entity>(hook, |row| {
            if let Some(name) = name {
                name.trim().clone_into(&mut row.name);
            }
            if let Some((url, challenge)) = url.zip(challenge) {
                url.clone_into(&mut row.url);
                row.challenge = challenge;
                row.verified_at = None;
            }
            if let Some(events) = &input.events {
                row.kinds = kinds(events);
            }
            row.is_active = input.is_active.unwrap_or(row.is_active);
        })
        .await?;
    if url.is_some() {
        test(tx, &hook).await?;
    }
    Ok(hook)
}

/// `webhookRotate`: messages are signed with a new secret, and for the overlap with the old one too.
///
/// # Errors
/// `OUT_OF_RANGE`, and as for every edit.
pub async fn rotate(tx: &Tx, id: &str, input: &WebhookRotateInput) -> Result<Issued> {
    let hook = current(tx, id, input.expected_version).await?;
    if !(0..=LONGEST_OVERLAP).contains(&input.overlap_hours) {
        let problem = Problem::at("input.overlapHours", Code::OutOfRange)
            .with("min", 0)
            .with("max", LONGEST_OVERLAP);
        return Err(problem.into());
    }
    let secret = hook::fresh_secret(tx);
    let sealed = hook::seal(tx, &hook.id, &secret).await?;
    let until = Timestamp(tx.now().0 + Duration::hours(input.overlap_hours.into()));
    let has_overlap = input.overlap_hours > 0;
    let hook = tx
        .update::<Entity>(hook, |row| {
            let old = std::mem::replace(&mut row.secret, sealed);
            row.previous_secret = has_overlap.then_some(old);
            row.previous_secret_until = has_overlap.then_some(until);
        })
        .await?;
    Ok(Issued {
        hook,
        secret: Some(Secret(secret)),
    })
}

/// `webhookRemove`: nothing more is sent to it. What was sent stays in the log.
///
/// # Errors
/// As for every edit.
pub async fn remove(tx: &Tx, id: &str, expected_version: i32) -> Result<Model> {
    let hook = current(tx, id, expected_version).await?;
    let now = tx.now();
    tx.update::<Entity>(hook, |row| {
        row.removed_at = Some(now);
        row.is_active = false;
    })
    .await
}

/// `webhookTest`: a message that tells of nothing; whoever answers it with its challenge is told of events.
///
/// # Errors
/// `NOT_FOUND`; `DELIVERY_PENDING` where another test is still on its way.
pub async fn try_out(tx: &Tx, id: &str) -> Result<Delivery> {
    let hook = standing(tx.find::<Entity>("id", id).await?)?;
    tx.about::<Entity>(&hook);
    let same = Condition::all().add(delivery::Column::Kind.eq(TEST));
    unless_pending(tx, same.add(delivery::Column::WebhookId.eq(hook.id))).await?;
    test(tx, &hook).await
}

/// `webhookReplay`: the same message again, to where its webhook is now.
///
/// # Errors
/// `NOT_FOUND`; `DELIVERY_PENDING` where it is still on its way.
pub async fn replay(tx: &Tx, id: &str) -> Result<Delivery> {
    let before = tx.find::<delivery::Entity>("id", id).await?;
    let hook = standing(tx.find::<Entity>("id", &before.webhook_id.to_string()).await?)?;
    if before.state == State::Pending {
        return Err(Problem::at("id", Code::DeliveryPending).into());
    }
    tx.about::<Entity>(&hook);
    unless_pending(tx, Condition::all().add(delivery::Column::ReplayOf.eq(before.id))).await?;
    delivery::put_again(tx, &before).await
}

/// One of a kind at a time: each keeps others' messages waiting while nobody answers it.
async fn unless_pending(tx: &Tx, which: Condition) -> Result<()> {
    let pending = tx.select::<delivery::Entity>().filter(which);
    let pending = pending.filter(delivery::Column::State.eq(State::Pending));
    if pending.count().await? > 0 {
        return Err(Problem::at("id", Code::DeliveryPending).into());
    }
    Ok(())
}

async fn test(tx: &Tx, hook: &Model) -> Result<Delivery> {
    let id = format!("test_{}", tx.fresh_id::<WebhookDeliveryId>());
    delivery::put(tx, hook, TEST, event::test_body(tx, &id, &hook.challenge)).await
}

/// A webhook that was not removed.
async fn current(tx: &Tx, id: &str, expected_version: i32) -> Result<Model> {
    standing(tx.find_current::<Entity>(id, expected_version).await?)
}

fn standing(hook: Model) -> Result<Model> {
    if hook.removed_at.is_some() {
        return Err(Error::not_found("id"));
    }
    Ok(hook)
}

fn fresh_challenge(tx: &Tx) -> String {
    URL_SAFE_NO_PAD.encode(tx.app().random.bytes::<24>())
}

fn kinds(events: &[Action]) -> Kinds {
    let mut names: Vec<_> = events.iter().map(|event| event.name().to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    Kinds(names)
}

fn check_events(events: &[Action]) -> Vec<Problem> {
    const AT: &str = "input.events";
    match events.len() {
        0 => return vec![Problem::at(AT, Code::Blank)],
        1..=MOST_KINDS => {}
        _ => return vec![Problem::at(AT, Code::TooMany).with("max", MOST_KINDS)],
    }
    let unknown = events.iter().enumerate().filter(|(_, event)| !EVENTS.contains(event));
    unknown
        .map(|(place, event)| Problem::at(&format!("{AT}.{place}"), Code::Invalid).with("rule", event.name()))
        .collect()
}

fn check_url(tx: &Tx, url: &str) -> Option<Problem> {
    const AT: &str = "input.url";
    let Some(target) = Target::parse(url) else {
        return Some(Problem::at(AT, Code::Invalid).with("rule", "https://…"));
    };
    let is_refused = target.is_refused(&tx.app().settings.webhook_networks);
    is_refused.then(|| Problem::at(AT, Code::TargetNotAllowed))
}
