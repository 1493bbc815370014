//! 탈퇴: what a member leaves behind when he leaves or is removed. Which tables speak of members is asked of the
//! database itself, so that a new one can't be forgotten.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{PASSWORD, TestApp},
        grants, make,
        people::{self, ADD, EXPEL, LEAVE, member, of, on, own},
        raw::Raw,
    },
};

/// The columns that may still name a member who has left, each with why.
const HISTORIES: [(&str, &str, &str); 12] = [
    (
        "extraction",
        "requested_by",
        "which lists he had as files; none is left of them",
    ),
    ("import", "uploaded_by", "which files he sent"),
    ("import", "confirmed_by", "which imports he confirmed"),
    (
        "cti_agent_history",
        "member_id",
        "which CTI ID and number he held, and when",
    ),
    ("pii_grant", "member_id", "what he was granted; it has ended"),
    (
        "session",
        "member_id",
        "when he was signed in, and from where; each has ended",
    ),
    ("invitation", "invited_by", "whom he invited"),
    ("invitation", "member_id", "by which invitation he came"),
    ("organization_admin", "added_by", "whom he made an administrator"),
    ("cti_log_day", "member_id", "on which days he telephoned"),
    (
        "cti_call",
        "member_id",
        "whom he called; it goes with the log of the day",
    ),
    ("ticket", "assignee_id", "which tickets he has done"),
];

/// Every column with a foreign key to a member, with its table.
async fn references(raw: &mut Raw) -> Vec<(String, String)> {
    let sql = if raw.is_postgres() {
        "SELECT k.conrelid::regclass::text || ' ' || a.attname FROM pg_constraint k
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
         WHERE k.contype = 'f' AND k.confrelid = 'member'::regclass AND a.attname <> 'organization_id' ORDER BY 1"
    } else {
        "SELECT t.name || ' ' || k.\"from\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) k
         WHERE t.type = 'table' AND k.\"table\" = 'member' AND k.\"from\" <> 'organization_id' ORDER BY 1"
    };
    let found = raw.texts(sql).await;
    found
        .iter()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(table, column)| (table.to_owned(), column.to_owned()))
        .collect()
}

/// How many rows of a table name the member of this login ID in this column.
async fn rows(raw: &mut Raw, table: &str, column: &str, login: &str) -> u64 {
    let from = format!("{table} WHERE {column} IN (SELECT id FROM member WHERE login = '{login}')");
    raw.count(&from).await
}

/// An administrator with everything that can hang on a member.
async fn laden(app: &TestApp) -> Value {
    people::join(app, "leaver", true).await;
    people::join(app, "friend", false).await;
    for (code, is_manager) in [("desk", true), ("hotline", false)] {
        make::in_use(app.owner(), code, 3).await;
        people::employ(app, code, "leaver", is_manager).await;
    }
    let friend = member(app.owner(), "friend").await;
    app.someone("acme", "leaver").deed(ADD, of(&friend)).await;
    let mut raw = Raw::admin(app).await;
    let bytes = if raw.is_postgres() { r"'\x01'::bytea" } else { "X'01'" };
    let of_leaver = "FROM member WHERE login = 'leaver'";
    for sql in [
        format!("INSERT INTO cti_agent SELECT organization_id, id, 'Leaver', 'leaver', '0101', joined_at, 1 {of_leaver}"),
        format!(
            "INSERT INTO cti_agent_history SELECT id, organization_id, id, 'Leaver', 'leaver', '0101', joined_at, NULL, 'g', NULL {of_leaver}"
        ),
        format!("INSERT INTO second_factor SELECT organization_id, id, {bytes}, joined_at, joined_at, 0 {of_leaver}"),
        format!("INSERT INTO recovery_code SELECT organization_id, id, {bytes}, NULL {of_leaver}"),
        format!("INSERT INTO password_reset SELECT id, organization_id, id, joined_at, joined_at, NULL, NULL, '' {of_leaver}"),
        format!(
            "INSERT INTO identity_provider SELECT id, organization_id, 'p', 'https://p.example', 'c', 'https://p.example/k', 'EdDSA',
               is_owner, is_owner, joined_at, 1 {of_leaver}"
        ),
        format!("INSERT INTO cti_log_day SELECT organization_id, '2026-11-10', id, joined_at {of_leaver}"),
        format!("INSERT INTO cti_call SELECT organization_id, 'call', 'CALL_DIALED', id, '2026-11-10', joined_at, NULL {of_leaver}"),
        format!(
            "INSERT INTO ticket (id, organization_id, service_id, number, channel, status, priority, assignee_id, received_at, is_migrated, plain, sealed, created_at, version)
             SELECT id, organization_id, (SELECT s.id FROM service s WHERE s.organization_id = member.organization_id AND s.code = 'desk'), 1, 'PHONE', 'CLOSED', 'NORMAL',
               id, joined_at, false, '{{}}', '{{}}', joined_at, 1 {of_leaver}"
        ),
        format!("INSERT INTO external_identity SELECT organization_id, id, 'subject', id, joined_at {of_leaver}"),
        format!(
            "INSERT INTO invitation SELECT id, organization_id, 'invited', 'Invited', 'invited', 'invited@example.com', 'KOREAN', is_owner,
               'PENDING', id, joined_at, joined_at, 1, NULL, NULL, id, 1 {of_leaver}"
        ),
        format!(
            "INSERT INTO extraction SELECT id, organization_id, 'MEMBERS', NULL, 'XLSX', is_owner, NULL, NULL, '[]', '{{}}', is_owner, NULL, 'KOREAN', 'READY',
               joined_at, id, '', 'f', 0, 0, 0, '', {bytes}, is_owner, joined_at, joined_at, 0, NULL, 1, 1 {of_leaver}"
        ),
        format!(
            "INSERT INTO import SELECT m.id, m.organization_id, s.id, 'DELETED', 'f', 0, '', {bytes}, m.is_owner, m.joined_at, m.id, NULL, '[]', '[]',
               0, 0, 0, 0, 0, NULL, NULL, 'SKIP_BAD_ROWS', m.joined_at, m.id, m.joined_at, 'Asia/Seoul', NULL, NULL, 0, 0, 0, NULL, 0, 0, 0, 1
             FROM member m JOIN service s ON s.organization_id = m.organization_id WHERE m.login = 'leaver' AND s.code = 'desk'"
        ),
    ] {
        raw.must(&sql).await;
    }
    grants::give(app.owner(), "leaver", json!({ "isForAllServices": true })).await;
    member(app.owner(), "leaver").await
}

