//! What can be done with tickets: adding and changing them, by whoever works in the service.

use async_graphql::MaybeUndefined;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    content::{Plain, SealedValues},
    entity::{Channel, Column, Entity, Model, Priority, Status},
    filled::{self, Pen, Present},
    ground::Ground,
    input::{TicketCreateInput, TicketUpdateInput},
    term,
};
use crate::{
    agent,
    billing::{self, UsageEntryInput, UsageRecordInput},
    contract::item::Meter,
    kernel::{Code, Error, MemberId, Problem, Reader, Result, ServiceId, Tx, seal::FieldKeys},
};

/// The most characters of what was done.
pub(super) const LONGEST: usize = 5_000;

/// `ticketCreate`.
///
/// # Errors
/// `NOT_FOUND` and what keeps a service from being used at `input.serviceId`; as the input says, all at once.
pub async fn create(tx: &Tx, input: &TicketCreateInput) -> Result<Model> {
    const SERVICE: &str = "input.serviceId";
    let service: ServiceId = input.service_id.parse().map_err(|()| Error::not_found(SERVICE))?;
    let ground = Ground::of_actor(tx, SERVICE, service).await?;
    let (filled, mut problems) = filled::check(&ground, service, None, &input.values);
    let assignee = input.assignee_id.as_ref().map(|id| id.as_str());
    let assignee = assigned(tx, service, &ground, assignee, &mut problems).await?;
    let status = match (input.status, assignee) {
        (Some(status), _) => status,
        (None, Some(_)) => Status::Open,
        (None, None) => Status::New,
    };
    problems.extend(check_status(status, assignee));
    let received_at = input.received_at.unwrap_or(tx.now());
    if received_at > tx.now() {
        problems.push(Problem::at("input.receivedAt", Code::OutOfRange).with("max", tx.now().0.to_rfc3339()));
    }
    let processing = text(input.processing.as_deref(), &mut problems);
    if let Some(external) = &input.external_reference {
        problems.extend(check_external(tx, service, external).await?);
    }
    Error::unless_none(problems)?;
    let id = tx.fresh_id();
    let keys = FieldKeys::for_writing(tx).await?;
    let pen = Pen {
        app: tx.app(),
        keys: &keys,
        ticket: id,
        received_at,
    };
    let (mut plain, mut sealed) = (Plain::default(), SealedValues::default());
    let terms = pen.write(&filled, &mut plain, &mut sealed)?;
    let ticket = Model {
        id,
        organization_id: tx.organization_id(),
        service_id: service,
        number: next_number(tx, service).await?,
        channel: input.channel.unwrap_or(Channel::Manual),
        status,
        priority: input.priority.unwrap_or(Priority::Normal),
        assignee_id: assignee,
        received_at,
        processed_at: status.is_done().then(|| tx.now()),
        processing,
        external_id: input.external_reference.clone(),
        is_migrated: false,
        import_id: None,
        import_row: None,
        call_reference: None,
        plain,
        sealed,
        created_at: tx.now(),
        version: 1,
    };
    add(tx, ticket, terms).await
}

/// Writes a new ticket with what it is found by, and counts it.
///
/// # Errors
/// Only if the database fails, or the contract does not cover tickets.
pub(super) async fn add(tx: &Tx, ticket: Model, terms: Vec<term::Model>) -> Result<Model> {
    let ticket = tx.create::<Entity>(ticket).await?;
    tx.create_many::<term::Entity>(terms).await?;
    let entry = UsageEntryInput {
        service: ticket.service_id.to_string().into(),
        meter: Meter::Tickets,
        external: ticket.id.to_string(),
        quantity: 1,
        occurred_at: tx.now(),
    };
    let usage = UsageRecordInput {
        idempotency_key: None,
        dry_run: None,
        entries: vec![entry],
    };
    match billing::record(tx, &usage).await {
        // The paths of its problems are of another input.
        Err(Error::Problems(problems)) => Err(Error::internal(format!("a ticket was not counted: {problems:?}"))),
        counted => counted.map(|_| ticket),
    }
}

/// `ticketUpdate`: what is given becomes another, the rest stays. A mask that comes back is the value that it hides.
///
/// # Errors
/// `NOT_FOUND` and what keeps a service from being used at `id`; `STALE_VERSION`; as the input says, all at once.
pub async fn update(tx: &Tx, id: &str, input: &TicketUpdateInput) -> Result<Model> {
    let ticket = tx.find::<Entity>("id", id).await?;
    let ground = Ground::of_actor(tx, "id", ticket.service_id).await?;
    if ticket.version != input.expected_version {
        return Err(Problem::at("input.expectedVersion", Code::StaleVersion).into());
    }
    let keys = FieldKeys::for_writing(tx).await?;
    let present = Present {
        ticket: &ticket,
        keys: &keys,
    };
    let given = input.values.as_deref().unwrap_or_default();
    let (filled, mut problems) = filled::check(&ground, ticket.service_id, Some(&present), given);
    let assignee = next_assignee(tx, &ticket, &ground, input, &mut problems).await?;
    let status = next_status(&ticket, assignee, input.status);
    problems.extend(check_status(status, assignee));
    let processing = match &input.processing {
        MaybeUndefined::Undefined => ticket.processing.clone(),
        MaybeUndefined::Null => None,
        MaybeUndefined::Value(said) => text(Some(said), &mut problems),
    };
    Error::unless_none(problems)?;
    let pen = Pen {
        app: tx.app(),
        keys: &keys,
        ticket: ticket.id,
        received_at: ticket.received_at,
    };
    let (mut plain, mut sealed) = (ticket.plain.clone(), ticket.sealed.clone());
    let terms = pen.write(&filled, &mut plain, &mut sealed)?;
    let now = tx.now();
    let has_other_values = plain != ticket.plain || sealed != ticket.sealed;
    let id = ticket.id;
    let changed = tx
        .update::<Entity>(ticket, |row| {
            if row.status.is_done() != status.is_done() {
                row.processed_at = status.is_done().then_some(now);
            }
            row.status = status;
            row.assignee_id = assignee;
            row.priority = input.priority.unwrap_or(row.priority);
            row.processing = processing;
            row.plain = plain;
            row.sealed = sealed;
        })
        .await?;
    if has_other_values {
        filled::replace_terms(tx, id, &filled, terms).await?;
    }
    Ok(changed)
}

