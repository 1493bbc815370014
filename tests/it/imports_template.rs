//! A template as another program sees it: openpyxl, which knows nothing of the one that wrote it.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        imports::{columns, template},
        make,
        python::python,
        skip::skipped,
    },
};

/// Tells of a workbook what people would see of it.
const SCRIPT: &str = r#"
import json, sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
sheet = book.worksheets[0]
rules = [{"cells": str(rule.sqref), "type": rule.type, "from": rule.formula1, "style": rule.errorStyle} for rule in sheet.data_validations.dataValidation]
lists = book["_lists"]
print(json.dumps({
    "sheets": [[one.title, one.sheet_state] for one in book.worksheets],
    "frozen": sheet.freeze_panes,
    "heads": [cell.value for cell in sheet[1]],
    "bold": all(cell.font.b for cell in sheet[1]),
    "notes": [cell.comment.text if cell.comment else None for cell in sheet[1]],
    "formats": [sheet.column_dimensions[openpyxl.utils.get_column_letter(1)].min, sheet.cell(2, 13).number_format],
    "rules": rules,
    "lists": {column[0].column_letter: [cell.value for cell in column if cell.value] for column in lists.iter_cols()},
    "formulas": [cell.coordinate for page in book.worksheets for row in page.iter_rows() for cell in row if cell.data_type == "f"],
}))
"#;

both! {
    async fn m1_another_program_opens_the_template_and_sees_lists_notes_and_texts(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 1).await;
        let long: Vec<_> = (0..100).map(|number| json!([format!("=선택지, {number}")])).collect();
        for (code, kind, more) in [
            ("long", "DROPDOWN", json!({ "options": long })),
            ("short", "RADIO", json!({ "options": [["상"], ["하"]], "isRequired": true })),
            ("odd", "TEXT", json!({})),
        ] {
            let mut input = json!({ "serviceId": desk.id, "code": code, "type": kind, "texts": [{ "language": "ko", "title": format!("=이름 {code}"), "description": "무엇을 적나요" }] });
            for (name, value) in more.as_object().unwrap() {
                input[name] = value.clone();
            }
            owner.deed("fieldAdd(input: $input)", json!({ "input": input })).await;
        }
        let file = template(&app, owner, &desk.id).await;
        let Some(python) = python("openpyxl") else {
            skipped("Templates in openpyxl", "no Python with openpyxl: `pip install openpyxl`");
            return;
        };
        let path = tempfile::NamedTempFile::with_suffix(".xlsx").unwrap();
        std::fs::write(path.path(), &file).unwrap();

        let told = Command::new(python).args(["-W", "error", "-c", SCRIPT]).arg(path.path()).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();

        assert_eq!(told["sheets"], json!([["Tickets", "visible"], ["Instructions", "visible"], ["_lists", "veryHidden"], ["_orgdesk", "veryHidden"]]));
        assert_eq!((&told["frozen"], &told["bold"], &told["formulas"]), (&json!("A2"), &json!(true), &json!([])));
        let codes: Vec<String> = columns(&file).into_iter().map(|(code, _)| code).collect();
        let place = |code: &str| codes.iter().position(|own| own == code).unwrap();
        let heads = told["heads"].as_array().unwrap();
        assert_eq!((&heads[place("short")], &heads[place("odd")]), (&json!("=이름 short *"), &json!("=이름 odd")));
        assert_eq!(told["notes"][place("short")], "필수\n무엇을 적나요\n목록에서 선택".replace("필수", "Required").replace("목록에서 선택", "Choose from the list"));
        let letters = |code: &str| orgdesk::import::sheet::letters(u32::try_from(place(code)).unwrap());
        let rule = |code: &str| {
            let cells = format!("{0}2:{0}100001", letters(code));
            told["rules"].as_array().unwrap().iter().find(|rule| rule["cells"] == json!(cells)).cloned()
        };
        assert_eq!(rule("short").unwrap()["from"], "\"상,하\"");
        let column = letters("long");
        assert_eq!(rule("long").unwrap()["from"], format!("_lists!${column}$1:${column}$100"));
        assert_eq!((told["lists"][&column].as_array().unwrap().len(), &told["lists"][&column][0]), (100, &json!("=선택지, 0")));
        assert_eq!(rule("odd"), None);
        assert_eq!(rule("@status").unwrap()["from"], "\"Unassigned,Open,On hold,Solved,Closed\"");
    }
}