async fn sign_in(app: &TestApp, login: &str) -> Value {
    let query = "mutation M($input: SessionStartInput!) { sessionStart(input: $input) { tokens { accessToken refreshToken } userErrors { code } } }";
    let input = json!({ "organization": "acme", "login": login, "password": PASSWORD });
    let answer = app.ask(None, query, json!({ "input": input })).await;
    answer.json["data"]["sessionStart"].clone()
}

both! {
    // case: A9
    // case: D10
    async fn a7_nothing_but_histories_speaks_of_a_member_who_has_left(app) {
        let person = laden(&app).await;
        let mut raw = Raw::admin(&app).await;
        let references = references(&mut raw).await;
        for (table, column) in &references {
            assert!(rows(&mut raw, table, column, "leaver").await > 0, "{table}.{column} refers to members: have `laden` give the leaver a row there");
        }
        for (table, column, _) in HISTORIES {
            assert!(references.contains(&(table.to_owned(), column.to_owned())), "{table}.{column} is no history any more");
        }

        app.owner().deed(EXPEL, on(&person, json!({}))).await;

        for (table, column) in &references {
            let is_history = HISTORIES.iter().any(|history| (history.0, history.1) == (table, column));
            let left = rows(&mut raw, table, column, "leaver").await;
            assert_eq!(left > 0, is_history, "{table}.{column} has {left} rows of a member who has left: its area registers a departure in setup.rs");
        }
        assert_eq!(raw.count("session WHERE ended_at IS NULL AND member_id IN (SELECT id FROM member WHERE login = 'leaver' AND status = 'LEFT')").await, 0);
    }

    async fn a7_each_thing_that_went_stands_in_the_log(app) {
        let person = laden(&app).await;
        let token = app.someone("acme", "leaver").token().await;
        let mut raw = Raw::admin(&app).await;

        app.ask(Some(&token), "mutation M($input: MemberLeaveInput!) { memberLeave(input: $input) { userErrors { code } } }", own(&person)).await;

        let query = "{ auditEntries(first: 2, filter: { action: [MEMBER_LEAVE] }) { totalCount nodes { log outcome actor { name } target { label } changes { record field before after } } } }";
        let entries = app.owner().data(query, json!({})).await["auditEntries"].clone();
        let entry = &entries["nodes"][0];
        assert_eq!((&entries["totalCount"], &entry["log"], &entry["outcome"]), (&json!(1), &json!("PERMISSION"), &json!("DONE")));
        assert_eq!((&entry["actor"]["name"], &entry["target"]["label"]), (&json!("leaver (leaver)"), &json!("leaver")));
        let changes = entry["changes"].as_array().unwrap();
        let gone = |record: &str| changes.iter().filter(|change| change["record"] == record && change["field"].is_null() && change["after"].is_null()).count();
        assert_eq!((gone("agent"), gone("organization administrator"), gone("CTI agent")), (2, 1, 1), "{entry}");
        assert_eq!((gone("second factor"), gone("recovery code"), gone("password reset")), (1, 1, 1), "{entry}");
        let ended = changes.iter().filter(|change| change["record"] == "session" && change["field"] == "endedAt").count();
        assert_eq!(u64::try_from(ended).unwrap(), rows(&mut raw, "session", "member_id", "leaver").await, "{entry}");
        let status = changes.iter().find(|change| change["record"] == "member" && change["field"] == "status").unwrap();
        assert_eq!((&status["before"], &status["after"]), (&json!("\"Active\""), &json!("\"Left\"")));
    }

    // case: D10
    async fn a7_whoever_is_removed_is_out_with_the_next_request(app) {
        let tokens = [sign_in(&app, "member").await, sign_in(&app, "member").await];
        let person = member(app.owner(), "member").await;

        let removed = app.owner().deed(EXPEL, on(&person, json!({}))).await;

        assert_eq!(removed["member"], json!({ "login": "member", "status": "LEFT", "leftAt": "2026-11-10T01:00:00.000Z", "roles": ["MEMBER"], "version": 2 }));
        for started in &tokens {
            let access = started["tokens"]["accessToken"].as_str();
            assert_eq!(app.ask(access, "{ viewer { roles } }", json!({})).await.status, 401);
            let query = "mutation M($input: SessionRefreshInput!) { sessionRefresh(input: $input) { tokens { accessToken } userErrors { code } } }";
            let refreshed = app.ask(None, query, json!({ "input": { "refreshToken": started["tokens"]["refreshToken"] } })).await;
            assert_eq!(refreshed.json["data"]["sessionRefresh"]["userErrors"][0]["code"], "REFRESH_TOKEN_REFUSED");
        }
        assert_eq!(sign_in(&app, "member").await["userErrors"][0]["code"], "CREDENTIALS_REFUSED");
        let again = member(app.owner(), "member").await;
        assert_eq!(app.owner().problems(EXPEL, on(&again, json!({}))).await, ["MEMBER_LEFT at id"]);
    }

    async fn a7_whoever_returns_is_a_new_member_without_what_he_had(app) {
        let old = laden(&app).await;
        app.owner().deed(EXPEL, on(&old, json!({}))).await;

        people::join(&app, "leaver", false).await;

        let new = member(app.owner(), "leaver").await;
        assert_ne!(new["id"], old["id"]);
        assert_eq!((&new["login"], &new["email"], &new["status"], &new["roles"]), (&old["login"], &old["email"], &json!("ACTIVE"), &json!(["MEMBER"])));
        assert!(!sign_in(&app, "leaver").await["tokens"].is_null());
        let viewer = app.someone("acme", "leaver").data("{ viewer { roles member { id } } }", json!({})).await;
        assert_eq!(viewer["viewer"], json!({ "roles": ["MEMBER"], "member": { "id": new["id"] } }));
    }

    async fn a7_the_owner_stays_and_nobody_is_removed_by_himself_or_from_below(app) {
        people::join(&app, "second", true).await;
        let (owner, admin) = (app.owner(), app.administrator());
        let [the_owner, the_admin, second] = [member(owner, "owner").await, member(owner, "admin").await, member(owner, "second").await];
        let theirs = member(app.rival(), "member").await;

        let cases = [
            (owner, LEAVE, own(&the_owner), "OWNER_STAYS at -"),
            (owner, EXPEL, on(&the_owner, json!({})), "NOT_ONESELF at id"),
            (admin, EXPEL, on(&the_admin, json!({})), "NOT_ONESELF at id"),
            (admin, EXPEL, on(&the_owner, json!({})), "OWNER_STAYS at id"),
            (admin, EXPEL, on(&second, json!({})), "ABOVE_OWN_RANK at id"),
            (owner, EXPEL, on(&theirs, json!({})), "NOT_FOUND at id"),
            (admin, LEAVE, json!({ "input": { "expectedVersion": 7 } }), "STALE_VERSION at input.expectedVersion"),
        ];

        for (who, verb, variables, code) in cases {
            assert_eq!(who.problems(verb, variables.clone()).await, [code], "{verb} {variables}");
        }
        assert_eq!(Raw::admin(&app).await.count("member WHERE status = 'LEFT'").await, 0);
    }

    async fn a7_a_departure_that_is_refused_halfway_leaves_everything_as_it_was(app) {
        let person = laden(&app).await;
        let mut raw = Raw::admin(&app).await;
        raw.must("UPDATE member SET is_owner = false WHERE login = 'owner'").await;
        raw.must("DELETE FROM organization_admin WHERE member_id NOT IN (SELECT id FROM member WHERE login = 'leaver')").await;
        let token = app.someone("acme", "leaver").token().await;
        let (places, factors) = (rows(&mut raw, "agent", "member_id", "leaver").await, raw.count("second_factor").await);

        let query = "mutation M($input: MemberLeaveInput!) { memberLeave(input: $input) { userErrors { code } } }";
        let answer = app.ask(Some(&token), query, own(&person)).await;

        assert_eq!(answer.json["data"]["memberLeave"]["userErrors"][0]["code"], "LAST_ADMINISTRATOR", "{}", answer.text);
        assert_eq!((places, factors), (2, 1));
        assert_eq!((rows(&mut raw, "agent", "member_id", "leaver").await, raw.count("second_factor").await), (places, factors));
        assert_eq!(app.ask(Some(&token), "{ viewer { roles } }", json!({})).await.code(), "none");
    }
}
