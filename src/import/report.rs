//! 결과 파일: what came of each row of an import, by the rows' numbers. It holds nothing of what stood in them.

use std::path::Path;

use futures_util::future::{BoxFuture, FutureExt as _};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    check,
    column::{Column as SheetColumn, columns, own},
    entity::{Entity, Model, State, outcome},
    file,
};
use crate::{
    field,
    kernel::{Action, Caller, Error, File, Language, Plain, Reader, Result, Timestamp, Tx, message},
    ticket,
};

/// What links to these files carry.
pub const KIND: &str = "import-report";

/// How many rows are in memory at once.
const PAGE: u64 = 2_000;

/// What came of each row of an import that is over, for whoever fetches it now.
///
/// # Errors
/// `NOT_FOUND` where there is no such import, or it has not begun.
pub fn download<'c>(caller: &'c Caller, id: &'c str) -> BoxFuture<'c, Result<File>> {
    async move {
        let seat = file::seat().await?;
        let view = caller.view(Action::ImportFileDownload).await?;
        let import = view.find::<Entity>("id", id).await?;
        if import.finished_at.is_none() || import.started_at.is_none() {
            return Err(Error::not_found("id"));
        }
        let fields = field::of_service(&view, import.service_id).await?;
        let columns = columns(&fields, caller.language());
        // A read-only root has no folder for temporary files; the data folder is written anyhow.
        let folder = &caller.app().settings.data;
        tokio::fs::create_dir_all(folder).await.map_err(Error::internal)?;
        let mut report = Report::begin(folder, caller.language(), caller.now()).map_err(fault)?;
        fill(&view, &import, &columns, &mut report).await?;
        drop(view);
        caller.release().await;
        let finishing = move || {
            let _seat = seat;
            report.finish()
        };
        let content = tokio::task::spawn_blocking(finishing).await;
        let content = content.map_err(Error::internal)?.map_err(fault)?;
        let told: [(&str, serde_json::Value); 2] =
            [("bytes", content.len().into()), ("sha256", file::hash(&content).into())];
        let deed = async |tx: &Tx| {
            tx.tell_facts::<Entity>(&import, &told);
            Ok(())
        };
        caller.act(Action::ImportFileDownload, &Plain, deed).await?;
        let stem = import.file_name.trim_end_matches(".xlsx");
        let name = format!("{stem} - {}", own(caller.language(), "이관 결과", "result"));
        Ok(File::workbook(&name, content))
    }
    .boxed()
}

#[track_caller]
fn fault(error: XlsxError) -> Error {
    Error::internal(error)
}

/// A line of the report.
#[derive(Debug)]
struct Line {
    row: i32,
    ticket: Option<i32>,
    told: String,
}

/// The tickets that it brought and the rows that became none, both in the order of the rows, put together.
async fn fill(reader: &Reader, import: &Model, columns: &[SheetColumn], report: &mut Report) -> Result<()> {
    let (mut brought, mut others) = (Vec::new(), Vec::new());
    let (mut last_brought, mut last_other) = (Some(0), Some(0));
    loop {
        if brought.is_empty()
            && let Some(after) = last_brought
        {
            brought = tickets(reader, import, after, report.language).await?;
            last_brought = brought.last().map(|line: &Line| line.row);
            brought.reverse();
        }
        if others.is_empty()
            && let Some(after) = last_other
        {
            others = outcomes(reader, import, after, columns, report.language).await?;
            last_other = others.last().map(|line: &Line| line.row);
            others.reverse();
        }
        let next = match (brought.last(), others.last()) {
            (None, None) => return Ok(()),
            (Some(one), Some(other)) if one.row > other.row => others.pop(),
            (None, Some(_)) => others.pop(),
            (Some(_), _) => brought.pop(),
        };
        if let Some(line) = next {
            report.add(&line).map_err(fault)?;
        }
    }
}

