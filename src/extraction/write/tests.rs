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
        random: &Random::seeded(1),
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

#[test]
fn l4_what_excel_could_not_count_is_a_text() {
    let old = Timestamp("1899-12-31T03:00:00Z".parse().unwrap());
    let day = Day("1900-02-28".parse().unwrap());
    let rows = [
        vec![Cell::Instant(old), Cell::Day(day)],
        vec![Cell::Text("_x0041_".to_owned()), Cell::Text(String::new())],
    ];

    let content = made(Format::Xlsx, &rows, None);

    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(content)).unwrap();
    let range = book.worksheet_range("티켓").unwrap();
    let text = |place| range.get_value(place).cloned();
    assert_eq!(text((1, 1)), Some(Data::String("1900-02-28".to_owned())));
    assert!(matches!(text((1, 0)), Some(Data::String(at)) if at.starts_with("1899-12-31 ")));
    assert_eq!(range.get_size(), (3, 2));
}

/// The temporary files below a folder that this process has open, as they lie on the disk.
fn staged(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let paths = open.filter_map(|entry| Some(entry.ok()?.path()));
    let mine = paths.filter(|path| std::fs::read_link(path).is_ok_and(|target| target.starts_with(folder)));
    mine.map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn l4_nothing_of_a_file_in_the_making_lies_on_the_disk_in_clear() {
    for (format, begins) in [(Format::Csv, "010-2345-"), (Format::Xlsx, "PK")] {
        let folder = tempfile::tempdir().unwrap();
        let titles = vec!["둘".to_owned()];
        let random = Random::seeded(1);
        let shape = Shape {
            folder: folder.path(),
            random: &random,
            format,
            name: "티켓",
            titles: &titles,
            zone: chrono_tz::Asia::Seoul,
            now: Timestamp(chrono::DateTime::UNIX_EPOCH),
        };
        let mut writer = Writer::new(&shape).unwrap();
        for number in 0..40_000_u64 {
            // So that little of it can be left out by compressing.
            let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            writer.add(&[Cell::Text(format!("010-2345-{noise:x}"))]).unwrap();
        }

        let disk = staged(folder.path());
        assert_eq!(disk.len(), 1, "one temporary file");
        assert!(disk[0].len() > 128 * 1024, "most of it lies there: {}", disk[0].len());
        let clear = begins.as_bytes();
        assert!(
            !disk[0]
                .windows(clear.len() + 2)
                .any(|window| window.starts_with(clear) && (format == Format::Csv || window.ends_with(&[3, 4]))),
            "{format:?}"
        );

        let mut staged = writer.finish(None, "a").unwrap();
        let mut content = Vec::new();
        staged.read_to_end(&mut content).unwrap();
        assert!(
            format == Format::Csv || content.starts_with(clear),
            "it is a workbook all the same"
        );
        assert!(format == Format::Xlsx || content.windows(clear.len()).any(|window| window == clear));
    }
}
