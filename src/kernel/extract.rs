//! 데이터 추출, as far as the kernel knows: a list that can leave as a file says once which columns it has, how it is narrowed
//! and how its rows are read, a part at a time; `setup.rs` has all of them. Whoever writes the files knows no list.

use async_graphql::Enum;
use futures_util::future::BoxFuture;
use sea_orm::{QuerySelect, entity::prelude::*};
use serde::Serialize;
use serde_json::Value as Json;

use super::{
    Action, Caller, Day, Error, Language, Problem, Record, Result, ServiceId, Timestamp, Unmasking, View,
    error::Code,
    page::{Direction, Place},
    reader::Scoped,
};

/// How many rows are read at a time.
pub const ROWS: usize = 500;

/// 추출 대상: a list that can leave as a file. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ExtractionSource")]
pub enum SourceName {
    /// 티켓: the tickets of a service.
    Tickets,
    /// 요금 현황: the lines of charges.
    Charges,
    /// 구성원: the members of the organization.
    Members,
    /// 상담원: the agents of services.
    Agents,
    /// 권한 변경 로그.
    PermissionChanges,
    /// 데이터 추출 로그.
    ExtractionSteps,
    /// 개인정보 취급 권한 로그.
    PiiGrantChanges,
    /// The audit log.
    AuditEntries,
    /// CTI 로그: the events of telephones.
    CtiEvents,
}

impl SourceName {
    /// What people call it; also what files are called.
    pub fn label(self, language: Language) -> &'static str {
        let (korean, english) = match self {
            Self::Tickets => ("티켓", "tickets"),
            Self::Charges => ("요금 현황", "charges"),
            Self::Members => ("구성원", "members"),
            Self::Agents => ("상담원", "agents"),
            Self::PermissionChanges => ("권한 변경 로그", "permission changes"),
            Self::ExtractionSteps => ("데이터 추출 로그", "extraction log"),
            Self::PiiGrantChanges => ("개인정보 취급 권한 로그", "PII grant changes"),
            Self::AuditEntries => ("감사 로그", "audit log"),
            Self::CtiEvents => ("CTI 로그", "CTI log"),
        };
        own(language, korean, english)
    }

    /// The name of the argument that narrows it.
    pub fn argument(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Charges => "charges",
            Self::Members => "members",
            Self::Agents => "agents",
            Self::PermissionChanges => "permissionChanges",
            Self::ExtractionSteps => "extractionSteps",
            Self::PiiGrantChanges => "piiGrantChanges",
            Self::AuditEntries => "auditEntries",
            Self::CtiEvents => "ctiEvents",
        }
    }
}

/// One of two texts.
pub fn own<'t>(language: Language, korean: &'t str, english: &'t str) -> &'t str {
    match language {
        Language::Korean => korean,
        Language::English => english,
    }
}

/// What stands in a cell.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text, which is never a formula.
    Text(String),
    /// A number.
    Number(i64),
    /// An instant, shown by the organization's clocks.
    Instant(Timestamp),
    /// A day.
    Day(Day),
}

impl Cell {
    /// A text, where there is one.
    pub fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.into()))
    }

    /// A number, where there is one.
    pub fn number(number: Option<impl Into<i64>>) -> Self {
        number.map_or(Self::Empty, |number| Self::Number(number.into()))
    }

    /// An instant, where there is one.
    pub fn instant(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Empty, Self::Instant)
    }

    /// `Y` or `N`.
    pub fn truth(is: bool) -> Self {
        Self::Text(if is { "Y" } else { "N" }.to_owned())
    }

    /// The word that an enumeration has in the API.
    pub fn word(value: impl ActiveEnum<Value = String>) -> Self {
        Self::Text(value.to_value())
    }
}

/// A column, as people see and choose it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Its code, by which it is chosen.
    pub code: String,
    /// What stands at its head, in the caller's language.
    pub title: String,
    /// Whether what stands in it is personal data, masked but with a grant.
    pub is_personal: bool,
}

/// A column of a list whose columns are always the same.
#[derive(Debug)]
pub struct Column<R: 'static> {
    /// Its code, by which it is chosen.
    pub code: &'static str,
    /// What stands at its head, in Korean and in English.
    pub title: (&'static str, &'static str),
    /// What stands in it.
    pub cell: fn(&R, Language) -> Cell,
}

/// The heads of such columns.
pub fn heads<R>(columns: &[Column<R>], language: Language) -> Vec<Head> {
    let head = |column: &Column<R>| Head {
        code: column.code.to_owned(),
        title: own(language, column.title.0, column.title.1).to_owned(),
        is_personal: false,
    };
    columns.iter().map(head).collect()
}

