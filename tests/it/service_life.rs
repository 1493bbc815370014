//! 사용, 사용 중지, 해지: a service's states, what each verb answers in each of them, and why a button is grey.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who, codes},
        make::{self, Made},
    },
};

const STATE: &str = "query Q($id: ID!) { service(by: { id: $id }) { id code name version status contractButton suspendedAt \
    terminatedAt contract { id version status endedOn } actions { name isAllowed reasonCode availableAt } } }";

/// The verbs, in the order in which a service tells them, and what each of them answers.
const VERBS: [&str; 7] = [
    "SERVICE_UPDATE",
    "CONTRACT_DRAFT",
    "CONTRACT_SIGN",
    "CONTRACT_UPDATE",
    "SERVICE_SUSPEND",
    "SERVICE_RESUME",
    "SERVICE_TERMINATE",
];

async fn state(who: Who<'_>, made: &Made) -> Value {
    who.data(STATE, json!({ "id": made.id })).await["service"].clone()
}

/// Tries a verb out: nothing of it stays.
async fn tried(who: Who<'_>, made: &Made, verb: &str) -> Value {
    let now = state(who, made).await;
    let (mut words, mut name) = (verb.split('_'), String::new());
    name += &words.next().unwrap().to_lowercase();
    for word in words {
        name += &word[..1];
        name += &word[1..].to_lowercase();
    }
    let thing = if verb.starts_with("SERVICE") {
        &now
    } else {
        &now["contract"]
    };
    let mut input = json!({ "expectedVersion": thing["version"], "dryRun": true });
    let items = json!([{ "code": "TICKET", "userCount": 77 }]);
    match verb {
        "SERVICE_UPDATE" => input["name"] = json!("Another name"),
        "SERVICE_SUSPEND" => input["acknowledgeCharges"] = json!(true),
        "SERVICE_RESUME" | "SERVICE_TERMINATE" => {}
        _ => input["items"] = items,
    }
    let variables = json!({ "id": thing["id"], "input": input });
    who.payload(&format!("{name}(id: $id, input: $input)"), variables).await
}

/// Walks the verbs of a state: each answers as expected (`""` where it is allowed), and as the service said before.
async fn check(who: Who<'_>, made: &Made, expected: [&str; 7]) {
    let before = state(who, made).await;
    let actions = before["actions"].as_array().unwrap();
    let names: Vec<_> = actions.iter().map(|action| action["name"].as_str().unwrap()).collect();
    assert_eq!(names, VERBS);
    for ((action, verb), code) in actions.iter().zip(VERBS).zip(expected) {
        let payload = tried(who, made, verb).await;
        let answered = codes(&payload);
        let wanted = if code.is_empty() {
            vec![]
        } else {
            vec![format!("{code} at id")]
        };
        assert_eq!(answered, wanted, "{verb} in {}", before["status"]);
        assert_eq!(action["isAllowed"], code.is_empty(), "{verb}: {action}");
        let reason = if code.is_empty() { json!(null) } else { json!(code) };
        assert_eq!(action["reasonCode"], reason, "{verb} in {}", before["status"]);
        assert_eq!(action["availableAt"], payload["userErrors"][0]["availableAt"], "{verb}");
    }
    assert_eq!(state(who, made).await, before, "trying out changes nothing");
}

async fn edit(who: Who<'_>, made: &Made, users: i32) {
    let (_, version) = make::versions(who, made).await;
    let input = json!({ "expectedVersion": version, "items": [{ "code": "TICKET", "userCount": users }] });
    who.deed(
        "contractUpdate(id: $id, input: $input)",
        json!({ "id": made.contract, "input": input }),
    )
    .await;
}

async fn resume(who: Who<'_>, made: &Made) {
    let (version, _) = make::versions(who, made).await;
    let variables = json!({ "id": made.id, "input": { "expectedVersion": version } });
    who.deed("serviceResume(id: $id, input: $input)", variables).await;
}

/// What the service comes to in November.
async fn november(who: Who<'_>, made: &Made) -> Value {
    let query = "query Q($id: ID!) { service(by: { id: $id }) { charges(from: \"2026-11\", to: \"2026-11\") \
        { status total { amount } lines { kind amount { amount } } } } }";
    who.data(query, json!({ "id": made.id })).await["service"]["charges"][0].clone()
}

