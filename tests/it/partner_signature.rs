//! Signed requests: the text that is signed, against vectors that another implementation made, and what is refused.

use std::{path::Path, process::Command};

use chrono::Duration;
use orgdesk::partner::signed_text;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        make,
        partner::{Key, Request, code, key, sign, signed},
        raw::Raw,
        skip::skipped,
    },
};

const SERVICES: &str = "{ services { totalCount } }";
const VECTORS: &str = include_str!("../vectors/signatures.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

#[test]
fn o5_signatures_are_those_of_another_implementation() {
    let told = vectors();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (secret, organization, time) = (text(&told["secret"]), text(&told["organization"]), text(&told["time"]));
    let requests = told["requests"].as_array().unwrap();

    for request in requests {
        let (path, query, body) = (text(&request["path"]), text(&request["query"]), text(&request["body"]));
        let signed = signed_text(&organization, &path, &query, body.as_bytes(), &time);
        assert_eq!(sign(&secret, &signed), request["signature"], "{request}");
    }
    let has = |what: &str| {
        requests
            .iter()
            .any(|request| request["name"].as_str().unwrap().contains(what))
    };
    for what in [
        "no parameters",
        "out of order",
        "a body",
        "parameters and a body",
        "hangul in both",
    ] {
        assert!(has(what), "{what}");
    }
}

#[test]
fn o5_the_vectors_are_what_python_makes_of_them() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/signatures.py");
    let Ok(made) = Command::new("python3").arg(script).output() else {
        return skipped("the vectors", "there is no python3");
    };

    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made, vectors());
}

/// Whoever signs, at the instant of the test's clock and so many milliseconds.
struct Signer<'a> {
    app: &'a TestApp,
    code: String,
    key: Key,
}

impl<'a> Signer<'a> {
    async fn new(app: &'a TestApp, scopes: &[&str]) -> Self {
        Self {
            app,
            code: code(app).await,
            key: key(app.owner(), scopes).await,
        }
    }

    fn at(&self, millis: i64, uri: &str, query: &str, variables: Value) -> Request {
        let now = self.app.app.clock.now().0.timestamp_millis();
        signed(
            &self.code,
            &self.key.signing_secret,
            now + millis,
            uri,
            query,
            variables,
        )
    }

    fn plain(&self, millis: i64) -> Request {
        self.at(millis, "/graphql", SERVICES, json!({}))
    }
}

