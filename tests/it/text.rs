//! Texts and numbers as no form sends them: they are kept as they are or refused with a code, on both databases alike,
//! and never end in a fault of the service.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, codes},
        make,
    },
};

/// Sends a body as it is.
async fn raw(app: &TestApp, token: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept-language", "en")
        .header("authorization", format!("Bearer {token}"));
    app.send(request.body(body.into()).unwrap()).await
}

/// Nothing of the service's own fault is in an answer.
fn is_no_fault(answer: &Answer, what: &str) {
    assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.text);
    assert!(!answer.text.contains("INTERNAL"), "{what}: {}", answer.text);
    let is_typed = answer.json["errors"]
        .as_array()
        .is_none_or(|errors| errors.iter().all(|error| error["extensions"]["code"].is_string()));
    assert!(is_typed, "{what}: {}", answer.text);
}

/// Creates a service with what is asked for, and without `dryRun` where nothing refuses it.
async fn create(app: &TestApp, changes: Value) -> Answer {
    let mut input = json!({ "kind": "CONSULTATION", "code": "desk", "name": "Desk" });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    let query = "mutation M($input: ServiceCreateInput!) { serviceCreate(input: $input) { service { id name code } userErrors { code field message } } }";
    app.owner().ask(query, json!({ "input": input })).await
}

