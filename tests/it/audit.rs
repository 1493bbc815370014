//! 로그 관리: what is done is written, once and for good, and what was tampered with shows.

use chrono::Duration;
use futures_util::future::join_all;
use orgdesk::operate;
use serde_json::{Value, json};

use crate::{
    both,
    support::{app::TestApp, make, raw::Raw},
};

/// Where the chains of Acme and Rival break: `MANAGEMENT 3`.
pub async fn breaks(app: &TestApp) -> Vec<String> {
    let found = operate::verify_audit(&app.app).await.unwrap();
    let reports = found.into_iter().flat_map(|(_, reports)| reports);
    reports
        .filter_map(|report| Some(format!("{} {}", report.name(), report.broken.as_ref()?.sequence)))
        .collect()
}

/// Lets rows of the log be changed, as somebody with the disk could.
pub async fn disarm(raw: &mut Raw) {
    if raw.is_postgres() {
        raw.must("ALTER TABLE audit_entry DISABLE TRIGGER ALL").await;
    } else {
        raw.must("DROP TRIGGER audit_entry_no_update; DROP TRIGGER audit_entry_no_delete; DROP TRIGGER audit_entry_no_replace").await;
    }
}

pub async fn rename(app: &TestApp, token: &str, version: i64, name: &str) -> Value {
    let organization =
        app.ask(Some(token), "{ organization { id } }", json!({})).await.json["data"]["organization"]["id"].clone();
    let query = "mutation M($id: ID!, $input: OrganizationUpdateInput!) { organizationUpdate(id: $id, input: $input) {
        organization { version name } userErrors { code field } } }";
    app.ask(
        Some(token),
        query,
        json!({ "id": organization, "input": { "expectedVersion": version, "name": name } }),
    )
    .await
    .json
}

