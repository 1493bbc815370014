//! 보존 기간: the log of extractions is kept as long as records of access are, to the day, and so are attempts that belong to no
//! organization; before that no row goes.

use orgdesk::operate;
use serde_json::json;

use crate::{
    audit::breaks,
    both,
    support::{app::TestApp, extraction::made, raw::Raw},
};

async fn count(app: &TestApp, table: &str) -> u64 {
    Raw::admin(app).await.count(table).await
}

both! {
    // case: C7
    async fn l7_steps_of_extractions_are_kept_for_two_years_to_the_day(app) {
        // The last second of a day in Seoul, and the first of the next.
        for at in ["2026-11-10T14:59:59Z", "2026-11-10T15:00:00Z"] {
            app.go_to(at);
            made(&app, app.owner(), json!({ "members": {} }), json!({})).await;
        }
        assert_eq!(count(&app, "extraction_step").await, 4, "asked for, and made");

        for (at, left) in [
            ("2028-11-10T14:59:59Z", 4), ("2028-11-10T15:00:00Z", 2), ("2028-11-11T14:59:59Z", 2), ("2028-11-11T15:00:00Z", 0),
        ] {
            app.go_to(at);
            operate::purge_audit(&app.app).await.unwrap();
            assert_eq!(count(&app, "extraction_step").await, left, "{at}");
            assert_eq!(breaks(&app).await, Vec::<String>::new(), "{at}");
        }
        let query = r#"{ auditEntries(first: 100, filter: { action: [AUDIT_PURGE] }) { nodes { actor { name } changes { record after } } } }"#;
        let told = app.owner().data(query, json!({})).await["auditEntries"]["nodes"].clone();
        let told: Vec<_> = told.as_array().unwrap().iter().filter(|entry| entry["actor"]["name"] == "extraction-log-purge").collect();
        assert_eq!(told.len(), 2, "what went stands in the log: {told:?}");
        assert!(told.iter().all(|entry| entry["changes"].to_string().contains("extraction step")), "{told:?}");
    }

    async fn l7_no_step_goes_before_its_time(app) {
        made(&app, app.owner(), json!({ "members": {} }), json!({})).await;
        let mut service = Raw::service(&app).await;
        if service.is_postgres() {
            let id = Raw::admin(&app).await.texts("SELECT id::text FROM organization WHERE domain = 'acme'").await.remove(0);
            service.must(&format!("SELECT set_config('orgdesk.organization', '{id}', false)")).await;
        }
        for sql in ["DELETE FROM extraction_step", "DELETE FROM extraction_step WHERE kind = 'READY'"] {
            let refused = service.run(sql).await.unwrap_err();
            assert!(refused.contains("is append-only"), "{refused}");
        }
        assert_eq!(count(&app, "extraction_step").await, 2);
    }

    // case: C7
    async fn l7_attempts_that_belong_to_no_organization_are_kept_as_access_is(app) {
        let mut raw = Raw::admin(&app).await;
        let id = if raw.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        for at in ["2026-11-10T23:59:59+00:00", "2026-11-11T00:00:00+00:00"] {
            raw.must(&format!("INSERT INTO security_event (id, occurred_at, kind, address, request_id) VALUES ({id}, '{at}', 'SIGN_IN_BLOCKED', '203.0.113.9', 'r')")).await;
        }
        let mut service = Raw::service(&app).await;
        assert!(service.run("DELETE FROM security_event").await.unwrap_err().contains("is append-only"));

        for (at, left) in [("2028-11-10T23:59:59Z", 2), ("2028-11-11T00:00:00Z", 1), ("2028-11-11T23:59:59Z", 1), ("2028-11-12T00:00:00Z", 0), ("2028-11-12T01:00:00Z", 0)] {
            app.go_to(at);
            operate::purge_audit(&app.app).await.unwrap();
            assert_eq!(count(&app, "security_event").await, left, "{at}");
        }
        assert_eq!(count(&app, "security_purge").await, 2, "a mark for each time that something went");
    }
}