/// Rows of such columns: the cells of the chosen ones, in the order in which they were chosen.
pub fn cells<R>(columns: &[Column<R>], chosen: &[String], language: Language, rows: &[R]) -> Vec<Vec<Cell>> {
    let chosen: Vec<_> = chosen
        .iter()
        .map(|code| columns.iter().find(|column| column.code == code))
        .collect();
    let cell = |row: &R, column: &Option<&Column<R>>| column.map_or(Cell::Empty, |column| (column.cell)(row, language));
    rows.iter()
        .map(|row| chosen.iter().map(|column| cell(row, column)).collect())
        .collect()
}

/// What a list is asked for. It is read with the eyes of whoever asked, as he is now.
pub struct Asking<'a> {
    /// Whoever asked.
    pub caller: &'a Caller,
    /// What he sees now.
    pub view: &'a View,
    /// How the list is narrowed, as its own input says it.
    pub filter: &'a Json,
    /// When he asked: an open end ends here.
    pub at: Timestamp,
    /// Shows personal data of one service in clear.
    pub token: Option<&'a Unmasking>,
}

impl Asking<'_> {
    /// The list's own input back from how it is kept.
    ///
    /// # Errors
    /// If it is none.
    pub fn input<I: async_graphql::InputType>(&self) -> Result<I> {
        let value = async_graphql::Value::from_json(self.filter.clone())?;
        I::parse(Some(value)).map_err(|_| Error::internal("an extraction's filter is none of its list"))
    }
}

/// What is known of a list before any of it is read.
#[derive(Debug)]
pub struct Checked {
    /// Its columns.
    pub heads: Vec<Head>,
    /// Whose list it is, where it is of one service.
    pub service: Option<ServiceId>,
    /// How many rows it has, where that is known beforehand.
    pub count: Option<u64>,
}

/// Some rows of a list.
#[derive(Debug)]
pub struct Part {
    /// The rows, each with a cell for each column that was chosen.
    pub rows: Vec<Vec<Cell>>,
    /// The place behind which it goes on; `None` where there are no more.
    pub next: Option<Place>,
}

/// How some rows of a list are read: what is asked for, the chosen columns, and the place behind which they lie.
pub type ReadPart = for<'a> fn(&'a Asking<'a>, &'a [String], Option<Place>) -> BoxFuture<'a, Result<Part>>;

/// A list that can leave as a file.
#[derive(Clone, Copy)]
pub struct Source {
    /// Which.
    pub name: SourceName,
    /// What seeing the list needs.
    pub action: Action,
    /// Looks at what is asked for.
    pub check: for<'a> fn(&'a Asking<'a>) -> BoxFuture<'a, Result<Checked>>,
    /// Reads some rows, with the chosen columns, from behind a place on.
    pub part: ReadPart,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The next rows of a list of one table, and the place behind which it goes on.
///
/// # Errors
/// Only if the database fails.
pub async fn next<E: Record>(
    select: Scoped<'_, E>,
    columns: [E::Column; 2],
    direction: Direction,
    after: Option<Place>,
    place: impl Fn(&E::Model) -> Place,
) -> Result<(Vec<E::Model>, Option<Place>)> {
    let order = match direction {
        Direction::Asc => sea_orm::Order::Asc,
        Direction::Desc => sea_orm::Order::Desc,
    };
    let rows = select.beyond(columns, after.map(|place| place.map(Into::into)), order);
    let rows = QuerySelect::limit(rows, Some(ROWS as u64)).all().await?;
    let next = rows.last().filter(|_| rows.len() == ROWS).map(place);
    Ok((rows, next))
}

/// From when to when a log or list of tickets is read: an open end is the instant at which it was asked for, an open
/// beginning lies as far before the end as is possible.
///
/// # Errors
/// `EXTRACTION_SPAN_TOO_WIDE` at `path`.
pub fn span(
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    at: Timestamp,
    days: u32,
    path: &str,
) -> Result<(Timestamp, Timestamp)> {
    let to = to.unwrap_or(at).min(at);
    let widest = chrono::Duration::days(days.into());
    let from = from.unwrap_or(Timestamp(to.0 - widest));
    if to.0 - from.0 > widest {
        return Err(Problem::at(path, Code::ExtractionSpanTooWide).with("max", days).into());
    }
    Ok((from, to))
}

/// The most days of a log: twelve months, whichever they are.
pub const LOG_DAYS: u32 = 366;
