//! A workbook of Excel as a reader of its own sees it.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};

/// The cells of the first sheet as texts, line by line: numbers and times as the number that is kept, empty ones empty.
///
/// # Panics
/// For what is no workbook, and for a cell that is a formula.
pub fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let sheet = book.sheet_names()[0].clone();
    let formulas = book.worksheet_formula(&sheet).unwrap();
    assert!(formulas.used_cells().next().is_none(), "a formula");
    let range = book.worksheet_range(&sheet).unwrap();
    let text = |cell: &Data| match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        Data::DateTime(at) => at.as_f64().to_string(),
        other => other.to_string(),
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}
