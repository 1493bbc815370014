//! How a test has lists leave as files, and what it asks of them.

use axum::{body::Body, http::Request};
use orgdesk::api::server::PeerAddress;
use serde_json::{Value, json};

use super::app::{Answer, TestApp, Who};

/// The verb, for [`Who::payload`]; its input is declared by hand, since it is the one of `extractionRequest`.
pub const REQUEST: &str =
    "extractionRequest(input: $input) => extraction { id state source fileName columns filter isUnmasked version }";

/// What there is to know of an extraction.
pub const EXTRACTION: &str = "query Q($id: ID!) { extraction(id: $id) { id state source format isUnmasked reason hasPassword columns filter
    requestedAt fileName rowCount byteSize sha256 finishedAt expiresAt downloadCount failure { code message } service { code }
    requestedBy { login } job { state doneCount totalCount message file { url expiresAt } expiresAt }
    actions { name isAllowed reasonCode } } }";

/// The input for a list, with what else it says.
pub fn input(list: Value, more: Value) -> Value {
    let mut input = json!({ "list": list });
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    json!({ "input": input })
}

/// Asks for a list, which is taken; the extraction's ID.
pub async fn requested(who: Who<'_>, list: Value, more: Value) -> String {
    let made = who.deed(REQUEST, input(list, more)).await;
    made["extraction"]["id"].as_str().unwrap().to_owned()
}

/// An extraction as it is.
pub async fn extraction(who: Who<'_>, id: &str) -> Value {
    who.data(EXTRACTION, json!({ "id": id })).await["extraction"].clone()
}

/// Has a list leave, and its file made; the extraction as it is then.
pub async fn made(app: &TestApp, who: Who<'_>, list: Value, more: Value) -> Value {
    let id = requested(who, list, more).await;
    app.run_due().await;
    extraction(who, &id).await
}

/// The link to a file.
pub fn link(extraction: &Value) -> &str {
    let url = extraction["job"]["file"]["url"].as_str();
    url.unwrap_or_else(|| panic!("no file: {extraction}"))
}

/// Fetches what a link leads to, from an address.
pub async fn fetch_from(app: &TestApp, url: &str, address: &str) -> Answer {
    let path = url.strip_prefix("https://desk.example.com").unwrap();
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    let peer: std::net::IpAddr = address.parse().unwrap();
    request.extensions_mut().insert(PeerAddress((peer, 40_000).into()));
    app.send(request).await
}

/// Fetches what a link leads to.
pub async fn fetch(app: &TestApp, url: &str) -> Answer {
    fetch_from(app, url, "127.0.0.1").await
}

/// Has a list leave, and fetches its file.
pub async fn file(app: &TestApp, who: Who<'_>, list: Value, more: Value) -> Vec<u8> {
    let made = made(app, who, list, more).await;
    let file = fetch(app, link(&made)).await;
    assert_eq!(file.status, 200, "{}", file.text);
    file.bytes
}

/// The log, newest first, each row in a line: what, of which list, who, for whom, why not.
pub async fn log(app: &TestApp, filter: Value) -> Vec<String> {
    let query = "query Q($filter: ExtractionStepFilter) { extractionSteps(first: 100, filter: $filter) { totalCount nodes {
        kind source actor { login name } requester { login } reasonCode rowCount downloadCount isUnmasked address } } }";
    let data = app.owner().data(query, json!({ "filter": filter })).await;
    let nodes = data["extractionSteps"]["nodes"].as_array().unwrap();
    assert_eq!(data["extractionSteps"]["totalCount"], nodes.len());
    let line = |node: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let actor = match node["actor"]["login"].as_str() {
            Some(login) => login.to_owned(),
            None => text(&node["actor"]["name"]),
        };
        let parts = [
            text(&node["kind"]),
            text(&node["source"]),
            actor,
            text(&node["requester"]["login"]),
            text(&node["reasonCode"]),
        ];
        parts.join(" ")
    };
    nodes.iter().map(line).collect()
}
