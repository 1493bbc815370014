//! What the verbs of fields are asked with.

use async_graphql::{ID, InputObject};
use serde::Serialize;

use super::{entity::Visibility, kind::FieldType, text::Text};
use crate::kernel::{PersonalKind, payload::asks};

/// A new field.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct FieldAddInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The ID of the service.
    pub service_id: ID,
    /// 코드: a letter and up to 44 letters, digits and `_`; never used before in the service, whatever the case. It can't be changed later.
    pub code: String,
    /// 유형: what it takes. It can't be changed later.
    #[graphql(name = "type")]
    pub kind: FieldType,
    /// What it is called, one a language, at most 20; the service's main language must be there.
    pub texts: Vec<Text>,
    /// 길이: the most characters, 1 to 5,000; 0 or absent for no other limit. For `TEXT` and `TEXTAREA` only.
    pub length: Option<i32>,
    /// 옵션: what it offers, 1 to 100, each a list of one word of 1 to 100 characters; no two are the same. For `CHECKBOX`, `DROPDOWN` and `RADIO` only, and needed there.
    pub options: Option<Vec<Vec<String>>>,
    /// 필수: whether a ticket must have it; not where absent, and not for `CAPTION`.
    pub is_required: Option<bool>,
    /// 개인정보: whether its values are encrypted, and masked when they are read; not where absent. For `TEXT`, `TEXTAREA` and `DATE` only. It can't be changed later.
    pub is_encrypted: Option<bool>,
    /// What kind of thing its values are, where they are encrypted; `GENERIC` where absent. It can't be changed later.
    pub personal_kind: Option<PersonalKind>,
    /// Who sees it; `CUSTOMERS` where absent.
    pub visibility: Option<Visibility>,
}

/// Changes to a field. Absent values stay as they are; code, type and encryption can't be changed.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct FieldUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// What it is called: all of it, one a language, at most 20; the service's main language must be there.
    pub texts: Option<Vec<Text>>,
    /// 길이: the most characters, 1 to 5,000; 0 for no other limit. Of a field that came with the service at most what it came with.
    pub length: Option<i32>,
    /// 옵션: all that it offers from now on, 1 to 100; for 유형 each is its way from the top, up to five words. What tickets have already stays in them.
    pub options: Option<Vec<Vec<String>>>,
    /// 필수: whether a ticket must have it.
    pub is_required: Option<bool>,
    /// Who sees it. A field that came with the service is the customers'.
    pub visibility: Option<Visibility>,
}

/// A new order of a service's fields.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct FieldReorderInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` of the composition last read.
    pub expected_version: i32,
    /// The IDs of all of its fields, each once, in their new order; at most 100.
    pub field_ids: Vec<ID>,
}

/// How to remove a field.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct FieldRemoveInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

asks!(FieldAddInput, FieldUpdateInput, FieldReorderInput, FieldRemoveInput);
