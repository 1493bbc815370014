//! 티켓: what a ticket is given, what is held against the service's fields, who may do anything with it, and that what was
//! masked when it was read never becomes its value.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who, codes},
        make, people,
        raw::Raw,
        staff,
        ticket::{self, CREATE, UPDATE, desk, input, listed, made, seen, text, update},
    },
};

/// The problems of `ticketCreate` with these values instead of what is usual.
async fn refused(who: Who<'_>, service: &make::Made, more: Value, given: Value) -> Vec<String> {
    who.problems("ticketCreate(input: $input)", input(service, more, &given))
        .await
}

/// Adds a field to a service.
async fn field(app: &TestApp, service: &make::Made, code: &str, kind: &str, more: Value) {
    let mut input =
        json!({ "serviceId": service.id, "code": code, "type": kind, "texts": [{ "language": "ko", "title": code }] });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    app.owner()
        .deed("fieldAdd(input: $input)", json!({ "input": input }))
        .await;
}

both! {
    async fn f2_a_ticket_has_what_it_was_given_with_personal_data_masked(app) {
        let service = desk(&app, "desk").await;
        field(&app, &service, "reasons", "CHECKBOX", json!({ "options": [["장애"], ["보안"], ["기타"]] })).await;
        let agent = app.someone("acme", "agent");
        let me = people::member(app.owner(), "agent").await;
        let more = json!({
            "channel": "EMAIL", "priority": "URGENT", "receivedAt": "2026-11-09T03:00:00Z", "assigneeId": me["id"],
            "processing": " 확인 중입니다. ", "externalReference": "crm-1",
        });
        let given = json!({ "phone": "010-2345-6789", "name": "홍길동", "reasons": ["장애", "기타"] });

        let ticket = agent.deed(CREATE, input(&service, more, &given)).await["ticket"].clone();
        app.wait(Duration::seconds(1));
        let second = made(agent, &service, json!({})).await;

        let told = json!({
            "id": ticket["id"], "number": 1, "channel": "EMAIL", "status": "OPEN", "priority": "URGENT", "receivedAt": "2026-11-09T03:00:00.000Z",
            "processedAt": null, "processing": "확인 중입니다.", "externalReference": "crm-1", "isMigrated": false, "assignee": { "login": "agent" },
            "values": [
                { "code": "category", "text": "기타", "options": [], "isAgreed": null, "isMasked": false, "fault": null },
                { "code": "mail", "text": "can**********@private-mail.example", "options": [], "isAgreed": null, "isMasked": true, "fault": null },
                { "code": "subject", "text": "배송 문의", "options": [], "isAgreed": null, "isMasked": false, "fault": null },
                { "code": "content", "text": "언제 오나요?", "options": [], "isAgreed": null, "isMasked": false, "fault": null },
                { "code": "name", "text": "홍길동", "options": [], "isAgreed": null, "isMasked": false, "fault": null },
                { "code": "phone", "text": "010-****-6789", "options": [], "isAgreed": null, "isMasked": true, "fault": null },
                { "code": "personalAgree", "text": null, "options": [], "isAgreed": true, "isMasked": false, "fault": null },
                { "code": "reasons", "text": null, "options": ["장애", "기타"], "isAgreed": null, "isMasked": false, "fault": null },
            ],
            "version": 1,
        });
        assert_eq!(ticket, told);
        assert_eq!(seen(agent, &ticket).await, told);
        assert_eq!((&second["number"], &second["status"], &second["channel"], &second["priority"]), (&json!(2), &json!("NEW"), &json!("MANUAL"), &json!("NORMAL")));
        let rows = Raw::admin(&app).await.texts("SELECT external_id FROM usage_entry WHERE meter = 'TICKETS'").await;
        let ids: std::collections::BTreeSet<_> = [&ticket, &second].map(|ticket| ticket["id"].as_str().unwrap().to_owned()).into();
        assert_eq!(rows.into_iter().collect::<std::collections::BTreeSet<_>>(), ids, "each is counted once");
    }

    async fn f2_each_value_is_held_against_its_field(app) {
        let service = desk(&app, "desk").await;
        field(&app, &service, "day", "DATE", json!({ "isRequired": true })).await;
        let agent = app.someone("acme", "agent");
        let wrong = json!({
            "day": "2026-02-30", "category": "없는 유형", "mail": "x".repeat(101), "subject": null, "content": ["한 가지"], "phone": "가나\u{0}",
            "personalAgree": false, "unknown": "x", "attachment": "x", "name": { "text": "홍", "isAgreed": true },
        });
        let variables = input(&service, json!({}), &wrong);
        let place = |code: &str| variables["input"]["values"].as_array().unwrap().iter().position(|value| value["code"] == code).unwrap();
        let expected: Vec<(&str, String, Value, Value)> = [
            ("BLANK", "personalAgree", "", "REQUIRED"), ("BLANK", "subject", "", "REQUIRED"), ("INVALID", "category", "", "INVALID"), ("INVALID", "content", "", "INVALID"),
            ("INVALID", "day", "", "INVALID"), ("INVALID", "name", "", "INVALID"), ("INVALID", "phone", "", "INVALID"), ("NOT_FOR_TYPE", "attachment", "", "INVALID"),
            ("NOT_FOUND", "unknown", ".code", ""), ("TOO_LONG", "mail", "", "LENGTH"),
        ]
        .map(|(code, field, end, wrong)| {
            let known = !wrong.is_empty();
            (code, format!("input.values.{}{end}", place(field)), if known { json!(field) } else { Value::Null }, if known { json!(wrong) } else { Value::Null })
        })
        .into();

        let query = "mutation M($input: TicketCreateInput!) { ticketCreate(input: $input) { ticket { id } userErrors { code field fieldCode valueWrong message } } }";
        let payload = agent.data(query, variables.clone()).await["ticketCreate"].clone();

        let mut told: Vec<_> = payload["userErrors"].as_array().unwrap().iter().map(|error| {
            let path: Vec<_> = error["field"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
            (error["code"].as_str().unwrap(), path.join("."), error["fieldCode"].clone(), error["valueWrong"].clone())
        }).collect();
        told.sort_by_key(|(code, path, field, _)| ((*code).to_owned(), field.to_string(), path.clone()));
        let mut expected = expected;
        expected.sort_by_key(|(code, path, field, _)| ((*code).to_owned(), field.to_string(), path.clone()));
        assert_eq!(told, expected);
        assert_eq!(payload["ticket"], Value::Null);
        let twice = json!({ "input": { "serviceId": service.id, "values": [{ "code": "subject", "text": "a" }, { "code": "subject", "text": "b" }] } });
        let lacking = agent.problems("ticketCreate(input: $input)", twice).await;
        assert_eq!(lacking, ["DUPLICATE at input.values.1.code", "BLANK at input.values", "BLANK at input.values", "BLANK at input.values", "BLANK at input.values", "BLANK at input.values"]);
        assert_eq!(Raw::admin(&app).await.count("ticket").await, 0);
    }

    async fn f2_what_is_beside_the_values_has_its_rules_too(app) {
        let service = desk(&app, "desk").await;
        let (agent, manager) = (app.someone("acme", "agent"), app.someone("acme", "manager"));
        let ids = ["agent", "manager", "member"].map(|login| people::member(app.owner(), login));
        let [own, manager_id, outsider] = futures_util::future::join_all(ids).await.try_into().unwrap();
        let theirs = people::member(app.rival(), "member").await;

        for (more, problems) in [
            (json!({ "receivedAt": "2026-11-10T01:00:01Z" }), vec!["OUT_OF_RANGE at input.receivedAt"]),
            (json!({ "assigneeId": outsider["id"] }), vec!["NO_SERVICE_ROLE at input.assigneeId"]),
            (json!({ "assigneeId": theirs["id"] }), vec!["NOT_FOUND at input.assigneeId"]),
            (json!({ "assigneeId": manager_id["id"] }), vec!["FORWARD_RIGHT_REQUIRED at input.assigneeId"]),
            (json!({ "assigneeId": own["id"], "status": "NEW" }), vec!["INVALID at input.status"]),
            (json!({ "processing": "가".repeat(5_001) }), vec!["TOO_LONG at input.processing"]),
            (json!({ "externalReference": "가" }), vec!["INVALID at input.externalReference"]),
            (json!({ "externalReference": "" }), vec!["INVALID at input.externalReference"]),
        ] {
            assert_eq!(refused(agent, &service, more.clone(), json!({})).await, problems, "{more}");
        }
        let given = |login: &Value, reference: &str| json!({ "assigneeId": login["id"], "externalReference": reference });
        let passed = manager.deed(CREATE, input(&service, given(&own, "crm-1"), &json!({}))).await["ticket"].clone();
        assert_eq!(refused(manager, &service, given(&own, "crm-1"), json!({})).await, ["TAKEN at input.externalReference"]);
        assert_eq!((&passed["assignee"]["login"], &passed["status"]), (&json!("agent"), &json!("OPEN")));

        let left = update(agent, &passed, json!({ "assigneeId": null })).await["ticket"].clone();
        let taken = update(agent, &left, json!({ "assigneeId": own["id"] })).await["ticket"].clone();
        let solved = update(agent, &taken, json!({ "status": "SOLVED" })).await["ticket"].clone();
        let opened = update(agent, &solved, json!({ "status": "OPEN" })).await["ticket"].clone();
        assert_eq!((&left["status"], &left["assignee"]), (&json!("NEW"), &Value::Null));
        assert_eq!((&taken["status"], &solved["processedAt"], &opened["processedAt"]), (&json!("OPEN"), &json!("2026-11-10T01:00:00.000Z"), &Value::Null));
        assert_eq!(codes(&update(agent, &opened, json!({ "assigneeId": manager_id["id"] })).await), ["FORWARD_RIGHT_REQUIRED at input.assigneeId"]);
        let same = update(agent, &opened, json!({ "status": "OPEN", "values": listed(&json!({ "subject": "배송 문의" })) })).await;
        assert_eq!((codes(&same), &same["ticket"]["version"]), (vec![], &opened["version"]), "nothing differs");
    }

    async fn f2_only_what_is_given_changes_and_only_from_the_version_that_was_read(app) {
        let service = desk(&app, "desk").await;
        let agent = app.someone("acme", "agent");
        let ticket = made(agent, &service, json!({ "phone": "010-2345-6789", "typeOne": "가" })).await;

        let changed = update(agent, &ticket, json!({ "values": listed(&json!({ "phone": "02-123-4567", "typeOne": null })) })).await["ticket"].clone();
        let stale = update(agent, &ticket, json!({ "priority": "LOW" })).await;
        let emptied = update(agent, &changed, json!({ "values": listed(&json!({ "mail": null })) })).await;

        assert_eq!((text(&changed, "phone"), text(&changed, "typeOne"), text(&changed, "subject")), ("02-***-4567", "-", "배송 문의"));
        assert_eq!((codes(&stale), &stale["ticket"]["version"]), (vec!["STALE_VERSION at input.expectedVersion".to_owned()], &json!(2)));
        assert_eq!(codes(&emptied), ["BLANK at input.values.0"]);
        let told = app.owner().data("{ auditEntries(filter: { action: [TICKET_UPDATE] }) { nodes { target { label } changes { record field before after } } } }", json!({})).await;
        let entries = told["auditEntries"]["nodes"].to_string();
        assert!(entries.contains("typeOne") && !entries.contains("4567") && !entries.contains("배송"), "fields are told, values are not: {entries}");
    }

    async fn f4_only_who_works_in_the_service_has_anything_to_do_with_its_tickets(app) {
        let personas = people::personas(&app).await;
        let service = make::in_use(app.owner(), "desk", 5).await;
        let elsewhere = app.owner().data("{ service(by: { code: \"personas\" }) { id } }", json!({})).await;
        let elsewhere = make::Made { id: elsewhere["service"]["id"].as_str().unwrap().to_owned(), contract: String::new() };
        let [own, theirs] = [made(app.someone("acme", "agent"), &elsewhere, json!({})).await, {
            people::join(&app, "colleague", false).await;
            people::employ(&app, "desk", "colleague", false).await;
            made(app.someone("acme", "colleague"), &service, json!({})).await
        }];
        let list = "query Q($id: ID!) { tickets(serviceId: $id) { totalCount } }";
        let mut reached = Vec::new();

        for (persona, who, _) in &personas {
            let Some(who) = who else { continue };
            if *persona == "enrolling" {
                continue;
            }
            if persona.ends_with(" key") {
                assert_eq!(who.ask(list, json!({ "id": service.id })).await.code(), "FORBIDDEN", "{persona}");
                continue;
            }
            for (place, ticket) in [(&elsewhere, &own), (&service, &theirs)] {
                let works = ["manager", "agent"].contains(persona) && place.id == elsewhere.id;
                let listed = who.data(list, json!({ "id": place.id })).await["tickets"].clone();
                let created = refused(*who, place, json!({ "dryRun": true }), json!({})).await;
                let changed = who.problems("ticketUpdate(id: $id, input: $input)", people::on(ticket, json!({ "priority": "LOW", "dryRun": true }))).await;
                let revealed = who.problems("ticketReveal(input: $input)", json!({ "input": { "ids": [ticket["id"]], "reason": "상담에 필요한 회신" } })).await;
                assert_eq!(listed.is_null(), !works, "{persona}");
                assert_eq!(seen(*who, ticket).await.is_null(), !works, "{persona}");
                let none = |path: &str| if works { Vec::new() } else { vec![format!("NOT_FOUND at {path}")] };
                assert_eq!((created, changed), (none("input.serviceId"), none("id")), "{persona}");
                assert_eq!(revealed, [if works { "PII_NO_GRANT at input.ids.0" } else { "NOT_FOUND at input.ids.0" }], "{persona}");
                reached.extend(works.then_some(*persona));
            }
        }

        assert_eq!(reached, ["manager", "agent"]);
        let nobody = app.ask(None, list, json!({ "id": service.id })).await;
        assert_eq!(nobody.code(), "UNAUTHENTICATED");
        assert_eq!(app.rival().ask(list, json!({ "id": service.id })).await.code(), "SECOND_FACTOR_REQUIRED");
    }

    async fn f4_a_service_that_may_not_be_used_has_no_tickets_to_be_seen_or_changed(app) {
        let service = desk(&app, "desk").await;
        let draft = make::draft(app.owner(), "draft").await;
        people::employ(&app, "draft", "agent", false).await;
        let agent = app.someone("acme", "agent");
        let ticket = made(agent, &service, json!({})).await;

        assert_eq!(refused(agent, &draft, json!({}), json!({})).await, ["CONTRACT_NOT_COMPLETED at input.serviceId"]);
        make::suspend(app.owner(), &service).await;
        assert_eq!(refused(agent, &service, json!({}), json!({})).await, ["SERVICE_NOT_IN_USE at input.serviceId"]);
        let suspended = agent.payload("ticketUpdate(id: $id, input: $input) => ticket { id }", people::on(&ticket, json!({ "priority": "LOW" }))).await;
        assert_eq!((codes(&suspended), &suspended["ticket"]), (vec!["SERVICE_NOT_IN_USE at id".to_owned()], &Value::Null));
        assert_eq!(seen(agent, &ticket).await, Value::Null);
        make::terminate(app.owner(), &service).await;
        assert_eq!(refused(agent, &service, json!({}), json!({})).await, ["SERVICE_TERMINATED at input.serviceId"]);
    }

    async fn f4_agents_neither_see_nor_fill_in_what_is_the_managers(app) {
        let service = desk(&app, "desk").await;
        field(&app, &service, "grade", "RADIO", json!({ "options": [["상"], ["하"]], "visibility": "MANAGERS", "isRequired": true })).await;
        let (agent, manager) = (app.someone("acme", "agent"), app.someone("acme", "manager"));

        let unknown = refused(agent, &service, json!({}), json!({ "grade": "상" })).await;
        let ticket = made(manager, &service, json!({ "grade": "상" })).await;
        let by_agent = made(agent, &service, json!({})).await;

        assert_eq!(unknown.iter().filter(|problem| problem.starts_with("NOT_FOUND at input.values.")).count(), 1);
        assert_eq!((text(&ticket, "grade"), text(&seen(agent, &ticket).await, "grade"), text(&by_agent, "grade")), ("상", "-", "-"));
        assert_eq!(text(&update(agent, &ticket, json!({ "priority": "HIGH" })).await["ticket"], "grade"), "-");
        assert_eq!(text(&seen(manager, &ticket).await, "grade"), "상", "what somebody does not see he does not lose");
        let found = |who| ticket::search(who, &service, json!({ "value": { "code": "grade", "equals": "상" } }));
        assert_eq!(found(manager).await, [1]);
        let query = "query Q($id: ID!, $filter: TicketFilter) { tickets(serviceId: $id, filter: $filter) { totalCount } }";
        let asked = agent.ask(query, json!({ "id": service.id, "filter": { "value": { "code": "grade", "equals": "상" } } })).await;
        assert_eq!(asked.code(), "BAD_USER_INPUT");
    }

    async fn i4_a_mask_that_comes_back_is_the_value_that_was_there_and_any_other_is_refused(app) {
        let service = desk(&app, "desk").await;
        field(&app, &service, "account", "TEXT", json!({ "isEncrypted": true, "personalKind": "ACCOUNT" })).await;
        let agent = app.someone("acme", "agent");
        let ticket = made(agent, &service, json!({ "phone": "010-2345-6789" })).await;
        let shown: Vec<Value> = ticket["values"].as_array().unwrap().iter()
            .map(|value| json!({ "code": value["code"], "text": value["text"], "isAgreed": value["isAgreed"] })).collect();
        let mut raw = Raw::admin(&app).await;
        let sealed = if raw.is_postgres() { "SELECT sealed::text FROM ticket" } else { "SELECT sealed FROM ticket" };
        let before = raw.texts(sealed).await;

        let back = update(agent, &ticket, json!({ "values": shown })).await;
        assert_eq!((codes(&back), &back["ticket"]), (vec![], &ticket), "all of it, as it was shown");
        assert_eq!(raw.texts(sealed).await, before);
        for (code, sent, refused) in [
            ("phone", "010-****-9999", true), ("phone", "***", true), ("mail", "***@example.com", true), ("account", "***-***-**7890", true),
            ("phone", " 010-****-6789 ", false), ("subject", "***", false),
        ] {
            let payload = update(agent, &seen(agent, &ticket).await, json!({ "values": listed(&json!({ code: sent })) })).await;
            let expected: &[&str] = if refused { &["MASKED_VALUE at input.values.0"] } else { &[] };
            assert_eq!(codes(&payload), expected, "{code} {sent}");
        }
        assert_eq!(raw.texts(sealed).await, before);
        assert_eq!(refused(agent, &service, json!({}), json!({ "phone": "010-****-6789" })).await.len(), 1);
        let mut versions = Vec::new();
        for guess in ["010-2345-6789", "010-2346-6789"] {
            let now = seen(agent, &ticket).await;
            let tried = update(agent, &now, json!({ "dryRun": true, "values": listed(&json!({ "phone": guess })) })).await;
            versions.push((now["version"] == tried["ticket"]["version"], tried["userErrors"].clone()));
        }
        assert_eq!(versions, [(false, json!([])), (false, json!([]))], "a right guess looks like a wrong one");
        let new = update(agent, &seen(agent, &ticket).await, json!({ "values": listed(&json!({ "phone": "010-9876-5432" })) })).await;
        assert_eq!(text(&new["ticket"], "phone"), "010-****-5432");
    }

    async fn a7_open_tickets_of_whoever_leaves_wait_for_somebody_else(app) {
        let service = desk(&app, "desk").await;
        people::join(&app, "leaver", false).await;
        let place = staff::add(app.owner(), &service, &people::member(app.owner(), "leaver").await, json!({})).await;
        let leaver = app.someone("acme", "leaver");
        let own = people::member(app.owner(), "leaver").await;
        let mut tickets = Vec::new();
        for status in ["OPEN", "REPLY", "CLOSED"] {
            let more = json!({ "assigneeId": own["id"], "status": status });
            tickets.push(leaver.deed(CREATE, input(&service, more, &json!({}))).await["ticket"].clone());
        }

        assert_eq!(staff::remove(app.owner(), &place).await, Vec::<String>::new());

        let mut now = Vec::new();
        for ticket in &tickets {
            let ticket = seen(app.someone("acme", "agent"), ticket).await;
            now.push(format!("{} {}", ticket["status"].as_str().unwrap(), ticket["assignee"]["login"]));
        }
        assert_eq!(now, ["NEW null", "NEW null", "CLOSED \"leaver\""]);
        let taken_up = update(app.someone("acme", "agent"), &tickets[2], json!({ "status": "OPEN" })).await;
        assert_eq!((&taken_up["ticket"]["status"], &taken_up["ticket"]["assignee"]), (&json!("NEW"), &Value::Null));
        assert_eq!(seen(leaver, &tickets[0]).await, Value::Null);
        let stale = leaver.problems(UPDATE, people::on(&tickets[0], json!({ "priority": "LOW" }))).await;
        assert_eq!(stale, ["NOT_FOUND at id"]);
    }

    async fn a7_more_tickets_than_anybody_reads_of_are_given_up_at_once(app) {
        let service = desk(&app, "desk").await;
        people::join(&app, "leaver", false).await;
        let place = staff::add(app.owner(), &service, &people::member(app.owner(), "leaver").await, json!({})).await;
        let leaver = app.someone("acme", "leaver");
        let own = people::member(app.owner(), "leaver").await;
        for _ in 0..203 {
            leaver.deed(CREATE, input(&service, json!({ "assigneeId": own["id"] }), &json!({}))).await;
        }

        assert_eq!(staff::remove(app.owner(), &place).await, Vec::<String>::new());

        let query = "query Q($id: ID!) { all: tickets(serviceId: $id, first: 1) { totalCount }
            new: tickets(serviceId: $id, first: 1, filter: { status: [NEW] }) { totalCount nodes { version assignee { login } } } }";
        let now = app.someone("acme", "agent").data(query, json!({ "id": service.id })).await;
        let version = &now["new"]["nodes"][0]["version"];
        assert_eq!((&now["all"]["totalCount"], &now["new"]["totalCount"], version), (&json!(203), &json!(203), &json!(2)));
        let log = "{ auditEntries(filter: { action: [AGENT_REMOVE] }) { nodes { changes { record key field after } } } }";
        let log = app.owner().data(log, json!({})).await;
        let changes = log["auditEntries"]["nodes"][0]["changes"].as_array().unwrap();
        let of = |key: &str| changes.iter().filter(|change| change["record"] == "ticket" && (change["key"] == "*") == (key == "*")).count();
        assert_eq!((of("each"), of("*")), (400, 2));
        assert!(changes.contains(&json!({ "record": "ticket", "key": "*", "field": "status", "after": "3" })), "{changes:?}");
    }
}
