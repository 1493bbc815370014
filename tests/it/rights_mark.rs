//! The mark that an organization bears until the rights of one of its members change. Whoever has read rights under a mark
//! goes on with them while it stands, so that no change may leave it; what each verb takes and gives is tested at the verb.

use std::collections::BTreeSet;

use migration::RIGHTS;
use serde_json::{Value, json};

use crate::{
    both,
    support::{app::TestApp, make, raw::Raw},
};

/// The marks of all organizations, each behind its domain.
async fn marks(raw: &mut Raw) -> Vec<String> {
    let mark = match raw.is_postgres() {
        true => "CAST(rights_mark AS text)",
        false => "hex(rights_mark)",
    };
    raw.texts(&format!(
        "SELECT domain || ' ' || {mark} FROM organization ORDER BY domain"
    ))
    .await
}

/// The domains of the organizations that get a new mark by a statement.
async fn told(raw: &mut Raw, sql: &str) -> Vec<String> {
    let before: BTreeSet<_> = marks(raw).await.into_iter().collect();
    raw.must(sql).await;
    let after = marks(raw).await.into_iter().filter(|mark| !before.contains(mark));
    after.map(|mark| mark.split(' ').next().unwrap().to_owned()).collect()
}

async fn roles(app: &TestApp, login: &str) -> Value {
    let viewer = app.someone("acme", login).data("{ viewer { roles } }", json!({})).await;
    viewer["viewer"]["roles"].clone()
}

/// Whether the rights were read anew since the last time.
fn reads_rights(app: &TestApp) -> bool {
    let said = app.app.database.overhear();
    said.iter().any(|sql| sql.contains("\"organization_admin\""))
}

/// A condition on rows of the administrator of every test.
const HIS: &str = "member_id = (SELECT m.id FROM member m JOIN organization o ON o.id = m.organization_id
                                WHERE m.login = 'admin' AND o.domain = 'acme')";

both! {
    async fn p5_each_change_of_rights_changes_the_mark_of_its_organization(app) {
        let mut raw = Raw::admin(&app).await;
        make::in_use(app.owner(), "anna", 3).await;
        let sql = match raw.is_postgres() {
            true => "SELECT CAST(tgname AS text) FROM pg_trigger WHERE tgname LIKE '%\\_rights\\_%' AND tgenabled = 'A'",
            false => "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%\\_rights\\_%' ESCAPE '\\'",
        };
        let watched: BTreeSet<String> = raw.texts(sql).await.into_iter().collect();
        let mut events = vec!["insert", "update", "delete"];
        if raw.is_postgres() {
            events.push("truncate");
        }
        let all = |(table, _): &(&str, _)| -> Vec<_> { events.iter().map(|event| format!("{table}_rights_{event}")).collect() };
        assert_eq!(watched, RIGHTS.iter().flat_map(all).collect());

        for (table, columns) in RIGHTS {
            let sql = match raw.is_postgres() {
                true => format!("SELECT prosrc FROM pg_proc WHERE proname = '{table}_rights_update'"),
                false => format!("SELECT sql FROM sqlite_schema WHERE name = '{table}_rights_update'"),
            };
            let trigger = raw.texts(&sql).await.remove(0);
            let looks = match raw.is_postgres() {
                true => format!("SELECT {0} FROM was EXCEPT ALL SELECT {0} FROM fresh", columns.join(", ")),
                false => columns.iter().map(|column| format!("OLD.{column} IS NOT NEW.{column}")).collect::<Vec<_>>().join(" OR "),
            };
            assert!(trigger.contains(&looks), "{looks}: {trigger}");
        }
        let acme = "organization_id = (SELECT id FROM organization WHERE domain = 'acme')";
        for (change, is_right) in [
            ("member SET name = name || '!'", true),
            ("member SET name = name", false),
            ("member SET email = 'x' || email", false),
            ("service SET status = 'SUSPENDED', suspended_at = created_at", true),
            ("service SET version = version + 1", false),
        ] {
            let expected: &[&str] = if is_right { &["acme"] } else { &[] };
            assert_eq!(told(&mut raw, &format!("UPDATE {change} WHERE {acme}")).await, expected, "{change}");
        }
        assert_eq!(told(&mut raw, &format!("CREATE TABLE kept AS SELECT * FROM organization_admin WHERE {HIS}")).await, [""; 0]);
        assert_eq!(told(&mut raw, &format!("DELETE FROM organization_admin WHERE {HIS}")).await, ["acme"]);
        assert_eq!(told(&mut raw, "INSERT INTO organization_admin SELECT * FROM kept").await, ["acme"]);
        raw.must("DROP TABLE kept").await;
        if raw.is_postgres() {
            let refused = raw.run("TRUNCATE organization_admin").await.unwrap_err();
            assert!(refused.contains("row by row"), "{refused}");
            // Also for whoever switches triggers off.
            let sql = format!("SET session_replication_role = replica; DELETE FROM organization_admin WHERE {HIS}; RESET session_replication_role");
            assert_eq!(told(&mut raw, &sql).await, ["acme"]);
        }
    }

    async fn p5_rights_that_are_known_are_gone_with_the_row_that_gave_them(app) {
        // Behind every door, as it looks when another server does it.
        let mut raw = Raw::admin(&app).await;
        let known = roles(&app, "admin").await;
        assert_eq!(known, json!(["ORGANIZATION_ADMIN", "MEMBER"]), "the administrator of every test");
        app.app.database.overhear();
        assert_eq!(roles(&app, "admin").await, known);
        reads_rights(&app);
        assert_eq!(roles(&app, "admin").await, known);
        assert!(!reads_rights(&app), "known rights are not read again");

        raw.must(&format!("CREATE TABLE kept AS SELECT * FROM organization_admin WHERE {HIS}")).await;
        raw.must(&format!("DELETE FROM organization_admin WHERE {HIS}")).await;
        assert_eq!(roles(&app, "admin").await, json!(["MEMBER"]));
        assert!(reads_rights(&app), "with a new mark they are");
        raw.must("INSERT INTO organization_admin SELECT * FROM kept").await;
        assert_eq!(roles(&app, "admin").await, known);
        raw.must("DROP TABLE kept").await;
        assert_eq!(roles(&app, "admin").await, known);
        app.wait(chrono::Duration::seconds(61));
        reads_rights(&app);
        assert_eq!(roles(&app, "admin").await, known);
        assert!(reads_rights(&app), "after a minute they are, whatever the mark");

        let session = app.someone("acme", "admin").token().await;
        raw.must("UPDATE member SET status = 'LEFT' WHERE login = 'admin'").await;
        let answer = app.ask(Some(&session), "{ viewer { roles } }", json!({})).await;
        assert_eq!(answer.code(), "UNAUTHENTICATED");
    }
}
