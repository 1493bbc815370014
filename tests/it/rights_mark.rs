//! The mark that an organization bears until the rights of one of its members change. Whoever knows rights of a mark takes
//! them for good, so that no change may leave it standing; what each verb takes and gives is tested where the verb is.

use std::collections::BTreeSet;

use migration::RIGHTS;
use serde_json::json;

use crate::{
    both,
    support::{app::TestApp, make, raw::Raw},
};

/// The marks of all organizations by their domains, as texts.
async fn marks(raw: &mut Raw) -> Vec<String> {
    let mark = if raw.is_postgres() {
        "CAST(rights_mark AS text)"
    } else {
        "hex(rights_mark)"
    };
    raw.texts(&format!(
        "SELECT coalesce(domain || ' ' || {mark}, domain) FROM organization ORDER BY domain"
    ))
    .await
}

async fn asked(app: &TestApp, login: &str) -> serde_json::Value {
    let viewer = app.someone("acme", login).data("{ viewer { roles } }", json!({})).await;
    viewer["viewer"]["roles"].clone()
}

both! {
    async fn p5_each_change_of_rights_changes_the_mark_of_its_organization(app) {
        let mut raw = Raw::admin(&app).await;
        let sql = if raw.is_postgres() {
            "SELECT DISTINCT event_object_table || ' ' || event_manipulation FROM information_schema.triggers
             WHERE trigger_name LIKE '%\\_rights\\_%' AND action_statement LIKE '%rights_changed()'"
        } else {
            "SELECT tbl_name || ' ' || upper(substr(name, length(tbl_name) + 9)) FROM sqlite_schema
             WHERE type = 'trigger' AND name LIKE '%\\_rights\\_%' ESCAPE '\\' AND sql LIKE '%SET rights_mark = randomblob(16)%'"
        };
        let watched: BTreeSet<String> = raw.texts(sql).await.into_iter().collect();
        let all = |table: &&str| ["INSERT", "UPDATE", "DELETE"].map(|event| format!("{table} {event}"));
        let expected: BTreeSet<String> = RIGHTS.iter().flat_map(all).collect();
        assert_eq!(watched, expected);

        make::in_use(app.owner(), "anna", 3).await;
        for (table, change) in [("member", "name = name"), ("service", "name = name")] {
            let before = marks(&mut raw).await;
            raw.must(&format!("UPDATE {table} SET {change} WHERE organization_id = (SELECT id FROM organization WHERE domain = 'acme')")).await;
            let after = marks(&mut raw).await;
            let changed: Vec<_> = before.iter().zip(&after).filter(|(one, other)| one != other).collect();
            assert_eq!(changed.len(), 1, "{table}: {before:?} {after:?}");
            assert!(changed[0].1.starts_with("acme "), "{changed:?}");
        }
    }

    async fn p5_rights_that_are_known_are_gone_with_the_row_that_gave_them(app) {
        // Behind every door, as somebody would whose deed another server does.
        let mut raw = Raw::admin(&app).await;
        let known = asked(&app, "admin").await;
        assert_eq!(known, json!(["ORGANIZATION_ADMIN", "MEMBER"]), "the administrator of every test");
        assert_eq!(asked(&app, "admin").await, known);
        let whose = "member_id = (SELECT m.id FROM member m JOIN organization o ON o.id = m.organization_id
                                  WHERE m.login = 'admin' AND o.domain = 'acme')";
        raw.must(&format!("CREATE TABLE kept AS SELECT * FROM organization_admin WHERE {whose}")).await;
        raw.must(&format!("DELETE FROM organization_admin WHERE {whose}")).await;
        assert_eq!(asked(&app, "admin").await, json!(["MEMBER"]));
        raw.must("INSERT INTO organization_admin SELECT * FROM kept").await;
        assert_eq!(asked(&app, "admin").await, known);
        raw.must("DROP TABLE kept").await;

        let session = app.someone("acme", "admin").token().await;
        raw.must("UPDATE member SET status = 'LEFT' WHERE login = 'admin'").await;
        let answer = app.ask(Some(&session), "{ viewer { roles } }", json!({})).await;
        assert_eq!(answer.code(), "UNAUTHENTICATED");
    }
}
