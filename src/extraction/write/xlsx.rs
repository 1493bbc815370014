//! An extraction as a workbook. Every text is written as a text, so that none is ever a formula or a link.

use std::io::Write;

use chrono_tz::Tz;
use rust_xlsxwriter::{DocProperties, Format, Workbook, Worksheet, XlsxError};

use super::Shape;
use crate::kernel::extract::Cell;

/// The longest text that Excel takes in a cell, in units of UTF-16.
const LONGEST: usize = 32_767;
/// How wide a column is, in characters.
const WIDTH: f64 = 20.0;

/// A sheet in the making.
pub(super) struct Sheet {
    workbook: Workbook,
    page: Worksheet,
    zone: Tz,
    time: Format,
    day: Format,
}

impl Sheet {
    pub fn new(shape: &Shape<'_>) -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(shape.folder)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&shape.now.0));
        let mut page = workbook.new_worksheet_with_constant_memory()?;
        page.set_name(shape.name)?.set_freeze_panes(1, 0)?;
        let head = Format::new().set_bold();
        for (place, _) in (0_u16..).zip(shape.titles) {
            page.set_column_width(place, WIDTH)?;
        }
        for (place, title) in (0_u16..).zip(shape.titles) {
            page.write_string_with_format(0, place, fitting(title), &head)?;
        }
        Ok(Self {
            workbook,
            page,
            zone: shape.zone,
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            day: Format::new().set_num_format("yyyy-mm-dd"),
        })
    }

    pub fn add(&mut self, line: u32, row: &[Cell]) -> Result<(), XlsxError> {
        let page = &mut self.page;
        for (place, cell) in (0_u16..).zip(row) {
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => {
                    page.write_string(line, place, fitting(text))?;
                }
                #[expect(clippy::cast_precision_loss, reason = "Excel has no numbers but these")]
                Cell::Number(number) => {
                    page.write_number(line, place, *number as f64)?;
                }
                Cell::Instant(at) => {
                    let local = at.0.with_timezone(&self.zone).naive_local();
                    page.write_datetime_with_format(line, place, local, &self.time)?;
                }
                Cell::Day(day) => {
                    page.write_datetime_with_format(line, place, day.0, &self.day)?;
                }
            }
        }
        Ok(())
    }

    pub fn finish(mut self, into: impl Write + Send) -> Result<(), XlsxError> {
        self.workbook.push_worksheet(self.page);
        self.workbook.save_to_writer(into)
    }
}

/// A text as long as Excel takes it.
fn fitting(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
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
    cut
}
