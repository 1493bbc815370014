//! What a row of a file comes to: a ticket that can be added, or all that is wrong with it. The same rules hold when a file
//! is looked at and when it is imported, with what the service is like then. Nothing is guessed: what Excel has changed is
//! taken only where there is one thing that it can have been.

use std::collections::{HashMap, HashSet};

use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use super::{
    column::{self, Column, Fixed, LONGEST_EXTERNAL_ID, LONGEST_PROCESSING, What},
    sheet::{Cell, Head, LONGEST, Row},
};
use crate::{
    field::{
        Field, FieldType,
        value::{self, Given, LEVELS},
    },
    kernel::{Code, MemberId, PersonalKind, Timestamp, zone},
};

/// What is wrong with a cell, without anything of what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The row's number, as Excel shows it.
    pub row: u32,
    /// The place of its column in the sheet, from 0.
    pub place: u16,
    /// The code of the column.
    pub column: String,
    /// What is wrong.
    pub code: Code,
    /// What the message speaks of: limits and forms, the same in every language.
    pub words: Vec<(&'static str, String)>,
}

/// A ticket that can be added.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    /// The row's number.
    pub row: u32,
    /// 접수일시.
    pub received_at: Timestamp,
    /// 처리일시.
    pub processed_at: Option<Timestamp>,
    /// 채널, by its name.
    pub channel: &'static str,
    /// 상태, by its name.
    pub status: &'static str,
    /// 담당자.
    pub assignee: Option<MemberId>,
    /// 처리내용.
    pub processing: Option<String>,
    /// 외부 ID.
    pub external_id: Option<String>,
    /// The values of the service's fields, by their codes.
    pub values: Vec<(String, Given)>,
}

/// What rows are held against.
pub struct Plan {
    columns: Vec<Column>,
    /// The place of each column in the sheet; absent in an older template that lacks it.
    places: Vec<Option<u16>>,
    /// Places of columns whose field the service does not have any more, with their codes.
    gone: HashMap<u16, String>,
    zone: Tz,
    now: Timestamp,
    /// Who works in the service, by login ID.
    agents: HashMap<String, MemberId>,
    /// The external IDs that were seen so far.
    seen: HashSet<String>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").finish_non_exhaustive()
    }
}

impl Plan {
    /// The rules of a service with these columns for a sheet with this head.
    pub fn new(
        columns: Vec<Column>,
        head: &Head,
        agents: HashMap<String, MemberId>,
        (zone, now): (Tz, Timestamp),
    ) -> Self {
        let place = |code: &str| {
            let place = head.columns.iter().position(|own| own == code);
            place.and_then(|place| u16::try_from(place).ok())
        };
        let places = columns.iter().map(|column| place(column.code())).collect();
        let is_known = |code: &String| code.is_empty() || columns.iter().any(|column| column.code() == code);
        let gone = (0_u16..).zip(&head.columns).filter(|(_, code)| !is_known(code));
        Self {
            gone: gone.map(|(place, code)| (place, code.clone())).collect(),
            columns,
            places,
            zone,
            now,
            agents,
            seen: HashSet::new(),
        }
    }

    /// What a row comes to.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn judge(&mut self, row: &Row) -> Result<Ready, Vec<Wrong>> {
        let mut cells: HashMap<u16, &Cell> = row.cells.iter().map(|(place, cell)| (*place, cell)).collect();
        let mut judged = Judged::new(row.number);
        for (column, place) in self.columns.iter().zip(&self.places) {
            let cell = place.and_then(|place| cells.remove(&place));
            let at = (place.unwrap_or(0), column.code());
            match &column.what {
                What::Fixed(fixed) => judged.fixed(at, *fixed, cell, self.zone, &self.agents),
                What::Field(field) => judged.field(at, field, cell),
            }
        }
        for place in cells.keys() {
            if let Some(code) = self.gone.get(place) {
                judged.tell((*place, code), Code::FieldGone, Vec::new());
            }
        }
        let place = |fixed: Fixed| {
            let at = self.columns.iter().position(|column| column.code() == fixed.code());
            at.and_then(|at| self.places.get(at).copied().flatten()).unwrap_or(0)
        };
        judged.together(self.now, place);
        if let Some(id) = &judged.external_id
            && !self.seen.insert(id.clone())
        {
            let at = (place(Fixed::ExternalId), Fixed::ExternalId.code());
            judged.tell(at, Code::Duplicate, Vec::new());
        }
        judged.finish()
    }
}

