//! Points by caller: what requests cost is taken from a bucket of the member, the key or the address, and what is left is
//! told with each answer.

use std::net::IpAddr;

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp},
        make, partner,
    },
};

/// Costs 2 + 100 × (1 + 1) = 202 points.
const DEAR: &str = "{ services(first: 100) { nodes { contract { status } } } }";

async fn ask(app: &TestApp, address: &str, token: Option<&str>) -> Answer {
    let address: IpAddr = address.parse().unwrap();
    app.ask_at(address, "en", token, DEAR, json!({})).await
}

fn told(answer: &Answer) -> (u64, u64, u64, u64) {
    let whole: Value = serde_json::from_str(&answer.text).unwrap();
    let cost = &whole["extensions"]["cost"];
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{}", answer.text));
    let status = &cost["throttleStatus"];
    (
        number(&cost["requestedQueryCost"]),
        number(&status["maximumAvailable"]),
        number(&status["currentlyAvailable"]),
        number(&status["restoreRate"]),
    )
}

/// Asks until there are no points left; how often it went well, and the refusal.
async fn spend(app: &TestApp, address: &str, token: Option<&str>) -> (usize, Answer) {
    let mut went = 0;
    loop {
        let answer = ask(app, address, token).await;
        if answer.status == 429 {
            return (went, answer);
        }
        went += 1;
        assert!(went < 200, "{}", answer.text);
    }
}

both! {
    // case: E11
    async fn g5_each_caller_has_a_bucket_and_is_told_how_it_stands(app) {
        let app = app.server_spending(5_000, 101).await;
        make::in_use(app.owner(), "desk", 1).await;
        let token = app.member().token().await;
        let first = app.ask(Some(&token), DEAR, json!({})).await;
        let (went, refused) = spend(&app, "127.0.0.1", Some(&token)).await;
        app.wait(Duration::seconds(2));
        let later = ask(&app, "127.0.0.1", Some(&token)).await;

        let cost = told(&first).0;
        assert!(cost > 100, "{}", first.text);
        assert_eq!(told(&first), (cost, 5_000, 5_000 - cost, 101), "{}", first.text);
        assert_eq!(went as u64, (5_000 - cost) / cost);
        assert_eq!((refused.status, refused.code()), (429, "THROTTLED"), "{}", refused.text);
        let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        let left = 5_000 - cost * (went as u64 + 1);
        assert_eq!(wait, (cost - left).div_ceil(101), "{}", refused.text);
        assert_eq!(later.status, 200, "{}", later.text);
        assert_eq!(told(&later).2, left + 202 - cost);
        app.wait(Duration::minutes(5));
        assert_eq!(told(&ask(&app, "127.0.0.1", Some(&token)).await).2, 5_000 - cost, "it fills up and no further");
    }

    async fn g5_a_bucket_is_the_members_whatever_session_and_nobody_elses(app) {
        let app = app.server_spending(5_000, 1).await;
        let (one, other, colleague) = (app.member().token().await, app.member().token().await, app.administrator().token().await);
        spend(&app, "127.0.0.1", Some(&one)).await;

        let another_session = ask(&app, "203.0.113.9", Some(&other)).await;
        let another_member = ask(&app, "127.0.0.1", Some(&colleague)).await;
        let nobody = ask(&app, "127.0.0.1", None).await;

        assert_eq!((another_session.status, another_member.status, nobody.status), (429, 200, 200));
    }

    async fn g5_keys_and_addresses_have_buckets_too(app) {
        let app = app.server_spending(5_000, 1).await;
        let (one, other) = (partner::key(app.owner(), &["SERVICE_READ"]).await, partner::key(app.owner(), &["SERVICE_READ"]).await);
        let (one, other) = (partner::token(&app, &one).await, partner::token(&app, &other).await);

        let (_, by_key) = spend(&app, "127.0.0.1", Some(&one)).await;
        let by_other = ask(&app, "127.0.0.1", Some(&other)).await;
        let (_, by_address) = spend(&app, "2001:db8:1:2::1", None).await;
        let neighbours = (ask(&app, "2001:db8:1:2:ffff::9", None).await.status, ask(&app, "2001:db8:1:3::1", None).await.status);
        let member = app.owner().token().await;
        let inside = ask(&app, "2001:db8:1:2::1", Some(&member)).await;

        assert_eq!((by_key.code(), by_other.status, by_address.code()), ("THROTTLED", 200, "THROTTLED"));
        assert_eq!(neighbours, (429, 200), "of IPv6, a network of 64 bits is one");
        assert_eq!(inside.status, 200, "who signed in does not pay for the others at his address");
    }

    async fn g5_a_token_that_is_not_good_comes_out_of_its_address(app) {
        let app = app.server_spending(5_000, 1).await;
        let (went, refused) = {
            let mut went = 0;
            loop {
                let answer = ask(&app, "203.0.113.9", Some("no.token.ofours")).await;
                if answer.status != 401 {
                    break (went, answer);
                }
                went += 1;
            }
        };

        assert!((10..200).contains(&went), "{went}");
        assert_eq!((refused.status, refused.code()), (429, "THROTTLED"), "{}", refused.text);
        assert_eq!(ask(&app, "203.0.113.10", Some("no.token.ofours")).await.status, 401);
    }

    async fn g5_what_is_refused_is_not_done(app) {
        let app = app.server_spending(5_000, 1).await;
        let token = app.owner().token().await;
        spend(&app, "127.0.0.1", Some(&token)).await;
        let create = "mutation { serviceCreate(input: { kind: ISSUE, code: \"desk\", name: \"desk\" }) { userErrors { code } } }";

        while app.ask(Some(&token), "{ viewer { member { login } } }", json!({})).await.status == 200 {}
        let refused = app.ask(Some(&token), create, json!({})).await;

        assert_eq!((refused.status, refused.code()), (429, "THROTTLED"), "{}", refused.text);
        assert_eq!(refused.json.get("data"), None);
        let count = app.administrator().data("{ services { totalCount } }", json!({})).await;
        assert_eq!(count["services"]["totalCount"], 0);
    }
}
