//! What of a workbook stands around its rows: made once, without a row, by the library that knows how Excel wants it, so that
//! rows go straight into the archive and lie on no disk in clear.

use std::io::{Cursor, Read as _};

use rust_xlsxwriter::{DocProperties, Format, Workbook, Worksheet, XlsxError};
use zip::ZipArchive;

use super::Shape;
use crate::kernel::{Error, Result};

/// The part that is the sheet.
pub(super) const SHEET: &str = "xl/worksheets/sheet1.xml";
/// How wide a column is, in characters.
const WIDTH: f64 = 20.0;

/// The workbook but its rows.
pub(super) struct Frame {
    /// The parts beside the sheet, by their names.
    pub parts: Vec<(String, Vec<u8>)>,
    /// What of the sheet stands before its first row, and that with the heads of the columns.
    pub before: String,
    /// What stands behind its last row.
    pub after: String,
    /// How cells say that they show an instant.
    pub time: String,
    /// How cells say that they show a day.
    pub day: String,
}

impl Frame {
    /// # Errors
    /// If the library makes something else of it than it did so far.
    pub fn of(shape: &Shape<'_>) -> Result<Self> {
        let whole = empty(shape).map_err(Error::internal)?;
        let mut archive = ZipArchive::new(Cursor::new(whole)).map_err(Error::internal)?;
        let (mut parts, mut sheet) = (Vec::new(), String::new());
        for place in 0..archive.len() {
            let mut part = archive.by_index(place).map_err(Error::internal)?;
            let name = part.name().map_err(Error::internal)?.into_owned();
            if name == SHEET {
                part.read_to_string(&mut sheet).map_err(Error::internal)?;
            } else {
                let mut content = Vec::new();
                part.read_to_end(&mut content).map_err(Error::internal)?;
                parts.push((name, content));
            }
        }
        let lacking = || Error::internal("a workbook has another form than was known");
        let (before, rest) = sheet.split_once("<row r=\"2\"").ok_or_else(lacking)?;
        let (styled, after) = rest.split_once("</row>").ok_or_else(lacking)?;
        // How many rows come is not known yet; readers that are told too few pass the others over.
        let (head, dimension) = before.split_once("<dimension ").ok_or_else(lacking)?;
        let (_, tail) = dimension.split_once("/>").ok_or_else(lacking)?;
        let style = |cell: &str| {
            let (_, from) = styled.split_once(&format!("<c r=\"{cell}\" s=\""))?;
            let (number, _) = from.split_once('"')?;
            Some(format!(" s=\"{number}\""))
        };
        Ok(Self {
            parts,
            before: format!("{head}{tail}"),
            after: after.to_owned(),
            time: style("A2").ok_or_else(lacking)?,
            day: style("B2").ok_or_else(lacking)?,
        })
    }
}

/// A workbook with the heads of its columns, and a second row of which only the styles are wanted.
fn empty(shape: &Shape<'_>) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&shape.now.0));
    let page: &mut Worksheet = workbook.add_worksheet();
    page.set_name(shape.name)?.set_freeze_panes(1, 0)?;
    let head = Format::new().set_bold();
    for (place, title) in (0_u16..).zip(shape.titles) {
        page.set_column_width(place, WIDTH)?;
        page.write_string_with_format(0, place, super::xlsx::fitting(title), &head)?;
    }
    page.write_blank(1, 0, &Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"))?;
    page.write_blank(1, 1, &Format::new().set_num_format("yyyy-mm-dd"))?;
    workbook.save_to_buffer()
}
