//! The chain of the audit log vouches for the permission-change log: what was changed in it, taken out of it or put
//! into it behind the service's back is found, and where.

use chrono::Duration;
use orgdesk::{
    kernel::{Action, Language, Plain, Tx},
    member, operate,
};
use serde_json::json;

use crate::{
    audit::breaks,
    both,
    support::{
        app::{PASSWORD, TestApp},
        deed::caller,
        raw::Raw,
    },
};

const COLUMNS: &str =
    "id, organization_id, log, sequence, occurred_at, action, kind, actor_kind, actor_id, actor_name, actor_login,
    address, target_kind, target_id, target_name, target_login, service_id, service_name, rights_before, rights_after";

/// Seven entries of Acme's log of permissions, with 1, 2, 1, 1, 1, 1 and no rows.
async fn furnish(app: &TestApp) {
    let key = r#"organizationKeyCreate(input: { name: "k", scopes: [SERVICE_READ] }) => key { id version }"#;
    app.owner().deed(key, json!({})).await;
    app.wait(Duration::seconds(1));
    let key = app.owner().deed(key, json!({})).await["key"].clone();
    let input = json!({ "expectedVersion": key["version"] });
    app.owner()
        .deed(
            "organizationKeyRevoke(id: $id, input: $input)",
            json!({ "id": key["id"], "input": input }),
        )
        .await;
    let refused = r#"mutation { organizationKeyCreate(input: { name: "k", scopes: [SERVICE_READ] }) { key { id } } }"#;
    assert_eq!(app.member().ask(refused, json!({})).await.code(), "FORBIDDEN");
}

