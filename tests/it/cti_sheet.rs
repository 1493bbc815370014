//! CTI 상담원 일괄 등록: the workbook that goes out, and what comes of the one that comes back.

use axum::{body::Body, http::Request};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, Who, codes},
        cti::{self, SAVE, all, entry, lines},
        raw::Raw,
        staff, workbook,
    },
};

const LINK: &str = "{ ctiAgentSheet { url expiresAt } }";
const IMPORT: &str = "mutation M($input: CtiAgentImportInput!) { ctiAgentImport(input: $input) {
    rows { number login ctiId ctiNumber outcome userErrors { code field message availableAt holder { login } } } userErrors { code field message availableAt } } }";

/// Fetches what a link leads to, from an address, perhaps with a token.
async fn fetch(app: &TestApp, url: &str, from: [u8; 4], token: Option<&str>) -> Answer {
    let path = url.strip_prefix("https://desk.example.com").unwrap();
    let mut request = Request::get(path).header("accept-language", "en");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut request = request.body(Body::empty()).unwrap();
    let peer = orgdesk::api::server::PeerAddress((from, 40_000).into());
    request.extensions_mut().insert(peer);
    app.send(request).await
}

async fn link(who: Who<'_>) -> String {
    let data = who.data(LINK, json!({})).await;
    data["ctiAgentSheet"]["url"].as_str().unwrap().to_owned()
}

/// A workbook with these rows of texts.
fn book(rows: &[&[&str]]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("CTI agents").unwrap();
    for (row, cells) in (0_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(*cells) {
            // What begins with `#` is a number to Excel.
            match cell.strip_prefix('#') {
                Some(number) => sheet.write_number(row, column, number.parse::<f64>().unwrap()).unwrap(),
                None => sheet.write_string(row, column, *cell).unwrap(),
            };
        }
    }
    book.save_to_buffer().unwrap()
}

const HEADS: &[&str] = &["Login ID", "CTI ID", "CTI number", "Version"];

async fn import(who: Who<'_>, file: &[u8], is_dry: bool) -> Value {
    let variables = json!({ "input": { "dryRun": is_dry, "file": null } });
    let answer = who
        .ask_with(IMPORT, variables, &[("input.file", "번호.xlsx", file)])
        .await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["ctiAgentImport"].clone()
}

/// Each row in a line: its number, what came of it, and why.
fn outcomes(payload: &Value) -> Vec<String> {
    let rows = payload["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        format!(
            "{} {} {}",
            row["number"],
            row["outcome"].as_str().unwrap(),
            codes(row).join(", ")
        )
        .trim()
        .to_owned()
    })
    .collect()
}

