//! Company information: what an entry may say, its versions, publishing it, and what anybody may read of it.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who, codes},
        make,
    },
};

const CREATE: &str = "companyCreate(input: $input) => company { id title version revisionCount content { phone businessRegistrationNumber \
    texts { companyName } terms { texts { body } } } }";
const UPDATE: &str = "companyUpdate(id: $id, input: $input) => company { id title version revisionCount }";
const REMOVE: &str = "companyRemove(id: $id, input: $input) => company { removedAt } services { name }";
const PUBLISH: &str =
    "companyPublish(id: $id, input: $input) => footer { version isOnPc isOnMobile company { title } }";
const FOOTER: &str = "query Q($organization: String!, $service: String!, $device: HelpCenterDevice!, $language: String) {
    helpCenterFooter(organization: $organization, service: $service, device: $device, language: $language) {
      language companyName copyright businessRegistrationNumber terms { kind language name url body opensInNewWindow } } }";

/// What a company says, in the least that it takes.
fn content(name: &str) -> Value {
    json!({
        "businessRegistrationNumber": "2208162517",
        "phone": "1588 1234",
        "texts": [{ "language": "ko", "companyName": name, "representativeName": "대표", "address": "성남시" }],
        "terms": [],
    })
}

/// The content with a value at a path, such as `texts.0.address`.
fn with(path: &str, value: Value) -> Value {
    let mut content = content("회사");
    *content.pointer_mut(&format!("/{}", path.replace('.', "/"))).unwrap() = value;
    content
}

async fn entry(who: Who<'_>, title: &str, name: &str) -> String {
    let input = json!({ "title": title, "content": content(name) });
    let made = who.deed(CREATE, json!({ "input": input })).await;
    made["company"]["id"].as_str().unwrap().to_owned()
}

async fn publish(app: &TestApp, service: &str, company: Option<&str>, version: i32) -> Value {
    let input = json!({ "expectedVersion": version, "companyId": company, "isOnPc": true, "isOnMobile": false });
    app.owner()
        .payload(PUBLISH, json!({ "id": service, "input": input }))
        .await
}

/// The footer as nobody in particular reads it.
async fn footer(app: &TestApp, service: &str, device: &str, language: Option<&str>) -> Value {
    let variables = json!({ "organization": "acme", "service": service, "device": device, "language": language });
    let answer = app.ask(None, FOOTER, variables).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["helpCenterFooter"].clone()
}

