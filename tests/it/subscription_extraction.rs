//! The live progress of an extraction: told to whoever asked for it, and to nobody else.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        extraction::{extraction, fetch, requested},
        partner, people,
        progress::{absent, counts, follow, is_logged_once, job, not_found},
        socket::{PROGRESS, Server, patient, watchful},
        ticket::desk,
    },
};

/// The ID of an extraction of the owner's that waits to be made.
async fn waiting(app: &TestApp) -> String {
    requested(app.owner(), json!({ "members": {} }), json!({})).await
}

both! {
    async fn m7_an_extraction_is_followed_from_its_request_to_its_file_whichever_server_works(app) {
        let id = waiting(&app).await;
        let worker = app.second_server().await;
        let app = watchful(app);
        let server = Server::start(&app, patient()).await;
        let mut client = server.let_in(&app.owner().token().await).await;
        let first = job(&follow(&mut client, &id).await).clone();
        assert_eq!((counts(&first), &first["file"]), (json!(["WAITING", 0, null, 0]), &Value::Null));

        let (_, events) = tokio::join!(worker.run_due(), client.events("1", "jobProgress"));

        let (last, between) = events.split_last().unwrap();
        assert!(between.iter().all(|job| job["state"] == "RUNNING" && job["file"].is_null()), "{events:?}");
        assert_eq!(counts(last), json!(["DONE", 3, 3, 0]));
        let made = extraction(app.owner(), &id).await;
        assert_eq!((counts(last), &last["expiresAt"]), (json!([made["job"]["state"], made["job"]["doneCount"], made["job"]["totalCount"], 0]), &made["expiresAt"]));
        assert_eq!(app.app.watches.count(), 0, "nobody looks any more");
        assert_eq!(fetch(&app, last["file"]["url"].as_str().unwrap()).await.status, 200, "the last event has the link");
    }

    async fn m7_an_extraction_that_is_over_is_told_once(app) {
        let id = waiting(&app).await;
        app.run_due().await;
        let server = Server::start(&app, patient()).await;
        let mut client = server.let_in(&app.owner().token().await).await;

        client.subscribe("1", PROGRESS, json!({ "id": id })).await;

        let events = client.events("1", "jobProgress").await;
        assert_eq!(events.iter().map(counts).collect::<Vec<_>>(), [json!(["DONE", 3, 3, 0])]);
    }

    async fn m7_why_an_extraction_fails_is_told(app) {
        let app = watchful(app);
        desk(&app, "desk").await;
        let manager = app.someone("acme", "manager");
        app.wait(chrono::Duration::seconds(1));
        let id = requested(manager, json!({ "agents": {} }), json!({})).await;
        let server = Server::start(&app, patient()).await;
        let mut client = server.let_in(&manager.token().await).await;
        assert_eq!(job(&follow(&mut client, &id).await)["state"], "WAITING");
        app.wait(chrono::Duration::seconds(1));
        let member = people::member(app.owner(), "manager").await;
        app.owner().deed(people::ADD, people::of(&member)).await;

        app.run_due().await;

        let events = client.events("1", "jobProgress").await;
        let last = events.last().unwrap();
        assert_eq!((&last["state"], &last["file"]), (&json!("FAILED"), &Value::Null));
        assert_eq!(last["message"], extraction(manager.speaking("ko"), &id).await["failure"]["message"]);
        assert!(last["message"].as_str().is_some_and(|text| !text.is_empty()));
    }

    // case: A1
    async fn a3_anothers_extraction_is_one_that_does_not_exist(app) {
        let id = waiting(&app).await;
        let server = Server::start(&app, patient()).await;
        let mut told = Vec::new();

        for who in [app.administrator(), app.member(), app.rival()] {
            let mut client = server.let_in(&who.token().await).await;
            told.extend(not_found(&mut client, &[&id, &absent(&id), "ext_x", "ext_", "ext_\u{0}"]).await);
        }

        assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
        assert_eq!(app.app.watches.count(), 0);
    }

    async fn a2_a_partner_system_follows_no_extraction_and_that_is_logged(app) {
        let id = waiting(&app).await;
        let key = partner::key(app.owner(), &["SERVICE_READ"]).await;
        let server = Server::start(&app, patient()).await;
        let mut client = server.let_in(&partner::token(&app, &key).await).await;

        client.subscribe("1", PROGRESS, json!({ "id": id })).await;

        assert_eq!(client.refusal().await, "error FORBIDDEN");
        is_logged_once(&app, "EXTRACTION_READ").await;
    }

    async fn a4_who_was_removed_is_told_nothing_more_of_his_extraction(app) {
        let app = watchful(app);
        let id = requested(app.administrator(), json!({ "members": {} }), json!({})).await;
        let server = Server::start(&app, patient()).await;
        let mut client = server.let_in(&app.administrator().token().await).await;
        follow(&mut client, &id).await;
        let admin = people::member(app.owner(), "admin").await;

        // His extraction ends with him, which makes an event.
        app.owner().deed("memberRemove(id: $id, input: $input)", people::on(&admin, json!({}))).await;

        assert_eq!(client.refusal().await, "next UNAUTHENTICATED");
        assert_eq!(client.said().await["type"], "complete");
    }
}
