//! The document guard: limits that fragments cannot slip past, checked on the parsed document before validation and
//! before any of the executor's own walks, which follow spreads without memory. For HTTP and WebSocket alike.

mod known;
mod measure;
mod scan;
mod variables;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use async_graphql::{
    ServerError,
    parser::types::{
        DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
    },
};

pub use self::{
    known::Documents,
    measure::{MAX_NESTING, Measure, Measuring},
    scan::{MAX_BRACKETS, MAX_DOCUMENT_BYTES, MAX_MESSAGE, MAX_NAME_BYTES, MAX_TOKENS, parse, scan},
    variables::complete,
};
use crate::api::codes::{RequestCode, request_error};

/// Most operations and fragments together.
pub const MAX_DEFINITIONS: usize = 100;
/// Most fragments: a Relay page has one a component.
pub const MAX_FRAGMENTS: usize = 60;
/// Most fields of all operations, fragments written out.
pub const MAX_FIELDS: u64 = 2_000;
/// Most fields, inline fragments and spreads of all operations, fragments written out.
pub const MAX_SELECTIONS: u64 = 4_000;
/// Most aliases, fragments written out.
pub const MAX_ALIASES: u64 = 30;
/// Most directives, fragments written out.
pub const MAX_DIRECTIVES: u64 = 50;
/// Most fields on one way down; the standard introspection query has exactly these.
pub const MAX_DEPTH: u32 = 15;
/// Most nested lists below `__schema` or `__type`; the standard introspection query has types, fields, args.
pub const MAX_INTROSPECTED_LISTS: u32 = 3;
/// Most root fields of one mutation.
pub const MAX_MUTATION_FIELDS: usize = 10;
/// Mutations that try a secret. More than one a document would multiply the tries that are counted by request.
pub const CREDENTIAL_MUTATIONS: [&str; 11] = [
    "sessionStart",
    "sessionExchange",
    "sessionConfirm",
    "sessionRefresh",
    "passwordChange",
    "passwordResetRequest",
    "passwordReset",
    "secondFactorActivate",
    "secondFactorRemove",
    "recoveryCodesRenew",
    "invitationAccept",
];

/// Queries whose answers are the same for everybody.
pub const PUBLIC_QUERIES: [&str; 1] = ["helpCenterFooter"];

/// What the guard found in a document that it lets pass.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'d> {
    /// The operation to execute.
    pub operation: &'d OperationDefinition,
    /// Whether any part of the document, executed or not, selects `__schema` or `__type`.
    pub introspects: bool,
    /// Whether the operation reads nothing but what anybody may read, so that its answer may be kept.
    pub is_public: bool,
}

/// Checks every definition of the document, not only what `operation_name` chooses: the validation walks them all.
///
/// # Errors
/// `QUERY_TOO_COMPLEX` past a limit, `GRAPHQL_VALIDATION_FAILED` for a fragment that spreads itself or a mutation that
/// would run twice under one key, `OPERATION_RESOLUTION_FAILURE` where no operation can be chosen.
pub fn check<'d>(document: &'d ExecutableDocument, operation_name: Option<&str>) -> Result<Checked<'d>, ServerError> {
    if document.operations.iter().len() + document.fragments.len() > MAX_DEFINITIONS {
        return Err(more_than(MAX_DEFINITIONS, "definitions"));
    }
    if document.fragments.len() > MAX_FRAGMENTS {
        return Err(more_than(MAX_FRAGMENTS, "fragments"));
    }
    let mut measuring = Measuring::new(document);
    let mut introspects = false;
    for name in document.fragments.keys() {
        let measure = measuring.fragment(name.as_str(), 0)?;
        introspects |= measure.introspects;
        within_limits(&measure)?;
    }
    let mut total = Measure::default();
    for (_, operation) in document.operations.iter() {
        total.add(measuring.operation(&operation.node)?);
        within_limits(&total)?;
    }
    for (_, operation) in document.operations.iter() {
        if operation.node.ty == OperationType::Mutation {
            check_mutation(document, &operation.node)?;
        }
    }
    check_credentials(document)?;
    let operation = chosen(document, operation_name)?;
    Ok(Checked {
        operation,
        introspects: introspects || total.introspects,
        is_public: is_public(document, operation),
    })
}

/// Whether the operation reads nothing but what anybody may read.
fn is_public(document: &ExecutableDocument, operation: &OperationDefinition) -> bool {
    let (mut public, mut other) = (0_usize, 0_usize);
    each_root_field(document, &operation.selection_set.node, &mut |_, name| {
        if PUBLIC_QUERIES.contains(&name) {
            public += 1;
        } else {
            other += 1;
        }
    });
    operation.ty == OperationType::Query && public > 0 && other == 0
}

