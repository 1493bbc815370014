//! The cells of a template, row by row, and what Excel has made of them. Nothing is worked out, and nothing is guessed: a
//! number stays a number, a formula is only said to be one.

use std::{
    collections::HashMap,
    io::{Cursor, Read as _},
};

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use unicode_normalization::UnicodeNormalization as _;
use zip::ZipArchive;

use super::{
    Cell, Fault, Head, LONGEST, MARK, MARK_SHEET, MOST_COLUMNS, MOST_INFLATED, MOST_ROWS, Row, archive,
    scan::{self, Found},
    time,
};

/// How many rows a sheet can have, by the format: no program writes a number behind them.
const LAST_ROW: u32 = 1_048_576;

/// What is done with what is read: `false` where nobody listens any more.
pub(super) trait Listener {
    /// The head, before the first row.
    fn head(&mut self, head: Head) -> bool;
    /// A row.
    fn row(&mut self, row: Row) -> bool;
}

/// Reads a template.
///
/// # Errors
/// Why it can't be read, or not to its end.
pub(super) fn read(bytes: &[u8], listener: &mut impl Listener) -> Result<(), Fault> {
    let sheets = archive::inspect(bytes)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| fault(&error))?;
    let mark = mark(&mut workbook)?;
    let name = workbook.sheet_names().into_iter().find(|name| *name == mark.sheet);
    let name = name.ok_or_else(|| Fault::NoSheet(mark.sheet.clone()))?;
    let found = path(bytes, &name).and_then(|path| sheets.get(&path).cloned());
    let is_1904 = workbook.has_1904_epoch();
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(|error| fault(&error))?;
    let mut sheet = Sheet::new(mark, found.unwrap_or_default());
    while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(|error| fault(&error))? {
        let value = if cell.formula.is_some() {
            Some(Cell::Formula)
        } else {
            understood(&cell.value, is_1904)
        };
        if !sheet.take(cell.pos, value, listener)? {
            return Ok(());
        }
    }
    sheet.finish(listener)
}

fn fault(error: &XlsxError) -> Fault {
    match error {
        XlsxError::Password => Fault::Password,
        _ => Fault::Damaged,
    }
}

/// The path of a sheet's part, in small letters.
fn path(bytes: &[u8], sheet: &str) -> Option<String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut text = |name: &str| {
        let mut text = String::new();
        archive.by_name(name).ok()?.read_to_string(&mut text).ok()?;
        Some(text)
    };
    let workbook = text("xl/workbook.xml")?;
    scan::path_of(&workbook, &text("xl/_rels/workbook.xml.rels")?, sheet)
}

/// What a template says of itself in its hidden sheet, its columns' codes by what stands at their heads.
struct Mark {
    service: String,
    fingerprint: String,
    issued_at: String,
    sheet: String,
    columns: HashMap<String, String>,
}

/// The most lines of a hidden sheet.
const MOST_LINES: usize = 500;

fn mark<R: std::io::Read + std::io::Seek>(workbook: &mut Xlsx<R>) -> Result<Mark, Fault> {
    if !workbook.sheet_names().iter().any(|name| name == MARK_SHEET) {
        return Err(Fault::NoTemplate);
    }
    let mut cells = workbook
        .worksheet_cells_reader(MARK_SHEET)
        .map_err(|error| fault(&error))?;
    let mut lines: HashMap<u32, [String; 3]> = HashMap::new();
    while let Some(cell) = cells.next_cell().map_err(|error| fault(&error))? {
        let (row, column) = cell.get_position();
        if let (Ok(column @ 0..3), Some(Cell::Text(text))) =
            (usize::try_from(column), understood(cell.get_value(), false))
        {
            if lines.len() >= MOST_LINES {
                return Err(Fault::NoTemplate);
            }
            lines.entry(row).or_default()[column] = text;
        }
    }
    let mut words = HashMap::new();
    let mut columns = HashMap::new();
    for [what, value, title] in lines.into_values() {
        if what == "column" {
            columns.insert(folded(&title), value);
        } else {
            words.insert(what, value);
        }
    }
    let mut word = |what: &str| words.remove(what).ok_or(Fault::NoTemplate);
    word(MARK)?;
    Ok(Mark {
        service: word("service")?,
        fingerprint: word("fingerprint")?,
        issued_at: word("issuedAt")?,
        sheet: word("sheet")?,
        columns,
    })
}