/// Lets rows be changed, as somebody with the disk could.
async fn disarm(raw: &mut Raw) {
    if raw.is_postgres() {
        raw.must("ALTER TABLE permission_change DISABLE TRIGGER ALL; ALTER TABLE audit_entry DISABLE TRIGGER ALL")
            .await;
    } else {
        raw.must("PRAGMA foreign_keys = OFF; DROP TRIGGER permission_change_no_update; DROP TRIGGER permission_change_no_delete;
            DROP TRIGGER permission_change_no_replace; DROP TRIGGER audit_entry_no_update").await;
    }
}

/// The condition for Acme's rows of this entry.
fn of(place: i64) -> String {
    format!(
        "organization_id = (SELECT id FROM organization WHERE domain = 'acme') AND log = 'PERMISSION' AND sequence = {place}"
    )
}

both! {
    // case: C4
    async fn l3_every_changed_value_is_found(app) {
        furnish(&app).await;
        let mut raw = Raw::admin(&app).await;
        disarm(&mut raw).await;
        let later = if raw.is_postgres() { "occurred_at + interval '1 second'" } else { "replace(occurred_at, '2026', '2025')" };
        let rival = "(SELECT id FROM organization WHERE domain = 'rival')";
        let changes = [
            ("occurred_at", later, 0), ("action", "'ADMIN_ADD'", 0), ("kind", "'AGENT_ADDED'", 0), ("actor_kind", "'SYSTEM'", 0),
            ("actor_id", "'mbr_x'", 0), ("actor_name", "actor_name || ' '", 0), ("actor_login", "'x'", 0), ("address", "'10.9.9.9'", 0),
            ("target_kind", "CASE target_kind WHEN 'KEY' THEN 'MEMBER' ELSE 'KEY' END", 0), ("target_id", "'mbr_x'", 0), ("target_name", "'x'", 0), ("target_login", "'x'", 0),
            ("service_id", "id", 0), ("service_name", "'x'", 0), ("rights_before", "'[\"OWNER\"]'", 0), ("rights_after", "'[\"OWNER\"]'", 0),
            ("id", "organization_id", 0), ("sequence", "sequence + 1", 0), ("sequence", "99", 0), ("sequence", "-1", 1), ("log", "'EXTRACTION'", 0),
            ("organization_id", rival, 2),
        ];
        assert_eq!(breaks(&app).await, Vec::<String>::new());

        for (column, value, what) in changes {
            for place in [1, 4, 6] {
                raw.must(&format!("CREATE TABLE kept AS SELECT * FROM permission_change WHERE {}", of(place))).await;
                raw.must(&format!("UPDATE permission_change SET {column} = {value} WHERE {}", of(place))).await;
                let expected = match (what, column) {
                    // A row before the first entry is the first entry's.
                    (1, _) => vec!["PERMISSION 1".to_owned()],
                    (_, "log") => vec![format!("PERMISSION {place}"), "EXTRACTION 1".to_owned()],
                    (2, _) if place > 3 => vec![format!("PERMISSION {place}"), "PERMISSION 4".to_owned()],
                    (2, _) => vec![format!("PERMISSION {place}"), format!("PERMISSION {place}")],
                    _ => vec![format!("PERMISSION {place}")],
                };
                assert_eq!(breaks(&app).await, expected, "{column} = {value} of {place}");
                raw.must(&format!("DELETE FROM permission_change WHERE target_name IN (SELECT target_name FROM kept) AND {} OR id IN (SELECT id FROM kept)
                    OR id IN (SELECT organization_id FROM kept) OR sequence IN (-1, 99) OR log = 'EXTRACTION'", of(place))).await;
                raw.must(&format!("INSERT INTO permission_change ({COLUMNS}) SELECT {COLUMNS} FROM kept; DROP TABLE kept")).await;
                assert_eq!(breaks(&app).await, Vec::<String>::new(), "{column} of {place} was put back");
            }
        }
    }

    // case: C4
    async fn l3_rows_that_were_taken_out_put_in_or_exchanged_are_found(app) {
        furnish(&app).await;
        let mut raw = Raw::admin(&app).await;
        disarm(&mut raw).await;
        let fresh = if raw.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        let copy = |to: &str| COLUMNS.replacen("id,", &format!("{fresh},"), 1).replacen("sequence", to, 1);
        let (first, last) = (format!("{} AND kind = 'MEMBER_ADDED'", of(2)), format!("{} AND kind = 'ORG_ADMIN_ADDED'", of(2)));
        let attacks = [
            (format!("DELETE FROM permission_change WHERE {}", of(4)), "PERMISSION 4"),
            (format!("DELETE FROM permission_change WHERE {last}"), "PERMISSION 2"),
            (format!("DELETE FROM permission_change WHERE {first}"), "PERMISSION 2"),
            (format!("INSERT INTO permission_change ({COLUMNS}) SELECT {} FROM permission_change WHERE {}", copy("sequence"), of(5)), "PERMISSION 5"),
            (format!("INSERT INTO permission_change ({COLUMNS}) SELECT {} FROM permission_change WHERE {}", copy("7"), of(5)), "PERMISSION 7"),
            (format!("INSERT INTO permission_change ({COLUMNS}) SELECT {} FROM permission_change WHERE {}", copy("8"), of(5)), "PERMISSION 8"),
            (format!("INSERT INTO permission_change ({COLUMNS}) SELECT {} FROM permission_change WHERE {}", copy("sequence").replacen("log", "'PII_GRANT'", 1), of(5)), "PII_GRANT 1"),
            (format!("UPDATE permission_change SET sequence = 9 - sequence WHERE {} OR {}", of(4), of(5)), "PERMISSION 4"),
            (format!("UPDATE permission_change SET rights_before = rights_after, rights_after = rights_before WHERE {}", of(6)), "PERMISSION 6"),
            (format!("DELETE FROM permission_change WHERE {}; UPDATE audit_entry SET rights_digest = NULL WHERE {}", of(6), of(6)), "PERMISSION 6"),
            (format!("UPDATE audit_entry SET rights_digest = NULL WHERE {}", of(6)), "PERMISSION 6"),
            ("DELETE FROM permission_change".to_owned(), "PERMISSION 1"),
        ];

        for (attack, found) in attacks {
            raw.must("CREATE TABLE kept AS SELECT * FROM permission_change; CREATE TABLE entries AS SELECT * FROM audit_entry").await;
            raw.must(&attack).await;
            let broken = breaks(&app).await;
            assert_eq!(broken.first().map(String::as_str), Some(found), "{attack}: {broken:?}");
            let seen = app.owner().data("{ auditVerification { brokenPosition } }", json!({})).await;
            assert!(seen.to_string().contains(&format!("\"brokenPosition\":{}", found.rsplit(' ').next().unwrap())), "{seen}");
            raw.must(&format!("DELETE FROM permission_change; INSERT INTO permission_change ({COLUMNS}) SELECT {COLUMNS} FROM kept; DROP TABLE kept;
                UPDATE audit_entry SET rights_digest = (SELECT e.rights_digest FROM entries e WHERE e.id = audit_entry.id) WHERE log = 'PERMISSION'; DROP TABLE entries")).await;
            assert_eq!(breaks(&app).await, Vec::<String>::new(), "{attack} was undone");
        }
    }

    // case: C3
    async fn l3_no_row_can_be_changed_by_the_service(app) {
        furnish(&app).await;
        let (mut service, mut admin) = (Raw::service(&app).await, Raw::admin(&app).await);
        let before = admin.dump().await;
        if service.is_postgres() {
            let id = admin.texts("SELECT id::text FROM organization WHERE domain = 'acme'").await.remove(0);
            service.must(&format!("SELECT set_config('orgdesk.organization', '{id}', false)")).await;
        }
        let mut attempts = vec![
            "UPDATE permission_change SET rights_after = '[]'".to_owned(),
            "DELETE FROM permission_change".to_owned(),
            "UPDATE audit_entry SET rights_digest = NULL".to_owned(),
            format!("INSERT INTO permission_change ({COLUMNS}) SELECT {COLUMNS} FROM permission_change WHERE true
                ON CONFLICT (organization_id, id) DO UPDATE SET kind = 'X'"),
            format!("INSERT INTO permission_change ({COLUMNS}) SELECT {} FROM permission_change",
                COLUMNS.replacen("sequence", "sequence + 99", 1).replacen("id,", if service.is_postgres() { "gen_random_uuid()," } else { "randomblob(16)," }, 1)),
        ];
        if service.is_postgres() {
            attempts.extend(["TRUNCATE permission_change", "ALTER TABLE permission_change DISABLE TRIGGER ALL", "DROP TABLE permission_change"].map(str::to_owned));
        } else {
            attempts.push(format!("REPLACE INTO permission_change ({COLUMNS}) SELECT {COLUMNS} FROM permission_change"));
        }

        for sql in &attempts {
            assert!(service.run(sql).await.is_err(), "{sql}");
        }

        assert!(admin.dump().await == before, "nothing was changed");
    }

    async fn l3_an_entry_with_more_rows_than_are_read_at_a_time_is_verified_whole(app) {
        let by = caller(&app, "owner", "10.0.0.1").await;
        let hash = operate::hash_password(&app.app, PASSWORD).await.unwrap();
        by.act(Action::MemberInviteMany, &Plain, async |tx: &Tx| {
            let new = |number: usize| member::Member {
                id: tx.fresh_id(), organization_id: tx.organization_id(), login: format!("m{number}"), name: format!("Member {number}"),
                name_key: format!("member {number}"), email: format!("m{number}@example.com"), email_proved_at: None, language: Language::Korean,
                password_hash: hash.clone(), has_short_password: false, is_owner: false, status: member::Status::Active, joined_at: tx.now(), left_at: None, version: 1,
            };
            let rows: Vec<_> = (0..2_345).map(new).collect();
            let one = rows[0].clone();
            tx.create_many::<member::Entity>(rows).await.map(|()| one)
        }).await.unwrap();
        let mut raw = Raw::admin(&app).await;
        assert_eq!(raw.count(&format!("permission_change WHERE {}", of(4))).await, 2_345);
        assert_eq!(breaks(&app).await, Vec::<String>::new());

        disarm(&mut raw).await;
        raw.must("UPDATE permission_change SET rights_after = '[\"OWNER\"]' WHERE target_login = 'm1700'").await;

        assert_eq!(breaks(&app).await, ["PERMISSION 4"]);
    }
}
