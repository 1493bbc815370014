//! What Excel makes of values, cell by cell: what each comes to, and what is told where that can't be known.

use std::collections::BTreeMap;

use rust_xlsxwriter::Formula;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        imports::{
            self, CONFIRM, GOOD, In, agreed, fill, looked_through, made, of_1904, put, template, told, with,
            with_errors,
        },
        make::Made,
        ticket,
    },
};

/// What a cell comes to: what the ticket has, or the code of what is wrong.
type Outcome = Result<&'static str, &'static str>;

/// A column, what stands there, and what that comes to.
type Case = (&'static str, In<'static>, Outcome);

const CASES: &[Case] = &[
    // Texts, and what is none any more.
    ("code", In::Text("0012345"), Ok("0012345")),
    ("code", In::Text("=SUM(A1:A9)"), Ok("=SUM(A1:A9)")),
    ("code", In::Text("+82 10"), Ok("+82 10")),
    ("code", In::Text("-1"), Ok("-1")),
    ("code", In::Text("@here"), Ok("@here")),
    ("code", In::Text("'0012"), Ok("'0012")),
    ("code", In::Text("  a b  "), Ok("a b")),
    ("code", In::Text("12E+3"), Ok("12E+3")),
    ("code", In::Text("1.5E+3 kg"), Ok("1.5E+3 kg")),
    ("code", In::Text("1.02E+10"), Err("CELL_NOT_TEXT")),
    ("code", In::Text("1.02e+10"), Err("CELL_NOT_TEXT")),
    ("code", In::Number(12_345.0), Err("CELL_NOT_TEXT")),
    ("code", In::Number(1.02e10), Err("CELL_NOT_TEXT")),
    ("code", In::Number(0.5), Err("CELL_NOT_TEXT")),
    ("code", In::Truth(true), Err("CELL_NOT_TEXT")),
    ("code", In::Time("2026-11-28 00:00:00"), Err("CELL_NOT_TEXT")),
    ("code", In::Formula("=A1"), Err("CELL_FORMULA")),
    ("code", In::Error, Err("CELL_ERROR")),
    // Telephone numbers that have lost their zero, and those of which nobody can know.
    ("phone", In::Text("01012345678"), Ok("like 010")),
    ("phone", In::Number(1_012_345_678.0), Ok("like 010")),
    ("phone", In::Number(212_345_678.0), Err("CELL_NOT_TEXT")),
    ("phone", In::Number(821_012_345_678.0), Err("CELL_NOT_TEXT")),
    ("phone", In::Number(1_112_345_678.0), Err("CELL_NOT_TEXT")),
    ("phone", In::Number(1_012_345_678.5), Err("CELL_NOT_TEXT")),
    ("phone", In::Text("1.01E+09"), Err("CELL_NOT_TEXT")),
    // Days.
    ("born", In::Text("1990-01-02"), Ok("1990-01-02")),
    ("born", In::Time("1990-01-02 00:00:00"), Ok("1990-01-02")),
    ("born", In::Serial(1.0), Ok("1900-01-01")),
    ("born", In::Serial(59.0), Ok("1900-02-28")),
    ("born", In::Serial(60.0), Err("INVALID")),
    ("born", In::Serial(61.0), Ok("1900-03-01")),
    ("born", In::Serial(2_958_465.0), Ok("9999-12-31")),
    ("born", In::Serial(2_958_466.0), Err("INVALID")),
    ("born", In::Serial(0.0), Err("INVALID")),
    ("born", In::Serial(0.5), Err("INVALID")),
    ("born", In::Serial(-1.0), Err("INVALID")),
    ("born", In::Time("1990-01-02 13:00:00"), Err("INVALID")),
    ("born", In::Text("1990-1-2"), Err("INVALID")),
    ("born", In::Text("1990/01/02"), Err("INVALID")),
    ("born", In::Text("1990-02-29"), Err("INVALID")),
    ("born", In::Number(32_875.0), Err("CELL_NOT_TEXT")),
    ("born", In::Truth(false), Err("CELL_NOT_TEXT")),
    ("born", In::Error, Err("CELL_ERROR")),
    // Days with times.
    ("visit", In::Text("2026-11-28 13:00"), Ok("2026-11-28 13:00")),
    ("visit", In::Time("2026-11-28 13:00:00"), Ok("2026-11-28 13:00")),
    ("visit", In::Time("2026-11-28 13:00:29"), Ok("2026-11-28 13:00")),
    ("visit", In::Time("2026-11-28 00:00:00"), Ok("2026-11-28 00:00")),
    ("visit", In::Serial(60.5), Err("INVALID")),
    ("visit", In::Serial(0.5), Err("INVALID")),
    ("visit", In::Text("2026-11-28"), Err("INVALID")),
    ("visit", In::Text("2026-11-28T13:00"), Err("INVALID")),
    ("visit", In::Number(46_354.5), Err("INVALID")),
    // Options.
    ("grade", In::Text("상"), Ok("상")),
    ("grade", In::Text(" 상 "), Ok("상")),
    ("grade", In::Number(1.0), Ok("1")),
    ("grade", In::Number(7.0), Err("OPTION_UNKNOWN")),
    ("grade", In::Number(1.5), Err("CELL_NOT_TEXT")),
    ("grade", In::Truth(true), Err("CELL_NOT_TEXT")),
    ("tags", In::Text("긴급; VIP"), Ok("긴급;VIP")),
    ("tags", In::Text("긴급\nVIP"), Ok("긴급;VIP")),
    ("tags", In::Number(7.0), Ok("7")),
    ("tags", In::Text("긴급;긴급"), Err("DUPLICATE")),
    ("tags", In::Text("긴급;없음"), Err("OPTION_UNKNOWN")),
    // Consent.
    ("agree", In::Truth(true), Ok("true")),
    ("agree", In::Truth(false), Ok("false")),
    ("agree", In::Text("예"), Ok("true")),
    ("agree", In::Text("아니요"), Ok("false")),
    ("agree", In::Text("동의"), Ok("true")),
    ("agree", In::Text("미동의"), Ok("false")),
    ("agree", In::Text("o"), Ok("true")),
    ("agree", In::Text("X"), Ok("false")),
    ("agree", In::Text("YES"), Ok("true")),
    ("agree", In::Text("False"), Ok("false")),
    ("agree", In::Text("maybe"), Err("INVALID")),
    ("agree", In::Number(1.0), Err("INVALID")),
    ("agree", In::Formula("=TRUE()"), Err("CELL_FORMULA")),
];