both! {
    async fn o5_a_partner_manages_services_by_signed_requests(app) {
        let signer = Signer::new(&app, &["SERVICE_MANAGE"]).await;
        let create = "mutation M($input: ServiceCreateInput!) { serviceCreate(input: $input) { service { id name contract { id } } userErrors { code } } }";
        let input = json!({ "input": { "kind": "CONSULTATION", "code": "desk", "name": "상담 센터" } });
        let sign = "mutation M($id: ID!) { contractSign(id: $id, input: { expectedVersion: 1, items: [{ code: TICKET, userCount: 3 }] }) { service { status } userErrors { code } } }";
        let suspend = "mutation M($id: ID!) { serviceSuspend(id: $id, input: { expectedVersion: 2, acknowledgeCharges: true }) { service { status } userErrors { code } } }";
        let end = "mutation M($id: ID!) { serviceTerminate(id: $id, input: { expectedVersion: 3 }) { service { status } userErrors { code } } }";

        let made = signer.at(0, "/graphql?b=%EC%83%81%EB%8B%B4&a=1", create, input).send(&app).await;
        assert_eq!(made.status, 200, "{}", made.text);
        let service = &made.json["data"]["serviceCreate"]["service"];
        let mut states = Vec::new();
        for (place, (query, id)) in [(sign, &service["contract"]["id"]), (suspend, &service["id"]), (end, &service["id"])].into_iter().enumerate() {
            let answer = signer.at(place as i64 + 1, "/graphql", query, json!({ "id": id })).send(&app).await;
            assert!(answer.json["data"].is_object(), "{}", answer.text);
            let payload = answer.json["data"].as_object().unwrap().values().next().unwrap().clone();
            assert_eq!(payload["userErrors"], json!([]), "{}", answer.text);
            states.push(payload["service"]["status"].clone());
        }

        assert_eq!((service["name"].as_str(), json!(states)), (Some("상담 센터"), json!(["IN_USE", "SUSPENDED", "TERMINATED"])));
        let log = app.owner().data("{ auditEntries(filter: { action: [SERVICE_CREATE] }) { nodes { actor { kind reference name } } } }", json!({})).await;
        assert_eq!(log["auditEntries"]["nodes"], json!([{ "actor": { "kind": "KEY", "reference": signer.key.id, "name": "Partner" } }]));
        let used = app.owner().data("{ organization { product { keys { lastUsedFrom } } } }", json!({})).await;
        assert_eq!(used["organization"]["product"]["keys"][0]["lastUsedFrom"], "127.0.0.1");
    }

    async fn o5_a_signed_request_is_good_for_five_minutes(app) {
        let signer = Signer::new(&app, &["SERVICE_READ"]).await;
        for (millis, good) in [(0, true), (-300_000, true), (300_000, true), (-300_001, false), (300_001, false), (-86_400_000, false)] {
            let answer = signer.plain(millis).send(&app).await;
            let expected = if good { (200, "none") } else { (401, "SIGNATURE_EXPIRED") };
            assert_eq!((answer.status, answer.code()), expected, "{millis}: {}", answer.text);
        }
        for time in ["", "now", "-1", "1e12", "+1762736400000", "1762736400", "99999999999999999999", "1762736400000.0"] {
            let answer = signer.plain(0).with("x-tc-timestamp", Some(time)).send(&app).await;
            assert_eq!((answer.status, answer.code()), (401, "SIGNATURE_EXPIRED"), "{time}: {}", answer.text);
        }
    }

    async fn o5_a_signature_is_taken_once_on_any_server(app) {
        let signer = Signer::new(&app, &["SERVICE_READ"]).await;
        let other = app.second_server().await;
        let request = signer.plain(300_000);

        let first = request.send(&app).await;
        let here = request.send(&app).await;
        let there = request.send(&other).await;
        app.wait(Duration::minutes(10));
        let late = request.send(&other).await;
        let again = signer.plain(300_000);
        let crowd = futures_util::future::join_all((0..20).map(|place| again.send(if place % 2 == 0 { &app } else { &other }))).await;

        assert_eq!(first.status, 200, "{}", first.text);
        for answer in [here, there, late] {
            assert_eq!((answer.status, answer.code()), (401, "SIGNATURE_REPLAYED"), "{}", answer.text);
        }
        assert_eq!(crowd.iter().filter(|answer| answer.status == 200).count(), 1);
        app.wait(Duration::minutes(12));
        signer.plain(0).send(&app).await;
        assert_eq!(Raw::admin(&app).await.count("signed_request").await, 1, "what is too old to come again is forgotten");
    }

    async fn o5_whatever_was_changed_after_signing_is_refused(app) {
        let signer = Signer::new(&app, &["SERVICE_READ"]).await;
        let rival = key(app.rival(), &["SERVICE_READ"]).await;
        let uri = "/graphql?page=2&name=%EC%83%81%EB%8B%B4";
        let good = signer.at(0, uri, SERVICES, json!({}));
        let time = good.headers[1].1.clone();
        let other_time = (time.parse::<i64>().unwrap() + 1).to_string();
        let changed = |change: &dyn Fn(&mut Request)| {
            let mut request = good.clone();
            change(&mut request);
            request
        };
        let stranger = signed(&signer.code, &rival.signing_secret, time.parse().unwrap(), uri, SERVICES, json!({}));
        let by_key = signed(&signer.code, &signer.key.secret, time.parse().unwrap(), uri, SERVICES, json!({}));
        let bearer = format!("Bearer {}", good.headers[0].1);
        let refused = [
            changed(&|request| request.body.push(' ')), changed(&|request| request.uri = "/graphql?page=3&name=%EC%83%81%EB%8B%B4".into()),
            changed(&|request| request.uri = "/graphql?page=2".into()), changed(&|request| request.uri = "/graphql".into()),
            good.clone().with("x-tc-timestamp", Some(&other_time)), good.clone().with("x-organization-id", Some("rival")),
            good.clone().with("x-organization-id", Some("nobody")), good.clone().with("x-organization-id", None), good.clone().with("authorization", None),
            good.clone().with("authorization", Some("")), good.clone().with("authorization", Some("AAAA")), good.clone().with("authorization", Some(&bearer)),
            good.clone().with("authorization", Some(&good.headers[0].1.to_lowercase())), stranger, by_key,
        ];

        for request in refused {
            let answer = request.send(&app).await;
            assert_eq!((answer.status, answer.code()), (401, "SIGNATURE_REFUSED"), "{request:?}: {}", answer.text);
        }
        assert_eq!(good.send(&app).await.status, 200, "nothing of that used the signature up");
        let other_order = signer.at(1, "/graphql?name=%EC%83%81%EB%8B%B4&page=2", SERVICES, json!({}));
        let mut moved = other_order.clone();
        moved.uri = uri.into();
        assert_eq!(moved.send(&app).await.status, 200, "parameters are signed in the order of their names");
        let by_domain = signer.plain(2).with("x-organization-id", Some("acme"));
        assert_eq!(by_domain.send(&app).await.status, 200);
    }

    async fn o4_each_live_key_signs_and_a_dead_one_does_not(app) {
        let (one, other) = (Signer::new(&app, &["SERVICE_READ"]).await, Signer::new(&app, &["SERVICE_READ"]).await);
        let rotate = "organizationKeyRotate(id: $id, input: $input) => signingSecret key { id }";
        let variables = json!({ "id": one.key.id, "input": { "expectedVersion": 1, "overlapHours": 1 } });
        let new = app.owner().deed(rotate, variables).await;
        let revoke = json!({ "id": other.key.id, "input": { "expectedVersion": 1 } });
        let before = other.plain(0).send(&app).await;
        app.owner().deed("organizationKeyRevoke(id: $id, input: $input)", revoke).await;
        let now = app.app.clock.now().0.timestamp_millis();
        let of_new = signed(&one.code, new["signingSecret"].as_str().unwrap(), now, "/graphql", SERVICES, json!({}));

        let during = (one.plain(1).send(&app).await.status, of_new.send(&app).await.status);
        let after = other.plain(1).send(&app).await;
        app.wait(Duration::hours(1));
        let over = one.plain(0).send(&app).await;

        assert_eq!((before.status, during), (200, (200, 200)));
        for answer in [after, over] {
            assert_eq!((answer.status, answer.code()), (401, "SIGNATURE_REFUSED"), "{}", answer.text);
        }
    }

    // case: D15
    async fn o4_what_a_key_signs_with_is_kept_nowhere_in_clear(app) {
        let signer = Signer::new(&app, &["SERVICE_READ"]).await;
        make::in_use(app.owner(), "desk", 1).await;
        signer.plain(0).send(&app).await;

        let dump = format!("{:?}", Raw::admin(&app).await.dump().await);

        for secret in [&signer.key.secret, &signer.key.signing_secret] {
            let tail = secret.rsplit('_').next().unwrap();
            assert!(!dump.contains(secret.as_str()) && !dump.contains(tail), "{secret}");
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(!dump.to_lowercase().contains(&hex), "{secret}");
        }
    }
}
