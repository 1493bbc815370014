//! 개인정보 조회: what is masked in every query is shown in clear by one mutation, to whoever holds a grant, from where it
//! holds; each look stands in the log before it leaves, and so does each refusal.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, codes},
        grants,
        make::{self, Made},
        people,
        raw::Raw,
        ticket::{REVEAL, desk, made, seen},
    },
};

const INSIDE: &str = "203.0.113.9";
const REASON: &str = "배송지 정정 상담을 위한 회신";

/// Asks from an address.
async fn ask(app: &TestApp, login: &str, address: &str, query: &str, variables: Value) -> Answer {
    let token = app.someone("acme", login).token().await;
    app.ask_at(address.parse().unwrap(), "ko", Some(&token), query, variables)
        .await
}

/// `ticketReveal` from an address: its payload.
async fn reveal(app: &TestApp, login: &str, address: &str, ids: &[&Value], reason: &str) -> Value {
    let (head, fields) = REVEAL.split_once(" => ").unwrap();
    let query = format!(
        "mutation M($input: TicketRevealInput!) {{ {head} {{ {fields} userErrors {{ code field message }} }} }}"
    );
    let answer = ask(
        app,
        login,
        address,
        &query,
        json!({ "input": { "ids": ids, "reason": reason } }),
    )
    .await;
    assert_eq!(answer.code(), "none", "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer.json["data"]["ticketReveal"].clone()
}

/// The entries of reveals in the log, newest first.
async fn log(app: &TestApp) -> Vec<Value> {
    let query = "{ auditEntries(first: 50, filter: { log: [PII_GRANT], action: [TICKET_REVEAL] }) { nodes { outcome reasonCode address subjects
        actor { name } target { reference } changes { record key field after } } } }";
    app.owner().data(query, json!({})).await["auditEntries"]["nodes"]
        .as_array()
        .unwrap()
        .clone()
}

/// Two services, and the agent's grant for the first.
async fn granted(app: &TestApp) -> (Made, Made, Value) {
    let (service, other) = (desk(app, "desk").await, desk(app, "other").await);
    let grant = grants::give(app.owner(), "agent", json!({ "serviceIds": [service.id] })).await;
    (service, other, grant)
}

