//! 마스킹 해제 추출: personal data leave in clear only with a grant that holds when the file is asked for, for each part of it, when
//! it is done and when it is fetched; where the grant ends in between, there is no file.

use futures_util::FutureExt as _;
use orgdesk::kernel::{
    App,
    extract::{Source, SourceName},
};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, codes},
        extraction::{EXTRACTION, fetch_from, input, link, log},
        grants,
        ledger::{execute, texts},
        make::Made,
        people,
        ticket::{desk, made},
        workbook::cells,
    },
};

const INSIDE: &str = "203.0.113.9";
const OUTSIDE: &str = "198.51.100.1";
const REASON: &str = "배송지 정정을 위한 고객 회신";
const PHONE: &str = "010-2345-6789";

async fn ask(app: &TestApp, login: &str, address: &str, query: &str, variables: Value) -> Answer {
    let token = app.someone("acme", login).token().await;
    app.ask_at(address.parse().unwrap(), "en", Some(&token), query, variables)
        .await
}

/// Asks for the tickets of a service in clear; the payload.
async fn request(app: &TestApp, login: &str, address: &str, service: &Made, more: Value) -> Value {
    let query = "mutation M($input: ExtractionRequestInput!) { extractionRequest(input: $input) { extraction { id isUnmasked } userErrors { code field message } } }";
    let mut with = json!({ "isUnmasked": true, "reason": REASON, "columns": ["@number", "phone", "mail"] });
    for (name, value) in more.as_object().unwrap() {
        with[name] = value.clone();
    }
    let list = json!({ "tickets": { "serviceId": service.id } });
    let answer = ask(app, login, address, query, input(list, with)).await;
    assert_eq!(answer.code(), "none", "{}", answer.text);
    answer.json["data"]["extractionRequest"].clone()
}

/// The same, which is taken; the extraction's ID.
async fn taken(app: &TestApp, service: &Made) -> String {
    let payload = request(app, "agent", INSIDE, service, json!({})).await;
    assert_eq!(payload["userErrors"], json!([]));
    payload["extraction"]["id"].as_str().unwrap().to_owned()
}

/// An extraction as the agent sees it from an address.
async fn seen(app: &TestApp, id: &str, address: &str) -> Value {
    let answer = ask(app, "agent", address, EXTRACTION, json!({ "id": id })).await;
    answer.json["data"]["extraction"].clone()
}

/// Two services, each with a ticket, and the agent's grant for the first.
async fn granted(app: &TestApp) -> (Made, Made, Value) {
    let (service, other) = (desk(app, "desk").await, desk(app, "other").await);
    let grant = grants::give(app.owner(), "agent", json!({ "serviceIds": [service.id] })).await;
    execute(app, "UPDATE agent SET handles_tickets = TRUE").await;
    for of in [&service, &other] {
        made(
            app.someone("acme", "agent"),
            of,
            json!({ "phone": PHONE, "mail": "gildong@example.com" }),
        )
        .await;
    }
    app.wait(chrono::Duration::seconds(1));
    app.run_due().await;
    (service, other, grant)
}

/// How many files there are in the store.
fn files(app: &TestApp) -> usize {
    let folder = app.data().join("files/extractions");
    let Ok(organizations) = std::fs::read_dir(folder) else {
        return 0;
    };
    organizations
        .map(|one| std::fs::read_dir(one.unwrap().path()).unwrap().count())
        .sum()
}

/// Whether anything of an extraction can still be read.
async fn is_destroyed(app: &TestApp) -> bool {
    let kept = "SELECT CAST(count(*) AS TEXT) FROM extraction WHERE file_key IS NOT NULL OR asked IS NOT NULL";
    texts(app, kept).await == ["0"] && files(app) == 0
}

/// The tickets, and between their first part and their second the agent loses his grant.
const REVOKING: &[Source] = &[Source {
    name: SourceName::Tickets,
    action: orgdesk::ticket::graphql::SOURCE.action,
    check: orgdesk::ticket::graphql::SOURCE.check,
    part: |asking, chosen, after| {
        async move {
            let is_second = after.is_some();
            let part = (orgdesk::ticket::graphql::SOURCE.part)(asking, chosen, after).await?;
            assert!(!is_second, "nothing is read after the grant has gone");
            let url = asking.caller.app().settings.database_url.clone();
            revoke_behind(&url, asking.caller.app()).await;
            Ok(part)
        }
        .boxed()
    },
}];

/// Ends all grants, past every door, as another server would in the meantime.
async fn revoke_behind(url: &str, app: &App) {
    use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
    let sql = "UPDATE pii_grant SET status = 'REVOKED', ended_at = granted_at";
    if url.starts_with("sqlite") {
        let mut file = SqliteConnection::connect(url).await.unwrap();
        sqlx::query(AssertSqlSafe(sql)).execute(&mut file).await.unwrap();
    } else {
        let admin = ADMIN.lock().unwrap().get(&*app.settings.database_url).cloned().unwrap();
        let mut database = PgConnection::connect(&admin).await.unwrap();
        sqlx::query(AssertSqlSafe(sql)).execute(&mut database).await.unwrap();
    }
}

