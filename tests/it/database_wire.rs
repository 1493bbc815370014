//! A way to the database that is slow, holds everything up, or breaks off in the middle of an answer; and a database server
//! that is restarted under load. No answer is wrong, nothing is done twice, and the service goes on by itself.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Request};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    audit::breaks,
    support::{
        app::{Answer, TestApp},
        cluster::Cluster,
        import_server::number,
        ledger::{texts, until},
        make,
        wire::Wire,
    },
};

const LIST: &str = "{ companies(first: 100) { totalCount nodes { title content { texts { companyName representativeName address } } } } }";
/// How many write at the same time.
const WRITERS: usize = 3;

/// Adds an entry of company information, with a key of its own.
fn create(title: &str) -> String {
    let input = format!(
        "companyCreate(input: {{ idempotencyKey: \"{}\", ",
        title.replace(' ', "-")
    );
    let field = make::company(title)
        .replace("companyCreate(input: { ", &input)
        .replace(" => ", " { ");
    format!("mutation {{ made: {field} userErrors {{ code }} }} }}")
}

/// The titles of a list that is right in itself; the status and code of what is none.
fn titles(answer: &Answer) -> Result<BTreeSet<String>, (u16, String)> {
    if answer.status != 200 || answer.json.get("errors").is_some() {
        assert!(
            answer.json["data"]["companies"].is_null(),
            "half an answer: {}",
            answer.text
        );
        return Err((answer.status, answer.code().to_owned()));
    }
    let list = &answer.json["data"]["companies"];
    let nodes = list["nodes"].as_array().unwrap();
    assert_eq!(list["totalCount"], nodes.len(), "{}", answer.text);
    let titles: BTreeSet<_> = nodes
        .iter()
        .map(|node| node["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(titles.len(), nodes.len(), "{}", answer.text);
    Ok(titles)
}

fn is_made(answer: &Answer) -> bool {
    let made = &answer.json["data"]["made"];
    if made.is_object() {
        assert_eq!(made["userErrors"], json!([]), "{}", answer.text);
    }
    made.is_object()
}

/// Faults that whoever asks may hear of: to come again, or that nobody knows what became of it.
fn is_told_so(fault: &(u16, String)) -> bool {
    ["UNAVAILABLE", "TIMEOUT", "INTERNAL", "OVERLOADED"].contains(&fault.1.as_str())
}

async fn health(app: &TestApp, path: &str) -> u16 {
    app.send(Request::get(path).body(Body::empty()).unwrap()).await.status
}

/// What is in the database, each once, with its entry in a log that is whole.
async fn holds(app: &TestApp, titles: &BTreeSet<String>) {
    let mut there = texts(app, "SELECT title FROM company").await;
    there.sort();
    assert_eq!(there, titles.iter().cloned().collect::<Vec<_>>(), "each once");
    let entries = "SELECT count(*) FROM audit_entry WHERE action = 'COMPANY_CREATE' AND outcome = 'DONE'";
    assert_eq!(number(app, entries).await, titles.len());
    assert_eq!(breaks(app).await, Vec::<String>::new());
}

// case: K5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_over_a_slow_way_everything_is_answered_right() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let wire = Wire::to(&app.url).await;
    let server = app.server_by(&wire.url).await;
    let token = app.owner().token().await;
    wire.slow_down();

    let writing = join_all((0..8).map(|place| {
        let (server, token) = (&server, &token);
        async move {
            server
                .ask(Some(token), &create(&format!("slow {place}")), json!({}))
                .await
        }
    }));
    let reading = join_all((0..8).map(|_| server.ask(Some(&token), LIST, json!({}))));
    let (written, read) = tokio::join!(writing, reading);

    for answer in &written {
        assert!(is_made(answer), "{}", answer.text);
    }
    read.iter()
        .for_each(|answer| assert!(titles(answer).is_ok(), "{}", answer.text));
    let all = titles(&server.ask(Some(&token), LIST, json!({})).await).unwrap();
    assert_eq!(all.len(), 8);
    holds(&app, &all).await;
}

// case: K5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_an_answer_that_breaks_off_is_an_error_and_never_half_a_list() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let wire = Wire::to(&app.url).await;
    let server = app.server_by(&wire.url).await;
    let token = app.owner().token().await;
    let mut made = BTreeSet::new();
    let (mut cut, mut faults) = (0, Vec::new());

    for round in 0..24 {
        let title = format!("cut {round:02}");
        wire.cut_the_next_answer();
        let first = server.ask(Some(&token), &create(&title), json!({})).await;
        if !is_made(&first) {
            faults.push((first.status, first.code().to_owned()));
        }
        // Whoever did not hear what became of it asks again.
        until(
            async || server.ask(Some(&token), &create(&title), json!({})).await,
            is_made,
        )
        .await;
        made.insert(title);
        wire.cut_the_next_answer();
        match titles(&server.ask(Some(&token), LIST, json!({})).await) {
            Ok(titles) => assert_eq!(titles, made),
            Err(fault) => faults.push(fault),
        }
        cut += usize::from(wire.has_lost_it());
        wire.mend();
        let list = until(
            async || server.ask(Some(&token), LIST, json!({})).await,
            |answer| titles(answer).is_ok(),
        )
        .await;
        assert_eq!(titles(&list).unwrap(), made);
    }

    assert!(cut >= 12 && faults.len() >= 12, "{cut} cut, {faults:?}");
    assert!(faults.iter().all(is_told_so), "{faults:?}");
    holds(&app, &made).await;
}