/// A column as problems name it: its place and its code.
type At<'c> = (u16, &'c str);

/// A row of which some columns were looked at.
struct Judged {
    row: u32,
    received_at: Option<Timestamp>,
    processed_at: Option<Timestamp>,
    channel: Option<&'static str>,
    status: Option<&'static str>,
    assignee: Option<MemberId>,
    processing: Option<String>,
    external_id: Option<String>,
    values: Vec<(String, Given)>,
    wrong: Vec<Wrong>,
}

impl Judged {
    fn new(row: u32) -> Self {
        Self {
            row,
            received_at: None,
            processed_at: None,
            channel: None,
            status: None,
            assignee: None,
            processing: None,
            external_id: None,
            values: Vec::new(),
            wrong: Vec::new(),
        }
    }

    fn tell(&mut self, (place, column): At<'_>, code: Code, words: Vec<(&'static str, String)>) {
        self.wrong.push(Wrong {
            row: self.row,
            place,
            column: column.to_owned(),
            code,
            words,
        });
    }

    /// What a cell says, if it can be read as what it should be.
    fn said<T>(
        &mut self,
        at: At<'_>,
        cell: Option<&Cell>,
        read: impl FnOnce(&Cell) -> Result<T, (Code, Vec<(&'static str, String)>)>,
    ) -> Option<T> {
        let read = match cell? {
            Cell::Formula => Err((Code::CellFormula, Vec::new())),
            Cell::Error => Err((Code::CellError, Vec::new())),
            Cell::Merged => Err((Code::CellMerged, Vec::new())),
            Cell::Text(text) if text.chars().nth(LONGEST).is_some() => Err(too_long(LONGEST)),
            cell => read(cell),
        };
        match read {
            Ok(said) => Some(said),
            Err((code, words)) => {
                self.tell(at, code, words);
                None
            }
        }
    }

    fn fixed(&mut self, at: At<'_>, fixed: Fixed, cell: Option<&Cell>, zone: Tz, agents: &HashMap<String, MemberId>) {
        match fixed {
            Fixed::ReceivedAt if cell.is_none() => self.tell(at, Code::Blank, Vec::new()),
            Fixed::ReceivedAt => self.received_at = self.said(at, cell, |cell| instant(cell, zone)),
            Fixed::ProcessedAt => self.processed_at = self.said(at, cell, |cell| instant(cell, zone)),
            Fixed::Channel => self.channel = self.said(at, cell, |cell| choice(fixed, cell)),
            Fixed::Status => self.status = self.said(at, cell, |cell| choice(fixed, cell)),
            Fixed::Assignee => {
                self.assignee = self.said(at, cell, |cell| {
                    let login = text(cell)?.trim().to_lowercase();
                    agents.get(&login).copied().ok_or((Code::AssigneeUnknown, Vec::new()))
                });
            }
            Fixed::Processing => self.processing = self.said(at, cell, |cell| plain(cell, LONGEST_PROCESSING)),
            Fixed::ExternalId => self.external_id = self.said(at, cell, |cell| plain(cell, LONGEST_EXTERNAL_ID)),
        }
    }

    fn field(&mut self, at: At<'_>, field: &Field, cell: Option<&Cell>) {
        let before = self.wrong.len();
        let given = self.said(at, cell, |cell| given(field, cell));
        if self.wrong.len() > before {
            return;
        }
        match value::check(field, given.as_ref()) {
            Ok(Some(value)) => self.values.push((field.code.clone(), value)),
            Ok(None) => {}
            Err(wrong) => {
                let (code, words) = told(field, wrong);
                self.tell(at, code, words);
            }
        }
    }

    /// What the columns must be to each other.
    fn together(&mut self, now: Timestamp, place: impl Fn(Fixed) -> u16) {
        let at = |fixed: Fixed| (place(fixed), fixed.code());
        for (fixed, time) in [
            (Fixed::ReceivedAt, self.received_at),
            (Fixed::ProcessedAt, self.processed_at),
        ] {
            if time.is_some_and(|time| time > now) {
                self.tell(at(fixed), Code::TimeInFuture, Vec::new());
            }
        }
        if let (Some(received), Some(processed)) = (self.received_at, self.processed_at)
            && processed < received
        {
            self.tell(at(Fixed::ProcessedAt), Code::TimeBeforeReceived, Vec::new());
        }
        if self.status == Some("NEW") && self.assignee.is_some() {
            self.tell(at(Fixed::Assignee), Code::AssigneeNotAllowed, Vec::new());
        }
    }

    fn finish(self) -> Result<Ready, Vec<Wrong>> {
        let Some(received_at) = self.received_at.filter(|_| self.wrong.is_empty()) else {
            return Err(self.wrong);
        };
        let usual = match (self.processed_at, self.assignee) {
            (Some(_), _) => "CLOSED",
            (None, Some(_)) => "OPEN",
            (None, None) => "NEW",
        };
        Ok(Ready {
            row: self.row,
            received_at,
            processed_at: self.processed_at,
            channel: self.channel.unwrap_or("MANUAL"),
            status: self.status.unwrap_or(usual),
            assignee: self.assignee,
            processing: self.processing,
            external_id: self.external_id,
            values: self.values,
        })
    }
}

/// What can be wrong with a cell.
type Fault = (Code, Vec<(&'static str, String)>);

fn too_long(most: usize) -> Fault {
    (Code::TooLong, vec![("max", most.to_string())])
}

fn form(form: &str) -> Fault {
    (Code::Invalid, vec![("rule", form.to_owned())])
}

/// A text. A number is none: Excel has made one of what may have had zeros in front, and nobody can know them. Neither is
/// what Excel leaves of a long number that it shows short, such as `1.02E+10`.
fn text(cell: &Cell) -> Result<String, Fault> {
    match cell {
        Cell::Text(text) if !is_shortened(text) => Ok(text.clone()),
        _ => Err((Code::CellNotText, Vec::new())),
    }
}

fn is_shortened(text: &str) -> bool {
    let text = text.trim();
    let parts = text.split_once("E+").or_else(|| text.split_once("e+"));
    parts.is_some_and(|(digits, power)| {
        let is_number = digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        is_number && digits.contains('.') && !power.is_empty() && power.chars().all(|letter| letter.is_ascii_digit())
    })
}

/// A text without blanks around it, of so many characters at most, and without what can't be seen.
fn plain(cell: &Cell, most: usize) -> Result<String, Fault> {
    let text = text(cell)?.trim().to_owned();
    if text.chars().count() > most {
        return Err(too_long(most));
    }
    if text
        .chars()
        .any(|letter| letter.is_control() && !"\n\t\r".contains(letter))
    {
        return Err(form("control characters"));
    }
    Ok(text)
}

fn choice(fixed: Fixed, cell: &Cell) -> Result<&'static str, Fault> {
    column::chosen(fixed.choices(), &text(cell)?).ok_or((Code::OptionUnknown, Vec::new()))
}

const DATE: &str = "YYYY-MM-DD";
const DATE_TIME: &str = "YYYY-MM-DD HH:mm";

/// An instant of the organization's clocks: where they skip it, the first after; where it comes twice, the first.
fn instant(cell: &Cell, zone: Tz) -> Result<Timestamp, Fault> {
    let text = day_and_time(cell).ok_or_else(|| form(DATE_TIME))?;
    let local = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M").map_err(|_| form(DATE_TIME))?;
    let is_plain = local.format("%Y-%m-%d %H:%M").to_string() == text;
    let at = zone::instant_of(local.date(), local.time(), zone).filter(|_| is_plain);
    at.map(Timestamp).ok_or_else(|| form(DATE_TIME))
}

/// A day and a time to the minute, as they are written. Seconds fall away; a day of Excel's is its first minute.
fn day_and_time(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.trim().to_owned()),
        Cell::Time(at) => at.get(..16).map(str::to_owned),
        _ => None,
    }
}

