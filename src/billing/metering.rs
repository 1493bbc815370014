//! `usageRecord`: usage as it is measured elsewhere, entry by entry. An entry that comes again is counted once; one
//! that comes after its month was closed is charged as a correction in the month that is open.

use async_graphql::InputObject;
use sea_orm::{ColumnTrait, Condition, QueryFilter, sea_query::ExprTrait as _};
use serde::Serialize;

use super::{
    ledger, month,
    usage::{Column, Entity, LATEST, Model},
};
use crate::{
    contract::{self, Contract, Revision, item::Meter},
    kernel::{Code, Day, Error, Month, Outcome, Problem, Result, ServiceId, Timestamp, Tx, payload::asks, zone},
    service,
};

/// One piece of usage.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct UsageEntryInput {
    /// The service that was used.
    #[graphql(name = "serviceId")]
    pub service: async_graphql::ID,
    /// What was counted.
    pub meter: Meter,
    /// The name that whoever measured it gave this entry, 1 to 100 visible ASCII characters: unique for service and meter, so that the entry counts once however often it comes.
    #[graphql(name = "externalId")]
    pub external: String,
    /// How much: tickets, chats or seconds, 1 to 1,000,000,000.
    pub quantity: i32,
    /// When: not in the future, and no earlier than in the third month before this one.
    pub occurred_at: Timestamp,
}

/// Usage to record.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct UsageRecordInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters. Entries are safe to repeat also without.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The entries, 1 to 100: all are recorded, or none.
    pub entries: Vec<UsageEntryInput>,
}

asks!(UsageRecordInput);

/// What was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// How many entries were new.
    pub accepted: i32,
    /// How many were known.
    pub repeated: i32,
}

impl Outcome for Recorded {
    type Receipt = (i32, i32);

    fn receipt(&self) -> (i32, i32) {
        (self.accepted, self.repeated)
    }

    async fn again(_: &Tx, (accepted, repeated): (i32, i32)) -> Result<Self> {
        Ok(Self { accepted, repeated })
    }
}

/// Records the entries that are new.
///
/// # Errors
/// For each entry, at its place: `NOT_FOUND`, `OUT_OF_RANGE`, `INVALID`, `USAGE_IN_FUTURE`, `USAGE_TOO_OLD`,
/// `USAGE_NOT_CONTRACTED`, `USAGE_CONFLICT`.
pub async fn record(tx: &Tx, input: &UsageRecordInput) -> Result<Recorded> {
    match input.entries.len() {
        0 => return Err(Problem::at("input.entries", Code::Blank).into()),
        1..=100 => {}
        _ => return Err(Problem::at("input.entries", Code::TooMany).with("max", 100).into()),
    }
    let zone = tx.zone()?;
    let today = tx.today()?;
    let this_month = Month::of(today.0).ok_or_else(|| Error::internal("no such month"))?;
    let last_closed = month::last_closed(tx).await?;
    let mut problems = Vec::new();
    let mut rows: Vec<Model> = Vec::new();
    let mut contracts = Contracts::default();
    for (place, entry) in input.entries.iter().enumerate() {
        let path = |field: &str| format!("input.entries.{place}.{field}");
        let found = problems.len();
        if !(1..=1_000_000_000).contains(&entry.quantity) {
            problems.push(
                Problem::at(&path("quantity"), Code::OutOfRange)
                    .with("min", 1)
                    .with("max", 1_000_000_000),
            );
        }
        let visible = entry.external.bytes().all(|byte| byte.is_ascii_graphic());
        if !(1..=100).contains(&entry.external.len()) || !visible {
            problems.push(Problem::at(&path("externalId"), Code::Invalid).with("rule", "1–100 ASCII"));
        }
        let day = zone::date_at(entry.occurred_at.0, zone);
        let used = Month::of(day).unwrap_or(Month::FIRST);
        if entry.occurred_at > tx.now() {
            problems.push(Problem::at(&path("occurredAt"), Code::UsageInFuture));
        } else if used.index() < this_month.index() - LATEST {
            problems.push(Problem::at(&path("occurredAt"), Code::UsageTooOld).with("max", LATEST));
        } else {
            match contracts.of(tx, &entry.service).await? {
                None => problems.push(Problem::at(&path("serviceId"), Code::NotFound)),
                Some((_, revisions)) if !covers(revisions, used, day, entry.meter) => {
                    problems.push(Problem::at(&path("meter"), Code::UsageNotContracted));
                }
                Some((contract, _)) if problems.len() == found => {
                    rows.push(row(tx, entry, contract.service_id, day, used, last_closed));
                }
                Some(_) => {}
            }
        }
    }
    Error::unless_none(problems)?;
    write(tx, rows).await
}

