//! One script on both databases: what the schema offers, well and badly asked, is answered with the same bytes. Everything
//! else is the same for the two, so that IDs, cursors and tokens are equal too.

use std::collections::BTreeSet;

use axum::{body::Body, http::Request};
use orgdesk::api::playground::OPERATIONS;
use serde_json::{Value, json};

use crate::{
    operations::{Provided, World, file_of, who_does},
    support::{
        app::{BEGIN, TestApp, Who},
        cti, imports, invite, make,
        pair::{Asked, Pair},
        people,
        surface::Surface,
        ticket,
        variants::wrong,
    },
};

/// What brings a file, by `Upload`.
const MULTIPART: [&str; 3] = ["picture-upload", "cti-agent-import", "import-upload"];

/// Names as people write them, which databases sort and fold each in their own way.
const NAMES: [&str; 14] = [
    "상담 10",
    "상담 2",
    "상담 가",
    "가나다",
    "각",
    "ㄱ",
    "apple b",
    "Apple A",
    "Äpfel",
    "zebra",
    "10",
    "9",
    "😀 반가워요",
    "%_\\'",
];

// case: E14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_every_documented_operation_and_what_is_wrong_with_it_is_answered_alike() {
    let Some(Pair {
        sqlite,
        postgres,
        mut comparison,
        ..
    }) = Pair::start().await
    else {
        return;
    };
    let (sqlite, postgres) = (&sqlite, &postgres);
    // What signs identities is the test's own.
    let provided = Provided::start().await;
    let worlds = (
        World::make_with(sqlite, provided.clone()).await,
        World::make_with(postgres, provided).await,
    );

    let (mut asked, mut fields) = (0, BTreeSet::new());
    for operation in OPERATIONS.iter().filter(|operation| takes_a_trial(operation.text)) {
        let of_both = (
            worlds.0.variables(operation.name, operation.variables).await,
            worlds.1.variables(operation.name, operation.variables).await,
        );
        assert_eq!(of_both.0, of_both.1, "{}: the two worlds differ", operation.name);
        for wrong in wrong(&of_both.0, operation.name) {
            let who = (who_does(sqlite, operation.name), who_does(postgres, operation.name));
            let answers = (
                who.0.ask(operation.text, wrong.clone()).await,
                who.1.ask(operation.text, wrong.clone()).await,
            );
            comparison.compare(about(operation.name, operation.text), &wrong, answers);
            asked += 1;
        }
    }
    for operation in OPERATIONS
        .iter()
        .filter(|operation| !operation.text.contains("\nsubscription "))
    {
        let of_both = (
            worlds.0.variables(operation.name, operation.variables).await,
            worlds.1.variables(operation.name, operation.variables).await,
        );
        let (one, other) = (
            done(
                who_does(sqlite, operation.name),
                &worlds.0,
                operation.name,
                operation.text,
                &of_both.0,
            )
            .await,
            done(
                who_does(postgres, operation.name),
                &worlds.1,
                operation.name,
                operation.text,
                &of_both.1,
            )
            .await,
        );
        comparison.compare(about(operation.name, operation.text), &of_both.0, (one, other));
        fields.insert(operation.name);
        asked += 1;
    }

    println!("{asked} asked: {:?}", comparison.answers());
    comparison.agree();
    assert!(asked >= 300 && fields.len() >= 100, "{asked}, {}", fields.len());
    assert!(comparison.answers()["answered"] >= 200, "{:?}", comparison.answers());
}

// case: E14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_every_list_is_filtered_sorted_and_paged_alike() {
    let Some(mut pair) = Pair::start().await else { return };
    furnish(&pair.sqlite).await;
    furnish(&pair.postgres).await;
    let surface = Surface::of(&pair.sqlite).await;
    Surface::of(&pair.postgres).await;
    let ids = ids(&pair.sqlite).await;
    assert_eq!(ids, self::ids(&pair.postgres).await);

    let fields = surface.fields("Query");
    for field in &fields {
        let name = field["name"].as_str().unwrap();
        let shallow = surface.selection(&field["type"], 1);
        for arguments in surface.calls(field, &ids) {
            let query = call(name, &arguments, &shallow);
            pair.ask(about(name, &query), &json!({})).await;
        }
        if is_list(field) {
            for arguments in self::orders(&surface, field, &ids) {
                walk(&mut pair, name, &arguments).await;
            }
        }
    }

    println!("{} fields: {:?}", fields.len(), pair.comparison.answers());
    pair.comparison.agree();
    assert!(
        fields.len() > 35 && pair.comparison.answers()["answered"] >= 300,
        "{:?}",
        pair.comparison.answers()
    );
}

