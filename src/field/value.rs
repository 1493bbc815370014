//! What a value of a field must look like, whoever gives it: a form, a program or a cell of a file. All of them are told
//! with the same three words.

use chrono::{NaiveDate, NaiveDateTime};

use super::{entity::Model as Field, kind::FieldType, rules::LONGEST};

/// A value as it comes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given {
    /// A text, also of a day, a time or an option; the levels of an option with ` > ` between.
    Text(String),
    /// Several options.
    Options(Vec<String>),
    /// Yes or no.
    Agreed(bool),
}

/// What is wrong with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// It must be there.
    Required,
    /// It has too many characters.
    Length,
    /// It does not have the form, or is none of the options.
    Invalid,
}

/// What stands between the levels of an option.
pub const LEVELS: &str = " > ";

/// What stands between the two ends of a period.
const PERIOD: &str = " ~ ";

/// A value as it is kept: `None` for none. Files are checked where they arrive.
///
/// # Errors
/// What is wrong with it.
pub fn check(field: &Field, given: Option<&Given>) -> Result<Option<Given>, Wrong> {
    let given = given.and_then(tidied);
    let Some(given) = given else {
        return if field.is_required && field.kind.takes_values() {
            Err(Wrong::Required)
        } else {
            Ok(None)
        };
    };
    let most = if field.length == 0 { LONGEST } else { field.length };
    let fits = |text: &str| i32::try_from(text.chars().count()).is_ok_and(|length| length <= most);
    let is_offered = |text: &str| field.options.0.iter().any(|way| way.join(LEVELS) == text);
    let is_right = match (field.kind, &given) {
        (FieldType::Text, Given::Text(text)) if text.contains('\n') => false,
        (FieldType::Text | FieldType::Textarea, Given::Text(text)) => {
            if !fits(text) {
                return Err(Wrong::Length);
            }
            !text
                .chars()
                .any(|letter| letter.is_control() && !"\n\t".contains(letter))
        }
        (FieldType::Dropdown | FieldType::Radio, Given::Text(text)) => is_offered(text),
        (FieldType::Checkbox, Given::Options(chosen)) => {
            let differ = |(number, one): (usize, &String)| is_offered(one) && !chosen[..number].contains(one);
            chosen.iter().enumerate().all(differ)
        }
        (FieldType::Date, Given::Text(text)) => day(text).is_some(),
        (FieldType::Datetime, Given::Text(text)) => time(text).is_some(),
        (FieldType::DatePeriod, Given::Text(text)) => is_period(text, day),
        (FieldType::DatetimePeriod, Given::Text(text)) => is_period(text, time),
        (FieldType::Agree, Given::Agreed(false)) if field.is_required => return Err(Wrong::Required),
        (FieldType::Agree, Given::Agreed(_)) => true,
        _ => false,
    };
    if is_right { Ok(Some(given)) } else { Err(Wrong::Invalid) }
}

/// The value without blanks around it; `None` where nothing is left.
fn tidied(given: &Given) -> Option<Given> {
    let text = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    match given {
        Given::Text(said) => text(said).map(Given::Text),
        Given::Options(chosen) => {
            let chosen: Vec<_> = chosen.iter().filter_map(text).collect();
            Some(chosen).filter(|chosen| !chosen.is_empty()).map(Given::Options)
        }
        Given::Agreed(is) => Some(Given::Agreed(*is)),
    }
}

/// A day, `YYYY-MM-DD`, written in no other way than that. A pattern would be read anew for each of a million cells.
pub fn day(text: &str) -> Option<NaiveDate> {
    let &[y, yy, yyy, yyyy, b'-', m, mm, b'-', d, dd] = text.as_bytes() else {
        return None;
    };
    let year = i32::try_from(number(&[y, yy, yyy, yyyy])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&[m, mm])?, number(&[d, dd])?)
}

/// A day and a time of it, `YYYY-MM-DD HH:mm`, written in no other way than that.
pub fn time(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once(' ')?;
    let &[h, hh, b':', m, mm] = time.as_bytes() else {
        return None;
    };
    day(date)?.and_hms_opt(number(&[h, hh])?, number(&[m, mm])?, 0)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
    })
}