async fn tickets(reader: &Reader, import: &Model, after: i32, language: Language) -> Result<Vec<Line>> {
    #[derive(sea_orm::FromQueryResult)]
    struct Brought {
        import_row: i32,
        number: i32,
    }
    let rows = reader
        .select::<ticket::Entity>()
        .filter(ticket::Column::ImportId.eq(import.id.0))
        .filter(ticket::Column::ImportRow.gt(after))
        .order_by_asc(ticket::Column::ImportRow);
    let rows = QuerySelect::limit(rows, Some(PAGE))
        .select_only()
        .columns([ticket::Column::ImportRow, ticket::Column::Number]);
    // After an undo only those are left that people had changed.
    let told = match import.state {
        State::Undone => own(
            language,
            "수정된 티켓이라 취소되지 않았습니다.",
            "It was changed since, and so it stayed.",
        ),
        _ => "",
    };
    let line = |row: Brought| Line {
        row: row.import_row,
        ticket: Some(row.number),
        told: told.to_owned(),
    };
    Ok(rows.rows::<Brought>().await?.into_iter().map(line).collect())
}

async fn outcomes(
    reader: &Reader,
    import: &Model,
    after: i32,
    columns: &[SheetColumn],
    language: Language,
) -> Result<Vec<Line>> {
    let rows = reader
        .select::<outcome::Entity>()
        .filter(outcome::Column::ImportId.eq(import.id))
        .filter(outcome::Column::RowNumber.gt(after))
        .order_by_asc(outcome::Column::RowNumber);
    let rows = QuerySelect::limit(rows, Some(PAGE)).all().await?;
    let line = |row: outcome::Model| Line {
        row: row.row_number,
        ticket: None,
        told: match row.kind {
            outcome::Kind::Known => own(
                language,
                "외부 ID가 같은 티켓이 이미 있습니다.",
                "A ticket of this external ID was there already.",
            )
            .to_owned(),
            outcome::Kind::Failed => {
                let column = columns.iter().find(|column| column.code() == row.column_code);
                let title = column.map_or(row.column_code.as_str(), |column| column.title.as_str());
                let words = check::code_of(&row.code).map(|code| row.words.problem(code).words);
                let text = message::text(language, &row.code, &words.unwrap_or_default());
                format!("{title}: {text}")
            }
        },
    };
    Ok(rows.into_iter().map(line).collect())
}

/// The report, a line after the other on its way to a temporary file.
struct Report {
    workbook: Workbook,
    page: Worksheet,
    line: u32,
    language: Language,
}

impl Report {
    fn begin(folder: &Path, language: Language, now: Timestamp) -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder)?;
        workbook.set_properties(&rust_xlsxwriter::DocProperties::new().set_creation_datetime(&now.0));
        let mut page = workbook.new_worksheet_with_constant_memory()?;
        page.set_name(own(language, "이관 결과", "Result"))?
            .set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        let heads = [
            ("행", "Row", 8.0),
            ("결과", "Result", 12.0),
            ("티켓 번호", "Ticket", 12.0),
            ("이유", "Why", 80.0),
        ];
        for (place, (_, _, width)) in (0_u16..).zip(heads) {
            page.set_column_width(place, width)?;
        }
        for (place, (korean, english, _)) in (0_u16..).zip(heads) {
            page.write_string_with_format(0, place, own(language, korean, english), &bold)?;
        }
        Ok(Self {
            workbook,
            page,
            line: 0,
            language,
        })
    }

    fn add(&mut self, line: &Line) -> Result<(), XlsxError> {
        self.line += 1;
        let result = match (line.ticket, line.told.is_empty()) {
            (Some(_), _) => own(self.language, "이관", "Imported"),
            (None, _) => own(self.language, "제외", "Left out"),
        };
        self.page.write_number(self.line, 0, line.row)?;
        self.page.write_string(self.line, 1, result)?;
        if let Some(number) = line.ticket {
            self.page.write_number(self.line, 2, number)?;
        }
        if !line.told.is_empty() {
            self.page.write_string(self.line, 3, &line.told)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, XlsxError> {
        self.workbook.push_worksheet(self.page);
        self.workbook.save_to_buffer()
    }
}
