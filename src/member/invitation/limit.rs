//! How often letters may go: whoever can invite could else fill a stranger's mailbox, or have the service's own mail
//! refused as spam. Counted are an organization's own letters, so that nobody learns whom another one invites.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use super::{
    entity,
    mailing::{Column, Entity, Model},
};
use crate::kernel::{Batch, Code, Error, InvitationId, Problem, Reader, Result, Timestamp, Tx, View, zone};

/// How many letters go to one address in an hour.
const MOST_AN_HOUR: usize = 3;

/// How many letters an organization sends in a day of its zone.
const MOST_A_DAY: usize = 100;

/// How long an invitation waits before it goes to the same address again.
const PAUSE: Duration = Duration::minutes(10);

/// Why a letter may not go yet, and from when on it may.
pub(super) type TooSoon = (Code, Timestamp);

/// The letters of the last hour and of today, the newest first.
#[derive(Debug, Clone)]
pub(super) struct Letters {
    now: Timestamp,
    today: DateTime<Utc>,
    tomorrow: DateTime<Utc>,
    recent: Vec<(InvitationId, String, Timestamp)>,
}

impl Letters {
    /// As the deed sees them.
    ///
    /// # Errors
    /// Only if the database fails.
    pub(super) async fn of(tx: &Tx) -> Result<Self> {
        let mut letters = Self::none(tx.now(), tx.zone()?);
        letters.take(recent(tx, letters.since()).await?);
        Ok(letters)
    }

    /// As a view sees them, for all invitations of a page in one statement.
    ///
    /// # Errors
    /// Only if the database fails.
    pub(super) async fn seen(view: &View, now: Timestamp, zone: Tz) -> Result<Self> {
        let mut letters = Self::none(now, zone);
        let rows = view.loader.load_one(Since(letters.since())).await;
        letters.take(rows.map_err(Error::internal)?.unwrap_or_default());
        Ok(letters)
    }

    fn none(now: Timestamp, zone: Tz) -> Self {
        let day = zone::date_at(now.0, zone);
        let today = zone::first_instant(day, zone).unwrap_or(now.0);
        Self {
            now,
            today,
            tomorrow: zone::day_end(day, zone).unwrap_or(now.0),
            recent: Vec::new(),
        }
    }

    fn since(&self) -> Timestamp {
        Timestamp(self.today.min(self.now.0 - Duration::hours(1)))
    }

    fn take(&mut self, rows: Vec<Model>) {
        let rows = rows.into_iter();
        self.recent = rows
            .map(|row| (row.invitation_id, row.email.to_lowercase(), row.requested_at))
            .collect();
    }

    /// Counts a letter that is to go now.
    pub(super) fn count(&mut self, invitation: InvitationId, email: &str) {
        self.recent.insert(0, (invitation, email.to_lowercase(), self.now));
    }

    /// Why no letter may go today, whatever the address.
    pub(super) fn of_day(&self) -> Option<TooSoon> {
        let sent = self.recent.iter().filter(|(.., at)| at.0 >= self.today).count();
        (sent >= MOST_A_DAY).then_some((Code::MailLimitReached, Timestamp(self.tomorrow)))
    }

    /// Why no letter may go to an address.
    pub(super) fn too_many(&self, email: &str) -> Option<TooSoon> {
        let email = email.to_lowercase();
        let hour = Duration::hours(1);
        let same = self.recent.iter().filter(|(_, to, _)| *to == email);
        let of_hour = same.filter(|(.., at)| at.0 > self.now.0 - hour).nth(MOST_AN_HOUR - 1);
        of_hour
            .map(|(.., at)| (Code::MailLimitReached, Timestamp(at.0 + hour)))
            .or_else(|| self.of_day())
    }

    /// Why an invitation may not go to this address again.
    pub(super) fn too_soon(&self, invitation: &entity::Model, email: &str) -> Option<TooSoon> {
        let lower = email.to_lowercase();
        let mut same = self
            .recent
            .iter()
            .filter(|(id, to, _)| *id == invitation.id && *to == lower);
        let again = same.next().map(|(.., at)| at.0 + PAUSE).filter(|at| *at > self.now.0);
        again
            .map(|at| (Code::ResendTooSoon, Timestamp(at)))
            .or_else(|| self.too_many(email))
    }
}

/// The same, as a problem with an argument.
pub(super) fn problem(path: &str, (code, at): TooSoon) -> Problem {
    Problem::at(path, code).until(at)
}

async fn recent(reader: &Reader, since: Timestamp) -> Result<Vec<Model>> {
    let letters = reader.select::<Entity>().filter(Column::RequestedAt.gte(since));
    letters.order_by_desc(Column::RequestedAt).all().await
}

/// The question for the letters since an instant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Since(Timestamp);

impl Loader<Since> for Batch {
    type Value = Vec<Model>;
    type Error = String;

    async fn load(&self, keys: &[Since]) -> std::result::Result<HashMap<Since, Vec<Model>>, String> {
        let mut found = HashMap::new();
        for key in keys {
            let rows = recent(self, key.0).await;
            found.insert(*key, rows.map_err(|error| format!("{error:?}"))?);
        }
        Ok(found)
    }
}
