//! Administrators and owners who take each other's place at once: whatever comes of it, there is one owner, and somebody
//! looks after the organization. Ten rounds here; `ORGDESK_RACE_ROUNDS=200` for as many as it takes to believe it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, Who},
        people::{self, member},
        raw::Raw,
    },
};

/// How many rounds each race has.
fn rounds() -> usize {
    let given = std::env::var("ORGDESK_RACE_ROUNDS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// A verb as a document; `memberLeave` is about nobody else and takes no ID.
fn document(verb: &str) -> String {
    let kind = format!("{}{}", verb[..1].to_uppercase(), &verb[1..]);
    let (given, passed) = if verb == "memberLeave" {
        ("", "")
    } else {
        ("$id: ID!, ", "id: $id, ")
    };
    format!("mutation M({given}$input: {kind}Input!) {{ {verb}({passed}input: $input) {{ userErrors {{ code }} }} }}")
}

/// One who asks, and for what.
struct Ask {
    token: String,
    verb: &'static str,
    on: Value,
}

async fn ask(who: Who<'_>, verb: &'static str, on: &Value) -> Ask {
    Ask {
        token: who.token().await,
        verb,
        on: on.clone(),
    }
}

/// All at once, each at another server in turn. Answers what became of each: `done`, a user error's code or an error's.
async fn at_once(servers: &[Arc<TestApp>], asks: Vec<Ask>) -> Vec<String> {
    let running: Vec<_> = asks
        .into_iter()
        .enumerate()
        .map(|(place, ask)| {
            let server = servers[place % servers.len()].clone();
            tokio::spawn(async move {
                let input = json!({ "expectedVersion": ask.on["version"] });
                let variables = json!({ "id": ask.on["id"], "input": input });
                let answer = server.ask(Some(&ask.token), &document(ask.verb), variables).await;
                came_of(&answer, ask.verb)
            })
        })
        .collect();
    let mut answers = Vec::new();
    for one in running {
        answers.push(one.await.unwrap());
    }
    answers
}

fn came_of(answer: &Answer, verb: &str) -> String {
    if answer.status == 401 {
        return "UNAUTHENTICATED".to_owned();
    }
    match answer.json["data"][verb]["userErrors"].as_array() {
        Some(errors) if errors.is_empty() => "done".to_owned(),
        Some(errors) => errors[0]["code"].as_str().unwrap().to_owned(),
        None => answer.code().to_owned(),
    }
}

/// How many active owners Acme has, and how many who look after it: owner or administrator.
async fn guardians(raw: &mut Raw) -> (u64, u64) {
    let acme = "m.status = 'ACTIVE' AND m.organization_id IN (SELECT id FROM organization WHERE domain = 'acme')";
    let roles = "EXISTS (SELECT 1 FROM organization_admin a WHERE a.member_id = m.id)";
    (
        raw.count(&format!("member m WHERE {acme} AND m.is_owner")).await,
        raw.count(&format!("member m WHERE {acme} AND (m.is_owner OR {roles})"))
            .await,
    )
}

fn done(answers: &[String]) -> usize {
    answers.iter().filter(|answer| *answer == "done").count()
}

/// Two administrators remove each other, with an owner and without one.
async fn remove_each_other(servers: &[Arc<TestApp>]) {
    let app = &servers[0];
    let like = people::somebody(app).await;
    let mut raw = Raw::admin(app).await;
    for login in ["left", "right"] {
        people::join_like(app, login, true, &like).await;
    }
    let people = [member(app.owner(), "left").await, member(app.owner(), "right").await];
    let only_these = "DELETE FROM organization_admin WHERE member_id NOT IN (SELECT id FROM member WHERE login IN ('left', 'right'))";
    raw.must(only_these).await;
    for round in 0..rounds() {
        let has_owner = round % 2 == 0;
        raw.must(&format!(
            "UPDATE member SET is_owner = {has_owner} WHERE login = 'owner'"
        ))
        .await;
        let [left, right] = ["left", "right"].map(|login| app.someone("acme", login));
        let asks = vec![
            ask(left, "adminRemove", &people[1]).await,
            ask(right, "adminRemove", &people[0]).await,
        ];

        let answers = at_once(servers, asks).await;

        assert_eq!(done(&answers), 1, "round {round}: {answers:?}");
        assert_eq!(
            guardians(&mut raw).await,
            (u64::from(has_owner), 1 + u64::from(has_owner)),
            "round {round}: {answers:?}"
        );
        let (who, other) = if answers[0] == "done" {
            (left, &people[1])
        } else {
            (right, &people[0])
        };
        who.deed(people::ADD, people::of(other)).await;
    }
}

/// A member is removed while he leaves; the owner hands the ownership to an administrator whom nobody else can remove,
/// while that one leaves, and to another one at the same time.
async fn come_and_go(servers: &[Arc<TestApp>]) {
    let app = &servers[0];
    let like = people::somebody(app).await;
    let mut raw = Raw::admin(app).await;
    let mut seen = Vec::new();
    for round in 0..rounds() {
        let names = ["heir", "rest"].map(|name| format!("{name}-{round}"));
        for name in &names {
            people::join_like(app, name, round % 3 == 0, &like).await;
        }
        let owners = raw.texts("SELECT login FROM member WHERE is_owner AND organization_id IN (SELECT id FROM organization WHERE domain = 'acme')").await;
        let owner = app.someone("acme", &owners[0]);
        let [heir, rest] = [member(owner, &names[0]).await, member(owner, &names[1]).await];
        let himself = app.someone("acme", &names[0]);
        let asks = match round % 4 {
            0 => vec![
                ask(owner, "memberRemove", &heir).await,
                ask(himself, "memberLeave", &heir).await,
            ],
            1 => vec![
                ask(owner, "ownershipTransfer", &heir).await,
                ask(himself, "memberLeave", &heir).await,
            ],
            2 => vec![
                ask(owner, "ownershipTransfer", &heir).await,
                ask(owner, "ownershipTransfer", &rest).await,
            ],
            _ => vec![
                ask(owner, "ownershipTransfer", &heir).await,
                ask(app.administrator(), "memberRemove", &heir).await,
            ],
        };

        let answers = at_once(servers, asks).await;

        let (owners, all) = guardians(&mut raw).await;
        assert_eq!(owners, 1, "round {round}: {answers:?}");
        assert!(all >= 1, "round {round}: {answers:?}");
        assert_eq!(done(&answers), 1, "round {round}: {answers:?}");
        let left = raw.count(&format!("member m WHERE m.login = '{}' AND m.status = 'LEFT' AND (m.is_owner OR EXISTS (SELECT 1 FROM organization_admin a WHERE a.member_id = m.id))", names[0])).await;
        assert_eq!(left, 0, "round {round}: whoever has left is nothing");
        seen.push(answers.join(" "));
        raw.must("DELETE FROM organization_admin WHERE member_id IN (SELECT id FROM member WHERE login <> 'admin')")
            .await;
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() > 2, "the rounds were races: {seen:?}");
}

both! {
    // case: A10
    async fn a2_two_who_remove_each_other_leave_one(app) {
        remove_each_other(&[Arc::new(app)]).await;
    }

    // case: A10
    async fn a2_who_removes_leaves_and_transfers_at_once_leaves_one_owner(app) {
        come_and_go(&[Arc::new(app)]).await;
    }
}

// case: A10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a2_two_who_remove_each_other_on_two_servers_leave_one() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let other = Arc::new(app.second_server().await);
    remove_each_other(&[Arc::new(app), other]).await;
}

// case: A10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a2_who_removes_leaves_and_transfers_at_once_on_two_servers_leaves_one_owner() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let other = Arc::new(app.second_server().await);
    come_and_go(&[Arc::new(app), other]).await;
}
