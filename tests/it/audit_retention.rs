//! 보존 기간: what has been kept for as long as its log is kept goes, to the day; the chain goes on over it, and what went
//! stands in the log itself.

use chrono::Duration;
use orgdesk::operate;
use serde_json::{Value, json};

use crate::{
    audit::{breaks, disarm, rename},
    both,
    support::{anchor::anchored, app::TestApp, grants, make, people, raw::Raw},
};

const ACME: &str = "organization_id = (SELECT id FROM organization WHERE domain = 'acme')";

async fn count(app: &TestApp, log: &str) -> u64 {
    Raw::admin(app)
        .await
        .count(&format!("audit_entry WHERE log = '{log}' AND {ACME}"))
        .await
}

async fn oldest(app: &TestApp, log: &str) -> Vec<String> {
    let sql = format!("SELECT CAST(min(sequence) AS text) FROM audit_entry WHERE log = '{log}' AND {ACME}");
    Raw::admin(app).await.texts(&sql).await
}

/// A right that is given: an entry and a row of the permission-change log.
async fn make_key(app: &TestApp) {
    app.owner()
        .deed(
            r#"organizationKeyCreate(input: { name: "k", scopes: [SERVICE_READ] }) => key { id }"#,
            json!({}),
        )
        .await;
}

async fn verification(app: &TestApp, log: &str) -> Value {
    let data = app
        .owner()
        .data(
            "{ auditVerification { log verifiedCount removedCount brokenPosition } }",
            json!({}),
        )
        .await;
    let all = data["auditVerification"].as_array().unwrap().clone();
    all.into_iter().find(|one| one["log"] == log).unwrap()
}

