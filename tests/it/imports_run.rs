//! 데이터 이관: the night of an import, and what came of it.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        imports::{self, CONFIRM, GOOD, In, agreed, fetch, fill, import, lines, on, template, with, without},
        make::{self, Made},
        people,
        raw::Raw,
    },
};

/// One o'clock of the day after the one on which tests begin.
const NIGHT: &str = "2026-11-11T01:00:00+09:00";

/// The verb that takes away again.
const UNDO: &str = "importUndo(id: $id, input: $input) => import { state undoneAt version }";

/// A service in use, and its template.
async fn desk(app: &TestApp) -> (Made, Vec<u8>) {
    let desk = make::in_use(app.owner(), "desk", 3).await;
    let template = template(app, app.owner(), &desk.id).await;
    (desk, template)
}

/// The ID of an import that waits for its night, of which bad rows are left out.
async fn reserved(app: &TestApp, desk: &Made, file: &[u8]) -> String {
    let id = imports::draft(app, app.owner(), &desk.id, file).await;
    let draft = import(app.owner(), &id).await;
    app.owner().deed(CONFIRM, agreed(&draft, "SKIP_BAD_ROWS")).await;
    id
}

/// What became of an import: its state and its counts.
fn counts(import: &Value) -> Value {
    json!([
        import["state"],
        import["insertedCount"],
        import["knownCount"],
        import["failedCount"]
    ])
}

/// The lines of the report of an import.
async fn report(app: &TestApp, id: &str) -> Vec<Vec<String>> {
    let data = app
        .owner()
        .data(
            "query Q($id: ID!) { import(id: $id) { reportFile { url } } }",
            json!({ "id": id }),
        )
        .await;
    let file = fetch(app, data["import"]["reportFile"]["url"].as_str().unwrap()).await;
    assert_eq!(file.status, 200, "{}", file.text);
    lines(&file.bytes, "Result")
}

