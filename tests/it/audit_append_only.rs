//! What is a log stays as it was written, by means of the database itself: whatever statement the service's own role, or on
//! PostgreSQL the owner of the tables, tries.

use migration::{APPEND_ONLY, PURGED};
use serde_json::json;

use crate::{
    both,
    support::{app::TestApp, grants, make, people, raw::Raw},
};

/// Rows in as many of the tables as a few deeds make.
async fn furnish(app: &TestApp) {
    let desk = make::in_use(app.owner(), "desk", 3).await;
    people::join(app, "holder", false).await;
    people::employ(app, "desk", "holder", false).await;
    grants::give(app.owner(), "holder", json!({ "serviceIds": [desk.id] })).await;
    let wrong = r#"mutation { sessionStart(input: { organization: "nowhere", login: "x", password: "x" }) { userErrors { code } } }"#;
    app.ask(None, wrong, json!({})).await;
}

/// The first column of a table that any value can be written to itself.
async fn column(raw: &mut Raw, table: &str) -> String {
    let sql = if raw.is_postgres() {
        format!(
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position LIMIT 1"
        )
    } else {
        format!("SELECT name FROM pragma_table_info('{table}') LIMIT 1")
    };
    raw.texts(&sql).await.remove(0)
}

both! {
    // case: C3
    async fn l3_every_log_is_append_only_by_the_database_itself(app) {
        furnish(&app).await;
        let (mut service, mut admin) = (Raw::service(&app).await, Raw::admin(&app).await);
        if service.is_postgres() {
            let id = admin.texts("SELECT id::text FROM organization WHERE domain = 'acme'").await.remove(0);
            service.must(&format!("SELECT set_config('orgdesk.organization', '{id}', false)")).await;
        }
        let before = admin.dump().await;
        let mut filled = Vec::new();

        for table in APPEND_ONLY {
            let has_rows = admin.count(table).await > 0;
            filled.extend(has_rows.then_some(*table));
            let column = column(&mut admin, table).await;
            let update = format!("UPDATE {table} SET {column} = {column}");
            let (delete, truncate) = (format!("DELETE FROM {table}"), format!("TRUNCATE {table} CASCADE"));
            if service.is_postgres() {
                // Refused by the trigger, with rows or without, to whoever has every right.
                for sql in [&update, &truncate] {
                    let refused = admin.run(sql).await.unwrap_err();
                    assert!(refused.contains("is append-only"), "{sql}: {refused}");
                }
                if has_rows || !PURGED.contains(table) {
                    let refused = admin.run(&delete).await.unwrap_err();
                    assert!(refused.contains("is append-only") || refused.contains("foreign key"), "{delete}: {refused}");
                }
                // And not granted to the service.
                for sql in [&update, &truncate] {
                    let refused = service.run(sql).await.unwrap_err();
                    assert!(refused.contains("permission denied"), "{sql}: {refused}");
                }
                let granted = format!("SELECT has_table_privilege('{table}', 'DELETE')::text");
                assert_eq!(service.texts(&granted).await, [PURGED.contains(table).to_string()], "{table}");
            } else {
                let triggers = format!("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}' ORDER BY name");
                let triggers = admin.texts(&triggers).await.join(" ");
                for what in ["_no_update", "_no_replace"] {
                    assert!(triggers.contains(&format!("{table}{what}")), "{table}: {triggers}");
                }
                assert!(triggers.contains(&format!("{table}_no_delete")) || triggers.contains(&format!("{table}_in_time")), "{table}: {triggers}");
                if has_rows {
                    for sql in [&update, &delete] {
                        let refused = service.run(sql).await.unwrap_err();
                        assert!(refused.contains("is append-only"), "{sql}: {refused}");
                    }
                    // A journal passes over what is there; a log says so. Neither writes over it.
                    let _ = service.run(&format!("REPLACE INTO {table} SELECT * FROM {table}")).await;
                    let _ = service.run(&format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}")).await;
                }
            }
        }

        assert!(admin.dump().await == before, "nothing was changed");
        for log in ["audit_entry", "permission_change", "pii_grant_change", "pii_grant_change_service", "security_event"] {
            assert!(filled.contains(&log), "{log} is empty: {filled:?}");
        }
    }

    // case: C3
    async fn l7_no_entry_goes_but_under_a_seal(app) {
        for code in ["desk", "line"] {
            make::in_use(app.owner(), code, 3).await;
        }
        let (mut service, mut admin) = (Raw::service(&app).await, Raw::admin(&app).await);
        let acme = "(SELECT id FROM organization WHERE domain = 'acme')";
        if service.is_postgres() {
            let id = admin.texts("SELECT id::text FROM organization WHERE domain = 'acme'").await.remove(0);
            service.must(&format!("SELECT set_config('orgdesk.organization', '{id}', false)")).await;
        }
        let delete = |what: &str| format!("DELETE FROM audit_entry WHERE organization_id = {acme} AND log = 'MANAGEMENT' AND {what}");
        assert!(service.run(&delete("sequence = 1")).await.is_err());
        let now = if service.is_postgres() { "now()" } else { "'2029-01-01T00:00:00+00:00'" };
        let bytes = if service.is_postgres() { "decode('00', 'hex')" } else { "x'00'" };
        // Whoever has the service's role in the database can make up a segment, and can't seal it: what he removes shows.
        service.must(&format!("INSERT INTO audit_segment (organization_id, log, first_sequence, last_sequence, first_at, last_at, previous_hash, last_hash, sealed_at, seal)
            VALUES ({acme}, 'MANAGEMENT', 1, 2, {now}, {now}, {bytes}, {bytes}, {now}, {bytes})")).await;
        assert!(service.run(&delete("sequence <= 3")).await.is_err(), "the third is not covered");
        service.must(&delete("sequence <= 2")).await;

        let query = "{ auditVerification { log brokenPosition brokenCause } }";
        let seen = app.owner().data(query, json!({})).await["auditVerification"][1].clone();
        assert_eq!(seen, json!({ "log": "MANAGEMENT", "brokenPosition": 1, "brokenCause": "SEAL_BROKEN" }));
    }
}
