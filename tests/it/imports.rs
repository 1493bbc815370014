//! 데이터 이관: templates, files that come back, and what is told of them.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who, codes},
        imports::{
            self, CONFIRM, DELETE, GOOD, In, agreed, columns, draft, fetch, fill, import, lines, looked_through, made,
            on, put, template, told, upload, uploaded, with, without,
        },
        make::{self, Made},
        people,
        raw::Raw,
    },
};

/// Adds a field to a service.
async fn field(who: Who<'_>, service: &Made, code: &str, kind: &str, more: Value) -> Value {
    let mut input = json!({
        "serviceId": service.id, "code": code, "type": kind, "texts": [{ "language": "ko", "title": format!("필드 {code}"), "description": "설명" }],
    });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let made = who
        .deed(
            "fieldAdd(input: $input) => field { id version }",
            json!({ "input": input }),
        )
        .await;
    made["field"].clone()
}

/// A service in use with a field of each type.
async fn desk(app: &TestApp) -> Made {
    let owner = app.owner();
    let desk = make::in_use(owner, "desk", 3).await;
    let many: Vec<_> = (0..60)
        .map(|number| json!([format!("상품 {number:02}, 색상")]))
        .collect();
    for (code, kind, more) in [
        ("orderNumber", "TEXT", json!({ "length": 10 })),
        ("memo", "TEXTAREA", json!({})),
        ("notice", "CAPTION", json!({})),
        (
            "tags",
            "CHECKBOX",
            json!({ "options": [["긴급"], ["재문의"], ["VIP"]] }),
        ),
        ("product", "DROPDOWN", json!({ "options": many })),
        ("grade", "RADIO", json!({ "options": [["1"], ["2"], ["상"]] })),
        ("born", "DATE", json!({ "isEncrypted": true, "personalKind": "BIRTH" })),
        ("visit", "DATETIME", json!({})),
        ("term", "DATE_PERIOD", json!({})),
        ("slot", "DATETIME_PERIOD", json!({})),
        ("agree", "AGREE", json!({})),
        ("files", "FILE", json!({})),
        (
            "account",
            "TEXT",
            json!({ "isEncrypted": true, "personalKind": "ACCOUNT" }),
        ),
        ("grading", "TEXT", json!({ "visibility": "MANAGERS" })),
    ] {
        field(owner, &desk, code, kind, more).await;
    }
    desk
}

