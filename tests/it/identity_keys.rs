//! 외부 인증: the keys of a provider come and go while the service runs, and are fetched no more often than needed; and
//! what an operator can set.

use chrono::Duration;
use futures_util::future::join_all;
use orgdesk::operate::{self, Algorithm};
use serde_json::json;

use crate::{
    both,
    support::{
        app::TestApp,
        provider::{Key, Provider, prove_addresses},
        raw::Raw,
    },
};

const EXCHANGE: &str = "mutation M($input: SessionExchangeInput!) { sessionExchange(input: $input) {
    tokens { accessToken } userErrors { code } } }";

async fn start(app: &TestApp, keys: &[&Key]) -> Provider {
    let provider = Provider::start(keys).await;
    let setting = provider.setting(Algorithm::EdDsa);
    operate::set_identity_provider(&app.app, "acme", setting).await.unwrap();
    prove_addresses(app).await;
    provider
}

/// Whether a token of this key lets the owner in now. Each comes from an address of its own, to meet no brake.
async fn is_in(app: &TestApp, provider: &Provider, key: &Key, number: u8) -> bool {
    let mut claims = provider.claims(app, "u-1", "owner@example.com");
    claims["jti"] = json!(number);
    let input = json!({ "input": { "organization": "acme", "token": key.token(&claims) } });
    let answer = app.ask_from([127, 9, 1, number], "en", None, EXCHANGE, input).await;
    let payload = &answer.json["data"]["sessionExchange"];
    assert!(
        payload["userErrors"] == json!([]) || payload["userErrors"] == json!([{ "code": "TOKEN_REFUSED" }]),
        "{}",
        answer.text
    );
    payload["tokens"]["accessToken"].is_string()
}

