//! CTI Log, day by day: which day an event belongs to, and how long a day is kept.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        ledger::{move_to, texts},
        people,
        phone::{agent, monitored, outcomes, record, waiting},
        raw::Raw,
    },
};

const DAYS: &str =
    "SELECT external_id || ' ' || CAST(day AS text) || ' ' || CAST(utc_offset AS text) FROM cti_event ORDER BY 1";

const OWN: &str = "{ viewer { ctiLogDays { day openedAt } } }";

/// The days of whoever asks.
fn days(data: &Value) -> Vec<&str> {
    let days = data["viewer"]["ctiLogDays"].as_array().unwrap();
    days.iter().map(|day| day["day"].as_str().unwrap()).collect()
}

/// The days that the database has, of anybody.
async fn kept(app: &TestApp) -> Vec<String> {
    let days = texts(app, "SELECT CAST(day AS text) FROM cti_log_day ORDER BY day").await;
    let events = texts(app, "SELECT DISTINCT CAST(day AS text) FROM cti_event ORDER BY 1").await;
    let mut distinct = days.clone();
    distinct.dedup();
    assert_eq!(distinct, events, "a day and its events come and go together");
    days
}

/// One event on a day, at noon in Seoul.
async fn on(app: &TestApp, day: &str) {
    app.go_to(&format!("{day}T12:00:00+09:00"));
    let told = record(app.member(), &[waiting(day, &format!("{day}T11:59:00+09:00"))]).await;
    assert_eq!(outcomes(&told), "KEPT", "{day}");
}

