//! Where pictures are kept: a folder and a real S3 server do the same; quota, dry runs, failures and an unreachable
//! store leave as many files as rows.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use orgdesk::kernel::{App, Clock, PictureId, Settings};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, codes},
        bucket::{self, Server},
        picture::{files, id, path, png, refused, rows, send, uploaded},
        raw::Raw,
    },
};

/// What every store has to do: keep, show, keep once, and let go.
async fn keeps_shows_and_lets_go(app: &TestApp) {
    let owner = app.owner();
    let (first, second) = (uploaded(owner, &png(1)).await, uploaded(owner, &png(2)).await);
    let same = uploaded(app.administrator(), &png(1)).await;
    uploaded(app.rival(), &png(1)).await;
    assert_eq!(id(&first), id(&same));
    assert_eq!((files(&app.app).await, rows(app).await.len()), (rows(app).await, 3));
    for picture in [&first, &second] {
        let answer = app.send(Request::get(path(picture)).body(Body::empty()).unwrap()).await;
        assert_eq!(
            (answer.status, picture["byteSize"].as_u64()),
            (200, Some(answer.bytes.len() as u64))
        );
        let head = app
            .send(Request::head(path(picture)).body(Body::empty()).unwrap())
            .await;
        assert_eq!(
            (head.status, &head.headers["content-type"]),
            (200, &answer.headers["content-type"])
        );
    }
    let data = owner.data("{ organization { id } }", json!({})).await;
    let input = json!({ "expectedVersion": 1, "mainLogoId": first["id"] });
    owner
        .deed(
            "organizationUpdate(id: $id, input: $input)",
            json!({ "id": data["organization"]["id"], "input": input }),
        )
        .await;
    app.wait(chrono::Duration::hours(25));
    app.run_due().await;
    assert_eq!(files(&app.app).await, rows(app).await);
    assert_eq!(
        files(&app.app).await,
        [path(&first).strip_prefix("/pictures/").unwrap()]
    );
    let gone = app.send(Request::get(path(&second)).body(Body::empty()).unwrap()).await;
    assert_eq!(gone.status, 404);
}

