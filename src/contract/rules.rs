//! The contract's verbs. An edit is what changes something: it is possible once in a day of the organization's zone,
//! and only a completed edit uses the day up.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    entity::{Column, Entity, Item, Items, Model, Status},
    input::{ContractDraftInput, ContractItemInput, ContractSignInput, ContractUpdateInput},
    item::{self, ItemCode, ItemProblem, ItemRequest, ItemRule},
    revision::{self, Cause},
};
use crate::{
    kernel::{Code, Day, Error, Problem, Reader, Result, Timestamp, Tx, zone},
    organization::{self, Organization},
    service::{self, Service, ServiceKind},
};

/// What an operator grants a contract.
#[derive(Debug, Clone, Copy, Default)]
pub struct Discount {
    /// Percent off, 0 to 100; as it was where absent.
    pub percent: Option<i32>,
    /// The first and last free day; as they were where absent.
    pub trial: Option<(Day, Day)>,
}

/// Begins the contract of a new service: tickets are on, everything else is to be decided.
///
/// # Errors
/// Only if the database fails.
pub async fn open(tx: &Tx, service: &Service) -> Result<Model> {
    let ticket = Item {
        code: ItemCode::Ticket,
        is_on: true,
        user_count: None,
        expected_volume: None,
    };
    tx.create::<Entity>(Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        service_id: service.id,
        status: Status::Draft,
        items: Items(vec![ticket]),
        discount_percent: 0,
        trial_from: None,
        trial_to: None,
        started_on: None,
        ended_on: None,
        signed_at: None,
        edited_on: None,
        edit_spent_until: None,
        revision: 0,
        created_at: tx.now(),
        version: 1,
    })
    .await
}

/// The contract of a service.
///
/// # Errors
/// `NOT_FOUND`, which only a service of another organization has.
pub async fn of_service(reader: &Reader, service: &Service) -> Result<Model> {
    let found = reader
        .select::<Entity>()
        .filter(Column::ServiceId.eq(service.id))
        .one()
        .await?;
    found.ok_or_else(|| Error::not_found("id"))
}

/// `contractDraft`: saves what is there so far.
///
/// # Errors
/// `CONTRACT_ALREADY_SIGNED`, `CONTRACT_ENDED`, and items that no contract of the service's type can have.
pub async fn draft(tx: &Tx, id: &str, input: &ContractDraftInput) -> Result<Model> {
    let contract = tx.find_current::<Entity>(id, input.expected_version).await?;
    must_be_draft(&contract)?;
    let items = merge(tx, &contract, &input.items, Completeness::Draft).await?;
    tx.update::<Entity>(contract, |row| row.items = items).await
}

/// `contractSign`: completes the contract, which counts from today, and puts its service to use.
///
/// # Errors
/// `CONTRACT_ALREADY_SIGNED`, `CONTRACT_ENDED`, and whatever is missing or wrong in its items.
pub async fn sign(tx: &Tx, id: &str, input: &ContractSignInput) -> Result<Model> {
    let contract = tx.find_current::<Entity>(id, input.expected_version).await?;
    must_be_draft(&contract)?;
    let items = merge(
        tx,
        &contract,
        input.items.as_deref().unwrap_or_default(),
        Completeness::Whole,
    )
    .await?;
    let service = tx
        .find::<service::Entity>("id", &contract.service_id.to_string())
        .await?;
    let (now, today) = (tx.now(), tx.today()?);
    let signed = tx
        .update::<Entity>(contract, |row| {
            row.items = items;
            row.status = Status::InForce;
            row.started_on = Some(today);
            row.signed_at = Some(now);
            row.revision += 1;
        })
        .await?;
    keep(tx, &signed, Cause::Signed, today, None).await?;
    service::put_to_use(tx, service).await?;
    Ok(signed)
}

