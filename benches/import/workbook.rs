//! The file: a template, filled in as Excel would keep it, with its texts in one list that cells share.

use std::{io::Cursor, time::Duration};

use calamine::{Data, Reader as _, Xlsx};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use rust_xlsxwriter::{Format, Workbook};

use crate::usage;

/// The columns that are filled in, by their codes; the values of three of them are encrypted.
pub const COLUMNS: [&str; 15] = [
    "@receivedAt",
    "@processedAt",
    "@channel",
    "@status",
    "@processing",
    "@externalId",
    "category",
    "mail",
    "subject",
    "content",
    "name",
    "phone",
    "typeOne",
    "personalAgree",
    "account",
];

/// A file, and what stands in it.
pub struct Book {
    pub bytes: Vec<u8>,
    pub rows: u32,
}

impl Book {
    /// A template with so many rows.
    pub fn make(template: &[u8], rows: u32) -> Self {
        let mark = lines(template, "_orgdesk");
        let name = mark.iter().find(|line| line[0] == "sheet").expect("a sheet's name")[1].clone();
        let all = columns(template);
        let places = COLUMNS.map(|code| {
            let place = all
                .iter()
                .position(|(own, _)| own == code)
                .expect("a column of the template");
            u16::try_from(place).expect("few")
        });
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name(&name).expect("a name");
        for (place, (_, title)) in (0_u16..).zip(&all) {
            sheet.write_string(0, place, title).expect("a head");
        }
        let time = Format::new().set_num_format("yyyy-mm-dd hh:mm");
        for row in 0..rows {
            for ((place, code), text) in places.iter().zip(COLUMNS).zip(row_of(row)) {
                let written = match code {
                    "@processedAt" => sheet.write_datetime_with_format(row + 1, *place, processed_at(row), &time),
                    _ => sheet.write_string(row + 1, *place, text),
                };
                written.expect("a cell");
            }
        }
        let hidden = book.add_worksheet();
        hidden.set_name("_orgdesk").expect("a name").set_very_hidden(true);
        for (row, line) in (0_u32..).zip(&mark) {
            for (place, text) in (0_u16..).zip(line) {
                hidden.write_string(row, place, text).expect("a cell");
            }
        }
        let bytes = book.save_to_buffer().expect("a workbook");
        assert!(
            bytes.len() <= 20 * 1024 * 1024,
            "{} bytes are more than is taken",
            bytes.len()
        );
        Self { bytes, rows }
    }
}

fn received_at(row: u32) -> NaiveDateTime {
    let first = NaiveDate::from_ymd_opt(2023, 1, 2).and_then(|day| day.and_hms_opt(9, 0, 0));
    first.expect("a day") + TimeDelta::minutes(i64::from(row) * 11)
}

fn processed_at(row: u32) -> NaiveDateTime {
    received_at(row) + TimeDelta::minutes(i64::from(row % 240))
}

/// What stands in a row, in the order of [`COLUMNS`].
pub fn row_of(row: u32) -> [String; 15] {
    const GOODS: [&str; 8] = ["셔츠", "바지", "운동화", "모자", "가방", "양말", "외투", "우산"];
    const WISHES: [&str; 6] = ["교환", "환불", "배송 조회", "재입고 문의", "주소 변경", "취소"];
    let pick = |list: &[&'static str], step: u32| list[usize::try_from(row / step).unwrap_or(0) % list.len()];
    let (goods, wish) = (pick(&GOODS, 1), pick(&WISHES, 3));
    let mixed = row.wrapping_mul(2_654_435_761);
    [
        received_at(row).format("%Y-%m-%d %H:%M").to_string(),
        processed_at(row).format("%Y-%m-%d %H:%M").to_string(),
        "전화".to_owned(),
        "완료".to_owned(),
        format!("{goods} {wish} 처리함. 안내 번호 {mixed:08x}."),
        format!("OLD-{row:06}-{mixed:08x}"),
        "기타".to_owned(),
        format!("customer{mixed:08x}@example.com"),
        format!("{goods} {wish} 요청 {}", row % 5_000),
        format!(
            "주문 번호 {mixed:010}의 {goods} {wish} 부탁드립니다. 지난번에도 문의했는데 답을 받지 못했습니다. 확인해 주세요."
        ),
        format!("고객 {}", mixed % 70_000),
        format!("010{:08}", mixed % 100_000_000),
        format!("구분 {}", row % 12),
        "Y".to_owned(),
        format!("110-{:03}-{:06}", row % 1_000, mixed % 1_000_000),
    ]
}

/// Code and title of each column of a template, in its order.
pub fn columns(template: &[u8]) -> Vec<(String, String)> {
    let mark = lines(template, "_orgdesk").into_iter();
    mark.filter(|line| line[0] == "column")
        .map(|line| (line[1].clone(), line[2].clone()))
        .collect()
}

fn lines(book: &[u8], sheet: &str) -> Vec<Vec<String>> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(book.to_vec())).expect("a workbook");
    let range = book.worksheet_range(sheet).expect("a sheet");
    let text = |cell: &Data| match cell {
        Data::Empty => String::new(),
        other => other.to_string(),
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

/// The processor time of reading every cell of the first sheet with calamine alone, one after the other: the middle of so
/// many times.
pub fn bare_read(bytes: &[u8], times: usize) -> Duration {
    let read = || {
        let begin = usage::of_this_thread();
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).expect("a workbook");
        let name = book.sheet_names()[0].clone();
        let mut cells = book.worksheet_cells_reader(&name).expect("a sheet");
        let mut count = 0_usize;
        while let Some(cell) = cells.next_cell().expect("a cell") {
            std::hint::black_box(cell);
            count += 1;
        }
        assert!(count > COLUMNS.len());
        usage::of_this_thread() - begin
    };
    let mut all: Vec<_> = (0..times).map(|_| read()).collect();
    all.sort_unstable();
    all[times / 2]
}
