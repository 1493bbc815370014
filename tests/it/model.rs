//! Random deeds of several people at the same time, on a server that is killed at random moments. Whoever did not hear what
//! became of his deed sends it once more with its key. In the end the organization is as a small picture of it in memory
//! says, each deed stands in the log once, the log's chain is whole, and no job is left over.
//!
//! `ORGDESK_TEST_SEED` repeats a run, `ORGDESK_TEST_STEPS` makes it longer. What is in flight at a kill is not in the seed:
//! it hangs on the machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    time::Duration,
};

use futures_util::future::join_all;
use orgdesk::kernel::{Clock as _, Random, SystemClock};
use serde_json::{Value, json};

use crate::{
    audit::breaks,
    both,
    support::{
        app::TestApp,
        cluster::free_port,
        import_server::{number, orgdesk},
        ledger::{self, texts, until},
        make,
        model::{Deed, Picture},
        people,
        running::Running,
        sink::Sink,
        ticket,
    },
};

/// How many deeds are on their way at the same time, at most.
const AT_ONCE: u64 = 4;
/// After so many steps the server is killed in the middle of one.
const STEPS_A_KILL: u64 = 15;

fn asked(name: &str, usual: u64) -> u64 {
    let asked = std::env::var(name).ok();
    asked.map_or(usual, |text| text.parse().unwrap())
}

/// The server, and who asks it.
struct Place<'a> {
    app: &'a TestApp,
    sink: Sink,
    address: String,
    client: reqwest::Client,
    tokens: BTreeMap<&'static str, String>,
}

