//! Crowds: many who edit one contract in one day, and who suspend, resume and terminate one service at once.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, codes},
        make::{self, Made},
    },
};

/// How many edit at once.
const CROWD: usize = 200;

/// Asks until the service has time for it, as an honest client does.
async fn patient(app: &TestApp, token: &str, query: &str, variables: Value) -> Answer {
    loop {
        let answer = app.ask(Some(token), query, variables.clone()).await;
        if answer.code() != "THROTTLED" {
            assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
            return answer;
        }
    }
}

/// Everybody edits the contract at once, each to another number of users, spread over the servers. Answers what each got.
async fn edit_at_once(servers: &[Arc<TestApp>], desk: &Made) -> Vec<Value> {
    let query = "mutation M($id: ID!, $input: ContractUpdateInput!) { contractUpdate(id: $id, input: $input)
        { contract { version items { userCount } } userErrors { code field availableAt } } }";
    let token = servers[0].owner().token().await;
    let crowd: Vec<_> = (0..CROWD)
        .map(|place| {
            let (server, token) = (servers[place % servers.len()].clone(), token.clone());
            let items = json!([{ "code": "TICKET", "userCount": 100 + place }]);
            let variables = json!({ "id": desk.contract, "input": { "expectedVersion": 2, "items": items } });
            tokio::spawn(async move { patient(&server, &token, query, variables).await })
        })
        .collect();
    let mut payloads = Vec::new();
    for one in crowd {
        payloads.push(one.await.unwrap().json["data"]["contractUpdate"].clone());
    }
    payloads
}

/// Exactly one edit was made, everybody else was told when the next is possible, and the one is there.
async fn exactly_one_won(app: &TestApp, desk: &Made, payloads: &[Value]) {
    let (won, lost): (Vec<_>, Vec<_>) = payloads.iter().partition(|payload| payload["userErrors"] == json!([]));
    assert_eq!((won.len(), lost.len()), (1, CROWD - 1));
    for payload in lost {
        assert_eq!(
            codes(payload),
            [
                "STALE_VERSION at input.expectedVersion",
                "CONTRACT_ALREADY_CHANGED_TODAY at id"
            ]
        );
        assert_eq!(payload["userErrors"][1]["availableAt"], "2026-11-10T15:00:00.000Z");
        assert_eq!(payload["contract"], won[0]["contract"], "each is shown what is there");
    }
    let query = "query Q($id: ID!) { service(by: { id: $id }) { contract { version items { userCount } revisions { totalCount } } } }";
    let mut contract = app.owner().data(query, json!({ "id": desk.id })).await["service"]["contract"].clone();
    let revisions = contract.as_object_mut().unwrap().remove("revisions").unwrap();
    assert_eq!((&contract, &revisions["totalCount"]), (&won[0]["contract"], &json!(2)));
}

/// What is asked for at once in a round: the verb, its input, and how much later a version it speaks of.
const STEPS: [(&str, &str, i64); 5] = [
    ("serviceSuspend", "ServiceSuspendInput", 0),
    ("serviceResume", "ServiceResumeInput", 1),
    ("serviceTerminate", "ServiceTerminateInput", 1),
    ("serviceTerminate", "ServiceTerminateInput", 0),
    ("serviceTerminate", "ServiceTerminateInput", 1),
];