both! {
    // case: C7
    async fn l7_each_log_is_kept_to_the_day(app) {
        // Entries of the leap day, of the day after, and of the month after.
        for at in ["2028-02-29T01:00:00Z", "2028-02-29T14:59:00Z", "2028-02-29T15:00:00Z", "2028-03-20T01:00:00Z"] {
            app.go_to(at);
            make_key(&app).await;
        }
        // What is before them is of November 2026, which ends first.
        let first = count(&app, "PERMISSION").await - 4;
        let left = async |at: &str| {
            app.go_to(at);
            operate::purge_audit(&app.app).await.unwrap();
            assert_eq!(breaks(&app).await, Vec::<String>::new(), "{at}");
            count(&app, "PERMISSION").await
        };
        assert_eq!(left("2029-11-09T15:00:00Z").await, first + 4, "the day on which three years are over");
        assert_eq!(left("2029-11-10T15:00:00Z").await, 4, "the day after it, in Seoul");
        assert_eq!(left("2031-02-28T14:59:59Z").await, 4);
        assert_eq!(left("2031-02-28T15:00:00Z").await, 2, "29 February is kept through 28 February");
        assert_eq!(left("2031-03-01T14:59:59Z").await, 2);
        assert_eq!(left("2031-03-01T15:00:00Z").await, 1);
        assert_eq!(left("2041-03-01T15:00:00Z").await, 1, "the last one stays");
        make_key(&app).await;
        assert_eq!(breaks(&app).await, Vec::<String>::new());
        let verified = verification(&app, "PERMISSION").await;
        assert_eq!((verified["verifiedCount"].as_u64(), verified["removedCount"].as_u64()), (Some(2), Some(first + 3)));
        assert_eq!(oldest(&app, "PERMISSION").await, [(first + 4).to_string()], "places are never given again");
    }

    // case: C7
    async fn l7_access_is_kept_for_two_years_and_rights_for_three(app) {
        let months = app.app.settings.logs.clone();
        assert_eq!((months.access_months, months.permission_months), (24, 36));
        app.owner().token().await;
        make_key(&app).await;
        let before = (count(&app, "ACCESS").await, count(&app, "PERMISSION").await);
        for (at, access, permission) in [
            ("2028-11-10T14:59:59Z", before.0, before.1), ("2028-11-10T15:00:00Z", 1, before.1),
            ("2029-11-10T14:59:59Z", 1, before.1), ("2029-11-10T15:00:00Z", 1, 1),
        ] {
            app.go_to(at);
            operate::purge_audit(&app.app).await.unwrap();
            assert_eq!((count(&app, "ACCESS").await, count(&app, "PERMISSION").await), (access, permission), "{at}");
        }
        let rows = Raw::admin(&app).await.count(&format!("permission_change WHERE {ACME}")).await;
        assert_eq!(rows, 1, "rows of changes go with their entries");
    }

    async fn l7_what_went_stands_in_the_log_and_the_chain_goes_on(app) {
        let (app, _) = anchored(app);
        for step in 0..6 {
            let token = app.owner().token().await;
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
            app.wait(Duration::days(1));
        }
        operate::anchor_audit(&app.app).await.unwrap();
        app.go_to("2029-11-13T15:00:00Z");
        operate::purge_audit(&app.app).await.unwrap();
        let again = operate::purge_audit(&app.app).await.unwrap();
        assert_eq!(again, 0, "what went went once");

        let query = "{ auditEntries(filter: { action: [AUDIT_PURGE] }) { nodes { log actor { kind name } changes { record field before after } } } }";
        let log = app.owner().data(query, json!({})).await["auditEntries"]["nodes"].clone();
        let told = log.to_string();
        assert_eq!(log[0]["actor"], json!({ "kind": "SYSTEM", "name": "audit-purge" }));
        for word in ["\"firstSequence\"", "\"lastSequence\"", "\"audit entry\"", "MANAGEMENT"] {
            assert!(told.contains(word), "{word} in {told}");
        }
        let verified = verification(&app, "MANAGEMENT").await;
        assert_eq!(verified["removedCount"], 4, "of 10 to 13 November");
        assert_eq!(verified["brokenPosition"], Value::Null);
        assert_eq!(breaks(&app).await, Vec::<String>::new(), "what was anchored was removed in its time");
        assert_eq!(operate::anchor_audit(&app.app).await.unwrap().held_back, []);

        let mut raw = Raw::admin(&app).await;
        let tampers = ["last_sequence = last_sequence - 1", "last_sequence = last_sequence + 1", "last_hash = previous_hash", "last_at = first_at",
            "sealed_at = first_at", "first_sequence = 2", "log = 'EXTRACTION'"];
        if raw.is_postgres() {
            raw.must("ALTER TABLE audit_segment DISABLE TRIGGER ALL").await;
        } else {
            raw.must("DROP TRIGGER audit_segment_no_update; DROP TRIGGER audit_segment_no_delete; DROP TRIGGER audit_segment_no_replace").await;
        }
        raw.must("CREATE TABLE kept AS SELECT * FROM audit_segment").await;
        for tamper in tampers {
            raw.must(&format!("UPDATE audit_segment SET {tamper} WHERE log = 'MANAGEMENT' AND {ACME}")).await;
            assert!(breaks(&app).await.contains(&"MANAGEMENT 1".to_owned()), "{tamper}: {:?}", breaks(&app).await);
            raw.must("DELETE FROM audit_segment; INSERT INTO audit_segment SELECT * FROM kept").await;
        }
        raw.must(&format!("DELETE FROM audit_segment WHERE log = 'MANAGEMENT' AND {ACME}")).await;
        assert_eq!(breaks(&app).await, ["MANAGEMENT 1"]);
    }

    async fn l7_an_entry_in_a_place_that_was_given_up_is_a_break(app) {
        let (app, _) = anchored(app);
        for step in 0..6 {
            let token = app.owner().token().await;
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
            app.wait(Duration::days(1));
        }
        app.go_to("2029-11-13T15:00:00Z");
        operate::purge_audit(&app.app).await.unwrap();
        assert_eq!(breaks(&app).await, Vec::<String>::new());

        let mut raw = Raw::admin(&app).await;
        let id = if raw.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        raw.must(&format!("CREATE TABLE forged AS SELECT * FROM audit_entry WHERE log = 'MANAGEMENT' AND sequence = 5 AND {ACME}")).await;
        raw.must(&format!("UPDATE forged SET sequence = 1, id = {id}, actor_name = 'nobody'")).await;
        raw.must("INSERT INTO audit_entry SELECT * FROM forged").await;

        assert_eq!(breaks(&app).await.len(), 1, "{:?}", breaks(&app).await);
        assert!(!verification(&app, "MANAGEMENT").await["brokenPosition"].is_null());
    }

    async fn l7_what_was_tampered_with_is_not_removed(app) {
        let token = app.owner().token().await;
        for step in 0..5 {
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
        }
        let mut raw = Raw::admin(&app).await;
        disarm(&mut raw).await;
        raw.must(&format!("UPDATE audit_entry SET actor_name = 'x' WHERE log = 'MANAGEMENT' AND sequence = 3 AND {ACME}")).await;
        if raw.is_postgres() {
            raw.must("ALTER TABLE audit_entry ENABLE TRIGGER ALL").await;
        }
        app.go_to("2031-01-01T00:00:00Z");
        operate::purge_audit(&app.app).await.unwrap();
        assert_eq!(oldest(&app, "MANAGEMENT").await, ["1"], "evidence stays");
        assert_eq!(breaks(&app).await, ["MANAGEMENT 3"]);
    }

    async fn l7_the_log_of_grants_is_kept_for_as_long_as_rights(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        people::join(&app, "holder", false).await;
        people::employ(&app, "desk", "holder", false).await;
        let grant = grants::give(app.owner(), "holder", json!({ "serviceIds": [desk.id] })).await;
        app.wait(Duration::days(10));
        grants::revoke(app.owner(), &grant, json!({})).await;
        let rows = async || {
            let mut raw = Raw::admin(&app).await;
            (raw.count("pii_grant_change").await, raw.count("pii_grant_change_service").await)
        };
        let before = rows().await;
        assert_eq!(before.0, 2);
        app.go_to("2029-11-10T14:00:00Z");
        operate::purge_audit(&app.app).await.unwrap();
        assert_eq!(rows().await, before);
        app.go_to("2029-11-10T15:00:00Z");
        operate::purge_audit(&app.app).await.unwrap();
        assert_eq!(rows().await, (1, 1));
        app.go_to("2029-11-20T15:00:00Z");
        operate::purge_audit(&app.app).await.unwrap();
        assert_eq!(rows().await, (0, 0));
        assert_eq!(breaks(&app).await, Vec::<String>::new());
    }
}
