//! Many imports at once: a few are at work at a time, a large one keeps no small one waiting, and nobody who writes meanwhile
//! is kept from it. Twelve organizations here; `ORGDESK_TEST_ORGANIZATIONS=200` for as many as it takes to believe it.

use std::{collections::BTreeSet, time::Duration};

use orgdesk::{
    operate::{self, Person},
    worker,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    both,
    support::{
        app::{PASSWORD, TestApp},
        imports::{self, GOOD, fill, template},
        ledger::texts,
        make::{self, Made},
    },
};

/// One o'clock of the day after the one on which tests begin.
const NIGHT: &str = "2026-11-11T01:00:00+09:00";

/// How many organizations have something to import, beside the one that has much.
fn organizations() -> usize {
    let given = std::env::var("ORGDESK_TEST_ORGANIZATIONS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(12)
}

/// An import of Acme's with so many rows that waits for its night; its service.
async fn large(app: &TestApp, rows: usize) -> Made {
    let desk = make::in_use(app.owner(), "desk", 1).await;
    let file = fill(&template(app, app.owner(), &desk.id).await, &vec![GOOD; rows]);
    imports::reserved(app, app.owner(), &desk.id, &file).await;
    desk
}

/// Organizations with an import each that waits for the same night.
async fn small_ones(app: &TestApp) {
    let password_hash = operate::hash_password(&app.app, PASSWORD).await.unwrap();
    for number in 0..organizations() {
        let domain = format!("small{number}");
        let owner = Person {
            login: "owner".to_owned(),
            name: "소유자".to_owned(),
            email: "owner@example.com".to_owned(),
            password_hash: password_hash.clone(),
            is_administrator: false,
        };
        operate::create_organization(&app.app, &domain, &domain, "Asia/Seoul", owner)
            .await
            .unwrap();
        let token = app.someone(&domain, "owner").token().await;
        let owner = app.bearing(&token);
        let desk = make::in_use(owner, "desk", 1).await;
        let file = fill(&template(app, owner, &desk.id).await, &[GOOD; 20]);
        imports::reserved(app, owner, &desk.id, &file).await;
    }
}

/// How many imports are at work and how many small ones are over; the state of the large one, and how many tickets it has brought.
async fn look(app: &TestApp) -> (usize, usize, String, usize) {
    let of = "SELECT state || ' ' || CAST(inserted_count AS TEXT) || ' ' || CAST(row_count AS TEXT) FROM import";
    let lines = texts(app, of).await;
    let parts: Vec<Vec<&str>> = lines.iter().map(|line| line.split(' ').collect()).collect();
    let is_large = |line: &&Vec<&str>| line[2] != "20";
    let running = parts.iter().filter(|line| line[0] == "RUNNING").count();
    let over = parts
        .iter()
        .filter(|line| line[0] == "COMPLETED" && !is_large(line))
        .count();
    let large = parts.iter().find(is_large).unwrap();
    (running, over, large[0].to_owned(), large[1].parse().unwrap())
}

both! {
    async fn m5_many_organizations_at_once_are_served_a_few_at_a_time_and_none_waits_for_a_large_one(app) {
        // case: F12
        large(&app, 4_000).await;
        small_ones(&app).await;
        app.go_to(NIGHT);

        let stop = CancellationToken::new();
        let working = tokio::spawn(worker::work(app.app.clone(), stop.clone()));
        let (mut most, mut beside_the_large) = (0, 0);
        for round in 0.. {
            let (running, over, large, _) = look(&app).await;
            most = most.max(running);
            if large != "COMPLETED" {
                beside_the_large = over;
            } else if over == organizations() {
                break;
            }
            assert!(round < 120_000, "{over} of {}, the large one {large}", organizations());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
        working.await.unwrap();

        // Two at a time; on a slow machine the large one has had its turn meanwhile, and waits for its next.
        assert!((1..=3).contains(&most), "{most} were at work at once");
        assert!(beside_the_large >= 4, "only {beside_the_large} were done beside the large one");
        let tickets = "SELECT CAST(count(*) AS TEXT) || ' ' || CAST(count(DISTINCT organization_id) AS TEXT) FROM ticket";
        assert_eq!(texts(&app, tickets).await, [format!("{} {}", 4_000 + 20 * organizations(), 1 + organizations())]);
        println!("{most} at once, {beside_the_large} of {} were over before the large one", organizations());
    }

    async fn m5_whoever_writes_while_a_large_import_is_at_work_is_let_in_between_its_parts(app) {
        // case: F13
        let desk = large(&app, 3_000).await;
        let beside = make::in_use(app.rival(), "desk", 1).await;
        let mut services = Vec::new();
        for (who, made) in [(app.owner(), &desk), (app.rival(), &beside)] {
            let (version, _) = make::versions(who, made).await;
            services.push((made.id.clone(), version));
        }
        app.go_to(NIGHT);
        let tokens = [app.owner().token().await, app.rival().token().await];

        let stop = CancellationToken::new();
        let working = tokio::spawn(worker::work(app.app.clone(), stop.clone()));
        let (mut between, mut writes) = (BTreeSet::new(), 0);
        for round in 0_usize.. {
            let (_, _, large, inserted) = look(&app).await;
            if large == "COMPLETED" {
                break;
            }
            let place = round % 2;
            let (service, version) = &mut services[place];
            let input = json!({ "expectedVersion": *version, "name": format!("창구 {round}") });
            let update = "serviceUpdate(id: $id, input: $input) => service { version }";
            let done = app.bearing(&tokens[place]).payload(update, json!({ "id": service, "input": input })).await;
            assert_eq!(done["userErrors"], json!([]), "round {round}");
            *version = done["service"]["version"].as_i64().unwrap();
            writes += 1;
            if large == "RUNNING" && inserted > 0 {
                between.insert(inserted);
            }
            assert!(round < 100_000);
        }
        stop.cancel();
        working.await.unwrap();

        assert!(between.len() >= 3, "somebody wrote after the parts {between:?} only");
        assert!(between.iter().zip(between.iter().skip(1)).all(|(one, next)| (next - one) % 25 == 0), "{between:?}");
        assert_eq!(texts(&app, "SELECT CAST(count(*) AS TEXT) FROM ticket").await, ["3000"]);
        println!("{writes} writes, between {} parts", between.len());
    }
}
