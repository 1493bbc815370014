//! 템플릿: the workbook that a company fills in, made of what the service's fields are now. Every column is one of texts, so
//! that zeros in front stay and no date is turned about; what can be chosen is chosen from a list; and a hidden sheet says
//! what the template was made of.

use futures_util::future::{BoxFuture, FutureExt as _};
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DocProperties, Format, FormatAlign, FormatBorder, Formula, Note,
    Workbook, Worksheet, XlsxError,
};

use super::{
    column::{Column, Fixed, What, columns, description, own},
    sheet::{LONGEST, MARK, MARK_SHEET, MOST_ROWS},
};
use crate::{
    field::{self, FieldType, LONGEST as LONGEST_VALUE},
    kernel::{Action, Caller, Code, Error, File, Language, Problem, Result, Timestamp},
    service::{self, Service},
};

/// What links to templates carry.
pub const KIND: &str = "import-template";

/// The sheet of long lists.
const LIST_SHEET: &str = "_lists";
/// The most characters of a list that stands in the cells' own rule.
const LONGEST_LIST: usize = 255;

/// What a template is made of.
#[derive(Debug)]
pub struct Template {
    /// The service's ID.
    pub service: String,
    /// The fingerprint of its fields.
    pub fingerprint: String,
    /// When it is made.
    pub issued_at: Timestamp,
    /// The columns.
    pub columns: Vec<Column>,
    /// In which language.
    pub language: Language,
    /// Rows that are filled in already, each by codes of columns: none for people, some for the demo.
    pub rows: Vec<Vec<(&'static str, String)>>,
}

impl Template {
    /// What the sheet is called that is filled in.
    pub fn sheet(&self) -> &'static str {
        own(self.language, "티켓", "Tickets")
    }

    /// Writes the workbook. It takes its time: not for a thread that others wait for.
    ///
    /// # Errors
    /// Only if it can't be written.
    pub fn write(&self) -> Result<Vec<u8>> {
        self.written().map_err(Error::internal)
    }