both! {
    // case: E14
    async fn s1_a_nul_is_refused_wherever_a_text_can_be(app) {
        let fields = [
            ("code", json!("de\0sk"), "INVALID at input.code"), ("name", json!("De\0sk"), "INVALID at input.name"), ("name", json!("\0"), "INVALID at input.name"),
            ("timeZone", json!("Asia/Se\0ul"), "UNKNOWN_TIME_ZONE at input.timeZone"), ("languages", json!(["k\0"]), "UNKNOWN_LANGUAGE at input.languages.0"),
            ("mainLanguage", json!("ko\0"), "INVALID at input.mainLanguage"), ("idempotencyKey", json!("k\0"), "IDEMPOTENCY_KEY_INVALID at input.idempotencyKey"),
        ];

        for (field, value, expected) in fields {
            let mut changes = json!({});
            changes[field] = value;
            let answer = create(&app, changes.clone()).await;
            is_no_fault(&answer, &changes.to_string());
            assert_eq!(codes(&answer.json["data"]["serviceCreate"]), [expected], "{changes}");
        }

        let desk = make::in_use(app.owner(), "desk", 1).await;
        let renamed = json!({ "id": desk.id, "input": { "expectedVersion": 2, "name": "a\0b" } });
        assert_eq!(app.owner().problems("serviceUpdate(id: $id, input: $input)", renamed).await, ["INVALID at input.name"]);
        let quoted = json!({ "id": desk.contract, "input": { "expectedVersion": 2, "items": [], "quoteId": "a\0b" } });
        assert_eq!(app.owner().problems("contractUpdate(id: $id, input: $input)", quoted).await, ["QUOTE_MISMATCH at input.quoteId"]);
        for by in ["{ code: \"a\\u0000\" }", "{ id: \"a\\u0000\" }", "{ code: \"desk\\u0000\" }"] {
            let answer = app.owner().ask(&format!("{{ service(by: {by}) {{ id }} }}"), json!({})).await;
            is_no_fault(&answer, by);
            assert_eq!(answer.json["data"], json!({ "service": null }), "{by}");
        }
    }

    // case: E14
    async fn s1_a_name_of_any_script_is_kept_as_it_was_written(app) {
        let owner = app.owner();
        let names = [
            "هاتف مكتب", "می\u{200c}خواهم", "e\u{301}te\u{301}", "\u{e9}t\u{e9}", "👩‍👩‍👧‍👦", "\u{1100}\u{1161}", "가", "𝔻𝕖𝕤𝕜", "'; DROP TABLE service; --",
            "{{name}}", "<script>", "İstanbul", "\u{10ffff}", "\\u0000", "%s%n", "null",
        ];

        // What can't be seen, or turns the letters around it, makes two names that look the same.
        for (name, code) in [("a\u{202e}b", "INVALID"), ("\u{feff}a", "INVALID"), ("a\u{200b}", "INVALID"), ("\u{200d}", "BLANK")] {
            let answer = create(&app, json!({ "code": "hidden", "name": name })).await;
            assert_eq!(codes(&answer.json["data"]["serviceCreate"]), [format!("{code} at input.name")], "{name:?}");
        }
        for (place, name) in names.into_iter().enumerate() {
            let letter = char::from(b'a' + u8::try_from(place).unwrap());
            let answer = create(&app, json!({ "code": format!("x{letter}"), "name": name })).await;
            is_no_fault(&answer, name);
            let made = &answer.json["data"]["serviceCreate"];
            assert_eq!((codes(made), &made["service"]["name"]), (vec![], &json!(name)), "{name:?}");
            let read = owner.data("query Q($id: ID!) { service(by: { id: $id }) { name } }", json!({ "id": made["service"]["id"] })).await;
            assert_eq!(read["service"]["name"], name);
            let again = create(&app, json!({ "code": "other", "name": name, "dryRun": true })).await;
            assert_eq!(codes(&again.json["data"]["serviceCreate"]), ["TAKEN at input.name"], "{name:?}");
        }
        let found = owner.data("{ services(filter: { nameContains: \"\u{200c}\" }) { totalCount } }", json!({})).await;
        assert_eq!(found["services"]["totalCount"], 1);
    }

    // case: E14
    async fn s1_control_characters_and_emptiness_are_no_names(app) {
        for (name, code) in [
            ("\u{7f}", "INVALID"), ("a\u{85}b", "INVALID"), ("a\tb", "INVALID"), ("a\r\nb", "INVALID"), ("\u{1b}[31m", "INVALID"), ("\u{a0}", "BLANK"), ("\u{3000}", "BLANK"),
        ] {
            let answer = create(&app, json!({ "name": name })).await;
            is_no_fault(&answer, name);
            assert_eq!(codes(&answer.json["data"]["serviceCreate"]), [format!("{code} at input.name")], "{name:?}");
        }
    }

    // case: E14
    async fn s1_a_text_too_long_for_anything_is_refused_in_its_turn(app) {
        let token = app.owner().token().await;
        let large = "가".repeat(60_000);

        for field in ["name", "code", "timeZone", "mainLanguage", "idempotencyKey"] {
            let mut changes = json!({});
            changes[field] = json!(large);
            let answer = create(&app, changes).await;
            is_no_fault(&answer, field);
            let problems = codes(&answer.json["data"]["serviceCreate"]);
            assert!(problems.len() == 1 && problems[0].ends_with(&format!("input.{field}")), "{field}: {problems:?}");
        }
        let megabyte = json!({ "query": "{ viewer { __typename } }", "variables": { "text": "x".repeat(1 << 20) } });
        let answer = raw(&app, &token, megabyte.to_string()).await;

        is_no_fault(&answer, "a megabyte");
        assert_eq!((answer.status, answer.code()), (413, "PAYLOAD_TOO_LARGE"));
    }

    // case: E14
    async fn s1_half_a_character_is_no_json(app) {
        let token = app.owner().token().await;
        let query = r#"mutation M($n: String!) { serviceCreate(input: { kind: ISSUE, code: \"desk\", name: $n }) { userErrors { code } } }"#;
        let bodies = [r"\ud800", r"\udc00", r"\udc00\ud800", r"a\ud83dz"].map(|half| format!(r#"{{ "query": "{query}", "variables": {{ "n": "{half}" }} }}"#));

        for body in bodies {
            let answer = raw(&app, &token, body.clone()).await;
            is_no_fault(&answer, &body);
            assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"), "{body}: {}", answer.text);
        }
        let inline = r#"{ "query": "{ service(by: { code: \"\\ud800\" }) { id } }" }"#;
        is_no_fault(&raw(&app, &token, inline).await, inline);
        let broken = raw(&app, &token, b"{\"query\": \"{ viewer { __typename } } # \xff\"}".to_vec()).await;
        assert_eq!((broken.status, broken.code()), (400, "BAD_REQUEST"), "{}", broken.text);
        assert_eq!(app.owner().data("{ services { totalCount } }", json!({})).await["services"]["totalCount"], 0);
    }

    // case: E14
    async fn s3_a_number_that_is_no_int_is_refused_before_anything_is_done(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let token = owner.token().await;
        let query = "mutation M($id: ID!, $input: ContractUpdateInput!) { contractUpdate(id: $id, input: $input) { contract { version } userErrors { code } } }";

        for number in ["2147483648", "-2147483649", "9007199254740993", "1e400", "1.5", "3.0000001", "1e2", "\"3\"", "true", "[]", "99999999999999999999999"] {
            for (version, users) in [("2", number), (number, "5")] {
                let input = format!(r#"{{ "expectedVersion": {version}, "items": [{{ "code": "TICKET", "userCount": {users} }}] }}"#);
                let body = format!(r#"{{ "query": "{query}", "variables": {{ "id": "{}", "input": {input} }} }}"#, desk.contract);
                let answer = raw(&app, &token, body).await;
                is_no_fault(&answer, number);
                assert!(answer.json["errors"].is_array(), "{number}: {}", answer.text);
                assert_eq!(answer.json["data"]["contractUpdate"], json!(null), "{number}");
            }
        }
        for number in ["2147483648", "1.0", "1e2"] {
            let text = format!("mutation {{ contractUpdate(id: \\\"{}\\\", input: {{ expectedVersion: {number}, items: [] }}) {{ userErrors {{ code }} }} }}", desk.contract);
            let answer = raw(&app, &token, format!(r#"{{ "query": "{text}" }}"#)).await;
            is_no_fault(&answer, number);
            assert!(answer.json["errors"].is_array(), "{number}: {}", answer.text);
        }

        assert_eq!(make::versions(owner, &desk).await, (2, 2));
    }

    // case: E14
    async fn g2_a_nul_in_any_other_text_is_no_fault_of_the_service_either(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let organization = owner.data("{ organization { id version } }", json!({})).await["organization"].clone();
        let (id, version) = (&organization["id"], &organization["version"]);
        let update = |field: &str| format!("mutation {{ organizationUpdate(id: {id}, input: {{ expectedVersion: {version}, {field}: \"ac\\u0000me\" }}) {{ userErrors {{ code }} }} }}");
        let start = |organization: &str, login: &str, password: &str| format!(
            "mutation {{ sessionStart(input: {{ organization: \"{organization}\", login: \"{login}\", password: \"{password}\" }}) {{ userErrors {{ code }} }} }}");
        let documents = [
            update("name"), update("domain"), update("timeZone"), update("idempotencyKey"),
            start("ac\\u0000me", "owner", "x"), start("acme", "own\\u0000er", "x"), start("acme", "owner", "x\\u0000"), start("nobody\\u0000", "\\u0000", "\\u0000"),
            "mutation { sessionRefresh(input: { refreshToken: \"a\\u0000\" }) { userErrors { code } } }".into(),
            "mutation { sessionConfirm(input: { password: \"a\\u0000\" }) { userErrors { code } } }".into(),
            "mutation { organizationKeyCreate(input: { name: \"a\\u0000\", scopes: [], allowedAddresses: [\"a\\u0000\"] }) { userErrors { code } } }".into(),
            "mutation { organizationKeyRevoke(id: \"a\\u0000\", input: { expectedVersion: 1 }) { userErrors { code } } }".into(),
            "{ auditEntries(filter: { address: \"a\\u0000\" }) { totalCount } }".into(), "{ auditEntries(filter: { targetId: \"a\\u0000\" }) { totalCount } }".into(),
            "{ auditEntries(filter: { actorId: \"a\\u0000\" }) { totalCount } }".into(), "{ auditEntries(filter: { serviceId: \"a\\u0000\" }) { totalCount } }".into(),
            "{ charges(filter: { from: \"2026-11\", to: \"2026-11\", serviceId: \"a\\u0000\" }) { totalCount } }".into(),
            "{ node(id: \"svc_\\u0000\") { id } nodes(ids: [\"\\u0000\"]) { id } menu(viaServiceId: \"\\u0000\") { __typename } }".into(),
            "{ contractQuote(input: { contractId: \"\\u0000\", items: [] }) { userErrors { code } } }".into(),
            format!("mutation {{ usageRecord(input: {{ entries: [{{ externalId: \"a\\u0000\", meter: TICKETS, occurredAt: \"2026-11-10T00:00:00Z\", quantity: 1, serviceId: \"{}\" }}] }}) {{ userErrors {{ code }} }} }}", desk.id),
        ];

        for document in documents {
            let answer = owner.ask(&document, json!({})).await;
            is_no_fault(&answer, &document);
        }
    }
}
