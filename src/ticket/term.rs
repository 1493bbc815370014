//! What tickets are found by: for each value that can be searched a row with the beginning of its normal form, or, where
//! the value is sealed, its token in the blind index. Texts and tokens are compared byte by byte on every database.

use sea_orm::entity::prelude::*;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::content::Kept;
use crate::{
    field::{Field, FieldType},
    kernel::{FieldId, OrganizationId, Personal, PersonalKind, TicketId, Timestamp, record::part, seal::BlindIndex},
};

/// How much of a text is kept, in characters; what is longer ends in a digest, so that equal still means equal.
pub(super) const LONGEST: usize = 48;

/// What stands before the digest: no text has it.
const CUT: char = '\u{1}';

/// How long the digest is, in bytes.
const DIGEST: usize = 12;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "ticket_term")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Of which ticket.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ticket_id: TicketId,
    /// Of which field.
    #[sea_orm(primary_key, auto_increment = false)]
    pub field_id: FieldId,
    /// What it is found by.
    #[serde(skip)]
    pub term: Vec<u8>,
    /// When the ticket came: the order of lists.
    pub received_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "ticket term", key: |row| format!("{}/{}", row.ticket_id, row.field_id) }

/// Whether tickets are found by the values of a field: not by what is long, nor by what is chosen several at a time.
pub(super) fn is_searchable(field: &Field) -> bool {
    match field.kind {
        FieldType::Text | FieldType::Dropdown | FieldType::Radio | FieldType::Date => true,
        FieldType::Textarea
        | FieldType::Caption
        | FieldType::Checkbox
        | FieldType::Datetime
        | FieldType::DatePeriod
        | FieldType::DatetimePeriod
        | FieldType::Agree
        | FieldType::File => false,
    }
}

/// What a text is found by; whatever the case and the width of its letters, and however many blanks it has.
pub(super) fn of_text(text: &str) -> Vec<u8> {
    let normal = normal(text);
    if normal.chars().count() <= LONGEST {
        return normal.into_bytes();
    }
    let head: String = normal.chars().take(LONGEST).chain([CUT]).collect();
    let digest = Sha256::digest(normal.as_bytes());
    [head.as_bytes(), &digest[..DIGEST]].concat()
}

/// What is found by the beginning of a text: from the first on, and before the second.
pub(super) fn of_beginning(text: &str) -> (Vec<u8>, Vec<u8>) {
    let from = normal(text).into_bytes();
    // No byte of UTF-8 is as large.
    let to = [from.as_slice(), &[0xff]].concat();
    (from, to)
}

/// How texts are compared.
pub(super) fn normal(text: &str) -> String {
    PersonalKind::Generic.normal(text)
}

/// What a value is found by that is kept as it is; `None` where it is not found by.
pub(super) fn of_kept(field: &Field, value: &Kept) -> Option<Vec<u8>> {
    match value {
        Kept::Text(text) if is_searchable(field) => Some(of_text(text)),
        Kept::Text(_) | Kept::Options(_) | Kept::Agreed(_) => None,
    }
}

/// What a sealed value is found by; `None` where it is not found by.
pub(super) fn of_personal(field: &Field, value: &Personal, index: &BlindIndex) -> Option<Vec<u8>> {
    is_searchable(field).then(|| index.token("ticket_term", &field.id.to_string(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f3_texts_that_mean_the_same_are_found_by_the_same_and_long_ones_still_differ() {
        assert_eq!(of_text("ＡＢＣ  정수기 "), of_text("abc 정수기"));
        assert_ne!(of_text("정수기"), of_text("정수기2"));
        let (one, other) = ("가".repeat(60), format!("{}나", "가".repeat(59)));
        assert_ne!(of_text(&one), of_text(&other));
        let (from, to) = of_beginning("정수");
        let inside = |text: &str| (&from..&to).contains(&&of_text(text));
        assert!(inside("정수기") && inside("정수") && inside(&format!("정수{one}")));
        assert!(!inside("정") && !inside("정소") && !inside("정숙"));
        assert!(of_text(&one).len() < 200);
    }
}
