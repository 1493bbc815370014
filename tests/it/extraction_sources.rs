//! What leaves is what the list shows, whichever it is; other readers than ours open it; and a server that falls leaves no
//! half file.

use std::collections::HashMap;

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who},
        extraction::{extraction, fetch, file, link, made, requested},
        grants,
        ledger::{execute, texts},
        make, people,
        phone::{call, monitored, record, waiting},
        python::python,
        ticket::desk,
        workbook::cells,
    },
};

/// The rows of a file as maps from codes to texts.
async fn rows(app: &TestApp, who: Who<'_>, list: Value) -> Vec<HashMap<String, String>> {
    let made = made(app, who, list, json!({})).await;
    let file = fetch(app, link(&made)).await;
    let codes: Vec<String> = made["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect();
    let cells = cells(&file.bytes);
    assert_eq!(cells[0].len(), codes.len());
    assert_eq!(made["rowCount"], cells.len() - 1, "{made}");
    cells[1..]
        .iter()
        .map(|row| codes.iter().cloned().zip(row.iter().cloned()).collect())
        .collect()
}

/// What a script of openpyxl says of a file; `None` where there is none.
fn run_python(script: &str, file: &std::path::Path) -> Option<String> {
    let run = std::process::Command::new(python("openpyxl")?)
        .arg("-c")
        .arg(script)
        .arg(file)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(String::from_utf8(run.stdout).unwrap())
}

/// The texts of a column.
fn of<'r>(rows: &'r [HashMap<String, String>], code: &str) -> Vec<&'r str> {
    rows.iter().map(|row| row[code].as_str()).collect()
}

/// The texts of a path in nodes.
fn at<'v>(nodes: &'v Value, path: &str) -> Vec<&'v str> {
    nodes
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node.pointer(path).and_then(Value::as_str).unwrap_or(""))
        .collect()
}