async fn write(tx: &Tx, rows: Vec<Model>) -> Result<Recorded> {
    let total = rows.len();
    let same = rows.iter().fold(Condition::any(), |any, row| {
        any.add(
            Column::ServiceId
                .eq(row.service_id)
                .and(Column::Meter.eq(row.meter))
                .and(Column::ExternalId.eq(row.external_id.clone())),
        )
    });
    let mut known = tx.select::<Entity>().filter(same).all().await?;
    let mut new: Vec<Model> = Vec::new();
    let mut problems = Vec::new();
    for (place, row) in rows.into_iter().enumerate() {
        let is_same = |other: &&Model| {
            (other.service_id, other.meter, &other.external_id) == (row.service_id, row.meter, &row.external_id)
        };
        match known.iter().find(is_same) {
            None => {
                known.push(row.clone());
                new.push(row);
            }
            Some(earlier) if (earlier.quantity, earlier.occurred_on) == (row.quantity, row.occurred_on) => {}
            Some(_) => problems.push(Problem::at(&format!("input.entries.{place}"), Code::UsageConflict)),
        }
    }
    Error::unless_none(problems)?;
    let accepted = new.len();
    tx.create_many::<Entity>(new).await?;
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    Ok(Recorded {
        accepted: count(accepted),
        repeated: count(total - accepted),
    })
}

fn row(
    tx: &Tx,
    entry: &UsageEntryInput,
    service_id: ServiceId,
    day: chrono::NaiveDate,
    used: Month,
    last_closed: Option<Month>,
) -> Model {
    let open = last_closed.filter(|closed| *closed >= used).and_then(Month::next);
    Model {
        organization_id: tx.organization_id(),
        service_id,
        meter: entry.meter,
        external_id: entry.external.clone(),
        quantity: entry.quantity.into(),
        occurred_on: Day(day),
        month: used,
        charge_month: open.unwrap_or(used),
        recorded_at: tx.now(),
    }
}

/// Whether the meter's item was on, on that day.
fn covers(revisions: &[Revision], month: Month, day: chrono::NaiveDate, meter: Meter) -> bool {
    let known: Vec<_> = revisions
        .iter()
        .filter(|row| row.effective_on.0 <= day)
        .cloned()
        .collect();
    let spans = ledger::spans(month, &known, day);
    spans
        .iter()
        .any(|span| span.days.from <= day && day <= span.days.to && span.items.contains_key(&meter.item()))
}

/// The contracts that a request has asked for so far.
#[derive(Default)]
struct Contracts(Vec<(String, Option<Known>)>);

/// A contract with its versions.
type Known = (Contract, Vec<Revision>);

impl Contracts {
    async fn of(&mut self, tx: &Tx, service: &str) -> Result<Option<&Known>> {
        if !self.0.iter().any(|(id, _)| id == service) {
            let found = match tx.seek::<service::Entity>(service).await? {
                Some(row) => {
                    let contract = contract::of_service(tx, &row).await?;
                    let revisions = contract::revisions_of(tx, &[contract.service_id], tx.today()?).await?;
                    Some((contract, revisions))
                }
                None => None,
            };
            self.0.push((service.to_owned(), found));
        }
        Ok(self
            .0
            .iter()
            .find(|(id, _)| id == service)
            .and_then(|(_, found)| found.as_ref()))
    }
}
