//! From where organization keys may be used, and where a request really comes from.

use std::net::IpAddr;

use axum::{body::Body, http::Request};
use orgdesk::api::server::PeerAddress;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, codes},
        partner::{self, Key, code, issue_from, key, signed, token},
    },
};

const SERVICES: &str = "{ services { totalCount } }";

async fn bound(app: &TestApp, addresses: &[&str]) -> Key {
    let input = json!({ "name": "k", "scopes": ["SERVICE_READ"], "allowedAddresses": addresses });
    partner::made(app.owner(), input).await
}

async fn ask(app: &TestApp, token: &str, address: &str) -> Answer {
    let address: IpAddr = address.parse().unwrap();
    app.ask_at(address, "en", Some(token), SERVICES, json!({})).await
}

/// Sends a request with these headers beside its token.
async fn ask_with(app: &TestApp, token: &str, peer: &str, headers: &[(&str, &str)]) -> Answer {
    let head = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    let head = headers
        .iter()
        .fold(head, |head, (name, value)| head.header(*name, *value));
    let mut request = head.body(Body::from(json!({ "query": SERVICES }).to_string())).unwrap();
    let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 40_000);
    request.extensions_mut().insert(PeerAddress(peer));
    app.send(request).await
}

/// Forms in which somebody says that he comes from `127.0.0.1`, who does not: 40 and more.
fn spoofs() -> Vec<Vec<(&'static str, String)>> {
    let names = [
        "x-forwarded-for",
        "x-real-ip",
        "x-client-ip",
        "x-originating-ip",
        "x-remote-ip",
        "x-remote-addr",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
        "x-forwarded",
        "forwarded-for",
        "x-original-forwarded-for",
        "x-appengine-user-ip",
        "x-azure-clientip",
        "oc-client-ip",
        "client-ip",
        "x-forwarded-host",
        "via",
        "x-host",
        "remote-addr",
    ];
    let mut all: Vec<Vec<_>> = names.map(|name| vec![(name, "127.0.0.1".to_owned())]).into();
    let chains = [
        "127.0.0.1, 203.0.113.9",
        "203.0.113.9, 127.0.0.1",
        "127.0.0.1,127.0.0.1,127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "[::1]:80",
        "127.0.0.1:443",
        " 127.0.0.1 ",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "localhost",
        "unknown, 127.0.0.1",
        "\t127.0.0.1",
        "127.0.0.1,",
        ",127.0.0.1",
    ];
    all.extend(chains.map(|chain| vec![("x-forwarded-for", chain.to_owned())]));
    let forwarded = [
        "for=127.0.0.1",
        "for=\"[::1]\"",
        "for=127.0.0.1;proto=https;by=127.0.0.1",
        "for=127.0.0.1, for=203.0.113.9",
        "For=\"127.0.0.1:80\"",
    ];
    all.extend(forwarded.map(|value| vec![("forwarded", value.to_owned())]));
    let twice = |one: &str, other: &str| {
        vec![
            ("x-forwarded-for", one.to_owned()),
            ("x-forwarded-for", other.to_owned()),
        ]
    };
    all.extend([twice("127.0.0.1", "203.0.113.9"), twice("203.0.113.9", "127.0.0.1")]);
    all
}

