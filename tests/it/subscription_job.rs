//! The live progress of work: what is told is what the database holds, to whom may know it, for as long as he may.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        imports::{self, GOOD, fill, import, template},
        make::{self, Made},
        people,
        progress::{absent, counts, follow, give_up, is_logged_once, job, not_found, waiting_import},
        raw::Raw,
        socket::{PROGRESS, Server, patient, watchful},
    },
};

/// One o'clock of the day after the one on which tests begin.
const NIGHT: &str = "2026-11-11T01:00:00+09:00";

/// A service in use, and its template.
async fn desk(app: &TestApp) -> (Made, Vec<u8>) {
    let desk = make::in_use(app.owner(), "desk", 3).await;
    let template = template(app, app.owner(), &desk.id).await;
    (desk, template)
}

both! {
    async fn m7_progress_comes_in_order_and_is_what_the_database_holds_whichever_server_works(app) {
        let (desk, template) = desk(&app).await;
        let id = imports::reserved(&app, app.owner(), &desk.id, &fill(&template, &vec![GOOD; 600])).await;
        let worker = app.second_server().await;
        let app = watchful(app);
        let server = Server::start(&app, patient()).await;
        app.go_to("2026-11-11T00:59:59+09:00");
        let mut client = server.let_in(&app.owner().token().await).await;
        let first = follow(&mut client, &id).await;
        assert_eq!(counts(job(&first)), json!(["WAITING", 0, 600, 0]), "of its night, nothing is done: {first}");
        let waits = import(app.owner(), &id).await;
        assert_eq!(counts(&waits["job"]), counts(job(&first)));
        assert_eq!(first["payload"]["extensions"]["cost"]["actualQueryCost"], 2, "{first}");
        app.go_to(NIGHT);

        // Whoever is told of rows finds as many in the database.
        let told = async {
            let mut raw = Raw::admin(&app).await;
            let mut events = Vec::new();
            loop {
                let said = client.said().await;
                if said["type"] == "complete" {
                    return events;
                }
                let job = job(&said).clone();
                let done = job["doneCount"].as_u64().unwrap();
                assert!(raw.count("ticket").await >= done, "{job}");
                events.push(job);
            }
        };
        let (_, events) = tokio::join!(worker.run_due(), told);

        let states: Vec<_> = events.iter().map(|job| job["state"].as_str().unwrap()).collect();
        assert_eq!(states.iter().filter(|state| **state == "DONE").count(), 1, "{states:?}");
        assert!(states.len() > 1 && states[..states.len() - 1].iter().all(|state| *state == "RUNNING"), "{states:?}");
        assert!(events.windows(2).all(|pair| pair[0]["doneCount"].as_i64() <= pair[1]["doneCount"].as_i64()), "{events:?}");
        let last = events.last().unwrap();
        let now = import(app.owner(), &id).await;
        assert_eq!((counts(last), counts(&now["job"])), (json!(["DONE", 600, 600, 0]), counts(last)));
        assert!(last["file"]["url"].is_string(), "{last}");
        assert_eq!(app.app.watches.count(), 0, "nobody looks any more");
    }

    async fn m7_work_that_is_over_is_told_once(app) {
        let app = watchful(app);
        let (desk, template) = desk(&app).await;
        let id = imports::draft(&app, app.owner(), &desk.id, &fill(&template, &[GOOD])).await;
        let server = Server::start(&app, patient()).await;
        let mut client = server.let_in(&app.owner().token().await).await;

        client.subscribe("1", PROGRESS, json!({ "id": id })).await;
        let events = client.events("1", "jobProgress").await;
        client.subscribe("1", PROGRESS, json!({ "id": id })).await;
        let again = client.events("1", "jobProgress").await;

        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(counts(&events[0]), json!(["DONE", 1, 1, 0]));
        assert_eq!(counts(&again[0]), counts(&events[0]), "its ID is free again");
    }

    async fn m7_all_who_follow_are_told_and_whoever_has_enough_is_not(app) {
        let app = watchful(app);
        let id = waiting_import(&app).await;
        let server = Server::start(&app, patient()).await;
        let mut one = server.let_in(&app.owner().token().await).await;
        let mut other = server.let_in(&app.administrator().token().await).await;
        one.subscribe("b", PROGRESS, json!({ "id": id })).await;
        assert_eq!(job(&one.said().await)["state"], "WAITING");
        for client in [&mut one, &mut other] {
            client.subscribe("a", PROGRESS, json!({ "id": id })).await;
            assert_eq!(job(&client.said().await)["state"], "WAITING");
        }
        assert_eq!(app.app.watches.count(), 1, "one look for all of them");
        one.say(json!({ "type": "complete", "id": "a" })).await;

        give_up(&app, &id).await;

        for (client, name) in [(&mut one, "b"), (&mut other, "a")] {
            let events = client.events(name, "jobProgress").await;
            assert_eq!(events.iter().map(|job| &job["state"]).collect::<Vec<_>>(), ["CANCELED"]);
        }
        one.say(json!({ "type": "ping" })).await;
        assert_eq!(one.said().await, json!({ "type": "pong" }), "nothing more of the one that was completed");
    }

    // case: A1
    async fn a3_anothers_work_is_work_that_does_not_exist(app) {
        let id = waiting_import(&app).await;
        let server = Server::start(&app, patient()).await;
        let mut rival = server.let_in(&app.rival().token().await).await;
        let ids = [id.as_str(), &absent(&id), "imp_x", "", "svc_7zzzzzzzzzzzzzzzzzzzzzzzzz", "'\u{0}"];

        let told = not_found(&mut rival, &ids).await;

        assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
        assert_eq!(app.app.watches.count(), 0);
    }

    async fn a2_whoever_may_not_see_imports_follows_none_and_that_is_logged(app) {
        let id = waiting_import(&app).await;
        let server = Server::start(&app, patient()).await;
        let mut member = server.let_in(&app.member().token().await).await;

        member.subscribe("1", PROGRESS, json!({ "id": id })).await;

        assert_eq!(member.refusal().await, "error FORBIDDEN");
        is_logged_once(&app, "IMPORT_READ").await;
    }

    async fn a4_a_right_that_is_taken_away_ends_what_is_told(app) {
        let app = watchful(app);
        let id = waiting_import(&app).await;
        let server = Server::start(&app, patient()).await;
        let mut client = server.let_in(&app.administrator().token().await).await;
        follow(&mut client, &id).await;
        let admin = people::member(app.owner(), "admin").await;
        app.owner().deed("adminRemove(id: $id, input: $input)", people::on(&admin, json!({}))).await;

        give_up(&app, &id).await;

        let said = client.said().await;
        assert_eq!((&said["type"], &said["payload"]["data"]), (&json!("next"), &Value::Null), "{said}");
        assert_eq!(said["payload"]["errors"][0]["extensions"]["code"], "FORBIDDEN", "{said}");
        assert_eq!(client.said().await, json!({ "type": "complete", "id": "1" }));
    }

    async fn a4_a_member_who_was_removed_is_told_nothing_more(app) {
        let app = watchful(app);
        let id = waiting_import(&app).await;
        let server = Server::start(&app, patient()).await;
        let mut client = server.let_in(&app.administrator().token().await).await;
        follow(&mut client, &id).await;
        let admin = people::member(app.owner(), "admin").await;
        app.owner().deed("memberRemove(id: $id, input: $input)", people::on(&admin, json!({}))).await;

        give_up(&app, &id).await;

        assert_eq!(client.refusal().await, "next UNAUTHENTICATED");
        assert_eq!(client.said().await["type"], "complete");
    }
}
