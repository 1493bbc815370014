//! What a server does for the logs by itself: anchors the ends of their chains every so often, and ends what has been
//! kept long enough once a day, at two in the night in Seoul. Several servers do each once, or the same twice. Neither
//! waits for the other, and a stop waits for neither: an anchor that hangs holds up nothing else.

use std::{pin::pin, time::Duration};

use chrono::{NaiveTime, TimeDelta};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use super::purge::purge_logs;
use crate::{
    audit::anchor,
    kernel::{App, Timestamp},
};

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(60);

/// Two in the night in Seoul, in UTC.
const AT: Option<NaiveTime> = NaiveTime::from_hms_opt(17, 0, 0);

/// Keeps the logs until `stop`. What is under way then is given up: each step is a transaction.
pub(super) async fn keep(app: App, stop: CancellationToken) {
    let both = async { tokio::join!(anchor_always(&app), purge_nightly(&app)) };
    stop.run_until_cancelled(both).await;
}

/// Anchors what a server did last, when nothing of it is at work any more.
pub(super) async fn end(app: &App) {
    match timeout(anchor::PATIENCE, anchor::write(app)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(?error, "the audit chains were not anchored"),
        Err(_) => tracing::error!("the audit chains were not anchored: the anchor hangs"),
    }
}

async fn anchor_always(app: &App) {
    let mut looks = looks();
    loop {
        looks.tick().await;
        let mut anchoring = pin!(anchor::write_if_due(app));
        // One that hangs is waited for: another would hang as well.
        let done = loop {
            match timeout(LOOK, &mut anchoring).await {
                Ok(done) => break done,
                Err(_) => tracing::error!("the audit chains are not anchored: the anchor hangs"),
            }
        };
        if let Err(error) = done {
            tracing::error!(?error, "the audit chains were not anchored");
        }
    }
}

async fn purge_nightly(app: &App) {
    let mut looks = looks();
    // What became due while no server ran is ended now.
    let mut next = app.clock.now();
    loop {
        looks.tick().await;
        let now = app.clock.now();
        if now >= next {
            next = night_after(now);
            if let Err(error) = purge_logs(app).await {
                tracing::error!(?error, "the logs were not purged");
            }
        }
    }
}

fn looks() -> Interval {
    let mut looks = interval_at(Instant::now() + LOOK, LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
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
