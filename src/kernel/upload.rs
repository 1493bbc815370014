//! Files that come with a request: the scalar `Upload`, and which mutations take files of what size. How they travel is
//! `api/multipart`'s business.

use std::fmt;

use async_graphql::{InputValueError, InputValueResult, Name, Scalar, ScalarType, Value, indexmap::IndexMap};
use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use sha2::{Digest, Sha256};

use super::{Code, Problem};

/// The mutations that take files, and the largest file of each in bytes. A request may bring a file only to a mutation
/// that stands here, and no more of it is kept in memory; a test holds the list against the schema.
const LARGEST: &[(&str, usize)] = &[
    ("pictureUpload", 1024 * 1024),
    ("ctiAgentImport", 1024 * 1024),
    ("importUpload", 20 * 1024 * 1024),
];

/// The largest file in bytes that a mutation takes; `None` for one that takes none.
pub fn largest_file(mutation: &str) -> Option<usize> {
    LARGEST
        .iter()
        .find(|(name, _)| *name == mutation)
        .map(|(_, bytes)| *bytes)
}

/// The mutations that take files.
pub fn mutations() -> impl Iterator<Item = &'static str> {
    LARGEST.iter().map(|(name, _)| *name)
}

/// A file of this request.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    name: String,
    content: Option<Bytes>,
}

impl Upload {
    /// A file with the name that its sender gave it; without content where that was more than the mutation takes.
    pub fn new(name: String, content: Option<Bytes>) -> Self {
        Self { name, content }
    }

    /// The name that its sender gave it, up to 255 characters in any script, without control characters. It is to be
    /// shown, and says nothing of what the file is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole content.
    ///
    /// # Errors
    /// `FILE_TOO_LARGE` at `path` where there was more than `most` bytes, or more than the mutation takes.
    pub fn content(&self, path: &str, most: usize) -> Result<&Bytes, Problem> {
        let content = self.content.as_ref().filter(|content| content.len() <= most);
        content.ok_or_else(|| Problem::at(path, Code::FileTooLarge).with("max", Size(most)))
    }

    /// As it stands in the variables. JSON has no bytes, so that no JSON can pass for a file.
    pub fn into_value(self) -> Value {
        let name = Value::Binary(self.name.into_bytes().into());
        let content = self.content.map_or(Value::Null, Value::Binary);
        let parts = [(Name::new("name"), name), (Name::new("content"), content)];
        Value::Object(IndexMap::from_iter(parts))
    }

    fn of_value(value: &Value) -> Option<Self> {
        let Value::Object(parts) = value else { return None };
        let Value::Binary(name) = parts.get("name")? else {
            return None;
        };
        let content = match parts.get("content")? {
            Value::Binary(content) => Some(content.clone()),
            Value::Null => None,
            _ => return None,
        };
        let name = String::from_utf8(name.to_vec()).ok()?;
        Some(Self { name, content })
    }
}

/// A file of this request, sent as `multipart/form-data` by the GraphQL multipart request specification: the parts `operations`, `map` and the files, in this order, under a header `GraphQL-Require-Preflight: 1`. In the variables its place is null, and a file has one place. At most 5 files a request; how large one may be, its field says.
#[Scalar(
    name = "Upload",
    specified_by_url = "https://github.com/jaydenseric/graphql-multipart-request-spec"
)]
impl ScalarType for Upload {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::of_value(&value)
            .ok_or_else(|| InputValueError::custom("an Upload is a file of a multipart request, named in its map"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::of_value(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::Null
    }
}

/// What a retry is compared by: the name, and what stands for the content.
impl Serialize for Upload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_struct("Upload", 2)?;
        parts.serialize_field("name", &self.name)?;
        let digest = self.content.as_ref().map(|content| Sha256::digest(content).to_vec());
        parts.serialize_field("sha256", &digest)?;
        parts.end()
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.content.as_ref().map(Bytes::len);
        f.debug_struct("Upload").field("bytes", &bytes).finish_non_exhaustive()
    }
}

/// A size in bytes, as people read it.
struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes % (1024 * 1024) == 0 => write!(f, "{} MiB", bytes / (1024 * 1024)),
            bytes if bytes % 1024 == 0 => write!(f, "{} KiB", bytes / 1024),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_survives_the_variables_and_no_json_is_one() {
        for content in [None, Some(Bytes::new()), Some(Bytes::from_static(b"\xff\0"))] {
            let file = Upload::new("로고.png".to_owned(), content);
            let value = file.clone().into_value();
            assert!(<Upload as ScalarType>::is_valid(&value));
            assert_eq!(<Upload as ScalarType>::parse(value).ok(), Some(file));
        }
        for json in [
            r#"null"#,
            r##""#__graphql_file__:0""##,
            r#"{}"#,
            r#"{"name":"x","content":null}"#,
            r#"{"name":[120],"content":[1]}"#,
        ] {
            let value = serde_json::from_str::<serde_json::Value>(json).ok();
            let value = value.and_then(|json| Value::from_json(json).ok()).unwrap_or_default();
            assert!(!<Upload as ScalarType>::is_valid(&value), "{json}");
            assert!(<Upload as ScalarType>::parse(value).is_err(), "{json}");
        }
    }

    #[test]
    fn too_much_content_is_told_with_its_limit_and_a_retry_is_known_by_its_content() {
        let file = |content: &'static [u8]| Upload::new("a".to_owned(), Some(Bytes::from_static(content)));
        assert_eq!(file(b"123").content("input.file", 3).map(Bytes::len), Ok(3));
        for refused in [file(b"1234"), Upload::new("a".to_owned(), None)] {
            let problem = refused.content("input.file", 3).err();
            assert_eq!(problem.map(|problem| problem.code), Some(Code::FileTooLarge));
        }
        let text = |file: Upload| serde_json::to_string(&file).ok();
        assert_eq!(text(file(b"123")), text(file(b"123")));
        assert_ne!(text(file(b"123")), text(file(b"124")));
        let sizes = [1_048_576, 2_048, 7].map(|bytes| Size(bytes).to_string());
        assert_eq!(sizes, ["1 MiB", "2 KiB", "7 bytes"]);
    }
}
