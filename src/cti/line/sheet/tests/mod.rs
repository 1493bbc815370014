//! What is written is read again, and each cell is what it is.

mod hostile;

use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet};

use super::*;

/// A workbook whose sheet is filled like this.
fn sheet(name: &str, fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name(name).unwrap();
    fill(sheet);
    workbook.save_to_buffer().unwrap()
}

/// A workbook with these rows of texts below these heads.
fn rows(heads: &[&str], rows: &[&[&str]]) -> Vec<u8> {
    sheet(SHEETS.0, |sheet| {
        for (column, head) in (0_u16..).zip(heads) {
            sheet.write_string(0, column, *head).unwrap();
        }
        for (row, cells) in (1_u32..).zip(rows) {
            for (column, cell) in (0_u16..).zip(*cells) {
                sheet.write_string(row, column, *cell).unwrap();
            }
        }
    })
}

const HEADS: [&str; 3] = ["계정", "CTI ID", "CTI 번호"];

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn t7_what_is_written_is_read_again_in_both_languages() {
    let filled = |login: &str, id: &str, number: &str| Filled {
        login: login.to_owned(),
        name: "=HYPERLINK(\"http://x\")".to_owned(),
        email: "+a@example.com".to_owned(),
        services: "@desk, -hotline".to_owned(),
        cti_id: id.to_owned(),
        cti_number: number.to_owned(),
        version: 3,
    };
    let now = crate::kernel::Timestamp(chrono::DateTime::UNIX_EPOCH);
    for language in [Language::Korean, Language::English] {
        let bytes = write(&[filled("kim", "Kim.01", "0042"), filled("lee", "", "")], language, now).unwrap();

        let read = read(&bytes).unwrap();

        let row = |number, login: &str, cti_id: Cell, cti_number: Cell| Row {
            number,
            login: text(login),
            cti_id,
            cti_number,
            version: text("3"),
        };
        assert_eq!(
            read,
            [
                row(2, "kim", text("Kim.01"), text("0042")),
                row(3, "lee", Cell::Empty, Cell::Empty)
            ]
        );
    }
}

#[test]
fn t7_columns_are_found_by_their_heads_wherever_and_however_they_stand() {
    let first = [" CTI 번호 ", "비고", "ｃｔｉ id", "login id", "\u{200b}버전"];
    let nfd = [
        "CTI 번호",
        "",
        "CTI ID",
        "\u{1100}\u{1168}\u{110c}\u{1165}\u{11bc}",
        "Version",
    ];

    for heads in [first, nfd] {
        let read = read(&rows(&heads, &[&["0042", "x", "kim.1", "kim", "2"]])).unwrap();

        assert_eq!(
            read,
            [Row {
                number: 2,
                login: text("kim"),
                cti_id: text("kim.1"),
                cti_number: text("0042"),
                version: text("2")
            }]
        );
    }
}

#[test]
fn t7_each_cell_is_what_it_is() {
    let bytes = sheet(SHEETS.1, |sheet| {
        for (column, head) in (0_u16..).zip(HEADS) {
            sheet.write_string(0, column, head).unwrap();
        }
        sheet.write_string(1, 0, "number").unwrap();
        sheet.write_number(1, 1, 42).unwrap();
        sheet.write_number(1, 2, 1042.0).unwrap();
        sheet.write_string(2, 0, "formula").unwrap();
        sheet
            .write_formula(2, 1, Formula::new("=A1").set_result("kim"))
            .unwrap();
        sheet.write_formula(2, 2, Formula::new("=1+1").set_result("2")).unwrap();
        sheet.write_string(3, 0, "other").unwrap();
        sheet.write_boolean(3, 1, true).unwrap();
        sheet.write_number(3, 2, 10.5).unwrap();
        // A formatted cell in which nothing stands is no row.
        sheet.write_blank(4, 1, &Format::new().set_bold()).unwrap();
        sheet.write_string(5, 2, "   ").unwrap();
        sheet.write_number(6, 0, 1001).unwrap();
        sheet.write_number(6, 2, 1.02e16).unwrap();
    });

    let read = read(&bytes).unwrap();

    let cells: Vec<_> = read
        .iter()
        .map(|row| (row.number, row.cti_id.clone(), row.cti_number.clone()))
        .collect();
    assert_eq!(
        cells,
        [
            (2, Cell::Number("42".into()), Cell::Number("1042".into())),
            (3, Cell::Formula, Cell::Formula),
            (4, Cell::Other, Cell::Other),
            (7, Cell::Empty, Cell::Other),
        ]
    );
    assert_eq!(read[3].login, Cell::Number("1001".into()));
}

#[test]
fn t7_ten_thousand_rows_are_read_and_one_more_is_not() {
    let make = |count: u32| {
        let number: Vec<String> = (0..count).map(|row| format!("{row:05}")).collect();
        let all: Vec<[&str; 3]> = number
            .iter()
            .map(|one| [one.as_str(), one.as_str(), one.as_str()])
            .collect();
        let all: Vec<&[&str]> = all.iter().map(<[&str; 3]>::as_slice).collect();
        rows(&HEADS, &all)
    };
    assert_eq!(read(&make(MOST_ROWS)).map(|rows| rows.len()), Ok(10_000));
    assert_eq!(read(&make(MOST_ROWS + 1)).err(), Some(Fault::TooManyRows));
}