// case: K5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_way_that_holds_everything_up_costs_an_error_and_is_used_again_when_it_goes_on() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let wire = Wire::to(&app.url).await;
    let server = app.server_by(&wire.url).await;
    let token = app.owner().token().await;
    assert_eq!(
        titles(&server.ask(Some(&token), LIST, json!({})).await),
        Ok(BTreeSet::new())
    );

    wire.stall();
    let create = create("stalled");
    let (read, written) = tokio::join!(
        join_all((0..30).map(|_| server.ask(Some(&token), LIST, json!({})))),
        server.ask(Some(&token), &create, json!({}))
    );
    let told = (
        health(&server, "/health/live").await,
        health(&server, "/health/ready").await,
    );
    wire.mend();

    for answer in read.iter().chain([&written]) {
        let fault = (answer.status, answer.code().to_owned());
        assert!(answer.status >= 500 && is_told_so(&fault), "{}", answer.text);
    }
    assert_eq!(told, (200, 503));
    until(async || health(&server, "/health/ready").await, |status| *status == 200).await;
    until(async || server.ask(Some(&token), &create, json!({})).await, is_made).await;
    let list = until(
        async || server.ask(Some(&token), LIST, json!({})).await,
        |answer| titles(answer).is_ok(),
    )
    .await;
    assert_eq!(titles(&list), Ok(BTreeSet::from(["stalled".to_owned()])));
    holds(&app, &BTreeSet::from(["stalled".to_owned()])).await;
}

/// What somebody has written, and the faults that he heard of when he read it.
type Written = (BTreeSet<String>, Vec<(u16, String)>);

/// What those who write and read while the database is restarted know.
struct Load {
    app: TestApp,
    token: String,
    is_over: AtomicBool,
    done: AtomicUsize,
}

impl Load {
    /// Writes until it is over, each until it is heard to be done; the titles, and the faults that were heard.
    async fn write(&self, writer: usize) -> Written {
        let (mut made, mut faults) = (BTreeSet::new(), Vec::new());
        while !self.is_over.load(Ordering::SeqCst) && made.len() < 30 {
            let title = format!("{writer} {}", made.len());
            until(
                async || self.app.ask(Some(&self.token), &create(&title), json!({})).await,
                |answer| {
                    let is_made = is_made(answer);
                    self.done.fetch_add(usize::from(is_made), Ordering::SeqCst);
                    is_made
                },
            )
            .await;
            made.insert(title);
            let list = self.app.ask(Some(&self.token), LIST, json!({})).await;
            match titles(&list) {
                Ok(titles) => assert!(made.is_subset(&titles), "{titles:?} without one of {made:?}"),
                Err(fault) => faults.push(fault),
            }
        }
        (made, faults)
    }

    /// Waits until so many more are done, or somebody has given up.
    async fn more(&self, deeds: usize, writing: &[JoinHandle<Written>]) {
        let before = self.done.load(Ordering::SeqCst);
        while self.done.load(Ordering::SeqCst) < before + deeds && !writing.iter().any(JoinHandle::is_finished) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

// case: K5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_database_server_that_is_restarted_under_load_loses_nothing_and_needs_no_restart_of_the_service() {
    // Where tests share a server that somebody else runs, it is not theirs to restart.
    let Some(mut cluster) = Cluster::throw_away() else {
        return;
    };
    let app = TestApp::on_cluster(&cluster).await;
    let token = app.owner().token().await;
    let load = Arc::new(Load {
        app,
        token,
        is_over: AtomicBool::new(false),
        done: AtomicUsize::new(0),
    });
    let writing: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let load = load.clone();
            tokio::spawn(async move { load.write(writer).await })
        })
        .collect();

    for how in ["fast", "immediate"] {
        load.more(6, &writing).await;
        tokio::task::block_in_place(|| cluster.restart(how));
    }
    load.more(6, &writing).await;
    load.is_over.store(true, Ordering::SeqCst);
    let ended: Vec<_> = join_all(writing).await.into_iter().map(Result::unwrap).collect();

    let made: BTreeSet<String> = ended.iter().flat_map(|(made, _)| made.clone()).collect();
    let faults: Vec<Value> = ended
        .iter()
        .flat_map(|(_, faults)| faults.iter().map(|fault| json!(fault)))
        .collect();
    assert!(
        ended.iter().all(|(_, faults)| faults.iter().all(is_told_so)),
        "{faults:?}"
    );
    assert_eq!(
        titles(&load.app.ask(Some(&load.token), LIST, json!({})).await),
        Ok(made.clone())
    );
    holds(&load.app, &made).await;
    println!("{} made, faults of reads {faults:?}", made.len());
}