/// Who looks after a ticket from now on. Whoever does so already stays, unless a ticket that was done is taken up again and
/// he works there no more.
async fn next_assignee(
    tx: &Tx,
    ticket: &Model,
    ground: &Ground,
    input: &TicketUpdateInput,
    problems: &mut Vec<Problem>,
) -> Result<Option<MemberId>> {
    let present = ticket.assignee_id.map(|id| id.to_string());
    match (&input.assignee_id, ticket.assignee_id) {
        (MaybeUndefined::Null, _) => Ok(None),
        (MaybeUndefined::Value(id), _) if Some(id.as_str()) != present.as_deref() => {
            assigned(tx, ticket.service_id, ground, Some(id), problems).await
        }
        (_, Some(assignee)) => {
            let is_taken_up = ticket.status.is_done() && input.status.is_some_and(|status| !status.is_done());
            let stays = !is_taken_up || works(tx, ticket.service_id, assignee).await?;
            Ok(stays.then_some(assignee))
        }
        (_, None) => Ok(None),
    }
}

/// How far a ticket is with this assignee, unless somebody says so: what nobody looks after any more waits for somebody.
fn next_status(ticket: &Model, assignee: Option<MemberId>, asked: Option<Status>) -> Status {
    match (asked.unwrap_or(ticket.status), assignee) {
        (Status::New, Some(_)) if asked.is_none() => Status::Open,
        (Status::Open | Status::Reply, None) if ticket.assignee_id.is_some() => Status::New,
        (status, _) => status,
    }
}

/// The number after the last one in a service. The organization's turn is held, so that nobody else takes it.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn next_number(reader: &Reader, service: ServiceId) -> Result<i32> {
    let last = reader
        .select::<Entity>()
        .filter(Column::ServiceId.eq(service))
        .order_by_desc(Column::Number)
        .limit(1);
    Ok(last.one().await?.map_or(1, |last| last.number + 1))
}

/// The member who is to look after a ticket: he works in the service, and is the actor himself unless the actor may pass
/// tickets on.
async fn assigned(
    tx: &Tx,
    service: ServiceId,
    ground: &Ground,
    assignee: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Result<Option<MemberId>> {
    const AT: &str = "input.assigneeId";
    let Some(text) = assignee else { return Ok(None) };
    let Ok(member) = text.parse::<MemberId>() else {
        problems.push(Problem::at(AT, Code::NotFound));
        return Ok(None);
    };
    if !works(tx, service, member).await? {
        let is_there = tx.seek::<crate::member::Entity>(text).await?.is_some();
        let code = if is_there { Code::NoServiceRole } else { Code::NotFound };
        problems.push(Problem::at(AT, code));
        return Ok(None);
    }
    let is_own = tx.actor().member().is_none_or(|actor| actor.member_id == member);
    if !is_own && !ground.forwards {
        problems.push(Problem::at(AT, Code::ForwardRightRequired));
    }
    Ok(Some(member))
}

/// Whether a member works in a service.
pub(super) async fn works(reader: &Reader, service: ServiceId, member: MemberId) -> Result<bool> {
    let places = reader.select::<agent::Entity>();
    let place = places
        .filter(agent::Column::ServiceId.eq(service))
        .filter(agent::Column::MemberId.eq(member));
    Ok(place.one().await?.is_some())
}

/// 미할당 is that nobody looks after it.
fn check_status(status: Status, assignee: Option<MemberId>) -> Option<Problem> {
    let is_odd = status == Status::New && assignee.is_some();
    is_odd.then(|| Problem::at("input.status", Code::Invalid).with("rule", "NEW"))
}

/// What was done, without blanks around it; `None` for nothing.
fn text(said: Option<&str>, problems: &mut Vec<Problem>) -> Option<String> {
    const AT: &str = "input.processing";
    let said = said.map(str::trim).filter(|said| !said.is_empty())?;
    if said.chars().count() > LONGEST {
        problems.push(Problem::at(AT, Code::TooLong).with("max", LONGEST));
    } else if is_odd(said) {
        problems.push(Problem::at(AT, Code::Invalid).with("rule", "control characters"));
    }
    Some(said.to_owned())
}

/// Whether a text of several lines has letters that no text has.
pub(super) fn is_odd(text: &str) -> bool {
    text.chars()
        .any(|letter| letter.is_control() && !"\n\t".contains(letter))
}

/// Whether a text can be what another system calls a ticket.
pub(super) fn is_external(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

async fn check_external(tx: &Tx, service: ServiceId, external: &str) -> Result<Option<Problem>> {
    const AT: &str = "input.externalReference";
    if !is_external(external) {
        return Ok(Some(Problem::at(AT, Code::Invalid).with("rule", "1–100 ASCII")));
    }
    let same = tx
        .select::<Entity>()
        .filter(Column::ServiceId.eq(service))
        .filter(Column::ExternalId.eq(external));
    Ok(same.one().await?.map(|_| Problem::at(AT, Code::Taken)))
}