both! {
    async fn m1_a_template_has_the_fields_as_they_are_now(app) {
        let desk = desk(&app).await;

        let file = template(&app, app.owner(), &desk.id).await;

        let codes: Vec<String> = columns(&file).into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, [
            "@receivedAt", "@processedAt", "@channel", "@status", "@assignee", "@processing", "@externalId",
            "category", "mail", "subject", "content", "name", "phone", "typeOne", "typeTwo", "personalAgree",
            "orderNumber", "memo", "tags", "product", "grade", "born", "visit", "term", "slot", "agree", "account", "grading",
        ], "neither what takes nothing nor what takes files");
        let heads = &lines(&file, "Tickets")[0];
        assert_eq!(heads.len(), codes.len());
        assert_eq!((&*heads[0], &*heads[1], &*heads[7], &*heads[11]), ("Received at *", "Processed at", "유형 *", "이름"));
        let mark = lines(&file, "_orgdesk");
        let word = |name: &str| mark.iter().find(|line| line[0] == name).unwrap()[1].clone();
        let query = "query Q($id: ID!) { service(by: { id: $id }) { fieldComposition { fingerprint } } }";
        let now = app.owner().data(query, json!({ "id": desk.id })).await;
        assert_eq!(json!(word("fingerprint")), now["service"]["fieldComposition"]["fingerprint"]);
        assert_eq!((word("service"), word("issuedAt")), (desk.id.clone(), "2026-11-10T01:00:00.000Z".to_owned()));
        let korean = template(&app, app.owner().speaking("ko"), &desk.id).await;
        assert_eq!(lines(&korean, "티켓")[0][0], "접수일시 *");
        assert!(lines(&korean, "작성 안내")[1][0].contains("\"티켓\" 시트"));
        assert!(lines(&file, "Instructions")[0][0].starts_with("How to"));
    }

    async fn m1_nothing_of_a_template_leaves_for_who_may_not_or_for_a_service_that_is_not_in_use(app) {
        let (desk, draft) = (make::in_use(app.owner(), "desk", 1).await, make::draft(app.owner(), "draft").await);
        let query = "query Q($id: ID!) { importTemplate(serviceId: $id) { url } }";

        assert_eq!(app.member().ask(query, json!({ "id": desk.id })).await.code(), "FORBIDDEN");
        for id in [&draft.id, "svc_x", "mbr_00000000000000000000000000"] {
            assert_eq!(app.owner().data(query, json!({ "id": id })).await["importTemplate"], Value::Null);
        }
        assert_eq!(app.rival().data(query, json!({ "id": desk.id })).await["importTemplate"], Value::Null);
        make::suspend(app.owner(), &desk).await;
        assert_eq!(app.owner().data(query, json!({ "id": desk.id })).await["importTemplate"], Value::Null);
    }

    async fn m2_a_good_file_waits_to_be_confirmed(app) {
        let desk = desk(&app).await;
        people::employ(&app, "desk", "member", false).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let whole = with(&[
            ("@processedAt", In::Text("2025-03-02 10:00")), ("@channel", In::Text("전화")), ("@status", In::Text("Closed")), ("@assignee", In::Text("Member")),
            ("@processing", In::Text("=SUM(1)\n+안내")), ("@externalId", In::Text("0001")), ("orderNumber", In::Text("0012345")), ("memo", In::Text("-a\nb")),
            ("tags", In::Text("긴급; VIP")), ("product", In::Text("상품 07, 색상")), ("grade", In::Number(2.0)), ("born", In::Time("1990-01-02 00:00:00")),
            ("visit", In::Time("2026-11-28 13:00:00")), ("term", In::Text("2026-11-28 ~ 2026-11-30")), ("slot", In::Text("2026-11-28 13:00 ~ 2026-11-28 14:00")),
            ("agree", In::Truth(false)), ("account", In::Text("110-234-567890")), ("grading", In::Text("@상")),
        ]);

        let sent = uploaded(app.administrator(), &desk.id, &fill(&template, &[GOOD, &whole])).await;
        assert_eq!((&sent["state"], &sent["rowCount"], &sent["fileName"]), (&json!("CHECKING"), &json!(0), &json!("이관.xlsx")));
        app.run_due().await;
        let import = import(app.owner(), sent["id"].as_str().unwrap()).await;

        assert_eq!((told(&import), &import["state"]), (vec![], &json!("DRAFT")), "{import}");
        assert_eq!((&import["rowCount"], &import["badRowCount"], &import["problemFile"]), (&json!(2), &json!(0), &Value::Null));
        assert_eq!(import["expiresAt"], "2026-11-10T02:00:00.000Z");
        assert_eq!(import["uploadedBy"]["login"], "admin");
        assert_eq!(import["job"], json!({ "state": "DONE", "doneCount": 2, "totalCount": 2, "failedCount": 0, "message": null, "file": null, "expiresAt": "2026-11-10T02:00:00.000Z" }));
    }

    async fn m2_all_that_is_wrong_is_told_at_once_by_row_and_column(app) {
        let desk = desk(&app).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let long = "가".repeat(5_001);
        let rows = [
            without("@receivedAt"),
            with(&[("@receivedAt", In::Text("2025-02-30 10:00")), ("category", In::Text("없는 유형")), ("@channel", In::Text("편지"))]),
            with(&[("@receivedAt", In::Text("2027-01-01 00:00"))]),
            with(&[("@processedAt", In::Text("2025-03-01 09:29")), ("@status", In::Text("NEW"))]),
            with(&[("@assignee", In::Text("nobody")), ("orderNumber", In::Text("12345678901"))]),
            with(&[("orderNumber", In::Number(12345.0)), ("phone", In::Number(212345678.0)), ("subject", In::Truth(true))]),
            with(&[("orderNumber", In::Text("1.02E+10")), ("born", In::Time("1990-01-02 13:00:00")), ("visit", In::Text("2026-11-28T13:00"))]),
            with(&[("tags", In::Text("긴급;없음")), ("product", In::Text("상품")), ("grade", In::Number(7.0))]),
            with(&[("tags", In::Text("긴급\n긴급")), ("term", In::Text("2026-11-30 ~ 2026-11-28")), ("agree", In::Text("maybe"))]),
            with(&[("subject", In::Formula("=A1")), ("memo", In::Text(&long)), ("personalAgree", In::Text("N"))]),
            without("mail"),
            with(&[("@externalId", In::Text("7"))]),
            with(&[("@externalId", In::Text("7"))]),
        ];
        let rows: Vec<_> = rows.iter().map(Vec::as_slice).collect();

        let import = looked_through(&app, app.owner(), &desk.id, &fill(&template, &rows)).await;

        assert_eq!(told(&import), [
            "2 @receivedAt BLANK", "3 @receivedAt INVALID", "3 @channel OPTION_UNKNOWN", "3 category OPTION_UNKNOWN", "4 @receivedAt TIME_IN_FUTURE",
            "5 @processedAt TIME_BEFORE_RECEIVED", "6 @assignee ASSIGNEE_UNKNOWN", "6 orderNumber TOO_LONG",
            "7 subject CELL_NOT_TEXT", "7 phone CELL_NOT_TEXT", "7 orderNumber CELL_NOT_TEXT",
            "8 orderNumber CELL_NOT_TEXT", "8 born INVALID", "8 visit INVALID", "9 tags OPTION_UNKNOWN", "9 product OPTION_UNKNOWN", "9 grade OPTION_UNKNOWN",
            "10 tags DUPLICATE", "10 term INVALID", "10 agree INVALID", "11 subject CELL_FORMULA", "11 personalAgree BLANK", "11 memo TOO_LONG",
            "12 mail BLANK", "14 @externalId DUPLICATE",
        ]);
        assert_eq!((&import["rowCount"], &import["badRowCount"], &import["problemCount"], &import["state"]), (&json!(13), &json!(12), &json!(25), &json!("DRAFT")));
        assert_eq!(import["problems"][1]["message"], "This is not valid: YYYY-MM-DD HH:mm.");
        assert_eq!((&import["problems"][0]["columnLetters"], &import["problems"][0]["columnTitle"]), (&json!("A"), &json!("Received at")));
        assert_eq!(import["job"]["failedCount"], 12);
    }

    async fn m2_the_first_hundred_problems_are_asked_for_and_all_of_them_come_back_in_the_file(app) {
        let desk = desk(&app).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let bad = with(&[("mail", In::Text("secret.person@example.com")), ("account", In::Number(110234567890.0)), ("subject", In::Text("")), ("name", In::Text("=HYPERLINK(\"x\")"))]);
        let rows: Vec<_> = (0..130).map(|number| if number == 64 { GOOD } else { bad.as_slice() }).collect();

        let import = looked_through(&app, app.owner(), &desk.id, &fill(&template, &rows)).await;
        let link = import["problemFile"]["url"].as_str().unwrap();
        let file = fetch(&app, link).await;

        assert_eq!((import["problems"].as_array().unwrap().len(), &import["problemCount"], &import["badRowCount"]), (100, &json!(258), &json!(129)));
        assert_eq!(file.status, 200, "{}", file.text);
        assert!(file.headers["content-disposition"].to_str().unwrap().contains("problems.xlsx"));
        let lines = lines(&file.bytes, "Tickets");
        assert_eq!((lines.len(), lines[0].last().map(String::as_str)), (131, Some("Problems")));
        let told = |line: &Vec<String>| line.last().unwrap().clone();
        assert_eq!(told(&lines[1]), "제목: A value is needed.\n필드 account: This cell is no text, and may have lost zeros in front: format it as text and type it again.");
        assert_eq!((told(&lines[65]), told(&lines[130]) == told(&lines[1])), (String::new(), true));
        let place = |code: &str| columns(&template).iter().position(|(own, _)| own == code).unwrap();
        assert_eq!(lines[1][place("mail")], "sec***.******@example.com");
        assert!(!lines.iter().flatten().any(|cell| cell.contains("secret") || cell.contains("110234567890")), "personal data stay masked");
        assert_eq!(lines[1][place("name")], "=HYPERLINK(\"x\")", "a text, not a formula");
        let log = "{ auditEntries(filter: { action: [IMPORT_FILE_DOWNLOAD] }) { nodes { log actor { name } target { label } } } }";
        let entry = app.owner().data(log, json!({})).await["auditEntries"]["nodes"][0].clone();
        assert_eq!((&entry["log"], &entry["target"]["label"]), (&json!("EXTRACTION"), &json!("이관.xlsx")));
        for (table, rows) in Raw::admin(&app).await.dump().await {
            assert!(!rows.iter().any(|row| row.contains("secret.person") || row.contains("110234567890")), "{table} keeps what stands in cells");
        }
    }

    async fn m2_whoever_uploads_is_told_at_once_what_can_be_told_at_once(app) {
        let (desk, draft) = (make::in_use(app.owner(), "desk", 1).await, make::draft(app.owner(), "draft").await);
        let large = vec![0; 20 * 1024 * 1024 + 1];

        assert_eq!(codes(&upload(app.owner(), &desk.id, &large).await), ["FILE_TOO_LARGE at input.file"]);
        assert_eq!(codes(&upload(app.owner(), &desk.id, b"").await), ["FILE_NOT_WORKBOOK at input.file"]);
        assert_eq!(codes(&upload(app.owner(), &draft.id, b"x").await), ["SERVICE_NOT_IN_USE at input.serviceId"]);
        assert_eq!(codes(&upload(app.rival(), &desk.id, b"x").await), ["NOT_FOUND at input.serviceId"]);
        assert_eq!(Raw::admin(&app).await.count("import").await, 0);
        assert_eq!(app.app.store.list("imports").await.unwrap(), Vec::<String>::new(), "no file is left");
    }

    async fn m2_a_file_lies_encrypted_and_goes_when_the_import_is_over(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let file = fill(&template, &[GOOD]);

        let sent = uploaded(app.owner(), &desk.id, &file).await;
        let paths = app.app.store.list("imports").await.unwrap();
        assert_eq!(paths.len(), 1);
        let stored = app.app.store.get(&paths[0]).await.unwrap().unwrap();
        assert_eq!(stored.bytes, file.len() as u64 + 28, "a nonce and a tag more");
        app.run_due().await;
        app.wait(chrono::Duration::hours(1));
        app.run_due().await;

        let import = import(app.owner(), sent["id"].as_str().unwrap()).await;
        assert_eq!((&import["state"], &import["hasFile"], &import["expiresAt"]), (&json!("EXPIRED"), &json!(false), &Value::Null));
        assert_eq!(app.app.store.list("imports").await.unwrap(), Vec::<String>::new());
        assert_eq!(app.owner().problems(CONFIRM, agreed(&import, "ALL_OR_NOTHING")).await, ["IMPORT_EXPIRED at id"]);
    }

    async fn m2_bytes_without_a_row_go_after_a_day(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        uploaded(app.owner(), &desk.id, b"none").await;
        Raw::admin(&app).await.must("DELETE FROM import").await;

        app.wait(chrono::Duration::hours(23));
        app.run_due().await;
        assert_eq!(app.app.store.list("imports").await.unwrap().len(), 1);
        app.wait(chrono::Duration::hours(26));
        app.run_due().await;

        assert_eq!(app.app.store.list("imports").await.unwrap(), Vec::<String>::new());
    }

    async fn m3_an_outdated_template_is_refused_with_the_difference(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 1).await;
        let gone = field(owner, &desk, "gone", "TEXT", json!({})).await;
        let named = field(owner, &desk, "named", "TEXT", json!({})).await;
        let needed = field(owner, &desk, "needed", "TEXT", json!({})).await;
        let listed = field(owner, &desk, "listed", "RADIO", json!({ "options": [["a"], ["b"]] })).await;
        let old = template(&app, owner, &desk.id).await;
        let update = "fieldUpdate(id: $id, input: $input)";
        owner.deed("fieldRemove(id: $id, input: $input)", on(&gone, json!({}))).await;
        owner.deed(update, on(&named, json!({ "texts": [{ "language": "ko", "title": "새 이름" }] }))).await;
        owner.deed(update, on(&needed, json!({ "isRequired": true }))).await;
        owner.deed(update, on(&listed, json!({ "options": [["a"]] }))).await;
        field(owner, &desk, "added", "TEXT", json!({})).await;

        let import = looked_through(&app, owner, &desk.id, &fill(&old, &[GOOD])).await;

        assert_eq!((&import["state"], &import["refusal"]["code"], &import["rowCount"]), (&json!("REFUSED"), &json!("TEMPLATE_OUTDATED"), &json!(0)));
        assert_eq!(import["refusal"]["differences"], json!([
            { "kind": "RENAMED", "fieldCode": "named", "before": "필드 named", "after": "새 이름" },
            { "kind": "NOW_REQUIRED", "fieldCode": "needed", "before": "필드 needed", "after": "필드 needed" },
            { "kind": "CHANGED", "fieldCode": "listed", "before": "필드 listed", "after": "필드 listed" },
            { "kind": "ADDED", "fieldCode": "added", "before": null, "after": "필드 added" },
            { "kind": "REMOVED", "fieldCode": "gone", "before": "필드 gone", "after": null },
        ]));
        assert_eq!((&import["job"]["state"], &import["hasFile"]), (&json!("FAILED"), &json!(false)), "its file is gone");
        let message = import["refusal"]["message"].as_str().unwrap();
        assert!(message.starts_with("The fields of the service have changed"), "{message}");
    }

    async fn m3_columns_are_known_by_their_codes_and_not_by_their_places(app) {
        let desk = desk(&app).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let look = async |file: Vec<u8>| looked_through(&app, app.owner(), &desk.id, &file).await;
        let titles = columns(&template);
        // The heads in the opposite order, decomposed, with blanks and what can't be seen.
        let reversed = made(&template, |sheet, codes| {
            let codes: Vec<String> = codes.iter().rev().cloned().collect();
            for (place, (_, title)) in (0_u16..).zip(titles.iter().rev()) {
                let title: String = unicode_normalization::UnicodeNormalization::nfd(title.as_str()).collect();
                sheet.write_string(0, place, format!("\u{a0}{title}\u{200b} *")).unwrap();
            }
            put(sheet, 1, &codes, GOOD);
        });
        let head = |place: u16, title: &'static str| made(&template, move |sheet, codes| {
            sheet.write_string(0, place, title).unwrap();
            put(sheet, 1, codes, GOOD);
        });

        let import = look(reversed).await;
        assert_eq!((&import["state"], told(&import)), (&json!("DRAFT"), vec![]), "{import}");
        for (file, code, message) in [
            (head(3, "모름"), "COLUMN_UNKNOWN", "The template has no such column: \"모름\"."),
            (head(3, "Channel"), "COLUMN_TWICE", "The column \"Channel\" is there twice."),
            (head(40, "모름"), "COLUMN_UNKNOWN", "The template has no such column: \"모름\"."),
        ] {
            let import = look(file).await;
            assert_eq!((&import["refusal"]["code"], &import["refusal"]["message"]), (&json!(code), &json!(message)));
        }
        let other = make::in_use(app.owner(), "other", 1).await;
        let import = looked_through(&app, app.owner(), &other.id, &fill(&template, &[GOOD])).await;
        assert_eq!(import["refusal"]["code"], "TEMPLATE_UNKNOWN", "another service's");
    }

    async fn m2_hidden_rows_are_imported_and_told_and_merged_cells_are_none(app) {
        let desk = desk(&app).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let file = made(&template, |sheet, codes| {
            for line in 1..=4 {
                put(sheet, line, codes, GOOD);
            }
            sheet.set_row_hidden(2).unwrap();
            let format = rust_xlsxwriter::Format::new();
            let subject = u16::try_from(codes.iter().position(|code| code == "subject").unwrap()).unwrap();
            sheet.merge_range(3, subject, 4, subject, "merged", &format).unwrap();
            // Blank rows with a look of their own.
            for line in 5..5_000 {
                sheet.write_blank(line, 0, &format.clone().set_bold()).unwrap();
            }
        });

        let import = looked_through(&app, app.owner(), &desk.id, &file).await;

        assert_eq!((&import["rowCount"], &import["hiddenRowCount"]), (&json!(4), &json!(1)), "{import}");
        assert_eq!(told(&import), ["4 subject CELL_MERGED", "5 subject BLANK"]);
    }

    async fn m5_imports_are_listed_by_page_with_who_and_when(app) {
        let owner = app.owner();
        let (desk, other) = (make::in_use(owner, "desk", 1).await, make::in_use(owner, "other", 1).await);
        for (who, service) in [(owner, &desk), (app.administrator(), &desk), (owner, &other), (owner, &desk)] {
            uploaded(who, &service.id, b"none").await;
            app.wait(chrono::Duration::seconds(1));
        }
        let query = "query Q($after: String, $filter: ImportFilter) { imports(first: 2, after: $after, filter: $filter) { totalCount
            pageInfo { hasNextPage endCursor } nodes { state uploadedAt uploadedBy { login } service { code } } } }";

        let first = owner.data(query, json!({})).await["imports"].clone();
        uploaded(owner, &other.id, b"later").await;
        let many = json!({ "input": { "serviceId": other.id, "file": null } });
        let many = owner.ask_with(imports::UPLOAD, many, &[("input.file", "more.xlsx", b"more")]).await;
        assert_eq!(many.code(), "THROTTLED", "five are looked through at a time: {}", many.text);
        let second = owner.data(query, json!({ "after": first["pageInfo"]["endCursor"] })).await["imports"].clone();
        let narrowed = owner.data(query, json!({ "filter": { "serviceId": desk.id, "state": ["CHECKING"] } })).await["imports"].clone();
        app.run_due().await;
        let refused = owner.data(query, json!({ "filter": { "state": ["REFUSED", "DRAFT"] } })).await["imports"]["totalCount"].clone();

        let who = |page: &Value| page["nodes"].as_array().unwrap().iter().map(|node| format!("{} {}", node["service"]["code"].as_str().unwrap(), node["uploadedBy"]["login"].as_str().unwrap())).collect::<Vec<_>>();
        assert_eq!((who(&first), who(&second)), (vec!["desk owner".to_owned(), "other owner".to_owned()], vec!["desk admin".to_owned(), "desk owner".to_owned()]));
        assert_eq!((&first["totalCount"], &narrowed["totalCount"], &refused), (&json!(4), &json!(3), &json!(5)));
        assert_eq!(app.member().ask(query, json!({})).await.code(), "FORBIDDEN");
        assert_eq!(app.rival().data(query, json!({})).await["imports"]["totalCount"], 0);
    }

    async fn m4_cautions_have_to_be_agreed_to_and_rows_with_problems_to_be_left_out(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let bad = without("subject");
        let mixed = draft(&app, app.owner(), &desk.id, &fill(&template, &[GOOD, &bad])).await;
        let worthless = draft(&app, app.owner(), &desk.id, &fill(&template, &[&bad])).await;
        let fresh = uploaded(app.owner(), &desk.id, b"none").await;
        let [mixed, worthless] = [import(app.owner(), &mixed).await, import(app.owner(), &worthless).await];
        let owner = app.owner();

        assert_eq!(mixed["cautions"].as_array().unwrap().len(), 6);
        let unread = on(&mixed, json!({ "agreeCautions": false, "policy": "SKIP_BAD_ROWS" }));
        assert_eq!(owner.problems(CONFIRM, unread).await, ["CAUTIONS_NOT_AGREED at input.agreeCautions"]);
        assert_eq!(owner.problems(CONFIRM, agreed(&mixed, "ALL_OR_NOTHING")).await, ["IMPORT_HAS_PROBLEMS at input.policy"]);
        assert_eq!(owner.problems(CONFIRM, agreed(&worthless, "SKIP_BAD_ROWS")).await, ["IMPORT_HAS_PROBLEMS at input.policy"]);
        assert_eq!(owner.problems(CONFIRM, agreed(&fresh, "SKIP_BAD_ROWS")).await, ["IMPORT_NOT_CHECKED at id"]);
        assert_eq!(app.rival().problems(CONFIRM, agreed(&mixed, "SKIP_BAD_ROWS")).await, ["NOT_FOUND at id"]);
        let stale = json!({ "id": mixed["id"], "input": { "expectedVersion": 1, "agreeCautions": true, "policy": "SKIP_BAD_ROWS" } });
        assert_eq!(owner.problems(CONFIRM, stale).await, ["STALE_VERSION at input.expectedVersion"]);
        let done = app.administrator().deed(CONFIRM, agreed(&mixed, "SKIP_BAD_ROWS")).await;
        let due = json!({ "at": "2026-11-10T16:00:00.000Z", "timeZone": "Asia/Seoul", "local": "2026-11-11 01:00 +09:00" });
        assert_eq!((&done["import"]["state"], &done["import"]["dueAt"], &done["import"]["policy"]), (&json!("RESERVED"), &due, &json!("SKIP_BAD_ROWS")));
        let twice = import(owner, mixed["id"].as_str().unwrap()).await;
        assert_eq!(owner.problems(CONFIRM, agreed(&twice, "SKIP_BAD_ROWS")).await, ["IMPORT_NOT_CHECKED at id"]);
        assert_eq!((&twice["confirmedBy"]["login"], &twice["confirmedAt"]), (&json!("admin"), &json!("2026-11-10T01:00:00.000Z")));
        let allowed: Vec<_> = twice["actions"].as_array().unwrap().iter().map(|action| (action["name"].clone(), action["isAllowed"].clone())).collect();
        assert_eq!(allowed, [(json!("IMPORT_CONFIRM"), json!(false)), (json!("IMPORT_DELETE"), json!(true)), (json!("IMPORT_UNDO"), json!(false))]);
    }

    async fn m9_the_same_file_is_reserved_once(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let file = fill(&template(&app, app.owner(), &desk.id).await, &[GOOD]);
        let first = imports::reserved(&app, app.owner(), &desk.id, &file).await;
        let second = import(app.owner(), &draft(&app, app.owner(), &desk.id, &file).await).await;

        assert_eq!(app.owner().problems(CONFIRM, agreed(&second, "ALL_OR_NOTHING")).await, ["IMPORT_REPEATED at id"]);
        let first = import(app.owner(), &first).await;
        app.owner().deed(DELETE, on(&first, json!({}))).await;
        app.owner().deed(CONFIRM, agreed(&second, "ALL_OR_NOTHING")).await;
    }

    async fn m6_an_import_that_waits_is_given_up_and_its_file_goes(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let file = fill(&template(&app, app.owner(), &desk.id).await, &[GOOD]);
        let reserved = import(app.owner(), &imports::reserved(&app, app.owner(), &desk.id, &file).await).await;
        app.go_to("2026-11-11T00:59:59.999+09:00");

        let done = app.owner().deed(DELETE, on(&reserved, json!({}))).await;
        app.run_due().await;

        assert_eq!((&done["import"]["state"], &done["import"]["finishedAt"]), (&json!("DELETED"), &json!("2026-11-10T15:59:59.999Z")));
        let now = import(app.owner(), reserved["id"].as_str().unwrap()).await;
        assert_eq!(now["hasFile"], json!(false));
        assert_eq!(app.owner().problems(DELETE, on(&now, json!({}))).await, ["IMPORT_NOT_RESERVED at id"]);
        app.go_to("2026-11-11T01:00:00+09:00");
        app.run_due().await;
        assert_eq!(import(app.owner(), reserved["id"].as_str().unwrap()).await["state"], "DELETED");
    }
}
