//! Work to follow, and what whoever follows it is told.

use serde_json::{Value, json};

use super::{
    app::TestApp,
    imports::{self, DELETE, GOOD, fill, import, on, template},
    make,
    raw::Raw,
    socket::{Client, PROGRESS},
};

/// The ID of an import of one row that waits for its night, of the service `desk`.
pub async fn waiting_import(app: &TestApp) -> String {
    let desk = make::in_use(app.owner(), "desk", 3).await;
    let template = template(app, app.owner(), &desk.id).await;
    imports::reserved(app, app.owner(), &desk.id, &fill(&template, &[GOOD])).await
}

/// Gives an import up: an event for whoever follows it, the last one.
pub async fn give_up(app: &TestApp, id: &str) {
    let import = import(app.owner(), id).await;
    app.owner().deed(DELETE, on(&import, json!({}))).await;
}

/// How far work is.
pub fn counts(job: &Value) -> Value {
    json!([job["state"], job["doneCount"], job["totalCount"], job["failedCount"]])
}

/// Follows work as operation `1`; the event that comes first, as it was said.
pub async fn follow(client: &mut Client, id: &str) -> Value {
    client.subscribe("1", PROGRESS, json!({ "id": id })).await;
    let said = client.said().await;
    assert_eq!(said["type"], "next", "{said}");
    said
}

/// The work of an event.
pub fn job(said: &Value) -> &Value {
    &said["payload"]["data"]["jobProgress"]
}

/// Tries to follow work that does not exist for him; what he is told of each.
pub async fn not_found(client: &mut Client, ids: &[&str]) -> Vec<Value> {
    let mut told = Vec::new();
    for id in ids {
        client.subscribe("1", PROGRESS, json!({ "id": id })).await;
        let said = client.said().await;
        let reason = &said["payload"][0]["extensions"]["reason"];
        assert_eq!(
            (&said["type"], reason),
            (&json!("error"), &json!("NOT_FOUND")),
            "{said}"
        );
        told.push(said["payload"][0].clone());
    }
    told
}

/// An ID like this one, of the same kind and age, that nothing has.
pub fn absent(id: &str) -> String {
    format!("{}zzzzzzzz{}", &id[..12], &id[20..])
}

/// Waits until a refused look stands in the log, and holds it to one entry.
pub async fn is_logged_once(app: &TestApp, action: &str) {
    let denied = format!("audit_entry WHERE outcome = 'DENIED' AND action = '{action}'");
    let mut raw = Raw::admin(app).await;
    while raw.count(&denied).await == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(raw.count(&denied).await, 1);
}
