//! Personal data at rest: no file and no table has a clear value in any of the ways that one could be written, and what was
//! tampered with shows as broken in its place, while the rest of the list stands.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        grants,
        raw::Raw,
        ticket::{REVEAL, desk, input, listed, made, search, text, update},
    },
};

/// Every way in which a text could be written.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let utf16: Vec<u16> = text.encode_utf16().collect();
    let mut forms = vec![
        text.as_bytes().to_vec(),
        utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
    ];
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.push(hex.clone().into_bytes());
    forms.push(hex.to_uppercase().into_bytes());
    // In base64 a text looks otherwise at each of three places; what its middle becomes is the same.
    for shift in 0..3 {
        let padded = [vec![b' '; shift], text.as_bytes().to_vec()].concat();
        let whole = &padded[..padded.len() / 3 * 3];
        for code in [STANDARD.encode(whole), URL_SAFE_NO_PAD.encode(whole)] {
            let from = if shift == 0 { 0 } else { 4 };
            forms.push(code.as_bytes()[from..].to_vec());
        }
    }
    forms
}

fn has(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

/// The files of the database, or, where it is a server, all that its tables have, as text.
async fn bytes(app: &TestApp) -> Vec<(String, Vec<u8>)> {
    if let Some(file) = app.url.strip_prefix("sqlite:") {
        let ends = ["", "-wal", "-shm"].map(|end| format!("{file}{end}"));
        let read = ends
            .into_iter()
            .filter_map(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes)));
        return read.collect();
    }
    let dump = Raw::admin(app).await.dump().await;
    dump.into_iter()
        .map(|(table, rows)| (table, rows.join("\n").into_bytes()))
        .collect()
}

fn sealed_of(ticket: &str, is_postgres: bool) -> String {
    let text = if is_postgres { "sealed::text" } else { "sealed" };
    format!("SELECT {text} FROM ticket WHERE number = {ticket}")
}

