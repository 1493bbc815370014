//! The part `map`: which file belongs where in the variables. A file has one place and a place has one file, so that no
//! small form becomes a large request.

use async_graphql::{Value, Variables};
use bytes::Bytes;
use serde_json::Value as Json;

use super::bad;
use crate::{
    api::graphql_http::Refusal,
    kernel::{json::Foreign, upload::Upload},
};

/// Most files of one request.
pub const MAX_FILES: usize = 5;
/// Most steps from the variables to a file.
const MAX_STEPS: usize = 8;

/// The places that wait for their files.
#[derive(Debug)]
pub struct Places(Vec<Place>);

/// Where a file belongs.
#[derive(Debug)]
pub(super) struct Place {
    part: String,
    path: Vec<String>,
}

impl Places {
    /// Reads the map, and marks its places in the variables, so that whoever looks at them knows that something will be
    /// there.
    ///
    /// # Errors
    /// 400 for a map that names no files or too many, a file with other than one place, or a place that is not a null in
    /// the variables.
    pub fn mark(map: &[u8], variables: &mut Variables) -> Result<Self, Refusal> {
        let Ok(Foreign(Json::Object(map))) = serde_json::from_slice(map) else {
            return Err(bad("The part map must be one JSON object of lists of paths."));
        };
        if map.is_empty() || map.len() > MAX_FILES {
            return Err(bad(format!("The part map must name 1 to {MAX_FILES} files.")));
        }
        let mut places = Vec::new();
        for (part, paths) in map {
            let [Json::String(path)] = paths.as_array().map(Vec::as_slice).unwrap_or_default() else {
                return Err(bad("The part map must give each file a list of one path."));
            };
            let path = path.strip_prefix("variables.").unwrap_or_default();
            let place = Place {
                part,
                path: path.split('.').take(MAX_STEPS).map(str::to_owned).collect(),
            };
            place.claim(variables)?;
            places.push(place);
        }
        Ok(Self(places))
    }

    /// The place of the file in this part; each is given once.
    pub(super) fn take(&mut self, part: &str) -> Option<Place> {
        let at = self.0.iter().position(|place| place.part == part)?;
        Some(self.0.swap_remove(at))
    }

    /// Whether every place was taken.
    pub(super) fn are_filled(&self) -> bool {
        self.0.is_empty()
    }
}

impl Place {
    fn claim(&self, variables: &mut Variables) -> Result<(), Refusal> {
        match self.find(variables) {
            Some(place @ Value::Null) => {
                *place = Upload::new(String::new(), Some(Bytes::new())).into_value();
                Ok(())
            }
            _ => Err(nowhere()),
        }
    }

    /// Puts a file where it belongs.
    pub(super) fn put(self, variables: &mut Variables, file: Value) -> Result<(), Refusal> {
        *self.find(variables).ok_or_else(nowhere)? = file;
        Ok(())
    }

    fn find<'v>(&self, variables: &'v mut Variables) -> Option<&'v mut Value> {
        let (first, others) = self.path.split_first()?;
        others
            .iter()
            .try_fold(variables.get_mut(first.as_str())?, |value, step| match value {
                Value::Object(members) => members.get_mut(step.as_str()),
                Value::List(items) => items.get_mut(step.parse::<usize>().ok()?),
                _ => None,
            })
    }
}

fn nowhere() -> Refusal {
    bad("The part map names a place that is not a null in the variables, such as variables.input.file.")
}
