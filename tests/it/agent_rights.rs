//! 상담원의 권한: which rights go together, as a table; and what becomes of them when the contract changes.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        make::{self, Made},
        people::member,
        staff::{self, rights},
    },
};

/// A service of each sort that rights depend on.
async fn services(app: &TestApp) -> [(&'static str, Made); 4] {
    let owner = app.owner();
    [
        ("full", staff::full(owner, "full").await),
        ("desk", make::in_use(owner, "desk", 3).await),
        ("draft", make::draft(owner, "draft").await),
        ("issue", staff::issue(owner, "issue").await),
    ]
}

fn find<'s>(services: &'s [(&'static str, Made)], code: &str) -> &'s Made {
    &services.iter().find(|(name, _)| *name == code).unwrap().1
}

/// What comes of a payload: the rights, or the problems.
fn outcome(payload: &Value) -> String {
    match payload["userErrors"].as_array().unwrap().as_slice() {
        [] => rights(&payload["agent"]),
        _ => crate::support::app::codes(payload).join("; "),
    }
}

/// Service, what is asked for, and what comes of it.
fn first_rights() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("full", json!({}), "AGENT TICKET +tickets"),
        (
            "full",
            json!({ "role": "MANAGER" }),
            "MANAGER TICKET +callbacks +logs +tickets",
        ),
        ("full", json!({ "channels": ["PHONE"] }), "AGENT TICKET,PHONE +tickets"),
        (
            "full",
            json!({ "channels": ["PHONE", "PHONE", "TICKET"] }),
            "AGENT TICKET,PHONE +tickets",
        ),
        ("full", json!({ "channels": ["CHAT"] }), "AGENT CHAT +chats"),
        ("full", json!({ "channels": [] }), "AGENT "),
        (
            "full",
            json!({ "channels": [], "role": "MANAGER" }),
            "MANAGER  +callbacks +logs",
        ),
        (
            "full",
            json!({ "channels": ["TICKET", "CHAT", "PHONE"], "receivesTickets": false }),
            "AGENT TICKET,CHAT,PHONE +chats",
        ),
        (
            "full",
            json!({ "channels": ["CHAT"], "receivesTickets": true }),
            "RIGHT_NEEDS_CHANNEL at input.receivesTickets",
        ),
        (
            "full",
            json!({ "channels": ["TICKET"], "receivesChats": true }),
            "RIGHT_NEEDS_CHANNEL at input.receivesChats",
        ),
        (
            "full",
            json!({ "channels": ["PHONE"], "receivesTickets": true }),
            "AGENT TICKET,PHONE +tickets",
        ),
        (
            "full",
            json!({ "channels": ["PHONE"], "assignsCallbacks": true }),
            "AGENT TICKET,PHONE +callbacks +tickets",
        ),
        (
            "full",
            json!({ "assignsCallbacks": true }),
            "RIGHT_NEEDS_CHANNEL at input.assignsCallbacks",
        ),
        (
            "full",
            json!({ "role": "MANAGER", "assignsCallbacks": true }),
            "MANAGER TICKET +callbacks +logs +tickets",
        ),
        (
            "full",
            json!({ "role": "MANAGER", "assignsCallbacks": false }),
            "RIGHT_NOT_FOR_ROLE at input.assignsCallbacks",
        ),
        (
            "full",
            json!({ "forwardsTickets": true, "viewsAccessLogs": true, "controlsAssignment": true }),
            "AGENT TICKET +forwards +logs +tickets +control",
        ),
        (
            "full",
            json!({ "role": "MANAGER", "viewsAccessLogs": false }),
            "MANAGER TICKET +callbacks +tickets",
        ),
        (
            "full",
            json!({ "channels": ["TICKET", "TICKET", "TICKET", "TICKET"] }),
            "TOO_MANY at input.channels",
        ),
        ("desk", json!({ "channels": ["TICKET"] }), "AGENT TICKET +tickets"),
        (
            "desk",
            json!({ "channels": ["CHAT"] }),
            "CHANNEL_NOT_CONTRACTED at input.channels.0",
        ),
        (
            "desk",
            json!({ "channels": ["TICKET", "PHONE"] }),
            "CHANNEL_NOT_CONTRACTED at input.channels.1",
        ),
        (
            "desk",
            json!({ "channels": ["PHONE", "CHAT"], "role": "MANAGER", "assignsCallbacks": false }),
            "CHANNEL_NOT_CONTRACTED at input.channels.0; CHANNEL_NOT_CONTRACTED at input.channels.1; RIGHT_NOT_FOR_ROLE at input.assignsCallbacks",
        ),
        ("draft", json!({}), "AGENT TICKET +tickets"),
        (
            "draft",
            json!({ "channels": ["CHAT"] }),
            "CHANNEL_NOT_CONTRACTED at input.channels.0",
        ),
        ("issue", json!({}), "AGENT TICKET +tickets"),
        (
            "issue",
            json!({ "channels": ["PHONE"] }),
            "CHANNEL_NOT_CONTRACTED at input.channels.0",
        ),
        (
            "issue",
            json!({ "channels": ["CHAT"] }),
            "CHANNEL_NOT_CONTRACTED at input.channels.0",
        ),
        (
            "issue",
            json!({ "viewsAccessLogs": true }),
            "RIGHT_NOT_FOR_ROLE at input.viewsAccessLogs",
        ),
        (
            "issue",
            json!({ "role": "MANAGER", "viewsAccessLogs": true }),
            "MANAGER TICKET +callbacks +logs +tickets",
        ),
    ]
}

/// Service, the rights at first, what is asked for then, and what comes of it.
fn later_rights() -> Vec<(&'static str, Value, Value, &'static str)> {
    let everything = || json!({ "channels": ["CHAT", "PHONE"], "assignsCallbacks": true, "viewsAccessLogs": true });
    let manager = || json!({ "role": "MANAGER", "channels": ["PHONE"] });
    vec![
        (
            "full",
            everything(),
            json!({}),
            "AGENT TICKET,CHAT,PHONE +callbacks +logs +tickets +chats",
        ),
        (
            "full",
            everything(),
            json!({ "channels": ["TICKET"] }),
            "AGENT TICKET +logs +tickets",
        ),
        (
            "full",
            everything(),
            json!({ "channels": ["CHAT"] }),
            "AGENT CHAT +logs +chats",
        ),
        (
            "full",
            everything(),
            json!({ "channels": ["TICKET"], "assignsCallbacks": true, "receivesChats": true }),
            "RIGHT_NEEDS_CHANNEL at input.assignsCallbacks; RIGHT_NEEDS_CHANNEL at input.receivesChats",
        ),
        (
            "full",
            everything(),
            json!({ "assignsCallbacks": false }),
            "AGENT TICKET,CHAT,PHONE +logs +tickets +chats",
        ),
        (
            "full",
            everything(),
            json!({ "role": "MANAGER" }),
            "MANAGER TICKET,CHAT,PHONE +callbacks +logs +tickets +chats",
        ),
        (
            "full",
            json!({}),
            json!({ "role": "MANAGER" }),
            "MANAGER TICKET +callbacks +tickets",
        ),
        (
            "full",
            json!({}),
            json!({ "channels": ["PHONE"] }),
            "AGENT TICKET,PHONE +tickets",
        ),
        (
            "full",
            json!({}),
            json!({ "channels": ["TICKET", "CHAT"] }),
            "AGENT TICKET,CHAT +tickets",
        ),
        (
            "full",
            json!({}),
            json!({ "channels": ["TICKET", "CHAT"], "receivesChats": true }),
            "AGENT TICKET,CHAT +tickets +chats",
        ),
        (
            "full",
            json!({}),
            json!({ "receivesTickets": false, "controlsAssignment": true }),
            "AGENT TICKET +control",
        ),
        (
            "full",
            manager(),
            json!({ "role": "AGENT" }),
            "AGENT TICKET,PHONE +logs +tickets",
        ),
        (
            "full",
            manager(),
            json!({ "role": "AGENT", "assignsCallbacks": true }),
            "AGENT TICKET,PHONE +callbacks +logs +tickets",
        ),
        (
            "full",
            manager(),
            json!({ "assignsCallbacks": false }),
            "RIGHT_NOT_FOR_ROLE at input.assignsCallbacks",
        ),
        (
            "full",
            manager(),
            json!({ "channels": [] }),
            "MANAGER  +callbacks +logs",
        ),
        (
            "desk",
            json!({}),
            json!({ "channels": ["TICKET", "PHONE"] }),
            "CHANNEL_NOT_CONTRACTED at input.channels.1",
        ),
        (
            "issue",
            json!({ "role": "MANAGER" }),
            json!({ "role": "AGENT" }),
            "AGENT TICKET +tickets",
        ),
        (
            "issue",
            json!({ "role": "MANAGER" }),
            json!({ "role": "AGENT", "viewsAccessLogs": true }),
            "RIGHT_NOT_FOR_ROLE at input.viewsAccessLogs",
        ),
    ]
}

/// The contract's items on or off, on a day of its own.
async fn contract(app: &TestApp, service: &Made, day: &str, is_on: bool) {
    app.go_to(day);
    let (_, version) = make::versions(app.owner(), service).await;
    let items = json!([{ "code": "TELTICKET", "isOn": is_on, "userCount": 2 }, { "code": "CHAT", "isOn": is_on, "userCount": 2 }]);
    let input = json!({ "expectedVersion": version, "items": items });
    let edit = json!({ "id": service.contract, "input": input });
    app.owner().deed("contractUpdate(id: $id, input: $input)", edit).await;
}

both! {
    async fn a6_the_first_rights_of_an_agent_go_with_his_role_his_channels_and_the_contract(app) {
        let services = services(&app).await;
        let person = member(app.owner(), "member").await;
        let field = format!("agentAdd(input: $input) => agent {{ {} }}", staff::FIELDS);

        for (service, mut wish, expected) in first_rights() {
            wish["dryRun"] = json!(true);
            let input = staff::of(find(&services, service), &person, wish.clone());
            let payload = app.owner().payload(&field, json!({ "input": input })).await;
            assert_eq!(outcome(&payload), expected, "{service}: {wish}");
        }
    }

    async fn a6_later_rights_take_along_what_hangs_on_them_and_leave_the_rest(app) {
        let services = services(&app).await;
        let person = member(app.owner(), "member").await;
        let field = format!("agentUpdate(id: $id, input: $input) => agent {{ {} }}", staff::FIELDS);

        for (service, first, wish, expected) in later_rights() {
            let agent = staff::add(app.owner(), find(&services, service), &person, first.clone()).await;
            let payload = app.owner().payload(&field, staff::on(&agent, wish.clone())).await;
            assert_eq!(outcome(&payload), expected, "{service}: {first} then {wish}");
            let after = staff::seen(app.owner(), &agent).await;
            let (failed, changes) = (payload["userErrors"] != json!([]), rights(&after) != rights(&agent));
            assert_eq!(after, payload["agent"], "{service}: {first} then {wish}");
            assert_eq!(after["version"], if !failed && changes { 2 } else { 1 }, "{service}: {first} then {wish}");
            assert_eq!(staff::remove(app.owner(), &after).await, Vec::<String>::new());
        }
    }

    async fn a6_a_channel_that_the_contract_drops_stays_and_does_nothing_until_it_is_back(app) {
        let full = staff::full(app.owner(), "full").await;
        let person = member(app.owner(), "member").await;
        let agent = staff::add(app.owner(), &full, &person, json!({ "channels": ["TICKET", "CHAT", "PHONE"] })).await;
        let before = staff::has_phone(&app, &person).await;

        contract(&app, &full, "2026-11-11T10:00:00+09:00", false).await;
        let dropped = staff::seen(app.owner(), &agent).await;
        let silent = staff::has_phone(&app, &person).await;
        let kept = staff::update(app.owner(), &agent, json!({ "channels": ["CHAT", "PHONE"], "forwardsTickets": true })).await;
        let stranger = member(app.owner(), "admin").await;
        let refused = staff::add_problems(app.owner(), &full, &stranger, json!({ "channels": ["CHAT", "PHONE"] })).await;
        let without = staff::update(app.owner(), &kept, json!({ "channels": ["TICKET", "PHONE"] })).await;
        let again = staff::update_problems(app.owner(), &without, json!({ "channels": ["TICKET", "PHONE", "CHAT"] })).await;
        contract(&app, &full, "2026-11-12T10:00:00+09:00", true).await;
        let back = staff::seen(app.owner(), &agent).await;

        assert_eq!((before, silent, staff::has_phone(&app, &person).await), (true, false, true));
        assert_eq!((&dropped["channels"], &dropped["effectiveChannels"]), (&json!(["TICKET", "CHAT", "PHONE"]), &json!(["TICKET"])));
        assert_eq!(dropped["version"], 1, "the contract changes nobody's rights");
        assert_eq!(rights(&kept), "AGENT TICKET,CHAT,PHONE +forwards +tickets +chats");
        assert_eq!(refused, ["CHANNEL_NOT_CONTRACTED at input.channels.0", "CHANNEL_NOT_CONTRACTED at input.channels.1"]);
        assert_eq!(again, ["CHANNEL_NOT_CONTRACTED at input.channels.2"], "what was given up is gone");
        assert_eq!(back["effectiveChannels"], json!(["TICKET", "PHONE"]));
    }

    async fn a6_whoever_has_no_phone_in_any_service_in_force_has_none(app) {
        let [first, second] = [staff::full(app.owner(), "first").await, staff::full(app.owner(), "second").await];
        let person = member(app.owner(), "member").await;
        let none = staff::has_phone(&app, &person).await;

        staff::add(app.owner(), &first, &person, json!({ "channels": ["TICKET", "CHAT"] })).await;
        let chats = staff::has_phone(&app, &person).await;
        let agent = staff::add(app.owner(), &second, &person, json!({ "channels": ["PHONE"] })).await;
        let phones = staff::has_phone(&app, &person).await;
        make::suspend(app.owner(), &second).await;
        let suspended = staff::has_phone(&app, &person).await;
        staff::update(app.owner(), &agent, json!({ "channels": ["TICKET"] })).await;
        let lost = staff::has_phone(&app, &person).await;
        staff::update(app.owner(), &staff::seen(app.owner(), &agent).await, json!({ "channels": ["PHONE"] })).await;
        make::terminate(app.owner(), &second).await;
        let terminated = staff::has_phone(&app, &person).await;

        assert_eq!([none, chats, phones, suspended, lost, terminated], [false, false, true, true, false, false]);
    }
}
