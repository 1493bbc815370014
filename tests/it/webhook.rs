//! Webhooks: messages of what was done, to a receiver on this machine; signed, tried again, sent again, and never to where
//! they must not go.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::Duration;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    both,
    support::{
        app::{TestApp, Who},
        make,
        raw::Raw,
        receiver::{Received, Receiver, Says},
    },
};

const CREATE: &str = "webhookCreate(input: $input) => secret webhook { id version isActive verifiedAt events }";
const UPDATE: &str = "webhookUpdate(id: $id, input: $input) => webhook { url isActive verifiedAt version events }";
const ROTATE: &str = "webhookRotate(id: $id, input: $input) => secret webhook { previousSecretUntil version }";
const REMOVE: &str = "webhookRemove(id: $id, input: $input) => webhook { isActive removedAt }";
const TEST: &str = "webhookTest(id: $id, input: $input) => delivery { id kind state webhook { id } }";
const REPLAY: &str = "webhookReplay(id: $id, input: $input) => delivery { id kind state replayedId }";
const LOG: &str = "{ webhookDeliveries(first: 100) { totalCount nodes { id kind state attempts status failureCode body attemptedAt finishedAt replayedId } } }";

/// A webhook with its secret.
struct Hook {
    id: String,
    secret: String,
}

/// A webhook to this receiver for these events.
async fn hook(who: Who<'_>, url: &str, events: &[&str]) -> Hook {
    let input = json!({ "name": "Orders", "url": url, "events": events });
    let made = who.deed(CREATE, json!({ "input": input })).await;
    Hook {
        id: made["webhook"]["id"].as_str().unwrap().to_owned(),
        secret: made["secret"].as_str().unwrap().to_owned(),
    }
}

/// The same, which has answered its test.
async fn verified(app: &TestApp, receiver: &Receiver, events: &[&str]) -> Hook {
    let hook = hook(app.owner(), &receiver.url, events).await;
    app.run_due().await;
    assert_eq!(receiver.take().len(), 1, "the test");
    app.wait(Duration::seconds(1));
    hook
}

/// What `webhookTest` finds wrong.
async fn tried(app: &TestApp, hook: &Hook) -> Vec<String> {
    app.owner()
        .problems(
            "webhookTest(id: $id, input: $input)",
            json!({ "id": hook.id, "input": {} }),
        )
        .await
}

async fn log(app: &TestApp) -> Vec<Value> {
    let data = app.owner().data(LOG, json!({})).await;
    data["webhookDeliveries"]["nodes"].as_array().unwrap().clone()
}

async fn suspend_and_resume(app: &TestApp, desk: &make::Made) {
    make::suspend(app.owner(), desk).await;
    let (version, _) = make::versions(app.owner(), desk).await;
    let input = json!({ "id": desk.id, "input": { "expectedVersion": version } });
    app.owner().deed("serviceResume(id: $id, input: $input)", input).await;
}

