//! Whether a place of an answer is one field's alone. What stands there twice is put together by the executor, which takes
//! trees.

use async_graphql::{
    ContextSelectionSet, QueryPathSegment,
    parser::types::{Field, Selection, SelectionSet},
};

/// Whether nothing else in the document answers to this place.
pub(super) fn stands_alone(context: &ContextSelectionSet<'_>) -> bool {
    let Some(here) = &context.path_node else { return false };
    let mut path: Vec<&str> = std::iter::once(here)
        .chain(here.parents())
        .filter_map(|node| match node.segment {
            QueryPathSegment::Name(name) => Some(name),
            QueryPathSegment::Index(_) => None,
        })
        .collect();
    let mut set = &context.query_env.operation.node.selection_set.node;
    while let Some(name) = path.pop() {
        let mut found = Vec::new();
        answering(context, set, name, &mut found);
        let [only] = found.as_slice() else { return false };
        set = &only.selection_set.node;
    }
    true
}

/// The fields of a selection that answer under a name, those of its fragments as well.
fn answering<'c>(context: &'c ContextSelectionSet<'_>, set: &'c SelectionSet, name: &str, found: &mut Vec<&'c Field>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) if field.node.response_key().node == name => found.push(&field.node),
            Selection::Field(_) => {}
            Selection::InlineFragment(inline) => answering(context, &inline.node.selection_set.node, name, found),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = context.query_env.fragments.get(&spread.node.fragment_name.node) {
                    answering(context, &fragment.node.selection_set.node, name, found);
                }
            }
        }
    }
}