/// The root fields of a mutation by name, fragments written out; none for what is no mutation.
pub fn mutations(document: &ExecutableDocument, operation: &OperationDefinition) -> Vec<String> {
    let mut names = Vec::new();
    if operation.ty == OperationType::Mutation {
        each_root_field(document, &operation.selection_set.node, &mut |_, name| {
            names.push(name.to_owned());
        });
    }
    names
}

/// The different root fields of an operation by name, fragments written out, in their order.
pub fn root_names(document: &ExecutableDocument, operation: &OperationDefinition) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    each_root_field(document, &operation.selection_set.node, &mut |_, name| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    });
    names
}

/// How many root fields an operation selects, fragments written out.
pub fn root_fields(document: &ExecutableDocument, operation: &OperationDefinition) -> usize {
    let mut count = 0;
    each_root_field(document, &operation.selection_set.node, &mut |_, _| count += 1);
    count
}

fn within_limits(measure: &Measure) -> Result<(), ServerError> {
    for (count, limit, what) in [
        (measure.fields, MAX_FIELDS, "fields, its fragments written out"),
        (
            measure.selections,
            MAX_SELECTIONS,
            "selections, its fragments written out",
        ),
        (measure.aliases, MAX_ALIASES, "aliases, its fragments written out"),
        (
            measure.directives,
            MAX_DIRECTIVES,
            "directives, its fragments written out",
        ),
        (measure.depth.into(), MAX_DEPTH.into(), "levels of fields"),
        (
            measure.introspected_lists.into(),
            MAX_INTROSPECTED_LISTS.into(),
            "nested lists of introspection",
        ),
    ] {
        if count > limit {
            return Err(more_than(limit, what));
        }
    }
    Ok(())
}

/// Root fields of a mutation run one after the other, and the executor runs a key that stands there twice, two times.
fn check_mutation(document: &ExecutableDocument, operation: &OperationDefinition) -> Result<(), ServerError> {
    let mut keys = HashSet::new();
    let mut outcome = Ok(());
    each_root_field(document, &operation.selection_set.node, &mut |key, _| {
        if !keys.insert(key.to_owned()) {
            let message = "A mutation selects the same root field twice; give each its own alias.";
            outcome = Err(request_error(RequestCode::ValidationFailed, message, None));
        }
    });
    outcome?;
    if keys.len() > MAX_MUTATION_FIELDS {
        return Err(more_than(MAX_MUTATION_FIELDS, "root fields in a mutation"));
    }
    Ok(())
}

fn check_credentials(document: &ExecutableDocument) -> Result<(), ServerError> {
    let mut found = 0_usize;
    for (_, operation) in document.operations.iter() {
        if operation.node.ty == OperationType::Mutation {
            each_root_field(document, &operation.node.selection_set.node, &mut |_, name| {
                found += usize::from(CREDENTIAL_MUTATIONS.contains(&name));
            });
        }
    }
    if found > 1 {
        Err(more_than(1, "mutation that signs in or confirms"))
    } else {
        Ok(())
    }
}

/// Calls with response key and name of each root field, fragments written out: at most [`MAX_SELECTIONS`] steps, since
/// the measure was checked before. `__typename` is left out, it does nothing.
fn each_root_field(document: &ExecutableDocument, set: &SelectionSet, found: &mut impl FnMut(&str, &str)) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                if !name.starts_with("__") {
                    found(field.node.response_key().node.as_str(), name);
                }
            }
            Selection::InlineFragment(inline) => each_root_field(document, &inline.node.selection_set.node, found),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    each_root_field(document, &fragment.node.selection_set.node, found);
                }
            }
        }
    }
}

/// The parser keeps even a single operation that has a name under [`DocumentOperations::Multiple`].
fn chosen<'d>(document: &'d ExecutableDocument, name: Option<&str>) -> Result<&'d OperationDefinition, ServerError> {
    let absent = "The document has no operation of the name that operationName gives.";
    let unresolved = |message: &str| request_error(RequestCode::OperationResolutionFailure, message, None);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Single(_), Some(_)) => Err(unresolved(absent)),
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name)
            .map(|operation| &operation.node)
            .ok_or_else(|| unresolved(absent)),
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.values();
            match (all.next(), all.next()) {
                (Some(only), None) => Ok(&only.node),
                _ => Err(unresolved(
                    "The document has several operations: choose one with operationName.",
                )),
            }
        }
    }
}

fn more_than(limit: impl std::fmt::Display, what: &str) -> ServerError {
    let message = format!("The document has more than {limit} {what}.");
    request_error(RequestCode::QueryTooComplex, message, None)
}