fn signature(secret: &str, message: &Received) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let text = format!(
        "{}.{}.{}",
        message.header("webhook-id"),
        message.header("webhook-timestamp"),
        message.body
    );
    mac.update(text.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn kinds(messages: &[Received]) -> Vec<String> {
    messages
        .iter()
        .map(|message| message.json()["kind"].as_str().unwrap().to_owned())
        .collect()
}

both! {
    async fn g9_one_test_of_a_webhook_is_on_its_way_at_a_time(app) {
        let app = app.with_webhooks();
        let receiver = Receiver::start().await;
        let hook = hook(app.owner(), &receiver.url, &["SERVICE_SUSPEND"]).await;

        assert_eq!(tried(&app, &hook).await, ["DELIVERY_PENDING at id"], "the first one waits");
        app.run_due().await;
        assert_eq!(tried(&app, &hook).await, [""; 0]);
        assert_eq!(tried(&app, &hook).await, ["DELIVERY_PENDING at id"]);
        app.run_due().await;
        let message = log(&app).await[0]["id"].clone();
        let again = json!({ "id": message, "input": {} });
        assert_eq!(app.owner().problems("webhookReplay(id: $id, input: $input)", again.clone()).await, [""; 0]);
        assert_eq!(app.owner().problems("webhookReplay(id: $id, input: $input)", again).await, ["DELIVERY_PENDING at id"]);
    }

    async fn g9_what_was_done_is_told_signed_and_without_data(app) {
        let app = app.with_webhooks();
        let receiver = Receiver::start().await;
        let hook = hook(app.owner(), &receiver.url, &["SERVICE_CREATE", "CONTRACT_SIGN", "SERVICE_SUSPEND"]).await;
        make::draft(app.owner(), "early").await;
        app.run_due().await;
        let tests = receiver.take();
        app.wait(Duration::seconds(1));

        let desk = make::in_use(app.owner(), "desk", 3).await;
        make::draft(app.rival(), "rivals").await;
        let before = receiver.take().len();
        app.run_due().await;
        let mut told = receiver.take();

        assert_eq!((kinds(&tests), before), (vec!["WEBHOOK_TEST".to_owned()], 0), "nothing before it has answered its test");
        told.sort_by_key(|message| message.json()["kind"].to_string());
        assert_eq!(kinds(&told), ["CONTRACT_SIGN", "SERVICE_CREATE"]);
        let organization = app.owner().data("{ organization { id } viewer { member { id } } auditEntries(filter: { action: [SERVICE_CREATE] }) { nodes { id } } }", json!({})).await;
        let body = told[1].json();
        assert_eq!(body, json!({
            "id": organization["auditEntries"]["nodes"][0]["id"], "kind": "SERVICE_CREATE", "occurredAt": "2026-11-10T01:00:01.000Z",
            "organizationId": organization["organization"]["id"], "targetId": desk.id, "serviceId": desk.id,
            "actor": { "kind": "MEMBER", "id": organization["viewer"]["member"]["id"] },
        }));
        for message in tests.iter().chain(&told) {
            assert_eq!(message.header("webhook-signature"), signature(&hook.secret, message));
            assert_eq!(message.header("webhook-id"), message.json()["id"]);
            assert!(message.head.starts_with("POST /in?from=orgdesk HTTP/1.1\r\n"), "{}", message.head);
            assert_eq!((message.header("content-type"), message.header("user-agent")), ("application/json", "orgdesk"));
            for personal in ["소유자", "owner", "example.com", "127.0.0.1", "Desk"] {
                assert!(!message.body.contains(personal), "{personal}: {}", message.body);
            }
        }
        assert_eq!(tests[0].header("webhook-timestamp"), "1794272400");
        let log = log(&app).await;
        assert_eq!(log.len(), 3);
        assert!(log.iter().all(|row| row["state"] == "DELIVERED" && row["attempts"] == 1 && row["status"] == 200), "{log:#?}");
        assert!(told.iter().all(|message| log.iter().any(|row| row["body"] == message.body.as_str())));
    }

    async fn g9_nothing_is_told_of_what_was_not_done(app) {
        let app = app.with_webhooks();
        let receiver = Receiver::start().await;
        verified(&app, &receiver, &["SERVICE_CREATE", "SERVICE_SUSPEND"]).await;
        let create = "serviceCreate(input: $input) => service { code }";
        let dry = json!({ "input": { "kind": "ISSUE", "code": "desk", "name": "desk", "dryRun": true } });
        let wrong = json!({ "input": { "kind": "ISSUE", "code": "DESK!", "name": "desk" } });

        app.owner().deed(create, dry).await;
        app.owner().payload(create, wrong).await;
        app.member().ask("mutation { serviceCreate(input: { kind: ISSUE, code: \"desk\", name: \"desk\" }) { userErrors { code } } }", json!({})).await;
        let once = json!({ "input": { "kind": "ISSUE", "code": "desk", "name": "desk", "idempotencyKey": "once" } });
        for _ in 0..3 {
            app.owner().deed(create, once.clone()).await;
        }
        app.run_due().await;

        assert_eq!(kinds(&receiver.take()), ["SERVICE_CREATE"], "a deed is told once, however often it was asked for");
    }

    async fn g9_a_stranger_who_does_not_answer_the_test_is_told_of_nothing(app) {
        let app = app.with_webhooks();
        let receiver = Receiver::start().await;
        receiver.say(Says::Status(200));
        let hook = hook(app.owner(), &receiver.url, &["SERVICE_CREATE"]).await;
        app.run_due().await;
        make::draft(app.owner(), "desk").await;
        app.run_due().await;
        let strange = (kinds(&receiver.take()), log(&app).await);
        receiver.say(Says::Echo);
        app.wait(Duration::seconds(3));
        app.run_due().await;
        make::draft(app.owner(), "other").await;
        app.run_due().await;

        assert_eq!(strange.0, ["WEBHOOK_TEST"]);
        assert_eq!((strange.1[0]["state"].as_str(), strange.1[0]["failureCode"].as_str()), (Some("PENDING"), Some("CHALLENGE_NOT_RETURNED")));
        assert_eq!(kinds(&receiver.take()), ["WEBHOOK_TEST", "SERVICE_CREATE"]);
        // Another URL has to answer for itself.
        let other = Receiver::start().await;
        let moved = app.owner().deed(UPDATE, json!({ "id": hook.id, "input": { "expectedVersion": 2, "url": other.url } })).await;
        make::draft(app.owner(), "third").await;
        app.run_due().await;
        assert_eq!(moved["webhook"]["verifiedAt"], Value::Null);
        assert_eq!((kinds(&receiver.take()), kinds(&other.take())), (vec![], vec!["WEBHOOK_TEST".to_owned()]));
    }

    // case: J3
    async fn g9_a_message_that_fails_is_tried_again_given_up_and_can_be_sent_again(app) {
        let app = app.with_webhooks();
        let receiver = Receiver::start().await;
        let hook = verified(&app, &receiver, &["SERVICE_CREATE"]).await;
        receiver.say(Says::Status(503));
        make::draft(app.owner(), "desk").await;
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let mut waited = 0;
            while receiver.take().is_empty() {
                app.run_due().await;
                app.wait(Duration::seconds(1));
                waited += 1;
                assert!(waited < 2_000, "{pauses:?}");
            }
            pauses.push(waited);
        }
        let pending = log(&app).await.remove(0);
        app.wait(Duration::hours(1));
        app.run_due().await;
        let given_up = log(&app).await.remove(0);
        receiver.say(Says::Echo);
        let again = app.owner().deed(REPLAY, json!({ "id": given_up["id"], "input": {} })).await;
        let twice = app.owner().problems(REPLAY, json!({ "id": again["delivery"]["id"], "input": {} })).await;
        app.run_due().await;
        let told = receiver.take();

        assert!(pauses.windows(2).skip(1).all(|pair| pair[1] > pair[0] || pair[0] > 1_000), "{pauses:?}");
        assert_eq!((&pending["state"], &pending["attempts"], &pending["status"], &pending["failureCode"]), (&json!("PENDING"), &json!(12), &json!(503), &json!("STATUS")));
        assert_eq!((&given_up["state"], &given_up["attempts"]), (&json!("FAILED"), &json!(12)));
        assert_eq!((&again["delivery"]["replayedId"], twice), (&given_up["id"], vec!["DELIVERY_PENDING at id".to_owned()]));
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].body.as_str(), told[0].header("webhook-signature")), (given_up["body"].as_str().unwrap(), signature(&hook.secret, &told[0]).as_str()));
        let log = log(&app).await;
        assert_eq!((&log[0]["state"], &log[1]["state"]), (&json!("DELIVERED"), &json!("FAILED")), "{log:#?}");
    }

    async fn g9_a_receiver_that_is_not_there_is_waited_for(app) {
        let app = app.with_webhooks();
        let receiver = Receiver::start().await;
        verified(&app, &receiver, &["SERVICE_CREATE"]).await;
        receiver.say(Says::Nothing);
        make::draft(app.owner(), "desk").await;
        app.run_due().await;
        let hung_up = log(&app).await.remove(0);
        let url = receiver.url.clone();
        drop(receiver);
        app.wait(Duration::seconds(4));
        app.run_due().await;
        let gone = log(&app).await.remove(0);

        assert_eq!((&hung_up["state"], &hung_up["failureCode"], &hung_up["status"]), (&json!("PENDING"), &json!("CONNECTION_FAILED"), &Value::Null), "{url}");
        assert_eq!((&gone["state"], &gone["attempts"]), (&json!("PENDING"), &json!(2)));
    }

    async fn g9_a_secret_is_shown_once_and_rotated_with_overlap(app) {
        let app = app.with_webhooks();
        let receiver = Receiver::start().await;
        let input = json!({ "name": "n", "url": receiver.url, "events": ["SERVICE_CREATE"], "idempotencyKey": "once" });
        let made = app.owner().deed(CREATE, json!({ "input": input })).await;
        let repeated = app.owner().deed(CREATE, json!({ "input": input })).await;
        app.run_due().await;
        receiver.take();
        let id = made["webhook"]["id"].clone();
        let first = made["secret"].as_str().unwrap().to_owned();

        let rotated = app.owner().deed(ROTATE, json!({ "id": id, "input": { "expectedVersion": 2, "overlapHours": 2 } })).await;
        let second = rotated["secret"].as_str().unwrap().to_owned();
        make::draft(app.owner(), "one").await;
        app.run_due().await;
        let during = receiver.take().remove(0);
        app.wait(Duration::hours(2));
        make::draft(app.owner(), "two").await;
        app.run_due().await;
        let after = receiver.take().remove(0);

        assert_eq!((&repeated["webhook"]["id"], &repeated["secret"]), (&id, &Value::Null));
        assert_eq!(during.header("webhook-signature"), format!("{} {}", signature(&second, &during), signature(&first, &during)));
        assert_eq!(after.header("webhook-signature"), signature(&second, &after));
        let dump = format!("{:?}", Raw::admin(&app).await.dump().await);
        for secret in [&first, &second] {
            assert!(!dump.contains(secret.strip_prefix("whsec_").unwrap()), "a secret is kept in clear");
        }
        let out = json!({ "id": id, "input": { "expectedVersion": 3, "overlapHours": 25 } });
        assert_eq!(app.owner().problems(ROTATE, out).await, ["OUT_OF_RANGE at input.overlapHours"]);
    }

    async fn g9_nothing_is_sent_to_a_webhook_that_is_off_or_gone(app) {
        let app = app.with_webhooks();
        let receiver = Receiver::start().await;
        let hook = verified(&app, &receiver, &["SERVICE_SUSPEND", "SERVICE_RESUME"]).await;
        let desk = make::in_use(app.owner(), "desk", 1).await;
        suspend_and_resume(&app, &desk).await;
        let off = json!({ "id": hook.id, "input": { "expectedVersion": 2, "isActive": false } });
        app.owner().deed(UPDATE, off).await;
        app.run_due().await;
        let waiting = log(&app).await;
        suspend_and_resume(&app, &desk).await;
        app.run_due().await;
        let passed_over = (receiver.take().len(), log(&app).await.len());
        let gone = app.owner().deed(REMOVE, json!({ "id": hook.id, "input": { "expectedVersion": 3 } })).await;

        assert_eq!(waiting.iter().filter(|row| row["state"] == "FAILED" && row["failureCode"] == "WEBHOOK_INACTIVE").count(), 2, "{waiting:#?}");
        assert_eq!(passed_over, (0, 3));
        assert_eq!((gone["webhook"]["isActive"].as_bool(), gone["webhook"]["removedAt"].is_string()), (Some(false), true));
        for (field, input) in [(UPDATE, json!({ "expectedVersion": 4, "isActive": true })), (TEST, json!({})), (ROTATE, json!({ "expectedVersion": 4, "overlapHours": 0 }))] {
            assert_eq!(app.owner().problems(field, json!({ "id": hook.id, "input": input })).await, ["NOT_FOUND at id"]);
        }
        let left = app.owner().data("{ webhooks { id } }", json!({})).await;
        assert_eq!(left["webhooks"], json!([]));
    }

    // case: E10
    async fn g9_messages_go_nowhere_inside_unless_allowed(app) {
        let receiver = Receiver::start().await;
        let refused = [
            receiver.url.as_str(), "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/",
            "https://192.168.1.1/", "https://[fd00:ec2::254]/", "https://0.0.0.0/", "http://hooks.example.com/", "https://hooks.example.com:22/", "https://8.8.8.8:6379/",
        ];
        for url in refused {
            let input = json!({ "input": { "name": "n", "url": url, "events": ["SERVICE_CREATE"] } });
            assert_eq!(app.owner().problems(CREATE, input).await, ["TARGET_NOT_ALLOWED at input.url"], "{url}");
        }
        for url in ["", "hooks.example.com", "ftp://hooks.example.com/", "https://u:p@hooks.example.com/", "https://hooks.example.com/#x", "javascript:alert(1)"] {
            let input = json!({ "input": { "name": "n", "url": url, "events": ["SERVICE_CREATE"] } });
            assert_eq!(app.owner().problems(CREATE, input).await, ["INVALID at input.url"], "{url}");
        }
        // A name that leads to this machine is found out when it is looked up.
        hook(app.owner(), "https://localhost:8443/", &["SERVICE_CREATE"]).await;
        app.run_due().await;
        let row = log(&app).await.remove(0);
        assert_eq!((&row["state"], &row["failureCode"]), (&json!("PENDING"), &json!("TARGET_NOT_ALLOWED")));
    }

    async fn g9_a_redirect_is_an_answer_and_not_followed(app) {
        let app = app.with_webhooks();
        let (receiver, other) = (Receiver::start().await, Receiver::start().await);
        verified(&app, &receiver, &["SERVICE_CREATE"]).await;
        receiver.say(Says::Elsewhere(other.url.clone()));
        make::draft(app.owner(), "desk").await;
        app.run_due().await;

        let row = log(&app).await.remove(0);
        assert_eq!((&row["status"], &row["failureCode"], &row["state"]), (&json!(307), &json!("STATUS"), &json!("PENDING")));
        assert_eq!((receiver.take().len(), other.take().len()), (1, 0));
    }

    async fn g9_what_a_webhook_cannot_be_is_refused(app) {
        let base = json!({ "name": "n", "url": "https://hooks.example.com/", "events": ["SERVICE_CREATE"] });
        for (name, value, expected) in [
            ("name", json!(" "), "BLANK at input.name"), ("name", json!("x".repeat(101)), "TOO_LONG at input.name"), ("events", json!([]), "BLANK at input.events"),
            ("events", json!(["SERVICE_CREATE", "SESSION_START"]), "INVALID at input.events.1"), ("events", json!(["SERVICE_READ"]), "INVALID at input.events.0"),
            ("events", json!(vec!["SERVICE_CREATE"; 51]), "TOO_MANY at input.events"), ("url", json!(format!("https://hooks.example.com/{}", "x".repeat(500))), "INVALID at input.url"),
        ] {
            let mut input = base.clone();
            input[name] = value;
            assert_eq!(app.owner().problems(CREATE, json!({ "input": input })).await, [expected]);
        }
        for _ in 0..20 {
            app.owner().deed(CREATE, json!({ "input": base })).await;
        }
        assert_eq!(app.owner().problems(CREATE, json!({ "input": base })).await, ["LIMIT_REACHED at -"]);
    }

    async fn g9_what_is_over_goes_after_thirty_days(app) {
        let app = app.with_webhooks();
        let receiver = Receiver::start().await;
        verified(&app, &receiver, &["SERVICE_CREATE"]).await;
        make::draft(app.owner(), "desk").await;
        app.run_due().await;
        app.wait(Duration::days(20));
        make::draft(app.owner(), "shop").await;
        app.run_due().await;
        assert_eq!(log(&app).await.len(), 3);

        app.wait(Duration::days(12));
        app.run_due().await;

        assert_eq!(log(&app).await.len(), 1, "the last one is younger");
        let purges = "{ auditEntries(filter: { action: [WEBHOOK_PURGE] }) { nodes { actor { kind } changes { record field before after } } } }";
        let purges = app.owner().data(purges, json!({})).await;
        let expected = json!([{ "actor": { "kind": "SYSTEM" }, "changes": [{ "record": "webhook delivery", "field": "count", "before": "2", "after": null }] }]);
        assert_eq!(purges["auditEntries"]["nodes"], expected);
    }
}
