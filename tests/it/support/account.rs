//! How a test signs in, and asks for a new password.

use std::net::IpAddr;

use axum::{body::Body, http::Request};
use orgdesk::api::server::PeerAddress;
use serde_json::{Value, json};

use super::app::{Answer, TestApp};

const START: &str = "mutation M($input: SessionStartInput!) { sessionStart(input: $input) {
    tokens { accessToken refreshToken } userErrors { code field message availableAt } } }";
const REQUEST: &str = "mutation M($input: PasswordResetRequestInput!) { passwordResetRequest(input: $input) {
    isTaken userErrors { code field message availableAt } } }";
const RESET: &str = "mutation M($input: PasswordResetInput!) { passwordReset(input: $input) {
    organizationDomain login userErrors { code field message availableAt } } }";

/// Tries to sign in to Acme; the payload.
pub async fn sign_in(app: &TestApp, login: &str, password: &str, code: Option<&str>) -> Value {
    sign_in_from(app, [127, 0, 0, 1], login, password, code).await
}

/// The same from any address.
pub async fn sign_in_from(app: &TestApp, address: [u8; 4], login: &str, password: &str, code: Option<&str>) -> Value {
    sign_in_at(app, address.into(), login, password, code).await
}

/// The same from an address of either kind.
pub async fn sign_in_at(app: &TestApp, address: IpAddr, login: &str, password: &str, code: Option<&str>) -> Value {
    let input = json!({ "organization": "acme", "login": login, "password": password, "code": code });
    let answer = app.ask_at(address, "en", None, START, json!({ "input": input })).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["sessionStart"].clone()
}

/// The access token of a sign-in that worked.
pub fn access(payload: &Value) -> String {
    let token = payload["tokens"]["accessToken"].as_str();
    token.unwrap_or_else(|| panic!("{payload}")).to_owned()
}

/// Signs in to Acme as a client of this name.
pub async fn sign_in_as_client(app: &TestApp, address: [u8; 4], client: &[u8], login: &str, password: &str) -> String {
    let input = json!({ "organization": "acme", "login": login, "password": password });
    let body = json!({ "query": START, "variables": { "input": input } }).to_string();
    let mut request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("user-agent", client)
        .body(Body::from(body))
        .unwrap();
    request
        .extensions_mut()
        .insert(PeerAddress(std::net::SocketAddr::from((address, 40_000))));
    access(&app.send(request).await.json["data"]["sessionStart"])
}

/// Whether a token is good.
pub async fn is_in(app: &TestApp, token: &str) -> bool {
    let answer = app.ask(Some(token), "{ viewer { roles } }", json!({})).await;
    assert!([200, 401].contains(&answer.status), "{}", answer.text);
    answer.status == 200
}

/// Asks for a letter with a link.
pub async fn request_reset(app: &TestApp, organization: &str, login: &str) -> Answer {
    let input = json!({ "organization": organization, "login": login });
    app.ask(None, REQUEST, json!({ "input": input })).await
}

/// The token of the newest letter with a link.
pub fn last_token(app: &TestApp) -> String {
    let letters = app.letters();
    let link = |text: &str| {
        text.split("/password-reset#")
            .nth(1)
            .map(|rest| rest.split_whitespace().next().unwrap().to_owned())
    };
    letters
        .iter()
        .rev()
        .find_map(|letter| link(&letter.text))
        .expect("a letter with a link")
}

/// Asks for a letter for a member of Acme and opens it.
pub async fn reset_token(app: &TestApp, login: &str) -> String {
    request_reset(app, "acme", login).await;
    app.run_due().await;
    last_token(app)
}

/// Uses a link.
pub async fn reset(app: &TestApp, token: &str, password: &str, code: Option<&str>) -> Value {
    reset_from(app, [127, 0, 0, 1], token, password, code).await
}

/// The same from any address.
pub async fn reset_from(app: &TestApp, address: [u8; 4], token: &str, password: &str, code: Option<&str>) -> Value {
    let input = json!({ "token": token, "password": password, "code": code });
    let answer = app
        .ask_from(address, "en", None, RESET, json!({ "input": input }))
        .await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["passwordReset"].clone()
}