both! {
    // case: H5
    async fn o3_pictures_are_kept_in_a_folder(app) {
        keeps_shows_and_lets_go(&app).await;
    }

    // case: H5
    async fn o3_pictures_are_kept_in_a_bucket(app) {
        let server = Server::start().await;
        let app = app.changed(|app| App { store: server.store(), ..app });

        keeps_shows_and_lets_go(&app).await;
    }

    async fn o3_a_store_that_does_not_answer_changes_nothing_and_says_so(app) {
        let kept = uploaded(app.owner(), &png(1)).await;
        let server = Server::start().await;
        let mut raw = Raw::admin(&app).await;
        let own = app.app.store.clone();
        let mut app = app;
        for store in [bucket::nowhere(), server.store_of_a_stranger()] {
            let before = raw.dump().await;
            app = app.changed(|app| App { store, ..app });

            let answer = send(app.owner(), "logo.png", &png(2), json!({})).await;
            let shown = app.send(Request::get(path(&kept)).body(Body::empty()).unwrap()).await;

            assert_eq!(answer.code(), "STORAGE_UNAVAILABLE", "{}", answer.text);
            assert_eq!(answer.json["errors"][0]["extensions"]["retryAfter"], 5);
            assert!(!answer.text.contains("127.0.0.1") && !answer.text.contains("AKTESTS"), "{}", answer.text);
            assert_eq!((shown.status, &shown.headers["retry-after"]), (503, &"5".parse().unwrap()));
            let mut after = raw.dump().await;
            for table in ["session", "refresh_token", "audit_entry"] {
                after.insert(table.to_owned(), before[table].clone());
            }
            assert!(after == before, "nothing was changed");
        }
        app.wait(chrono::Duration::hours(30));
        app.run_due().await;
        let waiting = raw.texts("SELECT state FROM job_outbox WHERE kind = 'picture-sweep'").await;
        assert_eq!(waiting, ["WAITING"], "the sweep comes again");
        let app = app.changed(|app| App { store: own, ..app });
        uploaded(app.owner(), &png(2)).await;
    }

    // case: H5
    async fn h5_a_dry_run_and_a_deed_that_fails_leave_nothing(app) {
        let dry = send(app.owner(), "logo.png", &png(1), json!({ "dryRun": true })).await;
        assert_eq!(dry.json["data"]["pictureUpload"]["userErrors"], json!([]), "{}", dry.text);
        assert_eq!(dry.json["data"]["pictureUpload"]["picture"]["width"], 24);
        assert_eq!((files(&app.app).await.len(), rows(&app).await.len()), (0, 0));
        let mut raw = Raw::admin(&app).await;
        raw.must(if raw.is_postgres() {
            "ALTER TABLE picture ADD CHECK (width <> 24)"
        } else {
            "CREATE TRIGGER full BEFORE INSERT ON picture BEGIN SELECT RAISE(ABORT, 'full'); END"
        }).await;

        let failed = send(app.owner(), "logo.png", &png(1), json!({})).await;
        let nobody = app.member().ask_with("mutation M($input: PictureUploadInput!) { pictureUpload(input: $input) { userErrors { code } } }",
            json!({ "input": { "file": null } }), &[("input.file", "logo.png", &png(1))]).await;

        assert_eq!((failed.code(), nobody.code()), ("INTERNAL", "FORBIDDEN"), "{} {}", failed.text, nobody.text);
        assert_eq!((files(&app.app).await.len(), rows(&app).await.len()), (0, 0));
    }

    // case: H5
    async fn h5_an_organization_keeps_its_quota_however_many_send_at_once(app) {
        let quota = 1024 * 1024;
        let app = app.changed(|app| App { settings: Arc::new(Settings { picture_quota: quota, ..(*app.settings).clone() }), ..app });
        let second = app.second_server().await;
        let large = |seed: u32| crate::support::picture::file(image::ImageFormat::Png, 330, 330, seed);
        let token = app.owner().token().await;
        let query = "mutation M($input: PictureUploadInput!) { pictureUpload(input: $input) { picture { byteSize } userErrors { code field message } } }";
        let each = {
            let seeds = 0..10_u32;
            let sent = seeds.map(|seed| {
                let (server, token) = (if seed % 2 == 0 { &app } else { &second }, token.clone());
                let content = large(seed);
                async move {
                    server.send_files([127, 0, 0, 1], "en", Some(&token), query, json!({ "input": {} }), &[("input.file", "a.png", &content)]).await
                }
            });
            futures_util::future::join_all(sent).await
        };

        let mut held = 0;
        let mut refusals = Vec::new();
        for answer in &each {
            assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
            let payload = &answer.json["data"]["pictureUpload"];
            held += payload["picture"]["byteSize"].as_u64().unwrap_or(0);
            refusals.extend(codes(payload));
        }
        assert!(held <= quota && held + 400 * 1024 > quota, "{held}");
        assert!(!refusals.is_empty() && refusals.iter().all(|code| code == "PICTURE_QUOTA_REACHED at input.file"), "{refusals:?}");
        assert_eq!(files(&app.app).await, rows(&app).await);
        let again = refused(app.owner(), "a.png", &large(99)).await;
        assert_eq!(again, ["PICTURE_QUOTA_REACHED at input.file"]);
        uploaded(app.rival(), &png(1)).await;
    }

    // case: H5
    async fn h5_bytes_without_a_row_are_swept_and_nothing_else_is(app) {
        let owner = app.owner();
        let kept = uploaded(owner, &png(1)).await;
        let name = path(&kept).strip_prefix("/pictures/").unwrap().to_owned();
        let folder = format!("pictures/{}", &name[..26]);
        let orphan = |at: chrono::DateTime<chrono::Utc>| {
            let made = uuid::Builder::from_unix_timestamp_millis(at.timestamp_millis().unsigned_abs(), &[7; 10]);
            let made = PictureId(made.into_uuid()).to_string();
            format!("{}-{}-{}", &name[..26], made.strip_prefix("pic_").unwrap(), &name[54..])
        };
        // A server fell after it had written one, and another is about to write a row; and there is nobody's file.
        let (begin, later) = (app.clock.now().0, app.clock.now().0 + chrono::Duration::hours(25));
        let (old, new, odd) = (orphan(begin), orphan(later), "notes.txt".to_owned());
        for file in [&old, &new, &odd] {
            app.app.store.put(&format!("{folder}/{file}"), "bytes".into(), "image/png").await.unwrap();
        }
        let data = owner.data("{ organization { id } }", json!({})).await;
        let input = json!({ "expectedVersion": 1, "mainLogoId": kept["id"] });
        owner.deed("organizationUpdate(id: $id, input: $input)", json!({ "id": data["organization"]["id"], "input": input })).await;

        app.wait(chrono::Duration::hours(25));
        app.run_due().await;

        let left = files(&app.app).await;
        assert!(left.contains(&name) && left.contains(&odd) && left.contains(&new), "{left:?}");
        assert!(!left.contains(&old), "{left:?}");
    }

    // case: H5
    async fn h5_the_sweep_takes_nothing_that_is_used_again_meanwhile(app) {
        let owner = app.owner();
        let query = "mutation M($input: PictureUploadInput!) { pictureUpload(input: $input) { picture { id url } userErrors { code } } }";
        let mut swept = 0;
        for seed in 0..6 {
            let content = png(seed);
            let first = uploaded(owner, &content).await;
            app.wait(chrono::Duration::hours(25));
            let token = owner.token().await;
            let send = app.send_files([127, 0, 0, 1], "en", Some(&token), query, json!({ "input": {} }), &[("input.file", "a.png", &content)]);

            let (answer, _) = tokio::join!(send, app.run_due());

            let answer = if answer.code() == "none" { answer } else {
                assert_eq!(answer.code(), "THROTTLED", "{}", answer.text);
                app.send_files([127, 0, 0, 1], "en", Some(&token), query, json!({ "input": {} }), &[("input.file", "a.png", &content)]).await
            };
            let picture: &Value = &answer.json["data"]["pictureUpload"]["picture"];
            let shown = app.send(Request::get(path(picture)).body(Body::empty()).unwrap()).await;
            assert_eq!(shown.status, 200, "{}", answer.text);
            swept += usize::from(id(picture) != id(&first));
            app.run_due().await;
            for row in rows(&app).await {
                assert!(files(&app.app).await.contains(&row), "a row without its file");
            }
        }
        println!("{swept} of 6 were swept before they were used again");
    }
}