impl Place<'_> {
    fn serve(&self) -> Running {
        let mut command = orgdesk(self.app, &["serve"], self.sink.port);
        // They ask more than anybody may.
        command.envs([
            ("ORGDESK_LISTEN", self.address.as_str()),
            ("ORGDESK_COST_BUCKET", "1000000000"),
            ("ORGDESK_COST_REFILL", "1000000000"),
        ]);
        Running::start(&mut command, &self.address)
    }

    /// Lets everybody in anew: for some deeds the password has to be fresh.
    async fn let_in(&mut self) {
        self.app.clock.set(SystemClock.now().0);
        for login in ["owner", "admin", "agent", "manager"] {
            self.tokens.insert(login, self.app.someone("acme", login).token().await);
        }
    }

    /// The answer; `None` where whoever asks hears nothing, or is told to come again.
    async fn ask(&self, login: &str, document: &str, variables: &Value) -> Option<Value> {
        let body = json!({ "query": document, "variables": variables });
        let request = self
            .client
            .post(format!("http://{}/graphql", self.address))
            .bearer_auth(&self.tokens[login]);
        let answer = request.json(&body).send().await.ok()?;
        let has_to_come_again = answer.status().is_server_error();
        let answer: Value = answer.json().await.ok()?;
        (!has_to_come_again && answer["errors"][0]["extensions"]["code"] != "IDEMPOTENCY_KEY_IN_USE").then_some(answer)
    }

    async fn send(&self, deed: &Deed) -> Option<Value> {
        self.ask(deed.login, &deed.document, &deed.variables).await
    }

    /// All nodes of a list, page by page.
    async fn list(&self, login: &str, field: &str, arguments: &str, fields: &str) -> Vec<Value> {
        let (mut nodes, mut after) = (Vec::new(), Value::Null);
        loop {
            let query = format!(
                "query Q($after: String) {{ {field}(first: 50, after: $after{arguments}) {{ nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}"
            );
            let answer = self.ask(login, &query, &json!({ "after": after })).await.unwrap();
            let list = &answer["data"][field];
            nodes.extend(
                list["nodes"]
                    .as_array()
                    .unwrap_or_else(|| panic!("{query}: {answer}"))
                    .iter()
                    .cloned(),
            );
            if list["pageInfo"]["hasNextPage"] != true {
                return nodes;
            }
            after = list["pageInfo"]["endCursor"].clone();
        }
    }

    /// What the service says of the organization, in the lines of [`Picture::lines`].
    async fn lines(&self, desk: &make::Made) -> BTreeSet<String> {
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut lines = BTreeSet::new();
        let states = ", filter: { status: [NOT_IN_USE, IN_USE, SUSPENDED, TERMINATED] }";
        for node in self
            .list(
                "owner",
                "services",
                states,
                "code status version contract { version items { code userCount } }",
            )
            .await
        {
            let contract = &node["contract"];
            let users = contract["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|item| item["code"] == "TICKET")
                .map_or(0, |item| item["userCount"].as_i64().unwrap_or(0));
            if ["desk", "help"].iter().all(|code| node["code"] != *code) {
                lines.insert(format!(
                    "service {} {} {} contract {} users {users}",
                    word(&node["code"]),
                    word(&node["status"]),
                    node["version"],
                    contract["version"]
                ));
            }
        }
        let one = self
            .ask(
                "owner",
                "{ organization { admins { member { login } } product { keys { id name isLive version } } } }",
                &json!({}),
            )
            .await
            .unwrap();
        let organization = &one["data"]["organization"];
        for admin in organization["admins"].as_array().unwrap_or_else(|| panic!("{one}")) {
            let login = word(&admin["member"]["login"]);
            if login.starts_with('p') {
                lines.insert(format!("admin {login}"));
            }
        }
        for key in organization["product"]["keys"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|key| key["isLive"] == true)
        {
            lines.insert(format!(
                "key {} {} {}",
                word(&key["id"]),
                word(&key["name"]),
                key["version"]
            ));
        }
        for agent in self
            .list(
                "owner",
                "agents",
                "",
                "version forwardsTickets member { login } service { code }",
            )
            .await
        {
            if agent["service"]["code"] == "help" {
                lines.insert(format!(
                    "agent {} {} {}",
                    word(&agent["member"]["login"]),
                    agent["forwardsTickets"],
                    agent["version"]
                ));
            }
        }
        for company in self.list("owner", "companies", "", "id title version").await {
            lines.insert(format!(
                "company {} {} {}",
                word(&company["id"]),
                word(&company["title"]),
                company["version"]
            ));
        }
        let states = ", filter: { state: [PENDING, REVOKED, ACCEPTED, EXPIRED] }";
        for invitation in self
            .list("owner", "invitations", states, "id login state version")
            .await
        {
            lines.insert(format!(
                "invitation {} {} {} {}",
                word(&invitation["id"]),
                word(&invitation["login"]),
                word(&invitation["state"]),
                invitation["version"]
            ));
        }
        for ticket in self
            .list(
                "manager",
                "tickets",
                &format!(", serviceId: \"{}\"", desk.id),
                "id status version",
            )
            .await
        {
            lines.insert(format!(
                "ticket {} {} {}",
                word(&ticket["id"]),
                word(&ticket["status"]),
                ticket["version"]
            ));
        }
        lines
    }
}

/// The log's word for a mutation: `SERVICE_CREATE` for `serviceCreate`.
fn action(mutation: &str) -> String {
    let letters = mutation.chars().flat_map(|letter| {
        letter
            .is_ascii_uppercase()
            .then_some('_')
            .into_iter()
            .chain([letter.to_ascii_uppercase()])
    });
    letters.collect()
}

/// What a server that was killed has begun is another's after ten minutes, which nobody waits for here.
async fn ten_minutes_later(app: &TestApp) {
    let then = (SystemClock.now().0 - chrono::Duration::minutes(10)).to_rfc3339();
    let lost = format!("UPDATE job_outbox SET handed_over_at = '{then}' WHERE state = 'QUEUED'");
    ledger::execute(app, &lost).await;
}

/// The entries of deeds that were done, by their action.
async fn entries(app: &TestApp) -> BTreeMap<String, usize> {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for action in texts(app, "SELECT action FROM audit_entry WHERE outcome = 'DONE'").await {
        *found.entry(action).or_default() += 1;
    }
    found
}