both! {
    async fn t7_the_workbook_that_goes_out_has_what_everybody_has_and_comes_back_as_it_was(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim", "lee"]).await;
        app.owner().deed(SAVE, all(vec![entry(&people[0], 0, "Kim.01", "0042")])).await;

        let link = app.owner().data(LINK, json!({})).await["ctiAgentSheet"].clone();
        let file = fetch(&app, link["url"].as_str().unwrap(), [127, 0, 0, 1], None).await;

        assert_eq!(link["expiresAt"], "2026-11-10T01:05:00.000Z");
        assert_eq!(file.status, 200, "{}", file.text);
        let header = |name: &str| file.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-disposition"), "attachment; filename=\"CTI_agents.xlsx\"; filename*=UTF-8''CTI%20agents.xlsx");
        assert_eq!((header("content-type"), header("cache-control"), header("x-content-type-options")),
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned(), "no-store".to_owned(), "nosniff".to_owned()));
        assert_eq!(workbook::cells(&file.bytes), [
            ["Login ID", "Name", "E-mail", "Services", "CTI ID", "CTI number", "Version"],
            ["kim", "kim", "kim@example.com", "Desk desk", "Kim.01", "0042", "1"],
            ["lee", "lee", "lee@example.com", "Desk desk", "", "", "0"],
        ].map(|row| row.map(str::to_owned).to_vec()));
        let log = "{ auditEntries(filter: { action: [CTI_AGENT_DOWNLOAD] }) { totalCount nodes { log actor { name } } } }";
        assert_eq!(app.owner().data(log, json!({})).await["auditEntries"], json!({ "totalCount": 1, "nodes": [{ "log": "EXTRACTION", "actor": { "name": "소유자 (owner)" } }] }));
        let back = import(app.owner(), &file.bytes, false).await;
        assert_eq!((outcomes(&back), codes(&back)), (vec!["2 UNCHANGED".to_owned(), "3 UNCHANGED".to_owned()], vec![]));
        assert_eq!(lines(app.owner()).await, ["kim Kim.01 0042 v1", "lee - - v0"]);
    }

    async fn t7_a_link_is_its_callers_alone_and_for_five_minutes(app) {
        cti::desk(&app, "desk", &["kim"]).await;
        let (here, there) = ([127, 0, 0, 1], [10, 0, 0, 9]);
        let own = link(app.administrator()).await;
        let (mine, other) = (app.administrator().token().await, app.owner().token().await);
        let mut wrong = vec![(fetch(&app, &own, there, None).await, "another address"), (fetch(&app, &own, here, Some(&other)).await, "another member"),
            (fetch(&app, &own, here, Some("x.y.z")).await, "no token of ours")];
        let mut forged = own.clone().into_bytes();
        let last = forged.len() - 5;
        forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
        wrong.push((fetch(&app, &String::from_utf8(forged).unwrap(), here, None).await, "forged"));
        wrong.push((fetch(&app, "https://desk.example.com/download/", here, None).await, "nothing"));
        assert_eq!(fetch(&app, &own, here, Some(&mine)).await.status, 200);
        assert_eq!(fetch(&app, &own, here, None).await.status, 200, "and again");
        let mut head = Request::head(own.strip_prefix("https://desk.example.com").unwrap()).body(Body::empty()).unwrap();
        head.extensions_mut().insert(orgdesk::api::server::PeerAddress((here, 1).into()));
        assert_eq!(app.send(head).await.status, 405, "only GET is a download");
        app.wait(chrono::Duration::seconds(300));
        wrong.push((fetch(&app, &own, here, None).await, "too late"));
        let again = link(app.administrator()).await;
        Raw::admin(&app).await.must("DELETE FROM organization_admin").await;
        wrong.push((fetch(&app, &again, here, None).await, "no right any more"));
        let owners = link(app.owner()).await;
        Raw::admin(&app).await.must("UPDATE session SET ended_at = started_at").await;
        wrong.push((fetch(&app, &owners, here, None).await, "signed out"));

        for (answer, why) in wrong {
            assert_eq!(answer.status, 404, "{why}: {}", answer.text);
        }
    }

    async fn t7_a_dry_run_tells_each_row_and_the_real_one_does_it(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim", "lee", "park", "choi"]).await;
        app.owner().deed(SAVE, all(vec![entry(&people[0], 0, "a", "0001"), entry(&people[1], 0, "b", "0002"), entry(&people[3], 0, "d", "0004")])).await;
        // Two swap, one is new, one is taken back.
        let file = book(&[HEADS, &["kim", "b", "0002", "1"], &["lee", "ａ", "０００１"], &[], &["PARK", "c", "00 03", "0"], &["choi", "", "", "1"]]);
        let before = cti::rows(&app).await;

        let dry = import(app.owner(), &file, true).await;
        assert!(cti::rows(&app).await == before, "a dry run leaves nothing");
        let done = import(app.owner(), &file, false).await;

        assert_eq!(outcomes(&done), ["2 CHANGED", "3 CHANGED", "5 CHANGED", "6 CHANGED"]);
        assert_eq!(dry, done);
        let now: Vec<_> = lines(app.owner()).await.iter().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect();
        assert_eq!(now, ["choi - -", "kim b 0002", "lee a 0001", "park c 0003"]);
    }

    async fn t7_one_row_that_is_wrong_holds_all_back_and_says_why(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim", "lee", "park", "choi"]).await;
        app.owner().deed(SAVE, all(vec![entry(&people[0], 0, "a", "0001")])).await;
        let before = cti::rows(&app).await;
        let file = book(&[HEADS, &["lee", "b", "0002"], &["park", "A", "0001"], &["nobody", "c", "0003"], &["choi", "d", "#42"], &["lee", "e", "0005"],
            &["member", "f", "0006"], &["", "g", "0007"], &["park", "x", "12-34"]]);

        let payload = import(app.owner(), &file, false).await;

        assert_eq!(outcomes(&payload), [
            "2 HELD_BACK",
            "3 REFUSED CTI_ID_TAKEN at input.file.3.ctiId, CTI_NO_TAKEN at input.file.3.ctiNumber",
            "4 REFUSED NOT_FOUND at input.file.4.login",
            "5 REFUSED CELL_NOT_TEXT at input.file.5.ctiNumber",
            "6 REFUSED DUPLICATE at input.file.6.login",
            "7 REFUSED AGENT_HAS_NO_PHONE_RIGHT at input.file.7.login",
            "8 REFUSED BLANK at input.file.8.login",
            "9 REFUSED DUPLICATE at input.file.9.login",
        ]);
        assert_eq!(payload["rows"][1]["userErrors"][0]["holder"], json!({ "login": "kim" }));
        assert_eq!(payload["rows"][3]["ctiNumber"], "42", "what is left of it is shown");
        assert_eq!(codes(&payload).len(), 8);
        assert!(cti::rows(&app).await == before, "nothing was changed");
        let stale = import(app.owner(), &book(&[HEADS, &["kim", "b", "0001", "7"]]), false).await;
        assert_eq!(outcomes(&stale), ["2 REFUSED STALE_VERSION at input.file.2.expectedVersion"]);
    }

    async fn t7_a_file_that_is_none_says_so_and_reaches_nobody_who_may_not(app) {
        staff::full(app.owner(), "desk").await;
        let good = book(&[HEADS, &["kim", "b", "0001"]]);
        let mut large = good.clone();
        large.resize(1_048_577, 0);
        for (file, code) in [
            (b"a,b,c".to_vec(), "FILE_NOT_WORKBOOK"),
            (large, "FILE_TOO_LARGE"),
            (good[..good.len() / 2].to_vec(), "FILE_DAMAGED"),
            (book(&[&["계정", "CTI ID"], &["kim", "b"]]), "COLUMN_NOT_FOUND"),
            (book(&[HEADS]), "BLANK"),
        ] {
            let payload = import(app.owner(), &file, false).await;
            assert_eq!(codes(&payload), [format!("{code} at input.file")]);
            assert_eq!(payload["rows"], json!([]));
        }
        let variables = json!({ "input": { "file": null } });
        let answer = app.member().ask_with(IMPORT, variables, &[("input.file", "a.xlsx", &good)]).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{}", answer.text);
    }

    async fn t7_the_same_file_with_the_same_key_is_one_import(app) {
        cti::desk(&app, "desk", &["kim"]).await;
        let file = book(&[HEADS, &["kim", "a", "0001"]]);
        let ask = async |file: &[u8]| {
            let variables = json!({ "input": { "idempotencyKey": "once", "file": null } });
            app.owner().ask_with(IMPORT, variables, &[("input.file", "a.xlsx", file)]).await.json["data"]["ctiAgentImport"].clone()
        };

        let [first, second] = [ask(&file).await, ask(&file).await];
        let other = ask(&book(&[HEADS, &["kim", "a", "0002"]])).await;

        assert_eq!((outcomes(&first), &second), (vec!["2 CHANGED".to_owned()], &first));
        assert_eq!(codes(&other), ["IDEMPOTENCY_KEY_REUSED at input.idempotencyKey"]);
        assert_eq!(lines(app.owner()).await, ["kim a 0001 v1"]);
    }
}
