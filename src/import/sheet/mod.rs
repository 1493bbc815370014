//! Workbooks of others' making. They are read by a process of its own, under limits of memory and time that the kernel of
//! the operating system holds it to ([`child`] starts it, [`inside`] is what it does): a file that brings its reader down
//! brings nothing else down. Before anything of a file is understood, all of it is unpacked into nothing and counted
//! ([`archive`]); then it is read row by row ([`read`]), and the rows come back through a pipe ([`wire`]).

mod archive;
pub mod child;
pub mod inside;
mod read;
mod scan;
mod time;
pub mod wire;

use serde::{Deserialize, Serialize};

use crate::kernel::{Code, Problem};

/// The largest file, in bytes.
pub const LARGEST: usize = 20 * 1024 * 1024;
/// The most rows below the head.
pub const MOST_ROWS: u32 = 100_000;
/// The most columns.
pub const MOST_COLUMNS: u32 = 200;
/// The most characters in a cell.
pub const LONGEST: usize = 5_000;
/// The most bytes that a file unpacks to.
pub const MOST_INFLATED: u64 = 400 * 1024 * 1024;
/// The most bytes of any part that is no sheet, such as the strings that cells share.
const MOST_SHARED: u64 = 64 * 1024 * 1024;
/// The most parts. A template has about twenty.
const MOST_PARTS: usize = 1_000;
/// The most merged areas that are told one by one.
const MOST_MERGED: usize = 10_000;

/// What the sheet is called that says what a template is.
pub const MARK_SHEET: &str = "_orgdesk";
/// What stands in its first cell.
pub const MARK: &str = "orgdesk import";

/// Why a file can't be read at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// It has more than 20 MB.
    TooLarge,
    /// It is nothing that Excel wrote.
    NotWorkbook,
    /// It is a workbook of Excel 97 to 2003, or a binary one, or one of another program.
    OtherFormat,
    /// It has a password.
    Password,
    /// It has macros.
    Macros,
    /// It has links to other files.
    Links,
    /// It unpacks to more than 400 MB, or to more shared strings than 64 MB.
    Inflates,
    /// It is broken, or not what its own lists say.
    Damaged,
    /// Its reader ran out of memory or time.
    TooComplex,
    /// It is no template of this service.
    NoTemplate,
    /// It has no sheet of the template's.
    NoSheet(String),
    /// It has a column that the template does not have.
    UnknownColumn(String),
    /// It lacks a column of the template's.
    NoColumn(String),
    /// It has a column twice.
    ColumnTwice(String),
    /// It has no row below its head.
    NoRows,
    /// It has more than 100,000 rows.
    TooManyRows,
    /// It has more than 200 columns.
    TooManyColumns,
}

impl Fault {
    /// What is wrong, in words. It is of the file as a whole.
    pub fn problem(&self) -> Problem {
        let of = Problem::of;
        match self {
            Self::TooLarge => of(Code::FileTooLarge).with("max", "20 MB"),
            Self::NotWorkbook => of(Code::FileNotWorkbook),
            Self::OtherFormat => of(Code::FileOtherFormat),
            Self::Password => of(Code::FileHasPassword),
            Self::Macros => of(Code::FileHasMacros),
            Self::Links => of(Code::FileHasLinks),
            Self::Inflates => of(Code::FileInflates).with("max", "400 MB").with("other", "64 MB"),
            Self::Damaged => of(Code::FileDamaged),
            Self::TooComplex => of(Code::FileTooComplex),
            Self::NoTemplate => of(Code::TemplateUnknown),
            Self::NoSheet(sheet) => of(Code::SheetNotFound).with("sheet", sheet),
            Self::UnknownColumn(column) => of(Code::ColumnUnknown).with("column", column),
            Self::NoColumn(column) => of(Code::ColumnNotFound).with("column", column),
            Self::ColumnTwice(column) => of(Code::ColumnTwice).with("column", column),
            Self::NoRows => of(Code::RowsAbsent),
            Self::TooManyRows => of(Code::RowsTooMany).with("max", "100,000"),
            Self::TooManyColumns => of(Code::ColumnsTooMany).with("max", MOST_COLUMNS),
        }
    }
}

/// What a template says of itself, and what its sheet has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Head {
    /// The ID of its service.
    pub service: String,
    /// The fingerprint of the service's fields as they were.
    pub fingerprint: String,
    /// When it was made.
    pub issued_at: String,
    /// The sheet that is filled in.
    pub sheet: String,
    /// The columns of that sheet in their order, each by its code; empty where none is.
    pub columns: Vec<String>,
    /// What stands at their heads.
    pub titles: Vec<String>,
    /// How many rows are hidden. They are taken like others.
    pub hidden_rows: u32,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text, at most one character longer than is taken.
    Text(String),
    /// A number, as Excel keeps it.
    Number(f64),
    /// A day and a time, to the second, as `2026-11-28 13:00:00`; empty for one that is none, such as 29 February 1900.
    Time(String),
    /// Yes or no.
    Truth(bool),
    /// A formula, which is never worked out.
    Formula,
    /// What Excel shows where a formula went wrong.
    Error,
    /// A part of an area of merged cells.
    Merged,
}

/// A row in which something stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// Its number, as Excel shows it.
    pub number: u32,
    /// What stands in it: the place of the column, from 0, and the cell.
    pub cells: Vec<(u16, Cell)>,
}

pub(in crate::import) use read::folded;
impl Row {
    /// How much room its texts take, in bytes.
    pub fn weight(&self) -> usize {
        let text = |cell: &(u16, Cell)| match &cell.1 {
            Cell::Text(text) | Cell::Time(text) => text.len(),
            _ => 0,
        };
        self.cells.iter().map(text).sum()
    }
}

pub use read::letters;
