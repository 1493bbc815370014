//! The columns of a template: those that every ticket has, and the service's fields in their order. Each has a code that
//! stays: whatever people do to the order and the look of the sheet, a column is known by it.

use crate::{
    field::{Field, FieldType, value::LEVELS},
    kernel::Language,
};

/// A column that every template has. Its code begins with `@`, as no field's does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fixed {
    /// 접수일시: when the ticket came.
    ReceivedAt,
    /// 처리일시: when the work on it was done.
    ProcessedAt,
    /// 채널: the way that it came.
    Channel,
    /// 상태: how far it is.
    Status,
    /// 담당자 ID: the login ID of who looks after it.
    Assignee,
    /// 처리내용: what was done.
    Processing,
    /// 외부 ID: what another system calls it.
    ExternalId,
}

/// A word as a cell has it, and as people read it in Korean and English.
pub type Choice = (&'static str, &'static str, &'static str);

/// The ways that a ticket came.
pub const CHANNELS: [Choice; 8] = [
    ("WEB", "헬프센터(PC)", "Help center (PC)"),
    ("MOBILE_WEB", "헬프센터(Mobile)", "Help center (mobile)"),
    ("EMAIL", "이메일", "E-mail"),
    ("API", "API", "API"),
    ("CHAT", "채팅", "Chat"),
    ("TWITTER", "트위터", "Twitter"),
    ("PHONE", "전화", "Phone"),
    ("MANUAL", "생성", "Made by hand"),
];

/// How far a ticket is.
pub const STATUSES: [Choice; 5] = [
    ("NEW", "미할당", "Unassigned"),
    ("OPEN", "처리중", "Open"),
    ("REPLY", "보류", "On hold"),
    ("SOLVED", "해결", "Solved"),
    ("CLOSED", "완료", "Closed"),
];

/// What stands for yes and for no.
pub const YES: [&str; 6] = ["y", "yes", "true", "예", "동의", "o"];
/// What stands for no.
pub const NO: [&str; 6] = ["n", "no", "false", "아니요", "미동의", "x"];

/// The most characters of 외부 ID.
pub const LONGEST_EXTERNAL_ID: usize = 100;
/// The most characters of 처리내용.
pub const LONGEST_PROCESSING: usize = 5_000;

impl Fixed {
    /// Every one, in the order in which they are written.
    pub const ALL: [Self; 7] = [
        Self::ReceivedAt,
        Self::ProcessedAt,
        Self::Channel,
        Self::Status,
        Self::Assignee,
        Self::Processing,
        Self::ExternalId,
    ];

    /// What programs call it.
    pub fn code(self) -> &'static str {
        match self {
            Self::ReceivedAt => "@receivedAt",
            Self::ProcessedAt => "@processedAt",
            Self::Channel => "@channel",
            Self::Status => "@status",
            Self::Assignee => "@assignee",
            Self::Processing => "@processing",
            Self::ExternalId => "@externalId",
        }
    }

    /// What people call it.
    pub fn title(self, language: Language) -> &'static str {
        let (korean, english) = match self {
            Self::ReceivedAt => ("접수일시", "Received at"),
            Self::ProcessedAt => ("처리일시", "Processed at"),
            Self::Channel => ("채널", "Channel"),
            Self::Status => ("상태", "Status"),
            Self::Assignee => ("담당자 ID", "Assignee ID"),
            Self::Processing => ("처리내용", "Processing"),
            Self::ExternalId => ("외부 ID", "External ID"),
        };
        own(language, korean, english)
    }

    /// What people are told of it.
    pub fn note(self, language: Language) -> &'static str {
        let (korean, english) = match self {
            Self::ReceivedAt => (
                "필수. 2026-11-28 13:00 형식, 조직의 시간대",
                "Required. As 2026-11-28 13:00, in the organization's time zone",
            ),
            Self::ProcessedAt => (
                "2026-11-28 13:00 형식. 접수일시보다 빠를 수 없습니다.",
                "As 2026-11-28 13:00. Not before the ticket came.",
            ),
            Self::Channel => (
                "목록에서 선택. 비우면 \"생성\"",
                "Choose from the list. Empty: made by hand",
            ),
            Self::Status => (
                "목록에서 선택. 비우면 처리일시가 있을 때 \"완료\", 담당자가 있을 때 \"처리중\", 없으면 \"미할당\"",
                "Choose from the list. Empty: closed where it was processed, open where somebody looks after it, else unassigned",
            ),
            Self::Assignee => (
                "이 서비스 상담원의 로그인 ID",
                "The login ID of an agent of this service",
            ),
            Self::Processing => ("최대 5,000자", "At most 5,000 characters"),
            Self::ExternalId => (
                "이전 시스템의 번호, 최대 100자. 같은 ID는 한 번만 이관됩니다.",
                "What the former system calls it, at most 100 characters. The same ID is imported once.",
            ),
        };
        own(language, korean, english)
    }

    /// What its cells can be chosen from.
    pub fn choices(self) -> &'static [Choice] {
        match self {
            Self::Channel => &CHANNELS,
            Self::Status => &STATUSES,
            _ => &[],
        }
    }
}

