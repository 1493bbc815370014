//! Safe retries: one key, one effect, one answer, however often and wherever it is asked.

use std::sync::Arc;

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who, codes},
        make,
    },
};

const CREATE: &str = "mutation M($input: ServiceCreateInput!) { serviceCreate(input: $input)
    { service { id code name version contract { id version } } userErrors { code field } } }";
const EDIT: &str = "mutation M($id: ID!, $input: ContractUpdateInput!) { contractUpdate(id: $id, input: $input)
    { contract { id version editedOn items { userCount } } userErrors { code field } } }";

fn new(code: &str, key: &str) -> Value {
    json!({ "input": { "kind": "CONSULTATION", "code": code, "name": code, "idempotencyKey": key } })
}

async fn create(who: Who<'_>, code: &str, key: &str) -> Value {
    let field = "serviceCreate(input: $input) => service { id code version }";
    who.payload(field, new(code, key)).await
}

/// How many services there are, terminated ones included.
async fn count(who: Who<'_>) -> Value {
    let query = "{ services(filter: { status: [NOT_IN_USE, IN_USE, SUSPENDED, TERMINATED] }) { totalCount } }";
    who.data(query, json!({})).await["services"]["totalCount"].clone()
}

/// The same request twenty times at once, spread over the servers: all answers, without what differs by request.
async fn twenty(servers: &[Arc<TestApp>], query: &'static str, variables: &Value) -> Vec<Value> {
    let token = servers[0].owner().token().await;
    let asks: Vec<_> = (0..20)
        .map(|place| {
            let (server, token, variables) = (servers[place % servers.len()].clone(), token.clone(), variables.clone());
            tokio::spawn(async move { server.ask(Some(&token), query, variables).await })
        })
        .collect();
    let mut answers = Vec::new();
    for ask in asks {
        let answer = ask.await.unwrap();
        assert_eq!(
            (answer.status, answer.json.get("errors")),
            (200, None),
            "{}",
            answer.text
        );
        answers.push(answer.json["data"].clone());
    }
    answers
}

