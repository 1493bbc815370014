//! Every door of the API, found by asking the API itself: who may pass, and what another organization's IDs and
//! cursors open.

use std::collections::{BTreeMap, BTreeSet};

use orgdesk::kernel::{Action, Role};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        cti, extraction, grants, imports, invite, make, people, picture,
        raw::Raw,
        staff,
        surface::{self, Surface},
        ticket,
    },
};

/// The permission that a field's description names.
pub fn permission(field: &Value) -> Option<Action> {
    let text = field["description"].as_str().unwrap();
    let named = text.split("Needs ").nth(1)?.split('`').nth(1)?;
    let known = Action::ALL.iter().copied().find(|action| action.name() == named);
    Some(known.unwrap_or_else(|| panic!("{named} is no permission")))
}

fn shout(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            text.push('_');
        }
        text.extend(letter.to_uppercase());
    }
    text
}

/// The answer without what differs from request to request.
fn told(answer: &crate::support::app::Answer) -> Value {
    let mut json = answer.json.clone();
    for error in json["errors"].as_array_mut().into_iter().flatten() {
        if let Some(extensions) = error["extensions"].as_object_mut() {
            extensions.remove("requestId");
        }
    }
    json!([answer.status, json["data"], json["errors"]])
}

async fn id_of(app: &TestApp, organization: &str, query: &str, pointer: &str) -> String {
    let data = app.someone(organization, "owner").data(query, json!({})).await;
    data.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{query}: {data}"))
        .to_owned()
}

/// IDs of every kind that an organization has.
async fn ids(app: &TestApp, organization: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for (query, pointer) in [
        ("{ organization { id } }", "/organization/id"),
        (
            "{ organization { product { keys { id } } } }",
            "/organization/product/keys/0/id",
        ),
        (
            "{ organization { members { nodes { id } } } }",
            "/organization/members/nodes/0/id",
        ),
        (
            "{ organization { product { mainLogo { id } } } }",
            "/organization/product/mainLogo/id",
        ),
        ("{ webhooks { id } }", "/webhooks/0/id"),
        (
            "{ webhookDeliveries { nodes { id } } }",
            "/webhookDeliveries/nodes/0/id",
        ),
        ("{ invitations { nodes { id } } }", "/invitations/nodes/0/id"),
        ("{ services { nodes { id } } }", "/services/nodes/0/id"),
        (
            "{ services { nodes { contract { id } } } }",
            "/services/nodes/0/contract/id",
        ),
        ("{ companies { nodes { id } } }", "/companies/nodes/0/id"),
        ("{ agents { nodes { id } } }", "/agents/nodes/0/id"),
        ("{ ctiHoldings { nodes { id } } }", "/ctiHoldings/nodes/0/id"),
        (
            "{ services { nodes { fields { id } } } }",
            "/services/nodes/0/fields/0/id",
        ),
        ("{ imports { nodes { id } } }", "/imports/nodes/0/id"),
        ("{ extractions { nodes { id } } }", "/extractions/nodes/0/id"),
        ("{ extractionSteps { nodes { id } } }", "/extractionSteps/nodes/0/id"),
        ("{ piiGrants { nodes { id } } }", "/piiGrants/nodes/0/id"),
        ("{ piiGrantChanges { nodes { id } } }", "/piiGrantChanges/nodes/0/id"),
        ("{ auditEntries { nodes { id } } }", "/auditEntries/nodes/0/id"),
        (
            "{ permissionChanges { nodes { id } } }",
            "/permissionChanges/nodes/0/id",
        ),
        (
            r#"{ charges(filter: { from: "2026-11", to: "2026-11" }) { nodes { id } } }"#,
            "/charges/nodes/0/id",
        ),
    ] {
        ids.push(id_of(app, organization, query, pointer).await);
    }
    let service = ids.iter().find(|id| id.starts_with("svc_")).unwrap();
    let tickets = format!("{{ tickets(serviceId: \"{service}\") {{ nodes {{ id }} }} }}");
    ids.push(id_of(app, organization, &tickets, "/tickets/nodes/0/id").await);
    ids
}

