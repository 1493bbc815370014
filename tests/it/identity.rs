//! 외부 인증: an identity provider signs people in, beside local passwords: who is let in, as whom, and for how long.

use chrono::Duration;
use futures_util::future::join_all;
use orgdesk::operate::{self, Algorithm};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, PASSWORD, TestApp, codes},
        provider::{Key, Provider, prove_addresses},
        raw::Raw,
    },
};

const EXCHANGE: &str = "mutation M($input: SessionExchangeInput!) { sessionExchange(input: $input) {
    tokens { accessToken refreshToken } userErrors { code field message availableAt } } }";
const CONFIRM: &str = "mutation M($input: SessionConfirmInput!) { sessionConfirm(input: $input) {
    confirmedUntil userErrors { code field message availableAt } } }";
const REFRESH: &str = "mutation M($input: SessionRefreshInput!) { sessionRefresh(input: $input) {
    tokens { accessToken } userErrors { code field message availableAt } } }";
const KEY: &str = r#"mutation { organizationKeyCreate(input: { name: "k", scopes: [SERVICE_READ] }) {
    key { id } userErrors { code } } }"#;
const VIEWER: &str = "{ viewer { isRecentlyConfirmed member { login } } }";
const REFUSED: &str = "TOKEN_REFUSED at input.token";

/// A provider of Acme that signs with Ed25519, and its key.
async fn provider(app: &TestApp) -> (Provider, Key) {
    let key = Key::new("k-1", Algorithm::EdDsa);
    let provider = Provider::start(&[&key]).await;
    set(app, "acme", provider.setting(Algorithm::EdDsa)).await;
    prove_addresses(app).await;
    (provider, key)
}

async fn set(app: &TestApp, organization: &str, setting: operate::Provider) {
    operate::set_identity_provider(&app.app, organization, setting)
        .await
        .unwrap();
}

async fn exchange(app: &TestApp, organization: &str, token: &str) -> Answer {
    let input = json!({ "organization": organization, "token": token });
    app.ask(None, EXCHANGE, json!({ "input": input })).await
}

async fn confirm(app: &TestApp, access: &str, input: Value) -> Value {
    let answer = app.ask(Some(access), CONFIRM, json!({ "input": input })).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["sessionConfirm"].clone()
}

