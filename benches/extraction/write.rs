//! What the library that knows Excel's files takes for the same rows, which are in memory.

use std::{
    io::Cursor,
    time::{Duration, Instant},
};

use calamine::{Data, Reader as _, Xlsx};
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde_json::{Value, json};

use crate::server;

/// A clock tick of `/proc`: USER_HZ is 100 on every architecture of Linux that this runs on.
const TICK: Duration = Duration::from_millis(10);

/// How the library writes.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    /// All of it is in memory until it is saved, with its texts in one list that cells share.
    Whole,
    /// Each row goes to a temporary file.
    Constant,
}

/// What it took.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub wall: Duration,
    pub processor: Duration,
    pub bytes: u64,
}

impl Written {
    pub fn json(&self) -> Value {
        json!({ "wallSeconds": self.wall.as_secs_f64(), "processorSeconds": self.processor.as_secs_f64(), "bytes": self.bytes })
    }
}

/// The rows of a workbook, with the heads of its columns.
pub fn rows_of(file: &[u8]) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(file)).expect("a workbook");
    let name = book.sheet_names()[0].clone();
    let range = book.worksheet_range(&name).expect("a sheet");
    range.rows().map(<[Data]>::to_vec).collect()
}

/// Writes rows so many times; the middle one.
pub fn middle(rows: &[Vec<Data>], mode: Mode, times: usize) -> Written {
    let mut all: Vec<_> = (0..times)
        .map(|_| {
            let (begin, before) = (Instant::now(), processor());
            let bytes = written(rows, mode).expect("a workbook");
            Written {
                wall: begin.elapsed(),
                processor: processor().saturating_sub(before),
                bytes,
            }
        })
        .collect();
    all.sort_unstable_by_key(|written| written.wall);
    all[times / 2]
}

fn written(rows: &[Vec<Data>], mode: Mode) -> Result<u64, XlsxError> {
    let mut book = Workbook::new();
    let sheet = match mode {
        Mode::Whole => book.add_worksheet(),
        Mode::Constant => book.add_worksheet_with_constant_memory()?,
    };
    let time = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    for (line, row) in (0_u32..).zip(rows) {
        for (place, cell) in (0_u16..).zip(row) {
            match cell {
                Data::Empty => continue,
                Data::Float(number) => sheet.write_number(line, place, *number)?,
                Data::DateTime(at) => sheet.write_number_with_format(line, place, at.as_f64(), &time)?,
                other => sheet.write_string(line, place, other.to_string())?,
            };
        }
    }
    let file = tempfile::NamedTempFile::new()?;
    book.save(file.path())?;
    Ok(file.as_file().metadata()?.len())
}

/// What this process has used of the processors: nothing else is done in it meanwhile.
fn processor() -> Duration {
    let fields = server::stat(std::process::id()).expect("/proc");
    // utime and stime: fields 14 and 15 of proc(5), from 3 on.
    TICK * u32::try_from(fields[11] + fields[12]).unwrap_or(u32::MAX)
}
