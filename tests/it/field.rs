//! 필드: what a service's tickets ask for. The fields that came with it and its own, who sets them, and what tells one
//! composition from another.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who, codes},
        make::{self, Made},
        people,
        raw::Raw,
        staff,
    },
};

const FIELD: &str = "id code type isSystem length isRequired isEncrypted personalKind visibility removedAt version
    texts { language title description placeholder } options actions { name isAllowed reasonCode }";

async fn seen(who: Who<'_>, service: &str) -> Value {
    let query = format!(
        "query Q($id: ID!) {{ service(by: {{ id: $id }}) {{ fields {{ {FIELD} }} fieldComposition {{ fingerprint version changedAt }} }} }}"
    );
    who.data(&query, json!({ "id": service })).await["service"].clone()
}

fn add_input(service: &Made, code: &str, kind: &str, more: Value) -> Value {
    let mut input = json!({
        "serviceId": service.id, "code": code, "type": kind, "texts": [{ "language": "ko", "title": format!("필드 {code}") }],
    });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    json!({ "input": input })
}

async fn add(who: Who<'_>, service: &Made, code: &str, kind: &str, more: Value) -> Value {
    let field = format!("fieldAdd(input: $input) => field {{ {FIELD} }} composition {{ fingerprint version }}");
    who.deed(&field, add_input(service, code, kind, more)).await
}

async fn problems(who: Who<'_>, service: &Made, code: &str, kind: &str, more: Value) -> Vec<String> {
    who.problems("fieldAdd(input: $input)", add_input(service, code, kind, more))
        .await
}

fn on(field: &Value, more: Value) -> Value {
    let mut input = json!({ "expectedVersion": field["version"] });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    json!({ "id": field["id"], "input": input })
}

async fn update(who: Who<'_>, field: &Value, more: Value) -> Value {
    let verb =
        format!("fieldUpdate(id: $id, input: $input) => field {{ {FIELD} }} composition {{ fingerprint version }}");
    who.payload(&verb, on(field, more)).await
}

fn named<'f>(service: &'f Value, code: &str) -> &'f Value {
    let fields = service["fields"].as_array().unwrap();
    fields.iter().find(|field| field["code"] == code).unwrap()
}

fn order(service: &Value) -> Vec<&str> {
    let fields = service["fields"].as_array().unwrap().iter();
    fields.map(|field| field["code"].as_str().unwrap()).collect()
}

/// A manager of this service and an agent there.
async fn staffed<'a>(app: &'a TestApp, code: &str) -> (Who<'a>, Who<'a>) {
    let like = people::somebody(app).await;
    for (login, is_manager) in [("manager", true), ("agent", false)] {
        people::join_like(app, login, false, &like).await;
        people::employ(app, code, login, is_manager).await;
    }
    (app.someone("acme", "manager"), app.someone("acme", "agent"))
}

/// The fields of a service as somebody who works in it sees them.
async fn own(who: Who<'_>, service: &Made) -> Value {
    let query =
        format!("query Q($id: ID!) {{ fieldComposition(serviceId: $id) {{ fingerprint fields {{ {FIELD} }} }} }}");
    who.data(&query, json!({ "id": service.id })).await["fieldComposition"].clone()
}

