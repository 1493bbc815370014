//! 오류 파일: the user's own rows with what is wrong in each. Personal data in it are masked: the file leaves by a link, and
//! whoever fetches it need not be who sent it. Rows keep their numbers, so that both files can be read side by side.

use std::path::Path;

use futures_util::future::{BoxFuture, FutureExt as _};
use rust_xlsxwriter::{Color, Format, Workbook, Worksheet, XlsxError};
use tokio::sync::SemaphorePermit;

use super::{
    column::{Column, What, columns, own},
    entity::{Entity, Model, Words},
    file,
    ground::{Age, Ground, age},
    plan::Wrong,
    sheet::{Cell, Head, Row, child::Reading},
};
use crate::kernel::{
    Action, Caller, Code, Error, File, Language, PersonalKind, Plain, Problem, Result, Timestamp, Tx, message,
};

/// What links to these files carry.
pub const KIND: &str = "import-problems";

/// The file of an import with what is wrong in it, for whoever fetches it now. Rows are judged anew, as the service is now.
///
/// # Errors
/// `NOT_FOUND` where the file is gone or has no rows to look at.
pub fn download<'c>(caller: &'c Caller, id: &'c str) -> BoxFuture<'c, Result<File>> {
    async move {
        let view = caller.view(Action::ImportFileDownload).await?;
        let import = view.find::<Entity>("id", id).await?;
        let ground = Ground::of(&view, &import).await?;
        let key = file::key(&view, caller, &import).await?;
        drop(view);
        caller.release().await;
        let seat = file::seat().await?;
        let not_there = || Error::not_found("id");
        let content = file::content(caller, &import, key).await?.ok_or_else(not_there)?;
        let (reading, head) = Reading::begin(&caller.app().program, content)
            .await?
            .map_err(|_| not_there())?;
        let view = caller.view(Action::ImportFileDownload).await?;
        let age = age(&view, &ground, &head).await?;
        drop(view);
        caller.release().await;
        if !matches!(age, Age::Present) {
            return Err(Problem::at("id", Code::TemplateOutdated).into());
        }
        let content = annotated(caller, &ground, (reading, seat), &head).await?;
        let told: [(&str, serde_json::Value); 2] =
            [("bytes", content.len().into()), ("sha256", file::hash(&content).into())];
        let deed = async |tx: &Tx| {
            tx.tell_facts::<Entity>(&import, &told);
            Ok(())
        };
        caller.act(Action::ImportFileDownload, &Plain, deed).await?;
        Ok(File::workbook(&name(caller.language(), &import), content))
    }
    .boxed()
}

fn name(language: Language, import: &Model) -> String {
    let stem = import.file_name.trim_end_matches(".xlsx");
    format!("{stem} - {}", own(language, "오류", "problems"))
}