both! {
    async fn c1_every_rule_is_refused_with_its_own_code_and_path(app) {
        let long = |length: usize| json!("가".repeat(length));
        let text = json!({ "language": "ko", "companyName": "a", "representativeName": "b", "address": "c" });
        let terms = |texts: Value| json!([{ "kind": "OTHER", "opensInNewWindow": false, "texts": texts }]);
        let cases = [
            (with("businessRegistrationNumber", json!("220-81-62518")), "INVALID at input.content.businessRegistrationNumber"),
            (with("phone", json!("1788-1234")), "INVALID at input.content.phone"),
            (with("texts.0.companyName", json!(" ")), "BLANK at input.content.texts.0.companyName"),
            (with("texts.0.companyName", long(101)), "TOO_LONG at input.content.texts.0.companyName"),
            (with("texts.0.representativeName", long(51)), "TOO_LONG at input.content.texts.0.representativeName"),
            (with("texts.0.address", long(201)), "TOO_LONG at input.content.texts.0.address"),
            (with("texts.0.address", json!("a\u{0}b")), "INVALID at input.content.texts.0.address"),
            (with("texts.0.language", json!("xx")), "UNKNOWN_LANGUAGE at input.content.texts.0.language"),
            (with("texts", json!([])), "BLANK at input.content.texts"),
            (with("texts", json!([text, text])), "DUPLICATE at input.content.texts.1.language"),
            (with("terms", terms(json!([]))), "BLANK at input.content.terms.0.texts"),
            (with("terms", terms(json!([{ "language": "ko", "name": "n" }]))), "BLANK at input.content.terms.0.texts.0.body"),
            (with("terms", terms(json!([{ "language": "ko", "name": "n", "url": "http://example.com" }]))),
                "INVALID at input.content.terms.0.texts.0.url"),
            (with("terms", terms(json!([{ "language": "ko", "name": "n", "url": "https://example.com", "body": "b" }]))),
                "INVALID at input.content.terms.0.texts.0"),
            (with("terms", terms(json!([{ "language": "ko", "name": "n", "body": "<script>alert(1)</script>" }]))),
                "BLANK at input.content.terms.0.texts.0.body"),
            (with("terms", json!((0..11).map(|_| terms(json!([{ "language": "ko", "name": "n", "body": "b" }]))[0].clone()).collect::<Vec<_>>())),
                "TOO_MANY at input.content.terms"),
        ];

        for (content, problem) in cases {
            let input = json!({ "title": "t", "content": content });
            assert_eq!(app.owner().problems(CREATE, json!({ "input": input })).await, [problem], "{content}");
        }
        let both = json!({ "title": "", "content": with("texts.0.address", json!("")) });
        assert_eq!(
            app.owner().problems(CREATE, json!({ "input": both })).await,
            ["BLANK at input.title", "BLANK at input.content.texts.0.address"]
        );
    }

    async fn c1_numbers_are_kept_in_their_one_form_and_titles_are_unique(app) {
        let input = json!({ "title": " 본사 Info ", "content": content(" 회사 ") });
        let made = app.owner().deed(CREATE, json!({ "input": input })).await["company"].clone();
        let again = json!({ "title": "본사 INFO", "content": content("회사") });

        let taken = app.owner().problems(CREATE, json!({ "input": again })).await;
        let elsewhere = app.rival().problems(CREATE, json!({ "input": again })).await;

        assert_eq!(made["title"], "본사 Info");
        assert_eq!(made["content"]["businessRegistrationNumber"], "220-81-62517");
        assert_eq!(made["content"]["phone"], "1588-1234");
        assert_eq!(made["content"]["texts"][0]["companyName"], "회사");
        assert_eq!(taken, ["TAKEN at input.title"]);
        assert_eq!(elsewhere, [""; 0]);
    }

    async fn c2_anybody_reads_the_footer_that_was_published_and_nothing_else(app) {
        let service = make::in_use(app.owner(), "desk", 2).await;
        let company = entry(app.owner(), "본사", "회사").await;
        let nothing = footer(&app, "desk", "PC", None).await;

        publish(&app, &service.id, Some(&company), 0).await;
        let before = app.app.database.statements();
        let shown = footer(&app, "desk", "PC", None).await;
        let statements = app.app.database.statements() - before;

        assert_eq!(nothing, Value::Null);
        assert_eq!((&shown["companyName"], &shown["businessRegistrationNumber"]), (&json!("회사"), &json!("220-81-62517")));
        assert_eq!(statements, 1);
        for (organization, code, device) in [
            ("acme", "desk", "MOBILE"), ("acme", "DESK", "PC"), ("rival", "desk", "PC"), ("acme", "desk\0", "PC"), ("", "", "PC"),
        ] {
            let variables = json!({ "organization": organization, "service": code, "device": device });
            let answer = app.ask(None, FOOTER, variables).await;
            assert_eq!(answer.json["data"]["helpCenterFooter"], Value::Null, "{organization} {code} {device}: {}", answer.text);
        }
    }

    async fn c2_a_footer_may_be_kept_for_a_minute_and_whatever_else_is_asked_may_not(app) {
        let alone = "{ helpCenterFooter(organization: \"acme\", service: \"desk\", device: PC) { companyName } }";
        let beside = "{ helpCenterFooter(organization: \"acme\", service: \"desk\", device: PC) { companyName } viewer { roles } }";
        let token = app.owner().token().await;

        let kept = |answer: &crate::support::app::Answer| answer.headers["cache-control"].to_str().unwrap().to_owned();
        assert_eq!(kept(&app.ask(None, alone, json!({})).await), "public, max-age=60");
        assert_eq!(kept(&app.ask(None, beside, json!({})).await), "no-store");
        assert_eq!(kept(&app.ask(Some(&token), alone, json!({})).await), "no-store");
        assert_eq!(kept(&app.ask(None, "{ viewer { roles } }", json!({})).await), "no-store");
    }

    async fn c2_a_help_center_that_is_not_in_use_shows_nothing(app) {
        let service = make::in_use(app.owner(), "desk", 2).await;
        let company = entry(app.owner(), "본사", "회사").await;
        publish(&app, &service.id, Some(&company), 0).await;

        let version = |data: Value| data["service"]["version"].as_i64().unwrap();
        let ask = json!({ "id": service.id, "input": { "expectedVersion": 2, "acknowledgeCharges": true } });
        let suspended = version(app.owner().deed("serviceSuspend(id: $id, input: $input) => service { version }", ask).await);
        let while_suspended = footer(&app, "desk", "PC", None).await;
        let ask = json!({ "id": service.id, "input": { "expectedVersion": suspended } });
        app.owner().deed("serviceResume(id: $id, input: $input) => service { version }", ask).await;

        assert_eq!(while_suspended, Value::Null);
        assert_eq!(footer(&app, "desk", "PC", None).await["companyName"], "회사");
    }

    async fn c2_the_language_asked_for_then_the_main_one_then_any(app) {
        let service = make::in_use(app.owner(), "desk", 2).await;
        let text = |language: &str, name: &str| json!({ "language": language, "companyName": name, "representativeName": "r", "address": "a" });
        let mut said = content("회사");
        said["texts"] = json!([text("ja", "会社"), text("ko", "회사"), text("en", "Company")]);
        said["terms"] = json!([{ "kind": "PRIVACY_POLICY", "opensInNewWindow": true, "texts": [
            { "language": "en", "name": "Privacy", "url": "https://example.com/privacy" },
            { "language": "ko", "name": "개인정보처리방침", "body": "<p onclick=x>본문</p>" }] }]);
        let made = app.owner().deed(CREATE, json!({ "input": { "title": "t", "content": said } })).await;
        publish(&app, &service.id, made["company"]["id"].as_str(), 0).await;

        let english = footer(&app, "desk", "PC", Some("en")).await;
        let korean = footer(&app, "desk", "PC", Some("fr")).await;

        assert_eq!((&english["language"], &english["companyName"]), (&json!("en"), &json!("Company")));
        assert_eq!(english["terms"][0]["url"], "https://example.com/privacy");
        assert_eq!((&korean["language"], &korean["companyName"]), (&json!("ko"), &json!("회사")));
        assert_eq!(korean["terms"][0]["body"], "<p>본문</p>");
    }

    async fn c3_an_entry_in_use_stays_and_the_refusal_names_the_services(app) {
        let service = make::in_use(app.owner(), "desk", 2).await;
        let company = entry(app.owner(), "본사", "회사").await;
        publish(&app, &service.id, Some(&company), 0).await;
        let ask = json!({ "id": company, "input": { "expectedVersion": 1 } });

        let refused = app.owner().payload(REMOVE, ask.clone()).await;
        publish(&app, &service.id, None, 1).await;
        let removed = app.owner().deed(REMOVE, ask.clone()).await;
        let twice = app.owner().problems(REMOVE, ask).await;

        assert_eq!(codes(&refused), ["COMPANY_IN_USE at id"]);
        assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains("Desk desk"), "{refused}");
        assert_eq!(refused["services"], json!([{ "name": "Desk desk" }]));
        assert_eq!(removed["services"], json!([]));
        assert_ne!(removed["company"]["removedAt"], Value::Null);
        assert_eq!(twice, ["STALE_VERSION at input.expectedVersion"]);
        let listed = app.owner().data("{ companies { totalCount } }", json!({})).await;
        assert_eq!(listed["companies"]["totalCount"], 0);
    }

    async fn c4_every_version_is_kept_and_the_footer_of_any_instant_is_told(app) {
        let service = make::in_use(app.owner(), "desk", 2).await;
        let company = entry(app.owner(), "본사", "처음").await;
        app.wait(Duration::hours(1));
        publish(&app, &service.id, Some(&company), 0).await;
        app.wait(Duration::hours(1));
        let input = json!({ "expectedVersion": 1, "content": content("다음") });
        app.owner().deed(UPDATE, json!({ "id": company, "input": input })).await;
        app.wait(Duration::hours(1));
        publish(&app, &service.id, None, 1).await;

        let query = "query Q($service: ID!, $at: DateTime) { companyFooter(serviceId: $service, asOf: $at) {
            version isOnPc content { texts { companyName } } } }";
        let mut told = Vec::new();
        for at in ["2026-11-10T01:59:59Z", "2026-11-10T02:00:00Z", "2026-11-10T03:00:00Z", "2026-11-10T04:00:00Z"] {
            let data = app.owner().data(query, json!({ "service": service.id, "at": at })).await;
            told.push(data["companyFooter"]["content"]["texts"][0]["companyName"].clone());
        }
        let versions = "query Q($id: ID!, $at: DateTime!) { node(id: $id) { ... on Company { asOf(at: $at) { number madeBy } } } }";
        let first = app.owner().data(versions, json!({ "id": company, "at": "2026-11-10T02:30:00Z" })).await;

        assert_eq!(told, [Value::Null, json!("처음"), json!("다음"), Value::Null]);
        assert_eq!(first["node"]["asOf"], json!({ "number": 1, "madeBy": "소유자 (owner)" }));
    }

    async fn c4_what_changes_nothing_makes_no_version_and_a_stale_change_is_refused(app) {
        let company = entry(app.owner(), "본사", "회사").await;
        let change = |version: i32, name: &str| json!({ "id": company, "input": { "expectedVersion": version, "content": content(name) } });

        let same = app.owner().deed(UPDATE, change(1, " 회사 ")).await;
        let other = app.owner().deed(UPDATE, change(1, "다른 회사")).await;
        let stale = app.owner().problems(UPDATE, change(1, "또 다른 회사")).await;

        assert_eq!((&same["company"]["version"], &same["company"]["revisionCount"]), (&json!(1), &json!(1)));
        assert_eq!((&other["company"]["version"], &other["company"]["revisionCount"]), (&json!(2), &json!(2)));
        assert_eq!(stale, ["STALE_VERSION at input.expectedVersion"]);
    }

    async fn c1_an_issue_service_has_no_footer(app) {
        let input = json!({ "kind": "ISSUE", "code": "issues", "name": "이슈" });
        let made = app.owner().deed("serviceCreate(input: $input) => service { id }", json!({ "input": input })).await;
        let company = entry(app.owner(), "본사", "회사").await;

        let payload = publish(&app, made["service"]["id"].as_str().unwrap(), Some(&company), 0).await;

        assert_eq!(codes(&payload), ["NOT_AVAILABLE_FOR_KIND at id"]);
    }
}