/// What a cell gives a field.
fn given(field: &Field, cell: &Cell) -> Result<Given, Fault> {
    match field.kind {
        FieldType::Text | FieldType::Textarea => match cell {
            Cell::Number(number) if field.personal_kind == Some(PersonalKind::Phone) => {
                phone(*number).map(Given::Text).ok_or((Code::CellNotText, Vec::new()))
            }
            cell => text(cell).map(Given::Text),
        },
        FieldType::Dropdown | FieldType::Radio => option(field, cell).map(Given::Text),
        FieldType::Checkbox => options(field, cell),
        FieldType::Date => match cell {
            Cell::Time(at) => day(at).map(Given::Text).ok_or_else(|| form(DATE)),
            cell => text(cell).map(Given::Text),
        },
        FieldType::Datetime => {
            let at = day_and_time(cell).ok_or_else(|| form(DATE_TIME))?;
            Ok(Given::Text(at))
        }
        FieldType::Agree => agreed(cell).map(Given::Agreed),
        FieldType::DatePeriod | FieldType::DatetimePeriod | FieldType::Caption | FieldType::File => {
            text(cell).map(Given::Text)
        }
    }
}

/// A telephone number that has lost its zero: only where there is one number that it can have been. A mobile number of
/// Korea is `010` and eight digits, and nothing else that begins with 10 has ten.
fn phone(number: f64) -> Option<String> {
    let is_mobile = number.fract() == 0.0 && (1_000_000_000.0..1_100_000_000.0).contains(&number);
    is_mobile.then(|| format!("0{number:.0}"))
}

