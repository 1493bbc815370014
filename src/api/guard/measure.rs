//! The size of a document with its fragments written out, from one visit of each fragment: the written-out document
//! itself may be exponential in the bytes that were sent.

use std::collections::HashMap;

use async_graphql::{
    ServerError,
    parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet},
};

use crate::api::codes::{RequestCode, request_error};

/// Deepest chain of fields, inline fragments and spreads; also what bounds the recursion of every later walk.
pub const MAX_NESTING: u32 = 64;

/// Lists of the introspection schema that may hold one another without end.
const INTROSPECTION_LISTS: [&str; 8] = [
    "types",
    "fields",
    "args",
    "inputFields",
    "interfaces",
    "possibleTypes",
    "enumValues",
    "directives",
];

/// What a selection set comes to. Sums saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Fields.
    pub fields: u64,
    /// Fields, inline fragments and spreads: spreads of nothing have no fields, but the validation walks them all the same.
    pub selections: u64,
    /// Fields with an alias.
    pub aliases: u64,
    /// Directives on anything.
    pub directives: u64,
    /// Fields on the longest way down.
    pub depth: u32,
    /// Selections on the longest way down.
    pub nesting: u32,
    /// Nested lists below an introspection field.
    pub introspected_lists: u32,
    /// Whether `__schema` or `__type` is selected.
    pub introspects: bool,
    lists: u32,
}

impl Measure {
    /// Puts another part of the same document beside this one.
    pub fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.selections = self.selections.saturating_add(other.selections);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
        self.introspected_lists = self.introspected_lists.max(other.introspected_lists);
        self.introspects |= other.introspects;
        self.lists = self.lists.max(other.lists);
    }

    fn within(mut self, field: &Field) -> Self {
        let name = field.name.node.as_str();
        self.fields = self.fields.saturating_add(1);
        self.aliases = self.aliases.saturating_add(u64::from(field.alias.is_some()));
        self.depth = self.depth.saturating_add(1);
        if matches!(name, "__schema" | "__type") {
            self.introspects = true;
            self.introspected_lists = self.introspected_lists.max(self.lists);
            self.lists = 0;
        } else if INTROSPECTION_LISTS.contains(&name) {
            self.lists = self.lists.saturating_add(1);
        }
        self
    }

    fn under(mut self, directives: usize) -> Self {
        self.selections = self.selections.saturating_add(1);
        self.nesting = self.nesting.saturating_add(1);
        self.directives = self
            .directives
            .saturating_add(u64::try_from(directives).unwrap_or(u64::MAX));
        self
    }
}

/// Measures parts of one document and remembers every fragment.
pub struct Measuring<'d> {
    document: &'d ExecutableDocument,
    known: HashMap<&'d str, Option<Measure>>,
    visits: usize,
}

impl<'d> Measuring<'d> {
    /// Begins with nothing known.
    #[must_use]
    pub fn new(document: &'d ExecutableDocument) -> Self {
        Self {
            document,
            known: HashMap::new(),
            visits: 0,
        }
    }

    /// Selections looked at so far: never more than the document has, whatever they come to written out.
    #[must_use]
    pub fn visits(&self) -> usize {
        self.visits
    }

    /// One operation with its directives and those of its variables.
    ///
    /// # Errors
    /// As [`Self::fragment`].
    pub fn operation(&mut self, operation: &'d OperationDefinition) -> Result<Measure, ServerError> {
        let mut measure = self.selections(&operation.selection_set.node, 0)?;
        let own = operation
            .variable_definitions
            .iter()
            .map(|variable| variable.node.directives.len());
        let own = own.sum::<usize>() + operation.directives.len();
        measure.directives = measure
            .directives
            .saturating_add(u64::try_from(own).unwrap_or(u64::MAX));
        Ok(measure)
    }

    /// One fragment, used or not. A name that the document does not define measures nothing: validation says so.
    ///
    /// # Errors
    /// `GRAPHQL_VALIDATION_FAILED` where a fragment spreads itself, `QUERY_TOO_COMPLEX` past [`MAX_NESTING`].
    pub fn fragment(&mut self, name: &'d str, level: u32) -> Result<Measure, ServerError> {
        match self.known.get(name) {
            Some(Some(measure)) => return Ok(*measure),
            Some(None) => {
                let message = "A fragment of the document spreads itself.";
                return Err(request_error(RequestCode::ValidationFailed, message, None));
            }
            None => {}
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Measure::default());
        };
        self.known.insert(name, None);
        let mut measure = self.selections(&fragment.node.selection_set.node, level)?;
        let own = u64::try_from(fragment.node.directives.len()).unwrap_or(u64::MAX);
        measure.directives = measure.directives.saturating_add(own);
        self.known.insert(name, Some(measure));
        Ok(measure)
    }

    fn selections(&mut self, set: &'d SelectionSet, level: u32) -> Result<Measure, ServerError> {
        if level > MAX_NESTING {
            return Err(too_deep());
        }
        let mut sum = Measure::default();
        for selection in &set.items {
            self.visits += 1;
            let part = match &selection.node {
                Selection::Field(field) => self
                    .selections(&field.node.selection_set.node, level + 1)?
                    .within(&field.node),
                Selection::InlineFragment(inline) => self.selections(&inline.node.selection_set.node, level + 1)?,
                Selection::FragmentSpread(spread) => {
                    self.fragment(spread.node.fragment_name.node.as_str(), level + 1)?
                }
            };
            sum.add(part.under(selection.node.directives().len()));
        }
        if sum.nesting > MAX_NESTING {
            return Err(too_deep());
        }
        Ok(sum)
    }
}

fn too_deep() -> ServerError {
    let message = format!("The document nests more than {MAX_NESTING} selections.");
    request_error(RequestCode::QueryTooComplex, message, None)
}
