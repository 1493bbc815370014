//! 외부 인증: what a provider vouches for, and what it does not: how lately somebody signed in, and whose an address is.

use chrono::Duration;
use orgdesk::operate::{self, Algorithm};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        account::{reset, reset_token},
        app::{Answer, PASSWORD, TestApp, codes},
        invite,
        people::{EXPEL, UPDATE, join, member, on},
        provider::{Key, Provider},
        raw::Raw,
    },
};

const EXCHANGE: &str = "mutation M($input: SessionExchangeInput!) { sessionExchange(input: $input) {
    tokens { accessToken } userErrors { code field message availableAt } } }";
const CONFIRM: &str = "mutation M($input: SessionConfirmInput!) { sessionConfirm(input: $input) {
    confirmedUntil userErrors { code field message availableAt } } }";
const VIEWER: &str = "{ viewer { isRecentlyConfirmed member { login } } }";

async fn provider(app: &TestApp) -> (Provider, Key) {
    let key = Key::new("k-1", Algorithm::EdDsa);
    let provider = Provider::start(&[&key]).await;
    operate::set_identity_provider(&app.app, "acme", provider.setting(Algorithm::EdDsa))
        .await
        .unwrap();
    (provider, key)
}

async fn exchange(app: &TestApp, token: &str) -> Answer {
    let input = json!({ "organization": "acme", "token": token });
    app.ask(None, EXCHANGE, json!({ "input": input })).await
}

fn access(answer: &Answer) -> Option<&str> {
    answer.json["data"]["sessionExchange"]["tokens"]["accessToken"].as_str()
}

/// As whom somebody with a verified address comes in, who was never seen before; nobody where he does not.
async fn comes_in_as(app: &TestApp, (provider, key): &(Provider, Key), email: &str) -> String {
    let subject = format!("new at {} as {email}", app.app.clock.now().0);
    let answer = exchange(app, &key.token(&provider.claims(app, &subject, email))).await;
    let Some(access) = access(&answer) else {
        assert_eq!(
            codes(&answer.json["data"]["sessionExchange"]),
            ["TOKEN_REFUSED at input.token"]
        );
        return "nobody".to_owned();
    };
    let viewer = app.ask(Some(access), VIEWER, json!({})).await;
    viewer.json["data"]["viewer"]["member"]["login"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Somebody invited who has accepted.
async fn newcomer(app: &TestApp, login: &str) {
    let token = invite::sent(app, login).await;
    assert_eq!(invite::accepted(app, &token).await.as_deref(), Ok(login));
}

/// A member of Acme gives himself another address.
async fn moves_to(app: &TestApp, login: &str, email: &str) {
    let version = member(app.owner(), login).await["version"].clone();
    let input = json!({ "input": { "expectedVersion": version, "email": email } });
    app.someone("acme", login)
        .deed("viewerUpdate(input: $input)", input)
        .await;
}

both! {
    // case: D12
    async fn a9_a_token_that_does_not_say_when_confirms_nothing(app) {
        let (provider, key) = provider(&app).await;
        operate::link_identity(&app.app, "acme", &provider.issuer, "owner", Some("u-1")).await.unwrap();
        let silent = |number: i32| {
            let mut claims: Value = provider.claims(&app, "u-1", "owner@example.com");
            claims["jti"] = json!(number);
            claims.as_object_mut().unwrap().remove("auth_time");
            key.token(&claims)
        };

        let answer = exchange(&app, &silent(1)).await;
        let access = access(&answer).unwrap_or_else(|| panic!("{}", answer.text));
        let viewer = app.ask(Some(access), VIEWER, json!({})).await;
        let confirmed = app.ask(Some(access), CONFIRM, json!({ "input": { "token": silent(2) } })).await;
        let after = app.ask(Some(access), VIEWER, json!({})).await;
        let password = app.ask(Some(access), CONFIRM, json!({ "input": { "password": PASSWORD } })).await;

        assert_eq!(viewer.json["data"]["viewer"]["isRecentlyConfirmed"], false);
        assert_eq!(codes(&confirmed.json["data"]["sessionConfirm"]), ["TOKEN_REFUSED at input.token"]);
        assert_eq!(after.json["data"]["viewer"]["isRecentlyConfirmed"], false);
        assert_eq!(codes(&password.json["data"]["sessionConfirm"]), Vec::<String>::new());
    }

    async fn a9_who_left_and_came_back_comes_in_as_who_he_is_now(app) {
        let (provider, key) = provider(&app).await;
        join(&app, "guest", false).await;
        app.owner().deed(EXPEL, on(&member(app.owner(), "guest").await, json!({}))).await;
        newcomer(&app, "guest").await;

        let by_address = exchange(&app, &key.token(&provider.claims(&app, "u-1", "guest@example.com"))).await;
        operate::link_identity(&app.app, "acme", &provider.issuer, "guest", None).await.unwrap();
        operate::link_identity(&app.app, "acme", &provider.issuer, "guest", Some("u-2")).await.unwrap();
        let by_hand = exchange(&app, &key.token(&provider.claims(&app, "u-2", "guest@example.com"))).await;

        assert!(access(&by_address).is_some(), "{}", by_address.text);
        assert!(access(&by_hand).is_some(), "{}", by_hand.text);
    }

    async fn a9_an_address_that_a_member_gave_himself_links_nobody(app) {
        let acme = provider(&app).await;

        moves_to(&app, "member", "Stranger@example.com").await;
        let stranger = comes_in_as(&app, &acme, "stranger@example.com").await;

        assert_eq!(stranger, "nobody");
        assert_eq!(Raw::admin(&app).await.count("external_identity").await, 0);
    }

    async fn a9_an_address_is_proved_by_a_link_that_lay_in_its_mailbox(app) {
        let acme = provider(&app).await;
        newcomer(&app, "guest").await;
        newcomer(&app, "other").await;
        newcomer(&app, "third").await;

        moves_to(&app, "guest", "GUEST@example.com").await;
        let capitals = comes_in_as(&app, &acme, "guest@example.com").await;
        moves_to(&app, "other", "elsewhere@example.com").await;
        let moved = comes_in_as(&app, &acme, "elsewhere@example.com").await;
        let token = reset_token(&app, "other").await;
        reset(&app, &token, "another password of mine", None).await;
        app.wait(Duration::seconds(1));
        let proved = comes_in_as(&app, &acme, "elsewhere@example.com").await;
        let change = on(&member(app.owner(), "third").await, json!({ "email": "given@example.com" }));
        app.owner().deed(UPDATE, change).await;
        let given = comes_in_as(&app, &acme, "given@example.com").await;

        assert_eq!([capitals, moved, proved, given], ["guest", "nobody", "other", "nobody"]);
    }
}