async fn annotated(
    caller: &Caller,
    ground: &Ground,
    (mut reading, seat): (Reading, SemaphorePermit<'static>),
    head: &Head,
) -> Result<Vec<u8>> {
    let mut plan = ground.plan(head, caller.now());
    let language = caller.language();
    let kinds = kinds(&columns(&ground.fields, language), head);
    // A read-only root has no folder for temporary files; the data folder is written anyhow.
    let folder = &caller.app().settings.data;
    tokio::fs::create_dir_all(folder).await.map_err(Error::internal)?;
    let mut copy = Copy::begin(folder, head, language, caller.now()).map_err(fault)?;
    while let Some(row) = reading.next().await?.map_err(|_| Error::not_found("id"))? {
        let wrong = plan.judge(&row).err().unwrap_or_default();
        copy.add(&row, &wrong, &kinds).map_err(fault)?;
    }
    // Nobody ends a thread: who does not wait any more keeps his seat until it is done.
    let finishing = move || {
        let _seat = seat;
        copy.finish()
    };
    let content = tokio::task::spawn_blocking(finishing).await;
    content.map_err(Error::internal)?.map_err(fault)
}

#[track_caller]
fn fault(error: XlsxError) -> Error {
    Error::internal(error)
}

/// How each column of a sheet is masked; `None` where it is not.
fn kinds(columns: &[Column], head: &Head) -> Vec<Option<PersonalKind>> {
    let kind = |code: &String| {
        let column = columns.iter().find(|column| column.code() == code)?;
        match &column.what {
            What::Field(field) => field.personal_kind,
            What::Fixed(_) => None,
        }
    };
    head.columns.iter().map(kind).collect()
}

/// The copy, a line after the other on its way to a temporary file.
struct Copy {
    workbook: Workbook,
    page: Worksheet,
    language: Language,
    titles: Vec<String>,
    plain: Format,
    bad: Format,
    wrap: Format,
}

impl Copy {
    fn begin(folder: &Path, head: &Head, language: Language, now: Timestamp) -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder)?;
        workbook.set_properties(&rust_xlsxwriter::DocProperties::new().set_creation_datetime(&now.0));
        let mut page = workbook.new_worksheet_with_constant_memory()?;
        page.set_name(&head.sheet)?.set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        let last = place(head.titles.len());
        page.set_column_width(last, 80)?;
        for (place, title) in (0_u16..).zip(&head.titles) {
            page.write_string_with_format(0, place, title, &bold)?;
        }
        page.write_string_with_format(0, last, own(language, "오류", "Problems"), &bold)?;
        Ok(Self {
            workbook,
            page,
            language,
            titles: head.titles.clone(),
            plain: Format::new().set_num_format("@"),
            bad: Format::new()
                .set_num_format("@")
                .set_background_color(Color::RGB(0x00FF_C7CE)),
            wrap: Format::new().set_text_wrap(),
        })
    }

    fn add(&mut self, row: &Row, wrong: &[Wrong], kinds: &[Option<PersonalKind>]) -> Result<(), XlsxError> {
        let line = row.number.saturating_sub(1).max(1);
        let mut cells: Vec<_> = row.cells.iter().map(|(place, cell)| (*place, Some(cell))).collect();
        // An empty cell that should have something is shown too.
        let is_there = |place: u16| row.cells.iter().any(|(other, _)| *other == place);
        cells.extend(
            wrong
                .iter()
                .filter(|wrong| !is_there(wrong.place))
                .map(|wrong| (wrong.place, None)),
        );
        cells.sort_by_key(|(place, _)| *place);
        cells.dedup_by_key(|(place, _)| *place);
        for (place, cell) in cells {
            let kind = kinds.get(usize::from(place)).copied().flatten();
            let text = cell.map(|cell| shown(cell, kind, self.language)).unwrap_or_default();
            let is_bad = wrong.iter().any(|wrong| wrong.place == place);
            let format = if is_bad { &self.bad } else { &self.plain };
            self.page.write_string_with_format(line, place, text, format)?;
        }
        if !wrong.is_empty() {
            let lines: Vec<_> = wrong.iter().map(|wrong| self.told(wrong)).collect();
            let text: String = lines.join("\n").chars().take(30_000).collect();
            self.page
                .write_string_with_format(line, place(self.titles.len()), text, &self.wrap)?;
        }
        Ok(())
    }

    fn told(&self, wrong: &Wrong) -> String {
        let title = self
            .titles
            .get(usize::from(wrong.place))
            .map_or(wrong.column.as_str(), String::as_str);
        let problem = Words::of(&wrong.words).problem(wrong.code);
        let text = message::text(self.language, wrong.code.name(), &problem.words);
        format!("{title}: {text}")
    }

    fn finish(mut self) -> Result<Vec<u8>, XlsxError> {
        self.workbook.push_worksheet(self.page);
        self.workbook.save_to_buffer()
    }
}

fn place(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// What stands in a cell, as it may be shown. It is written as a text: nothing in it is ever worked out.
fn shown(cell: &Cell, kind: Option<PersonalKind>, language: Language) -> String {
    let text = match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Time(at) => at.clone(),
        Cell::Truth(true) => "TRUE".to_owned(),
        Cell::Truth(false) => "FALSE".to_owned(),
        Cell::Formula => return own(language, "(수식)", "(formula)").to_owned(),
        Cell::Error => return own(language, "(오류 값)", "(error)").to_owned(),
        Cell::Merged => return own(language, "(병합된 셀)", "(merged)").to_owned(),
    };
    match kind {
        Some(kind) => kind.mask(&text),
        None => text,
    }
}