/// The same where days are counted from 1904.
const CASES_OF_1904: &[Case] = &[
    ("born", In::Time("2020-01-01 00:00:00"), Ok("2024-01-02")),
    ("born", In::Serial(1.0), Ok("1904-01-02")),
    ("born", In::Serial(59.0), Ok("1904-02-29")),
    ("born", In::Serial(60.0), Ok("1904-03-01")),
    ("born", In::Serial(0.5), Err("INVALID")),
    ("visit", In::Serial(44_892.5), Ok("2026-11-28 12:00")),
    ("visit", In::Text("2026-11-28 13:00"), Ok("2026-11-28 13:00")),
];

/// A service with a field of each kind that Excel has its ways with, and an agent.
async fn desk(app: &TestApp) -> Made {
    let desk = ticket::desk(app, "desk").await;
    let options = |options: &[&str]| json!(options.iter().map(|option| [option]).collect::<Vec<_>>());
    for (code, kind, options) in [
        ("code", "TEXT", None),
        ("born", "DATE", None),
        ("visit", "DATETIME", None),
        ("grade", "RADIO", Some(options(&["1", "2", "상"]))),
        ("tags", "CHECKBOX", Some(options(&["긴급", "VIP", "7"]))),
        ("agree", "AGREE", None),
    ] {
        let mut input = json!({ "serviceId": desk.id, "code": code, "type": kind, "texts": [{ "language": "ko", "title": format!("필드 {code}") }] });
        if let Some(options) = options {
            input["options"] = options;
        }
        app.owner()
            .deed("fieldAdd(input: $input)", json!({ "input": input }))
            .await;
    }
    desk
}

/// What is wrong with each row of a file, and what the tickets of the others have, by the cases' numbers.
async fn came_of(app: &TestApp, desk: &Made, file: &[u8], cases: &[Case]) -> Vec<Result<String, String>> {
    let import = looked_through(app, app.owner(), &desk.id, file).await;
    assert_eq!(
        (&import["state"], &import["rowCount"]),
        (&json!("DRAFT"), &json!(cases.len())),
        "{import}"
    );
    let mut wrong = BTreeMap::new();
    for line in told(&import) {
        let (row, rest) = line.split_once(' ').unwrap();
        wrong.insert(row.parse::<usize>().unwrap() - 2, rest.to_owned());
    }
    app.owner().deed(CONFIRM, agreed(&import, "SKIP_BAD_ROWS")).await;
    app.wait(chrono::Duration::days(1));
    app.run_due().await;
    let query = "query Q($id: ID!) { tickets(serviceId: $id, first: 100, filter: { receivedAt: { from: \"2025-02-01T00:00:00Z\", to: \"2025-04-01T00:00:00Z\" } }) {
        nodes { externalReference values { code text options isAgreed } } } }";
    let tickets = app.someone("acme", "agent").data(query, json!({ "id": desk.id })).await["tickets"]["nodes"].clone();
    let tickets: BTreeMap<&str, &Value> = tickets
        .as_array()
        .unwrap()
        .iter()
        .map(|ticket| (ticket["externalReference"].as_str().unwrap(), ticket))
        .collect();
    let one = |(number, (code, ..)): (usize, &Case)| {
        if let Some(wrong) = wrong.get(&number) {
            return Err(wrong.clone());
        }
        let values = tickets[&*format!("c{number}")]["values"].as_array().unwrap().iter();
        let value = values.into_iter().find(|value| value["code"] == *code).unwrap();
        Ok(match (value["text"].as_str(), value["isAgreed"].as_bool()) {
            (Some(text), _) => text.to_owned(),
            (None, Some(is)) => is.to_string(),
            (None, None) => value["options"]
                .as_array()
                .unwrap()
                .iter()
                .map(|option| option.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(";"),
        })
    };
    cases.iter().enumerate().map(one).collect()
}