both! {
    async fn f1_a_service_comes_with_the_fields_that_every_ticket_has(app) {
        let desk = make::draft(app.owner(), "desk").await;
        let issue = staff::issue(app.owner(), "issue").await;

        let (desk, issue) = (seen(app.owner(), &desk.id).await, seen(app.owner(), &issue.id).await);

        let rows: Vec<String> = desk["fields"].as_array().unwrap().iter().map(|field| {
            format!("{} {} {} {} {} {} {}", field["code"].as_str().unwrap(), field["type"].as_str().unwrap(), field["length"],
                field["isRequired"], field["personalKind"], field["texts"][0]["title"].as_str().unwrap(), field["isSystem"])
        }).collect();
        assert_eq!(rows, [
            "category DROPDOWN 0 true null 유형 true",
            "mail TEXT 100 true \"EMAIL\" 이메일 true",
            "subject TEXT 200 true null 제목 true",
            "content TEXTAREA 5000 true null 문의내용 true",
            "name TEXT 100 false null 이름 true",
            "phone TEXT 30 false \"PHONE\" 전화번호 true",
            "attachment FILE 0 false null 첨부파일 true",
            "typeOne TEXT 200 false null 구분1 true",
            "typeTwo TEXT 200 false null 구분2 true",
            "personalAgree AGREE 0 true null 개인정보수집 true",
        ]);
        assert_eq!(named(&desk, "category")["options"], json!([["기타"]]));
        assert_eq!(desk["fieldComposition"]["version"], 1);
        assert_eq!(desk["fieldComposition"]["fingerprint"].as_str().unwrap().len(), 32);
        assert_eq!(desk["fieldComposition"]["fingerprint"], issue["fieldComposition"]["fingerprint"], "they are the same");
    }

    async fn f1_every_rule_is_refused_with_its_own_code_and_path(app) {
        let desk = make::draft(app.owner(), "desk").await;
        let owner = app.owner();
        let long = |length: usize| "가".repeat(length);
        let option = |path: Value| json!({ "options": [path] });
        let text = |more: Value| json!({ "texts": [more] });
        let cases = [
            ("", "TEXT", json!({}), "BLANK at input.code"),
            ("1code", "TEXT", json!({}), "INVALID at input.code"),
            ("주문", "TEXT", json!({}), "INVALID at input.code"),
            (&"a".repeat(46), "TEXT", json!({}), "TOO_LONG at input.code"),
            ("MAIL", "TEXT", json!({}), "TAKEN at input.code"),
            ("code", "TEXT", json!({ "texts": [] }), "BLANK at input.texts"),
            ("code", "TEXT", text(json!({ "language": "en", "title": "x" })), "BLANK at input.texts"),
            ("code", "TEXT", json!({ "texts": [{ "language": "ko", "title": "x" }, { "language": "ko", "title": "y" }] }),
                "DUPLICATE at input.texts.1.language"),
            ("code", "TEXT", json!({ "texts": [{ "language": "ko", "title": "x" }, { "language": "xx", "title": "y" }] }),
                "UNKNOWN_LANGUAGE at input.texts.1.language"),
            ("code", "TEXT", text(json!({ "language": "ko", "title": " " })), "BLANK at input.texts.0.title"),
            ("code", "TEXT", text(json!({ "language": "ko", "title": long(101) })), "TOO_LONG at input.texts.0.title"),
            ("code", "TEXT", text(json!({ "language": "ko", "title": "a\u{0}" })), "INVALID at input.texts.0.title"),
            ("code", "TEXT", text(json!({ "language": "ko", "title": "x", "description": long(501) })),
                "TOO_LONG at input.texts.0.description"),
            ("code", "TEXT", text(json!({ "language": "ko", "title": "x", "placeholder": long(101) })),
                "TOO_LONG at input.texts.0.placeholder"),
            ("code", "TEXT", json!({ "length": 5001 }), "OUT_OF_RANGE at input.length"),
            ("code", "TEXT", json!({ "length": -1 }), "OUT_OF_RANGE at input.length"),
            ("code", "DATE", json!({ "length": 10 }), "NOT_FOR_TYPE at input.length"),
            ("code", "TEXT", option(json!(["a"])), "NOT_FOR_TYPE at input.options"),
            ("code", "RADIO", json!({}), "BLANK at input.options"),
            ("code", "RADIO", json!({ "options": [] }), "BLANK at input.options"),
            ("code", "RADIO", option(json!([])), "BLANK at input.options.0"),
            ("code", "DROPDOWN", option(json!(["a", "b"])), "TOO_MANY at input.options.0"),
            ("code", "CHECKBOX", option(json!([" "])), "BLANK at input.options.0.0"),
            ("code", "CHECKBOX", option(json!([long(101)])), "TOO_LONG at input.options.0.0"),
            ("code", "CHECKBOX", json!({ "options": [["a"], ["a "]] }), "DUPLICATE at input.options.1"),
            ("code", "CHECKBOX", json!({ "options": (0..101).map(|number| json!([number.to_string()])).collect::<Vec<_>>() }),
                "TOO_MANY at input.options"),
            ("code", "CAPTION", json!({ "isRequired": true }), "NOT_FOR_TYPE at input.isRequired"),
            ("code", "RADIO", json!({ "isEncrypted": true, "options": [["a"]] }), "NOT_FOR_TYPE at input.isEncrypted"),
            ("code", "FILE", json!({ "isEncrypted": true }), "NOT_FOR_TYPE at input.isEncrypted"),
            ("code", "TEXT", json!({ "personalKind": "NAME" }), "INVALID at input.personalKind"),
        ];

        for (code, kind, more, problem) in cases {
            assert_eq!(problems(owner, &desk, code, kind, more.clone()).await, [problem], "{code} {kind} {more}");
        }
        let two = json!({ "length": 10, "isRequired": true });
        assert_eq!(problems(owner, &desk, "1", "CAPTION", two).await,
            ["INVALID at input.code", "NOT_FOR_TYPE at input.length", "NOT_FOR_TYPE at input.isRequired"]);
        assert_eq!(seen(owner, &desk.id).await["fields"].as_array().unwrap().len(), 10);
    }

    async fn f1_each_of_the_twelve_types_is_kept_as_it_was_asked_for(app) {
        let desk = make::draft(app.owner(), "desk").await;
        let options = json!({ "options": [[" 하나 "], ["둘"]], "isRequired": true });
        for (number, kind) in ["TEXT", "TEXTAREA", "CAPTION", "CHECKBOX", "DROPDOWN", "RADIO", "DATE", "DATETIME", "DATE_PERIOD",
            "DATETIME_PERIOD", "AGREE", "FILE"].into_iter().enumerate() {
            let more = match kind {
                "CHECKBOX" | "DROPDOWN" | "RADIO" => options.clone(),
                "TEXT" => json!({ "length": 5000, "isEncrypted": true, "personalKind": "CARD", "visibility": "AGENTS" }),
                "DATE" => json!({ "isEncrypted": true }),
                _ => json!({}),
            };
            let made = add(app.owner(), &desk, &format!("own_{number}"), kind, more).await["field"].clone();
            assert_eq!(made["type"], kind);
            assert_eq!(made["options"], if made["isRequired"] == true { json!([["하나"], ["둘"]]) } else { json!([]) });
        }

        let all = seen(app.owner(), &desk.id).await;
        assert_eq!(order(&all)[10..].to_vec(), (0..12).map(|number| format!("own_{number}")).collect::<Vec<_>>());
        let text = named(&all, "own_0");
        assert_eq!((&text["length"], &text["personalKind"], &text["visibility"]), (&json!(5000), &json!("CARD"), &json!("AGENTS")));
        assert_eq!(named(&all, "own_6")["personalKind"], "GENERIC");
        assert_eq!(all["fieldComposition"]["version"], 13);
    }

    async fn f1_a_code_is_never_used_again(app) {
        let desk = make::draft(app.owner(), "desk").await;
        let other = make::draft(app.owner(), "other").await;
        let made = add(app.owner(), &desk, "orderNumber", "TEXT", json!({})).await["field"].clone();
        let removed = app.owner().deed("fieldRemove(id: $id, input: $input) => field { removedAt } composition { version }", on(&made, json!({}))).await;

        assert_ne!(removed["field"]["removedAt"], Value::Null);
        assert_eq!(removed["composition"]["version"], 3);
        assert_eq!(problems(app.owner(), &desk, "ORDERNUMBER", "DATE", json!({})).await, ["TAKEN at input.code"]);
        assert_eq!(problems(app.owner(), &other, "orderNumber", "TEXT", json!({})).await, [""; 0]);
        assert_eq!(seen(app.owner(), &desk.id).await["fields"].as_array().unwrap().len(), 10);
        let gone = update(app.owner(), &json!({ "id": made["id"], "version": 2 }), json!({ "length": 5 })).await;
        assert_eq!(codes(&gone), ["NOT_FOUND at id"]);
    }

    async fn f1_what_came_with_the_service_stays_what_it_is(app) {
        let desk = make::draft(app.owner(), "desk").await;
        let issue = staff::issue(app.owner(), "issue").await;
        let all = seen(app.owner(), &desk.id).await;
        let problems = async |code: &str, more: Value| codes(&update(app.owner(), named(&all, code), more).await);

        let remove = app.owner().problems("fieldRemove(id: $id, input: $input)", on(named(&all, "name"), json!({}))).await;
        assert_eq!(remove, ["FIELD_IS_FIXED at id"]);
        assert_eq!(problems("subject", json!({ "isRequired": false })).await, ["FIELD_IS_FIXED at input.isRequired"]);
        assert_eq!(problems("mail", json!({ "isRequired": false })).await, ["FIELD_IS_FIXED at input.isRequired"]);
        assert_eq!(problems("name", json!({ "visibility": "AGENTS" })).await, ["FIELD_IS_FIXED at input.visibility"]);
        assert_eq!(problems("name", json!({ "length": 0 })).await, ["FIELD_IS_FIXED at input.length"]);
        assert_eq!(problems("name", json!({ "length": 101 })).await, ["OUT_OF_RANGE at input.length"]);
        assert_eq!(problems("name", json!({ "length": 50, "isRequired": true })).await, [""; 0]);
        let mail = seen(app.owner(), &issue.id).await;
        assert_eq!(codes(&update(app.owner(), named(&mail, "mail"), json!({ "isRequired": false })).await), [""; 0]);
        let deep = |levels: usize| json!({ "options": [vec!["단계"; levels]] });
        assert_eq!(problems("category", deep(6)).await, ["TOO_MANY at input.options.0"]);
        assert_eq!(problems("category", deep(5)).await, [""; 0]);
    }

    async fn f1_fields_are_put_into_another_order_all_at_once(app) {
        let desk = make::draft(app.owner(), "desk").await;
        let all = seen(app.owner(), &desk.id).await;
        let mut ids: Vec<Value> = all["fields"].as_array().unwrap().iter().map(|field| field["id"].clone()).collect();
        ids.rotate_left(1);
        let ask = |ids: &[Value], version: i32| json!({ "id": desk.id, "input": { "expectedVersion": version, "fieldIds": ids } });
        let verb = "fieldReorder(id: $id, input: $input) => fields { code } composition { fingerprint version }";

        let fewer = app.owner().problems(verb, ask(&ids[1..], 1)).await;
        let twice = app.owner().problems(verb, ask(&[&ids[..9], &ids[..1]].concat(), 1)).await;
        let stale = app.owner().problems(verb, ask(&ids, 2)).await;
        let done = app.owner().deed(verb, ask(&ids, 1)).await;
        let same = app.owner().deed(verb, ask(&ids, 2)).await;

        assert_eq!(fewer, ["FIELDS_DIFFER at input.fieldIds"]);
        assert_eq!(twice, ["FIELDS_DIFFER at input.fieldIds"]);
        assert_eq!(stale, ["STALE_VERSION at input.expectedVersion"]);
        assert_eq!((&done["fields"][0]["code"], &done["fields"][9]["code"]), (&json!("mail"), &json!("category")));
        assert_eq!(done["composition"]["version"], 2);
        assert_ne!(done["composition"]["fingerprint"], all["fieldComposition"]["fingerprint"]);
        assert_eq!(same["composition"], done["composition"], "what changes nothing is no change");
    }

    async fn f1_a_composition_is_told_by_its_fingerprint_and_each_is_kept(app) {
        let desk = make::draft(app.owner(), "desk").await;
        let first = seen(app.owner(), &desk.id).await;
        let made = add(app.owner(), &desk, "orderNumber", "TEXT", json!({ "length": 20 })).await;
        let described = update(app.owner(), &made["field"], json!({ "texts": [{ "language": "ko", "title": "필드 orderNumber", "description": "설명" }] })).await;
        let renamed = update(app.owner(), &described["field"], json!({ "texts": [{ "language": "ko", "title": "주문번호" }] })).await;
        let required = update(app.owner(), &renamed["field"], json!({ "isRequired": true })).await;
        let back = update(app.owner(), &required["field"], json!({ "isRequired": false })).await;

        let print = |payload: &Value| payload["composition"]["fingerprint"].as_str().unwrap().to_owned();
        assert_eq!(print(&described), print(&made), "a description makes no other template");
        assert_ne!(print(&renamed), print(&made));
        assert_ne!(print(&required), print(&renamed));
        assert_eq!(print(&back), print(&renamed), "the same fields have the same fingerprint");
        assert_eq!(back["composition"]["version"], 5);
        let stale = update(app.owner(), &made["field"], json!({ "isRequired": true })).await;
        assert_eq!(codes(&stale), ["STALE_VERSION at input.expectedVersion"]);
        let dump = Raw::admin(&app).await.dump().await;
        let kept = &dump["field_composition_revision"];
        assert_eq!(kept.len(), 5, "{kept:?}");
        assert!(kept.iter().any(|row| row.contains(first["fieldComposition"]["fingerprint"].as_str().unwrap())));
    }

    async fn f1_owner_and_the_services_own_managers_set_its_fields_and_nobody_else(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let other = make::in_use(app.owner(), "other", 3).await;
        let (manager, agent) = staffed(&app, "desk").await;
        people::employ(&app, "other", "admin", true).await;
        let ask = |service: &Made, code: &str| add_input(service, code, "TEXT", json!({}));
        let query = "mutation M($input: FieldAddInput!) { fieldAdd(input: $input) { userErrors { code field } } }";

        for who in [app.member(), agent] {
            assert_eq!(who.ask(query, ask(&desk, "code")).await.code(), "FORBIDDEN");
        }
        assert_eq!(problems(manager, &desk, "byManager", "TEXT", json!({})).await, [""; 0]);
        assert_eq!(problems(manager, &other, "byManager", "TEXT", json!({})).await, ["NOT_FOUND at input.serviceId"]);
        // An administrator who manages one service sets that one up, and no other.
        assert_eq!(problems(app.administrator(), &other, "byAdmin", "TEXT", json!({})).await, [""; 0]);
        assert_eq!(problems(app.administrator(), &desk, "byAdmin", "TEXT", json!({})).await, ["NOT_FOUND at input.serviceId"]);
        assert_eq!(problems(app.rival(), &desk, "byRival", "TEXT", json!({})).await, ["NOT_FOUND at input.serviceId"]);
        let field = add(app.owner(), &desk, "byOwner", "TEXT", json!({})).await["field"].clone();
        let theirs = app.rival().problems("fieldRemove(id: $id, input: $input)", on(&field, json!({}))).await;
        assert_eq!(theirs, ["NOT_FOUND at id"]);
        let allowed = |field: &Value| field["actions"].as_array().unwrap().iter().map(|action| action["isAllowed"] == true).collect::<Vec<_>>();
        assert_eq!(allowed(&field), [true, true]);
        assert_eq!(allowed(named(&own(manager, &desk).await, "byOwner")), [true, true]);
        assert_eq!(allowed(named(&own(agent, &desk).await, "byOwner")), [false, false]);
        assert_eq!(allowed(named(&seen(app.owner(), &desk.id).await, "mail")), [true, false]);
    }

    async fn f1_fields_are_seen_by_who_works_with_them(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let (manager, agent) = staffed(&app, "desk").await;
        for (code, visibility) in [("forAgents", "AGENTS"), ("forManagers", "MANAGERS")] {
            add(app.owner(), &desk, code, "TEXT", json!({ "visibility": visibility })).await;
        }
        let hidden = named(&seen(app.owner(), &desk.id).await, "forManagers")["id"].clone();
        let node = "query N($id: ID!) { node(id: $id) { ... on Field { code } } }";

        assert_eq!(order(&seen(app.administrator(), &desk.id).await).len(), 12);
        assert_eq!(order(&own(manager, &desk).await).len(), 12);
        let seen_by_agent = own(agent, &desk).await;
        assert_eq!(order(&seen_by_agent)[10..].to_vec(), ["forAgents"]);
        for (who, is_there) in [(manager, true), (agent, false), (app.member(), false), (app.rival(), false)] {
            let data = who.data(node, json!({ "id": hidden })).await;
            assert_eq!(data["node"] != Value::Null, is_there);
        }
    }

    async fn f1_a_service_has_at_most_eighty_fields_of_its_own_and_none_once_it_is_terminated(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let first = add(app.owner(), &desk, "first", "TEXT", json!({})).await["field"].clone();
        let mut raw = Raw::admin(&app).await;
        let id = if raw.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        for number in 1..80 {
            raw.must(&format!(
                "INSERT INTO field SELECT {id}, organization_id, service_id, 'own{number}', 'own{number}', kind, is_system, texts, length, options,
                   is_required, is_encrypted, personal_kind, visibility, 10 + {number}, created_at, removed_at, version FROM field WHERE code = 'first'"
            )).await;
        }

        assert_eq!(problems(app.owner(), &desk, "tooMuch", "TEXT", json!({})).await, ["LIMIT_REACHED at -"]);
        make::suspend(app.owner(), &desk).await;
        assert_eq!(codes(&update(app.owner(), &first, json!({ "length": 5 })).await), [""; 0]);
        make::terminate(app.owner(), &desk).await;
        assert_eq!(problems(app.owner(), &desk, "late", "TEXT", json!({})).await, ["SERVICE_TERMINATED at input.serviceId"]);
    }

    async fn f1_the_fields_of_many_services_cost_no_more_than_those_of_one(app) {
        let query = "{ services(first: 3) { nodes { fieldComposition { fingerprint } fields { code options service { code } actions { name } } } } }";
        let mut costs = Vec::new();
        for count in [1, 2] {
            for number in 0..count {
                make::draft(app.owner(), &"deskabcdefghijkl"[..4 + count + number]).await;
            }
            let token = app.owner().token().await;
            let before = app.app.database.statements();
            let answer = app.ask(Some(&token), query, json!({})).await;
            costs.push(app.app.database.statements() - before);
            assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
        }
        assert!(costs[0] == costs[1] && costs[1] <= 7, "{costs:?}: the session's check, and six");
    }
}
