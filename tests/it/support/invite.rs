//! How a test invites people, reads their letters and accepts in their place, through the API.

use orgdesk::kernel::Letter;
use serde_json::{Value, json};

use super::app::{Answer, TestApp, Who, codes};

/// What is looked at of an invitation.
pub const FIELDS: &str =
    "invitation { id login name email language state isOwner invitedAt invitedBy { login } expiresAt acceptedAt
    revokedAt member { login } delivery mailings { number email delivery failure requestedAt sentAt }
    actions { name isAllowed reasonCode availableAt } version }";

/// What is looked at of a link.
pub const PREVIEW: &str = "query Q($token: String!) { invitationPreview(token: $token) {
    organizationName organizationDomain name login email expiresAt language } }";

/// The mutation that accepts.
pub const ACCEPT: &str = "mutation M($input: InvitationAcceptInput!) { invitationAccept(input: $input) {
    organizationDomain login userErrors { code field message availableAt } } }";

/// A password that somebody invited chooses.
pub const CHOSEN: &str = "a password of my choice";

/// The input that invites the person of a login ID.
pub fn input(login: &str) -> Value {
    json!({ "login": login, "name": format!("Name of {login}"), "email": format!("{login}@example.com"), "language": "ENGLISH" })
}

/// The payload of `memberInvite`.
pub async fn invite(who: Who<'_>, input: Value) -> Value {
    let field = format!("memberInvite(input: $input) => {FIELDS}");
    who.payload(&field, json!({ "input": input })).await
}

/// The invitation of the person of a login ID, who can be invited.
pub async fn made(who: Who<'_>, login: &str) -> Value {
    let payload = invite(who, input(login)).await;
    assert_eq!(payload["userErrors"], json!([]), "{login}");
    payload["invitation"].clone()
}

/// A verb on an invitation as it was read: `invitationResend`, with what else the input says.
pub async fn on(who: Who<'_>, verb: &str, invitation: &Value, more: Value) -> Value {
    let mut input = json!({ "expectedVersion": invitation["version"] });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let field = format!("{verb}(id: $id, input: $input) => {FIELDS}");
    who.payload(&field, json!({ "id": invitation["id"], "input": input }))
        .await
}

/// The invitation as it is now.
pub async fn read(who: Who<'_>, invitation: &Value) -> Value {
    let query = format!(
        "query Q($id: ID!) {{ node(id: $id) {{ ... on Invitation {} }} }}",
        FIELDS.trim_start_matches("invitation")
    );
    let data = who.data(&query, json!({ "id": invitation["id"] })).await;
    data["node"].clone()
}

/// The link in a letter.
pub fn link(letter: &Letter) -> String {
    let begins = letter.text.find("https://desk.example.com/").unwrap();
    let end = letter.text[begins..].find(char::is_whitespace).unwrap();
    letter.text[begins..begins + end].to_owned()
}

/// The token in the newest letter to the person of a login ID.
pub fn token(app: &TestApp, login: &str) -> String {
    let letters = app.letters();
    let to = format!("{login}@example.com");
    let letter = letters.iter().rev().find(|letter| letter.to.email == to);
    let link = link(letter.unwrap_or_else(|| panic!("no letter to {login}")));
    link.split_once('#').unwrap().1.to_owned()
}

/// Invites somebody and has the letter sent; answers the token.
pub async fn sent(app: &TestApp, login: &str) -> String {
    made(app.owner(), login).await;
    app.run_due().await;
    token(app, login)
}

/// What a token opens; null where it is not good.
pub async fn preview(app: &TestApp, token: &str) -> Value {
    let answer = app.ask(None, PREVIEW, json!({ "token": token })).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["invitationPreview"].clone()
}

/// Accepts from an address of one's own.
pub async fn accept_from(app: &TestApp, address: [u8; 4], token: &str, password: &str) -> Answer {
    let input = json!({ "token": token, "password": password });
    app.ask_from(address, "en", None, ACCEPT, json!({ "input": input }))
        .await
}

/// The payload of `invitationAccept`.
pub async fn accept(app: &TestApp, token: &str) -> Value {
    let answer = accept_from(app, [127, 0, 0, 1], token, CHOSEN).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["invitationAccept"].clone()
}

/// What accepting comes to: the login ID, or what was wrong.
pub async fn accepted(app: &TestApp, token: &str) -> Result<String, Vec<String>> {
    let payload = accept(app, token).await;
    match payload["login"].as_str() {
        Some(login) => Ok(login.to_owned()),
        None => Err(codes(&payload)),
    }
}

/// The refusal of a link that is not good, whatever is wrong with it.
pub fn refused() -> Result<String, Vec<String>> {
    Err(vec!["LINK_REFUSED at input.token".to_owned()])
}