    fn written(&self) -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&self.issued_at.0));
        let (mut sheet, mut lists) = (Worksheet::new(), Worksheet::new());
        self.fill(&mut sheet, &mut lists)?;
        workbook.push_worksheet(sheet);
        workbook.push_worksheet(self.instructions()?);
        lists.set_name(LIST_SHEET)?.set_very_hidden(true);
        workbook.push_worksheet(lists);
        workbook.push_worksheet(self.mark()?);
        workbook.save_to_buffer()
    }

    /// The sheet that is filled in.
    fn fill(&self, sheet: &mut Worksheet, lists: &mut Worksheet) -> Result<(), XlsxError> {
        sheet.set_name(self.sheet())?.set_freeze_panes(1, 0)?;
        let text = Format::new().set_num_format("@");
        let head = Format::new()
            .set_bold()
            .set_num_format("@")
            .set_border_bottom(FormatBorder::Thin)
            .set_align(FormatAlign::VerticalCenter)
            .set_background_color(Color::RGB(0x00E8_EEF7));
        let required = head.clone().set_background_color(Color::RGB(0x00FD_E9D9));
        for (place, column) in (0_u16..).zip(&self.columns) {
            sheet.set_column_format(place, &text)?;
            sheet.set_column_width(place, width(column))?;
            let (format, mark) = if column.is_required() {
                (&required, " *")
            } else {
                (&head, "")
            };
            sheet.write_string_with_format(0, place, format!("{}{mark}", column.title), format)?;
            let note = Note::new(self.note(column))
                .set_author("Orgdesk")
                .add_author_prefix(false);
            sheet.insert_note(0, place, &note)?;
            if let Some(rule) = self.rule(column, place, lists)? {
                sheet.add_data_validation(1, place, MOST_ROWS, place, &rule)?;
            }
            for (line, row) in (1_u32..).zip(&self.rows) {
                if let Some((_, said)) = row.iter().find(|(code, _)| *code == column.code()) {
                    sheet.write_string_with_format(line, place, said, &text)?;
                }
            }
        }
        Ok(())
    }

    /// What can be chosen in a column. Excel takes no long list in a cell's own rule, and none with a comma in a word.
    fn rule(&self, column: &Column, place: u16, lists: &mut Worksheet) -> Result<Option<DataValidation>, XlsxError> {
        let options = column.options(self.language);
        if options.is_empty() {
            return Ok(None);
        }
        let length = options
            .iter()
            .map(|option| option.encode_utf16().count() + 1)
            .sum::<usize>();
        let is_short = length <= LONGEST_LIST
            && !options
                .iter()
                .any(|option| option.contains([',', '"']) || option.trim() != option);
        let rule = if is_short {
            DataValidation::new().allow_list_strings(&options)?
        } else {
            for (row, option) in (0_u32..).zip(&options) {
                lists.write_string(row, place, option)?;
            }
            let letters = super::sheet::letters(u32::from(place));
            let range = format!("={LIST_SHEET}!${letters}$1:${letters}${}", options.len());
            DataValidation::new().allow_list_formula(Formula::new(range))
        };
        let title = own(self.language, "목록에 없는 값입니다", "This is none of the options");
        let rule = rule
            .set_error_style(DataValidationErrorStyle::Stop)
            .set_error_title(title)?;
        Ok(Some(rule))
    }

    fn note(&self, column: &Column) -> String {
        let field = match &column.what {
            What::Fixed(fixed) => return fixed.note(self.language).to_owned(),
            What::Field(field) => field,
        };
        let mut lines = Vec::new();
        if field.is_required {
            lines.push(own(self.language, "필수", "Required").to_owned());
        }
        lines.extend(description(field, self.language));
        let most = if field.length == 0 { LONGEST_VALUE } else { field.length };
        lines.push(match field.kind {
            FieldType::Text | FieldType::Textarea => {
                own(self.language, "최대 {}자", "At most {} characters").replace("{}", &most.to_string())
            }
            FieldType::Dropdown | FieldType::Radio => {
                own(self.language, "목록에서 선택", "Choose from the list").to_owned()
            }
            FieldType::Checkbox => {
                let several = own(self.language, "여러 개는 ; 로 구분", "Several with ; between");
                let words = field.options.0.iter().map(|way| way.join(" > "));
                let words: String = words.collect::<Vec<_>>().join("; ").chars().take(1_000).collect();
                format!("{several}: {words}")
            }
            FieldType::Date => "2026-11-28".to_owned(),
            FieldType::Datetime => "2026-11-28 13:00".to_owned(),
            FieldType::DatePeriod => "2026-11-28 ~ 2026-11-30".to_owned(),
            FieldType::DatetimePeriod => "2026-11-28 13:00 ~ 2026-11-28 14:00".to_owned(),
            FieldType::Agree => "Y / N".to_owned(),
            FieldType::Caption | FieldType::File => String::new(),
        });
        if field.is_encrypted {
            lines.push(
                own(
                    self.language,
                    "개인정보: 암호화하여 저장됩니다.",
                    "Personal data: kept encrypted.",
                )
                .to_owned(),
            );
        }
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }

    /// The sheet that says how the other is filled in.
    fn instructions(&self) -> Result<Worksheet, XlsxError> {
        let mut sheet = Worksheet::new();
        let title = Format::new().set_bold().set_font_size(14);
        let wrap = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        sheet.set_name(own(self.language, "작성 안내", "Instructions"))?;
        sheet.set_column_width(0, 100)?;
        let text = own(self.language, KOREAN, ENGLISH)
            .replace("{sheet}", self.sheet())
            .replace("{rows}", "100,000")
            .replace("{letters}", &LONGEST.to_string());
        for (row, line) in (0_u32..).zip(text.lines()) {
            let format = if row == 0 { &title } else { &wrap };
            sheet.write_string_with_format(row, 0, line, format)?;
        }
        Ok(sheet)
    }

    /// The hidden sheet that says what the template was made of.
    fn mark(&self) -> Result<Worksheet, XlsxError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(MARK_SHEET)?.set_very_hidden(true);
        let issued_at = self.issued_at.to_text();
        let words = [
            (MARK, "1"),
            ("service", self.service.as_str()),
            ("fingerprint", self.fingerprint.as_str()),
            ("issuedAt", issued_at.as_str()),
            ("sheet", self.sheet()),
        ];
        for (row, (what, value)) in (0_u32..).zip(words) {
            sheet.write_string(row, 0, what)?.write_string(row, 1, value)?;
        }
        for (row, column) in (5_u32..).zip(&self.columns) {
            sheet.write_string(row, 0, "column")?;
            sheet
                .write_string(row, 1, column.code())?
                .write_string(row, 2, &column.title)?;
        }
        Ok(sheet)
    }
}