fn about<'a>(what: &'a str, query: &'a str) -> Asked<'a> {
    Asked {
        what,
        login: "owner",
        query,
    }
}

/// Whether an operation is a query with variables, or a mutation that can be tried out.
fn takes_a_trial(text: &str) -> bool {
    let Some((head, _)) = text.split_once(" {\n") else {
        return false;
    };
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("  ")?.split(['(', ' ']).next());
    let is_query = head.contains("query ");
    let is_own = name.is_some_and(|name| crate::every_mutation::NEITHER.contains(&name));
    (is_query || head.contains("mutation ")) && head.contains('$') && !is_own
}

/// Does an operation, with its file where it takes one.
async fn done(
    who: Who<'_>,
    world: &World<'_>,
    name: &str,
    text: &str,
    variables: &Value,
) -> crate::support::app::Answer {
    match file_of(world, name).filter(|_| MULTIPART.contains(&name)) {
        Some((file, content)) => {
            who.ask_with(text, variables.clone(), &[("input.file", file, &content)])
                .await
        }
        None => who.ask(text, variables.clone()).await,
    }
}

/// Services, people, invitations, companies and tickets of many names, the same on both.
async fn furnish(app: &TestApp) {
    let owner = app.owner();
    let desk = ticket::desk(app, "desk").await;
    let like = people::somebody(app).await;
    for (place, name) in NAMES.iter().enumerate() {
        let code = format!("s{}", letters(place));
        let input =
            json!({ "kind": if place % 2 == 0 { "ISSUE" } else { "CONSULTATION" }, "code": code, "name": name });
        owner
            .deed("serviceCreate(input: $input)", json!({ "input": input }))
            .await;
        let title = json!(name).to_string();
        owner
            .deed(&make::company("title").replace("\"title\"", &title), json!({}))
            .await;
        let login = format!("p{place:02}");
        people::join_like(app, &login, place % 5 == 0, &like).await;
        if place % 3 == 0 {
            people::employ(app, "desk", &login, place % 2 == 0).await;
        }
        let member = people::member(owner, &login).await;
        let renamed = people::on(&member, json!({ "name": name }));
        owner.deed("memberUpdate(id: $id, input: $input)", renamed).await;
        let mut input = invite::input(&format!("i{place:02}"));
        input["name"] = json!(name);
        owner
            .deed("memberInvite(input: $input)", json!({ "input": input }))
            .await;
        ticket::made(
            app.someone("acme", "manager"),
            &desk,
            json!({ "subject": { "text": name } }),
        )
        .await;
        app.wait(chrono::Duration::seconds(7));
    }
    app.run_due().await;
}

/// Only letters, as codes are.
fn letters(place: usize) -> String {
    format!("{place:02}")
        .bytes()
        .map(|digit| char::from(digit - b'0' + b'a'))
        .collect()
}

/// IDs of many kinds, one of nothing, and what is none.
async fn ids(app: &TestApp) -> Vec<String> {
    let query = "{ service(by: { code: \"desk\" }) { id contract { id } } viewer { member { id } }
        agents(first: 1) { nodes { id } } companies(first: 1) { nodes { id } }
        auditEntries(first: 1) { nodes { id } } }";
    let data = app.owner().data(query, json!({})).await;
    let mut ids: Vec<String> = [
        "/service/id",
        "/service/contract/id",
        "/viewer/member/id",
        "/agents/nodes/0/id",
        "/companies/nodes/0/id",
        "/auditEntries/nodes/0/id",
    ]
    .iter()
    .map(|way| data.pointer(way).unwrap().as_str().unwrap().to_owned())
    .collect();
    ids.extend(["svc_7zzzzzzzzzzzzzzzzzzzzzzzzz", "가"].map(str::to_owned));
    ids
}