/// `contractUpdate`: edits a contract in force. What changes nothing uses no day and never fails for the day.
///
/// # Errors
/// `CONTRACT_ALREADY_CHANGED_TODAY` with the time of the next edit, `CONTRACT_NOT_COMPLETED`, `CONTRACT_ENDED`,
/// `STALE_VERSION`, and whatever is wrong in its items.
pub async fn update(tx: &Tx, id: &str, input: &ContractUpdateInput) -> Result<Model> {
    let contract = tx.find::<Entity>("id", id).await?;
    match contract.status {
        Status::InForce => {}
        Status::Draft => return Err(Problem::at("id", Code::ContractNotCompleted).into()),
        Status::Ended => return Err(Problem::at("id", Code::ContractEnded).into()),
    }
    let mut problems = Vec::new();
    if contract.version != input.expected_version {
        problems.push(Problem::at("input.expectedVersion", Code::StaleVersion));
    }
    let items = merge(tx, &contract, &input.items, Completeness::Whole).await?;
    if let Some(until) = next_edit(&contract, tx.now(), tx.zone()?).filter(|_| items != contract.items) {
        problems.push(Problem::at("id", Code::ContractAlreadyChangedToday).until(until));
    }
    Error::unless_none(problems)?;
    if items == contract.items {
        return Ok(contract);
    }
    let today = tx.today()?;
    let spent_until = zone::day_end(today.0, tx.zone()?).map(Timestamp);
    let updated = tx
        .update::<Entity>(contract, |row| {
            row.items = items;
            row.edited_on = Some(today);
            row.edit_spent_until = spent_until;
            row.revision += 1;
        })
        .await?;
    keep(tx, &updated, Cause::Updated, today, Some(today)).await?;
    Ok(updated)
}

/// Sets a discount or free-trial days, at the operator's word. It uses no day.
///
/// # Errors
/// `OUT_OF_RANGE` for a percentage beyond 0 to 100 or days that end before they begin, `CONTRACT_ENDED`.
pub async fn discount(tx: &Tx, contract: Model, discount: Discount) -> Result<Model> {
    if contract.status == Status::Ended {
        return Err(Problem::at("id", Code::ContractEnded).into());
    }
    if discount.percent.is_some_and(|percent| !(0..=100).contains(&percent)) {
        return Err(Problem::at("input.percent", Code::OutOfRange)
            .with("min", 0)
            .with("max", 100)
            .into());
    }
    if discount.trial.is_some_and(|(from, to)| to < from) {
        return Err(Problem::at("input.trial", Code::Invalid)
            .with("rule", "from ≤ to")
            .into());
    }
    let is_signed = contract.status == Status::InForce;
    let before = contract.version;
    let updated = tx
        .update::<Entity>(contract, |row| {
            row.discount_percent = discount.percent.unwrap_or(row.discount_percent);
            if let Some((from, to)) = discount.trial {
                (row.trial_from, row.trial_to) = (Some(from), Some(to));
            }
            row.revision += i32::from(is_signed);
        })
        .await?;
    if is_signed && updated.version != before {
        keep(tx, &updated, Cause::Discounted, tx.today()?, None).await?;
    }
    Ok(updated)
}

/// Ends the contract with its service: today is the last day that counts.
///
/// # Errors
/// Only if the database fails.
pub async fn close(tx: &Tx, contract: Model) -> Result<Model> {
    let today = tx.today()?;
    let was_signed = contract.status == Status::InForce;
    let closed = tx
        .update::<Entity>(contract, |row| {
            row.status = Status::Ended;
            row.ended_on = was_signed.then_some(today);
            row.revision += i32::from(was_signed);
        })
        .await?;
    if was_signed {
        let after = today.0.succ_opt().map_or(today, Day);
        let ended = Model {
            items: Items(Vec::new()),
            ..closed.clone()
        };
        keep(tx, &ended, Cause::Ended, after, None).await?;
    }
    Ok(closed)
}

/// When the contract can be edited again, if it can't be now. A clock that goes back and a zone that changes give no
/// second edit: the day that was used must be over here, and where it was used.
pub fn next_edit(contract: &Model, now: Timestamp, zone: chrono_tz::Tz) -> Option<Timestamp> {
    let used = contract.edited_on?.0;
    let is_used = zone::date_at(now.0, zone) <= used;
    let here = is_used.then(|| zone::day_end(used, zone).map(Timestamp)).flatten();
    here.max(contract.edit_spent_until.filter(|until| now < *until))
}

fn must_be_draft(contract: &Model) -> Result<()> {
    match contract.status {
        Status::Draft => Ok(()),
        Status::InForce => Err(Problem::at("id", Code::ContractAlreadySigned).into()),
        Status::Ended => Err(Problem::at("id", Code::ContractEnded).into()),
    }
}

async fn keep(tx: &Tx, contract: &Model, cause: Cause, effective_on: Day, edited_on: Option<Day>) -> Result<()> {
    tx.create::<revision::Entity>(revision::Model {
        organization_id: contract.organization_id,
        contract_id: contract.id,
        service_id: contract.service_id,
        revision: contract.revision,
        cause,
        items: contract.items.clone(),
        discount_percent: contract.discount_percent,
        trial_from: contract.trial_from,
        trial_to: contract.trial_to,
        effective_on,
        edited_on,
        made_at: tx.now(),
        made_by: tx.actor().display_name(),
    })
    .await?;
    tx.about::<Entity>(contract);
    Ok(())
}

