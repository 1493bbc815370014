//! The figures of a period: what was done how often, by whom, and what stands out. The same entries make the same
//! figures, to the last byte, so that their hash says which ones were signed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use async_graphql::SimpleObject;
use chrono::{Datelike, Days, Duration, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use sea_orm::{
    ActiveEnum, ColumnTrait, DbBackend, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Func},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fetched::{Fetched, fetched};
use crate::{
    kernel::{
        Action, App, AuditLog, Day, PiiGrantId, Reader, Result, Timestamp,
        audit::{ActorKind, Column, Entity, Outcome},
        zone,
    },
    member, pii,
};

/// The longest period, in days.
const LONGEST: i64 = 92;
/// Hours of work: from eight in the morning to eight in the evening, Monday to Friday.
const HOURS: std::ops::Range<u32> = 8..20;
/// Whoever sees personal data of so many things in clear on one day has read in masses.
const MASS: i64 = 100;
/// A grant that was not used for so long is one that nobody needs.
const UNUSED: Duration = Duration::days(90);
/// Most rows of one list.
const MOST: usize = 200;
/// Most grants that are looked at.
const MOST_GRANTS: u64 = 1_000;

/// Days in a zone.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    days: (Day, Day),
    from: Timestamp,
    to: Timestamp,
    zone: Tz,
}

impl Period {
    /// From a day to another, at most 92; `None` where that is no period.
    pub fn of(first: Day, last: Day, zone: Tz) -> Option<Self> {
        let length = (last.0 - first.0).num_days();
        let next = last.0.checked_add_days(Days::new(1))?;
        (0..LONGEST).contains(&length).then_some(Self {
            days: (first, last),
            from: Timestamp(zone::first_instant(first.0, zone)?),
            to: Timestamp(zone::first_instant(next, zone)?),
            zone,
        })
    }
}

/// How often something was done, refused or tried in vain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, SimpleObject, FromQueryResult)]
pub struct AuditKindCount {
    /// In which log.
    pub log: String,
    /// What: the name of a permission.
    pub action: String,
    /// How it ended.
    pub outcome: String,
    /// How often.
    pub count: i64,
}

/// Whose entries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, SimpleObject)]
pub struct AuditReviewActor {
    /// What kind of actor it was, as `AuditActorKind` has them.
    pub kind: String,
    /// The ID of the member or key; null for others.
    pub reference: Option<String>,
    /// The name as it was last in the period.
    pub name: String,
}

/// What somebody did in the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
pub struct AuditActorCount {
    /// Who.
    pub actor: AuditReviewActor,
    /// How many entries.
    pub count: i64,
    /// 업무시간 외: how many of them at the weekend, before eight in the morning or after eight in the evening, in the organization's zone; 0 for all but members.
    pub off_hours_count: i64,
    /// How many were refused.
    pub denied_count: i64,
    /// How many were tried in vain.
    pub failed_count: i64,
    /// 비식별 해제 조회: the personal data of how many things were seen in clear, the rows of files included, each time that one was fetched.
    pub unmasked_count: i64,
}

/// 대량 조회: a day on which somebody saw the personal data of 100 things or more in clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
pub struct AuditMassRead {
    /// Who.
    pub actor: AuditReviewActor,
    /// On which day.
    pub day: Day,
    /// Of how many things.
    pub count: i64,
}

/// 미사용 권한: a grant to see personal data in clear that held at the end of the period, and had not been used for 90 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
pub struct AuditUnusedGrant {
    /// The grant's ID, good for `node`.
    pub reference: String,
    /// Its holder's name.
    pub holder_name: String,
    /// Since when it holds.
    pub granted_at: Timestamp,
}

/// The figures of the logs in a period, and what stands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
pub struct AuditFigures {
    /// The first day, in the organization's zone.
    pub first_day: Day,
    /// The last day.
    pub last_day: Day,
    /// How many entries there are.
    pub entry_count: i64,
    /// By kind, the most frequent first, at most 200.
    pub kinds: Vec<AuditKindCount>,
    /// By actor, the busiest first, at most 200.
    pub actors: Vec<AuditActorCount>,
    /// 업무시간 외: those of the actors with entries out of hours, most of them first, at most 200.
    pub off_hours: Vec<AuditActorCount>,
    /// 거부된 시도: those with refused attempts, most of them first, at most 200.
    pub refused: Vec<AuditActorCount>,
    /// 비식별 해제 조회: those who saw personal data in clear, most of them first, at most 200.
    pub unmasked: Vec<AuditActorCount>,
    /// 대량 조회: days of mass reading, the largest first, at most 200.
    pub mass_reads: Vec<AuditMassRead>,
    /// 미사용 권한: grants that nobody uses, the oldest first, at most 200.
    pub unused_grants: Vec<AuditUnusedGrant>,
    /// SHA-256 of all of this, in hexadecimal: to be given to `auditReviewSign`.
    #[serde(default)]
    pub hash: String,
}

