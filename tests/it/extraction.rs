//! 데이터 추출: a list leaves as a file that holds what the list shows, by a link that is its requester's alone, counted and
//! kept for a time; each step of it stands in the log.

use chrono::Duration;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    both,
    support::{
        app::{TestApp, codes},
        extraction::{REQUEST, extraction, fetch, fetch_from, file, input, link, log, made, requested},
        ledger::{execute, texts},
        make, people, staff,
        ticket::{self, desk},
        workbook::cells,
    },
};

const REASON: &str = "월말 상담 품질 점검을 위한 추출";

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The column of a file, below its head.
fn column(rows: &[Vec<String>], title: &str) -> Vec<String> {
    let place = rows[0].iter().position(|head| head == title);
    let place = place.unwrap_or_else(|| panic!("no column {title}: {:?}", rows[0]));
    rows[1..].iter().map(|row| row[place].clone()).collect()
}

/// How many objects the store has.
fn objects(app: &TestApp) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return 0;
        };
        entries
            .map(|entry| entry.unwrap().path())
            .map(|path| if path.is_dir() { count(&path) } else { 1 })
            .sum()
    }
    count(&app.data().join("files/extractions"))
}

/// An extraction as its requester, the owner, sees it now.
async fn extraction_of(app: &TestApp, done: &Value) -> Value {
    extraction(app.owner(), done["id"].as_str().unwrap()).await
}

