//! The end of what was sent to webhooks: messages that are over go after thirty days. The first one that is over on a day
//! asks for the job that ends that day's.

use chrono::{Days, Duration, NaiveTime};
use sea_orm::{ColumnTrait, Condition};

use super::delivery::{Column, Entity};
use crate::kernel::{
    Action, App, Caller, Day, Error, Job, Outcome, Plain, Result, Timestamp, Tx,
    outbox::{self, Fate},
};

/// The job's name. Its argument is the day, as it is in UTC.
pub const PURGE: &str = "webhook-purge";

/// How long a message can be seen and sent again once it is over.
const KEPT_FOR: Duration = Duration::days(30);

/// The job that ends the messages that are over on the day of this instant.
pub(super) fn job(now: Timestamp) -> Job {
    let day = Day(now.0.date_naive());
    Job {
        kind: PURGE,
        argument: day.0.to_string(),
        due_at: Timestamp(end(day) + KEPT_FOR),
    }
}

fn end(day: Day) -> chrono::DateTime<chrono::Utc> {
    let next = day.0.checked_add_days(Days::new(1)).unwrap_or(day.0);
    next.and_time(NaiveTime::MIN).and_utc()
}

/// Messages that went.
struct Purged;

impl Outcome for Purged {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self)
    }
}

/// Does the job.
///
/// # Errors
/// Only if the database fails.
pub async fn purge(app: &App, job: &outbox::Model) -> Result<Fate> {
    let day = Day(job.argument.parse().map_err(|_| Error::internal("no day to purge"))?);
    let caller = Caller::system(app.clone(), PURGE, job.organization_id);
    let deed = async |tx: &Tx| {
        let over = Condition::all().add(Column::FinishedAt.lt(Timestamp(end(day))));
        tx.delete_all::<Entity>(over).await?;
        Ok(Purged)
    };
    caller.act(Action::WebhookPurge, &Plain, deed).await?;
    Ok(Fate::Done)
}
