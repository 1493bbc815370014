//! What a cell says, read as what its column wants. What Excel has changed is taken only where there is one thing that it can
//! have been; `docs/imports.md` has the table.

use chrono::NaiveTime;
use chrono_tz::Tz;

use super::{
    column::{self, Fixed, LONGEST_EXTERNAL_ID},
    sheet::{Cell, LONGEST},
};
use crate::{
    field::{
        Field, FieldType,
        value::{self, Given, LEVELS},
    },
    kernel::{Code, PersonalKind, Timestamp, zone},
};

/// What can be wrong with a cell.
pub(super) type Fault = (Code, Vec<(&'static str, String)>);

pub(super) fn too_long(most: usize) -> Fault {
    (Code::TooLong, vec![("max", most.to_string())])
}

pub(super) fn form(form: &str) -> Fault {
    (Code::Invalid, vec![("rule", form.to_owned())])
}

/// A text. A number is none: Excel has made one of what may have had zeros in front, and nobody can know them. Neither is
/// what Excel leaves of a long number that it shows short, such as `1.02E+10`.
pub(super) fn text(cell: &Cell) -> Result<String, Fault> {
    match cell {
        Cell::Text(text) if !is_shortened(text) => Ok(text.clone()),
        _ => Err((Code::CellNotText, Vec::new())),
    }
}

fn is_shortened(text: &str) -> bool {
    let text = text.trim();
    if !text.ends_with(|letter: char| letter.is_ascii_digit()) {
        return false;
    }
    let parts = text.split_once("E+").or_else(|| text.split_once("e+"));
    parts.is_some_and(|(digits, power)| {
        let is_number = digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        is_number && digits.contains('.') && !power.is_empty() && power.chars().all(|letter| letter.is_ascii_digit())
    })
}

/// A text without blanks around it, of so many characters at most, and without what can't be seen.
pub(super) fn plain(cell: &Cell, most: usize) -> Result<String, Fault> {
    let text = text(cell)?.trim().replace("\r\n", "\n");
    if text.chars().count() > most {
        return Err(too_long(most));
    }
    if text
        .chars()
        .any(|letter| letter.is_control() && !"\n\t".contains(letter))
    {
        return Err(form("control characters"));
    }
    Ok(text)
}

/// What another system calls a ticket: visible letters, digits and signs of ASCII.
pub(super) fn external(cell: &Cell) -> Result<String, Fault> {
    let text = text(cell)?.trim().to_owned();
    match text.len() {
        _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => Err(form("ASCII")),
        0..=LONGEST_EXTERNAL_ID => Ok(text),
        _ => Err(too_long(LONGEST_EXTERNAL_ID)),
    }
}

pub(super) fn choice(fixed: Fixed, cell: &Cell) -> Result<&'static str, Fault> {
    column::chosen(fixed.choices(), &text(cell)?).ok_or((Code::OptionUnknown, Vec::new()))
}

const DATE: &str = "YYYY-MM-DD";
const DATE_TIME: &str = "YYYY-MM-DD HH:mm";

/// An instant of the organization's clocks: where they skip it, the first after; where it comes twice, the first.
pub(super) fn instant(cell: &Cell, zone: Tz) -> Result<Timestamp, Fault> {
    let text = day_and_time(cell).ok_or_else(|| form(DATE_TIME))?;
    let local = value::time(&text).ok_or_else(|| form(DATE_TIME))?;
    let at = zone::instant_of(local.date(), local.time(), zone);
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
pub(super) fn given(field: &Field, cell: &Cell) -> Result<Given, Fault> {
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

/// Whether a text is the mask of personal data.
pub(super) fn is_mask(field: &Field, text: &str) -> bool {
    let kind = field.personal_kind.filter(|_| field.is_encrypted);
    kind.is_some_and(|kind| kind.is_masked(text))
}

/// What is wrong with a field's value, in the words of files.
pub(super) fn told(field: &Field, wrong: value::Wrong) -> Fault {
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