/// A head as it is compared: composed, without what can't be seen, blanks as one, and without the mark of what is required.
pub(in crate::import) fn folded(head: &str) -> String {
    let is_seen =
        |letter: &char| !letter.is_control() && !"\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}".contains(*letter);
    let text: String = head
        .nfc()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .filter(is_seen)
        .collect();
    let text = text.trim().trim_end_matches('*');
    text.split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// As much of a text as tells whether it is too long. Few are even near it.
fn beginning(text: &str) -> &str {
    let cut = (text.len() > LONGEST)
        .then(|| text.char_indices().nth(LONGEST + 1))
        .flatten();
    cut.map_or(text, |(end, _)| &text[..end])
}

fn understood(value: &DataRef<'_>, is_1904: bool) -> Option<Cell> {
    let text = |text: &str| Cell::Text(beginning(text).to_owned());
    Some(match value {
        DataRef::Empty => return None,
        DataRef::String(said) if said.trim().is_empty() => return None,
        DataRef::SharedString(said) if said.trim().is_empty() => return None,
        DataRef::String(said) => text(said),
        DataRef::SharedString(said) => text(said),
        DataRef::Int(number) => Cell::Number(*number as f64),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::Bool(is) => Cell::Truth(*is),
        DataRef::DateTime(at) if at.is_datetime() => Cell::Time(time::counted(at, is_1904)),
        DataRef::DateTimeIso(said) => Cell::Time(time::said(said)),
        DataRef::DateTime(_) | DataRef::DurationIso(_) => Cell::Time(String::new()),
        DataRef::Error(_) => Cell::Error,
    })
}

/// The sheet that is filled in, as far as it was read.
struct Sheet {
    mark: Mark,
    found: Found,
    /// Row, by its number from 0, that has the heads.
    heads: Option<u32>,
    /// Code and title by the columns' places.
    columns: Vec<Option<(String, String)>>,
    row: Row,
    rows: u32,
    /// How much room the texts of all rows took: a string that cells share stands in the file once.
    weight: u64,
    is_told: bool,
}

impl Sheet {
    fn new(mark: Mark, found: Found) -> Self {
        Self {
            mark,
            found,
            heads: None,
            columns: Vec::new(),
            row: Row::default(),
            rows: 0,
            weight: 0,
            is_told: false,
        }
    }

    /// Takes a cell in. Cells come row by row. `false` where nobody listens any more.
    fn take(
        &mut self,
        (row, column): (u32, u32),
        cell: Option<Cell>,
        listener: &mut impl Listener,
    ) -> Result<bool, Fault> {
        let Some(mut cell) = cell else { return Ok(true) };
        if column >= MOST_COLUMNS {
            return Err(Fault::TooManyColumns);
        }
        if row >= LAST_ROW {
            return Err(Fault::Damaged);
        }
        let head = *self.heads.get_or_insert(row);
        if row < head || row.saturating_add(1) < self.row.number {
            return Err(Fault::Damaged);
        }
        if row == head {
            self.head(column, &cell)?;
            return Ok(true);
        }
        if row.saturating_add(1) != self.row.number && !self.turn(row + 1, listener)? {
            return Ok(false);
        }
        let place = usize::try_from(column).unwrap_or(usize::MAX);
        if self.columns.get(place).is_none_or(Option::is_none) {
            return Err(Fault::UnknownColumn(letters(column)));
        }
        if self.found.merged.iter().any(|area| area.has(row, column)) {
            cell = Cell::Merged;
        }
        let column = u16::try_from(column).map_err(|_| Fault::TooManyColumns)?;
        // Two cells of one place: programs differ in which of them they take.
        if self.row.cells.iter().any(|(other, _)| *other == column) {
            return Err(Fault::Damaged);
        }
        self.row.cells.push((column, cell));
        Ok(true)
    }

    fn head(&mut self, place: u32, cell: &Cell) -> Result<(), Fault> {
        let Cell::Text(title) = cell else {
            return Err(Fault::UnknownColumn(letters(place)));
        };
        let title = folded(title);
        let code = self.mark.columns.get(&title).cloned();
        // Where no other head fits, this may be no head but somebody's name.
        let is_head = self.columns.iter().any(Option::is_some);
        let shown = || match is_head {
            true => title.chars().take(100).collect(),
            false => letters(place),
        };
        let code = code.ok_or_else(|| Fault::UnknownColumn(shown()))?;
        if self.columns.iter().flatten().any(|(other, _)| *other == code) {
            return Err(Fault::ColumnTwice(shown()));
        }
        let place = usize::try_from(place).map_err(|_| Fault::TooManyColumns)?;
        if self.columns.len() <= place {
            self.columns.resize(place + 1, None);
        }
        self.columns[place] = Some((code, title));
        Ok(())
    }

    /// Hands the row over, and begins one of this number.
    fn turn(&mut self, number: u32, listener: &mut impl Listener) -> Result<bool, Fault> {
        let next = Row {
            number,
            cells: Vec::with_capacity(self.columns.len()),
        };
        let row = std::mem::replace(&mut self.row, next);
        if !self.is_told {
            self.is_told = true;
            let head = self.told()?;
            if !listener.head(head) {
                return Ok(false);
            }
        }
        if row.cells.is_empty() {
            return Ok(true);
        }
        self.rows += 1;
        if self.rows > MOST_ROWS {
            return Err(Fault::TooManyRows);
        }
        self.weight += row.weight() as u64;
        if self.weight > MOST_INFLATED {
            return Err(Fault::Inflates);
        }
        Ok(listener.row(row))
    }

    /// The head; each column of the template must be there.
    fn told(&self) -> Result<Head, Fault> {
        let is_there = |code: &String| self.columns.iter().flatten().any(|(own, _)| own == code);
        let mut missing: Vec<_> = self.mark.columns.iter().filter(|(_, code)| !is_there(code)).collect();
        missing.sort();
        if let Some((title, _)) = missing.first() {
            return Err(Fault::NoColumn((*title).clone()));
        }
        let part = |which: fn(&(String, String)) -> &String| {
            let parts = self.columns.iter().map(|column| column.as_ref().map(which).cloned());
            parts.map(Option::unwrap_or_default).collect()
        };
        Ok(Head {
            service: self.mark.service.clone(),
            fingerprint: self.mark.fingerprint.clone(),
            issued_at: self.mark.issued_at.clone(),
            sheet: self.mark.sheet.clone(),
            columns: part(|column| &column.0),
            titles: part(|column| &column.1),
            hidden_rows: self.found.hidden_rows,
        })
    }

    fn finish(mut self, listener: &mut impl Listener) -> Result<(), Fault> {
        if self.heads.is_none() {
            return Err(Fault::NoRows);
        }
        if self.turn(0, listener)? && self.rows == 0 {
            return Err(Fault::NoRows);
        }
        Ok(())
    }
}

/// A column's letters, such as `AB`.
pub fn letters(column: u32) -> String {
    let (mut text, mut rest) = (String::new(), column + 1);
    while rest > 0 {
        text.insert(0, char::from(b'A' + u8::try_from((rest - 1) % 26).unwrap_or(0)));
        rest = (rest - 1) / 26;
    }
    text
}
