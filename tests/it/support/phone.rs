//! How a test comes by an agent who telephones, and by what his telephone tells.

use serde_json::{Value, json};

use super::{
    app::{TestApp, Who},
    people, staff,
};

/// `ctiEventsRecord`, with everything that it answers.
pub const RECORD: &str = "ctiEventsRecord(input: $input) => isMonitored results { externalId outcome }";

/// A service with telephony in Acme, in which the member who is called `member` handles calls, and a CTI log that is on.
pub async fn monitored(app: &TestApp) {
    agent(app, "desk", "member").await;
    monitor(app, true).await;
}

/// A member of Acme who handles calls in a service of his own.
pub async fn agent(app: &TestApp, service: &str, login: &str) -> Value {
    let desk = staff::full(app.owner(), service).await;
    let member = people::member(app.owner(), login).await;
    staff::add(app.owner(), &desk, &member, json!({ "channels": ["PHONE"] })).await
}

/// Turns the CTI log of Acme on or off.
pub async fn monitor(app: &TestApp, is_on: bool) {
    let data = app.owner().data("{ ctiSetting { version } }", json!({})).await;
    let input = json!({ "expectedVersion": data["ctiSetting"]["version"], "isCtiLogMonitored": is_on });
    let set = "ctiSettingUpdate(input: $input)";
    app.owner().deed(set, json!({ "input": input })).await;
}

/// A change of state.
pub fn waiting(id: &str, at: &str) -> Value {
    json!({ "externalId": id, "kind": "STATE_CHANGED", "state": "WAITING", "occurredAt": at })
}

/// An event of a call with a customer.
pub fn call(id: &str, kind: &str, at: &str) -> Value {
    json!({ "externalId": id, "kind": kind, "occurredAt": at, "callReference": "call-1", "customerNumber": "010-2345-6789" })
}

/// Sends events.
pub async fn record(who: Who<'_>, events: &[Value]) -> Value {
    who.payload(RECORD, json!({ "input": { "events": events } })).await
}

/// What came of each event, in a line.
pub fn outcomes(payload: &Value) -> String {
    let results = payload["results"].as_array().unwrap().iter();
    let words: Vec<_> = results.map(|result| result["outcome"].as_str().unwrap()).collect();
    words.join(" ")
}
