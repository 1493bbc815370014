//! A day of a log as an Excel file. Every text is written as a text, so that none is ever a formula; times are those of
//! the organization's clocks when the event came in, with their distance from UTC beside them: on a day on which clocks
//! are set back, an hour comes twice.

use std::path::Path;

use chrono::{Duration, NaiveDateTime};
use rust_xlsxwriter::{DocProperties, Format, Workbook, Worksheet, XlsxError};

use super::event::Model;
use crate::kernel::{Day, Error, Language, Result, Timestamp};

/// Most events in one sheet of the file; Excel takes 1,048,576 lines.
const MOST: u32 = 1_000_000;

/// A column's head in Korean and English, and its width in characters.
const COLUMNS: [(&str, &str, f64); 9] = [
    ("발생 시각", "Occurred at", 24.0),
    ("UTC 시차", "UTC offset", 10.0),
    ("이벤트", "Event", 18.0),
    ("상태", "State", 20.0),
    ("통화", "Call", 38.0),
    ("고객 번호", "Customer number", 20.0),
    ("결과 코드", "Result code", 16.0),
    ("이벤트 ID", "Event ID", 38.0),
    ("수신 시각", "Received at", 24.0),
];

/// A file in the making: a line after the other, each on its way to a temporary file at once, so that a long day takes
/// no more memory than a short one.
pub(super) struct Sheet {
    workbook: Workbook,
    page: Worksheet,
    name: String,
    pages: u32,
    line: u32,
    language: Language,
    time: Format,
    head: Format,
}

impl Sheet {
    /// The file of a day. Temporary files, which have no name, lie in `folder`.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn new(folder: &Path, day: Day, now: Timestamp, language: Language) -> Result<Self> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder).map_err(fault)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&now.0));
        let page = workbook.new_worksheet_with_constant_memory().map_err(fault)?;
        let mut sheet = Self {
            workbook,
            page,
            name: day.0.to_string(),
            pages: 0,
            line: 0,
            language,
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000"),
            head: Format::new().set_bold(),
        };
        sheet.begin().map_err(fault)?;
        Ok(sheet)
    }

    /// Adds an event.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn add(&mut self, event: &Model) -> Result<()> {
        self.write(event).map_err(fault)
    }

    /// The file.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        self.workbook.push_worksheet(self.page);
        self.workbook.save_to_buffer().map_err(fault)
    }

    fn begin(&mut self) -> Result<(), XlsxError> {
        self.pages += 1;
        self.line = 0;
        let name = match self.pages {
            1 => self.name.clone(),
            page => format!("{} ({page})", self.name),
        };
        self.page.set_name(name)?;
        self.page.set_freeze_panes(1, 0)?;
        for (place, (korean, english, width)) in (0..).zip(COLUMNS) {
            let head = match self.language {
                Language::Korean => korean,
                Language::English => english,
            };
            self.page.set_column_width(place, width)?;
            self.page.write_string_with_format(0, place, head, &self.head)?;
        }
        Ok(())
    }

    fn write(&mut self, event: &Model) -> Result<(), XlsxError> {
        if self.line == MOST {
            let next = self.workbook.new_worksheet_with_constant_memory()?;
            self.workbook.push_worksheet(std::mem::replace(&mut self.page, next));
            self.begin()?;
        }
        self.line += 1;
        let state = event.state.map(|state| state.label(self.language));
        let texts = [
            Some(offset(event.utc_offset)),
            Some(event.kind.label(self.language).to_owned()),
            state.map(str::to_owned),
            event.call_reference.clone(),
            event.customer_number.clone(),
            event.result_code.clone(),
            Some(event.external_id.clone()),
        ];
        let page = &mut self.page;
        page.write_datetime_with_format(self.line, 0, local(event.occurred_at, event.utc_offset), &self.time)?;
        for (place, text) in (1..).zip(&texts) {
            if let Some(text) = text {
                page.write_string(self.line, place, text)?;
            }
        }
        page.write_datetime_with_format(self.line, 8, local(event.recorded_at, event.utc_offset), &self.time)?;
        Ok(())
    }
}

fn local(at: Timestamp, utc_offset: i32) -> NaiveDateTime {
    at.0.naive_utc() + Duration::seconds(utc_offset.into())
}

/// `+09:00`.
fn offset(seconds: i32) -> String {
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[track_caller]
fn fault(error: XlsxError) -> Error {
    Error::internal(error)
}
