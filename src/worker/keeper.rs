//! What a server does for the logs by itself: anchors the ends of their chains every so often, and ends what has been
//! kept long enough once a day, at two in the night in Seoul. Several servers do each once, or the same twice.

use std::time::Duration;

use chrono::{NaiveTime, TimeDelta};
use tokio_util::sync::CancellationToken;

use crate::{
    audit,
    audit::anchor,
    extraction,
    kernel::{App, Result, Timestamp, security},
    organization,
};

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(60);

/// Two in the night in Seoul, in UTC.
const AT: Option<NaiveTime> = NaiveTime::from_hms_opt(17, 0, 0);

/// Keeps the logs until `stop`.
pub(super) async fn keep(app: App, stop: CancellationToken) {
    let begin = tokio::time::Instant::now() + LOOK;
    let mut interval = tokio::time::interval_at(begin, LOOK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // What became due while no server ran is ended now.
    let mut next = app.clock.now();
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        if let Err(error) = anchor::write_if_due(&app).await {
            tracing::error!(?error, "the audit chains were not anchored");
        }
        let now = app.clock.now();
        if now >= next {
            next = night_after(now);
            if let Err(error) = purge(&app).await {
                tracing::error!(?error, "the logs were not purged");
            }
        }
    }
}

/// Anchors what a server did last, when nothing of it is at work any more.
pub(super) async fn end(app: &App) {
    if let Err(error) = anchor::write(app).await {
        tracing::error!(?error, "the audit chains were not anchored");
    }
}

async fn purge(app: &App) -> Result<()> {
    if let Err(error) = security::purge(app).await {
        tracing::error!(
            ?error,
            "the log of attempts that belong to no organization was not purged"
        );
    }
    for organization in organization::all_organizations(app).await? {
        // What is wrong with one organization's logs keeps no other's.
        if let Err(error) = audit::purge(app, organization).await {
            tracing::error!(?error, %organization, "the logs of an organization were not purged");
        }
        if let Err(error) = extraction::purge(app, organization).await {
            tracing::error!(?error, %organization, "the log of extractions of an organization was not purged");
        }
    }
    Ok(())
}

/// The next night.
fn night_after(now: Timestamp) -> Timestamp {
    let tonight = now.0.date_naive().and_time(AT.unwrap_or_default()).and_utc();
    let day = TimeDelta::days(1);
    Timestamp(if tonight > now.0 { tonight } else { tonight + day })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l7_the_logs_are_purged_once_a_night() {
        let at = |text: &str| Timestamp(text.parse().unwrap());
        for (now, next) in [
            ("2026-11-10T01:00:00Z", "2026-11-10T17:00:00Z"),
            ("2026-11-10T16:59:59Z", "2026-11-10T17:00:00Z"),
            ("2026-11-10T17:00:00Z", "2026-11-11T17:00:00Z"),
            ("2028-02-28T23:00:00Z", "2028-02-29T17:00:00Z"),
        ] {
            assert_eq!(night_after(at(now)), at(next), "{now}");
        }
    }
}
