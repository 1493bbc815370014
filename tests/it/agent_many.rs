//! 상담원 일괄 수정 and crowds: many agents at once, all or none; many who change one agent at once, and one wins.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, codes},
        make,
        people::{self, member},
        raw::Raw,
        staff::{self, add, entry, rights, seen},
    },
};

const MANY: &str = "agentUpdateMany(input: $input) => agents { id role version member { login } }";

fn all(entries: Vec<Value>) -> Value {
    json!({ "input": { "entries": entries } })
}

/// Asks until the service has time for it, as an honest client does.
async fn patient(app: &TestApp, token: &str, query: &str, variables: Value) -> Answer {
    loop {
        let answer = app.ask(Some(token), query, variables.clone()).await;
        if !["THROTTLED", "UNAVAILABLE"].contains(&answer.code()) {
            assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
            return answer;
        }
    }
}

const CHANGE: &str = "mutation M($id: ID!, $input: AgentUpdateInput!) { agentUpdate(id: $id, input: $input) {
    agent { version forwardsTickets } userErrors { code field } } }";

both! {
    async fn a6_many_agents_of_many_services_change_together_in_the_order_that_was_asked(app) {
        let like = people::somebody(&app).await;
        let mut agents = Vec::new();
        for (number, code) in ["aa", "bb", "cc"].into_iter().enumerate() {
            people::join_like(&app, &format!("agent-{number}"), false, &like).await;
            let desk = make::in_use(app.owner(), code, 2).await;
            agents.push(add(app.owner(), &desk, &member(app.owner(), &format!("agent-{number}")).await, json!({})).await);
        }
        let entries = agents.iter().rev().map(|agent| entry(agent, json!({ "role": "MANAGER", "forwardsTickets": true }))).collect();

        let changed = app.owner().deed(MANY, all(entries)).await;

        let expected: Vec<_> = agents.iter().rev().map(|agent| json!({ "id": agent["id"], "role": "MANAGER", "version": 2, "member": { "login": agent["member"]["login"] } })).collect();
        assert_eq!(changed["agents"], json!(expected));
        for agent in &agents {
            assert_eq!(rights(&seen(app.owner(), agent).await), "MANAGER TICKET +callbacks +forwards +tickets");
        }
        let log = app.owner().data("{ auditEntries(filter: { action: [AGENT_UPDATE_MANY] }) { totalCount nodes { changes { key field before after } } } }", json!({})).await;
        assert_eq!(log["auditEntries"]["totalCount"], 1);
        let told: Vec<_> = log["auditEntries"]["nodes"][0]["changes"].as_array().unwrap().iter().map(|change| (change["key"].clone(), change["field"].as_str().unwrap())).collect();
        let expected: Vec<_> = agents.iter().rev().flat_map(|agent| ["role", "assignsCallbacks", "forwardsTickets"].map(|field| (agent["id"].clone(), field))).collect();
        assert_eq!(told, expected);
    }

    async fn a6_one_wrong_entry_leaves_all_as_they_were_and_every_problem_has_its_path(app) {
        let full = staff::full(app.owner(), "full").await;
        let desk = make::in_use(app.owner(), "desk", 2).await;
        let theirs = make::in_use(app.rival(), "theirs", 2).await;
        let [person, admin] = [member(app.owner(), "member").await, member(app.owner(), "admin").await];
        let good = add(app.owner(), &full, &person, json!({})).await;
        let poor = add(app.owner(), &desk, &person, json!({})).await;
        let stale = add(app.owner(), &full, &admin, json!({})).await;
        staff::update(app.owner(), &stale, json!({ "forwardsTickets": true })).await;
        let foreign = add(app.rival(), &theirs, &member(app.rival(), "member").await, json!({})).await;
        let mut raw = Raw::admin(&app).await;
        let before = raw.texts("SELECT CAST(version AS text) || role FROM agent ORDER BY id").await;

        let problems = app.owner().payload(MANY, all(vec![
            entry(&good, json!({ "role": "MANAGER", "channels": ["PHONE"] })),
            entry(&poor, json!({ "channels": ["TICKET", "CHAT"], "receivesChats": true, "assignsCallbacks": true })),
            entry(&stale, json!({ "role": "MANAGER" })),
            entry(&good, json!({ "role": "AGENT" })),
            entry(&foreign, json!({ "role": "MANAGER" })),
            entry(&json!({ "id": "x", "version": 1 }), json!({})),
        ])).await;

        assert_eq!(problems["agents"], json!([]));
        assert_eq!(codes(&problems), [
            "CHANNEL_NOT_CONTRACTED at input.entries.1.channels.1", "RIGHT_NEEDS_CHANNEL at input.entries.1.assignsCallbacks",
            "STALE_VERSION at input.entries.2.expectedVersion", "DUPLICATE at input.entries.3.id",
            "NOT_FOUND at input.entries.4.id", "NOT_FOUND at input.entries.5.id",
        ]);
        assert_eq!(raw.texts("SELECT CAST(version AS text) || role FROM agent ORDER BY id").await, before);
        assert_eq!(raw.count("audit_entry WHERE action = 'AGENT_UPDATE_MANY'").await, 0);
    }

    async fn a6_none_and_more_than_a_hundred_are_too_few_and_too_many(app) {
        let nobody = |number: usize| json!({ "id": format!("agt_{number}"), "expectedVersion": 1 });

        let none = app.owner().problems(MANY, all(Vec::new())).await;
        let many = app.owner().problems(MANY, all((0..101).map(nobody).collect())).await;
        let most = app.owner().problems(MANY, all((0..100).map(nobody).collect())).await;

        assert_eq!((none, many, most.len()), (vec!["BLANK at input.entries".to_owned()], vec!["TOO_MANY at input.entries".to_owned()], 100));
    }

    async fn a8_a_manager_changes_many_of_his_own_and_none_where_one_is_another_services(app) {
        people::join(&app, "boss", false).await;
        let [own, other] = [make::in_use(app.owner(), "own", 2).await, make::in_use(app.owner(), "other", 2).await];
        add(app.owner(), &own, &member(app.owner(), "boss").await, json!({ "role": "MANAGER" })).await;
        let person = member(app.owner(), "member").await;
        let [mine, foreign] = [add(app.owner(), &own, &person, json!({})).await, add(app.owner(), &other, &person, json!({})).await];
        let boss = app.someone("acme", "boss");
        let raise = |agent: &Value| entry(agent, json!({ "role": "MANAGER" }));

        let mixed = boss.problems(MANY, all(vec![raise(&mine), raise(&foreign)])).await;
        let between = seen(app.owner(), &mine).await;
        boss.deed(MANY, all(vec![raise(&mine)])).await;

        assert_eq!((mixed, between), (vec!["NOT_FOUND at input.entries.1.id".to_owned()], mine.clone()));
        assert_eq!((&seen(app.owner(), &mine).await["role"], seen(app.owner(), &foreign).await), (&json!("MANAGER"), foreign));
    }

    async fn a6_of_fifty_who_change_one_agent_at_once_exactly_one_wins(app) {
        let app = Arc::new(app);
        let desk = make::in_use(app.owner(), "desk", 2).await;
        let agent = add(app.owner(), &desk, &member(app.owner(), "member").await, json!({})).await;
        let token = app.owner().token().await;

        let crowd: Vec<_> = (0..50).map(|place| {
            let rights = [json!({ "forwardsTickets": true }), json!({ "role": "MANAGER" }), json!({ "controlsAssignment": true })][place % 3].clone();
            let (app, token, variables) = (app.clone(), token.clone(), staff::on(&agent, rights));
            tokio::spawn(async move { patient(&app, &token, CHANGE, variables).await.json["data"]["agentUpdate"].clone() })
        }).collect();
        let mut won = 0;
        for one in crowd {
            let payload = one.await.unwrap();
            if codes(&payload).is_empty() {
                won += 1;
            } else {
                assert_eq!(codes(&payload), ["STALE_VERSION at input.expectedVersion"]);
            }
            assert_eq!(payload["agent"]["version"], 2, "each is shown what is there");
        }

        assert_eq!(won, 1);
        assert_eq!(Raw::admin(&app).await.count("audit_entry WHERE action = 'AGENT_UPDATE'").await, 1);
    }

    async fn a6_whoever_reads_again_and_tries_again_loses_nobodys_change(app) {
        let app = Arc::new(app);
        let desk = make::in_use(app.owner(), "desk", 2).await;
        let agent = add(app.owner(), &desk, &member(app.owner(), "member").await, json!({})).await;
        let token = app.owner().token().await;

        let crowd: Vec<_> = (0..12).map(|_| {
            let (app, token, mut agent) = (app.clone(), token.clone(), agent.clone());
            tokio::spawn(async move {
                loop {
                    let turn = json!({ "forwardsTickets": !agent["forwardsTickets"].as_bool().unwrap() });
                    let answer = patient(&app, &token, CHANGE, staff::on(&agent, turn)).await;
                    let payload = &answer.json["data"]["agentUpdate"];
                    if codes(payload).is_empty() {
                        return;
                    }
                    agent["version"] = payload["agent"]["version"].clone();
                    agent["forwardsTickets"] = payload["agent"]["forwardsTickets"].clone();
                }
            })
        }).collect();
        for one in crowd {
            one.await.unwrap();
        }

        let after = seen(app.owner(), &agent).await;
        assert_eq!((&after["version"], &after["forwardsTickets"]), (&json!(13), &json!(false)));
        assert_eq!(Raw::admin(&app).await.count("audit_entry WHERE action = 'AGENT_UPDATE' AND changes LIKE '%forwardsTickets%'").await, 12);
    }
}
