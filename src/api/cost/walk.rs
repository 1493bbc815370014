//! Adds up an operation: each fragment is visited once, and what it costs an instance is remembered.

use std::collections::HashMap;

use async_graphql::{
    Value, Variables,
    parser::types::{
        ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet, TypeCondition,
    },
};

use super::{
    CONNECTION_COST, INTROSPECTED_OBJECTS_A_POINT, MUTATION_COST, TOTAL_COUNT_COST,
    table::{CostTable, Weight},
};

/// What a selection set costs an instance. Only those on a connection have something by item of its page.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    once: u64,
    an_item: u64,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.once = self.once.saturating_add(other.once);
        self.an_item = self.an_item.saturating_add(other.an_item);
    }
}

struct Walk<'d> {
    table: &'d CostTable,
    document: &'d ExecutableDocument,
    variables: &'d Variables,
    known: HashMap<&'d str, Cost>,
}

/// The cost of one operation; saturating, so a hostile page size costs `u64::MAX` at the most.
pub(super) fn cost(
    table: &CostTable,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> u64 {
    let mut walk = Walk {
        table,
        document,
        variables,
        known: HashMap::new(),
    };
    let root = match operation.ty {
        OperationType::Query => &table.query,
        OperationType::Mutation => &table.mutation,
        OperationType::Subscription => &table.subscription,
    };
    walk.selections(root, &operation.selection_set.node).once
}

impl<'d> Walk<'d> {
    fn selections(&mut self, owner: &'d str, set: &'d SelectionSet) -> Cost {
        let mut sum = Cost::default();
        for selection in &set.items {
            sum.add(match &selection.node {
                Selection::Field(field) => self.field(owner, &field.node),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref().map(|condition| &condition.node);
                    self.selections(conditioned(owner, condition), &inline.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => self.fragment(spread.node.fragment_name.node.as_str()),
            });
        }
        sum
    }

    fn fragment(&mut self, name: &'d str) -> Cost {
        if let Some(cost) = self.known.get(name) {
            return *cost;
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Cost::default();
        };
        // Stands in while the fragment is visited, so that a cycle ends here even without the guard.
        self.known.insert(name, Cost::default());
        let owner = fragment.node.type_condition.node.on.node.as_str();
        let cost = self.selections(owner, &fragment.node.selection_set.node);
        self.known.insert(name, cost);
        cost
    }

    fn field(&mut self, owner: &'d str, field: &'d Field) -> Cost {
        let Some(weight) = self.table.weight(owner, field.name.node.as_str()) else {
            return Cost::default();
        };
        let set = &field.selection_set.node;
        let once = match weight {
            Weight::Nothing => 0,
            Weight::TotalCount => TOTAL_COUNT_COST,
            Weight::Mutation { of } => MUTATION_COST.saturating_add(self.selections(of, set).once),
            Weight::Objects {
                of,
                own,
                times,
                counted_by,
            } => {
                let each = own.saturating_add(self.selections(of, set).once);
                let given = counted_by
                    .as_deref()
                    .and_then(|argument| self.argument(field, argument, length));
                given.unwrap_or(*times).saturating_mul(each)
            }
            Weight::Connection { of, page } => {
                let below = self.selections(of, set);
                let (first, last) = (self.argument(field, "first", size), self.argument(field, "last", size));
                let page = first.max(last).unwrap_or(*page);
                CONNECTION_COST
                    .saturating_add(page.saturating_mul(below.an_item))
                    .saturating_add(below.once)
            }
            Weight::Items { of, own } => {
                let an_item = self.selections(of, set).once.saturating_add(*own);
                return Cost { once: 0, an_item };
            }
            Weight::Introspection { of } => self
                .selections(of, set)
                .once
                .saturating_add(1)
                .div_ceil(INTROSPECTED_OBJECTS_A_POINT),
        };
        Cost { once, an_item: 0 }
    }

    /// Reads an argument that is written out or a variable. A literal is turned into a constant to be looked at, its
    /// variables into null: what comes out null after naming one was that variable itself, which is never copied.
    fn argument(&self, field: &Field, name: &str, read: fn(&Value) -> Option<u64>) -> Option<u64> {
        let mut variable = None;
        let literal = field.get_argument(name)?.node.clone().into_const_with(|name| {
            variable = Some(name);
            Ok::<_, std::convert::Infallible>(Value::Null)
        });
        match (literal, variable) {
            (Ok(Value::Null), Some(variable)) => read(self.variables.get(&variable)?),
            (Ok(literal), _) => read(&literal),
        }
    }
}

/// The size of a page. A negative one is none; its resolver refuses it.
fn size(value: &Value) -> Option<u64> {
    match value {
        Value::Number(size) => size.as_u64().or_else(|| size.as_i64().map(|_| 0)).or(Some(u64::MAX)),
        _ => None,
    }
}

/// The length of a list; one value stands for a list of one.
fn length(value: &Value) -> Option<u64> {
    match value {
        Value::List(items) => u64::try_from(items.len()).ok(),
        Value::Null => None,
        _ => Some(1),
    }
}

fn conditioned<'d>(owner: &'d str, condition: Option<&'d TypeCondition>) -> &'d str {
    condition.map_or(owner, |condition| condition.on.node.as_str())
}
