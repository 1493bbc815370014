//! How tests fill in a template, and what they ask of imports.

use std::io::Cursor;

use axum::{body::Body, http::Request};
use calamine::{Data, Reader as _, Xlsx};
use chrono::NaiveDateTime;
use rust_xlsxwriter::{DocProperties, Format, Formula, Workbook, Worksheet};
use serde_json::{Value, json};

use super::{
    app::{Answer, BEGIN, TestApp, Who, instant},
    canary,
};

/// What is written into a cell.
#[derive(Debug, Clone, Copy)]
pub enum In<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// Yes or no.
    Truth(bool),
    /// A day and a time, as Excel keeps them.
    Time(&'a str),
    /// The number behind a day and a time, whatever it is, shown as one.
    Serial(f64),
    /// A formula.
    Formula(&'a str),
    /// What Excel shows where a formula went wrong, without the formula; [`with_errors`] makes it of the number that stands here.
    Error,
}

/// A row: the codes of columns, and what stands there.
pub type Row<'a> = &'a [(&'a str, In<'a>)];

/// A row without anything wrong.
pub const GOOD: Row<'_> = &[
    ("@receivedAt", In::Text("2025-03-01 09:30")),
    ("category", In::Text("기타")),
    ("mail", In::Text(canary::MAIL)),
    ("subject", In::Text("배송이 늦습니다")),
    ("content", In::Text("언제 오나요?")),
    ("name", In::Text("홍길동")),
    ("phone", In::Text("01012345678")),
    ("personalAgree", In::Text("Y")),
];

/// The good row with other cells.
pub fn with<'a>(more: &[(&'a str, In<'a>)]) -> Vec<(&'a str, In<'a>)> {
    let others = GOOD.iter().filter(|(code, _)| !more.iter().any(|(own, _)| own == code));
    others.chain(more).copied().collect()
}

/// The good row without a cell.
pub fn without(code: &str) -> Vec<(&'static str, In<'static>)> {
    GOOD.iter().filter(|(own, _)| *own != code).copied().collect()
}

/// Fetches what a link leads to.
pub async fn fetch(app: &TestApp, url: &str) -> Answer {
    let path = url.strip_prefix("https://desk.example.com").unwrap();
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    let peer = orgdesk::api::server::PeerAddress(([127, 0, 0, 1], 40_000).into());
    request.extensions_mut().insert(peer);
    app.send(request).await
}

/// The template of a service.
pub async fn template(app: &TestApp, who: Who<'_>, service: &str) -> Vec<u8> {
    let query = "query Q($id: ID!) { importTemplate(serviceId: $id) { url } }";
    let data = who.data(query, json!({ "id": service })).await;
    let file = fetch(app, data["importTemplate"]["url"].as_str().unwrap()).await;
    assert_eq!(file.status, 200, "{}", file.text);
    file.bytes
}

