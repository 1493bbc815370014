//! The keys that data are sealed under: they change while everything goes on, and what was sealed for one place opens at no
//! other.

use chrono::Duration;
use orgdesk::operate;
use serde_json::Value;

use crate::{
    both,
    support::{
        account::sign_in,
        app::{KEY_RING, PASSWORD, TestApp},
        authenticator::{self, Authenticator},
        raw::Raw,
    },
};

const NEW: &str = "new:FRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ=";
const WRONG: &str = "test:FRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ=";

/// Whether the member's authenticator lets him in at this server.
async fn lets_in(app: &TestApp, authenticator: &Authenticator) -> bool {
    app.wait(Duration::seconds(30));
    let payload = sign_in(app, "member", PASSWORD, Some(&authenticator.code(app))).await;
    payload["tokens"]["accessToken"].is_string()
}

async fn refusal(app: &TestApp, ring: &str) -> String {
    let opened = app.server_with(ring).await;
    opened.err().map(|error| format!("{error:#}")).unwrap_or_default()
}

both! {
    async fn i5_a_key_of_the_ring_is_replaced_while_everything_goes_on(app) {
        let authenticator = authenticator::activated(&app, app.member()).await;
        let both_keys = app.server_with(&format!("{NEW},{KEY_RING}")).await.unwrap();
        assert!(lets_in(&both_keys, &authenticator).await, "before");

        let (count, unused) = operate::rewrap_keys(&both_keys.app).await.unwrap();

        assert_eq!((count, unused), (1, vec!["test".to_owned()]));
        assert!(lets_in(&both_keys, &authenticator).await, "afterwards");
        let new = app.server_with(NEW).await.unwrap();
        assert!(lets_in(&new, &authenticator).await, "without the old key");
        assert_eq!(operate::rewrap_keys(&new.app).await.unwrap(), (0, Vec::new()), "once is enough");
        assert!(refusal(&app, KEY_RING).await.contains(": new"), "the new key is needed now");
        let log = Raw::admin(&app).await.dump().await;
        assert!(log["audit_entry"].iter().any(|row| row.contains("DATA_KEY_REWRAP")), "the log tells of it");
    }

    async fn i5_a_ring_without_a_key_that_is_needed_or_with_a_wrong_one_does_not_start(app) {
        // case: B7
        assert!(refusal(&app, NEW).await.contains(": test"));
        assert!(refusal(&app, WRONG).await.contains(": test"));
        for ring in [NEW, WRONG, KEY_RING] {
            let said = refusal(&app, ring).await;
            assert!(!said.contains(ring.split(':').nth(1).unwrap()), "{said}");
        }
        assert_eq!(refusal(&app, KEY_RING).await, "");
    }

    async fn i5_a_sealed_secret_opens_in_its_own_row_only(app) {
        // case: B5
        let authenticator = authenticator::activated(&app, app.member()).await;
        authenticator::activated(&app, app.administrator()).await;
        let put = |which: &str| {
            format!("UPDATE second_factor SET secret = (SELECT kept.secret FROM kept WHERE kept.member_id {which} second_factor.member_id)")
        };
        let mut raw = Raw::admin(&app).await;
        app.wait(Duration::seconds(30));
        raw.must("CREATE TEMPORARY TABLE kept AS SELECT member_id, secret FROM second_factor").await;
        raw.must(&put("<>")).await;

        let query = "mutation M($input: SessionStartInput!) { sessionStart(input: $input) { tokens { accessToken } } }";
        let input = serde_json::json!({ "input": { "organization": "acme", "login": "member", "password": PASSWORD,
            "code": authenticator.code(&app) } });
        let answer = app.ask(None, query, input.clone()).await;
        raw.must(&put("=")).await;
        let again = app.ask(None, query, input).await;

        assert_eq!(answer.code(), "INTERNAL", "{}", answer.text);
        assert_eq!(answer.json["data"]["sessionStart"], Value::Null);
        assert!(again.json["data"]["sessionStart"]["tokens"]["accessToken"].is_string(), "{}", again.text);
    }
}
