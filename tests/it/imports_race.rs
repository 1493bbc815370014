//! Whoever gives an import up at the instant at which its night comes: one of the two has his way, and never both. Twelve
//! rounds here; `ORGDESK_RACE_ROUNDS=500` for as many as it takes to believe it.

use std::time::Duration;

use orgdesk::kernel::Random;
use serde_json::json;

use crate::{
    both,
    support::{
        app::instant,
        imports::{self, In, fill, import, on, template, with},
        make,
        raw::Raw,
    },
};

/// How many rounds there are.
fn rounds() -> u64 {
    let given = std::env::var("ORGDESK_RACE_ROUNDS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(12)
}

both! {
    async fn m6_who_gives_up_and_who_begins_at_once_never_both_have_their_way(app) {
        // case: F6
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let (other, random) = (app.second_server().await, Random::seeded(19));
        let mut deleted = 0;
        for round in 0..rounds() {
            let subject = format!("{round}");
            let row = with(&[("subject", In::Text(&subject))]);
            let id = imports::reserved(&app, app.owner(), &desk.id, &fill(&template, &[&row])).await;
            let waiting = import(app.owner(), &id).await;
            app.go_to(&instant(waiting["dueAt"]["at"].as_str().unwrap()).to_rfc3339());
            let token = app.owner().token().await;
            let owner = app.bearing(&token);
            // Now on the same server, now on another. It takes a job some milliseconds to be begun, so that who gives up comes later.
            let runner = if round % 2 == 0 { &app } else { &other };
            let [one, two] = [random.below(40_000), random.below(5_000)].map(Duration::from_micros);
            let give_up = async {
                tokio::time::sleep(one).await;
                owner.payload(imports::DELETE, on(&waiting, json!({}))).await
            };
            let begin = async {
                tokio::time::sleep(two).await;
                runner.run_due().await;
            };
            let (payload, ()) = tokio::join!(give_up, begin);
            app.run_due().await;

            let state = import(app.owner(), &id).await["state"].as_str().unwrap().to_owned();
            let told = payload["userErrors"][0]["code"].as_str().unwrap_or("done");
            match (&*state, told) {
                ("DELETED", "done") => deleted += 1,
                ("COMPLETED", "IMPORT_NOT_RESERVED") => {}
                other => panic!("round {round}: {other:?}"),
            }
            let late = app.owner().problems(imports::DELETE, on(&waiting, json!({}))).await;
            assert_eq!(late, ["IMPORT_NOT_RESERVED at id"], "afterwards nobody gives it up");
        }
        let mut raw = Raw::admin(&app).await;
        assert_eq!(raw.count("import WHERE state = 'COMPLETED'").await, rounds() - deleted);
        assert_eq!(raw.count("ticket").await, rounds() - deleted, "a ticket for each that was done, and none for those given up");
        println!("{deleted} of {} were given up", rounds());
    }
}