/// The one of two texts.
pub fn own<'t>(language: Language, korean: &'t str, english: &'t str) -> &'t str {
    match language {
        Language::Korean => korean,
        Language::English => english,
    }
}

/// The code of the choice that a cell says, in either language or by its name; whatever the case.
pub fn chosen(choices: &'static [Choice], said: &str) -> Option<&'static str> {
    let said = said.trim();
    let find = |is_it: &dyn Fn(&str) -> bool| {
        let choice = choices
            .iter()
            .find(|choice| [choice.0, choice.1, choice.2].iter().any(|word| is_it(word)));
        choice.map(|choice| choice.0)
    };
    // Nearly every cell was chosen from the list.
    find(&|word| word == said).or_else(|| {
        let said = said.to_lowercase();
        find(&|word| word.to_lowercase() == said)
    })
}

/// A column of a template.
#[derive(Clone, Debug)]
pub enum What {
    /// One that every template has.
    Fixed(Fixed),
    /// A field of the service.
    Field(Box<Field>),
}

/// A column with what stands at its head.
#[derive(Clone, Debug)]
pub struct Column {
    /// What it is.
    pub what: What,
    /// What stands at its head; no two columns of a template have the same.
    pub title: String,
}

impl Column {
    /// What programs call it.
    pub fn code(&self) -> &str {
        match &self.what {
            What::Fixed(fixed) => fixed.code(),
            What::Field(field) => &field.code,
        }
    }

    /// Whether a row must have it.
    pub fn is_required(&self) -> bool {
        match &self.what {
            What::Fixed(fixed) => *fixed == Fixed::ReceivedAt,
            What::Field(field) => field.is_required,
        }
    }

    /// What can be chosen in it, as people read it.
    pub fn options(&self, language: Language) -> Vec<String> {
        match &self.what {
            What::Fixed(fixed) => {
                let word = |choice: &Choice| own(language, choice.1, choice.2).to_owned();
                fixed.choices().iter().map(word).collect()
            }
            What::Field(field) => match field.kind {
                FieldType::Dropdown | FieldType::Radio => field.options.0.iter().map(|way| way.join(LEVELS)).collect(),
                FieldType::Agree => vec!["Y".to_owned(), "N".to_owned()],
                _ => Vec::new(),
            },
        }
    }
}

/// The columns of a service's template, in their order.
pub fn columns(fields: &[Field], language: Language) -> Vec<Column> {
    let fixed = Fixed::ALL.into_iter().map(|fixed| Column {
        what: What::Fixed(fixed),
        title: fixed.title(language).to_owned(),
    });
    let mut columns: Vec<_> = fixed.collect();
    for field in fields.iter().filter(|field| field.kind.is_in_templates()) {
        let title = super::sheet::folded(&title(field, language));
        let is_taken = columns.iter().any(|column| column.title == title);
        columns.push(Column {
            what: What::Field(Box::new(field.clone())),
            title: if is_taken {
                format!("{title} ({})", field.code)
            } else {
                title
            },
        });
    }
    columns
}

/// What a field is called, in the reader's language where there is such a text.
fn title(field: &Field, language: Language) -> String {
    let texts = &field.texts.0;
    let own = texts.iter().find(|text| text.language == language.tag());
    let text = own.or(texts.first()).map(|text| text.title.clone());
    text.filter(|title| !title.is_empty())
        .unwrap_or_else(|| field.code.clone())
}

/// What people are told of a field, in the reader's language where there is such a text.
pub fn description(field: &Field, language: Language) -> Option<String> {
    let texts = &field.texts.0;
    let own = texts.iter().find(|text| text.language == language.tag());
    own.or(texts.first()).and_then(|text| text.description.clone())
}
