//! How a test comes by agents, and how it speaks of their rights.

use orgdesk::kernel::{Action, Caller, MemberId, OrganizationId};
use serde_json::{Value, json};

use super::{
    app::{TestApp, Who},
    make::{self, Made},
};

/// The fields that [`rights`] reads.
pub const FIELDS: &str = "id version role channels effectiveChannels assignsCallbacks forwardsTickets viewsAccessLogs
    receivesTickets receivesChats controlsAssignment member { id login } service { id code }";

/// `agentAdd`.
pub async fn add(who: Who<'_>, service: &Made, member: &Value, rights: Value) -> Value {
    let field = format!("agentAdd(input: $input) => agent {{ {FIELDS} }}");
    who.deed(&field, json!({ "input": of(service, member, rights) })).await["agent"].clone()
}

/// The problems of `agentAdd`.
pub async fn add_problems(who: Who<'_>, service: &Made, member: &Value, rights: Value) -> Vec<String> {
    who.problems(
        "agentAdd(input: $input)",
        json!({ "input": of(service, member, rights) }),
    )
    .await
}

/// `agentUpdate`.
pub async fn update(who: Who<'_>, agent: &Value, rights: Value) -> Value {
    let field = format!("agentUpdate(id: $id, input: $input) => agent {{ {FIELDS} }}");
    who.deed(&field, on(agent, rights)).await["agent"].clone()
}

/// The problems of `agentUpdate`.
pub async fn update_problems(who: Who<'_>, agent: &Value, rights: Value) -> Vec<String> {
    who.problems("agentUpdate(id: $id, input: $input)", on(agent, rights))
        .await
}

/// The problems of `agentRemove`.
pub async fn remove(who: Who<'_>, agent: &Value) -> Vec<String> {
    who.problems("agentRemove(id: $id, input: $input)", on(agent, json!({})))
        .await
}

/// The input of a new agent.
pub fn of(service: &Made, member: &Value, rights: Value) -> Value {
    with(json!({ "serviceId": service.id, "memberId": member["id"] }), rights)
}

/// The variables of a verb on an agent.
pub fn on(agent: &Value, rights: Value) -> Value {
    let input = with(json!({ "expectedVersion": agent["version"] }), rights);
    json!({ "id": agent["id"], "input": input })
}

/// One of the entries of `agentUpdateMany`.
pub fn entry(agent: &Value, rights: Value) -> Value {
    with(
        json!({ "id": agent["id"], "expectedVersion": agent["version"] }),
        rights,
    )
}

fn with(mut input: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// An agent as one sees him.
pub async fn seen(who: Who<'_>, agent: &Value) -> Value {
    let query = format!("query Q($id: ID!) {{ node(id: $id) {{ ... on Agent {{ {FIELDS} }} }} }}");
    who.data(&query, json!({ "id": agent["id"] })).await["node"].clone()
}

/// The rights of an agent in a line: his role, his channels, and each other right that he has.
pub fn rights(agent: &Value) -> String {
    let channels = agent["channels"].as_array().unwrap().iter();
    let channels: Vec<_> = channels.map(|channel| channel.as_str().unwrap()).collect();
    let mut line = format!("{} {}", agent["role"].as_str().unwrap(), channels.join(","));
    for (field, word) in [
        ("assignsCallbacks", " +callbacks"),
        ("forwardsTickets", " +forwards"),
        ("viewsAccessLogs", " +logs"),
        ("receivesTickets", " +tickets"),
        ("receivesChats", " +chats"),
        ("controlsAssignment", " +control"),
    ] {
        if agent[field].as_bool().unwrap() {
            line += word;
        }
    }
    line
}

/// A consultation service in use with tickets, chats and calls.
pub async fn full(who: Who<'_>, code: &str) -> Made {
    let items = json!([
        { "code": "TICKET", "userCount": 3 }, { "code": "TELTICKET", "isOn": true, "userCount": 2 }, { "code": "CHAT", "isOn": true, "userCount": 2 },
    ]);
    make::signed(who, code, items).await
}

/// An issue service in use.
pub async fn issue(who: Who<'_>, code: &str) -> Made {
    let input = json!({ "kind": "ISSUE", "code": code, "name": code });
    let made = who
        .deed(
            "serviceCreate(input: $input) => service { id contract { id } }",
            json!({ "input": input }),
        )
        .await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (id, contract) = (text(&made["service"]["id"]), text(&made["service"]["contract"]["id"]));
    let input = json!({ "expectedVersion": 1, "items": [{ "code": "TICKET", "userCount": 1 }] });
    who.deed(
        "contractSign(id: $id, input: $input)",
        json!({ "id": contract, "input": input }),
    )
    .await;
    Made { id, contract }
}

/// Whether a member of Acme handles calls anywhere, as later areas ask it.
pub async fn has_phone(app: &TestApp, member: &Value) -> bool {
    let data = app.owner().data("{ organization { id } }", json!({})).await;
    let organization: OrganizationId = data["organization"]["id"].as_str().unwrap().parse().unwrap();
    let member: MemberId = member["id"].as_str().unwrap().parse().unwrap();
    let caller = Caller::operator(app.app.clone(), organization);
    let view = caller.view(Action::SessionStart).await.unwrap();
    let found = orgdesk::agent::has_phone_anywhere(&view, member).await.unwrap();
    drop(view);
    caller.release().await;
    found
}