/// The states that no longer change.
async fn nothing_goes_any_more(app: &TestApp, made: &Made) {
    let over = "SERVICE_TERMINATED";
    check(
        app.owner(),
        made,
        [
            over,
            "CONTRACT_ENDED",
            "CONTRACT_ENDED",
            "CONTRACT_ENDED",
            over,
            over,
            over,
        ],
    )
    .await;
}

both! {
    async fn s8_s9_every_verb_answers_in_every_state_as_the_service_said_it_would(app) {
        let owner = app.owner();
        let desk = make::draft(owner, "desk").await;
        let (draft, signed, active) = ("CONTRACT_NOT_COMPLETED", "CONTRACT_ALREADY_SIGNED", "SERVICE_STILL_ACTIVE");

        check(owner, &desk, ["", "", "", draft, draft, draft, ""]).await;
        let input = json!({ "expectedVersion": 1, "items": [{ "code": "TICKET", "userCount": 3 }] });
        owner.deed("contractSign(id: $id, input: $input)", json!({ "id": desk.contract, "input": input })).await;
        check(owner, &desk, ["", signed, signed, "", "", "SERVICE_NOT_SUSPENDED", active]).await;
        edit(owner, &desk, 4).await;
        check(owner, &desk, ["", signed, signed, "CONTRACT_ALREADY_CHANGED_TODAY", "", "SERVICE_NOT_SUSPENDED", active]).await;
        make::suspend(owner, &desk).await;
        check(owner, &desk, ["", signed, signed, "CONTRACT_ALREADY_CHANGED_TODAY", "SERVICE_NOT_IN_USE", "", ""]).await;
        app.wait(Duration::days(1));
        check(owner, &desk, ["", signed, signed, "", "SERVICE_NOT_IN_USE", "", ""]).await;
        make::terminate(owner, &desk).await;

        nothing_goes_any_more(&app, &desk).await;
    }

    // case: I4
    async fn s8_a_draft_is_discarded_without_being_suspended(app) {
        let owner = app.owner();
        let desk = make::draft(owner, "desk").await;

        make::terminate(owner, &desk).await;

        let gone = state(owner, &desk).await;
        assert_eq!((&gone["status"], &gone["contract"]["status"]), (&json!("TERMINATED"), &json!("ENDED")));
        assert_eq!((&gone["contractButton"], &gone["contract"]["endedOn"]), (&json!(null), &json!(null)));
        assert_eq!(november(owner, &desk).await, json!(null), "a draft is never charged");
        nothing_goes_any_more(&app, &desk).await;
    }

    async fn s7_suspending_needs_the_charges_acknowledged(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let suspend = |acknowledged: bool| json!({ "id": desk.id, "input": { "expectedVersion": 2, "acknowledgeCharges": acknowledged } });
        let field = "serviceSuspend(id: $id, input: $input) => service { status suspendedAt version } charge { status total { amount } }";

        let refused = owner.payload(field, suspend(false)).await;
        let done = owner.payload(field, suspend(true)).await;

        assert_eq!(codes(&refused), ["ACKNOWLEDGEMENT_REQUIRED at input.acknowledgeCharges"]);
        assert_eq!(refused["service"], json!({ "status": "IN_USE", "suspendedAt": null, "version": 2 }));
        assert_eq!(refused["charge"], json!(null));
        assert_eq!(done["service"], json!({ "status": "SUSPENDED", "suspendedAt": "2026-11-10T01:00:00.000Z", "version": 3 }));
        // 21 of November's 30 days at 333 won for each of 3 users, and value-added tax.
        assert_eq!(done["charge"], json!({ "status": "ESTIMATED", "total": { "amount": "23076" } }));
    }

    async fn s7_a_suspended_service_is_charged_the_same(app) {
        let owner = app.owner();
        let used = make::in_use(owner, "used", 3).await;
        let idle = make::in_use(owner, "idle", 3).await;
        app.go_to("2026-11-12T03:00:00+09:00");

        make::suspend(owner, &idle).await;

        assert_eq!(november(owner, &idle).await, november(owner, &used).await);
        app.go_to("2026-11-20T03:00:00+09:00");
        resume(owner, &idle).await;
        assert_eq!(state(owner, &idle).await["suspendedAt"], json!(null));
        assert_eq!(november(owner, &idle).await, november(owner, &used).await);
        make::suspend(owner, &idle).await;
        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;
        let closed = november(owner, &idle).await;
        assert_eq!((&closed, &closed["status"]), (&november(owner, &used).await, &json!("CLOSED")));
    }

    async fn s8_the_preview_of_the_last_charge_is_what_is_billed(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let sums = "total { amount } vat { amount } lines { kind dayCount amount { amount } }";
        let preview = format!("query Q($id: ID!) {{ service(by: {{ id: $id }}) {{ version terminationPreview {{ {sums} }} }} }}");
        app.go_to("2026-11-16T12:00:00+09:00");
        make::suspend(owner, &desk).await;

        let seen = owner.data(&preview, json!({ "id": desk.id })).await["service"].clone();
        let variables = json!({ "id": desk.id, "input": { "expectedVersion": seen["version"] } });
        let ended = owner.deed(&format!("serviceTerminate(id: $id, input: $input) => charge {{ {sums} }}"), variables).await;
        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;

        // From the 10th to the 16th: seven days at 333 won for each of 3 users.
        assert_eq!(seen["terminationPreview"]["lines"][0], json!({ "kind": "LICENCE", "dayCount": 7, "amount": { "amount": "6993" } }));
        assert_eq!(ended["charge"], seen["terminationPreview"]);
        let bill = format!("query Q($id: ID!) {{ service(by: {{ id: $id }}) {{ charges(from: \"2026-11\", to: \"2026-12\") {{ {sums} }} }} }}");
        let billed = owner.data(&bill, json!({ "id": desk.id })).await;
        assert_eq!(billed["service"]["charges"], json!([seen["terminationPreview"]]));
    }

    async fn s8_a_terminated_service_stays_readable_with_its_charges_and_logs(app) {
        let owner = app.owner();
        let desk = make::draft(owner, "desk").await;
        app.wait(Duration::seconds(1));
        let input = json!({ "expectedVersion": 1, "items": [{ "code": "TICKET", "userCount": 3 }] });
        owner.deed("contractSign(id: $id, input: $input)", json!({ "id": desk.contract, "input": input })).await;
        app.wait(Duration::seconds(1));
        make::suspend(owner, &desk).await;
        app.wait(Duration::seconds(1));
        make::terminate(owner, &desk).await;

        let query = "query Q($id: ID!, $service: [ID!]!) {
            node(id: $id) { ... on Service { status } } nodes(ids: $service) { id }
            byCode: service(by: { code: \"desk\" }) { id terminatedAt contract { status endedOn items { code userCount } revisions { totalCount } } }
            services(filter: { status: [TERMINATED] }) { nodes { id } }
            charges(filter: { from: \"2026-11\", to: \"2026-11\", serviceId: $id }) { nodes { total { amount } } }
            auditEntries(filter: { serviceId: $id }) { nodes { action outcome } } }";
        let seen = owner.data(query, json!({ "id": desk.id, "service": [desk.id, desk.contract] })).await;

        assert_eq!(seen["node"]["status"], "TERMINATED");
        assert_eq!(seen["nodes"], json!([{ "id": desk.id }, { "id": desk.contract }]));
        assert_eq!(seen["byCode"]["terminatedAt"], "2026-11-10T01:00:03.000Z");
        let contract = json!({ "status": "ENDED", "endedOn": "2026-11-10", "items": [{ "code": "TICKET", "userCount": 3 }], "revisions": { "totalCount": 2 } });
        assert_eq!(seen["byCode"]["contract"], contract);
        assert_eq!(seen["services"]["nodes"], json!([{ "id": desk.id }]));
        assert_eq!(seen["charges"]["nodes"], json!([{ "total": { "amount": "1098" } }]));
        let actions: Vec<_> = seen["auditEntries"]["nodes"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["SERVICE_TERMINATE", "SERVICE_SUSPEND", "CONTRACT_SIGN", "SERVICE_CREATE"]);
    }

    async fn s9_who_may_not_see_services_is_told_nothing_of_them(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;

        let member = app.member().ask(STATE, json!({ "id": desk.id })).await;
        let rival = app.rival().data(STATE, json!({ "id": desk.id })).await;
        let administrator = state(app.administrator(), &desk).await;

        assert_eq!(member.code(), "FORBIDDEN");
        assert_eq!(rival["service"], json!(null));
        assert_eq!(administrator["actions"], state(app.owner(), &desk).await["actions"]);
    }
}
