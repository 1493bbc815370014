//! Pictures as an organization uses them: its main logo, banners of services, the logo of company information; and how
//! browsers load them.

use std::collections::BTreeSet;

use axum::{body::Body, http::Request};
use image::ImageFormat;
use orgdesk::kernel::upload;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, codes},
        make,
        picture::{file, files, id, path, png, rows, send, set_logo, uploaded},
        surface::Surface,
    },
};

const LOGO: &str = "{ organization { id version product { mainLogo { id url width height mediaType } } } }";

async fn load(app: &TestApp, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::empty()).unwrap()).await
}

both! {
    async fn o3_a_main_logo_is_set_replaced_and_taken_away(app) {
        let owner = app.owner();
        let first = uploaded(owner, &png(1)).await;
        let second = uploaded(app.administrator(), &file(ImageFormat::Jpeg, 60, 20, 2)).await;

        let none = owner.data(LOGO, json!({})).await;
        set_logo(owner, first["id"].clone()).await;
        let shown = owner.data(LOGO, json!({})).await;
        let replaced = set_logo(app.administrator(), second["id"].clone()).await;
        let same = set_logo(owner, second["id"].clone()).await;
        let gone = set_logo(owner, Value::Null).await;

        assert_eq!(none["organization"]["product"]["mainLogo"], Value::Null);
        let logo = &shown["organization"]["product"]["mainLogo"];
        assert_eq!(*logo, json!({ "id": first["id"], "url": first["url"], "width": 24, "height": 16, "mediaType": "PNG" }));
        assert_eq!(replaced["organization"]["product"]["mainLogo"]["id"], second["id"]);
        assert_eq!(same["organization"]["version"], replaced["organization"]["version"], "nothing differs");
        assert_eq!(gone["organization"]["product"]["mainLogo"], Value::Null);
        let bytes = load(&app, "GET", &path(&first), &[]).await.bytes;
        assert_eq!(first["byteSize"], bytes.len());
        assert_eq!(first["sha256"], hex(&Sha256::digest(&bytes)));
    }

    async fn o3_what_is_no_picture_of_the_organization_is_not_found(app) {
        let theirs = uploaded(app.rival(), &png(1)).await;
        let owner = app.owner();
        let desk = make::draft(owner, "desk").await;

        let mut refused = vec![];
        for other in [id(&theirs), "pic_7zzzzzzzzzzzzzzzzzzzzzzzzz", desk.id.as_str(), "", "\0"] {
            let logo = set_logo(owner, json!(other)).await;
            refused.extend(codes(&logo));
            let input = json!({ "expectedVersion": 1, "bannerId": other });
            refused.extend(owner.problems("serviceUpdate(id: $id, input: $input)", json!({ "id": desk.id, "input": input })).await);
            let input = json!({ "kind": "CONSULTATION", "code": "other", "name": "Other", "bannerId": other });
            refused.extend(owner.problems("serviceCreate(input: $input)", json!({ "input": input })).await);
            let input = json!({ "title": "t", "content": content(json!(other)) });
            refused.extend(owner.problems("companyCreate(input: $input)", json!({ "input": input })).await);
        }

        let of_one = ["NOT_FOUND at input.mainLogoId", "NOT_FOUND at input.bannerId", "NOT_FOUND at input.bannerId", "NOT_FOUND at input.content.logoId"];
        assert_eq!(refused, of_one.repeat(5));
    }

    async fn s1_a_service_has_a_banner_of_its_own(app) {
        let owner = app.owner();
        let (first, second) = (uploaded(owner, &png(1)).await, uploaded(owner, &png(2)).await);
        let input = json!({ "kind": "CONSULTATION", "code": "desk", "name": "Desk", "bannerId": first["id"] });
        let made = owner.deed("serviceCreate(input: $input) => service { id version banner { id url } }", json!({ "input": input })).await;
        let update = |version: i64, banner: Value| {
            let input = json!({ "expectedVersion": version, "bannerId": banner });
            owner.deed("serviceUpdate(id: $id, input: $input) => service { version banner { id } }", json!({ "id": made["service"]["id"], "input": input }))
        };

        let replaced = update(1, second["id"].clone()).await;
        let stale = owner.problems("serviceUpdate(id: $id, input: $input)", json!({ "id": made["service"]["id"], "input": { "expectedVersion": 1, "bannerId": null } })).await;
        let gone = update(2, Value::Null).await;

        assert_eq!(made["service"]["banner"], json!({ "id": first["id"], "url": first["url"] }));
        assert_eq!(replaced["service"], json!({ "version": 2, "banner": { "id": second["id"] } }));
        assert_eq!(stale, ["STALE_VERSION at input.expectedVersion"]);
        assert_eq!(gone["service"], json!({ "version": 3, "banner": null }));
        let log = "{ auditEntries(filter: { outcome: [DONE] }) { nodes { action changes { field before after } } } }";
        let log = owner.data(log, json!({})).await.to_string();
        let shown = |picture| json!(id(picture)).to_string();
        let told = json!({ "field": "bannerId", "before": shown(&first), "after": shown(&second) }).to_string();
        assert!(log.contains(&told), "{told} in {log}");
    }

    async fn s1_banners_of_many_services_are_fetched_at_once(app) {
        let owner = app.owner();
        for seed in 0..12 {
            let banner = uploaded(owner, &png(seed)).await;
            let code = format!("desk{}", char::from(b'a' + seed as u8));
            let input = json!({ "kind": "CONSULTATION", "code": code, "name": code, "bannerId": banner["id"] });
            owner.deed("serviceCreate(input: $input)", json!({ "input": input })).await;
        }
        let token = owner.token().await;
        let before = app.app.database.statements();

        let query = "{ organization { product { mainLogo { url } } } services(first: 100) { nodes { name banner { url width } } } }";
        let answer = app.ask(Some(&token), query, json!({})).await;

        let took = app.app.database.statements() - before;
        assert!(answer.json["data"]["services"]["nodes"].as_array().unwrap().iter().all(|node| node["banner"]["width"] == 24), "{}", answer.text);
        assert!(took <= 1 + 3, "{took} statements");
    }

    async fn c1_a_help_center_shows_the_logo_of_its_company_in_one_statement(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 1).await;
        let (first, second) = (uploaded(owner, &png(1)).await, uploaded(owner, &png(2)).await);
        let input = json!({ "title": "t", "content": content(first["id"].clone()) });
        let made = owner.deed("companyCreate(input: $input) => company { id content { logoReference logo { url width height mediaType } } }", json!({ "input": input })).await;
        let company = &made["company"]["id"];
        let input = json!({ "expectedVersion": 0, "companyId": company, "isOnPc": true, "isOnMobile": true });
        owner.deed("companyPublish(id: $id, input: $input)", json!({ "id": desk.id, "input": input })).await;
        let footer = r#"{ helpCenterFooter(organization: "acme", service: "desk", device: PC) { companyName logo { url width } } }"#;

        let before = app.app.database.statements();
        let shown = app.ask(None, footer, json!({})).await;
        let took = app.app.database.statements() - before;
        app.wait(chrono::Duration::hours(1));
        for (version, logo) in [(1, second["id"].clone()), (2, Value::Null)] {
            let input = json!({ "expectedVersion": version, "content": content(logo) });
            owner.deed("companyUpdate(id: $id, input: $input)", json!({ "id": company, "input": input })).await;
        }
        let now = app.ask(None, footer, json!({})).await;
        app.wait(chrono::Duration::days(3));
        app.run_due().await;

        assert_eq!(took, 1);
        assert_eq!(shown.json["data"]["helpCenterFooter"]["logo"], json!({ "url": first["url"], "width": 24 }), "{}", shown.text);
        assert_eq!(made["company"]["content"]["logoReference"], first["id"]);
        assert_eq!(now.json["data"]["helpCenterFooter"]["logo"], Value::Null, "{}", now.text);
        let then = "query Q($id: ID!) { node(id: $id) { ... on Company { asOf(at: \"2026-11-10T01:30:00Z\") { number content { logo { url } } } } } }";
        let then = owner.data(then, json!({ "id": company })).await;
        assert_eq!(then["node"]["asOf"], json!({ "number": 1, "content": { "logo": { "url": first["url"] } } }));
        for picture in [&first, &second] {
            assert_eq!(load(&app, "GET", &path(picture), &[]).await.status, 200, "versions that show it keep it");
        }
    }

    async fn h4_a_picture_is_served_as_what_it_is_and_nothing_else(app) {
        for (format, kind, seed) in [(ImageFormat::Png, "image/png", 1), (ImageFormat::Jpeg, "image/jpeg", 2), (ImageFormat::WebP, "image/webp", 3)] {
            let picture = uploaded(app.owner(), &file(format, 40, 30, seed)).await;
            let address = path(&picture);

            let got = load(&app, "GET", &address, &[]).await;
            let head = load(&app, "HEAD", &address, &[]).await;
            let tag = got.headers["etag"].to_str().unwrap().to_owned();
            let known = load(&app, "GET", &address, &[("if-none-match", &format!("\"x\", W/{tag}"))]).await;
            let other = load(&app, "GET", &address, &[("if-none-match", "\"x\"")]).await;

            assert_eq!((got.status, head.status, known.status, other.status), (200, 200, 304, 200));
            assert!(head.bytes.is_empty() && known.bytes.is_empty());
            assert_eq!(image::guess_format(&got.bytes).unwrap(), format);
            for answer in [&got, &head] {
                assert_eq!(answer.headers["content-length"], got.bytes.len().to_string());
                assert_eq!(answer.headers["content-type"], kind);
            }
            for answer in [&got, &head, &known] {
                for (name, value) in [
                    ("x-content-type-options", "nosniff"),
                    ("cache-control", "public, max-age=31536000, immutable"),
                    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
                    ("cross-origin-resource-policy", "cross-origin"),
                    ("etag", tag.as_str()),
                ] {
                    assert_eq!(answer.headers[name], value, "{name}");
                }
            }
            let post = load(&app, "POST", &address, &[]).await;
            assert_eq!(post.status, 405);
        }
    }

    // case: A15
    async fn h4_nobody_guesses_a_picture_or_leaves_its_folder(app) {
        let content = png(1);
        let (own, theirs) = (uploaded(app.owner(), &content).await, uploaded(app.rival(), &content).await);
        let address = path(&own);
        let name = address.strip_prefix("/pictures/").unwrap();
        let parts: Vec<&str> = name.split(['-', '.']).collect();
        let wrong = |part: usize| {
            let mut parts = parts.clone();
            let other = format!("7{}", "z".repeat(25));
            parts[part] = &other;
            format!("{}-{}-{}.{}", parts[0], parts[1], parts[2], parts[3])
        };

        assert_eq!(own["sha256"], theirs["sha256"]);
        assert_ne!(own["url"], theirs["url"], "the same content has another address in another organization");
        let mut tried = vec![wrong(0), wrong(1), wrong(2), name.replace(".png", ".jpg"), name.replace(".png", ""), name.to_uppercase()];
        for odd in ["..", ".", "%2e%2e", "..%2f..%2fsecret.key", "..%2forgdesk.db", "%2fetc%2fpasswd", "a%00b", "x.png", "%FF", "../secret.key"] {
            tried.push(odd.to_owned());
            tried.push(format!("{odd}%2f{name}"));
        }
        for odd in &tried {
            let answer = load(&app, "GET", &format!("/pictures/{odd}"), &[("if-none-match", "*")]).await;
            assert!([400, 404].contains(&answer.status), "{odd}: {}", answer.status);
            assert!(answer.bytes.is_empty() || answer.status != 200, "{odd}");
        }
    }

    // case: E6
    async fn o3_the_mutations_that_take_files_are_those_whose_inputs_have_one(app) {
        let surface = Surface::of(&app).await;
        let fields = surface.fields("Mutation");
        let taking = fields.iter().filter(|field| !surface.ways(field, "Upload").is_empty());

        let taking: BTreeSet<&str> = taking.map(|field| field["name"].as_str().unwrap()).collect();

        assert_eq!(taking, upload::mutations().collect());
    }

    async fn h5_sending_the_same_twice_is_keeping_it_once(app) {
        let owner = app.owner();
        let key = json!({ "idempotencyKey": "once" });
        let first = send(owner, "로고.png", &png(1), key.clone()).await;
        let retried = send(owner, "로고.png", &png(1), key.clone()).await;
        let other = send(owner, "로고.png", &png(2), key).await;
        let again = uploaded(owner, &png(1)).await;

        let picture = &first.json["data"]["pictureUpload"]["picture"];
        assert_eq!(retried.json["data"], first.json["data"], "{}", retried.text);
        assert!(other.text.contains("IDEMPOTENCY_KEY_REUSED"), "{}", other.text);
        assert_eq!(again["id"], picture["id"]);
        assert_eq!(files(&app.app).await, rows(&app).await);
        assert_eq!(rows(&app).await.len(), 1);
    }
}

fn content(logo: Value) -> Value {
    let text = json!({ "language": "ko", "companyName": "n", "representativeName": "r", "address": "a" });
    json!({ "texts": [text], "terms": [], "logoId": logo })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