both! {
    async fn b5_the_lines_of_charges_leave_as_a_workbook_that_sums_to_what_the_list_shows(app) {
        make::in_use(app.owner(), "desk", 5).await;
        app.wait(Duration::seconds(1));
        make::in_use(app.owner(), "other", 3).await;
        app.go_to("2026-12-03T01:00:00Z");
        app.run_due().await;
        app.go_to("2027-01-05T01:00:00Z");
        let months = json!({ "from": "2026-11", "to": "2027-01" });

        let file = file(&app, app.owner(), json!({ "charges": months }), json!({})).await;

        let query = "query Q($filter: ChargeFilter!) { charges(first: 100, filter: $filter) { nodes { month service { code } lines { amount { amount } } total { amount } } } }";
        let listed = app.owner().data(query, json!({ "filter": months })).await["charges"]["nodes"].clone();
        let mut lines = 0;
        let rows = cells(&file);
        for charge in listed.as_array().unwrap() {
            let amounts: Vec<i64> = charge["lines"].as_array().unwrap().iter().map(|line| line["amount"]["amount"].as_str().unwrap().parse().unwrap()).collect();
            let (month, code) = (charge["month"].as_str().unwrap(), charge["service"]["code"].as_str().unwrap());
            let own = rows[1..].iter().filter(|row| row[0] == month && row[1] == code);
            let kept: Vec<i64> = own.map(|row| row.last().unwrap().parse().unwrap()).collect();
            assert_eq!(kept, amounts, "{month} {code}");
            assert_eq!(kept.iter().sum::<i64>().to_string(), charge["total"]["amount"].as_str().unwrap(), "{month} {code}");
            lines += amounts.len();
        }
        assert_eq!((rows.len() - 1, listed.as_array().unwrap().len()), (lines, 6));
        let states = column(&rows, "Status");
        assert!(states.contains(&"Closed".to_owned()) && states.contains(&"Estimated".to_owned()), "{states:?}");
    }

    async fn l4_tickets_leave_masked_as_the_list_shows_them(app) {
        let desk = desk(&app, "desk").await;
        let manager = app.someone("acme", "manager");
        let mut tickets = Vec::new();
        for (number, phone) in [(1, "010-2345-6789"), (2, "010-9999-0000")] {
            app.wait(Duration::seconds(1));
            tickets.push(ticket::made(manager, &desk, json!({ "phone": phone, "subject": format!("=HYPERLINK(\"{number}\")"), "mail": "gildong@example.com" })).await);
        }
        app.wait(Duration::seconds(1));
        let list = json!({ "tickets": { "serviceId": desk.id } });

        let asked = manager.deed(REQUEST, input(list.clone(), json!({ "columns": ["@number", "@receivedAt", "subject", "phone", "mail", "@isMigrated"], "reason": REASON }))).await["extraction"].clone();
        assert_eq!((&asked["state"], &asked["fileName"]), (&json!("REQUESTED"), &json!("tickets-2026-11-10.xlsx")));
        app.wait(Duration::seconds(1));
        app.run_due().await;
        let done = extraction(manager, asked["id"].as_str().unwrap()).await;
        let left = fetch(&app, link(&done)).await;

        assert_eq!((&done["state"], &done["rowCount"], &done["isUnmasked"], &done["service"]["code"]), (&json!("READY"), &json!(2), &json!(false), &json!("desk")));
        assert_eq!((&done["job"]["state"], &done["job"]["doneCount"]), (&json!("DONE"), &json!(2)));
        assert_eq!(left.headers["content-disposition"], "attachment; filename=\"tickets-2026-11-10.xlsx\"; filename*=UTF-8''tickets-2026-11-10.xlsx");
        assert_eq!((&done["sha256"], &done["byteSize"]), (&json!(hash(&left.bytes)), &json!(left.bytes.len())));
        let rows = cells(&left.bytes);
        assert_eq!(rows[0].len(), 6);
        let newest: Vec<_> = tickets.iter().rev().collect();
        assert_eq!(rows.len(), 3);
        for (row, ticket) in rows[1..].iter().zip(newest) {
            assert_eq!(row[0], ticket["number"].to_string());
            assert_eq!([&row[2], &row[3], &row[4]].map(String::as_str), ["subject", "phone", "mail"].map(|code| ticket::text(ticket, code)), "what the list shows");
            assert_eq!(row[5], "N");
        }
        assert!(rows[1][3].contains("****") && rows[1][4].contains("***@"), "{rows:?}");
        let whole = cells(&file(&app, manager, list, json!({})).await);
        assert!(whole[0].len() > 12 && whole[0][0] == "Number", "{:?}", whole[0]);
    }

    async fn l4_each_step_stands_in_the_log_with_columns_rows_and_hash(app) {
        make::in_use(app.owner(), "desk", 5).await;
        let list = json!({ "agents": { "nameContains": "홍길동" } });
        let id = requested(app.administrator(), list, json!({ "columns": ["login", "role"], "reason": REASON })).await;
        app.wait(Duration::seconds(1));
        app.run_due().await;
        let done = extraction(app.administrator(), &id).await;
        app.wait(Duration::seconds(1));
        let left = fetch(&app, link(&done)).await;
        app.wait(Duration::days(8));
        app.run_due().await;

        assert_eq!(log(&app, json!({ "extractionId": id })).await, [
            "EXPIRED AGENTS extraction-expire admin -", "DOWNLOADED AGENTS admin admin -", "READY AGENTS extraction-run admin -", "REQUESTED AGENTS admin admin -",
        ]);
        let query = "{ extractionSteps(first: 10) { nodes { kind columns filter rowCount sha256 byteSize reason address downloadCount expiresAt fileName
            entry { log action outcome target { reference } } } } auditVerification { brokenPosition } }";
        let told = app.owner().data(query, json!({})).await;
        let steps = told["extractionSteps"]["nodes"].as_array().unwrap();
        for step in steps {
            assert_eq!((&step["columns"], &step["reason"]), (&json!(["login", "role"]), &json!(REASON)));
            assert!(!step["filter"].as_str().unwrap().contains("홍길동") && step["filter"].as_str().unwrap().contains("***"), "no text that was searched for");
            assert_eq!(step["entry"]["log"], "EXTRACTION");
        }
        for step in &steps[..3] {
            assert_eq!((&step["rowCount"], &step["sha256"], &step["byteSize"]), (&json!(0), &json!(hash(&left.bytes)), &json!(left.bytes.len())), "{step}");
        }
        assert_eq!((&steps[1]["address"], &steps[1]["downloadCount"], &steps[1]["entry"]["action"]), (&json!("127.0.0.1"), &json!(1), &json!("EXTRACTION_DOWNLOAD")));
        assert!(told["auditVerification"].as_array().unwrap().iter().all(|log| log["brokenPosition"].is_null()));
        assert_eq!(log(&app, json!({ "kind": ["READY", "EXPIRED"], "login": "admin", "source": "AGENTS", "address": "" })).await.len(), 2);
        assert_eq!(log(&app, json!({ "name": "nobody" })).await.len(), 0);
    }

    async fn l4_a_file_can_be_fetched_three_times_in_seven_days_by_its_requester_alone(app) {
        let done = made(&app, app.owner(), json!({ "members": {} }), json!({})).await;
        let id = done["id"].as_str().unwrap();
        let url = link(&done).to_owned();
        assert_eq!(objects(&app), 1);
        assert!(extraction(app.administrator(), id).await.is_null(), "another's");

        let statuses = [fetch(&app, &url).await.status, fetch_from(&app, &url, "203.0.113.9").await.status, fetch(&app, &url).await.status, fetch(&app, &url).await.status];
        app.wait(Duration::seconds(61));
        let fourth = fetch(&app, &url).await;
        let spent = extraction(app.owner(), id).await;

        assert_eq!(statuses, [200, 404, 200, 200], "the link is bound to the address");
        assert_eq!((fourth.status, fourth.bytes.starts_with(b"PK")), (404, false));
        assert_eq!((&spent["state"], &spent["downloadCount"], &spent["failure"]["code"], &spent["job"]["file"]), (&json!("DOWNLOADED"), &json!(3), &json!("EXTRACTION_SPENT"), &Value::Null));
        assert_eq!(log(&app, json!({ "kind": ["DENIED"] })).await, ["DENIED MEMBERS owner owner EXTRACTION_SPENT"]);

        let done = made(&app, app.owner(), json!({ "members": {} }), json!({})).await;
        let late = link(&done).to_owned();
        app.wait(Duration::days(7));
        let gone = extraction(app.owner(), done["id"].as_str().unwrap()).await;
        assert_eq!((&gone["state"], &gone["failure"]["code"], &gone["job"]["file"]), (&json!("READY"), &json!("EXTRACTION_EXPIRED"), &Value::Null));
        app.run_due().await;
        let gone = extraction(app.owner(), done["id"].as_str().unwrap()).await;
        assert_eq!((&gone["state"], fetch(&app, &late).await.status, objects(&app)), (&json!("EXPIRED"), 404, 0));
        assert_eq!(texts(&app, "SELECT CAST(count(*) AS TEXT) FROM extraction WHERE file_key IS NOT NULL OR asked IS NOT NULL OR has_file").await, ["0"]);
    }

    async fn l4_what_a_fallen_server_wrote_to_the_store_goes_a_day_later(app) {
        let done = made(&app, app.owner(), json!({ "members": {} }), json!({})).await;
        let folder = std::fs::read_dir(app.data().join("files/extractions")).unwrap().next().unwrap().unwrap().path();
        let kept = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
        let (extraction, fence) = kept.split_once('-').unwrap();
        assert_eq!(fence, "1");
        // One that was whole and one that was not, by whoever was overtaken; and one of another server's, at work just now.
        for (name, content) in [(format!("{extraction}-0"), "whole"), (format!("{extraction}-0#1"), "half"), (format!("{extraction}-1#1"), "at work")] {
            std::fs::write(folder.join(name), content).unwrap();
        }
        app.wait(Duration::hours(23));
        app.run_due().await;
        assert_eq!(objects(&app), 4, "not before a day is over");

        app.wait(Duration::hours(30));
        app.run_due().await;

        let mut left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, [kept.clone(), format!("{kept}#1")]);
        assert_eq!(fetch(&app, link(&extraction_of(&app, &done).await)).await.status, 200);
    }

    async fn l4_what_is_asked_for_is_checked_and_each_fault_is_told(app) {
        let desk = desk(&app, "desk").await;
        let manager = app.someone("acme", "manager");
        let tickets = |filter: Value| json!({ "tickets": { "serviceId": desk.id, "filter": filter } });
        let wide = json!({ "receivedAt": { "from": "2026-10-01T00:00:00Z", "to": "2026-11-09T00:00:00Z" } });
        let mut told = Vec::new();
        for (list, more) in [
            (tickets(json!({})), json!({ "isUnmasked": true })),
            (tickets(json!({})), json!({ "reason": "짧은 사유" })),
            (tickets(json!({})), json!({ "reason": "가".repeat(201), "password": "short" })),
            (tickets(json!({})), json!({ "columns": [] })),
            (tickets(json!({})), json!({ "columns": ["subject", "nothing", "subject"] })),
            (tickets(wide), json!({})),
            (json!({ "tickets": { "serviceId": "svc_7zzzzzzzzzzzzzzzzzzzzzzzzz" } }), json!({})),
        ] {
            told.push(manager.problems(REQUEST, input(list, more)).await.join(", "));
        }
        for list in [
            json!({ "charges": { "from": "2024-11", "to": "2026-11" } }),
            json!({ "auditEntries": { "occurredAt": { "from": "2024-11-01T00:00:00Z" } } }),
            json!({ "ctiEvents": { "memberId": people::member(app.owner(), "agent").await["id"], "occurredAt": { "from": "2026-10-01T00:00:00Z" } } }),
        ] {
            told.push(app.owner().problems(REQUEST, input(list, json!({}))).await.join(", "));
        }

        assert_eq!(told, [
            "REASON_REQUIRED at input.reason", "TOO_SHORT at input.reason", "TOO_LONG at input.reason, TOO_SHORT at input.password", "BLANK at input.columns",
            "COLUMN_NOT_OF_LIST at input.columns.1, DUPLICATE at input.columns.2", "EXTRACTION_SPAN_TOO_WIDE at input.list.tickets.filter.receivedAt", "NOT_FOUND at input.list.tickets.serviceId",
            "EXTRACTION_SPAN_TOO_WIDE at input.list.charges.to", "EXTRACTION_SPAN_TOO_WIDE at input.list.auditEntries.occurredAt", "EXTRACTION_SPAN_TOO_WIDE at input.list.ctiEvents.occurredAt",
        ]);
        assert_eq!(log(&app, json!({})).await.len(), 0, "nothing was asked for");
        for _ in 0..5 {
            requested(app.owner(), json!({ "members": {} }), json!({})).await;
        }
        let sixth = app.owner().payload(REQUEST, input(json!({ "members": {} }), json!({}))).await;
        assert_eq!(codes(&sixth), ["LIMIT_REACHED at input"]);
    }

    async fn l4_no_more_rows_leave_than_the_installation_allows(app) {
        let app = app.changed(|app| orgdesk::kernel::App {
            settings: std::sync::Arc::new(orgdesk::kernel::Settings { extraction_rows: 3, ..(*app.settings).clone() }),
            ..app
        });
        let all = made(&app, app.owner(), json!({ "members": {} }), json!({})).await;
        assert_eq!((&all["state"], &all["rowCount"]), (&json!("READY"), &json!(3)));

        let id = requested(app.owner(), json!({ "members": {} }), json!({})).await;
        app.wait(Duration::seconds(1));
        people::join(&app, "fourth", false).await;
        let refused = app.owner().payload(REQUEST, input(json!({ "members": {} }), json!({}))).await;
        app.run_due().await;
        let made = extraction(app.owner(), &id).await;
        for code in ["aa", "bb", "cc", "dd"] {
            make::in_use(app.owner(), code, 5).await;
        }
        let charges = made_of_charges(&app).await;

        assert_eq!(codes(&refused), ["EXTRACTION_TOO_LARGE at input.list.members"]);
        assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains('3'));
        assert_eq!((&made["state"], &made["rowCount"]), (&json!("READY"), &json!(3)), "who came after the request is not in it");
        assert_eq!((&charges["state"], &charges["failure"]["code"]), (&json!("FAILED"), &json!("EXTRACTION_TOO_LARGE")), "what is known only when it is read");
        assert_eq!(objects(&app), 2, "what failed left nothing");
    }

    async fn l4_a_list_that_one_may_not_see_does_not_leave_and_the_refusal_stands_in_the_log(app) {
        let desk = desk(&app, "desk").await;
        let (agent, member) = (app.someone("acme", "agent"), app.member());
        let tickets = json!({ "tickets": { "serviceId": desk.id } });

        let mut told = Vec::new();
        for (who, list) in [
            (agent, json!({ "charges": { "from": "2026-11", "to": "2026-11" } })), (agent, json!({ "auditEntries": {} })), (member, json!({ "members": {} })), (member, json!({ "agents": {} })),
            (app.someone("acme", "manager"), json!({ "extractionSteps": {} })), (member, tickets.clone()), (app.owner(), tickets.clone()), (app.rival(), tickets.clone()),
        ] {
            app.wait(Duration::seconds(61));
            let query = "mutation M($input: ExtractionRequestInput!) { extractionRequest(input: $input) { extraction { id } userErrors { code } } }";
            let answer = who.ask(query, input(list, json!({}))).await;
            told.push(match answer.code() {
                "none" => answer.json["data"]["extractionRequest"]["userErrors"][0]["code"].as_str().unwrap_or("TAKEN").to_owned(),
                code => code.to_owned(),
            });
        }

        assert_eq!(told, ["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND"]);
        assert_eq!(log(&app, json!({})).await, [
            "DENIED EXTRACTION_STEPS manager manager FORBIDDEN", "DENIED AGENTS member member FORBIDDEN", "DENIED MEMBERS member member FORBIDDEN", "DENIED AUDIT_ENTRIES agent agent FORBIDDEN", "DENIED CHARGES agent agent FORBIDDEN",
        ]);
        let managers = file(&app, app.someone("acme", "manager"), json!({ "agents": {} }), json!({})).await;
        assert_eq!(cells(&managers).len(), 3, "those of his own service");
        execute(&app, "UPDATE agent SET handles_tickets = FALSE").await;
        let without = agent.payload(REQUEST, input(tickets.clone(), json!({}))).await;
        assert_eq!(codes(&without), ["NOT_FOUND at input.list.tickets.serviceId"], "without the ticket right");
        execute(&app, "UPDATE agent SET handles_tickets = TRUE").await;
        let agents = made(&app, agent, tickets, json!({})).await;
        assert_eq!(agents["state"], "READY", "an agent with the ticket right");
    }

    async fn l4_a_request_can_be_repeated_and_tried_out(app) {
        let list = json!({ "members": {} });
        let tried = app.owner().deed(REQUEST, input(list.clone(), json!({ "dryRun": true }))).await;
        let first = app.owner().deed(REQUEST, input(list.clone(), json!({ "idempotencyKey": "k" }))).await;
        let again = app.owner().deed(REQUEST, input(list.clone(), json!({ "idempotencyKey": "k" }))).await;
        let other = app.owner().payload(REQUEST, input(list, json!({ "idempotencyKey": "k", "password": "another one" }))).await;

        assert_eq!(tried["extraction"]["state"], "REQUESTED");
        assert_eq!(first["extraction"]["id"], again["extraction"]["id"]);
        assert_eq!(codes(&other), ["IDEMPOTENCY_KEY_REUSED at input.idempotencyKey"]);
        assert_eq!(texts(&app, "SELECT CAST(count(*) AS TEXT) FROM extraction").await, ["1"]);
    }

    async fn l4_a_file_may_be_csv_and_may_have_a_password(app) {
        let member = people::member(app.owner(), "member").await;
        app.owner().deed(people::UPDATE, people::on(&member, json!({ "name": "=1+1" }))).await;
        let csv = file(&app, app.owner(), json!({ "members": {} }), json!({ "format": "CSV", "columns": ["name", "joinedAt"] })).await;
        let made = made(&app, app.owner(), json!({ "members": {} }), json!({ "format": "CSV", "columns": ["name"], "password": "correct horse" })).await;
        let locked = fetch(&app, link(&made)).await;

        let text = String::from_utf8(csv).unwrap();
        let lines: Vec<_> = text.strip_prefix('\u{feff}').unwrap().split("\r\n").collect();
        assert_eq!(lines[0], "\"Name\",\"Joined at\"");
        assert!(lines.contains(&"\"'=1+1\",2026-11-10T10:00:00+09:00"), "{text}");
        assert_eq!((&made["fileName"], &made["hasPassword"]), (&json!("members-2026-11-10.zip"), &json!(true)));
        assert_eq!(locked.headers["content-type"], "application/zip");
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&locked.bytes)).unwrap();
        let mut inner = String::new();
        let mut entry = archive.by_index_decrypt(0, b"correct horse").unwrap();
        assert_eq!(entry.name().unwrap(), "members-2026-11-10.csv");
        std::io::Read::read_to_string(&mut entry, &mut inner).unwrap();
        assert!(inner.contains("\"소유자\"\r\n") && inner.contains("\"'=1+1\"\r\n"), "{inner}");
        let kept = texts(&app, "SELECT changes FROM audit_entry").await.concat();
        assert!(!kept.contains("correct horse"), "a password stands nowhere");
    }

    async fn l4_whoever_leaves_takes_no_file_with_him(app) {
        people::join(&app, "other", true).await;
        let other = app.someone("acme", "other");
        let done = made(&app, other, json!({ "members": {} }), json!({})).await;
        let url = link(&done).to_owned();
        let waiting = requested(other, json!({ "members": {} }), json!({})).await;
        let row = people::member(app.owner(), "other").await;

        app.owner().deed(people::EXPEL, people::on(&row, json!({}))).await;
        app.run_due().await;

        assert_eq!((fetch(&app, &url).await.status, objects(&app)), (404, 0));
        let states = texts(&app, "SELECT state || ' ' || COALESCE(failure, '-') FROM extraction ORDER BY id").await;
        assert_eq!(states, ["FAILED EXTRACTION_RIGHT_LOST", "FAILED EXTRACTION_RIGHT_LOST"], "{waiting}");
        assert_eq!(log(&app, json!({ "kind": ["FAILED"], "login": "other" })).await.len(), 2);
    }

    async fn l4_whose_rights_changed_since_he_asked_fetches_no_file(app) {
        let service = desk(&app, "desk").await;
        ticket::made(app.someone("acme", "agent"), &service, json!({})).await;
        let manager = app.someone("acme", "manager");
        let list = json!({ "tickets": { "serviceId": service.id } });
        let [first, second] = [made(&app, manager, list.clone(), json!({})).await, made(&app, app.someone("acme", "agent"), list, json!({})).await];
        let urls = [link(&first).to_owned(), link(&second).to_owned()];
        app.wait(Duration::seconds(1));
        let query = "{ agents(first: 10) { nodes { id version member { login } } } }";
        let agents = app.owner().data(query, json!({})).await["agents"]["nodes"].clone();
        let place = agents.as_array().unwrap().iter().find(|agent| agent["member"]["login"] == "manager").unwrap().clone();
        assert_eq!(staff::remove(app.owner(), &place).await, Vec::<String>::new());

        assert_eq!(fetch(&app, &urls[0]).await.status, 404, "his place is lost, and the file with it");
        make::suspend(app.owner(), &service).await;
        assert_eq!(fetch(&app, &urls[1]).await.status, 404, "nobody sees the tickets of a service that may not be used");
        app.run_due().await;
        assert_eq!(objects(&app), 0);
    }

    async fn l4_what_he_lost_since_he_asked_is_not_in_the_file(app) {
        people::join(&app, "other", true).await;
        let other = app.someone("acme", "other");
        let id = requested(other, json!({ "auditEntries": {} }), json!({})).await;
        let row = people::member(app.owner(), "other").await;
        app.owner().deed(people::REMOVE, people::on(&row, json!({}))).await;
        app.run_due().await;

        let made = extraction(other, &id).await;
        assert_eq!((&made["state"], &made["failure"]["code"]), (&json!("FAILED"), &json!("EXTRACTION_RIGHT_LOST")));
        assert_eq!(objects(&app), 0);
    }
}

/// An extraction of more lines than are allowed.
async fn made_of_charges(app: &TestApp) -> Value {
    let months = json!({ "from": "2026-11", "to": "2026-11" });
    made(app, app.owner(), json!({ "charges": months }), json!({})).await
}
