//! One's own sessions: seen, and ended one by one.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        account::{access, is_in, sign_in, sign_in_as_client},
        app::{PASSWORD, TestApp, codes},
        authenticator,
    },
};

const LIST: &str = "{ viewer { sessions { id startedAt usedAt expiresAt address client isCurrent } } }";
const REVOKE: &str =
    "mutation M($id: ID!) { sessionRevoke(id: $id) { endedCount userErrors { code field message availableAt } } }";

async fn list(app: &TestApp, token: &str) -> Vec<Value> {
    let answer = app.ask(Some(token), LIST, json!({})).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["viewer"]["sessions"].as_array().unwrap().clone()
}

async fn revoke(app: &TestApp, token: &str, id: &Value) -> Value {
    let answer = app.ask(Some(token), REVOKE, json!({ "id": id })).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["sessionRevoke"].clone()
}

both! {
    async fn a1_a_member_sees_from_where_he_is_signed_in(app) {
        access(&sign_in(&app, "admin", PASSWORD, None).await);
        sign_in_as_client(&app, [127, 9, 0, 1], b"Mozilla/5.0\t(phone) \t", "member", PASSWORD).await;
        app.wait(Duration::minutes(1));
        let here = sign_in_as_client(&app, [127, 9, 0, 2], "x".repeat(300).as_bytes(), "member", PASSWORD).await;

        let sessions = list(&app, &here).await;

        assert_eq!(sessions.len(), 2, "{sessions:?}");
        assert!(sessions.iter().all(|session| session["id"].as_str().unwrap().starts_with("ses_")));
        assert_eq!((&sessions[0]["isCurrent"], &sessions[1]["isCurrent"]), (&json!(true), &json!(false)));
        assert_eq!((&sessions[0]["address"], &sessions[1]["address"]), (&json!("127.9.0.2"), &json!("127.9.0.1")));
        assert_eq!((&sessions[0]["client"], &sessions[1]["client"]), (&json!("x".repeat(200)), &json!("Mozilla/5.0(phone)")));
        assert_eq!(sessions[1]["startedAt"], "2026-11-10T01:00:00.000Z");
        assert_eq!(sessions[1]["usedAt"], "2026-11-10T01:00:00.000Z");
        assert_eq!(sessions[1]["expiresAt"], "2026-11-10T13:00:00.000Z");
    }

    // case: D10
    async fn a1_a_member_ends_one_of_his_sessions(app) {
        let lost = access(&sign_in(&app, "member", PASSWORD, None).await);
        app.wait(Duration::seconds(1));
        let here = access(&sign_in(&app, "member", PASSWORD, None).await);
        let sessions = list(&app, &here).await;

        let ended = revoke(&app, &here, &sessions[1]["id"]).await;
        let again = revoke(&app, &here, &sessions[1]["id"]).await;
        let (lost, still) = (is_in(&app, &lost).await, is_in(&app, &here).await);
        let left = list(&app, &here).await.len();
        let own = revoke(&app, &here, &sessions[0]["id"]).await;

        assert_eq!((&ended["endedCount"], &again["endedCount"], &own["endedCount"]), (&json!(1), &json!(0), &json!(1)));
        assert!(!lost && still);
        assert_eq!(left, 1);
        assert!(!is_in(&app, &here).await);
    }

    async fn a1_nobody_ends_anothers_session(app) {
        let owner = access(&sign_in(&app, "owner", PASSWORD, None).await);
        let member = access(&sign_in(&app, "member", PASSWORD, None).await);
        let ids = [list(&app, &member).await[0]["id"].clone(), json!("ses_7zzzzzzzzzzzzzzzzzzzzzzzzz"), json!("x"), json!("")];

        for id in &ids {
            assert_eq!(codes(&revoke(&app, &owner, id).await), ["NOT_FOUND at id"], "{id}");
        }

        assert!(is_in(&app, &member).await);
    }

    // case: D13
    async fn a1_sessions_that_ran_out_are_not_seen(app) {
        access(&sign_in(&app, "member", PASSWORD, None).await);
        app.wait(Duration::minutes(30));
        let last = access(&sign_in(&app, "member", PASSWORD, None).await);
        let at_the_limit = list(&app, &last).await.len();
        app.wait(Duration::milliseconds(1));
        let after = list(&app, &last).await.len();

        assert_eq!((at_the_limit, after), (2, 1));
    }

    async fn a1_at_most_fifty_sessions_are_seen_the_newest_first(app) {
        for _ in 0..55 {
            app.member().token().await;
            app.wait(Duration::milliseconds(1));
        }
        let token = app.member().token().await;

        let sessions = list(&app, &token).await;

        assert_eq!(sessions.len(), 50);
        assert_eq!(sessions[0]["isCurrent"], true);
        assert!(sessions.windows(2).all(|two| two[0]["startedAt"].as_str() > two[1]["startedAt"].as_str()));
    }

    // case: D10
    async fn a10_a_second_factor_that_comes_or_goes_ends_the_other_sessions(app) {
        let other = access(&sign_in(&app, "member", PASSWORD, None).await);
        let here = access(&sign_in(&app, "member", PASSWORD, None).await);
        let neighbour = access(&sign_in(&app, "admin", PASSWORD, None).await);
        let ask = async |verb: &str, code: &str| {
            let query = format!("mutation M($input: {}Input!) {{ {verb}(input: $input) {{ userErrors {{ code field }} }} }}", verb[..1].to_uppercase() + &verb[1..]);
            let answer = app.ask(Some(&here), &query, json!({ "input": { "code": code } })).await;
            codes(&answer.json["data"][verb])
        };
        let authenticator = authenticator::enrolled(app.member()).await;

        let wrong = ask("secondFactorActivate", &authenticator.wrong_code(&app)).await;
        let still = is_in(&app, &other).await;
        let activated = ask("secondFactorActivate", &authenticator.code(&app)).await;
        let came = (is_in(&app, &other).await, is_in(&app, &here).await);
        app.wait(Duration::seconds(30));
        let another = access(&sign_in(&app, "member", PASSWORD, Some(&authenticator.code(&app))).await);
        app.wait(Duration::seconds(30));
        let removed = ask("secondFactorRemove", &authenticator.code(&app)).await;
        let went = (is_in(&app, &another).await, is_in(&app, &here).await);

        assert_eq!(wrong, ["SECOND_FACTOR_REFUSED at input.code"]);
        assert_eq!((activated, removed), (Vec::new(), Vec::new()));
        assert!(still && is_in(&app, &neighbour).await);
        assert_eq!((came, went), ((false, true), (false, true)));
    }
}
