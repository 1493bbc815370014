//! What a trace says of an operation. Clients choose names of operations and aliases, which may hold anything: an operation's
//! name is told where it is one of the service's own examples, and a root field where the schema has it.

use std::{collections::HashSet, sync::LazyLock};

use async_graphql::parser::types::{ExecutableDocument, OperationType};

use super::{cost::CostTable, guard, playground::OPERATIONS};
use crate::kernel::trace;

/// Most root fields that are told of one operation.
const MOST_FIELDS: usize = 10;

/// The names in `docs/operations`.
static NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = OPERATIONS.iter().flat_map(|operation| operation.text.lines());
    lines.filter_map(name_in).collect()
});

/// The name of the operation that begins on a line.
fn name_in(line: &'static str) -> Option<&'static str> {
    let rest = ["query ", "mutation ", "subscription "]
        .iter()
        .find_map(|kind| line.strip_prefix(kind))?;
    let name = rest.split(|letter: char| !letter.is_ascii_alphanumeric()).next()?;
    (!name.is_empty()).then_some(name)
}

/// Tells the trace of what is under way, where there is one, which operation it is.
pub(super) fn tell(table: &CostTable, document: &ExecutableDocument, chosen: Option<&str>) {
    let Some(span) = trace::current() else { return };
    let mut operations = document.operations.iter();
    let found = operations.find(|(name, _)| chosen.is_none() || name.map(|name| name.as_str()) == chosen);
    let Some((name, operation)) = found else { return };
    let operation = &operation.node;
    let kind = match operation.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let name = name.and_then(|name| NAMES.get(name.as_str()).copied());
    let mut fields = guard::root_names(document, operation);
    fields.retain(|field| table.has_root(operation.ty, field));
    fields.truncate(MOST_FIELDS);
    span.operation(kind, name, fields);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p3_the_names_of_the_examples_are_known() {
        assert!(NAMES.contains("ServiceList") && NAMES.contains("MemberSearch"));
        assert!(
            NAMES.len() * 10 >= OPERATIONS.len() * 9,
            "{} of {}",
            NAMES.len(),
            OPERATIONS.len()
        );
    }
}