/// The rows of these cases, each with a name by which its ticket is found.
async fn rows_of(app: &TestApp, desk: &Made, cases: &[Case]) -> Vec<u8> {
    let names: Vec<String> = (0..cases.len()).map(|number| format!("c{number}")).collect();
    let rows: Vec<_> = cases
        .iter()
        .zip(&names)
        .map(|((code, cell, _), name)| with(&[("@externalId", In::Text(name)), (code, *cell)]))
        .collect();
    let rows: Vec<_> = rows.iter().map(Vec::as_slice).collect();
    fill(&template(app, app.owner(), &desk.id).await, &rows)
}

/// What is not as it should be.
fn differences(cases: &[Case], came: &[Result<String, String>]) -> Vec<String> {
    let phone = came
        .iter()
        .zip(cases)
        .find(|(_, (code, cell, _))| *code == "phone" && matches!(cell, In::Text(_)));
    let phone = phone.and_then(|(came, _)| came.clone().ok());
    let differs = |((code, cell, wanted), came): (&Case, &Result<String, String>)| {
        let is_as_wanted = match (wanted, came) {
            (Ok("like 010"), Ok(came)) => {
                Some(came) == phone.as_ref() && came.starts_with("010") && came.ends_with("5678")
            }
            (Ok(wanted), Ok(came)) => wanted == came,
            (Err(wanted), Err(came)) => *came == format!("{code} {wanted}"),
            _ => false,
        };
        (!is_as_wanted).then(|| format!("{code} {cell:?}: {came:?} and not {wanted:?}"))
    };
    cases.iter().zip(came).filter_map(differs).collect()
}

both! {
    async fn m2_what_excel_makes_of_values_comes_to_one_thing_or_is_told(app) {
        // case: G6
        let desk = desk(&app).await;
        assert!(CASES.len() >= 60);
        let file = with_errors(&rows_of(&app, &desk, CASES).await);

        let came = came_of(&app, &desk, &file, CASES).await;

        assert_eq!(differences(CASES, &came), Vec::<String>::new());
    }

    async fn m2_days_that_are_counted_from_1904_are_those_days(app) {
        // case: G6
        let desk = desk(&app).await;
        let file = of_1904(&rows_of(&app, &desk, CASES_OF_1904).await);

        let came = came_of(&app, &desk, &file, CASES_OF_1904).await;

        assert_eq!(differences(CASES_OF_1904, &came), Vec::<String>::new());
    }

    async fn m2_no_formula_is_taken_whatever_it_shows(app) {
        // case: G7
        let desk = desk(&app).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let shown = ["12", "text", "TRUE", "#N/A", "", "2026-11-28"];
        let file = made(&template, |sheet, codes| {
            let place = |code: &str| u16::try_from(codes.iter().position(|own| own == code).unwrap()).unwrap();
            for (line, shown) in (1..).zip(shown) {
                put(sheet, line, codes, GOOD);
                sheet.write_formula(line, place("code"), Formula::new("=HYPERLINK(\"http://192.0.2.1/\",A1)").set_result(shown)).unwrap();
            }
            put(sheet, 7, codes, GOOD);
            sheet.write_array_formula(7, place("code"), 7, place("code"), "{=SUM(A1:B1)}").unwrap();
        });

        let import = looked_through(&app, app.owner(), &desk.id, &file).await;

        assert_eq!(told(&import), (2..=8).map(|row| format!("{row} code CELL_FORMULA")).collect::<Vec<_>>());
    }

    async fn m2_a_sheet_beside_and_columns_that_are_hidden_change_nothing(app) {
        // case: G8
        let desk = desk(&app).await;
        let file = fill(&template(&app, app.owner(), &desk.id).await, &[GOOD, &with(&[("code", In::Text("hidden"))])]);
        let file = imports::changed(&file, "xl/workbook.xml", "</sheets>", "<sheet name=\"Other\" sheetId=\"9\" state=\"hidden\" r:id=\"rId1\"/></sheets>");

        let import = looked_through(&app, app.owner(), &desk.id, &file).await;

        assert_eq!((&import["state"], &import["rowCount"], told(&import)), (&json!("DRAFT"), &json!(2), vec![]), "{import}");
    }
}