both! {
    async fn a9_keys_are_rotated_while_the_service_runs(app) {
        let (old, new) = (Key::new("k-1", Algorithm::EdDsa), Key::new("k-2", Algorithm::EdDsa));
        let provider = start(&app, &[&old]).await;
        let first = is_in(&app, &provider, &old, 1).await;

        provider.publish(&[&old, &new]);
        let hasty = is_in(&app, &provider, &new, 2).await;
        app.wait(Duration::seconds(60));
        let known = is_in(&app, &provider, &new, 3).await;
        let both = is_in(&app, &provider, &old, 4).await;
        provider.publish(&[&new]);
        app.wait(Duration::minutes(10));
        let left = is_in(&app, &provider, &new, 5).await;
        let gone = is_in(&app, &provider, &old, 6).await;

        assert_eq!((first, hasty, known, both), (true, false, true, true), "an unknown key is asked for once a minute");
        assert_eq!((left, gone), (true, false));
        assert_eq!(provider.asked().len(), 3, "{:?}", provider.asked());
    }

    async fn a9_unknown_keys_make_one_fetch_a_minute(app) {
        let key = Key::new("k-1", Algorithm::EdDsa);
        let provider = start(&app, &[&key]).await;

        for minute in 0..3 {
            for number in 0..20 {
                let stranger = Key::new(&format!("k-{minute}-{number}"), Algorithm::EdDsa);
                assert!(!is_in(&app, &provider, &stranger, minute * 20 + number).await);
            }
            app.wait(Duration::seconds(60));
        }

        assert_eq!(provider.asked(), ["/keys"; 3]);
    }

    async fn a9_many_who_come_together_make_one_fetch(app) {
        let key = Key::new("k-1", Algorithm::EdDsa);
        let provider = start(&app, &[&key]).await;
        let gate = provider.hold().await;
        let coming = join_all((0..6).map(|number| is_in(&app, &provider, &key, number)));
        let opening = async {
            let mut raw = Raw::admin(&app).await;
            // Each was counted against its own address, and waits or soon will.
            while provider.asked().is_empty() || raw.count("sign_in_throttle").await < 6 {
                tokio::task::yield_now().await;
            }
            drop(gate);
        };

        let (all, ()) = tokio::join!(coming, opening);

        assert_eq!(all, [true; 6]);
        assert_eq!(provider.asked(), ["/keys"]);
    }

    async fn a9_whoever_asks_and_hangs_up_keeps_the_keys_from_nobody(app) {
        let key = Key::new("k-1", Algorithm::EdDsa);
        let provider = start(&app, &[&key]).await;
        let gate = provider.hold().await;

        {
            let hasty = std::pin::pin!(is_in(&app, &provider, &key, 1));
            let asked = std::pin::pin!(async {
                while provider.asked().is_empty() {
                    tokio::task::yield_now().await;
                }
            });
            futures_util::future::select(hasty, asked).await;
        }
        drop(gate);

        assert!(is_in(&app, &provider, &key, 2).await);
        assert_eq!(provider.asked(), ["/keys"]);
    }

    async fn a9_a_provider_that_is_down_is_done_without_for_a_day(app) {
        let (key, new) = (Key::new("k-1", Algorithm::EdDsa), Key::new("k-2", Algorithm::EdDsa));
        let provider = start(&app, &[&key]).await;
        let first = is_in(&app, &provider, &key, 1).await;
        let mut number = 1;
        let mut later = async |wait: Duration, key: &Key| {
            app.wait(wait);
            number += 1;
            is_in(&app, &provider, key, number).await
        };

        provider.say(503, json!({}));
        let hour = later(Duration::hours(1), &key).await;
        let unknown = later(Duration::minutes(1), &new).await;
        for odd in [json!([]), json!({ "keys": {} }), json!("keys"), json!({ "keys": "x".repeat(256 * 1024) })] {
            provider.say(200, odd);
            assert!(later(Duration::minutes(1), &key).await, "nonsense is no answer");
        }
        provider.say(302, json!({}));
        assert!(later(Duration::minutes(1), &key).await, "nor is a redirection");
        let last = later(Duration::hours(22) + Duration::minutes(53) + Duration::seconds(59), &key).await;
        let too_late = later(Duration::seconds(1), &key).await;
        provider.publish(&[&key]);
        let hasty = later(Duration::seconds(58), &key).await;
        let back = later(Duration::seconds(1), &key).await;

        assert_eq!((first, hour, unknown, last), (true, true, false, true));
        assert!(!too_late, "a day is the end");
        assert_eq!((hasty, back), (false, true));
        assert!(provider.asked().iter().all(|path| path == "/keys"), "{:?}", provider.asked());
    }

    async fn a9_a_provider_that_was_never_there_lets_nobody_in(app) {
        let key = Key::new("k-1", Algorithm::EdDsa);
        let provider = start(&app, &[&key]).await;
        let nowhere = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let setting = operate::Provider { jwks_url: Some(format!("http://{nowhere}/keys")), ..provider.setting(Algorithm::EdDsa) };
        operate::set_identity_provider(&app.app, "acme", setting).await.unwrap();

        assert!(!is_in(&app, &provider, &key, 1).await);
        assert_eq!(provider.asked(), Vec::<String>::new());
    }

    async fn a9_an_operator_says_which_providers_there_are(app) {
        let provider = Provider::start(&[]).await;
        let setting = |issuer: &str| operate::Provider { issuer: issuer.to_owned(), ..provider.setting(Algorithm::Rs256) };
        let set = async |setting| operate::set_identity_provider(&app.app, "acme", setting).await.map_err(|error| error.to_string());

        for issuer in 1..=5 {
            set(setting(&format!("https://login{issuer}.example.com"))).await.unwrap();
        }
        let sixth = set(setting("https://login6.example.com")).await.unwrap_err();
        let changed = set(operate::Provider { client_id: "another".into(), ..setting("https://login5.example.com") }).await.unwrap();
        operate::remove_identity_provider(&app.app, "acme", "https://login1.example.com").await.unwrap();
        let known = operate::identity_providers(&app.app, "acme").await.unwrap();

        assert!(sixth.contains("at most 5"), "{sixth}");
        assert_eq!((known.len(), changed.version, known[3].client_id.as_str()), (4, 2, "another"));
        assert_eq!(operate::identity_providers(&app.app, "rival").await.unwrap(), []);
        assert!(operate::remove_identity_provider(&app.app, "rival", "https://login2.example.com").await.is_err());
        for wrong in [
            "http://login.example.com", "https://", "login.example.com", "https://user@login.example.com", "https://login.example.com/#x",
            "ftp://127.0.0.1", "http://127.0.0.1.example.com", "http://localhost.example.com", "https://a b", "https://a\0", "",
        ] {
            let both = operate::Provider { jwks_url: Some(wrong.to_owned()), ..setting(wrong) };
            let said = set(both).await.unwrap_err();
            assert!(said.contains("issuer: ") && said.contains("jwksUrl: "), "{wrong}: {said}");
        }
        let said = set(operate::Provider { name: " ".into(), client_id: String::new(), ..setting("https://login2.example.com") }).await.unwrap_err();
        assert!(said.contains("name: ") && said.contains("clientId: "), "{said}");
        let entries = app.owner().data("{ auditEntries(first: 100, filter: { log: PERMISSION }) { nodes { action actor { kind } } } }", json!({})).await;
        let operators = entries["auditEntries"]["nodes"].as_array().unwrap().iter().filter(|entry| {
            entry["actor"]["kind"] == "OPERATOR" && entry["action"].as_str().unwrap().starts_with("IDENTITY_PROVIDER")
        });
        assert_eq!(operators.count(), 7);
    }

    async fn a9_an_operator_says_who_a_member_is_there(app) {
        let key = Key::new("k-1", Algorithm::EdDsa);
        let provider = start(&app, &[&key]).await;
        let link = async |login: &str, subject: Option<&str>| {
            let linked = operate::link_identity(&app.app, "acme", &provider.issuer, login, subject).await;
            linked.map_err(|error| error.to_string())
        };

        link("owner", Some("u-1")).await.unwrap();
        let came = is_in(&app, &provider, &key, 1).await;
        for (login, subject, word) in [
            ("admin", Some("u-1"), "subject: "), ("owner", Some("u-2"), "login: "), ("ghost", Some("u-3"), "login: "), ("admin", Some(""), "subject: "),
            ("admin", Some("u\0"), "subject: "), ("admin", None, "login: "), ("ghost", None, "login: "),
        ] {
            let said = link(login, subject).await.unwrap_err();
            assert!(said.starts_with(word), "{login} {subject:?}: {said}");
        }
        link("owner", None).await.unwrap();
        link("admin", Some("u-1")).await.unwrap();

        assert!(came);
        let entries = app.owner().data("{ auditEntries(first: 100, filter: { log: PERMISSION }) { nodes { position action target { label } } } }", json!({})).await;
        let mut entries = entries["auditEntries"]["nodes"].as_array().unwrap().clone();
        entries.sort_by_key(|entry| entry["position"].as_i64());
        let told: Vec<_> = entries[entries.len() - 3..].iter().map(|entry| (entry["action"].as_str(), entry["target"]["label"].as_str())).collect();
        let entry = |action, label| (Some(action), Some(label));
        assert_eq!(told, [entry("IDENTITY_LINK", "소유자"), entry("IDENTITY_UNLINK", "소유자"), entry("IDENTITY_LINK", "조직관리자")]);
    }

    async fn a9_an_issuer_says_where_its_keys_are_when_it_is_set(app) {
        let provider = Provider::start(&[]).await;
        let says = |issuer: &str, keys: &str, signs: &str| {
            provider.say(200, json!({ "issuer": issuer, "jwks_uri": keys, "id_token_signing_alg_values_supported": [signs], "more": 1 }));
        };
        let set = async || {
            let setting = operate::Provider { jwks_url: None, ..provider.setting(Algorithm::Rs256) };
            let set = operate::set_identity_provider(&app.app, "acme", setting).await;
            set.map(|provider| provider.jwks_url).map_err(|error| format!("{error:#}"))
        };
        let keys = "https://keys.example.com/set?v=1";

        says(&provider.issuer, keys, "RS256");
        let found = set().await;
        says("https://login.example.com", keys, "RS256");
        let another = set().await.unwrap_err();
        says(&provider.issuer, keys, "ES256");
        let signs = set().await.unwrap_err();
        says(&provider.issuer, "http://keys.example.com/set", "RS256");
        let bare = set().await.unwrap_err();
        provider.say(404, json!({}));
        let absent = set().await.unwrap_err();
        provider.say(302, json!({}));
        let redirected = set().await.unwrap_err();

        assert_eq!(found.as_deref(), Ok(keys));
        for (said, word) in [(another, "https://login.example.com"), (signs, "ES256"), (bare, "jwksUrl"), (absent, "404"), (redirected, "302")] {
            assert!(said.contains(word), "{said}");
        }
        assert_eq!(provider.asked(), ["/.well-known/openid-configuration"; 6]);
    }
}
