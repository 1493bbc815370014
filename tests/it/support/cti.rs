//! How a test comes by CTI agents, and how it speaks of what they hold.

use orgdesk::operate::{self, Approvable};
use serde_json::{Value, json};

use super::{
    app::{TestApp, Who},
    make::Made,
    people::{self, member},
    raw::Raw,
    staff,
};

/// What is asked of an agent.
pub const AGENT: &str = "ctiId ctiNumber version changedAt member { id login name } services { code }";

/// `ctiAgentUpdateMany`.
pub const SAVE: &str = "ctiAgentUpdateMany(input: $input) => agents { ctiId ctiNumber version member { id login } }";

/// A service with the telephone, and members of these login IDs who have the phone right in it.
pub async fn desk(app: &TestApp, code: &str, logins: &[&str]) -> (Made, Vec<Value>) {
    let desk = staff::full(app.owner(), code).await;
    let mut members = Vec::new();
    let like = people::somebody(app).await;
    for login in logins {
        people::join_like(app, login, false, &like).await;
        let person = member(app.owner(), login).await;
        phone(app, &desk, &person).await;
        members.push(person);
    }
    (desk, members)
}

/// Gives a member the phone right in a service.
pub async fn phone(app: &TestApp, desk: &Made, member: &Value) -> Value {
    staff::add(app.owner(), desk, member, json!({ "channels": ["PHONE"] })).await
}

/// Lets Acme choose both versions.
pub async fn approve(app: &TestApp) {
    for what in [Approvable::Ipcc, Approvable::MobileContact] {
        operate::approve(&app.app, "acme", what, true).await.unwrap();
    }
}

/// An entry of a save.
pub fn entry(member: &Value, version: i64, id: &str, number: &str) -> Value {
    json!({ "memberId": member["id"], "expectedVersion": version, "ctiId": id, "ctiNumber": number })
}

/// The entry that takes everything from a member.
pub fn cleared(member: &Value, version: i64) -> Value {
    json!({ "memberId": member["id"], "expectedVersion": version, "ctiId": null, "ctiNumber": null })
}

/// The variables of a save.
pub fn all(entries: Vec<Value>) -> Value {
    json!({ "input": { "entries": entries } })
}

/// Every agent as one sees him: his login ID, CTI ID, number and version.
pub async fn lines(who: Who<'_>) -> Vec<String> {
    let data = who
        .data(
            &format!("{{ ctiAgents(first: 100) {{ nodes {{ {AGENT} }} }} }}"),
            json!({}),
        )
        .await;
    let nodes = data["ctiAgents"]["nodes"].as_array().unwrap();
    nodes.iter().map(line).collect()
}

/// An agent in a line.
pub fn line(agent: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    format!(
        "{} {} {} v{}",
        text(&agent["member"]["login"]),
        text(&agent["ctiId"]),
        text(&agent["ctiNumber"]),
        agent["version"]
    )
}

/// Who holds a number at an instant; `None` for now.
pub async fn holder(who: Who<'_>, number: &str, at: Option<&str>) -> Vec<String> {
    let query =
        "query Q($filter: CtiHoldingFilter) { ctiHoldings(filter: $filter) { nodes { ctiId member { login } } } }";
    let data = who
        .data(query, json!({ "filter": { "ctiNumber": number, "at": at } }))
        .await;
    let nodes = data["ctiHoldings"]["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|one| one["member"]["login"].as_str().unwrap().to_owned())
        .collect()
}

/// Every row of CTI, as text.
pub async fn rows(app: &TestApp) -> Vec<(String, Vec<String>)> {
    let dump = Raw::admin(app).await.dump().await.into_iter();
    dump.filter(|(table, _)| table.starts_with("cti_")).collect()
}
