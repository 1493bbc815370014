//! How a test comes by an organization key and what a partner system sends with it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use orgdesk::partner::signed_text;
use serde_json::{Value, json};
use sha2::Sha256;

use super::app::{Answer, TestApp, Who};

/// `organizationKeyCreate`, for [`Who::payload`].
pub const CREATE: &str = "organizationKeyCreate(input: $input) => secret signingSecret key { id name version hint }";
/// `organizationKeyUpdate`, likewise.
pub const UPDATE: &str =
    "organizationKeyUpdate(id: $id, input: $input) => key { id name scopes allowedAddresses version }";
/// `partnerTokenIssue` as a document.
pub const ISSUE: &str = "mutation M($input: PartnerTokenIssueInput!) { partnerTokenIssue(input: $input) {
    token { accessToken expiresAt scopes } userErrors { code field message availableAt } } }";

/// An organization key with its secrets.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its ID.
    pub id: String,
    /// The key itself.
    pub secret: String,
    /// What it signs with.
    pub signing_secret: String,
}

/// A key of these scopes.
pub async fn key(who: Who<'_>, scopes: &[&str]) -> Key {
    made(who, json!({ "name": "Partner", "scopes": scopes })).await
}

/// A key as this input says.
pub async fn made(who: Who<'_>, input: Value) -> Key {
    let made = who.deed(CREATE, json!({ "input": input })).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Key {
        id: text(&made["key"]["id"]),
        secret: text(&made["secret"]),
        signing_secret: text(&made["signingSecret"]),
    }
}

/// Asks for a token as whoever has this key; the payload.
pub async fn issue(app: &TestApp, organization: &str, key: &str) -> Value {
    issue_from(app, [127, 0, 0, 1], organization, key).await
}

/// The same from another address.
pub async fn issue_from(app: &TestApp, address: [u8; 4], organization: &str, key: &str) -> Value {
    let input = json!({ "organization": organization, "key": key });
    let answer = app
        .ask_from(address, "en", None, ISSUE, json!({ "input": input }))
        .await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["partnerTokenIssue"].clone()
}

/// A token for this key of Acme.
pub async fn token(app: &TestApp, key: &Key) -> String {
    let payload = issue(app, "acme", &key.secret).await;
    let token = payload["token"]["accessToken"].as_str();
    token.unwrap_or_else(|| panic!("{payload}")).to_owned()
}

/// The code of Acme.
pub async fn code(app: &TestApp) -> String {
    let data = app.owner().data("{ organization { code } }", json!({})).await;
    data["organization"]["code"].as_str().unwrap().to_owned()
}

/// A signature in base 64.
pub fn sign(secret: &str, text: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A signed request, to be changed before it is sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is sent.
    pub body: String,
    /// Path and query.
    pub uri: String,
    /// The headers beside those of every request.
    pub headers: Vec<(String, String)>,
    /// From where.
    pub address: std::net::IpAddr,
}

/// A request signed at this instant of milliseconds.
pub fn signed(code: &str, secret: &str, at: i64, uri: &str, query: &str, variables: Value) -> Request {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let (path, parameters) = uri.split_once('?').unwrap_or((uri, ""));
    let time = at.to_string();
    let text = signed_text(code, path, parameters, body.as_bytes(), &time);
    let headers = [
        ("authorization", sign(secret, &text)),
        ("x-tc-timestamp", time),
        ("x-organization-id", code.to_owned()),
    ];
    Request {
        body,
        uri: uri.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        address: [127, 0, 0, 1].into(),
    }
}

impl Request {
    /// The same with another value of a header; without it where that is `None`.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers
            .extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }

    /// Sends it.
    pub async fn send(&self, app: &TestApp) -> Answer {
        let head = axum::http::Request::post(&self.uri).header("content-type", "application/json");
        let head = self
            .headers
            .iter()
            .fold(head, |head, (name, value)| head.header(name, value));
        let mut request = head.body(axum::body::Body::from(self.body.clone())).unwrap();
        let peer = std::net::SocketAddr::new(self.address, 40_000);
        request.extensions_mut().insert(orgdesk::api::server::PeerAddress(peer));
        app.send(request).await
    }
}
