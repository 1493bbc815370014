//! 아웃바운드 티켓 자동 생성: which calls agents began and which of them were answered, whether the log of telephones is on or
//! off, since tickets are made of calls. What makes a call a ticket is decided as the events come; the ticket itself is
//! made by a job of the area of tickets, which commits with the events.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, entity::prelude::*};
use serde::Serialize;

use super::event::{self, Kind};
use crate::kernel::{Day, Job, Journal, JournalPen, MemberId, OrganizationId, Reader, Result, Timestamp, record::part};

/// The kind of the job that makes a ticket of a call. Its argument is the telephone system's name for the call.
pub const OUTBOUND: &str = "ticket-from-call";

/// That a call was begun by an agent, or answered.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "cti_call")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The telephone system's name for the call.
    #[sea_orm(primary_key, auto_increment = false)]
    pub call_reference: String,
    /// `CallDialed` or `CallConnected`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: Kind,
    /// Whose telephone told.
    pub member_id: MemberId,
    /// The day, in the organization's zone.
    pub day: Day,
    /// When.
    pub occurred_at: Timestamp,
    /// Masked: the whole number is never kept.
    pub customer_number: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "CTI call", key: |row| format!("{}/{:?}", row.call_reference, row.kind) }

impl Journal for Entity {}

/// Notes the calls of these events, and asks for the tickets that they make: `makes_all` says that each call that an agent
/// began is one, otherwise only those that were answered. Two statements where there are such events; `None` where there
/// are none.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn note(pen: &JournalPen, events: &[event::Model], makes_all: bool) -> Result<Option<Vec<Job>>> {
    let calls: Vec<Model> = events.iter().filter_map(call).collect();
    if calls.is_empty() {
        return Ok(None);
    }
    let names: BTreeSet<String> = calls.iter().map(|call| call.call_reference.clone()).collect();
    let mut once = BTreeSet::new();
    let first = calls
        .into_iter()
        .filter(|call| once.insert((call.call_reference.clone(), call.kind == Kind::CallDialed)));
    pen.add::<Entity>(first.collect()).await?;
    let known = of(pen, &names).await?;
    let is = |name: &str, kind| {
        known
            .iter()
            .any(|call| call.call_reference == name && call.kind == kind)
    };
    let makes_one = |name: &&String| is(name, Kind::CallDialed) && (makes_all || is(name, Kind::CallConnected));
    let job = |name: &String| Job {
        kind: OUTBOUND,
        argument: name.clone(),
        due_at: pen.now(),
    };
    Ok(Some(names.iter().filter(makes_one).map(job).collect()))
}

fn call(event: &event::Model) -> Option<Model> {
    let is_leg = matches!(event.kind, Kind::CallDialed | Kind::CallConnected);
    let reference = event.call_reference.clone().filter(|_| is_leg)?;
    Some(Model {
        organization_id: event.organization_id,
        call_reference: reference,
        kind: event.kind,
        member_id: event.member_id,
        day: event.day,
        occurred_at: event.occurred_at,
        customer_number: event.customer_number.clone(),
    })
}

async fn of(reader: &Reader, names: &BTreeSet<String>) -> Result<Vec<Model>> {
    let names = names.iter().map(String::as_str);
    let calls = reader.select::<Entity>().filter(Column::CallReference.is_in(names));
    calls.all().await
}

/// How an agent began a call; `None` for a call that nobody began, or of which nothing is known any more.
///
/// # Errors
/// Only if the database fails.
pub async fn dialed(reader: &Reader, name: &str) -> Result<Option<Model>> {
    let calls = reader.select::<Entity>().filter(Column::CallReference.eq(name));
    calls.filter(Column::Kind.eq(Kind::CallDialed)).one().await
}

/// Whether there are calls of days before this one.
pub(super) async fn is_any_before(reader: &Reader, day: Day) -> Result<bool> {
    let calls = reader.select::<Entity>().filter(Column::Day.lt(day)).limit(1);
    Ok(calls.one().await?.is_some())
}
