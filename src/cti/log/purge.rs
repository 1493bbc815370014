//! The end of a log: its days go when they have been kept for as long as the installation keeps them. The first event of
//! a day asks for the job that ends it. A row of `cti_log_purge` says from which day on the log is kept; the triggers of
//! the journals let nothing go but what lies before it, and the deed stands in the audit log.

use chrono::{Days, NaiveTime};
use chrono_tz::Tz;
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*};
use serde::Serialize;

use super::{call, day, event};
use crate::{
    kernel::{
        Action, App, Caller, Day, Error, Job, OrganizationId, Outcome, Plain, Reader, Result, Timestamp, Tx,
        outbox::{self, Fate},
        record::part,
        zone,
    },
    organization,
};

/// The job's kind. Its argument is the day.
pub const KIND: &str = "cti-log-purge";

/// How many members' days go in one deed, so that no deed holds the organization's turn for long.
const AT_ONCE: u64 = 25;

/// From which day on the log is kept.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "cti_log_purge")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub keeps_from: Day,
    pub purged_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "CTI log purge", key: |row| row.keeps_from.0.to_string() }

/// Whether there is more to purge.
struct Purged {
    is_all: bool,
}

impl Outcome for Purged {
    type Receipt = bool;

    fn receipt(&self) -> bool {
        self.is_all
    }

    async fn again(_: &Tx, is_all: bool) -> Result<Self> {
        Ok(Self { is_all })
    }
}

/// The job that ends the log of a day: due at 02:00 in the organization's zone, once the day has been kept long enough.
///
/// # Errors
/// Only beyond the last day there is.
pub(super) fn job(app: &App, day: Day, zone: Tz) -> Result<Job> {
    let at_two = NaiveTime::from_hms_opt(2, 0, 0).unwrap_or_default();
    let last = day
        .0
        .checked_add_days(Days::new(u64::from(app.settings.cti_log_days) + 1));
    let due_at = last
        .and_then(|last| zone::instant_of(last, at_two, zone))
        .map(Timestamp)
        .ok_or_else(|| Error::internal("a day without an end"))?;
    Ok(Job {
        kind: KIND,
        argument: day.0.to_string(),
        due_at,
    })
}

/// Does the job, and whatever else of the log is over: if the installation keeps days for a shorter time than when the
/// job was asked for, the jobs of those days come too late.
///
/// # Errors
/// Only if the database fails.
pub async fn run(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let done = attempt(&caller, job).await;
    caller.release().await;
    done
}

async fn attempt(caller: &Caller, job: &outbox::Model) -> Result<Fate> {
    let day = Day(job.argument.parse().map_err(|_| Error::internal("no day to purge"))?);
    let view = caller.view(Action::CtiLogPurge).await?;
    let zone: Tz = organization::own(&view)
        .await?
        .time_zone
        .parse()
        .map_err(Error::internal)?;
    let keeps_from = keeps_from(caller, zone)?;
    if day >= keeps_from {
        return Ok(Fate::Later(self::job(caller.app(), day, zone)?.due_at));
    }
    let is_all = over(&view, keeps_from).await?.is_empty() && !call::is_any_before(&view, keeps_from).await?;
    drop(view);
    if is_all {
        return Ok(Fate::Done);
    }
    let deed = async |tx: &_| purge(tx, keeps_from).await;
    let purged = caller.act(Action::CtiLogPurge, &Plain, deed).await?;
    Ok(if purged.is_all {
        Fate::Done
    } else {
        Fate::Later(caller.now())
    })
}

fn keeps_from(caller: &Caller, zone: Tz) -> Result<Day> {
    let days = Days::new(caller.app().settings.cti_log_days.into());
    let first = zone::date_at(caller.now().0, zone).checked_sub_days(days);
    first
        .map(Day)
        .ok_or_else(|| Error::internal("a day without a beginning"))
}

/// Days of members that are over, the oldest first: some of them.
async fn over(reader: &Reader, keeps_from: Day) -> Result<Vec<day::Model>> {
    let days = reader.select::<day::Entity>().filter(day::Column::Day.lt(keeps_from));
    let days = days.order_by_asc(day::Column::Day).order_by_asc(day::Column::MemberId);
    QuerySelect::limit(days, Some(AT_ONCE + 1)).all().await
}

/// Has the oldest days go.
async fn purge(tx: &Tx, keeps_from: Day) -> Result<Purged> {
    let mut days = over(tx, keeps_from).await?;
    let mark = tx
        .select::<Entity>()
        .filter(Column::KeepsFrom.eq(keeps_from))
        .one()
        .await?;
    let mark = match mark {
        Some(mark) => mark,
        None => {
            let mark = Model {
                organization_id: tx.organization_id(),
                keeps_from,
                purged_at: tx.now(),
            };
            tx.create::<Entity>(mark).await?
        }
    };
    tx.about::<Entity>(&mark);
    tx.purge::<call::Entity>(Condition::all().add(call::Column::Day.lt(keeps_from)))
        .await?;
    let Some(oldest) = days.first().map(|row| row.day) else {
        return Ok(Purged { is_all: true });
    };
    let many = days.len();
    days.truncate(AT_ONCE.try_into().unwrap_or(usize::MAX));
    days.retain(|row| row.day == oldest);
    let members: Vec<_> = days.iter().map(|row| row.member_id).collect();
    let of_events = Condition::all()
        .add(event::Column::Day.eq(oldest))
        .add(event::Column::MemberId.is_in(members.clone()));
    tx.purge::<event::Entity>(of_events).await?;
    let of_days = Condition::all()
        .add(day::Column::Day.eq(oldest))
        .add(day::Column::MemberId.is_in(members));
    tx.purge::<day::Entity>(of_days).await?;
    Ok(Purged {
        is_all: days.len() == many,
    })
}
