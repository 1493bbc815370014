//! Finding tickets: by what they are and by what a value is; an encrypted value by exact match only, however it is
//! written, and not as often as a machine would try.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who},
        make::Made,
        people,
        raw::Raw,
        ticket::{self, CREATE, desk, input, made, search},
    },
};

const LIST: &str = "query Q($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $filter: TicketFilter) {
    tickets(serviceId: $id, first: $first, after: $after, last: $last, before: $before, filter: $filter) {
      totalCount nodes { number values { code text } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn by(who: Who<'_>, desk: &Made, code: &str, how: &str, text: &str) -> Vec<i64> {
    search(who, desk, json!({ "value": { "code": code, how: text } })).await
}

async fn refusal(who: Who<'_>, desk: &Made, filter: Value) -> String {
    let answer = who.ask(LIST, json!({ "id": desk.id, "filter": filter })).await;
    answer.code().to_owned()
}

/// Tickets with these values, a second apart, the first with number 1.
async fn fill(app: &TestApp, desk: &Made, all: &[Value]) {
    for values in all {
        made(app.someone("acme", "agent"), desk, values.clone()).await;
        app.wait(Duration::seconds(1));
    }
}

both! {
    async fn f3_an_encrypted_value_is_found_by_exact_match_however_it_is_written(app) {
        // case: B12
        let service = desk(&app, "desk").await;
        let other = desk(&app, "other").await;
        fill(&app, &service, &[
            json!({ "phone": "010-2345-6789", "mail": "CanaryKestrel@Private-Mail.Example" }), json!({ "phone": "+82 10 2345 6789" }), json!({ "phone": "010-2345-6780" }), json!({}),
        ]).await;
        fill(&app, &other, &[json!({ "phone": "010-2345-6789" })]).await;
        let agent = app.someone("acme", "agent");

        for written in ["010-2345-6789", "01023456789", "+82-10-2345-6789", " 010 2345 6789 ", "０１０２３４５６７８９"] {
            assert_eq!(by(agent, &service, "phone", "equals", written).await, [2, 1], "{written}");
        }
        assert_eq!(by(agent, &service, "mail", "equals", "canarykestrel@private-mail.EXAMPLE").await, [4, 3, 2, 1]);
        assert_eq!(by(agent, &service, "phone", "equals", "010-****-6789").await, [0_i64; 0]);
        assert_eq!(by(agent, &service, "phone", "equals", "010-2345-678").await, [0_i64; 0]);
        assert_eq!(by(agent, &other, "phone", "equals", "010-2345-6789").await, [1]);
        let begins = json!({ "value": { "code": "phone", "beginsWith": "010-2345" } });
        assert_eq!(refusal(agent, &service, begins).await, "BAD_USER_INPUT");
        let mut tokens = Raw::admin(&app).await;
        let hex = if tokens.is_postgres() { "encode(t.term, 'hex')" } else { "hex(t.term)" };
        let of_phones = tokens.texts(&format!("SELECT DISTINCT {hex} FROM ticket_term t JOIN field f ON f.id = t.field_id WHERE f.code = 'phone'")).await;
        assert_eq!(of_phones.len(), 3, "the same number has another token in each service: {of_phones:?}");
    }

    async fn f3_an_encrypted_value_that_changes_is_found_as_it_is_now(app) {
        let service = desk(&app, "desk").await;
        fill(&app, &service, &[json!({ "phone": "010-2345-6789", "typeOne": "가방" })]).await;
        let agent = app.someone("acme", "agent");
        let data = agent.data("query Q($id: ID!) { tickets(serviceId: $id) { nodes { id version } } }", json!({ "id": service.id })).await;
        let ticket = data["tickets"]["nodes"][0].clone();

        ticket::update(agent, &ticket, json!({ "values": [{ "code": "phone", "text": "010-1111-2222" }, { "code": "typeOne" }] })).await;

        assert_eq!(by(agent, &service, "phone", "equals", "010-2345-6789").await, [0_i64; 0]);
        assert_eq!(by(agent, &service, "phone", "equals", "010-1111-2222").await, [1]);
        assert_eq!(by(agent, &service, "typeOne", "equals", "가방").await, [0_i64; 0]);
        assert_eq!(by(agent, &service, "subject", "equals", "배송 문의").await, [1], "what was not given is found as before");
    }

    async fn f3_texts_are_found_by_what_they_are_or_begin_with(app) {
        let service = desk(&app, "desk").await;
        let long = "아주 긴 제목 ".repeat(12);
        fill(&app, &service, &[
            json!({ "typeOne": "정수기 A-1" }), json!({ "typeOne": "정수기 a-2" }), json!({ "typeOne": "공기청정기" }), json!({ "subject": long }), json!({ "subject": format!("{long}끝") }),
        ]).await;
        let agent = app.someone("acme", "agent");

        assert_eq!(by(agent, &service, "typeOne", "equals", "정수기  Ａ-1").await, [1]);
        assert_eq!(by(agent, &service, "typeOne", "equals", "정수기").await, [0_i64; 0]);
        assert_eq!(by(agent, &service, "typeOne", "beginsWith", "정수").await, [2, 1]);
        assert_eq!(by(agent, &service, "typeOne", "beginsWith", "정수기 A").await, [2, 1]);
        assert_eq!(by(agent, &service, "typeOne", "beginsWith", "청정").await, [0_i64; 0], "the beginning, not the middle");
        assert_eq!(by(agent, &service, "subject", "equals", &long).await, [4]);
        assert_eq!(by(agent, &service, "subject", "beginsWith", "아주 긴").await, [5, 4]);
        assert_eq!(by(agent, &service, "category", "equals", "기타").await, [5, 4, 3, 2, 1]);
        for value in [
            json!({ "code": "content", "equals": "언제" }), json!({ "code": "none", "equals": "x" }), json!({ "code": "typeOne" }), json!({ "code": "typeOne", "equals": "a", "beginsWith": "ab" }),
            json!({ "code": "typeOne", "equals": "" }), json!({ "code": "typeOne", "beginsWith": "정" }), json!({ "code": "typeOne", "equals": "x".repeat(201) }),
            json!({ "code": "typeOne", "equals": "a\u{0}" }), json!({ "code": "typeOne", "beginsWith": "x".repeat(49) }),
        ] {
            assert_eq!(refusal(agent, &service, json!({ "value": value })).await, "BAD_USER_INPUT", "{value}");
        }
    }

    async fn f3_conditions_are_joined_and_a_span_is_half_a_year_at_most(app) {
        let service = desk(&app, "desk").await;
        let agent = app.someone("acme", "agent");
        let own = people::member(app.owner(), "agent").await;
        for (more, values) in [
            (json!({ "receivedAt": "2026-04-01T00:00:00Z", "externalReference": "old" }), json!({})), (json!({ "receivedAt": "2026-06-01T00:00:00Z", "channel": "EMAIL" }), json!({ "typeOne": "가방" })),
            (json!({ "assigneeId": own["id"], "channel": "EMAIL" }), json!({ "typeOne": "가방" })), (json!({ "assigneeId": own["id"], "status": "SOLVED" }), json!({ "typeOne": "가방" })), (json!({ "status": "CLOSED" }), json!({})),
        ] {
            agent.deed(CREATE, input(&service, more, &values)).await;
            app.wait(Duration::seconds(1));
        }
        let found = |filter: Value| search(agent, &service, filter);

        assert_eq!(found(json!({})).await, [5, 4, 3, 2], "the last six months");
        assert_eq!(found(json!({ "receivedAt": { "from": "2026-04-01T00:00:00Z", "to": "2026-10-02T00:00:00Z" } })).await, [2, 1]);
        assert_eq!(found(json!({ "receivedAt": { "to": "2026-04-02T00:00:00Z" } })).await, [1]);
        assert_eq!(refusal(agent, &service, json!({ "receivedAt": { "from": "2026-04-01T00:00:00Z", "to": "2026-10-02T00:00:01Z" } })).await, "BAD_USER_INPUT");
        assert_eq!(refusal(agent, &service, json!({ "receivedAt": { "from": "2026-04-01T00:00:00Z" } })).await, "BAD_USER_INPUT");
        assert_eq!(found(json!({ "externalReference": "old" })).await, [1], "what is named is found whenever it came");
        assert_eq!(found(json!({ "number": 1 })).await, [1]);
        assert_eq!(found(json!({ "status": ["SOLVED", "CLOSED", "SOLVED"] })).await, [5, 4]);
        assert_eq!(found(json!({ "status": [] })).await, [0_i64; 0]);
        assert_eq!(found(json!({ "channel": "EMAIL" })).await, [3, 2]);
        assert_eq!(found(json!({ "assigneeId": own["id"] })).await, [4, 3]);
        assert_eq!(found(json!({ "assigneeId": "mbr_none" })).await, [0_i64; 0]);
        let bag = json!({ "code": "typeOne", "beginsWith": "가방" });
        assert_eq!(found(json!({ "value": bag })).await, [4, 3, 2]);
        assert_eq!(found(json!({ "value": bag, "status": ["OPEN", "SOLVED"], "assigneeId": own["id"], "receivedAt": { "from": "2026-11-01T00:00:00Z" } })).await, [4, 3]);
        assert_eq!(found(json!({ "value": bag, "status": [] })).await, [0_i64; 0]);
    }

    async fn f3_pages_go_by_cursor_in_both_directions_also_along_a_value(app) {
        let service = desk(&app, "desk").await;
        let agent = app.someone("acme", "agent");
        for number in 0..7 {
            made(agent, &service, json!({ "typeOne": if number % 7 == 3 { "다른 것" } else { "같은 것" } })).await;
            if number % 2 == 0 {
                app.wait(Duration::seconds(1));
            }
        }
        for (filter, all) in [(json!({}), 7), (json!({ "value": { "code": "typeOne", "equals": "같은 것" } }), 6), (json!({ "value": { "code": "typeOne", "beginsWith": "같은" } }), 6), (json!({ "status": ["NEW", "OPEN"] }), 7)] {
            let whole = search(agent, &service, filter.clone()).await;
            assert_eq!(whole.len(), all);
            for (size, cursor, way) in [("first", "after", "endCursor"), ("last", "before", "startCursor")] {
                let (mut seen, mut at) = (Vec::new(), Value::Null);
                loop {
                    let page = agent.data(LIST, json!({ "id": service.id, size: 2, cursor: at, "filter": filter })).await["tickets"].clone();
                    let numbers: Vec<i64> = page["nodes"].as_array().unwrap().iter().map(|node| node["number"].as_i64().unwrap()).collect();
                    assert_eq!(page["totalCount"], all);
                    let more = if size == "first" { &page["pageInfo"]["hasNextPage"] } else { &page["pageInfo"]["hasPreviousPage"] };
                    seen = if size == "first" { [seen, numbers].concat() } else { [numbers, seen].concat() };
                    at = page["pageInfo"][way].clone();
                    if *more == json!(false) {
                        break;
                    }
                }
                assert_eq!(seen, whole, "{filter} {size}");
            }
        }
        let other = desk(&app, "other").await;
        let page = agent.data(LIST, json!({ "id": service.id, "first": 1 })).await;
        let foreign = agent.ask(LIST, json!({ "id": other.id, "first": 1, "after": page["tickets"]["pageInfo"]["endCursor"] })).await;
        assert_eq!(foreign.code(), "BAD_USER_INPUT", "a cursor is one service's");
    }

    async fn f3_whoever_tries_one_number_after_the_other_is_stopped(app) {
        // case: B13
        let service = desk(&app, "desk").await;
        fill(&app, &service, &[json!({ "phone": "010-2345-6789" })]).await;
        let (agent, manager) = (app.someone("acme", "agent"), app.someone("acme", "manager"));
        let token = agent.token().await;
        let ask = async |number: u32| {
            let filter = json!({ "value": { "code": "phone", "equals": format!("010-0000-{number:04}") } });
            app.ask(Some(&token), LIST, json!({ "id": service.id, "filter": filter })).await.code().to_owned()
        };
        let mut answers = Vec::new();
        for number in 0..40 {
            answers.push(ask(number).await);
        }

        assert_eq!(answers.iter().filter(|code| *code == "none").count(), 30);
        assert!(answers[30..].iter().all(|code| code == "THROTTLED"), "{answers:?}");
        assert_eq!(by(agent, &service, "subject", "equals", "배송 문의").await, [1], "what is not personal is looked for as before");
        assert_eq!(by(manager, &service, "phone", "equals", "010-2345-6789").await, [1], "each counts for himself");
        app.wait(Duration::seconds(61));
        assert_eq!(by(agent, &service, "phone", "equals", "010-2345-6789").await, [1]);
        let denied = app.owner().data("{ auditEntries(filter: { outcome: [DENIED] }) { nodes { action reasonCode actor { name } } } }", json!({})).await;
        assert_eq!(denied["auditEntries"]["nodes"], json!([{ "action": "TICKET_READ", "reasonCode": "SEARCH_THROTTLED", "actor": { "name": "agent (agent)" } }]));
    }

    async fn f3_a_search_takes_three_statements_with_the_values_of_all_its_tickets(app) {
        let service = desk(&app, "desk").await;
        let agent = app.someone("acme", "agent");
        let token = agent.token().await;
        let count = async |filter: Value| {
            let before = app.app.database.statements();
            let query = LIST.replace("totalCount", "");
            let answer = app.ask(Some(&token), &query, json!({ "id": service.id, "first": 100, "filter": filter })).await;
            assert_eq!(answer.code(), "none", "{}", answer.text);
            // The check of the session is one more.
            app.app.database.statements() - before - 1
        };
        let filters = [json!({}), json!({ "status": ["NEW"] }), json!({ "value": { "code": "typeOne", "equals": "가나다" } }), json!({ "value": { "code": "typeOne", "beginsWith": "가나" } })];
        let mut counts = Vec::new();
        for tickets in [1, 12] {
            for _ in 0..tickets {
                made(agent, &service, json!({ "typeOne": "가나다", "phone": "010-2345-6789" })).await;
            }
            for filter in &filters {
                counts.push(count(filter.clone()).await);
            }
        }
        // A personal value is counted first, which takes two.
        let personal = count(json!({ "value": { "code": "phone", "equals": "010-2345-6789" } })).await;

        assert_eq!(counts, [3; 8]);
        assert!(personal <= 5, "{personal}");
    }
}
