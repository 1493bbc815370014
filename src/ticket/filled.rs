//! The values that somebody gives to a ticket: held against the service's fields, then kept or sealed. What comes back
//! masked is known as what it is and never kept.

use std::collections::{BTreeMap, HashSet};

use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    content::{Kept, Plain, SealedValues},
    ground::Ground,
    input::TicketValueInput,
    term,
};
use crate::{
    field::{
        Field, FieldType,
        value::{self, Given, Wrong},
    },
    kernel::{
        App, Code, Personal, PersonalKind, Problem, Result, ServiceId, TicketId, Timestamp, Tx,
        personal::Sent,
        seal::{Broken, Cell, FieldKeys, Keychain, Sealed},
    },
};

/// The most values at once: as many as a service has fields.
pub(super) const MOST: usize = 100;

/// Where the values of tickets stand.
const TABLE: &str = "ticket";

/// A value of one field, checked; `None` takes it away.
pub(super) enum Value {
    /// One that is kept as it is.
    Plain(Option<Kept>),
    /// One that is sealed.
    Personal(Option<Personal>),
}

/// Checked values, by the codes of their fields.
pub(super) type Filled<'f> = BTreeMap<String, (&'f Field, Value)>;

/// What a ticket has already, for values that come back.
pub(super) struct Present<'t> {
    pub ticket: &'t super::Model,
    pub keys: &'t FieldKeys,
}

/// What kind of thing a field's values are.
pub(super) fn kind(field: &Field) -> PersonalKind {
    field.personal_kind.unwrap_or(PersonalKind::Generic)
}

/// A value of a ticket's field in the clear, which shows itself masked; `None` where there is none.
///
/// # Errors
/// Why it does not open.
pub(super) fn open(
    keys: &Keychain,
    ticket: &super::Model,
    field: &Field,
) -> std::result::Result<Option<Personal>, Broken> {
    let Some(sealed) = ticket.sealed.get(&field.code) else {
        return Ok(None);
    };
    let column = field.id.to_string();
    let blank = Personal::new(ticket.service_id, kind(field), String::new());
    keys.open_personal(&cell(&column, &ticket.id), blank, &sealed).map(Some)
}

/// Where a value stands.
pub(super) fn cell<'c>(column: &'c str, ticket: &'c TicketId) -> Cell<'c> {
    Cell {
        table: TABLE,
        column,
        row: ticket.0.as_bytes(),
    }
}

/// Holds values against the fields that whoever gives them sees. Of a new ticket all that must be there must be there.
pub(super) fn check<'f>(
    ground: &'f Ground,
    service: ServiceId,
    present: Option<&Present<'_>>,
    given: &[TicketValueInput],
) -> (Filled<'f>, Vec<Problem>) {
    const AT: &str = "input.values";
    let (mut filled, mut problems) = (Filled::new(), Vec::new());
    if given.len() > MOST {
        return (filled, vec![Problem::at(AT, Code::TooMany).with("max", MOST)]);
    }
    let mut named = HashSet::new();
    for (place, input) in given.iter().enumerate() {
        let at = format!("{AT}.{place}");
        let Some(field) = ground.field(&input.code) else {
            problems.push(Problem::at(&format!("{at}.code"), Code::NotFound));
            continue;
        };
        if !named.insert(field.code.as_str()) {
            problems.push(Problem::at(&format!("{at}.code"), Code::Duplicate));
            continue;
        }
        match one(field, service, present, input) {
            Ok(Some(value)) => {
                filled.insert(field.code.clone(), (field, value));
            }
            Ok(None) => {}
            Err(code) => problems.push(about(field, &at, code)),
        }
    }
    if present.is_none() {
        let absent = ground
            .fields
            .iter()
            .filter(|field| !named.contains(field.code.as_str()));
        let needed = absent.filter(|field| field.kind != FieldType::File && value::check(field, None).is_err());
        problems.extend(needed.map(|field| about(field, AT, Code::Blank)));
    }
    (filled, problems)
}

/// What is wrong with a value, in the words that forms and files are told with too.
pub(super) fn code_of(wrong: Wrong) -> Code {
    match wrong {
        Wrong::Required => Code::Blank,
        Wrong::Length => Code::TooLong,
        Wrong::Invalid => Code::Invalid,
    }
}

fn about(field: &Field, at: &str, code: Code) -> Problem {
    let problem = Problem::at(at, code).with("field", &field.code);
    match code {
        Code::TooLong => problem.with("max", field.length),
        Code::Invalid => problem.with("rule", &field.code),
        _ => problem,
    }
}

