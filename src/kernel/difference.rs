//! What a change did to a row, as the log tells it.

use sea_orm::{IdenStatic, Iterable, ModelTrait};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    AuditEntryId, Record, Result, Tx,
    audit::{Change, Outcome},
    permission::{Shift, shifts},
};

/// At most so many values of one deed are told one by one; beyond them the log holds their number.
const MOST_CHANGES: usize = 500;

/// What a deed has told of itself so far.
#[derive(Default)]
pub(super) struct Told {
    changes: Vec<Change>,
    further: usize,
    /// Changes of rights, every one of them.
    pub(super) shifts: Vec<Shift>,
    pub(super) target: Option<(String, String)>,
    pub(super) service: Option<Uuid>,
    /// Whose data it is about, where it shows any: the keys of their rows.
    pub(super) subjects: Vec<String>,
    pub(super) outcome: Option<(Outcome, String)>,
    pub(super) entry: Option<AuditEntryId>,
}

impl Told {
    /// One value changed.
    pub(super) fn tell(&mut self, change: Change) {
        if self.changes.len() < MOST_CHANGES {
            self.changes.push(change)
        } else {
            self.further += 1
        }
    }

    /// A row came, changed or went. The first one is what the deed is about, unless it says otherwise.
    pub(super) fn tell_of<E: Record>(&mut self, before: Option<&E::Model>, after: Option<&E::Model>) {
        let Some(row) = after.or(before) else { return };
        if self.target.is_none() {
            self.target = Some((E::key(row), E::label(row)));
        }
        self.service = self.service.or(E::service(row));
        self.shifts.extend(shifts::<E>(before, after));
    }

    /// A kind of row that was changed and is none of these.
    pub(super) fn beside(&self, records: &[&str]) -> Option<&str> {
        let mut changed = self.changes.iter().map(|change| change.record.as_str());
        changed.find(|record| !records.contains(record))
    }

    /// The values that changed, and the number of those that are not told.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.changes);
        if self.further > 0 {
            changes.push(Change {
                record: "*".into(),
                key: "*".into(),
                field: Some("furtherValues".into()),
                before: None,
                after: Some(self.further.to_string()),
            });
        }
        changes
    }
}

impl Tx {
    /// Commits that the deed was refused, which the rules of an area decide: the log says so, and why.
    pub fn refused(&self, reason: &str) {
        self.told().outcome = Some((Outcome::Denied, reason.to_owned()));
    }

    /// Says what was done with a row that tells of somebody and was not changed, such as that it was shown: the entry
    /// names him as the subject of the deed.
    ///
    /// # Errors
    /// Only if `what` can't be written as JSON.
    pub fn used<E: Record>(&self, row: &E::Model, field: &str, what: &impl serde::Serialize) -> Result<()> {
        let what = serde_json::to_string(what)?;
        let mut told = self.told();
        told.tell_of::<E>(Some(row), Some(row));
        told.tell(line::<E>(row, Some(field.to_owned()), None, Some(what)));
        told.subjects.push(E::key(row));
        Ok(())
    }

    /// Says why a deed is done that changes nothing, where whoever does it has to say.
    ///
    /// # Errors
    /// Only if the text can't be written as JSON.
    pub fn because(&self, reason: &str) -> Result<()> {
        let after = Some(serde_json::to_string(reason)?);
        self.told().tell(Change {
            record: "reason".into(),
            key: "*".into(),
            field: Some("reason".into()),
            before: None,
            after,
        });
        Ok(())
    }
}

/// One value of a row as the log tells it; without a field, the row as a whole.
pub(super) fn line<E: Record>(
    row: &E::Model,
    field: Option<String>,
    before: Option<String>,
    after: Option<String>,
) -> Change {
    Change {
        record: E::NAME.into(),
        key: E::key(row),
        field,
        before,
        after,
    }
}

/// What differs, as the log shows it: the field's name and its values before and after. The lock counter and the
/// owner's column tell nothing and are left out.
pub(super) type Difference = (String, Option<String>, Option<String>);

pub(super) fn differences<E: Record>(before: Option<&E::Model>, after: &E::Model) -> Result<Vec<Difference>> {
    let old = before.map(serde_json::to_value).transpose()?;
    let new = serde_json::to_value(after)?;
    let mut told = Vec::new();
    for column in E::Column::iter() {
        let name = column.as_str();
        let silent = name == E::owner().as_str() || E::version().is_some_and(|version| name == version.as_str());
        if silent || before.is_some_and(|before| before.get(column) == after.get(column)) {
            continue;
        }
        let show = |row: &Json| row.get(name).filter(|value| !value.is_null()).map(Json::to_string);
        let shown = (camel(name), old.as_ref().and_then(show), show(&new));
        if before.is_some() || shown.2.is_some() {
            told.push(shown);
        }
    }
    Ok(told)
}

/// A column's name as the log has it.
pub(super) fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        name + &head.to_ascii_uppercase() + tail
    })
}
