//! Reading the logs is logged: who read which, with what filter, how many rows, from where; once for each read, and never
//! because of itself.

use serde_json::{Value, json};

use crate::{
    both,
    support::{app::TestApp, grants, make, people, raw::Raw},
};

/// The entries of reads in Acme's log of access, the oldest first, as the database has them.
async fn reads(app: &TestApp) -> Vec<Value> {
    let sql = "SELECT changes FROM audit_entry WHERE log = 'ACCESS' AND action = 'AUDIT_READ' ORDER BY sequence";
    let rows = Raw::admin(app).await.texts(sql).await;
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// What a read tells: the log, what was asked for, and how many rows came.
fn told(changes: &Value) -> (String, Value, u64) {
    let after = |place: usize| changes[place]["after"].as_str().unwrap();
    let log = changes[0]["record"].as_str().unwrap().to_owned();
    (log, serde_json::from_str(after(0)).unwrap(), after(1).parse().unwrap())
}

both! {
    async fn l6_each_read_of_a_log_leaves_an_entry(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        people::join(&app, "holder", false).await;
        people::employ(&app, "desk", "holder", false).await;
        grants::give(app.owner(), "holder", json!({ "serviceIds": [desk.id] })).await;
        assert_eq!(reads(&app).await, Vec::<Value>::new());
        let token = app.administrator().token().await;
        let ask = async |query: &str, variables: Value| {
            let answer = app.ask_from([203, 0, 113, 7], "ko", Some(&token), query, variables).await;
            assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
            answer.json["data"].clone()
        };

        let entries = ask("query Q($log: [AuditLog!]) { auditEntries(first: 3, filter: { log: $log }) { nodes { id } } }", json!({ "log": ["MANAGEMENT"] })).await;
        ask(r#"{ permissionChanges(filter: { login: "holder" }) { nodes { id entry { id } } } }"#, json!({})).await;
        ask("{ piiGrantChanges { totalCount nodes { id } } }", json!({})).await;
        ask("query Q($id: ID!) { node(id: $id) { id } }", json!({ "id": entries["auditEntries"]["nodes"][0]["id"] })).await;
        ask(r#"{ auditReview(firstDay: "2026-11-10", lastDay: "2026-11-10") { entryCount } }"#, json!({})).await;

        let told: Vec<_> = reads(&app).await.iter().map(told).collect();
        let names: Vec<&str> = told.iter().map(|(log, ..)| log.as_str()).collect();
        assert_eq!(names, ["AUDIT_ENTRIES", "PERMISSION_CHANGES", "PII_GRANT_CHANGES", "AUDIT_ENTRIES", "AUDIT_REVIEW"]);
        assert_eq!(told[0].1, json!({ "filter": { "log": ["MANAGEMENT"] }, "first": 3 }), "variables are filled in");
        assert_eq!(told[0].2, 2, "rows that came");
        assert_eq!(told[1].1["filter"]["login"], "holder");
        assert_eq!(told[3].1, json!([entries["auditEntries"]["nodes"][0]["id"]]));
        assert!(told[1].2 > 0 && told[2].2 == 1 && told[3].2 == 1, "{told:?}");
        let query = "{ auditEntries(filter: { action: [AUDIT_READ] }) { totalCount nodes { log outcome address actor { kind name } requestReference } } }";
        let log = app.owner().data(query, json!({})).await["auditEntries"].clone();
        assert_eq!(log["totalCount"], 5);
        let mut first = log["nodes"][0].clone();
        assert!(!first["requestReference"].as_str().unwrap().is_empty());
        first["requestReference"].take();
        assert_eq!(first, json!({ "log": "ACCESS", "outcome": "DONE", "address": "203.0.113.7", "actor": { "kind": "MEMBER", "name": "조직관리자 (admin)" }, "requestReference": null }));
    }

    async fn l6_a_read_leaves_one_entry_however_often_it_is_repeated_and_none_for_itself(app) {
        let token = app.owner().token().await;
        let before = Raw::admin(&app).await.count("audit_entry").await;
        for _ in 0..10 {
            let answer = app.ask(Some(&token), "{ auditEntries(filter: { log: [ACCESS] }) { nodes { id } } }", json!({})).await;
            assert_eq!(answer.code(), "none");
        }
        let twice = "{ a: auditEntries { nodes { id } } b: auditEntries(last: 1) { nodes { id } } }";
        app.ask(Some(&token), twice, json!({})).await;
        assert_eq!(Raw::admin(&app).await.count("audit_entry").await, before + 12);
        assert_eq!(crate::audit::breaks(&app).await, Vec::<String>::new());
    }

    async fn l6_who_may_not_read_leaves_his_refusal_and_what_is_no_log_leaves_nothing(app) {
        assert_eq!(app.member().ask("{ auditEntries { nodes { id } } }", json!({})).await.code(), "FORBIDDEN");
        app.owner().data("{ services { nodes { id } } organization { members { nodes { name } } } }", json!({})).await;
        let rows = Raw::admin(&app).await.texts("SELECT outcome FROM audit_entry WHERE action = 'AUDIT_READ'").await;
        assert_eq!(rows, ["DENIED"]);
    }

    async fn l6_a_filter_is_as_long_as_it_says_and_no_longer(app) {
        let query = "query Q($filter: AuditEntryFilter) { auditEntries(filter: $filter) { totalCount } }";
        let of = |more: usize| [
            json!({ "log": vec!["EXTRACTION"; 10 + more] }),
            json!({ "action": vec!["AUDIT_PURGE"; 50 + more] }),
            json!({ "outcome": vec!["DENIED"; 10 + more] }),
            json!({ "address": "x".repeat(50 + more) }),
        ];
        for filter in of(0) {
            let found = app.owner().data(query, json!({ "filter": filter })).await;
            assert_eq!(found["auditEntries"]["totalCount"], 0, "{filter}");
        }
        for filter in of(1) {
            assert_eq!(app.owner().ask(query, json!({ "filter": filter })).await.code(), "BAD_USER_INPUT", "{filter}");
        }
    }

    async fn l6_the_entry_counts_apart_from_what_was_asked_for(app) {
        let token = app.owner().token().await;
        let before = app.app.database.statements();
        app.ask(Some(&token), "{ auditEntries { nodes { id } } }", json!({})).await;
        let took = app.app.database.statements() - before;
        assert_eq!(reads(&app).await.len(), 1);
        assert!(took <= 2, "the session's check and the page: {took}");
    }
}
