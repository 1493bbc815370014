//! Many who want one number, and numbers that go round at random: never two holders, never one lost.
//! `ORGDESK_CTI_ROUNDS=400` for as many rounds as it takes to believe it.

use std::{collections::BTreeMap, sync::Arc};

use orgdesk::kernel::Random;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, codes},
        cti::{self, all, entry},
        raw::Raw,
    },
};

const SAVE: &str = "mutation M($input: CtiAgentUpdateManyInput!) { ctiAgentUpdateMany(input: $input) {
    agents { version ctiId ctiNumber member { login } } userErrors { code field message availableAt holder { login } } } }";

fn rounds() -> usize {
    let given = std::env::var("ORGDESK_CTI_ROUNDS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(40)
}

/// Asks until the server is not too busy for it.
async fn patient(app: &TestApp, token: &str, variables: Value) -> Answer {
    loop {
        let answer = app.ask(Some(token), SAVE, variables.clone()).await;
        if answer.code() != "THROTTLED" {
            return answer;
        }
    }
}

/// Fifty agents who all want one number in one of its spellings.
async fn crowd(servers: &[Arc<TestApp>]) {
    let app = &servers[0];
    let logins: Vec<String> = (0..50).map(|number| format!("agent-{number:02}")).collect();
    let (_, people) = cti::desk(app, "desk", &logins.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let token = app.owner().token().await;
    let spellings = ["0042", "００４２", "0 0 4 2", "00\u{200b}42", "\u{feff}0042"];

    let crowd: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(place, person)| {
            let wish = entry(person, 0, &format!("id-{place}"), spellings[place % spellings.len()]);
            let (server, token) = (servers[place % servers.len()].clone(), token.clone());
            tokio::spawn(async move {
                patient(&server, &token, all(vec![wish])).await.json["data"]["ctiAgentUpdateMany"].clone()
            })
        })
        .collect();
    let (mut winner, mut named) = (Vec::new(), Vec::new());
    for one in crowd {
        let payload = one.await.unwrap();
        if codes(&payload).is_empty() {
            winner.push(payload["agents"][0]["member"]["login"].clone());
        } else {
            assert_eq!(
                codes(&payload),
                ["CTI_NO_TAKEN at input.entries.0.ctiNumber"],
                "{payload}"
            );
            named.push(payload["userErrors"][0]["holder"]["login"].clone());
        }
    }

    assert_eq!((winner.len(), named.len()), (1, 49));
    assert!(named.iter().all(|name| *name == winner[0]), "each is told who has it");
    let mut raw = Raw::admin(app).await;
    assert_eq!(raw.count("cti_agent WHERE cti_number IS NOT NULL").await, 1);
    assert_eq!(raw.count("cti_agent_history").await, 1);
}

/// What everybody holds, by the database itself: the row and the history must say the same.
async fn held(raw: &mut Raw) -> BTreeMap<String, (String, String)> {
    let rows = "SELECT m.login || ' ' || c.cti_id || ' ' || c.cti_number FROM cti_agent c JOIN member m ON m.id = c.member_id WHERE c.cti_number IS NOT NULL";
    let open = "SELECT m.login || ' ' || c.cti_id || ' ' || c.cti_number FROM cti_agent_history c JOIN member m ON m.id = c.member_id WHERE c.held_until IS NULL";
    let (mut rows, mut open) = (raw.texts(rows).await, raw.texts(open).await);
    rows.sort();
    open.sort();
    assert_eq!(rows, open, "the history says who holds what now");
    rows.iter()
        .map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .map(|line| (line[0].clone(), (line[1].clone(), line[2].clone())))
        .collect()
}

both! {
    // case: I3
    async fn t4_of_fifty_who_want_one_number_at_once_one_gets_it(app) {
        crowd(&[Arc::new(app)]).await;
    }

    // case: I3
    async fn t5_numbers_that_go_round_at_random_are_never_doubled_and_never_lost(app) {
        const AGENTS: usize = 8;
        let logins: Vec<String> = (0..AGENTS).map(|number| format!("agent-{number}")).collect();
        let (_, people) = cti::desk(&app, "desk", &logins.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let (token, random) = (app.owner().token().await, Random::seeded(7));
        let below = |most: usize| usize::try_from(random.below(most as u64)).unwrap();
        let mut raw = Raw::admin(&app).await;
        // What each holds and in which version, by the model.
        let mut model: Vec<(i64, Option<(String, String)>)> = vec![(0, None); AGENTS];
        let (mut saved, mut refused) = (0, 0);

        for round in 0..rounds() {
            app.wait(chrono::Duration::seconds(1));
            // Some of the agents, and what they are to get: each other's, nothing, or anything at random.
            let mut chosen: Vec<usize> = (0..AGENTS).collect();
            for place in (1..AGENTS).rev() {
                chosen.swap(place, below(place + 1));
            }
            chosen.truncate(1 + below(AGENTS));
            let mut wanted: Vec<_> = chosen.iter().map(|agent| model[*agent].1.clone()).collect();
            let turn = below(wanted.len());
            wanted.rotate_left(turn);
            for one in &mut wanted {
                match below(8) {
                    0 => *one = None,
                    1 | 2 => *one = Some((format!("id{}", below(12)), format!("00{}", below(12)))),
                    3 if one.is_none() => *one = Some((format!("id{}", below(12)), format!("00{}", below(12)))),
                    _ => {}
                }
            }
            let entries = chosen.iter().zip(&wanted).map(|(agent, pair)| match pair {
                Some((id, number)) => entry(&people[*agent], model[*agent].0, id, number),
                None => cti::cleared(&people[*agent], model[*agent].0),
            });
            let payload = app.ask(Some(&token), SAVE, all(entries.collect())).await.json["data"]["ctiAgentUpdateMany"].clone();

            let mut after = model.clone();
            for (agent, pair) in chosen.iter().zip(&wanted) {
                after[*agent].1.clone_from(pair);
            }
            let pairs: Vec<_> = after.iter().filter_map(|(_, pair)| pair.clone()).collect();
            let is_doubled = (0..pairs.len()).any(|one| (0..one).any(|other| pairs[one].0 == pairs[other].0 || pairs[one].1 == pairs[other].1));
            assert_eq!(codes(&payload).is_empty(), !is_doubled, "round {round}: {payload}");
            if is_doubled {
                refused += 1;
                assert!(codes(&payload).iter().all(|code| code.starts_with("CTI_ID_TAKEN") || code.starts_with("CTI_NO_TAKEN")), "{payload}");
            } else {
                saved += 1;
                for (agent, told) in chosen.iter().zip(payload["agents"].as_array().unwrap()) {
                    after[*agent].0 = told["version"].as_i64().unwrap();
                }
                model = after;
            }
            let expected: BTreeMap<_, _> = model.iter().enumerate().filter_map(|(agent, (_, pair))| Some((logins[agent].clone(), pair.clone()?))).collect();
            assert_eq!(held(&mut raw).await, expected, "round {round}");
        }

        assert!(saved > rounds() / 4 && refused > rounds() / 20, "{saved} saved, {refused} refused");
        let overlapping = "cti_agent_history a JOIN cti_agent_history b ON a.organization_id = b.organization_id AND a.id <> b.id
            AND (a.cti_number = b.cti_number OR a.cti_id_key = b.cti_id_key OR a.member_id = b.member_id)
            AND a.held_from < COALESCE(b.held_until, '9999-12-31T00:00:00+00:00') AND b.held_from < COALESCE(a.held_until, '9999-12-31T00:00:00+00:00')";
        assert_eq!(raw.count(overlapping).await, 0, "at no time were there two");
    }

    // case: I3
    async fn t5_saves_that_cross_each_other_leave_each_number_with_one(app) {
        let app = Arc::new(app);
        let (_, people) = cti::desk(&app, "desk", &["kim", "lee", "park"]).await;
        let token = app.owner().token().await;
        let start = people.iter().enumerate().map(|(place, one)| entry(one, 0, &format!("i{place}"), &format!("100{place}"))).collect();
        patient(&app, &token, all(start)).await;

        let crowd: Vec<_> = (0..24).map(|turn| {
            let pair = [(0, 1), (1, 2), (2, 0)][turn % 3];
            let (app, token, people) = (app.clone(), token.clone(), people.clone());
            tokio::spawn(async move {
                // Reads what the two have, and has them swap it.
                let query = "query Q { ctiAgents { nodes { ctiId ctiNumber version } } }";
                let now = app.ask(Some(&token), query, json!({})).await.json["data"]["ctiAgents"]["nodes"].clone();
                let take = |of: usize, from: usize| entry(&people[of], now[of]["version"].as_i64().unwrap(), now[from]["ctiId"].as_str().unwrap(), now[from]["ctiNumber"].as_str().unwrap());
                let payload = patient(&app, &token, all(vec![take(pair.0, pair.1), take(pair.1, pair.0)])).await.json["data"]["ctiAgentUpdateMany"].clone();
                codes(&payload)
            })
        }).collect();
        let mut done = 0;
        for one in crowd {
            let codes = one.await.unwrap();
            done += usize::from(codes.is_empty());
            assert!(codes.iter().all(|code| code.starts_with("STALE_VERSION") || code.contains("_TAKEN")), "{codes:?}");
        }

        assert!(done >= 1);
        let held = held(&mut Raw::admin(&app).await).await;
        let mut numbers: Vec<_> = held.values().map(|(_, number)| number.clone()).collect();
        numbers.sort();
        assert_eq!(numbers, ["1000", "1001", "1002"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t4_of_fifty_who_want_one_number_on_two_servers_one_gets_it() {
    // case: I3
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let other = Arc::new(app.second_server().await);
    crowd(&[Arc::new(app), other]).await;
}
