//! What a change did to a row, as the log tells it.

use sea_orm::{IdenStatic, Iterable, ModelTrait};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    AuditEntryId, Record, Result,
    audit::{Change, Outcome},
};

/// What a deed has told of itself so far.
#[derive(Default)]
pub(super) struct Told {
    pub(super) changes: Vec<Change>,
    pub(super) further: usize,
    pub(super) target: Option<(String, String)>,
    pub(super) service: Option<Uuid>,
    pub(super) outcome: Option<(Outcome, String)>,
    pub(super) entry: Option<AuditEntryId>,
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
