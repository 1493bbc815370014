//! Reading a workbook: its rows as they stand there, and of each cell what it is. A number is not a text: where Excel
//! has made one of `0042`, the zeros are gone, and nobody can know them.

use std::io::Cursor;

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};

use super::{Column, MOST_ROWS, SHEETS, archive};
use crate::cti::line::folded;

/// The longest text in a cell that is looked at, in characters.
const LONGEST: usize = 1_000;
/// The most columns that are looked at.
const MOST_COLUMNS: u32 = 100;

/// Why a workbook can't be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is larger than 1 MB, or unpacks to more than 32.
    TooLarge,
    /// It is no workbook in the form of `.xlsx`, or has macros or a password.
    NotWorkbook,
    /// It is one, and broken.
    Damaged,
    /// It has no sheet of the name.
    NoSheet,
    /// The sheet has no such column.
    NoColumn(Column),
    /// The sheet has the column twice.
    ColumnTwice(Column),
    /// The sheet has no row below its head.
    NoRows,
    /// The sheet has too many rows.
    TooManyRows,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// A text.
    Text(String),
    /// A number without a fraction, with what Excel has left of it.
    Number(String),
    /// A formula, which is never worked out.
    Formula,
    /// Anything else: a date, a truth, an error, a fraction.
    Other,
}

/// One row below the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number, as Excel shows it.
    pub number: u32,
    /// 계정.
    pub login: Cell,
    /// CTI ID.
    pub cti_id: Cell,
    /// CTI NO.
    pub cti_number: Cell,
    /// 버전.
    pub version: Cell,
}

impl Row {
    fn is_empty(&self) -> bool {
        [&self.login, &self.cti_id, &self.cti_number]
            .iter()
            .all(|cell| **cell == Cell::Empty)
    }
}

/// Reads a workbook, in memory bounded by [`archive::inspect`]. It takes its time: not for a thread that others wait
/// for. Rows in which nothing stands that is read are passed over.
///
/// # Errors
/// Why it can't be read.
pub fn read(bytes: &[u8]) -> Result<Vec<Row>, Fault> {
    archive::inspect(bytes)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| damage(&error))?;
    let wanted = [folded(SHEETS.0), folded(SHEETS.1)];
    let names = workbook.sheet_names();
    let name = names.into_iter().find(|name| wanted.contains(&folded(name)));
    let name = name.ok_or(Fault::NoSheet)?;
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(|error| damage(&error))?;
    let mut sheet = Sheet::default();
    while let Some(cell) = cells.next_cell_with_formula().map_err(|error| damage(&error))? {
        let found = if cell.formula.is_some() {
            Cell::Formula
        } else {
            understood(&cell.value)
        };
        sheet.take(cell.pos, found)?;
    }
    sheet.finish()
}

fn damage(error: &XlsxError) -> Fault {
    match error {
        XlsxError::Password => Fault::NotWorkbook,
        XlsxError::WorksheetNotFound(_) => Fault::NoSheet,
        _ => Fault::Damaged,
    }
}

fn understood(value: &DataRef<'_>) -> Cell {
    let text = |text: &str| {
        if text.trim().is_empty() {
            Cell::Empty
        } else {
            Cell::Text(text.chars().take(LONGEST).collect())
        }
    };
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::String(one) => text(one),
        DataRef::SharedString(one) => text(one),
        DataRef::Int(number) => Cell::Number(number.to_string()),
        // Excel keeps 15 digits of a number; beyond them none is what was typed.
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => Cell::Number(format!("{number:.0}")),
        _ => Cell::Other,
    }
}

/// The rows that were read so far.
#[derive(Default)]
struct Sheet {
    /// The row of the heads, and which column each needed one is in.
    heads: Option<(u32, Vec<(u32, Column)>)>,
    rows: Vec<Row>,
}

impl Sheet {
    /// Takes a cell in. Cells come row by row.
    fn take(&mut self, (row, column): (u32, u32), cell: Cell) -> Result<(), Fault> {
        if column >= MOST_COLUMNS || cell == Cell::Empty {
            return Ok(());
        }
        let (head, columns) = self.heads.get_or_insert_with(|| (row, Vec::new()));
        if row < *head {
            return Err(Fault::Damaged);
        }
        if row == *head {
            return Self::head(columns, column, &cell);
        }
        let Some((_, what)) = columns.iter().find(|(place, _)| *place == column) else {
            return Ok(());
        };
        let what = *what;
        let number = row.saturating_add(1);
        match self.rows.last() {
            Some(last) if last.number == number => {}
            Some(last) if last.number > number => return Err(Fault::Damaged),
            _ => self.begin(number)?,
        }
        if let Some(last) = self.rows.last_mut() {
            match what {
                Column::Login => last.login = cell,
                Column::CtiId => last.cti_id = cell,
                Column::CtiNumber => last.cti_number = cell,
                Column::Version => last.version = cell,
                Column::Name | Column::Email | Column::Services => {}
            }
        }
        Ok(())
    }

    /// A new row. Rows in which there was nothing to read make room for it.
    fn begin(&mut self, number: u32) -> Result<(), Fault> {
        if self.rows.last().is_some_and(Row::is_empty) {
            self.rows.pop();
        }
        if self.rows.len() >= MOST_ROWS as usize {
            return Err(Fault::TooManyRows);
        }
        self.rows.push(Row {
            number,
            login: Cell::Empty,
            cti_id: Cell::Empty,
            cti_number: Cell::Empty,
            version: Cell::Empty,
        });
        Ok(())
    }

    /// What stands at the head of a column. Heads that are not known are others' own.
    fn head(columns: &mut Vec<(u32, Column)>, place: u32, cell: &Cell) -> Result<(), Fault> {
        let Cell::Text(text) = cell else { return Ok(()) };
        let text = folded(text).to_lowercase();
        let same = |head: &str| folded(head).to_lowercase() == text;
        let known = Column::ALL.into_iter().find(|column| {
            let (korean, english) = column.heads();
            same(korean) || same(english)
        });
        let Some(column) = known else { return Ok(()) };
        if columns.iter().any(|(_, other)| *other == column) {
            return Err(Fault::ColumnTwice(column));
        }
        columns.push((place, column));
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Row>, Fault> {
        let columns = self.heads.map(|(_, columns)| columns).unwrap_or_default();
        let is_there = |column: &Column| columns.iter().any(|(_, known)| known == column);
        let missing = Column::ALL
            .into_iter()
            .find(|column| column.is_needed() && !is_there(column));
        if let Some(column) = missing {
            return Err(Fault::NoColumn(column));
        }
        self.rows.retain(|row| !row.is_empty());
        if self.rows.is_empty() {
            return Err(Fault::NoRows);
        }
        Ok(self.rows)
    }
}
