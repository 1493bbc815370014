//! The values of a ticket's fields as they are kept: by the codes of the fields, which are never given twice in a service.
//! Logs tell which fields there are, and nothing of what is in them.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize, Serializer};

use crate::{field::value::Given, kernel::seal::Sealed};

/// A value that is kept as it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kept {
    /// Yes or no.
    Agreed(bool),
    /// A text, also of a day, a time or an option.
    Text(String),
    /// Several options.
    Options(Vec<String>),
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<Given> for Kept {
    fn from(given: Given) -> Self {
        match given {
            Given::Agreed(is) => Self::Agreed(is),
            Given::Text(text) => Self::Text(text),
            Given::Options(chosen) => Self::Options(chosen),
        }
    }
}

/// The values that are kept as they are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Plain(pub BTreeMap<String, Kept>);

/// The values that are sealed, as text.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct SealedValues(BTreeMap<String, String>);

impl fmt::Debug for SealedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl SealedValues {
    /// The sealed value of a field. A text that is none of ours is a value that does not open.
    pub fn get(&self, code: &str) -> Option<Sealed> {
        let text = self.0.get(code)?;
        Some(Sealed(STANDARD_NO_PAD.decode(text).unwrap_or_default()))
    }

    /// Keeps a sealed value, or takes it away.
    pub fn set(&mut self, code: &str, value: Option<&Sealed>) {
        match value {
            Some(sealed) => {
                self.0.insert(code.to_owned(), STANDARD_NO_PAD.encode(&sealed.0));
            }
            None => {
                self.0.remove(code);
            }
        }
    }

    /// Which fields have a sealed value.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Which fields there are, for the log.
pub(super) fn as_codes<S: Serializer>(values: &Plain, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.0.keys())
}

/// Which fields there are, for the log.
pub(super) fn as_sealed_codes<S: Serializer>(values: &SealedValues, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.codes())
}

/// How long a text is, for the log: what was written freely may name anybody.
pub(super) fn as_length<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    let length = text.as_ref().map(|text| format!("{} characters", text.chars().count()));
    length.serialize(serializer)
}