fn width(column: &Column) -> f64 {
    match &column.what {
        What::Fixed(Fixed::Processing) => 40.0,
        What::Field(field) if field.kind == FieldType::Textarea => 40.0,
        _ => 20.0,
    }
}

const KOREAN: &str = "데이터 이관 템플릿 작성 안내
\"{sheet}\" 시트에 한 행에 티켓 하나씩 입력합니다. 제목 행은 바꾸지 마세요. * 표시는 필수입니다.
한 파일에 {rows}행, 파일 크기 20 MB, 셀 하나에 {letters}자까지 가능합니다.
모든 셀은 텍스트 서식입니다. 전화번호처럼 0으로 시작하는 값은 그대로 입력하면 됩니다. 다른 곳에서 복사할 때는 \"값만\" 붙여 넣으세요.
일시는 2026-11-28 13:00, 날짜는 2026-11-28 형식이며 조직의 시간대입니다. Excel 날짜 셀도 사용할 수 있습니다.
수식, 병합된 셀, 오류 값(#N/A 등)은 사용할 수 없습니다. 숨긴 행도 이관됩니다. 빈 행은 건너뜁니다.
열의 순서는 바꾸어도 되지만 열을 추가하거나 삭제하거나 제목을 바꿀 수 없습니다.
서비스의 필드가 바뀌면 템플릿을 다시 다운로드해야 합니다.
\"외부 ID\"가 같은 티켓은 한 번만 이관됩니다.
확인한 파일은 다음 날 오전 1시에 이관됩니다. 시작하기 전에는 삭제할 수 있습니다.
이관된 티켓에는 알림이 발송되지 않습니다.";

const ENGLISH: &str = "How to fill in this template
Fill in one ticket a row in the sheet \"{sheet}\". Leave the heads as they are. What has a * is required.
A file can have {rows} rows and 20 MB, a cell {letters} characters.
Every cell is one of text: what begins with 0, such as a phone number, can be typed as it is. Paste values only.
A time is 2026-11-28 13:00 and a day 2026-11-28, in the organization's time zone. Cells that are dates of Excel's are taken too.
Formulas, merged cells and errors such as #N/A are not taken. Hidden rows are imported; empty rows are passed over.
The columns can be put in another order. None can be added, taken away or given another head.
When the fields of the service change, a new template is needed.
Tickets of the same \"External ID\" are imported once.
A file that was confirmed is imported at 01:00 of the next day. Until it begins it can be deleted.
Nobody is notified of tickets that are imported.";

/// The template of a service, for whoever fetches it now.
pub fn download<'c>(caller: &'c Caller, service: &'c str) -> BoxFuture<'c, Result<File>> {
    async move {
        let view = caller.view(Action::ImportRead).await?;
        let service = view.find::<service::Entity>("serviceId", service).await?;
        check(&service)?;
        let fields = field::of_service(&view, service.id).await?;
        let composition = field::composition_of(&view, service.id).await?;
        drop(view);
        let template = Template {
            service: service.id.to_string(),
            fingerprint: composition.fingerprint,
            issued_at: caller.now(),
            columns: columns(&fields, caller.language()),
            language: caller.language(),
            rows: Vec::new(),
        };
        let written = tokio::task::spawn_blocking(move || template.write()).await;
        let name = own(caller.language(), "이관 템플릿", "Import template");
        let name = format!("{name} {}", service.code);
        Ok(File::workbook(&name, written.map_err(Error::internal)??))
    }
    .boxed()
}

/// Whether tickets can be imported into a service at all.
///
/// # Errors
/// `SERVICE_NOT_IN_USE`, `SERVICE_TERMINATED`.
pub fn check(service: &Service) -> Result<(), Problem> {
    match service.status {
        service::Status::InUse => Ok(()),
        service::Status::Terminated => Err(Problem::at("input.serviceId", Code::ServiceTerminated)),
        service::Status::NotInUse | service::Status::Suspended => {
            Err(Problem::at("input.serviceId", Code::ServiceNotInUse))
        }
    }
}