both! {
    // case: C1
    // case: K1
    async fn g4_random_deeds_through_crashes_come_to_what_a_picture_in_memory_says(app) {
        let (seed, steps) = (asked("ORGDESK_TEST_SEED", 17), asked("ORGDESK_TEST_STEPS", 90));
        println!("ORGDESK_TEST_SEED={seed} ORGDESK_TEST_STEPS={steps}");
        let random = Random::seeded(seed);
        let desk = ticket::desk(&app, "desk").await;
        let help = make::in_use(app.owner(), "help", 100).await;
        let like = people::somebody(&app).await;
        let mut known = BTreeMap::new();
        for login in ["pa1", "pb2", "pc3", "pd4", "pe5"] {
            people::join_like(&app, login, false, &like).await;
            known.insert(login.to_owned(), people::member(app.owner(), login).await["id"].as_str().unwrap().to_owned());
        }
        let mut picture = Picture::new(desk.clone(), help, known);
        let before = entries(&app).await;
        let mut place = Place { app: &app, sink: Sink::start(), address: format!("127.0.0.1:{}", free_port()), client: reqwest::Client::builder().no_proxy().build().unwrap(), tokens: BTreeMap::new() };
        place.let_in().await;
        let mut server = place.serve();
        let (mut unheard, mut repeated, mut kills) = (0, 0, 0);

        for step in 1..=steps {
            let deeds = picture.deeds(&random, AT_ONCE);
            let is_killed = step % STEPS_A_KILL == 0;
            let sending = async { join_all(deeds.iter().map(|deed| place.send(deed))).await };
            let killing = async {
                if is_killed {
                    tokio::time::sleep(Duration::from_micros(random.below(120_000))).await;
                    assert!(Command::new("kill").args(["-KILL", &server.id().to_string()]).status().unwrap().success());
                }
            };
            let (answers, ()) = tokio::join!(sending, killing);
            if is_killed {
                kills += 1;
                drop(server);
                place.let_in().await;
                server = place.serve();
            }
            for (deed, answer) in deeds.iter().zip(answers) {
                let heard = match answer {
                    Some(answer) => answer,
                    None => {
                        unheard += 1;
                        until(async || place.send(deed).await, Option::is_some).await.unwrap()
                    }
                };
                picture.learn(deed, &heard);
                if random.below(6) == 0 {
                    repeated += 1;
                    let mut again = until(async || place.send(deed).await, Option::is_some).await.unwrap();
                    // Secrets are told once.
                    let mut first = heard.clone();
                    for answer in [&mut again, &mut first] {
                        *answer = json!([answer["data"], answer["errors"][0]["extensions"]["code"]]);
                    }
                    assert_eq!(again, first, "{} {}", deed.document, deed.variables);
                }
            }
        }

        let (told, expected) = (place.lines(&desk).await, picture.lines());
        let differ = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
        assert_eq!(differ(&told, &expected), differ(&expected, &told), "the service | the picture; ORGDESK_TEST_SEED={seed}");
        let after = entries(&app).await;
        for (mutation, times) in &picture.done {
            let action = action(mutation);
            let count = |of: &BTreeMap<String, usize>| of.get(&action).copied().unwrap_or_default();
            assert_eq!(count(&after) - count(&before), *times, "{action} stands in the log as often as it was done");
        }
        assert_eq!(breaks(&app).await, Vec::<String>::new());
        ten_minutes_later(&app).await;
        let open = "SELECT kind || ' ' || argument || ' ' || state || ' ' || coalesce(failure, '') FROM job_outbox WHERE state IN ('QUEUED', 'DEAD') OR (state <> 'DONE' AND kind LIKE '%mail%')";
        until(async || texts(&app, open).await, Vec::is_empty).await;
        drop(server);
        let lost = "SELECT count(*) FROM invitation WHERE NOT EXISTS (SELECT 1 FROM invitation_mailing WHERE invitation_id = invitation.id)";
        assert_eq!(number(&app, lost).await, 0);
        println!("{} done, {} kinds, {unheard} unheard of, {repeated} repeated, {kills} kills", picture.done.values().sum::<usize>(), picture.done.len());
        assert!(picture.done.len() >= 14, "{:?}", picture.done);
    }
}
