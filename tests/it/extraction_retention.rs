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

    async fn l7_many_attempts_go_in_portions(app) {
        let mut raw = Raw::admin(&app).await;
        let id = if raw.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1201)";
        raw.must(&format!("INSERT INTO security_event (id, occurred_at, kind, address, request_id)
            {numbers} SELECT {id}, '2026-11-10T00:00:00+00:00', 'SIGN_IN_BLOCKED', '203.0.113.9', 'r' FROM n")).await;
        app.go_to("2029-01-01T00:00:00Z");
        app.app.database.overhear();

        operate::purge_audit(&app.app).await.unwrap();

        let said = app.app.database.overhear();
        let portions = said.iter().filter(|text| text.starts_with("DELETE FROM security_event")).count();
        assert_eq!((portions, count(&app, "security_event").await, count(&app, "security_purge").await), (3, 0, 1));
    }
}

/// By a clock that goes, nobody with the service's role empties a log by a mark of the future, or by a table that he calls so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l7_the_services_role_can_not_say_that_a_log_is_over() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    made(&app, app.owner(), json!({ "members": {} }), json!({})).await;
    let mut admin = Raw::admin(&app).await;
    admin
        .must("CREATE OR REPLACE FUNCTION wall_clock() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()'")
        .await;
    admin
        .must("INSERT INTO security_event (id, occurred_at, kind, address, request_id) VALUES (gen_random_uuid(), now() - interval '11 months', 'SIGN_IN_BLOCKED', '', 'r')")
        .await;
    let id = admin
        .texts("SELECT id::text FROM organization WHERE domain = 'acme'")
        .await
        .remove(0);
    let mut service = Raw::service(&app).await;
    service
        .must(&format!("SELECT set_config('orgdesk.organization', '{id}', false)"))
        .await;
    let mark = |table: &str, from: &str| match table {
        "security_purge" => format!("INSERT INTO security_purge (keeps_from, purged_at) VALUES ({from}, now())"),
        log => format!(
            "INSERT INTO log_purge (organization_id, log_table, keeps_from, purged_at) VALUES ('{id}', '{log}', {from}, now())"
        ),
    };

    for (table, months) in [
        ("security_purge", 12),
        ("extraction_step", 12),
        ("pii_grant_change", 36),
    ] {
        for from in [
            "'9999-01-01'".to_owned(),
            "'infinity'".to_owned(),
            "now()".to_owned(),
            format!("now() - interval '{months} months' + interval '3 days'"),
        ] {
            let refused = service.run(&mark(table, &from)).await.unwrap_err();
            assert!(refused.contains("is kept for longer"), "{table} {from}: {refused}");
        }
        service
            .must(&mark(table, &format!("now() - interval '{months} months'")))
            .await;
    }
    service
        .must("CREATE TEMP TABLE security_purge AS SELECT '9999-01-01'::timestamptz AS keeps_from;
               CREATE TEMP TABLE log_purge AS SELECT organization_id, log_table, '9999-01-01'::timestamptz AS keeps_from FROM public.log_purge")
        .await;
    for table in ["security_event", "extraction_step"] {
        let refused = service.run(&format!("DELETE FROM {table}")).await.unwrap_err();
        assert!(refused.contains("is append-only"), "{table}: {refused}");
    }
    assert_eq!(
        (
            admin.count("security_event").await,
            admin.count("extraction_step").await
        ),
        (1, 2)
    );
}
