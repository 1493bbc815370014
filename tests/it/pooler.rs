//! PgBouncer in transaction mode: transactions go through it, and nobody notices. Where `DATABASE_URL` itself leads to it, what
//! readers rely on would be passed over: a server that meets that says so and does not start.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use orgdesk::{
    kernel::{Random, SystemClock},
    setup,
};
use serde_json::json;
use tokio::time::timeout;

use crate::support::{
    app::{TestApp, settings},
    ledger::until,
    make,
    pooler::{self, Pooler},
    raw::Raw,
};

const SERVICES: &str = "{ services(first: 100) { totalCount nodes { code name } } }";

/// Connections of the pooler that are in the middle of a transaction.
const OPEN: &str = "pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_a_database_url_that_leads_to_a_pooler_is_refused() {
    if !pooler::is_there() {
        return;
    }
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    for (passed_over, word) in [
        ("extra_float_digits", "unsupported startup parameter: options"),
        ("extra_float_digits, options", "a pooler stands before the database"),
    ] {
        let pooler = Pooler::before(&app.url, 2, passed_over);
        let opened = setup::open(settings(&pooler.url), Arc::new(SystemClock), Random::seeded(1)).await;
        let said = opened.err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(said.contains(word), "{said}");
    }
    let itself = setup::open(settings(&app.url), Arc::new(SystemClock), Random::seeded(1)).await;
    itself.unwrap().database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_a_pooler_before_another_database_is_refused() {
    if !pooler::is_there() {
        return;
    }
    let (Some(app), Some(other)) = (TestApp::on_postgres().await, TestApp::on_postgres().await) else {
        return;
    };
    let pooler = Pooler::before(&other.url, 2, "extra_float_digits");
    let opened = app.server_through(&pooler.url).await;
    let said = opened.err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(said.contains("has to lead to the database of DATABASE_URL"), "{said}");
}

/// Others go away in the middle of what they ask for, again and again: whoever stays is answered all the same, each deed is
/// there once, and nothing is left open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_clients_that_go_away_take_no_connection_of_a_pooler_along() {
    if !pooler::is_there() {
        return;
    }
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let pooler = Pooler::before(&app.url, 2, "extra_float_digits");
    let server = app.server_through(&pooler.url).await.unwrap();
    let token = server.owner().token().await;
    let is_over = AtomicBool::new(false);
    let leave = async |number: u64| {
        let mut patience = number;
        while !is_over.load(Ordering::SeqCst) {
            patience = (patience * 7 + 3) % 25;
            let deed = make::company(&format!("left {number}"));
            let (deed, _) = deed.split_once(" => ").unwrap();
            let query = format!("mutation {{ {deed} {{ userErrors {{ code }} }} }}");
            let asked = if patience.is_multiple_of(2) { SERVICES } else { &query };
            let _ = timeout(
                Duration::from_micros(patience * 200),
                server.ask(Some(&token), asked, json!({})),
            )
            .await;
        }
    };
    let stay = async {
        for number in 0..40 {
            server
                .owner()
                .deed(&make::company(&format!("kept {number}")), json!({}))
                .await;
            let listed = server.ask(Some(&token), SERVICES, json!({})).await;
            assert_eq!(listed.json.get("errors"), None, "{}", listed.text);
        }
        is_over.store(true, Ordering::SeqCst);
    };

    futures_util::future::join(stay, join_all((0..3).map(leave))).await;

    let mut raw = Raw::admin(&app).await;
    assert_eq!(raw.count("company WHERE title LIKE 'kept %'").await, 40);
    until(async || Raw::admin(&app).await.count(OPEN).await, |open| *open == 0).await;
}
