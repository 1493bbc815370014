//! Who sees personal data in clear: only where account, address of mail, network, service, time and place all hold; and what
//! a client says of its own address is no more than text.

use axum::{body::Body, http::Request};
use chrono::Duration;
use orgdesk::api::server::PeerAddress;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        grants,
        make::{self, Made},
        people,
    },
};

const ACCESS: &str = "query Q($id: ID!) { piiAccess(serviceId: $id) { isUnmasked reason address } }";

/// Acme's agent in one of two services.
async fn staffed(app: &TestApp) -> (Made, Made) {
    let desk = make::in_use(app.owner(), "desk", 5).await;
    let other = make::in_use(app.owner(), "other", 5).await;
    people::join(app, "agent", false).await;
    for service in ["desk", "other"] {
        people::employ(app, service, "agent", false).await;
    }
    (desk, other)
}

/// What somebody is told who asks from a peer, with these headers beside.
async fn told(app: &TestApp, login: &str, service: &Made, peer: &str, headers: &[(&str, &str)]) -> Value {
    let token = app.someone("acme", login).token().await;
    let body = json!({ "query": ACCESS, "variables": { "id": service.id } }).to_string();
    let mut request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body)).unwrap();
    let peer = PeerAddress(std::net::SocketAddr::new(peer.parse().unwrap(), 40_000));
    request.extensions_mut().insert(peer);
    let answer = app.send(request).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["piiAccess"].clone()
}

/// Why it is masked; empty where it is not.
async fn reason(app: &TestApp, login: &str, service: &Made, peer: &str) -> String {
    let told = told(app, login, service, peer, &[]).await;
    assert_eq!(told["isUnmasked"], told["reason"].is_null(), "{told}");
    told["reason"].as_str().unwrap_or_default().to_owned()
}

both! {
    async fn i2_each_thing_that_does_not_hold_keeps_the_data_masked(app) {
        // case: B1
        let (desk, other) = staffed(&app).await;
        let inside = "203.0.113.9";
        let without = reason(&app, "agent", &desk, inside).await;
        let grant = grants::give(app.owner(), "agent", json!({ "serviceIds": [desk.id], "networks": ["203.0.113.0/24", "2001:db8:1:2::/64"],
            "validUntil": "2026-11-20T01:00:00Z" })).await;

        assert_eq!(without, "NO_GRANT");
        for (peer, reason_there) in [(inside, ""), ("::ffff:203.0.113.9", ""), ("2001:db8:1:2:ffff::1", ""), ("203.0.114.9", "ADDRESS_NOT_ALLOWED"),
            ("::ffff:203.0.114.9", "ADDRESS_NOT_ALLOWED"), ("2001:db8:1:3::1", "ADDRESS_NOT_ALLOWED"), ("127.0.0.1", "ADDRESS_NOT_ALLOWED")] {
            assert_eq!(reason(&app, "agent", &desk, peer).await, reason_there, "{peer}");
        }
        assert_eq!(reason(&app, "agent", &other, inside).await, "OUT_OF_SCOPE");
        assert_eq!(reason(&app, "owner", &desk, inside).await, "NO_RIGHT", "the owner has no place there");
        let none = told(&app, "agent", &Made { id: "svc_none".to_owned(), contract: String::new() }, inside, &[]).await;
        assert_eq!(none, Value::Null);

        let member = people::member(app.owner(), "agent").await;
        app.owner().deed(people::UPDATE, people::on(&member, json!({ "email": "another@example.com" }))).await;
        let moved = reason(&app, "agent", &desk, inside).await;
        let followed = grants::update(app.owner(), &grant, json!({ "email": "another@example.com" })).await;
        let again = reason(&app, "agent", &desk, inside).await;
        let narrowed = grants::update(app.owner(), &followed["grant"], json!({ "networks": ["198.51.100.7"] })).await;
        let outside = reason(&app, "agent", &desk, inside).await;
        make::suspend(app.owner(), &desk).await;
        let suspended = reason(&app, "agent", &desk, "198.51.100.7").await;

        assert_eq!((moved.as_str(), again.as_str(), outside.as_str()), ("EMAIL_DIFFERS", "", "ADDRESS_NOT_ALLOWED"));
        assert_eq!(suspended, "NO_RIGHT");
        assert_eq!(narrowed["userErrors"], json!([]));
    }

    async fn i2_a_grant_is_dead_in_the_second_in_which_it_ends(app) {
        let (desk, _) = staffed(&app).await;
        let grant = grants::give(app.owner(), "agent", json!({ "isForAllServices": true, "validUntil": "2026-11-10T02:00:00Z" })).await;
        let inside = "203.0.113.9";
        app.go_to("2026-11-10T01:59:59Z");
        let before = reason(&app, "agent", &desk, inside).await;
        app.wait(Duration::seconds(1));
        let after = reason(&app, "agent", &desk, inside).await;
        app.go_to("2026-11-10T01:30:00Z");
        grants::revoke(app.owner(), &grant, json!({})).await;

        assert_eq!((before.as_str(), after.as_str()), ("", "EXPIRED"));
        assert_eq!(reason(&app, "agent", &desk, inside).await, "NO_GRANT");
    }

    async fn i2_what_a_client_says_of_its_address_is_not_believed(app) {
        // case: B2
        let (desk, _) = staffed(&app).await;
        grants::give(app.owner(), "agent", json!({ "isForAllServices": true })).await;

        for name in ["x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-forwarded-host", "via"] {
            for value in ["203.0.113.9", "for=203.0.113.9", "203.0.113.9, 127.0.0.1"] {
                for peer in ["127.0.0.1", "::1", "10.0.0.1", "198.51.100.1"] {
                    let told = told(&app, "agent", &desk, peer, &[(name, value)]).await;
                    assert_eq!(told["reason"], "ADDRESS_NOT_ALLOWED", "{name}: {value} from {peer}");
                }
            }
        }
    }

    async fn i2_behind_a_known_proxy_the_rightmost_unknown_address_decides(app) {
        // case: B3
        let (desk, _) = staffed(&app).await;
        grants::give(app.owner(), "agent", json!({ "isForAllServices": true, "networks": ["203.0.113.0/24", "2001:db8:1:2::/64"] })).await;
        let behind = app.server_behind("10.0.0.0/8").await;

        for (lines, is_unmasked) in [
            (&["203.0.113.9"][..], true),
            (&["203.0.113.9:4711"], true),
            (&["[2001:db8:1:2::9]:4711"], true),
            (&["::ffff:203.0.113.9"], true),
            (&["198.51.100.1, 203.0.113.9"], true),
            (&["198.51.100.1", " 203.0.113.9 , 10.0.0.9"], true),
            (&["203.0.113.9, 198.51.100.1"], false),
            (&["203.0.113.9", "198.51.100.1"], false),
            (&["203.0.113.9, _hidden"], false),
            (&["203.0.113.9, unknown"], false),
            (&["203.0.113.9, "], false),
            (&["203.0.113.9, 10.0.0.300"], false),
            (&["fe80::1%eth0"], false),
            (&[""], false),
        ] {
            let headers: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            let told = told(&behind, "agent", &desk, "10.0.0.1", &headers).await;
            assert_eq!(told["isUnmasked"], is_unmasked, "{lines:?}: {told}");
        }
        let direct = told(&behind, "agent", &desk, "198.51.100.1", &[("x-forwarded-for", "203.0.113.9")]).await;
        assert_eq!(direct["isUnmasked"], false, "whoever comes past the proxy is not believed");
    }
}