/// The entries of one actor in a quarter of an hour.
#[derive(Debug, FromQueryResult)]
struct Quarter {
    actor_kind: ActorKind,
    actor_id: Option<String>,
    actor_name: String,
    quarter: i64,
    count: i64,
    denied: i64,
    failed: i64,
    unmasked: i64,
}

/// Makes the figures of a period.
///
/// # Errors
/// Only if the database fails.
pub async fn figures(reader: &Reader, app: &App, period: Period) -> Result<AuditFigures> {
    let kinds = kinds(reader, period).await?;
    let quarters = quarters(reader, app.database.backend(), period).await?;
    let fetched = fetched(reader, period.from, period.to).await?;
    let (actors, mass_reads) = by_actor(&quarters, &fetched, period.zone);
    let standing_out = |count: fn(&AuditActorCount) -> i64| {
        let mut those: Vec<_> = actors.iter().filter(|actor| count(actor) > 0).cloned().collect();
        those.sort_by_key(|actor| std::cmp::Reverse(count(actor)));
        those.truncate(MOST);
        those
    };
    let mut figures = AuditFigures {
        first_day: period.days.0,
        last_day: period.days.1,
        entry_count: kinds.iter().map(|kind| kind.count).sum(),
        off_hours: standing_out(|actor| actor.off_hours_count),
        refused: standing_out(|actor| actor.denied_count),
        unmasked: standing_out(|actor| actor.unmasked_count),
        unused_grants: unused_grants(reader, period).await?,
        kinds,
        actors,
        mass_reads,
        hash: String::new(),
    };
    figures.kinds.truncate(MOST);
    figures.actors.truncate(MOST);
    let told = (reader.organization_id().to_string(), &figures);
    let hash = Sha256::digest(serde_json::to_vec(&told)?);
    figures.hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(figures)
}

async fn kinds(reader: &Reader, period: Period) -> Result<Vec<AuditKindCount>> {
    let rows = within(reader, period)
        .select_only()
        .columns([Column::Log, Column::Action, Column::Outcome])
        .column_as(Column::Sequence.count(), "count")
        .group_by(Column::Log)
        .group_by(Column::Action)
        .group_by(Column::Outcome);
    let mut rows: Vec<AuditKindCount> = rows.rows().await?;
    rows.sort_by(|a, b| {
        let name = |kind: &AuditKindCount| (kind.action.clone(), kind.outcome.clone(), kind.log.clone());
        b.count.cmp(&a.count).then_with(|| name(a).cmp(&name(b)))
    });
    Ok(rows)
}

/// The entries by actor and quarter of an hour: every zone's days and hours begin with one.
async fn quarters(reader: &Reader, backend: DbBackend, period: Period) -> Result<Vec<Quarter>> {
    let (quarter, unmasked) = if backend == DbBackend::Postgres {
        (
            "CAST(floor(extract(epoch FROM occurred_at) / 900) AS bigint)",
            "CAST(sum(CASE WHEN action = 'TICKET_REVEAL' THEN json_array_length(CAST(subjects AS json)) ELSE 0 END) AS bigint)",
        )
    } else {
        (
            "CAST(strftime('%s', occurred_at) AS INTEGER) / 900",
            "sum(CASE WHEN action = 'TICKET_REVEAL' THEN json_array_length(subjects) ELSE 0 END)",
        )
    };
    let ended = |outcome: Outcome| {
        Expr::from(Func::count(
            Expr::case(Column::Outcome.eq(outcome), 1).finally(Option::<i32>::None),
        ))
    };
    let mut rows = within(reader, period)
        .select_only()
        .columns([Column::ActorKind, Column::ActorId, Column::ActorName])
        .column_as(Expr::cust(quarter), "quarter")
        .column_as(Column::Sequence.count(), "count")
        .column_as(ended(Outcome::Denied), "denied")
        .column_as(ended(Outcome::Failed), "failed")
        .column_as(Expr::cust(unmasked), "unmasked")
        .group_by(Column::ActorKind)
        .group_by(Column::ActorId)
        .group_by(Column::ActorName);
    QuerySelect::query(&mut rows).add_group_by([Expr::cust(quarter)]);
    let mut rows: Vec<Quarter> = rows.rows().await?;
    rows.sort_by(|a, b| (a.quarter, &a.actor_id, &a.actor_name).cmp(&(b.quarter, &b.actor_id, &b.actor_name)));
    Ok(rows)
}