/// One effect of twenty requests to create, and of twenty to edit.
async fn one_effect(servers: &[Arc<TestApp>]) {
    let owner = servers[0].owner();
    let desk = make::in_use(owner, "desk", 3).await;
    let edit = json!({ "id": desk.contract, "input": { "expectedVersion": 2, "items": [{ "code": "TICKET", "userCount": 5 }], "idempotencyKey": "edit" } });

    let created = twenty(servers, CREATE, &new("twenty", "create")).await;
    let edited = twenty(servers, EDIT, &edit).await;
    let again = owner.data(EDIT, edit).await;

    assert_eq!(created[0]["serviceCreate"]["userErrors"], json!([]));
    assert!(created.iter().all(|answer| *answer == created[0]), "{created:?}");
    assert_eq!(count(owner).await, 2);
    assert_eq!(
        edited[0]["contractUpdate"],
        json!({ "userErrors": [], "contract": { "id": desk.contract, "version": 3, "editedOn": "2026-11-10", "items": [{ "userCount": 5 }] } })
    );
    assert!(
        edited.iter().chain([&again]).all(|answer| *answer == edited[0]),
        "{edited:?}"
    );
    let log = "{ auditEntries(filter: { action: [SERVICE_CREATE, CONTRACT_UPDATE] }) { nodes { action } } }";
    let entries = owner.data(log, json!({})).await["auditEntries"]["nodes"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(entries, 3, "two services and one edit are in the log");
}

both! {
    // case: I6
    async fn g4_one_key_has_one_effect_and_one_answer(app) {
        one_effect(&[Arc::new(app)]).await;
    }

    // case: I6
    async fn g4_a_key_with_another_input_is_refused(app) {
        let owner = app.owner();
        let first = create(owner, "desk", "key").await;
        let desk = make::in_use(owner, "other", 3).await;

        let other = create(owner, "second", "key").await;
        let again = create(owner, "desk", "key").await;
        let renamed = |name: &str, id: &str| json!({ "id": id, "input": { "expectedVersion": 2, "name": name, "idempotencyKey": "key" } });
        let update = "serviceUpdate(id: $id, input: $input) => service { id name }";
        let other_verb = owner.payload(update, renamed("New", &desk.id)).await;
        let other_id = owner.payload(update, renamed("New", first["service"]["id"].as_str().unwrap())).await;

        assert_eq!((codes(&other), &other["service"]), (vec!["IDEMPOTENCY_KEY_REUSED at input.idempotencyKey".to_owned()], &json!(null)));
        assert_eq!(again, first);
        assert_eq!((codes(&other_verb), &other_verb["service"]["name"]), (vec![], &json!("New")), "another verb has keys of its own");
        assert_eq!(codes(&other_id), ["IDEMPOTENCY_KEY_REUSED at input.idempotencyKey"]);
        assert_eq!(count(owner).await, 2);
    }

    // case: I6
    async fn g4_another_organizations_and_another_persons_keys_are_others(app) {
        let first = create(app.owner(), "desk", "key").await;

        let rivals = create(app.rival(), "desk", "key").await;
        let administrators = create(app.administrator(), "second", "key").await;

        for payload in [&first, &rivals, &administrators] {
            assert_eq!(codes(payload), Vec::<String>::new());
        }
        assert_ne!(first["service"]["id"], rivals["service"]["id"]);
        assert_eq!((count(app.owner()).await, count(app.rival()).await), (json!(2), json!(1)));
    }

    // case: I1
    async fn g4_a_request_that_was_refused_uses_no_key(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let edit = |users: i32| json!({ "id": desk.contract, "input": { "expectedVersion": 2, "items": [{ "code": "TICKET", "userCount": users }], "idempotencyKey": "key" } });

        let wrong = owner.payload("contractUpdate(id: $id, input: $input)", edit(0)).await;
        let right = owner.payload("contractUpdate(id: $id, input: $input)", edit(5)).await;
        let again = owner.payload("contractUpdate(id: $id, input: $input)", edit(5)).await;

        assert_eq!(codes(&wrong), ["USER_COUNT_REQUIRED at input.items.0.userCount"]);
        assert_eq!((codes(&right), codes(&again)), (vec![], vec![]));
        assert_eq!(make::versions(owner, &desk).await.1, 3);
    }

    // case: I6
    async fn g4_a_key_is_kept_for_24_hours(app) {
        let owner = app.owner();
        let first = create(owner, "desk", "key").await;

        app.wait(Duration::hours(24));
        let in_time = create(owner, "desk", "key").await;
        app.wait(Duration::milliseconds(1));
        let too_late = create(owner, "desk", "key").await;

        assert_eq!(in_time, first);
        assert_eq!(codes(&too_late), ["TAKEN at input.code", "TAKEN at input.name"]);
    }

    async fn g4_a_key_has_1_to_64_visible_characters(app) {
        let owner = app.owner();
        let longest = "~".repeat(64);
        for key in ["", "a b", "키", "a\0", "a\n", &"k".repeat(65)] {
            let payload = create(owner, "desk", key).await;
            assert_eq!(codes(&payload), ["IDEMPOTENCY_KEY_INVALID at input.idempotencyKey"], "{key:?}");
        }

        assert_eq!(codes(&create(owner, "desk", &longest).await), Vec::<String>::new());
    }

    // case: I6
    async fn g4_every_verb_of_services_and_contracts_answers_a_repetition_alike(app) {
        let owner = app.owner();
        let (desk, service, contract) = (make::draft(owner, "desk").await, "service { status version }", "contract { status version }");
        let items = |users: i32| json!([{ "code": "TICKET", "userCount": users }]);
        let steps = [
            ("serviceUpdate", &desk.id, 1, json!({ "name": "New" }), service), ("contractDraft", &desk.contract, 1, json!({ "items": items(1) }), contract),
            ("contractSign", &desk.contract, 2, json!({ "items": items(2) }), contract), ("contractUpdate", &desk.contract, 3, json!({ "items": items(3) }), contract),
            ("serviceSuspend", &desk.id, 3, json!({ "acknowledgeCharges": true }), service), ("serviceResume", &desk.id, 4, json!({}), service),
            ("serviceSuspend", &desk.id, 5, json!({ "acknowledgeCharges": true, "idempotencyKey": "again" }), service), ("serviceTerminate", &desk.id, 6, json!({}), service),
        ];

        for (verb, id, version, mut input, fields) in steps {
            input["expectedVersion"] = json!(version);
            if input.get("idempotencyKey").is_none() {
                input["idempotencyKey"] = json!("key");
            }
            let (field, variables) = (format!("{verb}(id: $id, input: $input) => {fields}"), json!({ "id": id, "input": input }));

            let first = owner.deed(&field, variables.clone()).await;
            let second = owner.deed(&field, variables).await;

            assert_eq!(second, first, "{verb}");
        }
    }
}

// case: I6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g4_one_key_has_one_effect_on_two_servers() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let other = Arc::new(app.second_server().await);

    one_effect(&[Arc::new(app), other]).await;
}