/// Where the databases of these tests are behind row-level security, by their addresses.
static ADMIN: std::sync::LazyLock<std::sync::Mutex<std::collections::HashMap<String, String>>> =
    std::sync::LazyLock::new(Default::default);

both! {
    async fn l5_with_a_grant_a_list_leaves_in_clear_and_the_log_says_so(app) {
        let (service, ..) = granted(&app).await;

        let id = taken(&app, &service).await;
        app.wait(chrono::Duration::seconds(1));
        app.run_due().await;
        let done = seen(&app, &id, INSIDE).await;
        let file = fetch_from(&app, link(&done), INSIDE).await;

        assert_eq!((&done["state"], &done["isUnmasked"], &done["reason"]), (&json!("READY"), &json!(true), &json!(REASON)));
        assert_eq!(cells(&file.bytes)[1], ["1", PHONE, "gildong@example.com"]);
        assert_eq!(log(&app, json!({ "isUnmasked": true, "serviceId": service.id })).await.len(), 3);
        let told = app.owner().data("{ extractionSteps(first: 1, filter: { kind: [DOWNLOADED] }) { nodes { reason grantReference address columns } } }", json!({})).await;
        let step = &told["extractionSteps"]["nodes"][0];
        assert_eq!((&step["reason"], &step["address"], &step["columns"]), (&json!(REASON), &json!(INSIDE), &json!(["@number", "phone", "mail"])));
        assert!(step["grantReference"].as_str().unwrap().starts_with("pii_"));
        let masked = request(&app, "agent", OUTSIDE, &service, json!({ "isUnmasked": false })).await;
        app.run_due().await;
        let masked = seen(&app, masked["extraction"]["id"].as_str().unwrap(), OUTSIDE).await;
        let file = fetch_from(&app, link(&masked), OUTSIDE).await;
        assert_eq!(cells(&file.bytes)[1], ["1", "010-****-6789", "gil****@example.com"], "masked it is from anywhere");
    }

    async fn l8_what_is_fetched_in_clear_counts_as_seen_in_clear(app) {
        let (service, other, _) = granted(&app).await;
        let grant = json!({ "serviceIds": [service.id, other.id], "validUntil": "2027-06-01T00:00:00Z" });
        people::employ(&app, "desk", "member", false).await;
        let idle = grants::give(app.owner(), "member", grant).await;
        app.wait(chrono::Duration::days(1));
        let id = taken(&app, &service).await;
        app.wait(chrono::Duration::seconds(1));
        app.run_due().await;
        let figures = async |day: &str| {
            let query = "query Q($day: Date!) { auditReview(firstDay: $day, lastDay: $day) { unmasked { actor { name } unmaskedCount } unusedGrants { reference } } }";
            app.owner().data(query, json!({ "day": day })).await["auditReview"].clone()
        };
        assert_eq!(figures("2026-11-11").await["unmasked"], json!([]), "a file that nobody has fetched");
        for _ in 0..2 {
            let done = seen(&app, &id, INSIDE).await;
            fetch_from(&app, link(&done), INSIDE).await;
        }
        let masked = request(&app, "agent", OUTSIDE, &service, json!({ "isUnmasked": false })).await;
        app.run_due().await;
        let masked = seen(&app, masked["extraction"]["id"].as_str().unwrap(), OUTSIDE).await;
        fetch_from(&app, link(&masked), OUTSIDE).await;
        let told = figures("2026-11-11").await["unmasked"].clone();
        assert_eq!((told.as_array().unwrap().len(), &told[0]["unmaskedCount"]), (1, &json!(2)), "{told}");
        assert!(told[0]["actor"]["name"].as_str().unwrap().contains("agent"), "{told}");
        app.go_to("2027-02-08T02:00:00Z");
        let unused = figures("2027-02-08").await["unusedGrants"].clone();
        assert_eq!(unused.as_array().unwrap().iter().map(|one| &one["reference"]).collect::<Vec<_>>(), [&idle["id"]]);
    }

    async fn l5_without_one_of_the_conditions_it_is_refused_and_stands_in_the_log(app) {
        let (service, other, grant) = granted(&app).await;
        let mut told = Vec::new();
        for (login, address, of, more) in [
            ("agent", OUTSIDE, &service, json!({})), ("agent", INSIDE, &other, json!({})), ("manager", INSIDE, &service, json!({})), ("agent", INSIDE, &service, json!({ "columns": ["@number"] })),
        ] {
            app.wait(chrono::Duration::seconds(1));
            told.push(codes(&request(&app, login, address, of, more).await).join(", "));
        }
        grants::revoke(app.owner(), &grant, json!({})).await;
        app.wait(chrono::Duration::seconds(1));
        told.push(codes(&request(&app, "agent", INSIDE, &service, json!({})).await).join(", "));

        assert!(told.iter().all(|codes| codes == "UNMASK_NOT_PERMITTED at input.isUnmasked"), "{told:?}");
        assert_eq!(log(&app, json!({ "kind": ["DENIED"] })).await, [
            "DENIED TICKETS agent agent NO_GRANT", "DENIED TICKETS agent agent NOTHING_MASKED", "DENIED TICKETS manager manager NO_GRANT", "DENIED TICKETS agent agent OUT_OF_SCOPE", "DENIED TICKETS agent agent ADDRESS_NOT_ALLOWED",
        ]);
        let audit = app.owner().data("{ auditEntries(first: 50, filter: { action: [EXTRACTION_REQUEST], outcome: [DENIED] }) { nodes { log reasonCode } } }", json!({})).await;
        assert_eq!(audit["auditEntries"]["nodes"].as_array().unwrap().len(), 5);
        assert_eq!(texts(&app, "SELECT CAST(count(*) AS TEXT) FROM extraction").await, ["0"]);
    }

    async fn l5_a_refusal_that_is_tried_out_or_told_once_more_stands_in_the_log(app) {
        let (service, other, _) = granted(&app).await;
        let mut told = Vec::new();
        let key = json!({ "idempotencyKey": "once" });
        for (address, of, more) in [(OUTSIDE, &service, json!({ "dryRun": true })), (OUTSIDE, &other, key.clone()), (OUTSIDE, &other, key.clone()), (INSIDE, &service, json!({ "dryRun": true }))] {
            app.wait(chrono::Duration::seconds(1));
            told.push(codes(&request(&app, "agent", address, of, more).await).join(", "));
        }
        // A list that is not for whoever asks.
        let query = "mutation M($input: ExtractionRequestInput!) { extractionRequest(input: $input) { extraction { id } userErrors { code } } }";
        let key = json!({ "idempotencyKey": "another" });
        for more in [json!({ "dryRun": true }), key.clone(), key] {
            app.wait(chrono::Duration::seconds(1));
            let answer = ask(&app, "agent", INSIDE, query, input(json!({ "members": {} }), more)).await;
            told.push(answer.code().to_owned());
        }

        let refused = "UNMASK_NOT_PERMITTED at input.isUnmasked";
        assert_eq!(told, [refused, refused, refused, "", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN"]);
        assert_eq!(log(&app, json!({})).await, [
            "DENIED MEMBERS agent agent FORBIDDEN", "DENIED MEMBERS agent agent FORBIDDEN", "DENIED MEMBERS agent agent FORBIDDEN",
            "DENIED TICKETS agent agent OUT_OF_SCOPE", "DENIED TICKETS agent agent OUT_OF_SCOPE", "DENIED TICKETS agent agent ADDRESS_NOT_ALLOWED",
        ], "and nothing of what would have been taken");
        let audit = app.owner().data("{ auditEntries(first: 50, filter: { action: [EXTRACTION_REQUEST] }) { nodes { outcome } } auditVerification { brokenPosition } }", json!({})).await;
        let outcomes: Vec<_> = audit["auditEntries"]["nodes"].as_array().unwrap().iter().map(|entry| &entry["outcome"]).collect();
        assert_eq!(outcomes, ["DENIED"; 6]);
        assert!(audit["auditVerification"].as_array().unwrap().iter().all(|log| log["brokenPosition"].is_null()));
    }

    // case: B10
    async fn l5_a_grant_that_ends_before_the_file_is_made_ends_it(app) {
        let (service, _, grant) = granted(&app).await;
        let id = taken(&app, &service).await;
        grants::revoke(app.owner(), &grant, json!({})).await;
        app.run_due().await;

        let made = seen(&app, &id, INSIDE).await;
        assert_eq!((&made["state"], &made["failure"]["code"], &made["job"]["state"]), (&json!("FAILED"), &json!("UNMASK_NOT_PERMITTED"), &json!("FAILED")));
        assert!(is_destroyed(&app).await);
    }

    // case: B10
    async fn l5_a_grant_that_ends_between_two_parts_stops_the_file(app) {
        let (service, ..) = granted(&app).await;
        if let Some(admin) = &app.admin_url {
            ADMIN.lock().unwrap().insert(app.url.clone(), admin.clone());
        }
        // As many as make two parts.
        let copies = "INSERT INTO ticket (id, organization_id, service_id, number, channel, status, priority, assignee_id, received_at, processed_at, processing, external_id, is_migrated, import_id, import_row, call_reference, plain, sealed, created_at, version)
            SELECT ID, organization_id, service_id, NUMBER, channel, status, priority, assignee_id, received_at, processed_at, processing, external_id,
            is_migrated, import_id, import_row, call_reference, plain, sealed, created_at, version FROM ticket, SERIES WHERE number = 1 AND service_id = (SELECT id FROM service WHERE code = 'desk')";
        let copies = if app.admin_url.is_some() {
            copies.replace("ID,", "gen_random_uuid(),").replace("NUMBER", "serial").replace("SERIES", "generate_series(2, 600) AS serial")
        } else {
            copies.replace("SELECT ID,", "SELECT randomblob(16),").replace("NUMBER", "serial.value").replace("SERIES", "(WITH RECURSIVE of (value) AS (SELECT 2 UNION ALL SELECT value + 1 FROM of WHERE value < 600) SELECT value FROM of) AS serial")
        };
        execute(&app, &copies).await;
        let id = taken(&app, &service).await;
        let app = app.changed(|app| App { sources: REVOKING, ..app });
        app.run_due().await;

        let made = seen(&app, &id, INSIDE).await;
        assert_eq!((&made["state"], &made["failure"]["code"]), (&json!("FAILED"), &json!("UNMASK_NOT_PERMITTED")));
        assert!(is_destroyed(&app).await);
        assert_eq!(log(&app, json!({ "kind": ["FAILED"] })).await.len(), 1);
    }

    // case: B10
    async fn l5_a_grant_that_ends_before_the_download_destroys_the_file(app) {
        let (service, _, grant) = granted(&app).await;
        let id = taken(&app, &service).await;
        app.run_due().await;
        let url = link(&seen(&app, &id, INSIDE).await).to_owned();
        assert_eq!(files(&app), 1);
        grants::revoke(app.owner(), &grant, json!({})).await;
        app.wait(chrono::Duration::seconds(1));

        // The job that looks at it anew has not come yet.
        let refused = fetch_from(&app, &url, INSIDE).await;
        assert_eq!((refused.status, refused.bytes.starts_with(b"PK")), (404, false));
        app.run_due().await;

        assert!(is_destroyed(&app).await);
        let made = seen(&app, &id, INSIDE).await;
        assert_eq!((&made["state"], &made["failure"]["code"], &made["job"]["file"]), (&json!("FAILED"), &json!("UNMASK_NOT_PERMITTED"), &Value::Null));
        let mut told = log(&app, json!({ "extractionId": id })).await;
        told.sort();
        assert_eq!(told, ["DENIED TICKETS agent agent NO_GRANT", "FAILED TICKETS agent agent NO_GRANT", "READY TICKETS extraction-run agent -", "REQUESTED TICKETS agent agent -"]);
    }

    async fn l5_a_file_that_nobody_fetches_goes_with_the_grant(app) {
        let (service, _, grant) = granted(&app).await;
        let id = taken(&app, &service).await;
        app.run_due().await;
        let other = request(&app, "agent", INSIDE, &service, json!({ "isUnmasked": false })).await;
        app.run_due().await;
        assert_eq!(files(&app), 2);

        // Another grant that he gets at once is for other purposes.
        grants::revoke(app.owner(), &grant, json!({})).await;
        grants::give(app.owner(), "agent", json!({ "serviceIds": [service.id] })).await;
        app.run_due().await;

        assert_eq!(seen(&app, &id, INSIDE).await["state"], "FAILED");
        assert_eq!(seen(&app, other["extraction"]["id"].as_str().unwrap(), INSIDE).await["state"], "READY", "what is masked stays");
        assert_eq!(files(&app), 1);
    }

    async fn l5_from_an_address_that_the_grant_is_not_for_nothing_is_fetched_and_the_file_stays(app) {
        let (service, ..) = granted(&app).await;
        let id = taken(&app, &service).await;
        app.run_due().await;

        let away = seen(&app, &id, OUTSIDE).await;
        let refused = fetch_from(&app, link(&away), OUTSIDE).await;
        let here = seen(&app, &id, INSIDE).await;
        let file = fetch_from(&app, link(&here), INSIDE).await;

        assert_eq!((refused.status, file.status), (404, 200));
        assert_eq!(log(&app, json!({ "kind": ["DENIED"] })).await, ["DENIED TICKETS agent agent ADDRESS_NOT_ALLOWED"]);
    }

    async fn l5_who_loses_his_place_in_the_service_loses_the_file(app) {
        let (service, ..) = granted(&app).await;
        let id = taken(&app, &service).await;
        app.run_due().await;
        let member = people::member(app.owner(), "agent").await;
        app.owner().deed(people::EXPEL, people::on(&member, json!({}))).await;
        app.run_due().await;

        assert!(is_destroyed(&app).await, "{id}");
    }
}