/// The lines of a sheet as texts.
pub fn lines(book: &[u8], sheet: &str) -> Vec<Vec<String>> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(book.to_vec())).unwrap();
    let range = book.worksheet_range(sheet).unwrap();
    let text = |cell: &Data| match cell {
        Data::String(text) => text.clone(),
        Data::Empty => String::new(),
        other => other.to_string(),
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

/// Code and title of each column of a template, in its order.
pub fn columns(template: &[u8]) -> Vec<(String, String)> {
    let mark = lines(template, "_orgdesk");
    mark.iter()
        .filter(|line| line[0] == "column")
        .map(|line| (line[1].clone(), line[2].clone()))
        .collect()
}

/// A file as a person makes one of a template: its heads, its hidden sheet, and these rows.
pub fn fill(template: &[u8], rows: &[Row<'_>]) -> Vec<u8> {
    made(template, |sheet, columns| {
        for (line, row) in (1_u32..).zip(rows) {
            put(sheet, line, columns, row);
        }
    })
}

/// The same with whatever else a person does to the sheet.
pub fn made(template: &[u8], more: impl FnOnce(&mut Worksheet, &[String])) -> Vec<u8> {
    let mark = lines(template, "_orgdesk");
    let name = mark.iter().find(|line| line[0] == "sheet").unwrap()[1].clone();
    let (codes, titles): (Vec<_>, Vec<_>) = columns(template).into_iter().unzip();
    let mut book = Workbook::new();
    // The same file whenever it is made.
    book.set_properties(&DocProperties::new().set_creation_datetime(&instant(BEGIN)));
    let sheet = book.add_worksheet();
    sheet.set_name(&name).unwrap();
    for (place, title) in (0_u16..).zip(&titles) {
        sheet.write_string(0, place, title).unwrap();
    }
    more(sheet, &codes);
    let hidden = book.add_worksheet();
    hidden.set_name("_orgdesk").unwrap().set_very_hidden(true);
    for (row, line) in (0_u32..).zip(&mark) {
        for (place, text) in (0_u16..).zip(line) {
            hidden.write_string(row, place, text).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

/// The number that stands for an error until [`with_errors`] has seen it.
const ERROR: f64 = 0.011_718_75;

/// The same file with its errors in it.
pub fn with_errors(book: &[u8]) -> Vec<u8> {
    let number = format!("><v>{ERROR}</v>");
    changed(book, "xl/worksheets/sheet1.xml", &number, " t=\"e\"><v>#N/A</v>")
}

/// The same file as a program keeps it whose calendar begins in 1904.
pub fn of_1904(book: &[u8]) -> Vec<u8> {
    changed(book, "xl/workbook.xml", "<workbookPr ", "<workbookPr date1904=\"1\" ")
}

/// The same file with another text in one of its parts, in place of one that must be there.
pub fn changed(book: &[u8], part: &str, from: &str, to: &str) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut new = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for place in 0..old.len() {
        let mut entry = old.by_index(place).unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        let name = entry.name().unwrap().into_owned();
        if name == part {
            let text = String::from_utf8(content).unwrap();
            assert!(text.contains(from), "{part} has no {from}");
            content = text.replace(from, to).into_bytes();
        }
        let options = zip::write::SimpleFileOptions::default();
        new.start_file(name, options).unwrap();
        std::io::Write::write_all(&mut new, &content).unwrap();
    }
    new.finish().unwrap().into_inner()
}

/// Writes a row into a line of a sheet with these columns.
pub fn put(sheet: &mut Worksheet, line: u32, columns: &[String], row: Row<'_>) {
    let time = Format::new().set_num_format("yyyy-mm-dd hh:mm");
    for (code, cell) in row {
        let place = columns.iter().position(|own| own == code);
        let place = u16::try_from(place.unwrap_or_else(|| panic!("no column {code}"))).unwrap();
        match cell {
            In::Text(text) => sheet.write_string(line, place, *text).unwrap(),
            In::Number(number) => sheet.write_number(line, place, *number).unwrap(),
            In::Truth(is) => sheet.write_boolean(line, place, *is).unwrap(),
            In::Serial(number) => sheet.write_number_with_format(line, place, *number, &time).unwrap(),
            In::Error => sheet.write_number(line, place, ERROR).unwrap(),
            In::Formula(text) => sheet
                .write_formula(line, place, Formula::new(*text).set_result("1"))
                .unwrap(),
            In::Time(text) => {
                let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
                sheet.write_datetime_with_format(line, place, at, &time).unwrap()
            }
        };
    }
}

/// The verb that sends a file.
pub const UPLOAD: &str = "mutation M($input: ImportUploadInput!) { importUpload(input: $input) {
    import { id state fileName byteSize sha256 rowCount version } userErrors { code field message } } }";

/// Sends a file; the payload.
pub async fn upload(who: Who<'_>, service: &str, file: &[u8]) -> Value {
    let variables = json!({ "input": { "serviceId": service, "file": null } });
    let answer = who
        .ask_with(UPLOAD, variables, &[("input.file", "이관.xlsx", file)])
        .await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["importUpload"].clone()
}

/// Sends a file, which is taken; the import.
pub async fn uploaded(who: Who<'_>, service: &str, file: &[u8]) -> Value {
    let payload = upload(who, service, file).await;
    assert_eq!(payload["userErrors"], json!([]));
    payload["import"].clone()
}

/// What there is to know of an import.
pub const IMPORT: &str = "query Q($id: ID!) { import(id: $id) { id state fileName hasFile rowCount badRowCount problemCount hiddenRowCount
    checkedAt expiresAt policy confirmedAt startedAt finishedAt insertedCount knownCount failedCount version dueAt { at timeZone local }
    uploadedBy { login } confirmedBy { login } service { code } refusal { code message differences { kind fieldCode before after } }
    problems { rowNumber columnLetters columnTitle columnCode code message } problemFile { url } cautions
    job { state doneCount totalCount failedCount message file { url } expiresAt } actions { name isAllowed reasonCode } } }";

/// An import as it is.
pub async fn import(who: Who<'_>, id: &str) -> Value {
    who.data(IMPORT, json!({ "id": id })).await["import"].clone()
}

/// Sends a file and has it looked through; the import as it is then.
pub async fn looked_through(app: &TestApp, who: Who<'_>, service: &str, file: &[u8]) -> Value {
    let sent = uploaded(who, service, file).await;
    app.run_due().await;
    import(who, sent["id"].as_str().unwrap()).await
}

/// The ID of an import that waits to be confirmed.
pub async fn draft(app: &TestApp, who: Who<'_>, service: &str, file: &[u8]) -> String {
    let import = looked_through(app, who, service, file).await;
    assert_eq!(import["state"], "DRAFT", "{import}");
    import["id"].as_str().unwrap().to_owned()
}

/// The variables of a verb on an import.
pub fn on(import: &Value, more: Value) -> Value {
    let mut input = json!({ "expectedVersion": import["version"] });
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    json!({ "id": import["id"], "input": input })
}

/// The verb that confirms, for [`Who::payload`].
pub const CONFIRM: &str =
    "importConfirm(id: $id, input: $input) => import { id state policy version dueAt { at timeZone local } }";
/// The verb that gives up.
pub const DELETE: &str = "importDelete(id: $id, input: $input) => import { id state version finishedAt }";

/// The variables that confirm an import.
pub fn agreed(import: &Value, policy: &str) -> Value {
    on(import, json!({ "agreeCautions": true, "policy": policy }))
}

/// The ID of an import that waits for its night.
pub async fn reserved(app: &TestApp, who: Who<'_>, service: &str, file: &[u8]) -> String {
    let id = draft(app, who, service, file).await;
    let import = import(who, &id).await;
    who.deed(CONFIRM, agreed(&import, "ALL_OR_NOTHING")).await;
    id
}

/// The problems of an import, each in a line: row, column and code.
pub fn told(import: &Value) -> Vec<String> {
    let problems = import["problems"].as_array().unwrap().iter();
    let line = |problem: &Value| {
        let text = |name: &str| problem[name].as_str().unwrap().to_owned();
        format!("{} {} {}", problem["rowNumber"], text("columnCode"), text("code"))
    };
    problems.map(line).collect()
}