both! {
    // case: C1
    async fn l1_each_deed_has_one_entry_and_what_was_not_done_has_none(app) {
        let token = app.owner().token().await;
        let mut raw = Raw::admin(&app).await;
        let before = raw.count("audit_entry").await;
        let (mut version, mut done, mut seed) = (1, 0_u64, 7_u64);

        for step in 0..300 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let answer = match (seed >> 33) % 5 {
                0 => rename(&app, &token, version, &format!("Acme {step}")).await,
                1 => rename(&app, &token, version - 1, "stale").await,
                2 => rename(&app, &token, version, " ").await,
                _ => {
                    let input = json!({ "kind": "ISSUE", "code": format!("{}{}", letters(step), ["", "1"][(seed >> 40) as usize % 2]),
                        "name": format!("Desk {step}"), "dryRun": (seed >> 45) % 4 == 0 });
                    let query = "mutation M($input: ServiceCreateInput!) { serviceCreate(input: $input) { service { id } userErrors { code } } }";
                    let answer = app.ask(Some(&token), query, json!({ "input": input })).await.json;
                    done += u64::from(answer["data"]["serviceCreate"]["userErrors"] == json!([]) && input["dryRun"] == false);
                    answer
                }
            };
            assert_eq!(answer.get("errors"), None, "{answer}");
            let update = &answer["data"]["organizationUpdate"];
            if update["userErrors"] == json!([]) {
                version = update["organization"]["version"].as_i64().unwrap();
                done += 1;
            }
        }

        assert!(done > 100);
        assert_eq!(raw.count("audit_entry").await - before, done);
        assert_eq!(breaks(&app).await, Vec::<String>::new());
    }

    // case: C2
    async fn l1_what_cannot_be_logged_is_not_done(app) {
        let token = app.owner().token().await;
        let mut raw = Raw::admin(&app).await;
        if raw.is_postgres() {
            raw.must("CREATE FUNCTION no_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
                CREATE TRIGGER no_log BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION no_log()").await;
        } else {
            raw.must("CREATE TRIGGER no_log BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'the disk is full'); END").await;
        }
        let before = raw.dump().await;

        let answer = rename(&app, &token, 1, "Renamed").await;
        let text = answer.to_string();

        assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL", "{text}");
        for word in ["disk", "INSERT", "audit_entry", "trigger", "src/"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        assert!(raw.dump().await == before, "the deed left nothing behind");
    }

    // case: C3
    async fn l1_no_entry_can_be_changed_by_the_service(app) {
        make::in_use(app.owner(), "desk", 3).await;
        let mut service = Raw::service(&app).await;
        let mut admin = Raw::admin(&app).await;
        let before = admin.dump().await;
        let columns = "id, organization_id, log, sequence, occurred_at, action, outcome, reason, actor_kind, actor_id, actor_name,
            address, request_id, target_id, target_label, service_id, subjects, changes, previous_hash, hash";
        if service.is_postgres() {
            let id = admin.texts("SELECT id::text FROM organization WHERE domain = 'acme'").await.remove(0);
            service.must(&format!("SELECT set_config('orgdesk.organization', '{id}', false)")).await;
        }
        let mut attempts = vec![
            "UPDATE audit_entry SET action = 'X'".to_owned(),
            "DELETE FROM audit_entry".to_owned(),
            "DELETE FROM audit_entry WHERE sequence = 1".to_owned(),
            format!("INSERT INTO audit_entry ({columns}) SELECT {columns} FROM audit_entry WHERE true
                ON CONFLICT (organization_id, log, sequence) DO UPDATE SET action = 'X'"),
            "DELETE FROM contract_revision".to_owned(),
            "UPDATE contract_revision SET discount_percent = 99".to_owned(),
        ];
        if service.is_postgres() {
            attempts.extend(["TRUNCATE audit_entry", "DROP TABLE audit_entry", "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
                "DROP TRIGGER audit_entry_append_only ON audit_entry", "ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY",
                "SET session_replication_role = replica", "GRANT ALL ON audit_entry TO CURRENT_USER", "CREATE TABLE public.mine (a int)",
                "COPY audit_entry FROM '/etc/passwd'"].map(str::to_owned));
        } else {
            attempts.push(format!("INSERT OR REPLACE INTO audit_entry ({columns}) SELECT {columns} FROM audit_entry"));
            attempts.push(format!("REPLACE INTO audit_entry ({columns}) SELECT {} FROM audit_entry", columns.replace("sequence", "sequence + 1000")));
            attempts.push(format!("INSERT OR REPLACE INTO audit_entry (rowid, {columns}) SELECT rowid, {} FROM audit_entry",
                columns.replace("sequence", "sequence + 1000").replacen("id,", "randomblob(16),", 1)));
        }

        for sql in &attempts {
            let refused = service.run(sql).await;
            // PostgreSQL grants nothing that is not one's own, and says so in a warning.
            assert!(refused.is_err() || sql.starts_with("GRANT"), "{sql}");
        }

        assert!(admin.dump().await == before, "nothing was changed");
    }

    // case: C4
    async fn l1_a_changed_entry_is_named(app) {
        let token = app.owner().token().await;
        for step in 0..12 {
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
        }
        let mut raw = Raw::admin(&app).await;
        disarm(&mut raw).await;
        let acme = "organization_id = (SELECT id FROM organization WHERE domain = 'acme')";
        let later = if raw.is_postgres() { "occurred_at + interval '1 second'" } else { "replace(occurred_at, '2026', '2025')" };
        let bytes = if raw.is_postgres() { "decode('00', 'hex')" } else { "x'00'" };
        let changes = [
            ("occurred_at", later), ("action", "'MONTH_CLOSE'"), ("outcome", "'DENIED'"), ("reason", "'X'"), ("actor_kind", "'SYSTEM'"),
            ("actor_id", "'mbr_x'"), ("actor_name", "actor_name || ' '"), ("address", "'10.0.0.1'"), ("request_id", "'x'"),
            ("target_id", "'x'"), ("target_label", "'x'"), ("subjects", "'[1]'"), ("changes", "'[]'"),
            ("previous_hash", bytes), ("hash", bytes), ("service_id", "id"), ("id", "organization_id"),
        ];
        assert_eq!(breaks(&app).await, Vec::<String>::new());
        let mut found = 0;

        for (column, value) in changes {
            for place in 1..=12 {
                let row = format!("log = 'MANAGEMENT' AND {acme} AND sequence = {place}");
                raw.must(&format!("CREATE TABLE kept AS SELECT * FROM audit_entry WHERE {row}")).await;
                raw.must(&format!("UPDATE audit_entry SET {column} = {value} WHERE {row}")).await;
                assert_eq!(breaks(&app).await, [format!("MANAGEMENT {place}")], "{column} of {place}");
                let back = format!("UPDATE audit_entry SET {column} = (SELECT {column} FROM kept) WHERE {row}; DROP TABLE kept");
                raw.must(&back).await;
                found += 1;
            }
        }
        assert_eq!(breaks(&app).await, Vec::<String>::new());
        let row = |place: i32| format!("log = 'MANAGEMENT' AND {acme} AND sequence = {place}");
        raw.must(&format!("UPDATE audit_entry SET sequence = 99 WHERE {}; UPDATE audit_entry SET sequence = 4 WHERE {};
            UPDATE audit_entry SET sequence = 5 WHERE {}", row(4), row(5), row(99))).await;
        assert_eq!(breaks(&app).await, ["MANAGEMENT 4"], "two entries changed places");
        raw.must(&format!("DELETE FROM audit_entry WHERE {}", row(3))).await;
        assert_eq!(breaks(&app).await, ["MANAGEMENT 3"], "an entry was taken out");
        raw.must(&format!("DELETE FROM audit_entry WHERE {}", row(1))).await;
        assert_eq!(breaks(&app).await, ["MANAGEMENT 1"], "the first entry was taken out");
        raw.must(&format!("UPDATE audit_entry SET log = 'EXTRACTION' WHERE {}", row(2))).await;
        assert_eq!(breaks(&app).await, ["MANAGEMENT 1", "EXTRACTION 1"], "an entry was moved to another log");
        assert_eq!(found, 204);
    }

    async fn l1_a_cut_tail_shows_only_against_a_head_that_was_kept_elsewhere(app) {
        let token = app.owner().token().await;
        for step in 0..4 {
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
        }
        let query = "{ auditVerification { log verifiedCount head brokenPosition } }";
        let kept = app.ask(Some(&token), query, json!({})).await.json["data"]["auditVerification"][1].clone();
        let mut raw = Raw::admin(&app).await;
        disarm(&mut raw).await;
        raw.must("DELETE FROM audit_entry WHERE log = 'MANAGEMENT' AND sequence = 4").await;

        let cut = app.ask(Some(&token), query, json!({})).await.json["data"]["auditVerification"][1].clone();

        assert_eq!((kept["log"].as_str(), kept["verifiedCount"].as_i64()), (Some("MANAGEMENT"), Some(4)));
        assert_eq!((cut["brokenPosition"].is_null(), cut["verifiedCount"].as_i64()), (true, Some(3)));
        assert_ne!(kept["head"], cut["head"]);
    }

    // case: K3
    // case: C5
    async fn l1_parallel_writers_make_one_chain(app) {
        let second = app.second_server().await;
        let token = app.owner().token().await;
        let query = "mutation M($input: ServiceCreateInput!) { serviceCreate(input: $input) { service { id } userErrors { code } } }";
        let writers = (0..40_usize).map(|writer| {
            let server = if writer % 2 == 0 { &app } else { &second };
            let token = &token;
            async move {
                let input = json!({ "kind": "ISSUE", "code": format!("w{}", letters(writer)), "name": format!("Desk {writer}") });
                server.ask(Some(token), query, json!({ "input": input })).await.json["data"]["serviceCreate"]["userErrors"].clone()
            }
        });

        let answers = join_all(writers).await;

        assert!(answers.iter().all(|errors| *errors == json!([])), "{answers:?}");
        let mut raw = Raw::admin(&app).await;
        let gaps = "(SELECT max(sequence) - count(*) AS missing FROM audit_entry GROUP BY organization_id, log) t WHERE missing <> 0";
        assert_eq!((raw.count(gaps).await, raw.count("audit_entry WHERE log = 'MANAGEMENT'").await), (0, 40));
        assert_eq!(breaks(&app).await, Vec::<String>::new());
    }

    // case: C8
    async fn l1_names_cannot_forge_lines_of_the_log(app) {
        let token = app.owner().token().await;
        let names = ["𝔄cme 가나다", "'; DROP TABLE audit_entry; --",
            "{\"a\":1}", "=cmd|'/c calc'!A1", "<script>alert(1)</script>"];
        for refused in ["a\nb", "a\r\nINFO forged", "\u{1b}[2Jb", "a\0b", "a\tb", "x\u{7f}y", "Acme\u{202e}kcah", "\u{200b}Acme", "\u{200b}", "A\u{2066}b\u{2069}", "A\u{2028}b", "\u{feff}A"] {
            let answer = rename(&app, &token, 1, refused).await;
            assert_eq!(answer["data"]["organizationUpdate"]["userErrors"][0]["code"], "INVALID", "{refused:?}: {answer}");
        }
        assert_eq!(rename(&app, &token, 1, &"x".repeat(200_000)).await["data"]["organizationUpdate"]["userErrors"][0]["code"], "TOO_LONG");

        for (version, name) in names.iter().enumerate() {
            let answer = rename(&app, &token, 1 + version as i64, name).await;
            assert_eq!(answer["data"]["organizationUpdate"]["userErrors"], json!([]), "{name:?}");
        }

        let log = "{ auditEntries(first: 100, filter: { log: [MANAGEMENT] }) { totalCount nodes { target { label } } } }";
        let log = app.ask(Some(&token), log, json!({})).await.json["data"]["auditEntries"].clone();
        assert_eq!(log["totalCount"], names.len());
        for entry in log["nodes"].as_array().unwrap() {
            let label = entry["target"]["label"].as_str().unwrap();
            assert!(!label.chars().any(|letter| letter.is_control() || "\u{202e}\u{200b}\u{2066}\u{2069}\u{2028}".contains(letter)), "{label:?}");
        }
        assert_eq!(breaks(&app).await, Vec::<String>::new());
    }

    async fn l1_the_same_refusal_stands_there_once_a_minute(app) {
        let denied = || async { Raw::admin(&app).await.count("audit_entry WHERE outcome = 'DENIED'").await };
        let token = app.member().token().await;
        let query = "{ organization { keys { name } } }";
        let mut after = Vec::new();
        for minute in 0..2 {
            for _ in 0..20 {
                assert_eq!(app.ask(Some(&token), query, json!({})).await.code(), "FORBIDDEN", "minute {minute}");
            }
            after.push(denied().await);
            app.wait(Duration::minutes(1));
        }

        assert_eq!(after, [1, 2]);
    }

    async fn l1_refusals_and_failures_are_found_by_filters(app) {
        let member = app.member();
        let refused = member.ask(r#"mutation { organizationKeyCreate(input: { name: "k", scopes: [SERVICE_READ] }) { key { id } } }"#, json!({})).await;
        let wrong = r#"mutation { sessionStart(input: { organization: "acme", login: "member", password: "x" }) { userErrors { code } } }"#;
        app.ask(None, wrong, json!({})).await;
        make::in_use(app.administrator(), "desk", 3).await;
        let count = async |filter: &str| {
            let query = format!("{{ auditEntries(filter: {{ {filter} }}) {{ totalCount nodes {{ outcome reasonCode log action address position }} }} }}");
            app.owner().data(&query, json!({})).await["auditEntries"].clone()
        };

        let denied = count("outcome: [DENIED]").await;
        let failed = count("outcome: [FAILED]").await;
        let signed = count("action: [CONTRACT_SIGN]").await;
        let elsewhere = count(r#"address: "10.9.9.9""#).await;
        let future = count(r#"occurredAt: { from: "2026-11-10T01:00:00.001Z" }"#).await;
        let both = count("log: [PERMISSION, MANAGEMENT], outcome: [DENIED]").await;

        assert_eq!(refused.code(), "FORBIDDEN");
        assert_eq!(denied["nodes"][0]["reasonCode"], "FORBIDDEN");
        assert_eq!((denied["totalCount"].as_i64(), denied["nodes"][0]["log"].as_str()), (Some(1), Some("PERMISSION")));
        assert_eq!((failed["totalCount"].as_i64(), failed["nodes"][0]["reasonCode"].as_str()), (Some(1), Some("CREDENTIALS_REFUSED")));
        assert_eq!((failed["nodes"][0]["log"].as_str(), failed["nodes"][0]["address"].as_str()), (Some("ACCESS"), Some("127.0.0.1")));
        assert_eq!(signed["nodes"][0]["position"], 2, "each log counts for itself");
        assert_eq!((elsewhere["totalCount"].as_i64(), future["totalCount"].as_i64(), both["totalCount"].as_i64()), (Some(0), Some(0), Some(1)));
    }

    // case: C9
    async fn l1_pages_neither_skip_nor_repeat_while_the_log_grows(app) {
        let token = app.owner().token().await;
        for step in 0..25 {
            app.wait(Duration::milliseconds(step % 2));
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
        }
        let (mut seen, mut after, mut version) = (Vec::new(), Value::Null, 26);
        let query = "query Q($after: String) { auditEntries(first: 4, after: $after, filter: { log: [MANAGEMENT] }) {
            nodes { position } pageInfo { endCursor hasNextPage } } }";

        loop {
            let page = app.ask(Some(&token), query, json!({ "after": after })).await.json["data"]["auditEntries"].clone();
            seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["position"].as_i64().unwrap()));
            rename(&app, &token, version, &format!("More {version}")).await;
            version += 1;
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }

        seen.sort_unstable();
        assert_eq!(seen, (1..=25).collect::<Vec<_>>());
    }

    async fn l2_no_deed_is_answered_before_it_is_on_the_disk(app) {
        let token = app.owner().token().await;
        let mut raw = Raw::admin(&app).await;
        if !raw.is_postgres() {
            // There each commit waits by itself.
            assert_eq!(rename(&app, &token, 1, "Acme 1").await["data"]["organizationUpdate"]["userErrors"], json!([]));
            return;
        }
        // What deeds wait with can't be done.
        raw.must("DO $$ DECLARE named text; BEGIN
            FOR named IN SELECT CAST(oid::regprocedure AS text) FROM pg_proc WHERE proname = 'pg_logical_emit_message'
            LOOP EXECUTE 'REVOKE ALL ON FUNCTION ' || named || ' FROM PUBLIC'; END LOOP; END $$").await;
        let answer = rename(&app, &token, 1, "Acme 1").await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL", "{answer}");
        let seen = app.ask(Some(&token), "{ organization { name } }", json!({})).await;
        assert_eq!(seen.json["data"]["organization"]["name"], "Acme 1", "it is not known whether it would have lasted");
    }
}

/// A code of letters for a number.
fn letters(number: usize) -> String {
    let letter = |digit: usize| char::from(b'a' + (digit % 26) as u8);
    [letter(number / 676), letter(number / 26), letter(number)]
        .iter()
        .collect()
}