/// How much of a contract must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Completeness {
    /// What is missing may come later.
    Draft,
    /// Everything.
    Whole,
}

/// The contract's items with the changes asked for, checked.
///
/// # Errors
/// Everything that is wrong, at the place in `input.items`.
pub async fn merge(
    reader: &Reader,
    contract: &Model,
    asked: &[ContractItemInput],
    completeness: Completeness,
) -> Result<Items> {
    if asked.len() > 50 {
        return Err(Problem::at("input.items", Code::TooMany).with("max", 50).into());
    }
    let service = reader
        .find::<service::Entity>("id", &contract.service_id.to_string())
        .await?;
    let organization = reader
        .find::<organization::Entity>("id", &reader.organization_id().to_string())
        .await?;
    let mut items = contract.items.0.clone();
    let mut problems = Vec::new();
    for (place, wish) in asked.iter().enumerate() {
        if asked[..place].iter().any(|earlier| earlier.code == wish.code) {
            problems.push(Problem::at(&format!("input.items.{place}.code"), Code::Duplicate));
        }
        apply(&mut items, wish);
    }
    // What was off all along and stays off has not been decided on: naming it is no change.
    let says_nothing = |item: &Item| !item.is_on && item.user_count.is_none() && item.expected_volume.is_none();
    let is_known = |item: &Item| contract.items.0.iter().any(|known| known.code == item.code);
    items.retain(|item| !says_nothing(item) || is_known(item));
    items.sort_by_key(|item| item.code);
    let broken = check(service.kind, &organization, &items);
    let broken = broken
        .into_iter()
        .filter(|problem| completeness == Completeness::Whole || !may_come_later(problem.rule));
    problems.extend(broken.map(|problem| told(problem, asked)));
    Error::unless_none(problems)?;
    Ok(Items(items))
}

fn apply(items: &mut Vec<Item>, wish: &ContractItemInput) {
    let place = items.iter().position(|item| item.code == wish.code).unwrap_or_else(|| {
        items.push(Item {
            code: wish.code,
            is_on: false,
            user_count: None,
            expected_volume: None,
        });
        items.len() - 1
    });
    let item = &mut items[place];
    item.is_on = wish.is_on.unwrap_or(item.is_on);
    item.user_count = wish.user_count.or(item.user_count);
    item.expected_volume = wish.expected_volume.or(item.expected_volume);
}

fn check(kind: ServiceKind, organization: &Organization, items: &[Item]) -> Vec<ItemProblem> {
    let approvals: BTreeSet<_> = organization
        .is_security_approved
        .then_some(ItemCode::Security)
        .into_iter()
        .collect();
    let requests: Vec<_> = items
        .iter()
        .map(|item| ItemRequest {
            item: item.code,
            on: item.is_on,
            user_count: item.user_count.map(i64::from),
            expected_volume: item.expected_volume.map(i64::from),
        })
        .collect();
    item::check(kind, &approvals, &requests)
}

fn may_come_later(rule: ItemRule) -> bool {
    matches!(
        rule,
        ItemRule::Needs(_) | ItemRule::ApprovalNeeded | ItemRule::UsersMissing
    )
}

/// A broken rule as a person reads it, at the place in the list that was asked for.
fn told(problem: ItemProblem, asked: &[ContractItemInput]) -> Problem {
    let place = asked.iter().rposition(|wish| wish.code == problem.item);
    let path = |field: &str| {
        place.map_or_else(
            || "input.items".to_owned(),
            |place| format!("input.items.{place}.{field}"),
        )
    };
    let (field, code) = match problem.rule {
        ItemRule::AlwaysOn => ("isOn", Code::ContractItemFixed),
        ItemRule::Unavailable => ("code", Code::ContractItemNotAvailable),
        ItemRule::Needs(_) => ("isOn", Code::ContractItemDependency),
        ItemRule::ApprovalNeeded => ("isOn", Code::ContractItemNeedsApproval),
        ItemRule::UsersMissing | ItemRule::UsersOutOfRange => ("userCount", Code::UserCountRequired),
        ItemRule::UsersNotCounted => ("userCount", Code::UserCountNotAllowed),
        ItemRule::VolumeOutOfRange => ("expectedVolume", Code::OutOfRange),
        ItemRule::ListedTwice => ("code", Code::Duplicate),
    };
    let told = Problem::at(&path(field), code)
        .with_label("item", problem.item.label_ko(), problem.item.label_en())
        .with("min", 0)
        .with("max", item::MAXIMUM_VOLUME);
    match problem.rule {
        ItemRule::Needs(other) => told.with_label("other", other.label_ko(), other.label_en()),
        _ => told,
    }
}
