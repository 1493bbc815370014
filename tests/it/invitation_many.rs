//! Inviting many at once: a result for each, what is good is kept, and one entry in the log that names them all.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, codes},
        invite::{self, made},
        ledger::texts,
        raw::Raw,
    },
};

const FIELD: &str = "memberInviteMany(input: $input) => results { index invitation { id login name email language state delivery } userErrors { code field message availableAt } }";

async fn many(app: &TestApp, input: Value) -> Value {
    app.owner().payload(FIELD, json!({ "input": input })).await
}

/// What came of each entry: its login ID, or what was wrong.
fn results(payload: &Value) -> Vec<Result<String, Vec<String>>> {
    let results = payload["results"]
        .as_array()
        .unwrap_or_else(|| panic!("{payload}"))
        .iter();
    results
        .enumerate()
        .map(|(place, result)| {
            assert_eq!(result["index"], json!(place));
            match result["invitation"]["login"].as_str() {
                Some(login) => Ok(login.to_owned()),
                None => Err(codes(result)),
            }
        })
        .collect()
}

both! {
    async fn a5_what_is_wrong_with_one_keeps_no_other_back(app) {
        made(app.owner(), "invited").await;
        let entries = json!([
            invite::input("first"),
            { "login": "member", "name": "Name", "email": "other@example.com" },
            { "login": "No", "name": "", "email": "x" },
            { "login": "first", "name": "Name", "email": "FIRST@example.com" },
            { "login": "invited", "name": "Name", "email": "Owner@example.com" },
            { "login": " last ", "name": " Last ", "email": " last@example.com " },
        ]);
        let payload = many(&app, json!({ "entries": entries })).await;
        app.run_due().await;

        assert_eq!(codes(&payload), Vec::<String>::new());
        let at = |entry: usize, code: &str, field: &str| format!("{code} at input.entries.{entry}.{field}");
        assert_eq!(
            results(&payload),
            [
                Ok("first".to_owned()),
                Err(vec![at(1, "ALREADY_MEMBER", "login")]),
                Err(vec![at(2, "BLANK", "name"), at(2, "INVALID", "login"), at(2, "INVALID", "email")]),
                Err(vec![at(3, "DUPLICATE", "login"), at(3, "DUPLICATE", "email")]),
                Err(vec![at(4, "ALREADY_INVITED", "login"), at(4, "ALREADY_MEMBER", "email")]),
                Ok("last".to_owned()),
            ]
        );
        assert_eq!(payload["results"][0]["invitation"]["language"], "ENGLISH");
        let mut to: Vec<_> = app.letters().iter().map(|letter| format!("{} <{}>", letter.to.name, letter.to.email)).collect();
        to.sort();
        assert_eq!(to, ["Last <last@example.com>", "Name of first <first@example.com>", "Name of invited <invited@example.com>"]);
    }

    async fn a5_a_hundred_are_one_entry_in_the_log_that_names_each(app) {
        let entries: Vec<Value> = (0..100).map(|place| invite::input(&format!("agent.{place}"))).collect();
        let payload = many(&app, json!({ "entries": entries })).await;

        assert!(results(&payload).iter().all(Result::is_ok));
        let log = "{ auditEntries(filter: { action: [MEMBER_INVITE_MANY] }) { totalCount nodes { changes { record key field after } } } }";
        let data = app.owner().data(log, json!({})).await;
        assert_eq!(data["auditEntries"]["totalCount"], 1);
        let changes = data["auditEntries"]["nodes"][0]["changes"].as_array().unwrap();
        for (place, result) in payload["results"].as_array().unwrap().iter().enumerate() {
            for (field, value) in [("login", format!("\"agent.{place}\"")), ("email", format!("\"agent.{place}@example.com\"")), ("name", format!("\"Name of agent.{place}\""))] {
                let change = json!({ "record": "invitation", "key": result["invitation"]["id"], "field": field, "after": value });
                assert!(changes.contains(&change), "{change}");
            }
        }
        assert!(changes.iter().all(|change| change["record"] == "invitation"), "nothing drowns them");
        assert_eq!(texts(&app, "SELECT DISTINCT state FROM invitation").await, ["PENDING"]);
    }

    async fn a5_an_empty_list_and_one_that_is_too_long_are_refused_as_a_whole(app) {
        let empty = many(&app, json!({ "entries": [] })).await;
        let entries: Vec<Value> = (0..101).map(|place| invite::input(&format!("agent.{place}"))).collect();
        let long = many(&app, json!({ "entries": entries })).await;

        assert_eq!((codes(&empty), &empty["results"]), (vec!["BLANK at input.entries".to_owned()], &json!([])));
        assert_eq!((codes(&long), &long["results"]), (vec!["TOO_MANY at input.entries".to_owned()], &json!([])));
        assert_eq!(texts(&app, "SELECT login FROM invitation").await, Vec::<String>::new());
    }

    // case: I6
    async fn a5_a_repetition_answers_as_the_first_time_and_a_dry_run_leaves_nothing(app) {
        let entries = json!([invite::input("first"), { "login": "No", "name": "x".repeat(101), "email": "x" }, invite::input("member")]);
        let mut raw = Raw::admin(&app).await;
        let before = raw.dump().await;
        let tried = many(&app, json!({ "entries": entries, "dryRun": true })).await;
        let after = raw.dump().await;
        let done = many(&app, json!({ "entries": entries, "idempotencyKey": "key" })).await;
        let again = many(&app, json!({ "entries": entries, "idempotencyKey": "key" })).await;
        app.run_due().await;

        for table in ["invitation", "invitation_mailing", "job_outbox", "idempotency"] {
            assert_eq!(before[table], after[table], "{table}");
        }
        assert_eq!(results(&tried), results(&done));
        assert_eq!(again, done, "messages and all");
        assert_eq!(app.letters().len(), 1);
    }
}
