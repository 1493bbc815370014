//! The corpus of what is no workbook of ours: what comes of each, and that none of them takes much room or time.

use std::io::{Cursor, Write as _};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{HEADS, rows, sheet};
use crate::cti::line::sheet::{Column, Fault, SHEETS, archive as inspected, read};

/// An archive of these parts.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in parts {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A workbook with the sheet's XML as given, and strings to share.
fn raw(sheet: &str, strings: &str) -> Vec<u8> {
    const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    let name = SHEETS.0;
    let workbook = format!(
        r#"{HEAD}<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets></workbook>"#
    );
    let relations = format!(
        r#"{HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#
    );
    let root = format!(
        r#"{HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    let types = format!(
        r#"{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#
    );
    let sheet = format!(
        r#"{HEAD}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{sheet}</worksheet>"#
    );
    archive(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("_rels/.rels", root.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
    ])
}

fn inline(reference: &str, text: &str) -> String {
    format!(r#"<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>"#)
}

/// The head row of a sheet's XML.
fn heads() -> String {
    let cells: String = ["A1", "B1", "C1"]
        .iter()
        .zip(HEADS)
        .map(|(at, head)| inline(at, head))
        .collect();
    format!(r#"<row r="1">{cells}</row>"#)
}

#[test]
fn t7_what_is_no_workbook_of_ours_says_why() {
    let whole = rows(&HEADS, &[&["kim", "a", "10"]]);
    let types = br#"<Types><Override ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>"#;
    let compound: Vec<u8> = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]
        .into_iter()
        .chain([0; 4_096])
        .collect();
    let heads_only = rows(&HEADS, &[]);
    let mut cut = whole.clone();
    cut.truncate(whole.len() / 2);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 3;
    flipped[middle..middle + 40].fill(0x55);
    for (what, bytes, fault) in [
        ("nothing", Vec::new(), Fault::NotWorkbook),
        ("a list with commas", "계정,CTI ID\nkim,a".into(), Fault::NotWorkbook),
        ("a page", b"<html><table>".to_vec(), Fault::NotWorkbook),
        ("an old workbook, or one with a password", compound, Fault::NotWorkbook),
        ("an archive", archive(&[("a.txt", b"a")]), Fault::NotWorkbook),
        (
            "an open document",
            archive(&[
                ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
                ("content.xml", b"<x/>"),
            ]),
            Fault::NotWorkbook,
        ),
        (
            "a binary workbook",
            archive(&[("[Content_Types].xml", b"<Types/>"), ("xl/workbook.bin", b"x")]),
            Fault::NotWorkbook,
        ),
        (
            "macros",
            archive(&[("[Content_Types].xml", types), ("xl/workbook.xml", b"<workbook/>")]),
            Fault::NotWorkbook,
        ),
        (
            "macros without a word",
            archive(&[("xl/workbook.xml", b"<workbook/>"), ("xl/vbaProject.bin", b"x")]),
            Fault::NotWorkbook,
        ),
        ("half of one", cut, Fault::Damaged),
        ("a broken one", flipped, Fault::Damaged),
        ("only its beginning", b"PK\x03\x04".to_vec(), Fault::Damaged),
        (
            "parts that lead out",
            archive(&[("xl/workbook.xml", b"<workbook/>"), ("../x", b"x")]),
            Fault::Damaged,
        ),
        (
            "no XML",
            archive(&[("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"\0\0<<")]),
            Fault::Damaged,
        ),
        (
            "another sheet",
            sheet("Sheet1", |sheet| _ = sheet.write_string(0, 0, "계정").unwrap()),
            Fault::NoSheet,
        ),
        (
            "no CTI ID",
            rows(&["계정", "CTI 번호"], &[&["kim", "10"]]),
            Fault::NoColumn(Column::CtiId),
        ),
        (
            "an empty sheet",
            sheet(SHEETS.0, |_| ()),
            Fault::NoColumn(Column::Login),
        ),
        (
            "a head twice",
            rows(&["계정", "CTI ID", "CTI 번호", "cti id"], &[]),
            Fault::ColumnTwice(Column::CtiId),
        ),
        ("no row", heads_only, Fault::NoRows),
        (
            "more than a megabyte",
            [whole, vec![0; inspected::LARGEST]].concat(),
            Fault::TooLarge,
        ),
    ] {
        assert_eq!(read(&bytes).err(), Some(fault), "{what}");
    }
}

#[test]
fn t7_a_part_that_is_there_twice_is_refused() {
    let twice = |name: &str| {
        let whole = archive(&[
            ("[Content_Types].xml", b"<Types/>"),
            ("xl/workbook.xml", b"<a/>"),
            (name, b"<b/>"),
        ]);
        // The writer takes no name twice; a name of the same length is made one.
        let (from, to) = (name.as_bytes(), b"xl/workbook.xml".as_slice());
        let mut bytes = whole.clone();
        for at in 0..bytes.len() - from.len() {
            if bytes[at..].starts_with(from) {
                bytes[at..at + to.len()].copy_from_slice(to);
            }
        }
        bytes
    };
    for name in ["xl/workbook.xmk", "XL/WORKBOOK.XML"] {
        let bytes = if name.starts_with('X') {
            archive(&[("xl/workbook.xml", b"<a/>"), (name, b"<b/>")])
        } else {
            twice(name)
        };
        assert_eq!(read(&bytes).err(), Some(Fault::Damaged), "{name}");
    }
}

#[test]
fn t7_bombs_end_before_they_go_off() {
    let zeros = vec![b' '; 40 * 1_048_576];
    let bomb = archive(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", b"<workbook/>"),
        ("xl/sharedStrings.xml", &zeros),
    ]);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert_eq!(read(&bomb).err(), Some(Fault::TooLarge));
    let many: Vec<String> = (0..300).map(|number| format!("xl/{number}.xml")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    assert_eq!(read(&archive(&many)).err(), Some(Fault::Damaged));
}

#[test]
fn t7_sheets_of_odd_shapes_neither_break_nor_hold_anything_up() {
    let head = heads();
    let row = |cells: &str| format!(r#"<row r="2">{cells}</row>"#);
    let kim = [inline("A2", "kim"), inline("B2", "a"), inline("C2", "10")].concat();
    let far = inline("XFD1048576", "far");
    let entity = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><sst><si><t>&b;</t></si></sst>"#;
    for (what, sheet, strings, rows) in [
        (
            "far cells",
            format!(
                r#"<dimension ref="A1:XFD1048576"/><sheetData>{head}{}<row r="1048576">{far}</row></sheetData>"#,
                row(&kim)
            ),
            "<sst></sst>",
            Some(1),
        ),
        (
            "a far row",
            format!(
                "<sheetData>{head}<row r=\"1048576\">{}</row></sheetData>",
                kim.replace("2\"", "1048576\"")
            ),
            "<sst></sst>",
            Some(1),
        ),
        (
            "row nothing",
            format!("<sheetData>{head}<row r=\"0\">{}</row></sheetData>", inline("A0", "x")),
            "<sst></sst>",
            None,
        ),
        (
            "a column of seven letters",
            format!("<sheetData>{head}{}</sheetData>", row(&inline("AAAAAAA2", "x"))),
            "<sst></sst>",
            None,
        ),
        (
            "a string that is not there",
            format!(
                "<sheetData>{head}{}</sheetData>",
                row(r#"<c r="A2" t="s"><v>99</v></c>"#)
            ),
            "<sst></sst>",
            None,
        ),
        ("no end", format!("<sheetData>{head}{}", row(&kim)), "<sst></sst>", None),
        (
            "rows backwards",
            format!(
                "<sheetData>{head}<row r=\"5\">{}</row>{}</sheetData>",
                kim.replace("2\"", "5\""),
                row(&kim)
            ),
            "<sst></sst>",
            None,
        ),
        (
            "entities",
            format!("<sheetData>{head}{}</sheetData>", row(&kim)),
            entity,
            None,
        ),
    ] {
        let began = std::time::Instant::now();
        let read = std::panic::catch_unwind(|| read(&raw(&sheet, strings))).unwrap_or(Err(Fault::Damaged));
        assert_eq!(read.as_ref().ok().map(Vec::len), rows, "{what}: {read:?}");
        assert!(began.elapsed().as_secs() < 10, "{what}");
    }
}

#[test]
fn t7_a_dimension_that_runs_backwards_ends_the_reading_at_most() {
    let kim = [inline("A2", "kim"), inline("B2", "a"), inline("C2", "10")].concat();
    let sheet = format!(
        r#"<dimension ref="C3:A1"/><sheetData>{}<row r="2">{kim}</row></sheetData>"#,
        heads()
    );

    // With checks of overflow the reader stumbles, which whoever calls it takes for damage; without them it reads on.
    let read = std::panic::catch_unwind(|| read(&raw(&sheet, "<sst></sst>"))).unwrap_or(Err(Fault::Damaged));

    assert!(matches!(&read, Err(Fault::Damaged)) || read.is_ok_and(|rows| rows.len() == 1));
}