both! {
    async fn l4_members_and_agents_leave_as_their_lists_show_them(app) {
        desk(&app, "desk").await;
        let members = app.owner().data("{ organization { members(first: 100) { nodes { login name email } } } }", json!({})).await["organization"]["members"]["nodes"].clone();
        let agents = app.owner().data("{ agents(first: 100) { nodes { role service { code } member { login } } } }", json!({})).await["agents"]["nodes"].clone();

        let kept = rows(&app, app.owner(), json!({ "members": {} })).await;
        let mut logins = of(&kept, "login");
        let mut listed = at(&members, "/login");
        logins.sort_unstable();
        listed.sort_unstable();
        assert_eq!(logins, listed);
        assert!(kept.iter().all(|row| row["email"] == format!("{}@example.com", row["login"])));
        let left = rows(&app, app.owner(), json!({ "members": { "status": ["LEFT"] } })).await;
        assert!(left.is_empty());
        let kept = rows(&app, app.owner(), json!({ "agents": {} })).await;
        assert_eq!((of(&kept, "login"), of(&kept, "serviceCode")), (at(&agents, "/member/login"), at(&agents, "/service/code")));
        let managers = rows(&app, app.owner(), json!({ "agents": { "role": "MANAGER" } })).await;
        assert_eq!((of(&managers, "login"), of(&managers, "role")), (vec!["manager"], vec!["Manager"]));
    }

    async fn l6_each_log_leaves_as_its_list_shows_it_and_that_it_did_stands_in_the_log(app) {
        desk(&app, "desk").await;
        grants::give(app.owner(), "agent", json!({ "isForAllServices": true })).await;
        app.wait(Duration::seconds(1));
        let logs = "{ permissionChanges(first: 100) { nodes { kind actor { name } target { login } address } } piiGrantChanges(first: 100) { nodes { kind holder { login } reason } }
            auditEntries(first: 100) { nodes { action log outcome address } } }";
        let listed = app.owner().data(logs, json!({})).await;

        let rights = rows(&app, app.owner(), json!({ "permissionChanges": {} })).await;
        let nodes = &listed["permissionChanges"]["nodes"];
        assert!(!rights.is_empty());
        assert_eq!((of(&rights, "kind"), of(&rights, "targetLogin"), of(&rights, "actorName")), (at(nodes, "/kind"), at(nodes, "/target/login"), at(nodes, "/actor/name")));
        let pii = rows(&app, app.owner(), json!({ "piiGrantChanges": {} })).await;
        let nodes = &listed["piiGrantChanges"]["nodes"];
        assert_eq!((of(&pii, "kind"), of(&pii, "holderLogin")), (at(nodes, "/kind"), at(nodes, "/holder/login")));
        assert_eq!(of(&pii, "networksAfter"), ["203.0.113.0/24"]);
        let audit = rows(&app, app.owner(), json!({ "auditEntries": { "log": ["PERMISSION", "MANAGEMENT"] } })).await;
        let nodes: Vec<Value> = listed["auditEntries"]["nodes"].as_array().unwrap().iter().filter(|node| node["log"] == "PERMISSION" || node["log"] == "MANAGEMENT").cloned().collect();
        let nodes = json!(nodes);
        assert_eq!((of(&audit, "action"), of(&audit, "outcome")), (at(&nodes, "/action"), at(&nodes, "/outcome")));

        app.wait(Duration::seconds(1));
        let steps = app.owner().data("{ extractionSteps(first: 100) { nodes { kind requester { login } } } }", json!({})).await["extractionSteps"]["nodes"].clone();
        let own = rows(&app, app.owner(), json!({ "extractionSteps": {} })).await;
        assert_eq!((of(&own, "kind"), of(&own, "requesterLogin")), (at(&steps, "/kind"), at(&steps, "/requester/login")));
        assert_eq!(of(&own, "kind").iter().filter(|kind| **kind == "DOWNLOADED").count(), 3);
        let last = app.owner().data("{ extractionSteps(first: 100, filter: { source: EXTRACTION_STEPS }) { totalCount } }", json!({})).await;
        assert_eq!(last["extractionSteps"]["totalCount"], 3, "that the log left stands in the log");
    }

    async fn l4_the_cti_log_leaves_with_its_numbers_masked(app) {
        monitored(&app).await;
        let events = [waiting("e1", "2026-11-09T15:00:00Z"), call("e2", "CALL_RANG", "2026-11-09T22:59:59Z")];
        record(app.member(), &events).await;
        app.wait(Duration::seconds(1));
        let member = people::member(app.owner(), "member").await;

        let kept = rows(&app, app.owner(), json!({ "ctiEvents": { "memberId": member["id"] } })).await;

        assert_eq!((of(&kept, "event"), of(&kept, "customerNumber")), (vec!["e1", "e2"], vec!["", "010-****-6789"]));
        let none = rows(&app, app.owner(), json!({ "ctiEvents": { "memberId": member["id"], "occurredAt": { "to": "2026-11-09T15:00:00Z" } } })).await;
        assert!(none.is_empty());
    }

    async fn l4_a_list_of_many_parts_is_whole_and_no_part_is_large(app) {
        let desk = desk(&app, "desk").await;
        let manager = app.someone("acme", "manager");
        let ticket = crate::support::ticket::made(manager, &desk, json!({ "phone": "010-2345-6789" })).await;
        let copies = if app.admin_url.is_some() {
            "INSERT INTO ticket (id, organization_id, service_id, number, channel, status, priority, assignee_id, received_at, processed_at, processing, external_id, is_migrated, import_id, import_row, call_reference, plain, sealed, created_at, version)
             SELECT gen_random_uuid(), organization_id, service_id, serial, channel, status, priority, assignee_id, received_at, processed_at, processing, external_id,
             is_migrated, import_id, import_row, call_reference, plain, '{}', created_at, version FROM ticket, generate_series(2, 2100) AS serial WHERE number = 1"
        } else {
            "INSERT INTO ticket (id, organization_id, service_id, number, channel, status, priority, assignee_id, received_at, processed_at, processing, external_id, is_migrated, import_id, import_row, call_reference, plain, sealed, created_at, version)
             SELECT randomblob(16), organization_id, service_id, serial.value, channel, status, priority, assignee_id, received_at, processed_at, processing, external_id,
             is_migrated, import_id, import_row, call_reference, plain, '{}', created_at, version FROM ticket,
             (WITH RECURSIVE of (value) AS (SELECT 2 UNION ALL SELECT value + 1 FROM of WHERE value < 2100) SELECT value FROM of) AS serial WHERE number = 1"
        };
        execute(&app, copies).await;
        app.wait(Duration::seconds(1));

        let kept = rows(&app, manager, json!({ "tickets": { "serviceId": desk.id } })).await;

        let mut numbers: Vec<u32> = of(&kept, "@number").iter().map(|number| number.parse().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=2_100).collect::<Vec<_>>(), "{ticket}");
        assert_eq!(orgdesk::kernel::extract::ROWS, 500);
    }

    async fn l4_another_reader_opens_the_file(app) {
        make::in_use(app.owner(), "desk", 5).await;
        let member = people::member(app.owner(), "member").await;
        app.owner().deed(people::UPDATE, people::on(&member, json!({ "name": "=1+1" }))).await;
        let file = file(&app, app.owner(), json!({ "members": {} }), json!({ "columns": ["name", "joinedAt"] })).await;
        let path = app.data().join("opened.xlsx");
        std::fs::write(&path, &file).unwrap();

        let Some(told) = run_python("import sys, openpyxl\nsheet = openpyxl.load_workbook(sys.argv[1]).active\nfor row in sheet.iter_rows():\n    print(row[0].data_type, row[0].value, row[1].value)", &path) else { return };

        assert!(told.contains("s =1+1 2026-11-10 10:00:00"), "{told}");
        assert!(told.lines().all(|line| line.starts_with("s ")), "{told}");
    }

    async fn l4_whoever_takes_a_file_over_begins_anew_and_leaves_no_half_file(app) {
        let id = requested(app.owner(), json!({ "members": {} }), json!({})).await;
        // A server has begun on it, has written bytes that no row knows of, and fell.
        execute(&app, "UPDATE extraction SET state = 'RUNNING', fence = 7, done_count = 2").await;

        app.run_due().await;
        let done = extraction(app.owner(), &id).await;
        let left = fetch(&app, link(&done)).await;

        assert_eq!((&done["state"], &done["rowCount"]), (&json!("READY"), &json!(3)));
        assert_eq!(cells(&left.bytes).len(), 4);
        assert_eq!(texts(&app, "SELECT CAST(fence AS TEXT) FROM extraction").await, ["8"]);
    }

    async fn l4_bytes_without_a_row_go_after_a_day(app) {
        let done = made(&app, app.owner(), json!({ "members": {} }), json!({})).await;
        let folder = std::fs::read_dir(app.data().join("files/extractions")).unwrap().next().unwrap().unwrap().path();
        let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        let lost = file.to_str().unwrap().replace("-1", "-2");
        std::fs::copy(&file, &lost).unwrap();

        app.wait(Duration::hours(25));
        app.run_due().await;

        assert!(file.exists() && !std::path::Path::new(&lost).exists(), "{done}");
    }
}
