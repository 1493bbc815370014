//! How an import ends that nobody carries further: its file could not be looked through, or was not confirmed in time.

use std::{path::Path, sync::Arc};

use orgdesk::kernel::{App, StoppedClock};
use serde_json::json;

use crate::{
    both,
    support::{
        app::{BEGIN, TestApp, instant},
        imports::{self, CONFIRM, GOOD, In, agreed, fill, import, looked_through, template, uploaded, with},
        make,
        raw::Raw,
    },
};

/// How many confirmations race with the end of their hour; `ORGDESK_RACE_ROUNDS=200` for as many as it takes to believe it.
fn rounds() -> usize {
    let given = std::env::var("ORGDESK_RACE_ROUNDS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(8)
}

/// Runs what is due for two hours: long enough for twelve attempts with all their pauses.
async fn two_hours(app: &TestApp) {
    for _ in 0..40 {
        app.run_due().await;
        app.wait(chrono::Duration::minutes(3));
    }
}

both! {
    async fn m2_a_file_that_nobody_could_look_through_is_refused_and_can_be_sent_again(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let file = fill(&template(&app, app.owner(), &desk.id).await, &[GOOD]);
        let program = app.app.program.clone();
        // Its reader can't be started.
        let app = app.changed(|app| App { program: Path::new("/nowhere/orgdesk").into(), ..app });
        let sent = uploaded(app.owner(), &desk.id, &file).await;
        let id = sent["id"].as_str().unwrap();

        two_hours(&app).await;

        let refused = import(app.owner(), id).await;
        assert_eq!((&refused["state"], &refused["refusal"]["code"], &refused["job"]["state"]), (&json!("REFUSED"), &json!("FILE_NOT_CHECKED"), &json!("FAILED")), "{refused}");
        assert_eq!((&refused["hasFile"], app.app.store.list("imports").await.unwrap().len()), (&json!(false), 0), "its file is gone");
        assert_eq!(app.letters().len(), 0, "nobody waits for a letter");
        let message = refused["refusal"]["message"].as_str().unwrap();
        assert!(message.ends_with("upload the file again, or ask the operator."), "{message}");
        let app = app.changed(|app| App { program, ..app });
        let again = looked_through(&app, app.owner(), &desk.id, &file).await;
        assert_eq!(again["state"], "DRAFT", "the same file is taken");
        orgdesk::operate::revive_jobs(&app.app).await.unwrap();
        app.run_due().await;
        assert_eq!(import(app.owner(), id).await["state"], "REFUSED", "what is refused stays so");
    }

    async fn m4_whoever_confirms_in_the_last_instant_keeps_the_file_or_is_told_that_it_is_too_late(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let clock = StoppedClock::at(instant(BEGIN));
        let sweeper = app.second_server().await.changed(|app| App { clock: Arc::new(clock.clone()), ..app });
        let (mut kept, mut late) = (0, 0);
        for round in 0..rounds() {
            let subject = format!("{round}");
            let id = imports::draft(&app, app.owner(), &desk.id, &fill(&template, &[&with(&[("subject", In::Text(&subject))])])).await;
            let draft = import(app.owner(), &id).await;
            let end = instant(draft["expiresAt"].as_str().unwrap());
            // Two servers whose clocks are a millisecond apart: to one it is time still, to the other it is over.
            app.clock.set(end - chrono::Duration::milliseconds(1));
            clock.set(end);
            let owner = app.owner();
            let confirm = owner.payload(CONFIRM, agreed(&draft, "ALL_OR_NOTHING"));
            let (payload, _) = if round % 2 == 0 {
                tokio::join!(confirm, sweeper.run_due())
            } else {
                let (begun, payload) = tokio::join!(sweeper.run_due(), confirm);
                (payload, begun)
            };
            let import = import(app.owner(), &id).await;
            let is_there = app.app.store.list("imports").await.unwrap().iter().any(|path| path.ends_with(id.trim_start_matches("imp_")));
            match import["state"].as_str().unwrap() {
                "RESERVED" => {
                    kept += 1;
                    assert_eq!((&import["hasFile"], is_there, &payload["userErrors"]), (&json!(true), true, &json!([])), "round {round}");
                }
                "EXPIRED" => {
                    late += 1;
                    assert_eq!((is_there, &payload["userErrors"][0]["code"]), (false, &json!("IMPORT_EXPIRED")), "round {round}: {payload}");
                }
                other => panic!("round {round}: {other}"),
            }
            app.clock.set(end);
        }
        app.run_due().await;
        assert_eq!(kept + late, rounds());
        assert_eq!(Raw::admin(&app).await.count("import WHERE has_file AND state <> 'RESERVED'").await, 0);
        println!("{kept} were kept, {late} came too late");
    }
}