/// One value, checked; `None` where it is what is there already.
fn one(
    field: &Field,
    service: ServiceId,
    present: Option<&Present<'_>>,
    input: &TicketValueInput,
) -> std::result::Result<Option<Value>, Code> {
    if field.kind == FieldType::File {
        return Err(Code::NotForType);
    }
    let given = input.given().ok_or(Code::Invalid)?;
    if field.is_encrypted
        && let Some(Given::Text(text)) = &given
    {
        match sent(field, service, present, text.trim()) {
            Sent::Same => return Ok(None),
            Sent::Masked => return Err(Code::MaskedValue),
            Sent::New => {}
        }
    }
    let checked = value::check(field, given.as_ref()).map_err(code_of)?;
    Ok(Some(personal_or_plain(field, service, checked)))
}

/// A checked value as it will be kept.
pub(super) fn personal_or_plain(field: &Field, service: ServiceId, checked: Option<Given>) -> Value {
    match checked {
        checked if !field.is_encrypted => Value::Plain(checked.map(Kept::from)),
        Some(Given::Text(text)) => Value::Personal(Some(Personal::new(service, kind(field), text))),
        // Only texts and days can be encrypted.
        Some(Given::Options(_) | Given::Agreed(_)) | None => Value::Personal(None),
    }
}

/// What a text is to the value that is there. Beside none, or one that does not open, a mask is a mask of something else.
/// The value itself is a new one: were it told from others, whoever sees its mask could try what it hides, one by one.
fn sent(field: &Field, service: ServiceId, present: Option<&Present<'_>>, text: &str) -> Sent {
    let kept = present.and_then(|present| open(&present.keys.values, present.ticket, field).ok().flatten());
    match kept {
        Some(kept) if text == kept.masked() => Sent::Same,
        Some(kept) => match kept.compare(text) {
            Sent::Same => Sent::New,
            other => other,
        },
        None => Personal::new(service, kind(field), String::new()).compare_new(text),
    }
}

/// Values on their way into a ticket.
pub(super) struct Pen<'a> {
    pub app: &'a App,
    pub keys: &'a FieldKeys,
    pub ticket: TicketId,
    pub received_at: Timestamp,
}

impl Pen<'_> {
    /// Puts values into a ticket's documents; answers the new rows that it is found by.
    ///
    /// # Errors
    /// If a value can't be sealed.
    pub fn write(&self, filled: &Filled<'_>, plain: &mut Plain, sealed: &mut SealedValues) -> Result<Vec<term::Model>> {
        let mut terms = Vec::new();
        for (code, (field, value)) in filled {
            let term = match value {
                Value::Plain(Some(kept)) => {
                    plain.0.insert(code.clone(), kept.clone());
                    term::of_kept(field, kept)
                }
                Value::Plain(None) => {
                    plain.0.remove(code);
                    None
                }
                Value::Personal(Some(value)) => {
                    sealed.set(code, Some(&self.seal(field, value)?));
                    let index = self.keys.index.as_ref();
                    index.and_then(|index| term::of_personal(field, value, index))
                }
                Value::Personal(None) => {
                    sealed.set(code, None);
                    None
                }
            };
            terms.extend(term.map(|term| self.term(field, term)));
        }
        Ok(terms)
    }

    fn seal(&self, field: &Field, value: &Personal) -> Result<Sealed> {
        let column = field.id.to_string();
        let cell = cell(&column, &self.ticket);
        self.keys.values.seal_personal(&self.app.random, &cell, value)
    }

    fn term(&self, field: &Field, term: Vec<u8>) -> term::Model {
        term::Model {
            organization_id: field.organization_id,
            ticket_id: self.ticket,
            field_id: field.id,
            term,
            received_at: self.received_at,
        }
    }
}

/// Replaces the rows that a ticket is found by, as far as its values became others.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn replace_terms(
    tx: &Tx,
    ticket: TicketId,
    filled: &Filled<'_>,
    terms: Vec<term::Model>,
) -> Result<()> {
    let fields: Vec<_> = filled.values().map(|(field, _)| field.id).collect();
    let old = tx
        .select::<term::Entity>()
        .filter(term::Column::TicketId.eq(ticket))
        .filter(term::Column::FieldId.is_in(fields));
    for row in old.all().await? {
        tx.delete::<term::Entity>(row).await?;
    }
    tx.create_many::<term::Entity>(terms).await
}
