//! An extraction as values with commas between them (RFC 4180), with the mark by which Excel knows UTF-8. A text that a
//! spreadsheet would take for a formula gets an apostrophe in front of it.

use std::io::{self, Write};

use chrono::SecondsFormat;
use chrono_tz::Tz;

use super::Shape;
use crate::kernel::extract::Cell;

/// How a formula begins, in narrow and in wide letters, and what spreadsheets pass over before one.
const FORMULAS: [char; 13] = [
    '=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠', '\u{2212}',
];

/// Lines in the making.
pub(super) struct Lines<W> {
    into: W,
    zone: Tz,
}

impl<W: Write> Lines<W> {
    pub fn new(into: W, shape: &Shape<'_>) -> io::Result<Self> {
        let mut lines = Self { into, zone: shape.zone };
        lines.into.write_all("\u{feff}".as_bytes())?;
        let titles: Vec<_> = shape.titles.iter().cloned().map(Cell::Text).collect();
        lines.add(&titles)?;
        Ok(lines)
    }

    pub fn add(&mut self, row: &[Cell]) -> io::Result<()> {
        for (place, cell) in row.iter().enumerate() {
            if place > 0 {
                self.into.write_all(b",")?;
            }
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => self.into.write_all(quoted(text).as_bytes())?,
                Cell::Number(number) => write!(self.into, "{number}")?,
                Cell::Instant(at) => {
                    let local = at.0.with_timezone(&self.zone);
                    write!(self.into, "{}", local.to_rfc3339_opts(SecondsFormat::Secs, true))?;
                }
                Cell::Day(day) => write!(self.into, "{}", day.0)?,
            }
        }
        self.into.write_all(b"\r\n")
    }

    pub fn finish(self) -> W {
        self.into
    }
}

/// A text between quotation marks, which is no formula.
fn quoted(text: &str) -> String {
    let mark = if text.starts_with(FORMULAS) { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}