/// Whether there are two ends, of which the first is not the later one.
fn is_period<T: PartialOrd>(text: &str, read: fn(&str) -> Option<T>) -> bool {
    let ends = text.split_once(PERIOD);
    let ends = ends.and_then(|(from, to)| Some((read(from)?, read(to)?)));
    ends.is_some_and(|(from, to)| from <= to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        field::{
            Visibility,
            text::{Options, Texts},
        },
        kernel::{FieldId, OrganizationId, ServiceId, Timestamp},
    };

    fn field(kind: FieldType, is_required: bool) -> Field {
        let id = uuid::Uuid::nil();
        let ways = [vec!["배송", "지연"], vec!["배송"], vec!["기타"]];
        Field {
            id: FieldId(id),
            organization_id: OrganizationId(id),
            service_id: ServiceId(id),
            code: "field".into(),
            code_key: "field".into(),
            kind,
            is_system: false,
            texts: Texts::default(),
            length: 5,
            options: Options(ways.map(|way| way.into_iter().map(str::to_owned).collect()).into()),
            is_required,
            is_encrypted: false,
            personal_kind: None,
            visibility: Visibility::Customers,
            position: 0,
            created_at: Timestamp(chrono::DateTime::UNIX_EPOCH),
            removed_at: None,
            version: 1,
        }
    }

    #[test]
    fn f1_each_type_takes_its_form_and_no_other() {
        use FieldType as Type;
        for (kind, text, wrong) in [
            (Type::Text, "가나다라마", None),
            (Type::Text, " 가나다라마 ", None),
            (Type::Text, "가나다라마바", Some(Wrong::Length)),
            (Type::Text, "가\n나", Some(Wrong::Invalid)),
            (Type::Text, "가\0", Some(Wrong::Invalid)),
            (Type::Textarea, "가\n나", None),
            (Type::Dropdown, "배송 > 지연", None),
            (Type::Dropdown, "배송", None),
            (Type::Dropdown, "지연", Some(Wrong::Invalid)),
            (Type::Radio, "기타", None),
            (Type::Checkbox, "기타", Some(Wrong::Invalid)),
            (Type::Date, "2026-02-28", None),
            (Type::Date, "2026-02-29", Some(Wrong::Invalid)),
            (Type::Date, "2026-2-28", Some(Wrong::Invalid)),
            (Type::Date, "2026-02-28 10:00", Some(Wrong::Invalid)),
            (Type::Datetime, "2026-02-28 23:59", None),
            (Type::Datetime, "2026-02-28 24:00", Some(Wrong::Invalid)),
            (Type::Datetime, "2026-02-28T10:00", Some(Wrong::Invalid)),
            (Type::DatePeriod, "2026-02-28 ~ 2026-02-28", None),
            (Type::DatePeriod, "2026-02-28 ~ 2026-02-27", Some(Wrong::Invalid)),
            (Type::DatePeriod, "2026-02-28", Some(Wrong::Invalid)),
            (Type::DatetimePeriod, "2026-02-28 10:00 ~ 2026-02-28 10:30", None),
            (Type::DatetimePeriod, "2026-02-28 10:00 ~ 10:30", Some(Wrong::Invalid)),
            (Type::Agree, "true", Some(Wrong::Invalid)),
            (Type::Caption, "가", Some(Wrong::Invalid)),
        ] {
            let given = Given::Text(text.to_owned());
            assert_eq!(check(&field(kind, true), Some(&given)).err(), wrong, "{kind:?} {text}");
        }
        let several = |texts: &[&str]| Given::Options(texts.iter().map(|text| (*text).to_owned()).collect());
        let checkbox = field(Type::Checkbox, true);
        assert_eq!(check(&checkbox, Some(&several(&["기타", "배송"]))).err(), None);
        assert_eq!(
            check(&checkbox, Some(&several(&["기타", "기타"]))).err(),
            Some(Wrong::Invalid)
        );
        assert_eq!(
            check(&checkbox, Some(&several(&["", " "]))).err(),
            Some(Wrong::Required)
        );
        let agree = |is, is_required| check(&field(Type::Agree, is_required), Some(&Given::Agreed(is))).err();
        assert_eq!(agree(true, true), None);
        assert_eq!(agree(false, true), Some(Wrong::Required));
        assert_eq!(agree(false, false), None);
    }

    #[test]
    fn f1_what_is_required_must_be_there_where_anything_can_be() {
        for kind in FieldType::ALL {
            let wrong = if kind == FieldType::Caption {
                None
            } else {
                Some(Wrong::Required)
            };
            assert_eq!(check(&field(kind, true), None).err(), wrong, "{kind:?}");
            let blank = Given::Text("  ".into());
            assert_eq!(check(&field(kind, true), Some(&blank)).err(), wrong, "{kind:?}");
            assert_eq!(check(&field(kind, false), None), Ok(None), "{kind:?}");
        }
    }
}
