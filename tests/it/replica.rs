//! A read replica: lists and files come from it, nobody sees less of it than of the first database, and when it is away
//! nobody notices.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::{
    app::TestApp,
    cluster::free_port,
    extraction::{extraction, fetch, link, requested},
    ledger::{texts, until},
    make, people, phone,
    standby::{Stage, is_refused, is_used, went},
    ticket,
    wire::Wire,
    workbook::cells,
};

const SERVICES: &str = "{ services(first: 100) { totalCount nodes { code name } } }";
const COMPANIES: &str = "{ companies(first: 100) { totalCount nodes { title content { texts { companyName representativeName address } } } } }";
const DAYS: &str = "{ viewer { ctiLogDays { day } } }";

/// The titles of company information as a server shows them to whoever has this token.
async fn titles(server: &TestApp, token: &str) -> Vec<String> {
    let answer = server.ask(Some(token), COMPANIES, json!({})).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    let nodes = answer.json["data"]["companies"]["nodes"].as_array().unwrap();
    let mut titles: Vec<_> = nodes
        .iter()
        .map(|node| node["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    titles
}

/// How many more views went each way.
fn more(server: &TestApp, before: &std::collections::BTreeMap<&'static str, u64>) -> Vec<(&'static str, u64)> {
    let now = went(server);
    let more = now.into_iter().map(|(way, count)| (way, count - before[way]));
    more.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_views_come_from_the_replica_and_have_what_anybody_wrote_before() {
    let Some(stage) = Stage::set().await else { return };
    let (plain, beside) = (&stage.plain, &stage.beside);
    make::in_use(plain.owner(), "desk", 5).await;
    let token = beside.owner().token().await;

    let (before, asked) = (went(beside), stage.asked_for("service").await);
    let listed = beside.ask(Some(&token), SERVICES, json!({})).await;
    assert_eq!(more(beside, &before), [("replica", 1)], "{}", listed.text);
    assert_eq!(listed.json, plain.ask(Some(&token), SERVICES, json!({})).await.json);
    assert_eq!(listed.json["data"]["services"]["nodes"][0]["code"], "desk");
    until(async || stage.asked_for("service").await, |count| *count > asked).await;
    let before = went(beside);
    beside.owner().deed(&make::company("one"), json!({})).await;
    let refused = beside.ask(None, SERVICES, json!({})).await;
    assert_eq!(
        (refused.code(), more(beside, &before)),
        ("UNAUTHENTICATED", Vec::new()),
        "deeds and strangers don't go there"
    );

    // Whoever wrote, on whichever server: it is there for whoever asks next.
    let mut written = vec!["one".to_owned()];
    for number in 0..20 {
        let server = if number % 2 == 0 { plain } else { beside };
        let title = format!("title {number:02}");
        server.owner().deed(&make::company(&title), json!({})).await;
        written.push(title);
        written.sort();
        assert_eq!(titles(beside, &token).await, written);
    }
    let told = went(beside);
    assert!(
        told["replica"] - before["replica"] > 0 && told["away"] == before["away"] && told["broken"] == 0,
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_a_replica_that_stands_still_hides_nothing() {
    let Some(stage) = Stage::set().await else { return };
    let (plain, beside) = (&stage.plain, &stage.beside);
    phone::monitored(plain).await;
    let (owner, member) = (beside.owner().token().await, beside.member().token().await);
    let services = async |token: &str| beside.ask(Some(token), SERVICES, json!({})).await;
    is_used(beside, &stage.token).await;
    stage.on_standby("SELECT pg_wal_replay_pause()").await;
    let before = went(beside);

    plain.owner().deed(&make::company("new"), json!({})).await;
    assert_eq!(titles(beside, &owner).await, ["new"]);
    assert_eq!(more(beside, &before), [("late", 1)]);

    // What leaves no entry in a log is seen as well: events of a telephone.
    let events = [phone::waiting("a", "2026-11-10T00:59:00Z")];
    let kept = phone::record(plain.member(), &events).await;
    assert_eq!(phone::outcomes(&kept), "KEPT");
    let days = beside.ask(Some(&member), DAYS, json!({})).await;
    assert_eq!(
        days.json["data"]["viewer"]["ctiLogDays"],
        json!([{ "day": "2026-11-10" }]),
        "{}",
        days.text
    );

    // Whoever is out is out, although the standby knows him still.
    let row = people::member(plain.owner(), "member").await;
    let input = json!({ "expectedVersion": row["version"] });
    plain
        .owner()
        .deed(people::EXPEL, json!({ "id": row["id"], "input": input }))
        .await;
    assert_eq!(services(&member).await.code(), "UNAUTHENTICATED");
    assert_eq!(more(beside, &before), [("late", 2)], "he came to no view");

    stage.on_standby("SELECT pg_wal_replay_resume()").await;
    is_used(beside, &stage.token).await;
    assert_eq!(titles(beside, &owner).await, ["new"]);
    assert_eq!(went(beside)["broken"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_what_the_replica_breaks_off_is_asked_once_more() {
    let Some(stage) = Stage::set().await else { return };
    for number in 0..20 {
        let title = format!("title {number:02}");
        stage.plain.owner().deed(&make::company(&title), json!({})).await;
    }
    let wire = Wire::to(&stage.url()).await;
    let beside = stage.plain.server_beside(&wire.url).await;
    let token = &stage.token;
    let titles = async || titles(&beside, token).await.len();
    is_used(&beside, &stage.token).await;

    // In the middle of the rows.
    let before = went(&beside);
    wire.cut_the_next_answer();
    assert_eq!((titles().await, wire.has_lost_it()), (20, true));
    assert_eq!(more(&beside, &before), [("broken", 1), ("replica", 1)]);

    // The log says once that it was read, and by how much.
    let entries = "SELECT changes FROM audit_entry WHERE action = 'AUDIT_READ' ORDER BY sequence";
    let audit = "{ auditEntries(first: 50) { nodes { action changes { record field before after } } } }";
    is_used(&beside, &stage.token).await;
    wire.cut_the_next_answer();
    let read = beside.ask(Some(token), audit, json!({})).await;
    assert!(wire.has_lost_it() && read.json.get("errors").is_none(), "{}", read.text);
    assert_eq!(texts(&stage.plain, entries).await.len(), 1);

    // Nobody hears anything any more.
    wire.stall();
    let before = went(&beside);
    assert_eq!(titles().await, 20);
    assert_eq!(more(&beside, &before), [("away", 1)]);
    wire.mend();
    is_used(&beside, &stage.token).await;
    wire.cut();
    assert_eq!(titles().await, 20);
    wire.mend();
    is_used(&beside, &stage.token).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_who_is_refused_by_the_replica_is_refused_once_and_it_stands_in_the_log() {
    // case: B13
    let Some(stage) = Stage::set().await else { return };
    let (plain, beside) = (&stage.plain, &stage.beside);
    let desk = ticket::desk(plain, "desk").await;
    let token = beside.someone("acme", "agent").token().await;
    let list = "query L($id: ID!, $phone: String!) { tickets(serviceId: $id, filter: { value: { code: \"phone\", equals: $phone } }) { nodes { id } } }";
    is_used(beside, &stage.token).await;
    let before = went(beside);
    let mut answers = Vec::new();
    for number in 0..34 {
        let asked = json!({ "id": desk.id, "phone": format!("010-0000-{number:04}") });
        answers.push(beside.ask(Some(&token), list, asked).await.code().to_owned());
    }
    assert_eq!(answers.iter().filter(|code| *code == "none").count(), 30, "{answers:?}");
    assert!(answers[30..].iter().all(|code| code == "THROTTLED"), "{answers:?}");
    let told = "SELECT outcome || ' ' || reason FROM audit_entry WHERE action = 'TICKET_READ' AND reason IS NOT NULL";
    assert_eq!(texts(plain, told).await, ["DENIED SEARCH_THROTTLED"]);

    // What the library refuses while it executes is the same on both.
    let wrong =
        "{ services(first: 1) { totalCount } auditEntries(filter: { occurredAt: { from: \"x\" } }) { totalCount } }";
    let refused = beside.ask(Some(&stage.token), wrong, json!({})).await;
    assert_ne!(refused.code(), "none", "{}", refused.text);
    assert_eq!(went(beside)["broken"], before["broken"], "nothing was asked twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_a_replica_that_goes_silent_while_all_its_connections_are_in_use_is_left_alone_until_it_is_back() {
    let Some(stage) = Stage::set().await else { return };
    stage.plain.owner().deed(&make::company("one"), json!({})).await;
    let wire = Wire::to(&stage.url()).await;
    let beside = stage.plain.server_beside(&wire.url).await;
    is_used(&beside, &stage.token).await;
    wire.slow_down();
    let in_use = || {
        beside
            .app
            .database
            .connections()
            .iter()
            .any(|(name, all, idle)| *name == "replica" && *all == 12 && *idle == 0)
    };
    let crowd = join_all((0..24).map(|_| titles(&beside, &stage.token)));
    let silence = async {
        until(async || in_use(), |all| *all).await;
        wire.stall();
    };

    let (answers, ()) = join(crowd, silence).await;

    assert!(answers.iter().all(|titles| titles == &["one"]), "{answers:?}");
    let before = went(&beside);
    assert_eq!(titles(&beside, &stage.token).await, ["one"]);
    assert_eq!(more(&beside, &before), [("away", 1)], "nobody waits for it");
    wire.mend();
    is_used(&beside, &stage.token).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_a_replica_that_is_killed_under_load_fails_nobody_and_is_used_when_it_is_back() {
    let Some(mut stage) = Stage::set().await else { return };
    let token = stage.beside.owner().token().await;
    for number in 0..5 {
        stage
            .plain
            .owner()
            .deed(&make::company(&format!("title {number}")), json!({}))
            .await;
    }
    let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let beside = &stage.beside;
    let reader = async || {
        while !is_over.load(Ordering::SeqCst) {
            assert_eq!(titles(beside, &token).await.len(), 5);
            answered.fetch_add(1, Ordering::SeqCst);
        }
    };
    let standby = &mut stage.standby;
    let url = standby.admin_url_of("orgdesk");
    let course = async {
        let more = async || {
            let goal = answered.load(Ordering::SeqCst) + 20;
            until(async || answered.load(Ordering::SeqCst), |count| *count >= goal).await
        };
        more().await;
        // As a conflict with what is replayed does: statements are cancelled, and connections ended.
        let mut admin = PgConnection::connect(&url).await.unwrap();
        let disturb = "SELECT count(pg_cancel_backend(pid)) + count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE application_name = 'orgdesk'";
        for _ in 0..20 {
            sqlx::raw_sql(disturb).execute(&mut admin).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(admin);
        more().await;
        standby.restart("kill");
        more().await;
        let away = went(beside)["away"];
        standby.restart("start");
        is_over.store(true, Ordering::SeqCst);
        away
    };
    let (away, _) = join(course, join_all((0..6).map(|_| reader()))).await;

    assert!(away > 0, "{:?}", went(&stage.beside));
    is_used(&stage.beside, &stage.token).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_a_replica_that_was_promoted_is_used_no_more() {
    let Some(mut stage) = Stage::set().await else { return };
    stage.standby.restart("promote");
    // It goes its own way from here on.
    stage.on_standby("UPDATE organization SET name = 'Other'").await;
    let before = went(&stage.beside);

    let fault = is_refused(&stage.beside, &stage.token).await;
    stage.plain.owner().deed(&make::company("new"), json!({})).await;

    let token = stage.beside.owner().token().await;
    assert!(fault.contains("promoted"), "{fault}");
    assert_eq!(titles(&stage.beside, &token).await, ["new"]);
    let more = more(&stage.beside, &before);
    assert!(matches!(&more[..], [("away", _)]), "{more:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_what_is_no_standby_of_the_database_is_not_used_and_keeps_no_server_from_starting() {
    let Some(stage) = Stage::set().await else { return };
    let Some(stranger) = Stage::set().await else { return };
    let nobody = stage.url().replace(
        stage.standby.admin_url.rsplit([':', '/']).nth(1).unwrap(),
        &free_port().to_string(),
    );
    for (url, said) in [
        (format!("{}?application_name=x", stage.plain.url), "it is no standby"),
        (
            stranger.standby.admin_url_of("orgdesk"),
            "no copy of the first database",
        ),
        (stage.standby.admin_url_of("postgres"), "no copy of the first database"),
        (stage.standby.admin_url_of("orgdesk"), "row-level security"),
        (nobody, ""),
    ] {
        let server = stage.plain.server_beside(&url).await;
        let fault = is_refused(&server, &stage.token).await;
        assert!(fault.contains(said), "{url}: {fault}");
        assert_eq!(went(&server)["replica"], 0, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_by_the_replica_too_everybody_sees_his_own_organization_only() {
    let Some(stage) = Stage::set().await else { return };
    let beside = &stage.beside;
    let made = make::in_use(stage.plain.owner(), "desk", 5).await;
    make::in_use(stage.plain.rival(), "other", 5).await;
    let (acme, rival) = (beside.owner().token().await, beside.rival().token().await);
    let before = went(beside);

    // Over the same few connections, in turns.
    let asked = join_all((0..60).map(|turn| {
        let (token, code) = if turn % 2 == 0 {
            (&acme, "desk")
        } else {
            (&rival, "other")
        };
        async move { (beside.ask(Some(token), SERVICES, json!({})).await, code) }
    }));
    for (answer, code) in asked.await {
        let services = &answer.json["data"]["services"];
        assert_eq!(
            (&services["totalCount"], &services["nodes"][0]["code"]),
            (&json!(1), &json!(code)),
            "{}",
            answer.text
        );
    }
    let one = "query Q($id: ID!) { service(by: { id: $id }) { code } }";
    let other = beside.ask(Some(&rival), one, json!({ "id": made.id })).await;
    assert_eq!(other.json["data"]["service"], Value::Null, "{}", other.text);
    assert!(went(beside)["replica"] - before["replica"] > 30, "{:?}", went(beside));

    // Behind the types, the standby shows the service's role nothing that it does not name.
    let mut role = PgConnection::connect(&stage.url()).await.unwrap();
    for table in ["service", "member", "audit_entry"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let seen: i64 = sqlx::query_scalar(sql).fetch_one(&mut role).await.unwrap();
        assert_eq!(seen, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_the_rows_of_a_file_are_read_by_the_replica() {
    let Some(stage) = Stage::set().await else { return };
    let plain = &stage.plain;
    let wire = Wire::to(&stage.url()).await;
    let beside = &plain.server_beside(&wire.url).await;
    is_used(beside, &stage.token).await;
    let made = async |number: u64| {
        let id = requested(plain.owner(), json!({ "members": {} }), json!({})).await;
        let before = went(beside);
        beside.run_due().await;
        let more = more(beside, &before);
        let done = extraction(plain.owner(), &id).await;
        assert_eq!(done["rowCount"], number, "{done}");
        // Files of a server lie in its own folder.
        let file = fetch(plain, link(&done)).await;
        assert_eq!(
            (file.status, cells(&file.bytes).len() as u64),
            (200, number + 1),
            "{}",
            file.text
        );
        more
    };

    let by_replica = made(3).await;
    wire.cut_the_next_answer();
    let broken = made(3).await;
    assert!(wire.has_lost_it());
    is_used(beside, &stage.token).await;
    stage.on_standby("SELECT pg_wal_replay_pause()").await;
    people::join(plain, "another", false).await;
    let by_first = made(4).await;

    assert!(matches!(&by_replica[..], [("replica", 1..)]), "{by_replica:?}");
    assert!(matches!(&broken[..], [("broken", 1), ("replica", 1..)]), "{broken:?}");
    assert!(matches!(&by_first[..], [("late", 1..)]), "{by_first:?}");
}
