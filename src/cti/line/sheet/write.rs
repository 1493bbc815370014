//! Writing the workbook. Every cell is a text, in a column of texts: zeros in front stay, also of what is typed into an
//! empty cell, and nothing that begins with `=` is a formula.

use rust_xlsxwriter::{Color, DocProperties, Format, FormatBorder, Note, Workbook, XlsxError};

use super::{Column, SHEETS};
use crate::kernel::{Error, Language, Result, Timestamp};

/// A row as it is written.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    /// 계정.
    pub login: String,
    /// 이름.
    pub name: String,
    /// 이메일.
    pub email: String,
    /// 서비스: their names.
    pub services: String,
    /// CTI ID; empty for none.
    pub cti_id: String,
    /// CTI NO; empty for none.
    pub cti_number: String,
    /// 버전.
    pub version: i32,
}

impl Filled {
    fn text(&self, column: Column) -> String {
        match column {
            Column::Login => self.login.clone(),
            Column::Name => self.name.clone(),
            Column::Email => self.email.clone(),
            Column::Services => self.services.clone(),
            Column::CtiId => self.cti_id.clone(),
            Column::CtiNumber => self.cti_number.clone(),
            Column::Version => self.version.to_string(),
        }
    }
}

/// Writes the workbook as one that is made now. It takes its time: not for a thread that others wait for.
///
/// # Errors
/// Only if it can't be written.
pub fn write(rows: &[Filled], language: Language, now: Timestamp) -> Result<Vec<u8>> {
    written(rows, language, now).map_err(Error::internal)
}

fn written(rows: &[Filled], language: Language, now: Timestamp) -> std::result::Result<Vec<u8>, XlsxError> {
    let text = Format::new().set_num_format("@");
    let own = text.clone().set_background_color(Color::RGB(0x00F2_F2F2));
    let head = Format::new().set_bold().set_border_bottom(FormatBorder::Thin);
    let mut workbook = Workbook::new();
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&now.0));
    let sheet = workbook.add_worksheet();
    let (korean, english) = SHEETS;
    let is_korean = language == Language::Korean;
    sheet.set_name(if is_korean { korean } else { english })?;
    sheet.set_freeze_panes(1, 0)?;
    for (place, column) in (0_u16..).zip(Column::ALL) {
        let is_filled_in = matches!(column, Column::CtiId | Column::CtiNumber);
        let format = if is_filled_in { &text } else { &own };
        sheet.set_column_format(place, format)?;
        sheet.set_column_width(place, width(column))?;
        sheet.write_string_with_format(0, place, column.head(language), &head)?;
        for (row, filled) in (1_u32..).zip(rows) {
            sheet.write_string_with_format(row, place, filled.text(column), format)?;
        }
        if is_filled_in {
            let note = if is_korean {
                "텍스트로 입력합니다. 둘 다 비우면 회수됩니다."
            } else {
                "Type it as text. Both empty takes them back."
            };
            sheet.insert_note(0, place, &Note::new(note))?;
        }
    }
    workbook.save_to_buffer()
}

fn width(column: Column) -> f64 {
    match column {
        Column::Email | Column::Services => 30.0,
        Column::Version => 8.0,
        _ => 18.0,
    }
}