both! {
    async fn i2_a_reveal_shows_all_that_was_asked_for_and_the_log_says_so_first(app) {
        let (service, ..) = granted(&app).await;
        let agent = app.someone("acme", "agent");
        let first = made(agent, &service, json!({ "phone": "010-2345-6789", "mail": "gildong@example.com" })).await;
        let second = made(agent, &service, json!({ "mail": "other@example.com" })).await;

        let shown = reveal(&app, "agent", INSIDE, &[&second["id"], &first["id"]], &format!(" {REASON} ")).await;

        let of = |ticket: &Value, values: Value| json!({ "ticket": { "id": ticket["id"], "number": ticket["number"] }, "values": values });
        let value = |code: &str, text: &str| json!({ "code": code, "text": text, "fault": null });
        assert_eq!(shown, json!({ "userErrors": [], "tickets": [
            of(&second, json!([value("mail", "other@example.com")])), of(&first, json!([value("mail", "gildong@example.com"), value("phone", "010-2345-6789")])),
        ] }));
        let entries = log(&app).await;
        assert_eq!(entries.len(), 1);
        let entry = &entries[0];
        assert_eq!((&entry["outcome"], &entry["address"], &entry["actor"]["name"]), (&json!("DONE"), &json!(INSIDE), &json!("agent (agent)")));
        assert_eq!(entry["subjects"], json!([second["id"], first["id"]]), "whose data");
        assert_eq!(entry["changes"], json!([
            { "record": "reason", "key": "*", "field": "reason", "after": format!("\"{REASON}\"") },
            { "record": "ticket", "key": second["id"], "field": "revealed", "after": "[\"mail\"]" },
            { "record": "ticket", "key": first["id"], "field": "revealed", "after": "[\"mail\",\"phone\"]" },
        ]));
        assert_eq!(seen(agent, &first).await, first, "queries stay masked");
    }

    async fn i2_without_one_of_the_conditions_a_reveal_is_refused_with_its_reason_and_logged(app) {
        // case: B1
        let (service, other, grant) = granted(&app).await;
        let agent = app.someone("acme", "agent");
        let [here, there] = [made(agent, &service, json!({})).await, made(agent, &other, json!({})).await];
        let outcome = async |login: &str, address: &str, ids: &[&Value]| {
            app.wait(Duration::seconds(61));
            let payload = reveal(&app, login, address, ids, REASON).await;
            assert_eq!(payload["tickets"].as_array().unwrap().is_empty(), payload["userErrors"] != json!([]), "{payload}");
            codes(&payload).join(", ")
        };

        let mut told = Vec::new();
        for (login, address, ids) in [
            ("agent", INSIDE, vec![&here["id"]]), ("agent", "::ffff:203.0.113.9", vec![&here["id"]]), ("agent", "203.0.114.9", vec![&here["id"]]), ("agent", "::ffff:203.0.114.9", vec![&here["id"]]),
            ("agent", "2001:db8::1", vec![&here["id"]]), ("agent", INSIDE, vec![&there["id"]]), ("agent", INSIDE, vec![&here["id"], &there["id"]]), ("manager", INSIDE, vec![&here["id"]]), ("owner", INSIDE, vec![&here["id"]]),
        ] {
            told.push(outcome(login, address, &ids).await);
        }
        let member = people::member(app.owner(), "agent").await;
        app.owner().deed(people::UPDATE, people::on(&member, json!({ "email": "another@example.com" }))).await;
        told.push(outcome("agent", INSIDE, &[&here["id"]]).await);
        grants::revoke(app.owner(), &grant, json!({})).await;
        told.push(outcome("agent", INSIDE, &[&here["id"]]).await);
        grants::give(app.owner(), "agent", json!({ "isForAllServices": true, "validUntil": "2026-11-10T04:00:00Z" })).await;
        app.go_to("2026-11-10T04:00:00Z");
        told.push(outcome("agent", INSIDE, &[&here["id"]]).await);

        assert_eq!(told, [
            "", "", "PII_ADDRESS_NOT_ALLOWED at input.ids.0", "PII_ADDRESS_NOT_ALLOWED at input.ids.0", "PII_ADDRESS_NOT_ALLOWED at input.ids.0", "PII_OUT_OF_SCOPE at input.ids.0",
            "PII_OUT_OF_SCOPE at input.ids.1", "PII_NO_GRANT at input.ids.0", "NOT_FOUND at input.ids.0", "EMAIL_DIFFERS at input.ids.0", "PII_NO_GRANT at input.ids.0", "PII_GRANT_ENDED at input.ids.0",
        ]);
        let entries = log(&app).await;
        let reasons: Vec<&str> = entries.iter().rev().map(|entry| entry["reasonCode"].as_str().unwrap_or("-")).collect();
        assert_eq!(reasons, ["-", "-", "ADDRESS_NOT_ALLOWED", "ADDRESS_NOT_ALLOWED", "ADDRESS_NOT_ALLOWED", "OUT_OF_SCOPE", "OUT_OF_SCOPE", "NO_GRANT", "NO_RIGHT", "EMAIL_DIFFERS", "NO_GRANT", "EXPIRED"]);
        assert!(entries.iter().all(|entry| (entry["outcome"] == "DONE") == entry["reasonCode"].is_null() && (entry["outcome"] == "DENIED") != entry["reasonCode"].is_null()));
        assert!(entries.iter().filter(|entry| entry["outcome"] == "DENIED").all(|entry| entry["subjects"] == json!([])), "nobody's data were shown");
    }

    async fn i2_queries_lists_searches_and_errors_stay_masked_with_a_grant_too(app) {
        let (service, ..) = granted(&app).await;
        let agent = app.someone("acme", "agent");
        let ticket = made(agent, &service, json!({ "phone": "010-2345-6789", "mail": "gildong@example.com" })).await;
        let values = "values { code text }";
        for (query, variables) in [
            (format!("query Q($id: ID!) {{ node(id: $id) {{ ... on Ticket {{ {values} }} }} }}"), json!({ "id": ticket["id"] })),
            (format!("query Q($id: ID!) {{ tickets(serviceId: $id) {{ nodes {{ {values} }} edges {{ node {{ {values} }} }} }} }}"), json!({ "id": service.id })),
            (format!("query Q($id: ID!) {{ tickets(serviceId: $id, filter: {{ value: {{ code: \"phone\", equals: \"01023456789\" }} }}) {{ nodes {{ {values} }} }} }}"), json!({ "id": service.id })),
            (format!("mutation M($id: ID!) {{ ticketUpdate(id: $id, input: {{ expectedVersion: 9, values: [{{ code: \"phone\", text: \"x\" }}] }}) {{ ticket {{ {values} }} userErrors {{ message }} }} }}"), json!({ "id": ticket["id"] })),
            (format!("mutation M($id: ID!) {{ ticketReveal(input: {{ ids: [$id], reason: \"{REASON}\" }}) {{ tickets {{ ticket {{ {values} }} }} userErrors {{ message }} }} }}"), json!({ "id": ticket["id"] })),
        ] {
            let answer = ask(&app, "agent", INSIDE, &query, variables).await;
            assert_eq!(answer.code(), "none", "{}", answer.text);
            assert!(answer.text.contains("010-****-6789"), "{}", answer.text);
            assert!(!answer.text.contains("2345-6789") && !answer.text.contains("gildong"), "{}", answer.text);
        }
        let order = "{ __type(name: \"TicketFilter\") { inputFields { name } } q: __type(name: \"Query\") { fields { name args { name } } } }";
        let told = app.owner().data(order, json!({})).await;
        let tickets = told["q"]["fields"].as_array().unwrap().iter().find(|field| field["name"] == "tickets").unwrap().clone();
        assert!(!tickets.to_string().contains("orderBy"), "nothing is sorted by a personal value");
    }

    async fn i2_where_the_log_does_not_take_it_nothing_leaves(app) {
        // case: B9
        let (service, ..) = granted(&app).await;
        let ticket = made(app.someone("acme", "agent"), &service, json!({ "phone": "010-2345-6789", "mail": "gildong@example.com" })).await;
        let mut raw = Raw::admin(&app).await;
        raw.must(if raw.is_postgres() {
            "ALTER TABLE audit_entry ADD CHECK (action <> 'TICKET_REVEAL') NOT VALID"
        } else {
            "CREATE TRIGGER full BEFORE INSERT ON audit_entry WHEN new.action = 'TICKET_REVEAL' BEGIN SELECT RAISE(ABORT, 'full'); END"
        }).await;
        let query = format!("mutation M($id: ID!) {{ ticketReveal(input: {{ ids: [$id], reason: \"{REASON}\" }}) {{ tickets {{ values {{ text }} }} userErrors {{ message }} }} }}");

        let answer = ask(&app, "agent", INSIDE, &query, json!({ "id": ticket["id"] })).await;

        assert_eq!(answer.code(), "INTERNAL", "{}", answer.text);
        assert!(!answer.text.contains("2345") && !answer.text.contains("gildong"), "{}", answer.text);
    }

    async fn i2_a_reveal_needs_a_reason_and_names_each_ticket_once(app) {
        // case: B17
        let (service, ..) = granted(&app).await;
        let ticket = made(app.someone("acme", "agent"), &service, json!({})).await;
        let id = &ticket["id"];
        let none = json!("tkt_7zzzzzzzzzzzzzzzzzzzzzzzzz");
        let many: Vec<&Value> = vec![&none; 101];

        for (ids, reason, problems) in [
            (vec![id], "", vec!["BLANK at input.reason"]), (vec![id], "          ", vec!["BLANK at input.reason"]), (vec![id], "아홉 글자입니다", vec!["TOO_SHORT at input.reason"]),
            (vec![id], &*"가".repeat(201), vec!["TOO_LONG at input.reason"]), (vec![id], "배송지 정정\n상담 회신", vec!["INVALID at input.reason"]), (vec![], REASON, vec!["BLANK at input.ids"]),
            (vec![id, id], REASON, vec!["DUPLICATE at input.ids.1"]), (many, REASON, vec!["TOO_MANY at input.ids"]), (vec![id, &none], REASON, vec!["NOT_FOUND at input.ids.1"]),
        ] {
            let payload = reveal(&app, "agent", INSIDE, &ids, reason).await;
            assert_eq!((codes(&payload), &payload["tickets"]), (problems.iter().map(|&text| text.to_owned()).collect(), &json!([])), "{reason}");
        }
        assert_eq!(log(&app).await, Vec::<Value>::new());
        let fields = app.owner().data("{ __type(name: \"TicketRevealInput\") { inputFields { name } } }", json!({})).await;
        assert_eq!(fields["__type"]["inputFields"], json!([{ "name": "ids" }, { "name": "reason" }]), "a reveal is neither repeated nor tried out");
        make::suspend(app.owner(), &service).await;
        let payload = reveal(&app, "agent", INSIDE, &[id], REASON).await;
        assert_eq!(codes(&payload), ["NOT_FOUND at input.ids.0"]);
    }
}
