//! How a test comes by a service, with a contract or without, through the API.

use serde_json::{Value, json};

use super::app::Who;

/// A service as a test speaks of it.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its ID.
    pub id: String,
    /// Its contract's ID.
    pub contract: String,
}

/// The mutation that adds an entry of company information, with the least that it takes.
pub fn company(title: &str) -> String {
    format!(
        "companyCreate(input: {{ title: \"{title}\", content: {{ texts: [{{ language: \"ko\", companyName: \"n\", \
         representativeName: \"r\", address: \"a\" }}], terms: [] }} }}) => company {{ id }}"
    )
}

/// A consultation service whose contract is a draft.
pub async fn draft(who: Who<'_>, code: &str) -> Made {
    let input = json!({ "kind": "CONSULTATION", "code": code, "name": format!("Desk {code}") });
    let made = who
        .deed(
            "serviceCreate(input: $input) => service { id contract { id } }",
            json!({ "input": input }),
        )
        .await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Made {
        id: text(&made["service"]["id"]),
        contract: text(&made["service"]["contract"]["id"]),
    }
}

/// A consultation service in use, with so many ticket users.
pub async fn in_use(who: Who<'_>, code: &str, users: i32) -> Made {
    signed(who, code, json!([{ "code": "TICKET", "userCount": users }])).await
}

/// A consultation service in use, with these items.
pub async fn signed(who: Who<'_>, code: &str, items: Value) -> Made {
    let made = draft(who, code).await;
    let input = json!({ "expectedVersion": 1, "items": items });
    who.deed(
        "contractSign(id: $id, input: $input)",
        json!({ "id": made.contract, "input": input }),
    )
    .await;
    made
}

/// The version of a service, and of its contract.
pub async fn versions(who: Who<'_>, made: &Made) -> (i64, i64) {
    let query = "query Q($id: ID!) { service(by: { id: $id }) { version contract { version } } }";
    let data = who.data(query, json!({ "id": made.id })).await;
    (
        data["service"]["version"].as_i64().unwrap(),
        data["service"]["contract"]["version"].as_i64().unwrap(),
    )
}

/// Suspends a service.
pub async fn suspend(who: Who<'_>, made: &Made) {
    let (version, _) = versions(who, made).await;
    let input = json!({ "expectedVersion": version, "acknowledgeCharges": true });
    who.deed(
        "serviceSuspend(id: $id, input: $input)",
        json!({ "id": made.id, "input": input }),
    )
    .await;
}

/// Terminates a suspended service.
pub async fn terminate(who: Who<'_>, made: &Made) {
    let (version, _) = versions(who, made).await;
    let input = json!({ "expectedVersion": version });
    who.deed(
        "serviceTerminate(id: $id, input: $input)",
        json!({ "id": made.id, "input": input }),
    )
    .await;
}
