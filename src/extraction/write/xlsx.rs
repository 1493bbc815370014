//! An extraction as a workbook. Every text is written as a text, so that none is ever a formula or a link. A row goes into the
//! archive as it comes: neither the sheet as a whole nor any of it in clear lies anywhere.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use zip::{
    CompressionMethod, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::{
    Shape,
    frame::{Frame, SHEET},
};
use crate::kernel::{Error, Result, extract::Cell};

/// The longest text that Excel takes in a cell, in units of UTF-16.
const LONGEST: usize = 32_767;
/// Excel counts days from a year in which it has a day that never was; what lies before the next one is written as a text.
const FIRST_YEAR: i32 = 1901;
/// The day that Excel counts from.
const DAY_ZERO: Option<NaiveDate> = NaiveDate::from_ymd_opt(1899, 12, 30);

/// A sheet in the making.
pub(super) struct Sheet<W: Write> {
    archive: ZipWriter<StreamWriter<W>>,
    /// The letters of its columns.
    columns: Vec<String>,
    frame: Frame,
    zone: Tz,
    /// The row that is written, so that its memory is asked for once.
    row: String,
}

impl<W: Write> Sheet<W> {
    /// Begins a sheet with the heads of its columns.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn new(into: W, shape: &Shape<'_>) -> Result<Self> {
        let frame = Frame::of(shape)?;
        let mut archive = ZipWriter::new_stream(into);
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, content) in &frame.parts {
            archive.start_file(name.as_str(), options).map_err(Error::internal)?;
            archive.write_all(content).map_err(Error::internal)?;
        }
        archive.start_file(SHEET, options).map_err(Error::internal)?;
        archive.write_all(frame.before.as_bytes()).map_err(Error::internal)?;
        Ok(Self {
            archive,
            columns: (0..shape.titles.len()).map(letters).collect(),
            frame,
            zone: shape.zone,
            row: String::new(),
        })
    }

    /// Adds a row; `line` counts from 1 below the heads.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn add(&mut self, line: u32, row: &[Cell]) -> io::Result<()> {
        let mut to = std::mem::take(&mut self.row);
        to.clear();
        let line = line + 1;
        let written = self.row_of(&mut to, line, row);
        written.map_err(io::Error::other)?;
        self.archive.write_all(to.as_bytes())?;
        self.row = to;
        Ok(())
    }

    fn row_of(&self, to: &mut String, line: u32, row: &[Cell]) -> std::fmt::Result {
        write!(to, "<row r=\"{line}\">")?;
        for (column, cell) in self.columns.iter().zip(row) {
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => text_cell(to, column, line, text)?,
                Cell::Number(number) => write!(to, "<c r=\"{column}{line}\"><v>{number}</v></c>")?,
                Cell::Instant(at) => {
                    let local = at.0.with_timezone(&self.zone).naive_local();
                    match serial(local) {
                        Some(days) => {
                            let style = &self.frame.time;
                            write!(to, "<c r=\"{column}{line}\"{style}><v>{days}</v></c>")?;
                        }
                        None => text_cell(to, column, line, &local.format("%Y-%m-%d %H:%M:%S").to_string())?,
                    }
                }
                Cell::Day(day) => match serial(day.0.and_time(NaiveTime::MIN)) {
                    Some(days) => {
                        let style = &self.frame.day;
                        write!(to, "<c r=\"{column}{line}\"{style}><v>{days}</v></c>")?;
                    }
                    None => text_cell(to, column, line, &day.0.to_string())?,
                },
            }
        }
        to.push_str("</row>");
        Ok(())
    }

    /// Ends the workbook.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn finish(mut self) -> Result<W> {
        let after = self.archive.write_all(self.frame.after.as_bytes());
        after.map_err(Error::internal)?;
        Ok(self.archive.finish().map_err(Error::internal)?.into_inner())
    }
}

/// A text in its cell.
fn text_cell(to: &mut String, column: &str, line: u32, text: &str) -> std::fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    let text = fitting(text);
    let is_blank = |letter: char| matches!(letter, ' ' | '\t' | '\n');
    let preserve = match text.starts_with(is_blank) || text.ends_with(is_blank) {
        true => " xml:space=\"preserve\"",
        false => "",
    };
    write!(to, "<c r=\"{column}{line}\" t=\"inlineStr\"><is><t{preserve}>")?;
    escape(to, &text)?;
    to.push_str("</t></is></c>");
    Ok(())
}

/// A text as XML has it, and as Excel has what XML has no way to write: `_x000D_`. What looks so already is told apart.
fn escape(to: &mut String, text: &str) -> std::fmt::Result {
    for (place, letter) in text.char_indices() {
        match letter {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '\t' | '\n' => to.push(letter),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => write!(to, "_x{:04X}_", u32::from(letter))?,
            '_' if is_escape(text.get(place..).unwrap_or_default()) => to.push_str("_x005F_"),
            _ => to.push(letter),
        }
    }
    Ok(())
}

/// Whether Excel would read the beginning of a text as one letter: `_x000D_`.
fn is_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.starts_with(b"_x")
        && bytes.get(6) == Some(&b'_')
        && bytes
            .get(2..6)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// How Excel counts an instant: in days; `None` where it can't.
fn serial(at: NaiveDateTime) -> Option<f64> {
    if at.year() < FIRST_YEAR {
        return None;
    }
    let since = at - DAY_ZERO?.and_time(NaiveTime::MIN);
    #[expect(clippy::cast_precision_loss, reason = "Excel has no numbers but these")]
    Some(since.num_milliseconds() as f64 / 86_400_000.0)
}

/// The letters of a column: `A`, `Z`, `AA`.
fn letters(place: usize) -> String {
    let mut name = String::new();
    let mut rest = place + 1;
    while rest > 0 {
        let digit = (rest - 1) % 26;
        name.insert(0, char::from(b'A' + u8::try_from(digit).unwrap_or_default()));
        rest = (rest - 1) / 26;
    }
    name
}

/// A text as long as Excel takes it.
pub(super) fn fitting(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let mut units = 0;
    let fits = |letter: &char| {
        units += letter.len_utf16();
        units < LONGEST
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    Cow::Owned(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l4_columns_are_called_as_in_excel() {
        let told: Vec<_> = [0, 25, 26, 51, 52, 199, 701, 702].map(letters).into();

        assert_eq!(told, ["A", "Z", "AA", "AZ", "BA", "GR", "ZZ", "AAA"]);
    }

    #[test]
    fn l4_what_xml_can_not_write_is_written_as_excel_has_it() {
        for (text, written) in [
            ("a<b>&c", "a&lt;b&gt;&amp;c"),
            ("\r\u{1}\t\n", "_x000D__x0001_\t\n"),
            ("\u{ffff}\u{fffe}", "_xFFFF__xFFFE_"),
            ("_x000D_", "_x005F_x000D_"),
            ("_x000D", "_x000D"),
            ("_xé00_ _x00g0_", "_xé00_ _x00g0_"),
        ] {
            let mut to = String::new();
            escape(&mut to, text).unwrap();
            assert_eq!(to, written, "{text:?}");
        }
    }
}