/// The busiest first; and the days of mass reading, the largest first.
fn by_actor(quarters: &[Quarter], fetched: &[Fetched], zone: Tz) -> (Vec<AuditActorCount>, Vec<AuditMassRead>) {
    let mut actors = BTreeMap::<_, AuditActorCount>::new();
    let mut days = BTreeMap::<_, i64>::new();
    for quarter in quarters {
        let actor = AuditReviewActor {
            kind: quarter.actor_kind.to_value(),
            reference: quarter.actor_id.clone(),
            name: quarter.actor_name.clone(),
        };
        let key = match &actor.reference {
            Some(reference) => (actor.kind.clone(), reference.clone()),
            None => (actor.kind.clone(), actor.name.clone()),
        };
        let told = actors.entry(key.clone()).or_insert_with(|| AuditActorCount {
            actor: actor.clone(),
            count: 0,
            off_hours_count: 0,
            denied_count: 0,
            failed_count: 0,
            unmasked_count: 0,
        });
        // The quarters come in their order: the last name stays.
        told.actor = actor;
        told.count += quarter.count;
        told.denied_count += quarter.denied;
        told.failed_count += quarter.failed;
        told.unmasked_count += quarter.unmasked;
        let Some(at) = Utc.timestamp_opt(quarter.quarter * 900, 0).single() else {
            continue;
        };
        let local = at.with_timezone(&zone);
        let is_weekend = matches!(local.weekday(), Weekday::Sat | Weekday::Sun);
        if quarter.actor_kind == ActorKind::Member && (is_weekend || !HOURS.contains(&local.hour())) {
            told.off_hours_count += quarter.count;
        }
        *days.entry((key, local.date_naive())).or_default() += quarter.unmasked;
    }
    for file in fetched {
        let key = (file.actor_kind.to_value(), file.actor_id.clone().unwrap_or_default());
        if let Some(told) = actors.get_mut(&key) {
            told.unmasked_count += file.count();
            let day = zone::date_at(file.occurred_at.0, zone);
            *days.entry((key, day)).or_default() += file.count();
        }
    }
    let mut masses: Vec<_> = days
        .into_iter()
        .filter(|(_, count)| *count >= MASS)
        .filter_map(|((key, day), count)| {
            let actor = actors.get(&key)?.actor.clone();
            Some(AuditMassRead {
                actor,
                day: Day(day),
                count,
            })
        })
        .collect();
    masses.sort_by_key(|mass| std::cmp::Reverse(mass.count));
    masses.truncate(MOST);
    let mut actors: Vec<_> = actors.into_values().collect();
    actors.sort_by_key(|actor| std::cmp::Reverse(actor.count));
    (actors, masses)
}

/// Grants that were there at the end of the period and had been there for 90 days, and whose holders had seen nothing in
/// clear in that time.
async fn unused_grants(reader: &Reader, period: Period) -> Result<Vec<AuditUnusedGrant>> {
    use pii::Column as Grant;
    let since = Timestamp(period.to.0 - UNUSED);
    let held = reader
        .select::<pii::Entity>()
        .filter(Grant::GrantedAt.lt(since))
        .filter(Grant::ValidUntil.gte(period.to))
        .filter(Grant::EndedAt.is_null().or(Grant::EndedAt.gte(period.to)))
        .order_by_asc(Grant::GrantedAt)
        .order_by_asc(Grant::Id);
    let held = QuerySelect::limit(held, Some(MOST_GRANTS)).all().await?;
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let used = reader
        .select::<Entity>()
        .filter(Column::OccurredAt.gte(since))
        .filter(Column::OccurredAt.lt(period.to))
        .filter(Column::Log.eq(AuditLog::PiiGrant))
        .filter(Column::Action.eq(Action::TicketReveal.name()))
        .filter(Column::Outcome.eq(Outcome::Done))
        .select_only()
        .column(Column::ActorId)
        .distinct();
    let used: Vec<User> = used.rows().await?;
    let used: HashSet<String> = used.into_iter().filter_map(|user| user.actor_id).collect();
    let extracted = fetched(reader, since, period.to).await?;
    let extracted: HashSet<PiiGrantId> = extracted.into_iter().filter_map(|file| file.grant_id).collect();
    let mut unused: Vec<_> = held;
    unused.retain(|grant| !used.contains(&grant.member_id.to_string()) && !extracted.contains(&grant.id));
    unused.truncate(MOST);
    let holders: BTreeSet<String> = unused.iter().map(|grant| grant.member_id.to_string()).collect();
    let holders: Vec<&str> = holders.iter().map(String::as_str).collect();
    let holders = reader.seek_many::<member::Entity>(&holders).await?;
    let names: BTreeMap<_, _> = holders.into_iter().map(|holder| (holder.id, holder.name)).collect();
    let told = |grant: pii::Model| {
        let reference: PiiGrantId = grant.id;
        AuditUnusedGrant {
            reference: reference.to_string(),
            holder_name: names.get(&grant.member_id).cloned().unwrap_or_default(),
            granted_at: grant.granted_at,
        }
    };
    Ok(unused.into_iter().map(told).collect())
}

/// Somebody who saw something in clear.
#[derive(Debug, FromQueryResult)]
struct User {
    actor_id: Option<String>,
}

fn within(reader: &Reader, period: Period) -> crate::kernel::reader::Scoped<'_, Entity> {
    let rows = reader.select::<Entity>().filter(Column::OccurredAt.gte(period.from));
    rows.filter(Column::OccurredAt.lt(period.to))
}