/// An ID that looks the same and is nobody's.
fn absent(id: &str) -> String {
    let (prefix, rest) = id.split_once('_').unwrap();
    format!("{prefix}_{}zzzzzzzz{}", &rest[..8], &rest[16..])
}

async fn furnish(app: &TestApp) {
    for (who, other) in [
        (app.owner(), app.administrator()),
        (app.rival(), app.someone("rival", "admin")),
    ] {
        let desk = staff::full(who, "desk").await;
        let admin = people::member(who, "admin").await;
        staff::add(who, &desk, &admin, json!({ "channels": ["PHONE"] })).await;
        who.deed(cti::SAVE, cti::all(vec![cti::entry(&admin, 0, "admin", "0101")]))
            .await;
        grants::give(who, "admin", json!({ "isForAllServices": true })).await;
        // Nobody gives himself a place in a service.
        staff::add(other, &desk, &people::member(who, "owner").await, json!({})).await;
        ticket::made(who, &desk, json!({})).await;
        imports::uploaded(who, &desk.id, b"none").await;
        extraction::requested(who, json!({ "members": {} }), json!({})).await;
        invite::made(who, "new.agent").await;
        who.deed(
            r#"organizationKeyCreate(input: { name: "k", scopes: [SERVICE_READ] }) => key { id }"#,
            json!({}),
        )
        .await;
        who.deed(r#"webhookCreate(input: { name: "w", url: "https://hooks.example.com/", events: [SERVICE_CREATE] }) => webhook { id }"#, json!({})).await;
        who.deed(&make::company("c"), json!({})).await;
        let logo = picture::uploaded(who, &picture::png(1)).await;
        picture::set_logo(who, logo["id"].clone()).await;
    }
}

/// What a database holds, but for the entries that tell who read a log.
fn unread(mut dump: BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    for rows in dump.values_mut() {
        rows.retain(|row| !row.contains("AUDIT_READ"));
    }
    dump
}

both! {
    async fn a2_every_door_opens_to_whom_the_table_says(app) {
        let surface = Surface::of(&app).await;
        let mut raw = Raw::admin(&app).await;
        let personas = people::personas(&app).await;
        let mut refused = 0;
        // The clock stands, and the same refusal of the same person is told once in a minute.
        let mut told = BTreeSet::new();

        for (kind, word) in [("Query", "query"), ("Mutation", "mutation")] {
            for field in surface.fields(kind) {
                let name = field["name"].as_str().unwrap();
                let Some(action) = permission(&field) else {
                    assert!(["viewer", "node", "nodes", "helpCenterFooter"].contains(&name), "{kind}.{name} does not say what it needs");
                    continue;
                };
                if kind == "Mutation" {
                    assert_eq!(action.name(), shout(name), "a mutation is named as its permission");
                }
                // Whoever may leave stays for the next question.
                let call = surface.call(&field, &[], "").replace("memberLeave(input: { ", "memberLeave(input: { dryRun: true, ");
                let query = surface::document(word, &call);
                for (place, (_, who, roles)) in personas.iter().enumerate() {
                    let may = action.roles().iter().any(|role| roles.contains(role));
                    let denied = format!("audit_entry WHERE outcome = 'DENIED' AND action = '{}'", action.name());
                    let before = raw.count(&denied).await;
                    let answer = match who {
                        Some(who) => who.ask(&query, json!({})).await,
                        None => app.ask(None, &query, json!({})).await,
                    };
                    let expected = match roles.as_slice() {
                        _ if may => "none",
                        [Role::Nobody] => "UNAUTHENTICATED",
                        [Role::Enrolling] => "SECOND_FACTOR_REQUIRED",
                        _ => "FORBIDDEN",
                    };
                    assert_eq!(answer.code(), expected, "{query} as {roles:?}: {}", answer.text);
                    assert!(may || answer.json["data"].get(name).is_none_or(Value::is_null), "{query} as {roles:?}: {}", answer.text);
                    let logged = !may && who.is_some() && told.insert((place, action.name()));
                    assert_eq!(raw.count(&denied).await - before, u64::from(logged), "{query} as {roles:?}");
                    refused += usize::from(!may);
                }
            }
        }

        assert!(refused >= 150, "{refused}");
    }

    async fn l1_a_refused_look_stands_once_in_the_log_of_access(app) {
        furnish(&app).await;
        let all = ids(&app, "acme").await;
        let id = all.iter().find(|id| id.starts_with("svc_")).unwrap();
        let query = "query Q($id: ID!) { viewer { member { login } } a: services { totalCount } b: services(first: 1) { totalCount }
            service(by: { id: $id }) { name } node(id: $id) { id } charges(filter: { from: \"2026-11\", to: \"2026-11\" }) { totalCount } }";
        let log = "{ auditVerification { brokenPosition } auditEntries(filter: { outcome: [DENIED], log: [ACCESS] }) {
            nodes { action outcome reasonCode requestReference actor { name } target { label } } } }";

        let member = app.member().ask(query, json!({ "id": id })).await;
        let nobody = app.ask(None, query, json!({ "id": id })).await;
        let told = app.owner().data(log, json!({})).await;

        assert_eq!(member.json["data"]["viewer"]["member"]["login"], "member");
        assert_eq!(member.json["data"]["node"], Value::Null);
        assert_eq!(member.json["errors"].as_array().unwrap().len(), 4, "{}", member.text);
        assert_eq!(nobody.code(), "UNAUTHENTICATED");
        let refused = |action| json!({
            "action": action, "outcome": "DENIED", "reasonCode": "FORBIDDEN", "actor": { "name": "구성원 (member)" }, "target": null,
            "requestReference": member.headers["x-request-id"].to_str().unwrap(),
        });
        let mut denied = told["auditEntries"]["nodes"].as_array().unwrap().clone();
        denied.sort_by_key(|node| node["action"].to_string());
        assert_eq!(denied, [refused("CHARGE_READ"), refused("SERVICE_READ")]);
        assert!(told["auditVerification"].as_array().unwrap().iter().all(|log| log["brokenPosition"].is_null()));
    }

    async fn l1_a_refusal_that_the_log_does_not_take_is_a_refusal_all_the_same(app) {
        let mut raw = Raw::admin(&app).await;
        raw.must(if raw.is_postgres() {
            "ALTER TABLE audit_entry ADD CHECK (outcome <> 'DENIED')"
        } else {
            "CREATE TRIGGER full BEFORE INSERT ON audit_entry WHEN new.outcome = 'DENIED' BEGIN SELECT RAISE(ABORT, 'full'); END"
        }).await;

        let looked = app.member().ask("{ services { totalCount } }", json!({})).await;
        let tried = app.member().ask(r#"mutation { serviceSuspend(id: "svc_x", input: { expectedVersion: 1, acknowledgeCharges: true }) { userErrors { code } } }"#, json!({})).await;

        assert_eq!((looked.code(), tried.code()), ("FORBIDDEN", "FORBIDDEN"), "{} {}", looked.text, tried.text);
    }

    async fn a2_whoever_may_not_know_of_a_thing_is_told_that_there_is_none(app) {
        furnish(&app).await;
        let own = ids(&app, "acme").await;
        let query = "query Q($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }";

        let nobody = app.ask(None, query, json!({ "ids": own })).await;
        let member = app.member().ask(query, json!({ "ids": own })).await;
        let owner = app.owner().ask(query, json!({ "ids": own })).await;

        for answer in [nobody, member] {
            assert!(answer.json["data"]["nodes"].as_array().unwrap().iter().all(Value::is_null), "{}", answer.text);
        }
        let found: Vec<_> = owner.json["data"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
        assert_eq!(found, own);
    }

    // case: A1
    // case: A2
    async fn a3_another_organizations_id_is_an_id_that_does_not_exist(app) {
        furnish(&app).await;
        let surface = Surface::of(&app).await;
        let theirs = ids(&app, "rival").await;
        let token = app.owner().token().await;
        let mut raw = Raw::admin(&app).await;
        let before = unread(raw.dump().await);
        let mut tried = 0;

        for (kind, word) in [("Query", "query"), ("Mutation", "mutation")] {
            for field in surface.fields(kind) {
                for way in surface.ways(&field, "ID") {
                    for id in &theirs {
                        let ask = |id: &str| {
                            // What is asked for is nobody's, and so an empty list leaves: it is only tried out.
                            let call = surface.call(&field, &way, id).replace("extractionRequest(input: { ", "extractionRequest(input: { dryRun: true, ");
                            surface::document(word, &call.replace("{ __typename }", &selection(&field)))
                        };
                        let foreign = app.ask(Some(&token), &ask(id), json!({})).await;
                        let none = app.ask(Some(&token), &ask(&absent(id)), json!({})).await;
                        assert_eq!(told(&foreign), told(&none), "{}", ask(id));
                        assert_ne!(foreign.code(), "INTERNAL", "{}", ask(id));
                        tried += 1;
                    }
                }
            }
        }

        assert!(tried > 100, "{tried}");
        assert!(unread(raw.dump().await) == before, "nothing was changed");
        for name in surface.objects() {
            for field in surface.fields(&name) {
                let nested = !["Query", "Mutation", "Subscription"].contains(&name.as_str()) && !surface.ways(&field, "ID").is_empty();
                let known = name == "Organization" && field["name"] == "charges";
                assert!(!nested || known, "{name}.{} takes an ID: try it here too", field["name"]);
            }
        }
    }

    // case: E14
    async fn a3_odd_texts_and_ids_are_refused_and_break_nothing(app) {
        let surface = Surface::of(&app).await;
        let token = app.owner().token().await;
        let odd = ["\\u0000", "a\\u0000b", "\\uFEFF", "\u{202e}x", "' OR '1'='1", "svc_\\u0000zzzzzzzzzzzzzzzzzzzzzzzzz", "org__", "key_", "chg_1_2"];
        let mut tried = 0;

        for (kind, word) in [("Query", "query"), ("Mutation", "mutation")] {
            for field in surface.fields(kind) {
                for way in ["String", "ID"].iter().flat_map(|to| surface.ways(&field, to)) {
                    // Ten wrong passwords would only find the brake.
                    for text in odd.iter().filter(|_| field["name"] != "sessionConfirm") {
                        let query = surface::document(word, &surface.call(&field, &way, text));
                        let answer = app.ask(Some(&token), &query, json!({})).await;
                        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
                        assert_ne!(answer.code(), "INTERNAL", "{query}: {}", answer.text);
                        tried += 1;
                    }
                }
            }
        }

        assert!(tried > 400, "{tried}");
    }

    // case: E14
    async fn a3_odd_numbers_and_times_are_refused_and_break_nothing(app) {
        let surface = Surface::of(&app).await;
        let token = app.owner().token().await;
        let odd: [(&str, &[&str]); 4] = [
            ("Int", &["-2147483648", "-1", "0", "2147483647", "2147483648", "99999999999999999999"]),
            ("DateTime", &[
                "-262143-01-01T00:00:00Z", "+262142-12-31T23:59:59Z", "-4713-01-01T00:00:00Z", "0000-01-01T00:00:00+23:59",
                "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-23:59", "2016-12-31T23:59:60Z", "",
            ]),
            ("Month", &["0000-00", "2000-01", "2200-12", "9999-12", "-001-01", ""]),
            ("Date", &["-999-01-01", "0000-01-01", "9999-12-31", "+999-01-01", ""]),
        ];
        let mut tried = 0;

        for (kind, word) in [("Query", "query"), ("Mutation", "mutation")] {
            for field in surface.fields(kind) {
                for (to, values) in odd {
                    for way in surface.ways(&field, to) {
                        for value in values {
                            let query = surface::document(word, &surface.call(&field, &way, value));
                            let answer = app.ask(Some(&token), &query, json!({})).await;
                            assert_eq!(answer.status, 200, "{query}: {}", answer.text);
                            assert_ne!(answer.code(), "INTERNAL", "{query}: {}", answer.text);
                            tried += 1;
                        }
                    }
                }
            }
        }

        assert!(tried > 200, "{tried}");
    }

    // case: A3
    async fn a3_a_cursor_that_was_not_written_for_this_list_is_refused(app) {
        furnish(&app).await;
        let token = app.owner().token().await;
        let lists = [
            ("agents", ""), ("auditEntries", ""), ("permissionChanges", ""), ("piiGrants", ""), ("piiGrantChanges", ""), ("services", ""), ("invitations", ""), ("webhookDeliveries", ""),
            ("charges", r#", filter: { from: "2026-11", to: "2026-11" }"#),
        ];
        let mut refused = 0;
        for (list, arguments) in lists {
            let first = format!("{{ {list}(first: 1{arguments}) {{ edges {{ cursor }} }} }}");
            let pointer = format!("/{list}/edges/0/cursor");
            let own = id_of(&app, "acme", &first, &pointer).await;
            let theirs = id_of(&app, "rival", &first, &pointer).await;
            let mut wrong = vec![theirs, String::new(), "x".into(), format!("{own}A"), own[1..].to_owned(), "\0".into(), "가".into()];
            for flip in 0..334 {
                let mut bytes = own.clone().into_bytes();
                let place = flip % bytes.len();
                bytes[place] = if bytes[place] == b'B' { b'C' } else { b'B' };
                if flip >= bytes.len() {
                    let second = (flip * 7 + 3) % bytes.len();
                    bytes[second] = if bytes[second] == b'x' { b'y' } else { b'x' };
                }
                let text = String::from_utf8(bytes).unwrap();
                wrong.extend((text != own).then_some(text));
            }
            for (other, _) in lists.iter().filter(|(other, _)| *other != list) {
                let arguments = lists.iter().find(|(name, _)| name == other).unwrap().1;
                let first = format!("{{ {other}(first: 1{arguments}) {{ edges {{ cursor }} }} }}");
                wrong.push(id_of(&app, "acme", &first, &format!("/{other}/edges/0/cursor")).await);
            }

            for cursor in wrong {
                let end = if refused % 2 == 0 { "after" } else { "before" };
                let query = format!("query Q($c: String) {{ {list}({end}: $c{arguments}) {{ totalCount edges {{ cursor }} }} }}");
                let answer = app.ask(Some(&token), &query, json!({ "c": cursor })).await;
                assert_eq!((answer.status, answer.code()), (200, "BAD_USER_INPUT"), "{list} {cursor}: {}", answer.text);
                refused += 1;
            }
        }

        assert!(refused > 1_000, "{refused}");
    }
}

/// As much of the answer as could give something away.
fn selection(field: &Value) -> String {
    match field["name"].as_str().unwrap() {
        "agents" | "auditEntries" | "charges" | "companies" | "ctiHoldings" | "invitations" | "permissionChanges"
        | "piiGrants" | "piiGrantChanges" | "webhookDeliveries" => "{ totalCount nodes { id } }",
        "node" | "nodes" | "service" => "{ id __typename }",
        "menu" | "ctiLoginCheck" => "{ __typename }",
        "ctiAgents" => "{ totalCount nodes { version } }",
        "piiAccess" => "{ isUnmasked reason }",
        "fieldComposition" => "{ fingerprint fields { id } }",
        "contractQuote" | "companyFooter" | "helpCenterFooter" => "{ __typename }",
        _ => "{ __typename userErrors { code field message availableAt } }",
    }
    .to_owned()
}
