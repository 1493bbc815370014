//! Whoever has the key and the database can seal a record of removed entries. What the anchor knows says which entries can
//! have been removed by then: such a record hides none that is younger, and none that was removed in its time is missed.

use chrono::Duration;
use orgdesk::{
    kernel::{AuditLog, config::AnchorPlace},
    operate,
};
use serde_json::json;

use crate::{
    audit::{breaks, rename},
    both,
    support::{
        anchor::{anchored, command, keeping, printed},
        app::TestApp,
        make,
    },
};

/// A name each day, the ends of the chains anchored after each, and before the first.
async fn six_days(app: &TestApp) {
    operate::anchor_audit(&app.app).await.unwrap();
    for step in 0..6 {
        app.wait(Duration::days(1));
        let token = app.owner().token().await;
        rename(app, &token, 1 + step, &format!("Acme {step}")).await;
        operate::anchor_audit(&app.app).await.unwrap();
    }
}

/// Seals and removes what was over at an instant, as the service itself would that had no anchor and another clock: with
/// the right key, and as a whole chain.
async fn forge(app: &TestApp, at: &str, now: &str) {
    let forger = keeping(app.second_server().await, |logs| logs.anchor = AnchorPlace::Off);
    app.go_to(at);
    assert!(operate::purge_audit(&forger.app).await.unwrap() > 0);
    app.go_to(now);
}

/// What the query, the command and the anchoring itself say of it.
async fn is_told(app: &TestApp, file: &std::path::Path, place: i64) {
    assert!(
        breaks(app).await.contains(&format!("MANAGEMENT {place}")),
        "{:?}",
        breaks(app).await
    );
    let query = "{ auditVerification { log brokenPosition brokenCause isAnchorWhole } }";
    let seen = app.owner().data(query, json!({})).await["auditVerification"][1].clone();
    assert_eq!(
        seen,
        json!({ "log": "MANAGEMENT", "brokenPosition": place, "brokenCause": "REPLACED", "isAnchorWhole": true })
    );
    let output = command(app, file, &["verify"]);
    let line = format!(
        "MANAGEMENT BROKEN at entry {place}: it is not the one that was anchored, or was removed before its time"
    );
    let printed = printed(&output);
    // The command has the real clock, before whose time no block is believed to be.
    let is_told = printed.contains(&line) || printed.contains("anchor AHEAD");
    assert!(!output.status.success() && is_told, "{printed}");
}

