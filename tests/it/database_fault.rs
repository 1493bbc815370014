//! A database that is away, answers nobody, or does not say what became of a commit: an error each time, nothing twice, and
//! the service goes on by itself.

use axum::{body::Body, http::Request};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{
    app::{Answer, TestApp},
    ledger::until,
    raw::Raw,
    wire::Wire,
};

const LIST: &str = "{ services(first: 5) { totalCount } }";
const CREATE: &str =
    "mutation M($input: ServiceCreateInput!) { serviceCreate(input: $input) { service { code } userErrors { code } } }";

/// What whoever asks is told when the database does not answer: to come again, and nothing of why.
fn is_told_to_come_again(answer: &Answer) {
    assert_eq!((answer.status, answer.code()), (503, "UNAVAILABLE"), "{}", answer.text);
    assert!(answer.headers.contains_key("retry-after"), "{}", answer.text);
    for word in ["sqlx", "postgres", "SELECT", "pool", "connection"] {
        assert!(!answer.text.contains(word), "{}", answer.text);
    }
}

async fn health(app: &TestApp, path: &str) -> u16 {
    app.send(Request::get(path).body(Body::empty()).unwrap()).await.status
}

// case: K5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_database_that_is_cut_off_is_asked_again_when_it_is_back() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let wire = Wire::to(&app.url).await;
    let server = app.server_by(&wire.url).await;
    let token = app.owner().token().await;
    let ask = async || server.ask(Some(&token), LIST, json!({})).await;
    assert_eq!(ask().await.json["data"]["services"]["totalCount"], 0);

    wire.cut();
    let create = json!({ "input": { "kind": "ISSUE", "code": "away", "name": "away" } });
    for answer in [ask().await, server.ask(Some(&token), CREATE, create).await] {
        is_told_to_come_again(&answer);
    }
    assert_eq!(
        (
            health(&server, "/health/live").await,
            health(&server, "/health/ready").await
        ),
        (200, 503)
    );
    wire.mend();

    let done = until(ask, |answer| answer.status == 200).await;
    assert_eq!(
        done.json["data"]["services"]["totalCount"], 0,
        "what was refused was not done"
    );
    until(async || health(&server, "/health/ready").await, |status| *status == 200).await;
}

// case: K5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g4_a_deed_whose_commit_nobody_heard_of_is_done_once() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let wire = Wire::to(&app.url).await;
    let server = app.server_by(&wire.url).await;
    let token = app.owner().token().await;
    let input = json!({ "kind": "ISSUE", "code": "once", "name": "once", "idempotencyKey": "the-same-deed" });
    let create = async || server.ask(Some(&token), CREATE, json!({ "input": input })).await;
    server.ask(Some(&token), LIST, json!({})).await;
    wire.lose_the_next_commit();

    let first = create().await;
    let has_lost_it = wire.has_lost_it();
    let again = create().await;

    assert!(has_lost_it, "{}", first.text);
    assert!(
        first.json["data"]["serviceCreate"].is_null() && ["INTERNAL", "UNAVAILABLE"].contains(&first.code()),
        "{}",
        first.text
    );
    assert_eq!(
        again.json["data"]["serviceCreate"],
        json!({ "service": { "code": "once" }, "userErrors": [] }),
        "{}",
        again.text
    );
    let mut raw = Raw::admin(&app).await;
    assert_eq!(raw.count("service").await, 1);
    assert_eq!(
        raw.count("audit_entry WHERE action = 'SERVICE_CREATE' AND outcome = 'DONE'")
            .await,
        1
    );
}

// case: K6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_who_finds_no_connection_is_told_to_come_again_and_health_is_still_told() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let token = app.owner().token().await;
    let mut other = Raw::admin(&app).await;
    // Whoever comes is looked up in a table that nobody can read now, and keeps his connection while he waits for it.
    other.must("BEGIN; LOCK TABLE session IN ACCESS EXCLUSIVE MODE").await;

    let crowd = join_all((0..60).map(|_| app.ask(Some(&token), LIST, json!({})))).await;
    let live = health(&app, "/health/live").await;
    other.must("ROLLBACK").await;

    crowd.iter().for_each(is_told_to_come_again);
    assert_eq!(live, 200);
    let after = app.ask(Some(&token), LIST, json!({})).await;
    assert_eq!(after.json["data"]["services"]["totalCount"], 0, "{}", after.text);
}