both! {
    async fn o6_a_key_works_from_its_addresses_alone(app) {
        let made = bound(&app, &["127.0.0.0/8", "203.0.113.7", "2001:db8:1::/48"]).await;
        let token = token(&app, &made).await;

        for (address, inside) in [
            ("127.0.0.1", true), ("127.9.9.9", true), ("::ffff:127.0.0.1", true), ("203.0.113.7", true), ("203.0.113.8", false), ("2001:db8:1:ffff::1", true),
            ("2001:db8:2::1", false), ("::1", false), ("198.51.100.1", false), ("::ffff:203.0.113.8", false),
        ] {
            let answer = ask(&app, &token, address).await;
            let expected = if inside { (200, "none") } else { (403, "ADDRESS_NOT_ALLOWED") };
            assert_eq!((answer.status, answer.code()), expected, "{address}: {}", answer.text);
        }
        let inside = issue_from(&app, [203, 0, 113, 7], "acme", &made.secret).await;
        let outside = issue_from(&app, [203, 0, 113, 8], "acme", &made.secret).await;
        assert!(inside["token"].is_object());
        assert_eq!(codes(&outside), ["ADDRESS_NOT_ALLOWED at input.key"]);
        let log = app.owner().data("{ auditEntries(filter: { action: [PARTNER_TOKEN_ISSUE], outcome: [DENIED, FAILED] }) {
            nodes { outcome reasonCode address actor { kind reference } target { reference } } } }", json!({})).await;
        let told = log["auditEntries"]["nodes"].as_array().unwrap();
        assert!(told.iter().all(|entry| entry["reasonCode"] == "ADDRESS_NOT_ALLOWED"), "{log}");
        let denied: Vec<_> = told.iter().filter(|entry| entry["outcome"] == "DENIED").collect();
        assert_eq!(denied.len(), 1, "the same refusal is told once a minute: {log}");
        assert_eq!(denied[0]["actor"], json!({ "kind": "KEY", "reference": made.id }));
        assert!(told.iter().any(|entry| entry["target"]["reference"] == json!(made.id) && entry["address"] == "203.0.113.8"), "{log}");
    }

    async fn o6_a_list_that_changes_holds_for_tokens_and_signatures_at_once(app) {
        let made = key(app.owner(), &["SERVICE_READ"]).await;
        let (token, code) = (token(&app, &made).await, code(&app).await);
        let sign = |place: i64| {
            let at = app.app.clock.now().0.timestamp_millis() + place;
            let mut request = signed(&code, &made.signing_secret, at, "/graphql", SERVICES, json!({}));
            request.address = [203, 0, 113, 9].into();
            request
        };
        let before = (ask(&app, &token, "203.0.113.9").await.status, sign(1).send(&app).await.status);

        let list = json!({ "id": made.id, "input": { "expectedVersion": 1, "allowedAddresses": ["127.0.0.1"] } });
        app.owner().deed(partner::UPDATE, list).await;
        let after = (ask(&app, &token, "203.0.113.9").await, sign(2).send(&app).await);
        let open = json!({ "id": made.id, "input": { "expectedVersion": 2, "allowedAddresses": [] } });
        app.owner().deed(partner::UPDATE, open).await;

        assert_eq!(before, (200, 200));
        for answer in [after.0, after.1] {
            assert_eq!((answer.status, answer.code()), (403, "ADDRESS_NOT_ALLOWED"), "{}", answer.text);
        }
        assert_eq!(ask(&app, &token, "203.0.113.9").await.status, 200);
    }

    async fn o6_nobody_saves_a_list_that_locks_himself_out(app) {
        let made = key(app.owner(), &["SERVICE_READ"]).await;
        let owner = app.owner().token().await;
        let query = "mutation M($id: ID!, $input: OrganizationKeyUpdateInput!) { organizationKeyUpdate(id: $id, input: $input) { userErrors { code } } }";
        let save = async |address: &str, version: i32, list: Value| {
            let variables = json!({ "id": made.id, "input": { "expectedVersion": version, "allowedAddresses": list } });
            let answer = app.ask_at(address.parse().unwrap(), "en", Some(&owner), query, variables).await;
            answer.json["data"]["organizationKeyUpdate"]["userErrors"].clone()
        };
        let locked = json!([{ "code": "ADDRESS_LOCKS_OUT" }]);

        assert_eq!(save("203.0.113.9", 1, json!(["203.0.113.8", "2001:db8::/32"])).await, locked);
        assert_eq!(save("2001:db9::1", 1, json!(["203.0.113.9", "2001:db8::/32"])).await, locked);
        assert_eq!(save("203.0.113.9", 1, json!(["203.0.113.8/31"])).await, json!([]));
        assert_eq!(save("::ffff:203.0.113.9", 2, json!(["203.0.113.9"])).await, json!([]));
        assert_eq!(save("2001:db8::1", 3, json!(["2001:db8::/32"])).await, json!([]));
        assert_eq!(save("203.0.113.9", 4, json!([])).await, json!([]), "everywhere is here too");
    }

    // case: B2
    // case: B3
    async fn o6_no_header_moves_a_client_into_a_list(app) {
        let made = bound(&app, &["127.0.0.1", "::1"]).await;
        let token = token(&app, &made).await;
        let behind = app.server_behind("10.0.0.0/8").await;
        let spoofs = spoofs();
        assert!(spoofs.len() >= 40, "{}", spoofs.len());

        for spoof in &spoofs {
            let headers: Vec<_> = spoof.iter().map(|(name, value)| (*name, value.as_str())).collect();
            // Without proxies nothing is believed; behind one, what stands before the client that the proxy saw.
            let direct = ask_with(&app, &token, "203.0.113.9", &headers).await;
            let mut proxied = headers.clone();
            proxied.push(("x-forwarded-for", "203.0.113.9"));
            let proxied = ask_with(&behind, &token, "10.0.0.1", &proxied).await;
            let beside = ask_with(&behind, &token, "203.0.113.9", &headers).await;

            for answer in [direct, proxied, beside] {
                assert_eq!((answer.status, answer.code()), (403, "ADDRESS_NOT_ALLOWED"), "{spoof:?}: {}", answer.text);
            }
        }
        let through = ask_with(&behind, &token, "10.0.0.1", &[("x-forwarded-for", "203.0.113.9, 127.0.0.1")]).await;
        assert_eq!(through.status, 200, "what the proxy itself saw is believed: {}", through.text);
    }
}
