//! What files hold is what they were given, and nothing of it is ever a formula.

use std::io::{Cursor, Read as _};

use calamine::{Data, Reader as _, Xlsx};

use super::*;
use crate::kernel::Day;

/// Texts that spreadsheets run, in narrow and wide letters, alone and behind what they pass over.
fn dangerous() -> Vec<String> {
    let begins = [
        "=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", "＋", "－", "＠", "\u{2212}",
    ];
    let rests = [
        "1+1",
        "cmd|' /C calc'!A0",
        "HYPERLINK(\"http://x\",\"y\")",
        "A1",
        "SUM(A1:A9)",
        "82-10-1234-5678",
        "\"",
        ",",
        "",
        " ",
        "http://x",
        "DDE(\"x\")",
        "'",
        "{1}",
        "IMPORTXML(1)",
        "1\n2",
        "a,b\"c",
    ];
    begins
        .iter()
        .flat_map(|begin| rests.map(|rest| format!("{begin}{rest}")))
        .collect()
}

fn made(format: Format, rows: &[Vec<Cell>], password: Option<&str>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let titles = vec!["=제목".to_owned(), "둘".to_owned()];
    let shape = Shape {
        folder: folder.path(),
        format,
        name: "티켓",
        titles: &titles,
        zone: chrono_tz::Asia::Seoul,
        now: Timestamp(chrono::DateTime::UNIX_EPOCH),
    };
    let mut writer = Writer::new(&shape).unwrap();
    for row in rows {
        writer.add(row).unwrap();
    }
    assert_eq!(writer.rows() as usize, rows.len());
    let mut content = Vec::new();
    writer
        .finish(password, "a.xlsx")
        .unwrap()
        .read_to_end(&mut content)
        .unwrap();
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "temporary files have no name"
    );
    content
}

// case: G10
#[test]
fn l4_no_text_is_a_formula_in_a_workbook() {
    let texts = dangerous();
    assert!(texts.len() >= 200);
    let rows: Vec<_> = texts
        .iter()
        .map(|text| vec![Cell::Text(text.clone()), Cell::Number(-5)])
        .collect();

    let content = made(Format::Xlsx, &rows, None);

    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(content)).unwrap();
    let formulas = book.worksheet_formula("티켓").unwrap();
    assert!(formulas.cells().all(|(_, _, formula)| formula.is_empty()));
    let range = book.worksheet_range("티켓").unwrap();
    for (line, text) in (1..).zip(&texts) {
        let cell = range.get_value((line, 0)).unwrap();
        assert!(
            matches!(cell, Data::String(kept) if kept.replace("_x000D_", "\r").trim_end() == text.trim_end()),
            "{text:?} {cell:?}"
        );
        assert_eq!(range.get_value((line, 1)), Some(&Data::Float(-5.0)));
    }
}

// case: G10
#[test]
fn l4_no_text_is_a_formula_among_commas() {
    let texts = dangerous();
    let rows: Vec<_> = texts
        .iter()
        .map(|text| vec![Cell::Text(text.clone()), Cell::Number(-5)])
        .collect();

    let content = String::from_utf8(made(Format::Csv, &rows, None)).unwrap();

    let content = content.strip_prefix('\u{feff}').unwrap();
    let expected: String = texts
        .iter()
        .map(|text| format!("\"'{}\",-5\r\n", text.replace('"', "\"\"")))
        .collect();
    assert_eq!(content, format!("\"'=제목\",\"둘\"\r\n{expected}"));
}

#[test]
fn l4_instants_are_those_of_the_organizations_clocks() {
    let at = Timestamp("2026-11-09T15:30:00Z".parse().unwrap());
    let day = Day("2026-11-10".parse().unwrap());
    let rows = [
        vec![Cell::Instant(at), Cell::Day(day)],
        vec![Cell::Empty, Cell::Text("x".repeat(40_000))],
    ];

    let text = String::from_utf8(made(Format::Csv, &rows[..1], None)).unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(made(Format::Xlsx, &rows, None))).unwrap();
    let range = book.worksheet_range("티켓").unwrap();

    assert!(text.ends_with("2026-11-10T00:30:00+09:00,2026-11-10\r\n"), "{text}");
    let number = |place| match range.get_value(place) {
        Some(Data::DateTime(at)) => at.as_f64(),
        other => panic!("{other:?}"),
    };
    assert!((number((1, 0)) - 46_336.020_833).abs() < 0.000_01 && (number((1, 1)) - 46_336.0).abs() < f64::EPSILON);
    let Some(Data::String(long)) = range.get_value((2, 1)) else {
        panic!("no text")
    };
    assert!(long.ends_with('…') && long.chars().count() == 32_767);
}

#[test]
fn l4_a_password_locks_the_file() {
    let rows = [vec![Cell::Text("비밀".to_owned()), Cell::Empty]];
    let content = made(Format::Xlsx, &rows, Some("correct horse"));

    let mut archive = zip::ZipArchive::new(Cursor::new(&content)).unwrap();
    assert!(archive.by_index(0).is_err(), "not without a password");
    assert!(archive.by_index_decrypt(0, b"wrong horse").is_err());
    let mut inner = Vec::new();
    archive
        .by_index_decrypt(0, b"correct horse")
        .unwrap()
        .read_to_end(&mut inner)
        .unwrap();

    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(inner)).unwrap();
    assert_eq!(
        book.worksheet_range("티켓").unwrap().get_value((1, 0)),
        Some(&Data::String("비밀".to_owned()))
    );
}