fn access(answer: &Answer) -> String {
    let token = &answer.json["data"]["sessionExchange"]["tokens"]["accessToken"];
    token.as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

fn problems(answer: &Answer) -> Vec<String> {
    codes(&answer.json["data"]["sessionExchange"])
}

/// As whom a token lets in; nobody where it does not.
async fn comes_in_as(app: &TestApp, token: &str) -> String {
    let answer = exchange(app, "acme", token).await;
    if problems(&answer) == [REFUSED] {
        return "nobody".to_owned();
    }
    let viewer = app.ask(Some(&access(&answer)), VIEWER, json!({})).await;
    let login = &viewer.json["data"]["viewer"]["member"]["login"];
    login.as_str().unwrap_or_else(|| panic!("{}", viewer.text)).to_owned()
}

async fn is_in(app: &TestApp, access: &str) -> bool {
    let answer = app.ask(Some(access), VIEWER, json!({})).await;
    assert!([200, 401].contains(&answer.status), "{}", answer.text);
    answer.status == 200
}

fn with(value: &Value, name: &str, new: Value) -> Value {
    let mut value = value.clone();
    value[name] = new;
    value
}

/// The entries of an organization's log of one action, oldest first: outcome, reason, target's label, actor's kind.
async fn log(app: &TestApp, organization: &str, action: &str) -> Vec<[String; 4]> {
    let query =
        "{ auditEntries(first: 100) { nodes { position action outcome reasonCode target { label } actor { kind } } } }";
    let data = app.someone(organization, "owner").data(query, json!({})).await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut nodes = data["auditEntries"]["nodes"].as_array().unwrap().clone();
    nodes.sort_by_key(|entry| entry["position"].as_i64());
    nodes
        .iter()
        .filter(|entry| entry["action"] == action)
        .map(|entry| {
            [
                text(&entry["outcome"]),
                text(&entry["reasonCode"]),
                text(&entry["target"]["label"]),
                text(&entry["actor"]["kind"]),
            ]
        })
        .collect()
}

both! {
    async fn a9_a_member_comes_by_his_verified_address_and_then_by_his_subject(app) {
        let (provider, key) = provider(&app).await;
        let claims = provider.claims(&app, "u-1", "Owner@Example.com");

        let first = comes_in_as(&app, &key.token(&claims)).await;
        let moved = comes_in_as(&app, &key.token(&with(&claims, "email", json!("admin@example.com")))).await;
        let bare = comes_in_as(&app, &key.token(&with(&claims, "email_verified", json!(false)))).await;
        let heir = comes_in_as(&app, &key.token(&with(&claims, "sub", json!("u-2")))).await;
        let other = comes_in_as(&app, &key.token(&provider.claims(&app, "u-2", "admin@example.com"))).await;

        assert_eq!([first, moved, bare], ["owner", "owner", "owner"], "the subject counts, whatever the address");
        assert_eq!(heir, "nobody", "an address that was given to somebody else opens nothing");
        assert_eq!(other, "admin");
        let mut raw = Raw::admin(&app).await;
        assert_eq!(raw.count("external_identity").await, 2);
        let done = ["DONE", "-", "소유자", "NOBODY"].map(str::to_owned);
        let entries = log(&app, "acme", "SESSION_EXCHANGE").await;
        assert_eq!(entries[..3], [done.clone(), done.clone(), done]);
        assert_eq!(entries[3], ["FAILED", "TOKEN_REFUSED", "-", "NOBODY"].map(str::to_owned));
        assert_eq!(entries.len(), 5);
    }

    async fn a9_an_address_that_is_not_verified_or_not_asked_for_links_nobody(app) {
        let (provider, key) = provider(&app).await;
        let claims = provider.claims(&app, "u-1", "owner@example.com");
        let mut silent = claims.clone();
        silent.as_object_mut().unwrap().remove("email_verified");

        for unverified in [json!(false), json!("true"), json!(1), json!(null), json!([true])] {
            let token = key.token(&with(&claims, "email_verified", unverified.clone()));
            assert_eq!(comes_in_as(&app, &token).await, "nobody", "{unverified}");
        }
        assert_eq!(comes_in_as(&app, &key.token(&silent)).await, "nobody");
        for address in [json!("nobody@example.com"), json!(""), json!("%"), json!("owner@example.com\0"), json!(1), json!(["owner@example.com"])] {
            let token = key.token(&with(&claims, "email", address.clone()));
            assert_eq!(comes_in_as(&app, &token).await, "nobody", "{address}");
        }
        set(&app, "acme", operate::Provider { links_by_email: false, ..provider.setting(Algorithm::EdDsa) }).await;
        assert_eq!(comes_in_as(&app, &key.token(&claims)).await, "nobody");

        let mut raw = Raw::admin(&app).await;
        assert_eq!(raw.count("external_identity").await, 0);
        let linked = operate::link_identity(&app.app, "acme", &provider.issuer, "member", Some("u-1")).await;
        linked.unwrap();
        assert_eq!(comes_in_as(&app, &key.token(&with(&claims, "jti", json!(2)))).await, "member", "by hand it goes without");
    }

    // case: A1
    async fn a9_a_provider_opens_the_door_of_its_own_organization_alone(app) {
        let (provider, key) = provider(&app).await;
        let claims = provider.claims(&app, "u-1", "owner@example.com");
        let token = key.token(&claims);

        let elsewhere = exchange(&app, "rival", &token).await;
        let home = exchange(&app, "acme", &token).await;
        let organization = app.ask(Some(&access(&home)), "{ organization { name } }", json!({})).await;

        assert_eq!(problems(&elsewhere), [REFUSED]);
        assert_eq!(organization.json["data"]["organization"]["name"], "Acme");
        assert_eq!(log(&app, "rival", "SESSION_EXCHANGE").await, [["FAILED", "TOKEN_REFUSED", "-", "NOBODY"].map(str::to_owned)]);
        // The same provider in both: a subject that is linked here is nobody there.
        set(&app, "rival", operate::Provider { links_by_email: false, ..provider.setting(Algorithm::EdDsa) }).await;
        assert_eq!(problems(&exchange(&app, "rival", &key.token(&with(&claims, "jti", json!(2)))).await), [REFUSED]);
    }

    // case: D1
    async fn a9_what_was_wrong_is_not_told(app) {
        let (provider, key) = provider(&app).await;
        let claims = provider.claims(&app, "u-1", "owner@example.com");
        exchange(&app, "acme", &key.token(&provider.claims(&app, "u-9", "member@example.com"))).await;
        Raw::admin(&app).await.must("UPDATE member SET status = 'LEFT' WHERE login <> 'owner'").await;
        let stranger = key.token(&provider.claims(&app, "u-2", "nobody@example.com"));
        let left = with(&provider.claims(&app, "u-9", "member@example.com"), "jti", json!(2));
        let left_unlinked = key.token(&provider.claims(&app, "u-8", "admin@example.com"));
        let bad = key.token(&with(&claims, "aud", json!("another")));
        let spoiled = format!("{}A", key.token(&claims));
        let tries = [
            ("nowhere", &key.token(&claims)), ("rival", &key.token(&claims)), ("acme", &bad), ("acme", &spoiled), ("acme", &stranger),
            ("acme", &key.token(&left)), ("acme", &left_unlinked), ("acme", &"x".to_owned()), ("", &String::new()), ("a\0", &"x".repeat(20_000)),
        ];
        let mut answers = Vec::new();

        for (organization, token) in tries {
            let answer = exchange(&app, organization, token).await;
            answers.push((answer.status, answer.json));
        }

        for answer in &answers {
            assert_eq!(answer, &answers[0]);
        }
        assert_eq!(codes(&answers[0].1["data"]["sessionExchange"]), [REFUSED]);
        let mut raw = Raw::admin(&app).await;
        assert_eq!(raw.count("security_event WHERE kind = 'SIGN_IN_UNKNOWN_ORGANIZATION'").await, 3);
        assert_eq!(raw.count("audit_entry WHERE action = 'SESSION_EXCHANGE' AND outcome = 'FAILED'").await, 7);
        assert_eq!(raw.count("external_identity").await, 1, "whoever has left is not linked");
        let failed = log(&app, "acme", "SESSION_EXCHANGE").await;
        assert!(failed.contains(&["FAILED", "TOKEN_REFUSED", "구성원", "NOBODY"].map(str::to_owned)), "the log knows who it was: {failed:?}");
    }

    async fn a9_a_token_is_good_once(app) {
        let (provider, key) = provider(&app).await;
        let second = app.second_server().await;
        let ec = Key::new("k-2", Algorithm::Es256);
        let token = key.token(&provider.claims(&app, "u-1", "owner@example.com"));

        let together = join_all((0..8).map(|_| exchange(&app, "acme", &token))).await;
        let elsewhere = exchange(&second, "acme", &token).await;

        let came_in = together.iter().filter(|answer| problems(answer).is_empty()).count();
        assert_eq!(came_in, 1);
        assert_eq!(problems(&elsewhere), [REFUSED]);
        // Another signature of the same text is still the same token.
        provider.publish(&[&ec]);
        set(&app, "acme", provider.setting(Algorithm::Es256)).await;
        app.wait(Duration::minutes(1));
        let token = ec.token(&provider.claims(&app, "u-1", "owner@example.com"));
        let signed = token.rsplit_once('.').unwrap().0;
        assert_eq!(comes_in_as(&app, &token).await, "owner");
        for _ in 0..3 {
            let again = format!("{signed}.{}", ec.signature(signed));
            assert_ne!(again, token);
            assert_eq!(comes_in_as(&app, &again).await, "nobody");
        }
    }

    // case: D10
    async fn a9_a_right_that_was_taken_away_is_gone_with_the_next_request(app) {
        let (provider, key) = provider(&app).await;
        let admin = access(&exchange(&app, "acme", &key.token(&provider.claims(&app, "u-1", "admin@example.com"))).await);
        let services = "{ services { totalCount } }";
        let before = app.ask(Some(&admin), services, json!({})).await;
        let mut raw = Raw::admin(&app).await;

        raw.must("DELETE FROM organization_admin").await;
        let after = app.ask(Some(&admin), services, json!({})).await;
        raw.must("UPDATE member SET status = 'LEFT' WHERE login = 'admin'").await;

        assert_eq!((before.code(), after.code()), ("none", "FORBIDDEN"));
        assert!(!is_in(&app, &admin).await);
        assert_eq!(comes_in_as(&app, &key.token(&with(&provider.claims(&app, "u-1", "admin@example.com"), "jti", json!(2)))).await, "nobody");
    }

    // case: D10
    async fn a9_whoever_came_from_a_provider_that_is_shut_out_is_out(app) {
        let (provider, key) = provider(&app).await;
        let claims = |subject: &str, login: &str, number: i32| {
            key.token(&with(&provider.claims(&app, subject, &format!("{login}@example.com")), "jti", json!(number)))
        };
        let (owner, admin) = (exchange(&app, "acme", &claims("u-1", "owner", 1)).await, exchange(&app, "acme", &claims("u-2", "admin", 2)).await);
        let local = app.owner().token().await;

        operate::link_identity(&app.app, "acme", &provider.issuer, "admin", None).await.unwrap();
        let unlinked = (is_in(&app, &access(&owner)).await, is_in(&app, &access(&admin)).await);
        set(&app, "acme", operate::Provider { is_enabled: false, ..provider.setting(Algorithm::EdDsa) }).await;
        let disabled = is_in(&app, &access(&owner)).await;
        let refresh = owner.json["data"]["sessionExchange"]["tokens"]["refreshToken"].clone();
        let refreshed = app.ask(None, REFRESH, json!({ "input": { "refreshToken": refresh } })).await;
        let again = comes_in_as(&app, &claims("u-1", "owner", 3)).await;
        set(&app, "acme", provider.setting(Algorithm::EdDsa)).await;
        let back = exchange(&app, "acme", &claims("u-1", "owner", 4)).await;
        let (then, still_out) = (is_in(&app, &access(&back)).await, is_in(&app, &access(&owner)).await);
        set(&app, "acme", operate::Provider { name: " Accounts of the company ".to_owned(), ..provider.setting(Algorithm::EdDsa) }).await;
        let known = operate::identity_providers(&app.app, "acme").await.unwrap();
        let renamed: Vec<_> = known.into_iter().map(|provider| provider.name).collect();
        operate::remove_identity_provider(&app.app, "acme", &provider.issuer).await.unwrap();

        assert_eq!((unlinked, disabled, again.as_str()), ((true, false), false, "nobody"));
        assert_eq!(renamed, ["Accounts of the company"], "one that is set again is changed");
        assert_eq!(codes(&refreshed.json["data"]["sessionRefresh"]), ["REFRESH_TOKEN_REFUSED at input.refreshToken"]);
        assert_eq!((then, still_out), (true, false));
        assert!(!is_in(&app, &access(&back)).await, "with the provider go the sessions that it began");
        assert_eq!(comes_in_as(&app, &claims("u-1", "owner", 5)).await, "nobody");
        assert!(is_in(&app, &local).await, "who came with a password stays");
        assert_eq!(Raw::admin(&app).await.count("external_identity").await, 0);
    }

    // case: D12
    async fn a9_a_fresh_token_confirms(app) {
        let (provider, key) = provider(&app).await;
        let token = |subject: &str, at: i64, number: i32| {
            let claims = provider.claims(&app, subject, "owner@example.com");
            let now = claims["iat"].as_i64().unwrap();
            key.token(&with(&with(&claims, "auth_time", json!(now - at)), "jti", json!(number)))
        };
        let owner = access(&exchange(&app, "acme", &token("u-1", 0, 1)).await);
        let admin = key.token(&provider.claims(&app, "u-2", "admin@example.com"));
        exchange(&app, "acme", &admin).await;
        let local = app.owner().token().await;
        let make = async || app.ask(Some(&owner), KEY, json!({})).await.code().to_owned();
        let fresh = make().await;
        app.wait(Duration::minutes(5) + Duration::seconds(1));
        let stale = make().await;

        let local = confirm(&app, &local, json!({ "token": token("u-1", 0, 2) })).await;
        assert_eq!(codes(&local), [REFUSED], "this session began with a password");
        let mut unsigned = token("u-1", 0, 3);
        unsigned.truncate(unsigned.len() - 4);
        for (what, token) in [
            ("signed in six minutes ago", token("u-1", 360, 4)), ("five minutes and a second", token("u-1", 301, 5)),
            ("another member", token("u-2", 0, 6)), ("nobody", token("u-3", 0, 7)), ("not signed", unsigned),
            ("came before", admin.clone()), ("a long text", "x".repeat(20_000)), ("no text", String::new()),
        ] {
            assert_eq!(codes(&confirm(&app, &owner, json!({ "token": token })).await), [REFUSED], "{what}");
        }
        let still = make().await;
        let good = token("u-1", 60, 8);
        let confirmed = confirm(&app, &owner, json!({ "token": good })).await;
        let now = make().await;
        let again = confirm(&app, &owner, json!({ "token": good })).await;
        app.wait(Duration::minutes(4) + Duration::seconds(1));
        let later = make().await;

        assert_eq!((fresh.as_str(), stale.as_str(), still.as_str()), ("none", "CONFIRMATION_REQUIRED", "CONFIRMATION_REQUIRED"));
        assert_eq!(confirmed, json!({ "confirmedUntil": "2026-11-10T01:09:01.000Z", "userErrors": [] }), "five minutes from the sign-in");
        assert_eq!(now, "none");
        assert_eq!(codes(&again), [REFUSED], "a token is good once");
        assert_eq!(later, "CONFIRMATION_REQUIRED");
        let password = confirm(&app, &owner, json!({ "password": PASSWORD })).await;
        assert_eq!(codes(&password), Vec::<String>::new(), "a member's password is his, however he came");
        for input in [json!({}), json!({ "password": PASSWORD, "token": token("u-1", 0, 9) }), json!({ "password": null })] {
            assert_eq!(codes(&confirm(&app, &owner, input).await), ["INVALID at input"]);
        }
        let failed = log(&app, "acme", "SESSION_CONFIRM").await;
        assert_eq!(failed.iter().filter(|entry| entry[..2] == ["FAILED", "TOKEN_REFUSED"]).count(), 10);
    }

    // case: D12
    async fn a9_a_sign_in_of_an_hour_ago_confirms_nothing(app) {
        let (provider, key) = provider(&app).await;
        let claims = provider.claims(&app, "u-1", "owner@example.com");
        let now = claims["iat"].as_i64().unwrap();
        let mut old = with(&with(&claims, "iat", json!(now - 3_600)), "exp", json!(now + 60));
        old.as_object_mut().unwrap().remove("auth_time");

        for (what, claims) in [("auth_time", with(&claims, "auth_time", json!(now - 301))), ("never", with(&claims, "auth_time", json!(-1))), ("iat", old)] {
            let access = access(&exchange(&app, "acme", &key.token(&claims)).await);
            let viewer = app.ask(Some(&access), VIEWER, json!({})).await;
            let made = app.ask(Some(&access), KEY, json!({})).await;
            assert_eq!(viewer.json["data"]["viewer"]["isRecentlyConfirmed"], false, "{what}");
            assert_eq!(made.code(), "CONFIRMATION_REQUIRED", "{what}");
        }
    }

    // case: D3
    async fn a9_one_address_tries_thirty_tokens_a_minute(app) {
        let (provider, key) = provider(&app).await;
        let good = key.token(&provider.claims(&app, "u-1", "owner@example.com"));
        let password = json!({ "input": { "organization": "acme", "login": "owner", "password": PASSWORD } });
        let start = "mutation M($input: SessionStartInput!) { sessionStart(input: $input) { userErrors { code } } }";

        for _ in 0..30 {
            assert_eq!(problems(&exchange(&app, "acme", "x").await), [REFUSED]);
        }
        let blocked = exchange(&app, "acme", &good).await;
        let nowhere = exchange(&app, "nowhere", &good).await;
        let by_password = app.ask(None, start, password).await;
        app.wait(Duration::minutes(1));

        assert_eq!(problems(&blocked), ["SIGN_IN_BLOCKED at input.token"]);
        assert_eq!(blocked.json["data"]["sessionExchange"]["userErrors"][0]["availableAt"], "2026-11-10T01:01:00.000Z");
        assert_eq!(blocked.json, nowhere.json);
        assert!(by_password.text.contains("SIGN_IN_BLOCKED"), "both doors count together: {}", by_password.text);
        assert_eq!(comes_in_as(&app, &good).await, "owner");
        assert_eq!(provider.asked(), ["/keys"], "nothing was fetched for garbage");
    }

    // case: D2
    async fn a9_one_document_tries_one_token(app) {
        let (provider, key) = provider(&app).await;
        let token = key.token(&provider.claims(&app, "u-1", "owner@example.com"));
        let one = |alias: &str| format!(r#"{alias}: sessionExchange(input: {{ organization: "acme", token: "{token}" }}) {{ tokens {{ accessToken }} }}"#);
        let mixed = r#"c: sessionStart(input: { organization: "acme", login: "owner", password: "x" }) { userErrors { code } }"#;

        for query in [format!("mutation {{ {} {} }}", one("a"), one("b")), format!("mutation {{ {} {mixed} }}", one("a"))] {
            let answer = app.ask(None, &query, json!({})).await;
            assert!(answer.json.get("data").is_none_or(Value::is_null), "{}", answer.text);
        }

        assert_eq!(provider.asked(), Vec::<String>::new());
        assert_eq!(comes_in_as(&app, &token).await, "owner");
    }

    async fn a9_what_a_token_was_held_against_must_still_hold(app) {
        let (provider, key) = provider(&app).await;
        let changes = [
            operate::Provider { is_enabled: false, ..provider.setting(Algorithm::EdDsa) },
            operate::Provider { client_id: "another".into(), ..provider.setting(Algorithm::EdDsa) },
        ];

        for (number, change) in changes.into_iter().enumerate() {
            set(&app, "acme", provider.setting(Algorithm::EdDsa)).await;
            app.wait(Duration::minutes(10));
            let token = key.token(&with(&provider.claims(&app, "u-1", "owner@example.com"), "jti", json!(number)));
            let gate = provider.hold().await;
            let meanwhile = async {
                while provider.asked().len() <= number {
                    tokio::task::yield_now().await;
                }
                set(&app, "acme", change).await;
                drop(gate);
            };
            let (answer, ()) = tokio::join!(exchange(&app, "acme", &token), meanwhile);
            assert_eq!(problems(&answer), [REFUSED]);
        }
    }

    async fn a9_somebody_signed_in_elsewhere_leaves_no_trace_here(app) {
        let (provider, key) = provider(&app).await;
        let rival = app.rival().token().await;
        let token = key.token(&provider.claims(&app, "u-1", "owner@example.com"));
        let input = json!({ "input": { "organization": "acme", "token": token } });

        let answer = app.ask(Some(&rival), EXCHANGE, input).await;

        assert_eq!(problems(&answer), Vec::<String>::new());
        assert_eq!(log(&app, "acme", "SESSION_EXCHANGE").await, [["DONE", "-", "소유자", "NOBODY"].map(str::to_owned)]);
    }
}