both! {
    async fn f2_no_file_and_no_table_has_a_clear_value(app) {
        // case: B4
        let service = desk(&app, "desk").await;
        let field = json!({ "serviceId": service.id, "code": "secretName", "type": "TEXT", "texts": [{ "language": "ko", "title": "수취인" }], "isEncrypted": true, "personalKind": "NAME" });
        app.owner().deed("fieldAdd(input: $input)", json!({ "input": field })).await;
        grants::give(app.owner(), "agent", json!({ "isForAllServices": true, "networks": ["127.0.0.1"] })).await;
        let agent = app.someone("acme", "agent");
        let clear = [["010-7391-4682", "unusual.gildong@rare-domain.example", "남궁민수옥"], ["02-8264-9173", "another.rarity@other-domain.example", "황보관우진"], ["010-5550-1934", "third.oddity@third-domain.example", "선우용녀숙"]];
        let given = |values: &[&str; 3]| json!({ "phone": values[0], "mail": values[1], "secretName": values[2] });
        let more = json!({ "idempotencyKey": "key-1" });
        let query = "ticketCreate(input: $input) => ticket { id version }";
        let ticket = agent.deed(query, input(&service, more.clone(), &given(&clear[0]))).await["ticket"].clone();
        agent.deed(query, input(&service, more, &given(&clear[0]))).await;
        let changed = update(agent, &ticket, json!({ "values": listed(&given(&clear[1])), "idempotencyKey": "key-2" })).await;
        assert_eq!(changed["userErrors"], json!([]));
        let shown = agent.payload(REVEAL, json!({ "input": { "ids": [ticket["id"]], "reason": "상담에 필요한 회신입니다" } })).await;
        assert_eq!(shown["tickets"][0]["values"][1]["text"], clear[1][0]);
        assert_eq!(search(agent, &service, json!({ "value": { "code": "phone", "equals": clear[1][0] } })).await, [1]);
        search(agent, &service, json!({ "value": { "code": "phone", "equals": clear[2][0] } })).await;
        // Refused: it has too many characters.
        let wrong = json!({ "phone": format!("{}{}", clear[2][0], "0".repeat(30)), "mail": clear[2][1] });
        assert_eq!(agent.problems("ticketCreate(input: $input)", input(&service, json!({}), &wrong)).await.len(), 1);
        app.run_due().await;

        let all = bytes(&app).await;

        assert!(all.iter().any(|(_, bytes)| has(bytes, "배송 문의".as_bytes())), "what is not personal is seen");
        for text in clear.iter().flatten() {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let national = text.starts_with('0').then_some(digits);
            for text in [Some((*text).to_owned()), national].into_iter().flatten() {
                for form in forms(&text) {
                    for (place, bytes) in &all {
                        assert!(!has(bytes, &form), "{place} has {text} as {:?}", String::from_utf8_lossy(&form));
                    }
                }
            }
        }
    }

    async fn f2_a_value_that_does_not_open_is_a_fault_of_that_value_alone_and_stands_in_the_log(app) {
        // case: B5
        // case: B6
        let service = desk(&app, "desk").await;
        let agent = app.someone("acme", "agent");
        grants::give(app.owner(), "agent", json!({ "isForAllServices": true, "networks": ["127.0.0.1"] })).await;
        let mut tickets = Vec::new();
        for number in 0..6 {
            tickets.push(made(agent, &service, json!({ "phone": format!("010-2345-678{number}") })).await);
            app.wait(Duration::seconds(1));
        }
        let mut raw = Raw::admin(&app).await;
        let is_postgres = raw.is_postgres();
        let mut sealed: Vec<Value> = Vec::new();
        for number in 1..=6 {
            let text = raw.texts(&sealed_of(&number.to_string(), is_postgres)).await.remove(0);
            sealed.push(serde_json::from_str(&text).unwrap());
        }
        let phone = |number: usize| sealed[number - 1]["phone"].as_str().unwrap().to_owned();
        let mut bytes = STANDARD_NO_PAD.decode(phone(2)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        let mut version = STANDARD_NO_PAD.decode(phone(4)).unwrap();
        version[4] = 9;
        let mut put = async |number: usize, value: String| {
            let mut document = sealed[number - 1].clone();
            document["phone"] = json!(value);
            raw.must(&format!("UPDATE ticket SET sealed = '{document}' WHERE number = {number}")).await;
        };
        put(1, phone(3)).await;
        put(2, STANDARD_NO_PAD.encode(&bytes)).await;
        put(4, STANDARD_NO_PAD.encode(&version)).await;
        put(5, "not base64 !".to_owned()).await;

        let query = "query Q($id: ID!) { tickets(serviceId: $id) { nodes { number values { code text fault } } } }";
        let listed = agent.data(query, json!({ "id": service.id })).await;
        let shown = agent.payload(REVEAL, json!({ "input": { "ids": [tickets[1]["id"], tickets[2]["id"]], "reason": "상담에 필요한 회신입니다" } })).await;
        let kept = update(agent, &tickets[1], json!({ "values": [{ "code": "phone", "text": "***-****-****" }] })).await;
        let mended = update(agent, &tickets[1], json!({ "values": [{ "code": "phone", "text": "010-9999-8888" }] })).await;

        let phones: Vec<String> = listed["tickets"]["nodes"].as_array().unwrap().iter().map(|node| {
            let value = node["values"].as_array().unwrap().iter().find(|value| value["code"] == "phone").unwrap();
            assert_eq!(text(node, "mail"), "can**********@private-mail.example");
            format!("{} {} {}", node["number"], value["text"], value["fault"])
        }).collect();
        let broken = |number: u8| format!("{number} null \"UNREADABLE\"");
        assert_eq!(phones, ["6 \"010-****-6785\" null".to_owned(), broken(5), broken(4), "3 \"010-****-6782\" null".to_owned(), broken(2), broken(1)]);
        assert_eq!(shown["tickets"][0]["values"][1], json!({ "code": "phone", "text": null, "fault": "UNREADABLE" }));
        assert_eq!(shown["tickets"][1]["values"][1], json!({ "code": "phone", "text": "010-2345-6782", "fault": null }));
        assert_eq!((kept["userErrors"][0]["code"].as_str(), text(&mended["ticket"], "phone")), (Some("MASKED_VALUE"), "010-****-8888"));
        let log = "{ auditEntries(filter: { outcome: [FAILED] }) { nodes { log action reasonCode actor { name } } } }";
        let mut entries = app.owner().data(log, json!({})).await["auditEntries"]["nodes"].as_array().unwrap().clone();
        entries.sort_by_key(|entry| entry["action"].to_string());
        let entry = |log: &str, action: &str| json!({ "log": log, "action": action, "reasonCode": "VALUE_UNREADABLE", "actor": { "name": "agent (agent)" } });
        assert_eq!(entries, [entry("ACCESS", "TICKET_READ"), entry("PII_GRANT", "TICKET_REVEAL")]);
    }

    async fn f2_without_its_keys_a_list_shows_everything_but_what_they_open(app) {
        let service = desk(&app, "desk").await;
        let agent = app.someone("acme", "agent");
        made(agent, &service, json!({})).await;
        let mut raw = Raw::admin(&app).await;
        let one = if raw.is_postgres() { r"'\x01'::bytea" } else { "X'01'" };
        raw.must(&format!("UPDATE data_key SET wrapped = {one} WHERE purpose = 'field value'")).await;

        let query = "query Q($id: ID!) { tickets(serviceId: $id) { nodes { values { code text fault } } } }";
        let data = agent.data(query, json!({ "id": service.id })).await;

        let node = &data["tickets"]["nodes"][0];
        assert_eq!((text(node, "subject"), text(node, "mail")), ("배송 문의", "-"));
        assert!(node.to_string().contains("UNREADABLE"));
        let refused = agent.ask("mutation M($input: TicketCreateInput!) { ticketCreate(input: $input) { userErrors { code } } }", input(&service, json!({}), &json!({}))).await;
        assert_eq!(refused.code(), "INTERNAL", "what could not be opened later is not sealed: {}", refused.text);
    }
}