/// One round; answers the names of the steps that were taken.
async fn round(app: &Arc<TestApp>, token: &str, desk: &Made, version: i64, first: usize) -> Vec<&'static str> {
    let asks: Vec<_> = (0..STEPS.len())
        .map(|place| {
            let (verb, kind, later) = STEPS[(first + place) % STEPS.len()];
            let query = format!(
                "mutation M($id: ID!, $input: {kind}!) {{ {verb}(id: $id, input: $input) {{ service {{ status version }} userErrors {{ code field }} }} }}"
            );
            let mut input = json!({ "expectedVersion": version + later });
            if verb == "serviceSuspend" {
                input["acknowledgeCharges"] = json!(true);
            }
            let variables = json!({ "id": desk.id, "input": input });
            let (app, token) = (app.clone(), token.to_owned());
            tokio::spawn(async move { (verb, patient(&app, &token, &query, variables).await.json["data"][verb].clone()) })
        })
        .collect();
    let mut taken = Vec::new();
    for ask in asks {
        let (verb, payload) = ask.await.unwrap();
        match codes(&payload).as_slice() {
            [] => taken.push(verb),
            [code] => {
                let expected = [
                    "STALE_VERSION at input.expectedVersion",
                    "SERVICE_STILL_ACTIVE at id",
                    "SERVICE_TERMINATED at id",
                    "SERVICE_NOT_IN_USE at id",
                ];
                assert!(expected.contains(&code.as_str()), "{verb}: {payload}");
            }
            more => panic!("{verb}: {more:?}"),
        }
    }
    taken
}

/// Letters for a number below 676.
fn letters(number: usize) -> String {
    let letter = |place: usize| char::from(b'a' + u8::try_from(place % 26).unwrap());
    format!("x{}{}", letter(number / 26), letter(number))
}

both! {
    // case: I1
    async fn s5_of_200_who_edit_at_once_exactly_one_wins(app) {
        let app = Arc::new(app);
        let desk = make::in_use(app.owner(), "desk", 3).await;

        let payloads = edit_at_once(std::slice::from_ref(&app), &desk).await;

        exactly_one_won(&app, &desk, &payloads).await;
    }

    // case: I4
    async fn s8_who_suspends_and_resumes_and_terminates_at_once_takes_no_forbidden_step(app) {
        let app = Arc::new(app);
        let (mut desks, mut seen) = (0, Vec::new());
        let mut desk = None;

        for turn in 0..200 {
            // An organization has room for 100 services: the second half is another's.
            let who = if turn < 100 { app.owner() } else { app.rival() };
            if turn == 100 {
                desk = None;
            }
            if desk.is_none() {
                desk = Some(make::in_use(who, &letters(desks), 1).await);
                desks += 1;
            }
            let one = desk.clone().unwrap();
            let state = "query Q($id: ID!) { service(by: { id: $id }) { status version contract { status } } }";
            let before = who.data(state, json!({ "id": one.id })).await["service"].clone();
            assert_eq!(before["status"], "IN_USE");
            let version = before["version"].as_i64().unwrap();

            let mut taken = round(&app, &who.token().await, &one, version, turn % STEPS.len()).await;

            taken.sort_unstable();
            let after = who.data(state, json!({ "id": one.id })).await["service"].clone();
            let expected = match taken.as_slice() {
                ["serviceSuspend"] => ("SUSPENDED", "IN_FORCE"),
                ["serviceResume", "serviceSuspend"] => ("IN_USE", "IN_FORCE"),
                ["serviceSuspend", "serviceTerminate"] => ("TERMINATED", "ENDED"),
                other => panic!("{other:?}"),
            };
            assert_eq!((after["status"].as_str().unwrap(), after["contract"]["status"].as_str().unwrap()), expected, "{taken:?}");
            assert_eq!(after["version"], version + i64::try_from(taken.len()).unwrap(), "{taken:?}");
            match expected.0 {
                "SUSPENDED" => {
                    let variables = json!({ "id": one.id, "input": { "expectedVersion": after["version"] } });
                    who.deed("serviceResume(id: $id, input: $input)", variables).await;
                }
                "TERMINATED" => desk = None,
                _ => {}
            }
            seen.push(expected.0);
        }

        assert!(seen.contains(&"TERMINATED") && seen.iter().any(|state| *state != "TERMINATED"), "the rounds were races");
    }
}

// case: I1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_of_200_who_edit_at_once_on_two_servers_exactly_one_wins() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let desk = make::in_use(app.owner(), "desk", 3).await;
    let other = Arc::new(app.second_server().await);
    let app = Arc::new(app);

    let payloads = edit_at_once(&[app.clone(), other], &desk).await;

    exactly_one_won(&app, &desk, &payloads).await;
}
