//! 상담원: who is put into a service and taken out, by whom, and what of it stands in the log.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who},
        make::{self, Made},
        people::{self, EXPEL, member, on},
        staff::{self, add, add_problems, remove, rights, seen, update, update_problems},
    },
};

/// The newest entry of an action in the log.
async fn logged(app: &TestApp, action: &str) -> Value {
    let query = "query Q($action: [Permission!]) { auditEntries(first: 1, filter: { action: $action }) { totalCount
        nodes { log outcome target { label } changes { record field before after } } } }";
    let data = app.owner().data(query, json!({ "action": [action] })).await;
    data["auditEntries"].clone()
}

fn changes(logged: &Value) -> Vec<String> {
    let changes = logged["nodes"][0]["changes"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    changes
        .map(|change| {
            format!(
                "{} {} {} > {}",
                text(&change["record"]),
                text(&change["field"]),
                text(&change["before"]),
                text(&change["after"])
            )
        })
        .collect()
}

/// The agents that somebody sees, as `login@service`, in the order in which they came.
async fn sees(who: Who<'_>, arguments: &str) -> Vec<String> {
    let query = format!("{{ agents{arguments} {{ totalCount nodes {{ member {{ login }} service {{ code }} }} }} }}");
    let data = who.data(&query, json!({})).await;
    let nodes = data["agents"]["nodes"].as_array().unwrap();
    assert_eq!(data["agents"]["totalCount"], nodes.len());
    let line = |node: &Value| {
        format!(
            "{}@{}",
            node["member"]["login"].as_str().unwrap(),
            node["service"]["code"].as_str().unwrap()
        )
    };
    nodes.iter().map(line).collect()
}

/// What the caller can do with an agent.
async fn actions(who: Who<'_>, agent: &Value) -> Value {
    let query = "query Q($id: ID!) { node(id: $id) { ... on Agent { actions { name reasonCode } } } }";
    let data = who.data(query, json!({ "id": agent["id"] })).await;
    let actions = data["node"]["actions"].as_array().unwrap().iter();
    actions.map(|action| action["reasonCode"].clone()).collect()
}

/// Two services, and a manager of the first who sees access logs.
async fn managed(app: &TestApp) -> (Made, Made, Value) {
    people::join(app, "boss", false).await;
    let (own, other) = (
        staff::full(app.owner(), "own").await,
        staff::full(app.owner(), "other").await,
    );
    let boss = add(
        app.owner(),
        &own,
        &member(app.owner(), "boss").await,
        json!({ "role": "MANAGER" }),
    )
    .await;
    app.wait(Duration::minutes(1));
    (own, other, boss)
}

both! {
    async fn a6_an_agent_comes_changes_and_goes_each_with_one_entry_of_exactly_that(app) {
        let full = staff::full(app.owner(), "full").await;
        let person = member(app.owner(), "member").await;

        let added = add(app.administrator(), &full, &person, json!({ "channels": ["PHONE"] })).await;
        let entry = logged(&app, "AGENT_ADD").await;
        let changed = update(app.owner(), &added, json!({ "assignsCallbacks": true, "receivesTickets": true })).await;
        let change = logged(&app, "AGENT_UPDATE").await;
        // Entries of one instant come in any order.
        app.wait(Duration::seconds(1));
        let same = update(app.owner(), &changed, json!({ "assignsCallbacks": true, "channels": ["PHONE"] })).await;
        let nothing = logged(&app, "AGENT_UPDATE").await;
        let gone = remove(app.owner(), &same).await;
        let removal = logged(&app, "AGENT_REMOVE").await;

        assert_eq!(rights(&added), "AGENT TICKET,PHONE +tickets");
        for entry in [&entry, &change, &removal] {
            let told = &entry["nodes"][0];
            assert_eq!((&told["log"], &told["outcome"], &told["target"]["label"]), (&json!("PERMISSION"), &json!("DONE"), &json!("구성원")));
        }
        assert_eq!(entry["totalCount"], 1);
        assert_eq!(changes(&entry)[1..], [
            format!("agent serviceId - > \"{}\"", full.id), format!("agent memberId - > {}", person["id"]), "agent role - > \"Agent\"".into(),
            "agent handlesTickets - > true".into(), "agent handlesChats - > false".into(), "agent handlesCalls - > true".into(),
            "agent assignsCallbacks - > false".into(), "agent forwardsTickets - > false".into(), "agent viewsAccessLogs - > false".into(),
            "agent receivesTickets - > true".into(), "agent receivesChats - > false".into(), "agent controlsAssignment - > false".into(),
            "agent addedAt - > \"2026-11-10T01:00:00Z\"".into(),
        ]);
        assert_eq!(changes(&change), ["agent assignsCallbacks false > true"]);
        assert_eq!((same["version"].as_i64(), changes(&nothing)), (Some(2), vec![]), "what does not change is not written");
        assert_eq!((gone, seen(app.owner(), &same).await), (vec![], Value::Null));
        assert_eq!((&removal["totalCount"], changes(&removal).len()), (&json!(1), 1));
        assert_eq!(sees(app.owner(), "").await, Vec::<String>::new());
    }

    async fn a6_whoever_is_in_a_service_or_has_left_or_is_not_there_is_not_added(app) {
        let desk = make::in_use(app.owner(), "desk", 2).await;
        let theirs = make::in_use(app.rival(), "theirs", 2).await;
        people::join(&app, "gone", false).await;
        let gone = member(app.owner(), "gone").await;
        app.owner().deed(EXPEL, on(&gone, json!({}))).await;
        let [person, stranger] = [member(app.owner(), "member").await, member(app.rival(), "member").await];
        add(app.owner(), &desk, &person, json!({})).await;
        let nowhere = Made { id: "svc_x".into(), contract: String::new() };

        let cases = [
            (&desk, &person, json!({ "channels": ["CHAT"] }), vec!["ALREADY_AGENT at input.memberId", "CHANNEL_NOT_CONTRACTED at input.channels.0"]),
            (&desk, &gone, json!({}), vec!["MEMBER_LEFT at input.memberId"]),
            (&desk, &stranger, json!({}), vec!["NOT_FOUND at input.memberId"]),
            (&theirs, &person, json!({}), vec!["NOT_FOUND at input.serviceId"]),
            (&theirs, &stranger, json!({}), vec!["NOT_FOUND at input.serviceId", "NOT_FOUND at input.memberId"]),
            (&nowhere, &person, json!({}), vec!["NOT_FOUND at input.serviceId"]),
        ];

        for (service, person, wish, expected) in cases {
            assert_eq!(add_problems(app.owner(), service, person, wish.clone()).await, expected, "{person} {wish}");
        }
        assert_eq!(sees(app.owner(), "").await, ["member@desk"]);
    }

    async fn a6_of_a_terminated_service_people_are_only_taken_out_and_a_suspended_one_comes_back(app) {
        let desk = make::in_use(app.owner(), "desk", 2).await;
        let [person, other] = [member(app.owner(), "member").await, member(app.owner(), "admin").await];
        let agent = add(app.owner(), &desk, &person, json!({})).await;

        make::suspend(app.owner(), &desk).await;
        let second = add(app.owner(), &desk, &other, json!({})).await;
        let agent = update(app.owner(), &agent, json!({ "role": "MANAGER" })).await;
        let before = app.member().data("{ viewer { permissions } }", json!({})).await;
        make::terminate(app.owner(), &desk).await;
        let after = app.member().data("{ viewer { permissions } }", json!({})).await;

        let may = |data: &Value| data["viewer"]["permissions"].as_array().unwrap().contains(&json!("AGENT_ADD"));
        assert_eq!((may(&before), may(&after)), (true, false), "nobody manages what has ended");
        assert_eq!(update_problems(app.owner(), &agent, json!({ "role": "AGENT" })).await, ["SERVICE_TERMINATED at id"]);
        assert_eq!(seen(app.owner(), &agent).await["effectiveChannels"], json!([]));
        assert_eq!(actions(app.owner(), &agent).await, json!(["SERVICE_TERMINATED", null]));
        assert_eq!(remove(app.owner(), &second).await, Vec::<String>::new());
        assert_eq!(add_problems(app.owner(), &desk, &other, json!({})).await, ["SERVICE_TERMINATED at input.serviceId"]);
    }

    async fn a8_nobody_gives_or_takes_his_own_rights(app) {
        let (own, _, boss) = managed(&app).await;
        let people = ["owner", "admin"].map(|login| app.someone("acme", login));

        for (who, login) in people.into_iter().zip(["owner", "admin"]) {
            let himself = member(app.owner(), login).await;
            assert_eq!(add_problems(who, &own, &himself, json!({})).await, ["NOT_ONESELF at input.memberId"]);
            let other = if login == "owner" { app.administrator() } else { app.owner() };
            let place = add(other, &own, &himself, json!({})).await;
            assert_eq!(update_problems(who, &place, json!({ "role": "MANAGER" })).await, ["NOT_ONESELF at id"]);
            assert_eq!(remove(who, &place).await, ["NOT_ONESELF at id"]);
            assert_eq!(actions(who, &place).await, json!(["NOT_ONESELF", "NOT_ONESELF"]));
        }
        let manager = app.someone("acme", "boss");
        assert_eq!(update_problems(manager, &boss, json!({ "forwardsTickets": true })).await, ["NOT_ONESELF at id"]);
        assert_eq!(remove(manager, &boss).await, ["NOT_ONESELF at id"]);
        let many = json!({ "input": { "entries": [staff::entry(&boss, json!({ "controlsAssignment": true }))] } });
        assert_eq!(manager.problems("agentUpdateMany(input: $input)", many).await, ["NOT_ONESELF at input.entries.0.id"]);
        assert_eq!(seen(app.owner(), &boss).await, boss);
    }

    async fn a8_for_a_manager_the_services_of_others_do_not_exist(app) {
        let (own, other, boss) = managed(&app).await;
        let person = member(app.owner(), "member").await;
        let mine = add(app.owner(), &own, &person, json!({})).await;
        app.wait(Duration::minutes(1));
        let foreign = add(app.owner(), &other, &person, json!({})).await;
        let absent = json!({ "id": "agt_00000000000000000000000000", "version": 1 });
        let manager = app.someone("acme", "boss");

        assert_eq!(sees(manager, "").await, ["boss@own", "member@own"]);
        assert_eq!(sees(manager, &format!("(filter: {{ serviceId: \"{}\" }})", other.id)).await, Vec::<String>::new());
        assert_eq!(sees(app.owner(), "").await, ["boss@own", "member@own", "member@other"]);
        assert_eq!((seen(manager, &mine).await, seen(manager, &foreign).await), (mine.clone(), Value::Null));
        let nowhere = Made { id: "svc_00000000000000000000000000".into(), contract: String::new() };
        for place in [&foreign, &absent, &json!({ "id": foreign["id"], "version": 7 })] {
            assert_eq!(update_problems(manager, place, json!({ "channels": ["CHAT"], "receivesTickets": true })).await, ["NOT_FOUND at id"]);
            assert_eq!(remove(manager, place).await, ["NOT_FOUND at id"]);
        }
        let admin = member(app.owner(), "admin").await;
        for service in [&other, &nowhere] {
            assert_eq!(add_problems(manager, service, &admin, json!({ "channels": ["CHAT"] })).await, ["NOT_FOUND at input.serviceId"]);
        }
        let payload = manager.payload("agentUpdate(id: $id, input: $input) => agent { id }", staff::on(&foreign, json!({}))).await;
        assert_eq!(payload["agent"], Value::Null);
        let own_places = manager.data("{ viewer { agents { id role service { id code agents { nodes { member { login } } } } } } }", json!({})).await;
        assert_eq!(own_places["viewer"]["agents"], json!([{ "id": boss["id"], "role": "MANAGER", "service": { "id": own.id, "code": "own",
            "agents": { "nodes": [{ "member": { "login": "boss" } }, { "member": { "login": "member" } }] } } }]));
        let places = app.member().data("{ viewer { agents { service { code } } } }", json!({})).await;
        assert_eq!(places["viewer"]["agents"], json!([{ "service": { "code": "own" } }, { "service": { "code": "other" } }]));
        assert_eq!(seen(app.member(), &mine).await, mine, "everybody sees his own place");
        assert_eq!(seen(app.member(), &boss).await, Value::Null);
        assert_eq!(sees(app.owner(), "").await.len(), 3);
    }

    async fn a8_a_manager_gives_what_a_manager_has_and_reaches_nobody_above_him(app) {
        let (own, ..) = managed(&app).await;
        let person = member(app.owner(), "member").await;
        people::join(&app, "other", false).await;
        people::join(&app, "third", false).await;
        let manager = app.someone("acme", "boss");

        let agent = add(manager, &own, &person, json!({ "role": "MANAGER", "channels": ["PHONE", "CHAT"], "controlsAssignment": true })).await;
        let admin = add(app.owner(), &own, &member(app.owner(), "admin").await, json!({})).await;
        let above = [add_problems(manager, &own, &member(app.owner(), "owner").await, json!({})).await, update_problems(manager, &admin, json!({ "role": "MANAGER" })).await, remove(manager, &admin).await];
        let blind = update(app.owner(), &agent, json!({ "viewsAccessLogs": false })).await;
        // The other manager, who sees no access logs himself.
        let second = app.member();
        let other = member(app.owner(), "other").await;
        let refused = add_problems(second, &own, &other, json!({ "viewsAccessLogs": true })).await;
        let plain = add(second, &own, &other, json!({ "role": "MANAGER" })).await;
        let raised = update_problems(second, &plain, json!({ "viewsAccessLogs": true })).await;
        let seeing = add(manager, &own, &member(app.owner(), "third").await, json!({ "viewsAccessLogs": true })).await;
        let kept = update(second, &seeing, json!({ "viewsAccessLogs": true, "forwardsTickets": true })).await;
        let down = update(second, &plain, json!({ "role": "AGENT" })).await;

        assert_eq!(rights(&agent), "MANAGER TICKET,CHAT,PHONE +callbacks +logs +tickets +chats +control");
        assert_eq!(above, [["ABOVE_OWN_RANK at input.memberId"], ["ABOVE_OWN_RANK at id"], ["ABOVE_OWN_RANK at id"]]);
        assert_eq!(actions(manager, &admin).await, json!(["ABOVE_OWN_RANK", "ABOVE_OWN_RANK"]));
        assert_eq!(actions(manager, &blind).await, json!([null, null]));
        assert_eq!((refused, raised), (vec!["ABOVE_OWN_RANK at input.viewsAccessLogs".to_owned()], vec!["ABOVE_OWN_RANK at input.viewsAccessLogs".to_owned()]));
        assert_eq!(rights(&plain), "MANAGER TICKET +callbacks +tickets");
        assert_eq!((rights(&kept), rights(&down)), ("AGENT TICKET +forwards +logs +tickets".to_owned(), "AGENT TICKET +tickets".to_owned()));
    }

    // case: D10
    async fn a9_a_manager_who_is_one_no_more_changes_nobody_with_his_next_request(app) {
        let (_, _, boss) = managed(&app).await;
        let token = app.someone("acme", "boss").token().await;
        let ask = async || app.ask(Some(&token), "{ agents { totalCount } }", json!({})).await.code().to_owned();

        let before = ask().await;
        let agent = update(app.owner(), &boss, json!({ "role": "AGENT" })).await;
        let demoted = ask().await;
        let again = update(app.owner(), &agent, json!({ "role": "MANAGER" })).await;
        let during = ask().await;
        remove(app.owner(), &again).await;

        assert_eq!([before, demoted, during, ask().await], ["none", "FORBIDDEN", "none", "FORBIDDEN"]);
    }

    // case: D12
    async fn a6_every_verb_of_agents_wants_a_fresh_confirmation(app) {
        let desk = make::in_use(app.owner(), "desk", 2).await;
        let person = member(app.owner(), "member").await;
        let agent = add(app.owner(), &desk, &person, json!({})).await;
        let token = app.owner().token().await;
        app.wait(Duration::minutes(5) + Duration::milliseconds(1));

        let mut codes = Vec::new();
        for (name, given, variables) in [
            ("agentAdd", "input: $input", json!({ "input": staff::of(&desk, &person, json!({})) })),
            ("agentUpdate", "id: $id, input: $input", staff::on(&agent, json!({ "role": "MANAGER" }))),
            ("agentUpdateMany", "input: $input", json!({ "input": { "entries": [staff::entry(&agent, json!({ "role": "MANAGER" }))] } })),
            ("agentRemove", "id: $id, input: $input", staff::on(&agent, json!({}))),
        ] {
            let id = if given.contains("$id") { "$id: ID!, " } else { "" };
            let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
            let query = format!("mutation M({id}$input: {kind}!) {{ {name}({given}) {{ userErrors {{ code }} }} }}");
            codes.push(app.ask(Some(&token), &query, variables).await.code().to_owned());
        }

        assert_eq!(codes, ["CONFIRMATION_REQUIRED"; 4]);
        assert_eq!(seen(app.owner(), &agent).await, agent);
    }

    async fn a6_a_repeated_request_does_it_once_and_a_trial_does_nothing(app) {
        let desk = make::in_use(app.owner(), "desk", 2).await;
        let person = member(app.owner(), "member").await;
        let owner = app.owner();
        let keyed = |extra: Value| { let mut extra = extra; extra["idempotencyKey"] = json!("once"); extra };

        add(owner, &desk, &person, json!({ "dryRun": true })).await;
        let tried = sees(owner, "").await;
        let [first, second] = [add(owner, &desk, &person, keyed(json!({}))).await, add(owner, &desk, &person, keyed(json!({}))).await];
        let many = json!({ "input": { "idempotencyKey": "once", "entries": [staff::entry(&first, json!({ "role": "MANAGER" }))] } });
        let field = format!("agentUpdateMany(input: $input) => agents {{ {} }}", staff::FIELDS);
        let [changed, again] = [owner.deed(&field, many.clone()).await, owner.deed(&field, many).await];
        let trial = owner.deed("agentRemove(id: $id, input: $input) => member { login } service { code }", staff::on(&changed["agents"][0], json!({ "dryRun": true }))).await;
        let still = sees(owner, "").await;
        let gone = staff::on(&changed["agents"][0], json!({ "idempotencyKey": "once" }));
        let [removed, known] = [owner.deed("agentRemove(id: $id, input: $input) => member { login } service { code }", gone.clone()).await, owner.deed("agentRemove(id: $id, input: $input) => member { login } service { code }", gone).await];

        assert_eq!((tried, first == second), (vec![], true));
        assert_eq!((&changed["agents"][0]["version"], &changed), (&json!(2), &again));
        let who = json!({ "member": { "login": "member" }, "service": { "code": "desk" }, "userErrors": [] });
        assert_eq!((&trial, still), (&who, vec!["member@desk".to_owned()]));
        assert_eq!((&removed, &known), (&who, &who));
        assert_eq!(sees(owner, "").await, Vec::<String>::new());
    }
}
