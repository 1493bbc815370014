//! The static cost of an operation, known before execution from the schema's own text: scalars cost nothing, an object 1,
//! a connection 2 and its page times its node, a mutation 10. Counted against one limit per request, and
//! against the caller's bucket.

mod bucket;
mod meter;
mod table;
mod walk;

#[cfg(test)]
mod tests;

use async_graphql::{
    ServerError, Value, Variables,
    parser::types::{ExecutableDocument, OperationDefinition},
    value,
};

pub use self::{
    bucket::{Buckets, Taker, Throttle},
    meter::Meter,
    table::CostTable,
};
use crate::api::codes::{RequestCode, request_error};

/// Most that one request may cost (decisions, "Limits").
pub const MAXIMUM_QUERY_COST: u64 = 5_000;
/// What a mutation costs besides what is selected of its payload.
pub const MUTATION_COST: u64 = 10;
/// What a connection costs besides its page.
pub const CONNECTION_COST: u64 = 2;
/// What counting all of a connection costs.
pub const TOTAL_COUNT_COST: u64 = 10;
/// The page of a connection that names neither `first` nor `last`, unless the schema has a default.
pub const DEFAULT_PAGE: u64 = 20;
/// Items that a plain list is taken to have; "at most N" in its description makes it fewer.
pub const ASSUMED_ITEMS: u64 = 10;
/// Objects of the introspection schema for one point: they come from memory.
pub const INTROSPECTED_OBJECTS_A_POINT: u64 = 20;
/// Largest cost that is told, so that it fits a GraphQL Int.
const LARGEST_TOLD: u64 = 2_147_483_647;

/// The cost of an operation within the limit.
///
/// The document must have passed [`crate::api::guard::check`] and the variables [`crate::api::guard::complete`].
///
/// # Errors
/// `QUERY_TOO_COMPLEX` with both numbers in the text and in the extensions.
pub fn charge(
    table: &CostTable,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<u64, ServerError> {
    let requested = walk::cost(table, document, operation, variables).min(LARGEST_TOLD);
    if requested <= MAXIMUM_QUERY_COST {
        return Ok(requested);
    }
    let message = format!("The operation costs {requested} points; a request may cost {MAXIMUM_QUERY_COST}.");
    let mut error = request_error(RequestCode::QueryTooComplex, message, None);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("requestedQueryCost", requested);
    extensions.set("maximumQueryCost", MAXIMUM_QUERY_COST);
    Err(error)
}

/// `extensions.cost` of an answer: what was asked for and what was taken, which is the same, since nothing is given back of what
/// is known before; with how the caller's bucket stands, where he has one.
#[must_use]
pub fn told(requested: u64, throttle: Option<Throttle>) -> Value {
    let Some(Throttle {
        maximum,
        available,
        restore_rate,
    }) = throttle
    else {
        return value!({
            "requestedQueryCost": requested,
            "actualQueryCost": requested,
            "maximumQueryCost": MAXIMUM_QUERY_COST,
        });
    };
    value!({
        "requestedQueryCost": requested,
        "actualQueryCost": requested,
        "maximumQueryCost": MAXIMUM_QUERY_COST,
        "throttleStatus": {
            "maximumAvailable": maximum,
            "currentlyAvailable": available,
            "restoreRate": restore_rate,
        },
    })
}