both! {
    async fn t8_late_events_stand_in_the_log_of_their_own_day(app) {
        monitored(&app).await;
        // It is 10:00 on the 10th in Seoul.
        let events = [
            waiting("today", "2026-11-09T15:00:00Z"),
            waiting("yesterday", "2026-11-09T14:59:59.999Z"),
            waiting("last", "2026-11-03T01:00:00Z"),
        ];

        record(app.member(), &events).await;
        let own = app.member().data(OWN, json!({})).await;

        assert_eq!(texts(&app, DAYS).await, ["last 2026-11-03 32400", "today 2026-11-10 32400", "yesterday 2026-11-09 32400"]);
        assert_eq!(days(&own), ["2026-11-10", "2026-11-09", "2026-11-03"]);
        assert_eq!(own["viewer"]["ctiLogDays"][0]["openedAt"], "2026-11-10T01:00:00.000Z");
    }

    async fn t8_a_day_is_as_long_as_the_organizations_clocks_make_it(app) {
        monitored(&app).await;
        move_to(app.owner(), "America/New_York").await;
        // Clocks go from 02:00 EST to 03:00 EDT: 23 hours.
        app.go_to("2027-03-15T12:00:00-04:00");
        let spring = [
            waiting("a-first", "2027-03-14T00:00:00-05:00"),
            waiting("b-before", "2027-03-14T01:59:59-05:00"),
            waiting("c-after", "2027-03-14T03:00:00-04:00"),
            waiting("d-last", "2027-03-14T23:59:59-04:00"),
            waiting("e-next", "2027-03-15T00:00:00-04:00"),
        ];
        record(app.member(), &spring).await;
        // And back, at 02:00 EDT to 01:00 EST: 25 hours, and 01:30 twice.
        app.go_to("2027-11-08T12:00:00-05:00");
        let autumn = [
            waiting("f-first", "2027-11-07T00:00:00-04:00"),
            waiting("g-once", "2027-11-07T01:30:00-04:00"),
            waiting("h-twice", "2027-11-07T01:30:00-05:00"),
            waiting("i-last", "2027-11-07T23:59:59-05:00"),
            waiting("j-next", "2027-11-08T00:00:00-05:00"),
        ];
        record(app.member(), &autumn).await;
        move_to(app.owner(), "Asia/Kathmandu").await;
        record(app.member(), &[waiting("k-kathmandu", "2027-11-07T18:14:59Z"), waiting("l-midnight", "2027-11-07T18:15:00Z")]).await;

        assert_eq!(texts(&app, DAYS).await, [
            "a-first 2027-03-14 -18000", "b-before 2027-03-14 -18000", "c-after 2027-03-14 -14400", "d-last 2027-03-14 -14400",
            "e-next 2027-03-15 -14400",
            "f-first 2027-11-07 -14400", "g-once 2027-11-07 -14400", "h-twice 2027-11-07 -18000", "i-last 2027-11-07 -18000",
            "j-next 2027-11-08 -18000",
            "k-kathmandu 2027-11-07 20700", "l-midnight 2027-11-08 20700",
        ]);
    }

    async fn t8_a_changed_zone_moves_no_event_and_makes_none_twice(app) {
        monitored(&app).await;
        let event = waiting("a", "2026-11-09T16:00:00Z");
        record(app.member(), std::slice::from_ref(&event)).await;
        move_to(app.owner(), "America/New_York").await;

        let again = record(app.member(), &[event, waiting("b", "2026-11-09T16:00:00Z")]).await;

        assert_eq!(outcomes(&again), "KEPT KEPT");
        assert_eq!(texts(&app, DAYS).await, ["a 2026-11-10 32400", "b 2026-11-09 -18000"]);
    }

    async fn t8_administrators_see_the_days_of_anybody_also_of_who_has_left(app) {
        monitored(&app).await;
        record(app.member(), &[waiting("a", "2026-11-09T16:00:00Z")]).await;
        let member = people::member(app.owner(), "member").await;
        let query = "query Q($id: ID!) { ctiLogDays(memberId: $id) { day } }";
        let id = json!({ "id": member["id"] });
        app.owner().deed(people::EXPEL, people::on(&member, json!({}))).await;

        let found = [app.owner().data(query, id.clone()).await, app.administrator().data(query, id.clone()).await];
        let rival = app.rival().data(query, id.clone()).await;
        people::join(&app, "other", false).await;
        let other = app.someone("acme", "other").ask(query, id).await;

        assert_eq!(found.map(|data| data["ctiLogDays"].clone()), [json!([{ "day": "2026-11-10" }]), json!([{ "day": "2026-11-10" }])]);
        assert_eq!(rival["ctiLogDays"], json!([]));
        assert_eq!(other.code(), "FORBIDDEN");
    }

    async fn t8_a_day_goes_when_it_was_kept_for_ninety_days(app) {
        monitored(&app).await;
        agent(&app, "hotline", "admin").await;
        for day in ["2026-11-10", "2026-11-11", "2026-12-01"] {
            on(&app, day).await;
        }
        record(app.administrator(), &[waiting("admin", "2026-12-01T01:00:00Z")]).await;

        let mut found = Vec::new();
        // 90 days from the 10th on: up to the 8th of February; at two o'clock of the 9th it is over.
        for at in ["2027-02-09T01:59:00+09:00", "2027-02-09T02:00:00+09:00", "2027-02-10T02:00:00+09:00", "2027-03-01T02:00:00+09:00", "2027-03-02T02:00:00+09:00"] {
            app.go_to(at);
            app.run_due().await;
            found.push(kept(&app).await.len());
        }
        let log = "{ auditEntries(filter: { action: [CTI_LOG_PURGE] }) { nodes { log outcome actor { kind name } target { label } changes { record field before after } } }
            auditVerification { brokenPosition } }";
        let log = app.owner().data(log, json!({})).await;
        let entries = log["auditEntries"]["nodes"].as_array().unwrap();

        assert_eq!(found, [4, 3, 2, 2, 0], "members' days");
        assert_eq!(entries.len(), 3, "{log}");
        let last = &entries[0];
        assert_eq!((&last["log"], &last["outcome"], &last["target"]["label"]), (&json!("MANAGEMENT"), &json!("DONE"), &json!("2026-12-02")));
        assert_eq!(last["actor"], json!({ "kind": "SYSTEM", "name": "cti-log-purge" }));
        let counts: Vec<_> = last["changes"].as_array().unwrap().iter().filter(|change| change["field"] == "count").collect();
        assert_eq!(counts.iter().map(|change| (&change["record"], &change["before"])).collect::<Vec<_>>(),
            [(&json!("CTI event"), &json!("2")), (&json!("CTI log"), &json!("2"))]);
        assert!(log["auditVerification"].as_array().unwrap().iter().all(|log| log["brokenPosition"].is_null()));
    }

    async fn t8_the_database_lets_no_event_change_nor_go_before_its_time(app) {
        monitored(&app).await;
        on(&app, "2026-11-10").await;
        on(&app, "2026-11-11").await;
        let mut raw = Raw::admin(&app).await;

        for sql in [
            "UPDATE cti_event SET kind = 'FAILED', state = NULL",
            "UPDATE cti_log_day SET day = '2026-11-12'",
            "DELETE FROM cti_event",
            "DELETE FROM cti_event WHERE day = '2026-11-10'",
        ] {
            let error = raw.run(sql).await.expect_err(sql);
            assert!(error.contains("is append-only"), "{sql}: {error}");
        }
        let own = "(SELECT organization_id FROM cti_log_day LIMIT 1)";
        raw.must(&format!("INSERT INTO cti_log_purge VALUES ({own}, '2026-11-11', '2026-11-10T01:00:00+00:00')")).await;
        for sql in ["DELETE FROM cti_event", "DELETE FROM cti_log_purge", "UPDATE cti_log_purge SET keeps_from = '2027-01-01'"] {
            let error = raw.run(sql).await.expect_err(sql);
            assert!(error.contains("is append-only"), "{sql}: {error}");
        }
        raw.must("DELETE FROM cti_event WHERE day < '2026-11-11'; DELETE FROM cti_log_day WHERE day < '2026-11-11'").await;
        if raw.is_postgres() {
            let mut service = Raw::service(&app).await;
            for sql in ["TRUNCATE cti_event", "UPDATE cti_event SET kind = 'FAILED'", "DELETE FROM cti_log_purge"] {
                assert!(service.run(sql).await.expect_err(sql).contains("permission denied"), "{sql}");
            }
        } else {
            // What is there stays as it was, however it is put there again.
            raw.must("INSERT OR REPLACE INTO cti_event SELECT organization_id, member_id, external_id, day, occurred_at, utc_offset, 'FAILED', NULL, NULL, NULL, 'x', recorded_at FROM cti_event").await;
            assert_eq!(raw.count("cti_event WHERE kind = 'FAILED'").await, 0);
        }

        assert_eq!(kept(&app).await, ["2026-11-11"]);
    }
}