both! {
    async fn m5_rows_become_tickets_in_their_night_with_the_times_that_they_had(app) {
        let (desk, template) = desk(&app).await;
        people::employ(&app, "desk", "member", false).await;
        let done = with(&[
            ("@processedAt", In::Text("2025-03-02 10:00")), ("@channel", In::Text("전화")), ("@assignee", In::Text("member")),
            ("@processing", In::Text("안내함")), ("@externalId", In::Text("A-1")), ("mail", In::Text("secret.person@example.com")),
        ]);
        let id = reserved(&app, &desk, &fill(&template, &[GOOD, &done])).await;
        let mut raw = Raw::admin(&app).await;
        app.go_to("2026-11-11T00:59:59.999+09:00");
        app.run_due().await;
        assert_eq!((raw.count("ticket").await, &import(app.owner(), &id).await["state"]), (0, &json!("RESERVED")));

        app.go_to(NIGHT);
        app.run_due().await;

        let import = import(app.owner(), &id).await;
        assert_eq!(counts(&import), json!(["COMPLETED", 2, 0, 0]), "{import}");
        assert_eq!((&import["startedAt"], &import["finishedAt"], &import["hasFile"]), (&json!("2026-11-10T16:00:00.000Z"), &json!("2026-11-10T16:00:00.000Z"), &json!(false)));
        assert_eq!(app.app.store.list("imports").await.unwrap(), Vec::<String>::new(), "its file is gone");
        let of = "SELECT CAST(number AS TEXT) || ' ' || CAST(import_row AS TEXT) || ' ' || channel || ' ' || status || ' ' || coalesce(external_id, '-') FROM ticket ORDER BY number";
        assert_eq!(raw.texts(of).await, ["1 2 MANUAL NEW -", "2 3 PHONE CLOSED A-1"]);
        assert_eq!(raw.count("ticket WHERE is_migrated AND CAST(received_at AS TEXT) LIKE '2025-03-01 00:30:00%' OR CAST(received_at AS TEXT) LIKE '2025-03-01T00:30:00%'").await, 2, "09:30 in Seoul");
        for (table, rows) in raw.dump().await {
            assert!(!rows.iter().any(|row| row.contains("secret.person")), "{table} keeps personal data in clear");
        }
        assert_eq!(report(&app, &id).await, [["Row", "Result", "Ticket", "Why"], ["2", "Imported", "1", ""], ["3", "Imported", "2", ""]].map(|line| line.map(str::to_owned).to_vec()));
        let log = "{ auditEntries(filter: { action: [IMPORT_RUN] }) { totalCount nodes { log target { label } actor { kind } } } }";
        let entries = app.owner().data(log, json!({})).await["auditEntries"].clone();
        assert_eq!((&entries["totalCount"], &entries["nodes"][0]["log"], &entries["nodes"][0]["target"]["label"]), (&json!(1), &json!("MANAGEMENT"), &json!("이관.xlsx")));
    }

    // case: F2
    async fn m5_a_server_that_was_down_does_it_when_it_is_back_once_and_in_order(app) {
        let (desk, template) = desk(&app).await;
        let other = with(&[("subject", In::Text("둘째"))]);
        let first = reserved(&app, &desk, &fill(&template, &[GOOD, GOOD])).await;
        app.wait(chrono::Duration::seconds(1));
        let second = reserved(&app, &desk, &fill(&template, &[&other])).await;

        for days in [3, 4, 5] {
            app.go_to(&format!("2026-11-{:02}T09:00:00+09:00", 11 + days));
            app.run_due().await;
            app.wait(chrono::Duration::seconds(5));
            app.run_due().await;
        }

        let mut raw = Raw::admin(&app).await;
        let of = "SELECT CAST(number AS TEXT) || ' ' || CAST(import_row AS TEXT) FROM ticket ORDER BY number";
        assert_eq!(raw.texts(of).await, ["1 2", "2 3", "3 2"]);
        for id in [first, second] {
            assert_eq!(import(app.owner(), &id).await["state"], "COMPLETED");
        }
    }

    async fn m5_two_servers_at_once_do_it_once(app) {
        let (desk, template) = desk(&app).await;
        let rows = vec![GOOD; 600];
        let id = reserved(&app, &desk, &fill(&template, &rows)).await;
        let other = app.second_server().await;
        app.go_to(NIGHT);

        tokio::join!(app.run_due(), other.run_due());

        let mut raw = Raw::admin(&app).await;
        assert_eq!(counts(&import(app.owner(), &id).await), json!(["COMPLETED", 600, 0, 0]));
        assert_eq!((raw.count("ticket").await, raw.count("(SELECT DISTINCT import_row FROM ticket) AS rows").await), (600, 600));
    }

    async fn m6_an_import_that_is_at_work_or_over_is_not_given_up(app) {
        let (desk, template) = desk(&app).await;
        let id = reserved(&app, &desk, &fill(&template, &[GOOD])).await;
        let waiting = import(app.owner(), &id).await;
        app.go_to(NIGHT);
        app.run_due().await;

        assert_eq!(app.owner().problems(imports::DELETE, on(&waiting, json!({}))).await, ["IMPORT_NOT_RESERVED at id"]);
        assert_eq!(Raw::admin(&app).await.count("ticket").await, 1);
    }

    async fn m7_m9_what_is_left_out_is_counted_and_told_and_an_external_id_comes_once(app) {
        let (desk, template) = desk(&app).await;
        let row = |id: &'static str| with(&[("@externalId", In::Text(id))]);
        let (one, two, three, bad) = (row("1"), row("2"), row("3"), without("mail"));
        reserved(&app, &desk, &fill(&template, &[&one, &two])).await;
        app.go_to(NIGHT);
        app.run_due().await;
        let id = reserved(&app, &desk, &fill(&template, &[&two, &bad, &three])).await;
        app.go_to("2026-11-12T01:00:00+09:00");
        app.run_due().await;

        let import = import(app.owner(), &id).await;

        assert_eq!(counts(&import), json!(["PARTIAL", 1, 1, 1]));
        assert_eq!(Raw::admin(&app).await.count("ticket").await, 3);
        let report = report(&app, &id).await;
        assert_eq!(report[1..], [
            ["2", "Left out", "", "A ticket of this external ID was there already."],
            ["3", "Left out", "", "이메일: A value is needed."],
            ["4", "Imported", "3", ""],
        ].map(|line| line.map(str::to_owned).to_vec()));
    }

    async fn m10_rows_are_judged_anew_in_their_night(app) {
        let (desk, template) = desk(&app).await;
        let owner = app.owner();
        let nameless = without("name");
        let all = imports::reserved(&app, owner, &desk.id, &fill(&template, &[GOOD, &nameless])).await;
        app.wait(chrono::Duration::seconds(1));
        let some = reserved(&app, &desk, &fill(&template, &[GOOD, &nameless, GOOD])).await;
        let fields = "query Q($id: ID!) { service(by: { id: $id }) { fields { id code version } } }";
        let fields = owner.data(fields, json!({ "id": desk.id })).await["service"]["fields"].clone();
        let name = fields.as_array().unwrap().iter().find(|field| field["code"] == "name").unwrap().clone();
        owner.deed("fieldUpdate(id: $id, input: $input)", on(&name, json!({ "isRequired": true }))).await;

        app.go_to(NIGHT);
        app.run_due().await;
        app.wait(chrono::Duration::seconds(5));
        app.run_due().await;

        let (all, some) = (import(owner, &all).await, import(owner, &some).await);
        assert_eq!((counts(&all), &all["refusal"]["code"]), (json!(["FAILED", 0, 0, 2]), &json!("IMPORT_HAS_PROBLEMS")));
        assert_eq!((counts(&some), &some["refusal"]), (json!(["PARTIAL", 2, 0, 1]), &Value::Null));
        assert_eq!(Raw::admin(&app).await.count("ticket").await, 2);
    }

    async fn m10_nothing_is_imported_into_a_service_out_of_use_nor_for_who_has_left(app) {
        let (desk, template) = desk(&app).await;
        people::join(&app, "second", true).await;
        let draft = imports::draft(&app, app.owner(), &desk.id, &fill(&template, &[GOOD])).await;
        let draft = import(app.owner(), &draft).await;
        app.someone("acme", "second").deed(CONFIRM, agreed(&draft, "ALL_OR_NOTHING")).await;
        let second = people::member(app.owner(), "second").await;
        app.owner().deed(people::EXPEL, people::on(&second, json!({}))).await;
        app.go_to(NIGHT);
        app.run_due().await;
        let other = reserved(&app, &desk, &fill(&template, &[GOOD, GOOD])).await;
        make::suspend(app.owner(), &desk).await;
        app.go_to("2026-11-12T01:00:00+09:00");
        app.run_due().await;

        let (left, stopped) = (import(app.owner(), draft["id"].as_str().unwrap()).await, import(app.owner(), &other).await);
        assert_eq!((counts(&left), &left["refusal"]["code"]), (json!(["FAILED", 0, 0, 1]), &json!("IMPORT_WITHOUT_CONFIRMER")));
        assert_eq!((counts(&stopped), &stopped["refusal"]["code"]), (json!(["FAILED", 0, 0, 2]), &json!("SERVICE_NOT_IN_USE")));
        assert_eq!(Raw::admin(&app).await.count("ticket").await, 0);
    }

    async fn m11_whoever_confirmed_is_told_by_letter(app) {
        let (desk, template) = desk(&app).await;
        let bad = without("mail");
        reserved(&app, &desk, &fill(&template, &[GOOD, &bad])).await;
        app.go_to(NIGHT);

        app.run_due().await;

        let letters = app.letters();
        let letter = letters.last().unwrap();
        assert_eq!((letters.len(), &*letter.to.email), (1, "owner@example.com"));
        assert_eq!(letter.subject, "Desk desk 데이터 이관 결과");
        for line in ["서비스: Desk desk", "파일: 이관.xlsx", "전체 행: 2", "이관: 1", "제외: 1", "시각: 2026-11-11 01:00 +09:00 (Asia/Seoul)"] {
            assert!(letter.text.contains(line), "{line}: {}", letter.text);
        }
        assert!(letter.html.contains("이관.xlsx"));
    }

    async fn m11_an_undo_takes_away_what_nobody_has_changed_since_and_says_what_stays(app) {
        let (desk, template) = desk(&app).await;
        let rows = vec![GOOD; 300];
        let id = reserved(&app, &desk, &fill(&template, &rows)).await;
        app.go_to(NIGHT);
        app.run_due().await;
        let mut raw = Raw::admin(&app).await;
        raw.must("UPDATE ticket SET version = 2 WHERE import_row IN (2, 299)").await;
        let done = import(app.owner(), &id).await;
        app.go_to("2026-11-18T00:59:59.999+09:00");

        let undone = app.owner().deed(UNDO, on(&done, json!({}))).await;
        app.run_due().await;

        assert_eq!(undone["import"]["state"], "UNDONE");
        let import = import(app.owner(), &id).await;
        assert_eq!(counts(&import), json!(["UNDONE", 2, 0, 0]));
        assert_eq!((raw.count("ticket").await, raw.count("ticket_term").await > 0), (2, true));
        assert_eq!(raw.count("ticket_term WHERE ticket_id NOT IN (SELECT id FROM ticket)").await, 0);
        let kept = app.owner().data("query Q($id: ID!) { import(id: $id) { keptCount undoneAt } }", json!({ "id": id })).await["import"].clone();
        assert_eq!(kept, json!({ "keptCount": 2, "undoneAt": "2026-11-17T15:59:59.999Z" }));
        let report = report(&app, &id).await;
        assert_eq!(report[1..], [["2", "Imported", "1", "It was changed since, and so it stayed."], ["299", "Imported", "298", "It was changed since, and so it stayed."]].map(|line| line.map(str::to_owned).to_vec()));
        assert_eq!(app.owner().problems(UNDO, on(&import, json!({}))).await, ["IMPORT_NOT_DONE at id"]);
    }

    async fn m11_nothing_is_undone_that_is_not_over_or_was_over_long_ago(app) {
        let (desk, template) = desk(&app).await;
        let id = reserved(&app, &desk, &fill(&template, &[GOOD])).await;
        let waiting = import(app.owner(), &id).await;
        assert_eq!(app.owner().problems(UNDO, on(&waiting, json!({}))).await, ["IMPORT_NOT_DONE at id"]);
        app.go_to(NIGHT);
        app.run_due().await;
        let done = import(app.owner(), &id).await;
        app.go_to("2026-11-18T01:00:00+09:00");

        assert_eq!(app.owner().problems(UNDO, on(&done, json!({}))).await, ["IMPORT_UNDO_TOO_LATE at id"]);
        assert_eq!(Raw::admin(&app).await.count("ticket").await, 1);
    }
}