fn call(name: &str, arguments: &str, selection: &str) -> String {
    let arguments = if arguments.is_empty() {
        String::new()
    } else {
        format!("({arguments})")
    };
    format!("{{ {name}{arguments}{selection} }}")
}

fn is_list(field: &Value) -> bool {
    field["args"]
        .as_array()
        .unwrap()
        .iter()
        .any(|argument| argument["name"] == "after")
}

/// The arguments without which a list is none, and each of its orders.
fn orders(surface: &Surface, field: &Value, ids: &[String]) -> Vec<String> {
    let calls = surface.calls(field, ids);
    let least = calls[0].clone();
    let is_whole = |call: &&String| call.contains("ASC") || call.contains("DESC") || call.contains("name: \"상담 10\"");
    let mut orders: Vec<_> = calls.iter().filter(is_whole).cloned().collect();
    orders.insert(0, least);
    orders
}

/// Goes through a list in steps of three, to its end and back, and asks for pages that there are not.
async fn walk(pair: &mut Pair, name: &str, arguments: &str) {
    const PAGE: &str = " { pageInfo { startCursor endCursor hasNextPage hasPreviousPage } edges { cursor } totalCount nodes { __typename } }";
    let with = |page: &str| {
        call(
            name,
            &[arguments, page]
                .iter()
                .filter(|part| !part.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join(", "),
            PAGE,
        )
    };
    let mut cursors: Vec<String> = Vec::new();
    for (size, way, end, more) in [
        ("first", "after", "endCursor", "hasNextPage"),
        ("last", "before", "startCursor", "hasPreviousPage"),
    ] {
        let mut page = format!("{size}: 3");
        for _ in 0..8 {
            let query = with(&page);
            let answer = pair.ask(about(name, &query), &json!({})).await;
            let info = &answer.json["data"][name]["pageInfo"];
            let Some(cursor) = info[end].as_str() else { break };
            cursors.push(cursor.to_owned());
            if info[more] != true {
                break;
            }
            page = format!("{size}: 3, {way}: {}", json!(cursor));
        }
    }
    let cursor = cursors.first().cloned().unwrap_or_default();
    let changed = format!("{}A", &cursor[..cursor.len().saturating_sub(1)]);
    for page in [
        "first: 0".to_owned(),
        "first: 100".to_owned(),
        "first: 101".to_owned(),
        "last: -1".to_owned(),
        "first: 2, last: 2".to_owned(),
        "after: \"\"".to_owned(),
        "after: \"가\"".to_owned(),
        format!("after: {}", json!(changed)),
        format!("first: 1, after: {0}, before: {0}", json!(cursor)),
    ] {
        let query = with(&page);
        pair.ask(about(name, &query), &json!({})).await;
    }
}

// case: E14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_workbooks_are_the_same_bytes_whenever_and_wherever_they_are_made() {
    let Some(pair) = Pair::start().await else { return };
    let mut made = Vec::new();
    for app in [&pair.sqlite, &pair.postgres] {
        let (desk, _) = cti::desk(app, "desk", &["phone.first"]).await;
        let template = imports::template(app, app.owner(), &desk.id).await;
        let data = app.owner().data("{ ctiAgentSheet { url } }", json!({})).await;
        let sheet = app
            .send(
                Request::get(path(data["ctiAgentSheet"]["url"].as_str().unwrap()))
                    .body(Body::empty())
                    .unwrap(),
            )
            .await;
        assert_eq!(sheet.status, 200, "{}", sheet.text);
        made.push([template, sheet.bytes]);
    }

    let (postgres, sqlite) = (made.pop().unwrap(), made.pop().unwrap());
    assert!(sqlite == postgres);
    for book in sqlite {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(book)).unwrap();
        let mut about = String::new();
        std::io::Read::read_to_string(&mut archive.by_name("docProps/core.xml").unwrap(), &mut about).unwrap();
        assert!(about.contains(&BEGIN[..10]), "the clock is the service's: {about}");
    }
}

/// The path of a link.
fn path(url: &str) -> &str {
    url.find("://")
        .and_then(|at| url[at + 3..].find('/').map(|slash| &url[at + 3 + slash..]))
        .unwrap_or(url)
}