fn option(field: &Field, cell: &Cell) -> Result<String, Fault> {
    let is_offered = |text: &str| field.options.0.iter().any(|way| way.join(LEVELS) == text);
    let said = match cell {
        Cell::Text(text) => text.trim().to_owned(),
        // A number is one of the options or not: there is nothing to lose.
        Cell::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        _ => return Err((Code::CellNotText, Vec::new())),
    };
    if is_offered(&said) {
        Ok(said)
    } else {
        Err((Code::OptionUnknown, Vec::new()))
    }
}

/// Several options: each in a line of its own, or with `;` between.
fn options(field: &Field, cell: &Cell) -> Result<Given, Fault> {
    if let Ok(one) = option(field, cell) {
        return Ok(Given::Options(vec![one]));
    }
    let said = text(cell)?;
    let parts = said.split(['\n', ';']).map(str::trim).filter(|part| !part.is_empty());
    let chosen = parts.map(|part| option(field, &Cell::Text(part.to_owned())));
    chosen.collect::<Result<_, _>>().map(Given::Options)
}

/// A day without a time.
fn day(at: &str) -> Option<String> {
    let (day, time) = at.split_once(' ')?;
    let time = NaiveTime::parse_from_str(time, "%H:%M:%S").ok()?;
    (time == NaiveTime::MIN).then(|| day.to_owned())
}

fn agreed(cell: &Cell) -> Result<bool, Fault> {
    let said = match cell {
        Cell::Truth(is) => return Ok(*is),
        Cell::Text(text) => text.trim().to_lowercase(),
        _ => return Err(form("Y / N")),
    };
    match (column::YES.contains(&&*said), column::NO.contains(&&*said)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(form("Y / N")),
    }
}

/// What is wrong with a field's value, in the words of files.
fn told(field: &Field, wrong: value::Wrong) -> Fault {
    match wrong {
        value::Wrong::Required => (Code::Blank, Vec::new()),
        value::Wrong::Length => too_long(match usize::try_from(field.length) {
            Ok(length @ 1..) => length,
            _ => LONGEST,
        }),
        value::Wrong::Invalid => match field.kind {
            FieldType::Date => form(DATE),
            FieldType::Datetime => form(DATE_TIME),
            FieldType::DatePeriod => form("YYYY-MM-DD ~ YYYY-MM-DD"),
            FieldType::DatetimePeriod => form("YYYY-MM-DD HH:mm ~ YYYY-MM-DD HH:mm"),
            FieldType::Checkbox => (Code::Duplicate, Vec::new()),
            FieldType::Text => form("one line, no control characters"),
            _ => form("control characters"),
        },
    }
}