both! {
    async fn l3_a_sealed_record_that_ends_before_the_anchored_place_hides_nothing(app) {
        let (app, file) = anchored(app);
        six_days(&app).await;
        forge(&app, "2029-11-14T15:00:00Z", "2026-11-17T01:00:00Z").await;
        is_told(&app, &file, 1).await;
    }

    async fn l3_a_sealed_record_that_ends_at_the_anchored_place_hides_nothing(app) {
        let (app, file) = anchored(app);
        six_days(&app).await;
        forge(&app, "2040-01-01T00:00:00Z", "2026-11-17T01:00:00Z").await;
        is_told(&app, &file, 1).await;
        let held_back = operate::anchor_audit(&app.app).await.unwrap().held_back;
        assert!(held_back.iter().any(|(_, log)| *log == AuditLog::Management), "the anchor goes on showing it");
        is_told(&app, &file, 1).await;
    }

    async fn l3_a_sealed_record_over_the_anchored_place_hides_nothing(app) {
        let (app, file) = anchored(app);
        six_days(&app).await;
        let token = app.owner().token().await;
        rename(&app, &token, 7, "Acme 7").await;
        forge(&app, "2040-01-01T00:00:00Z", "2026-11-17T01:00:00Z").await;
        is_told(&app, &file, 1).await;
        let held_back = operate::anchor_audit(&app.app).await.unwrap().held_back;
        assert!(held_back.iter().any(|(_, log)| *log == AuditLog::Management));
        // What is older than any floor may be gone: the same chain, three years later.
        app.go_to("2030-01-01T00:00:00Z");
        assert!(!breaks(&app).await.iter().any(|place| place.starts_with("MANAGEMENT")), "{:?}", breaks(&app).await);
    }

    async fn l3_a_sealed_record_behind_what_was_removed_in_time_hides_nothing(app) {
        let (app, file) = anchored(app);
        six_days(&app).await;
        app.go_to("2028-06-01T01:00:00Z");
        operate::anchor_audit(&app.app).await.unwrap();
        for step in 6..9 {
            let token = app.owner().token().await;
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
            operate::anchor_audit(&app.app).await.unwrap();
        }
        app.go_to("2029-12-01T00:00:00Z");
        operate::purge_audit(&app.app).await.unwrap();
        assert_eq!(breaks(&app).await, Vec::<String>::new(), "six names went in their time");
        forge(&app, "2040-01-01T00:00:00Z", "2029-12-01T00:00:00Z").await;
        is_told(&app, &file, 7).await;
    }

    async fn l7_an_anchor_that_came_late_or_is_old_or_new_raises_no_alarm(app) {
        for step in 0..6 {
            app.wait(Duration::days(1));
            let token = app.owner().token().await;
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
        }
        // Switched on when half of the time is over; a copy is kept of its first days.
        app.go_to("2029-11-01T00:00:00Z");
        let (app, file) = anchored(app);
        operate::anchor_audit(&app.app).await.unwrap();
        let token = app.owner().token().await;
        rename(&app, &token, 7, "Acme 7").await;
        app.wait(Duration::hours(1));
        operate::anchor_audit(&app.app).await.unwrap();
        let copy = app.data().join("copy.jsonl");
        std::fs::copy(&file, &copy).unwrap();
        let holds = async |app: &TestApp| {
            assert_eq!(breaks(app).await, Vec::<String>::new());
            let found = operate::verify_audit_against(&app.app, Some(&copy)).await.unwrap();
            let mut reports = found.organizations.iter().flat_map(|(_, reports)| reports);
            assert!(reports.all(|report| report.broken.is_none()), "against the copy: {found:?}");
        };
        let gone = async |app: &TestApp, at: &str| {
            app.go_to(at);
            let gone = operate::purge_audit(&app.app).await.unwrap();
            assert!(gone > 0, "{at}");
            assert_eq!(operate::anchor_audit(&app.app).await.unwrap().held_back, [], "{at}");
            holds(app).await;
        };
        gone(&app, "2029-11-13T15:00:00Z").await;
        gone(&app, "2029-11-20T00:00:00Z").await;
        // All that the copy knows is over; what is new began behind it.
        app.go_to("2032-10-01T00:00:00Z");
        make::in_use(app.owner(), "desk", 3).await;
        operate::anchor_audit(&app.app).await.unwrap();
        gone(&app, "2032-11-02T00:00:00Z").await;
        // To a new place, as after a backup that was restored; and the old one is evidence still.
        let place = AnchorPlace::File(app.data().join("other.jsonl"));
        let app = keeping(app, |logs| logs.anchor = place);
        operate::anchor_audit(&app.app).await.unwrap();
        gone(&app, "2032-11-15T00:00:00Z").await;
        gone(&app, "2036-01-01T00:00:00Z").await;
    }

    async fn l7_logs_that_are_kept_for_longer_from_now_on_raise_no_alarm(app) {
        let (app, _) = anchored(app);
        six_days(&app).await;
        let app = keeping(app, |logs| logs.management_months = 24);
        app.go_to("2028-11-14T15:00:00Z");
        assert!(operate::purge_audit(&app.app).await.unwrap() > 0);
        assert_eq!(breaks(&app).await, Vec::<String>::new());
        let app = keeping(app, |logs| logs.management_months = 36);
        assert_eq!(breaks(&app).await, Vec::<String>::new());
        assert_eq!(operate::anchor_audit(&app.app).await.unwrap().held_back, []);
        app.wait(Duration::days(60));
        operate::anchor_audit(&app.app).await.unwrap();
        assert_eq!(breaks(&app).await, Vec::<String>::new());
    }
}
