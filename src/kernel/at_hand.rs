//! Lists of objects whose fields are at hand. The executor makes a future of every field of every object and a tree of every
//! value, which costs more than the rest of a large answer; here a selection is looked through once and each object is
//! written by it, as JSON. What can't be read from the objects alone is left to the executor: both give the same answer,
//! which `tests/it/at_hand.rs` compares.

use std::{borrow::Cow, ops::Deref};

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, QueryPathSegment, ScalarType, ServerResult, Value,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
    resolver_utils::EnumType,
};
use serde::Serialize;

/// How a field of an object is written: its value as JSON, to the end of a text.
pub type Write<T> = Box<dyn Fn(&T, &mut Vec<u8>) + Send + Sync>;

/// An object with fields that are at hand.
pub trait AtHand: OutputType + Sized + 'static {
    /// How the field is written, of whose own fields those of `selection` are asked for. `None` for a field that takes more
    /// than the object.
    fn write(field: &str, selection: &SelectionSet) -> Option<Write<Self>>;
}

/// A scalar.
pub fn scalar<T: 'static, V: ScalarType + 'static>(get: fn(&T) -> &V) -> Option<Write<T>> {
    Some(Box::new(move |object, out| json(&get(object).to_value(), out)))
}

/// A scalar that can be null.
pub fn scalar_or_null<T: 'static, V: ScalarType + 'static>(get: fn(&T) -> Option<&V>) -> Option<Write<T>> {
    Some(Box::new(move |object, out| {
        json(&get(object).map(ScalarType::to_value), out);
    }))
}

/// A text.
pub fn text<T: 'static>(get: fn(&T) -> &str) -> Option<Write<T>> {
    Some(Box::new(move |object, out| json(get(object), out)))
}

/// A text that can be null.
pub fn text_or_null<T: 'static>(get: fn(&T) -> Option<&str>) -> Option<Write<T>> {
    Some(Box::new(move |object, out| json(&get(object), out)))
}

/// A text that is made of the object.
pub fn made_text<T: 'static>(make: fn(&T) -> String) -> Option<Write<T>> {
    Some(Box::new(move |object, out| json(&make(object), out)))
}

/// A value of an enumeration.
pub fn choice<T: 'static, V: EnumType + 'static>(get: fn(&T) -> V) -> Option<Write<T>> {
    Some(Box::new(move |object, out| json(name(get(object)), out)))
}

/// A value of an enumeration that can be null.
pub fn choice_or_null<T: 'static, V: EnumType + 'static>(get: fn(&T) -> Option<V>) -> Option<Write<T>> {
    Some(Box::new(move |object, out| json(&get(object).map(name), out)))
}

/// An object in the object.
pub fn object<T: 'static, V: AtHand>(selection: &SelectionSet, get: fn(&T) -> &V) -> Option<Write<T>> {
    let plan = Plan::of(selection)?;
    Some(Box::new(move |object, out| plan.write(get(object), out)))
}

/// An object that is made of the object; null where there is none.
pub fn made<T: 'static, V: AtHand>(selection: &SelectionSet, make: fn(&T) -> Option<V>) -> Option<Write<T>> {
    let plan = Plan::of(selection)?;
    Some(Box::new(move |object, out| match make(object) {
        Some(made) => plan.write(&made, out),
        None => json(&(), out),
    }))
}

/// A list of objects in the object.
pub fn list<T: 'static, V: AtHand>(selection: &SelectionSet, get: fn(&T) -> &[V]) -> Option<Write<T>> {
    let plan = Plan::of(selection)?;
    Some(Box::new(move |object, out| plan.write_all(get(object), out)))
}

/// Adds a value. No scalar refuses to be written; if one did, null would stand in its place.
fn json<V: Serialize + ?Sized>(value: &V, out: &mut Vec<u8>) {
    let before = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, value) {
        tracing::error!(%error, "a value could not be written");
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

fn name<V: EnumType>(value: V) -> &'static str {
    let item = V::items().iter().find(|item| item.value == value);
    item.map_or("", |item| item.name)
}

/// What a selection asks of each object: what stands before each value, and how the value is written.
struct Plan<T>(Vec<(Vec<u8>, Write<T>)>);

impl<T: AtHand> Plan<T> {
    /// `None` where a part of the selection is left to the executor: fragments and directives, which it knows better; and
    /// fields of one name, which it puts together.
    fn of(selection: &SelectionSet) -> Option<Self> {
        let mut names: Vec<&Name> = Vec::with_capacity(selection.items.len());
        let mut writes: Vec<(Vec<u8>, Write<T>)> = Vec::with_capacity(selection.items.len());
        for item in &selection.items {
            let Selection::Field(field) = &item.node else {
                return None;
            };
            let field = &field.node;
            let name = &field.response_key().node;
            let is_plain = field.directives.is_empty() && field.arguments.is_empty();
            if !is_plain || names.contains(&name) {
                return None;
            }
            let write = match field.name.node.as_str() {
                "__typename" => Box::new(|_: &T, out: &mut Vec<u8>| json(T::type_name().as_ref(), out)),
                known => T::write(known, &field.selection_set.node)?,
            };
            let before = if names.is_empty() { '{' } else { ',' };
            writes.push((format!("{before}\"{name}\":").into_bytes(), write));
            names.push(name);
        }
        (!writes.is_empty()).then_some(Self(writes))
    }

    fn write(&self, object: &T, out: &mut Vec<u8>) {
        for (before, write) in &self.0 {
            out.extend_from_slice(before);
            write(object, out);
        }
        out.push(b'}');
    }

    fn write_all<'o>(&self, objects: impl IntoIterator<Item = &'o T>, out: &mut Vec<u8>) {
        let mut before = b'[';
        for object in objects {
            out.push(before);
            self.write(object, out);
            before = b',';
        }
        if before == b'[' {
            out.push(b'[');
        }
        out.push(b']');
    }
}

/// A value of an answer that is written already, as JSON. The schema has no binary scalar, so no other output is binary.
fn written(text: Vec<u8>) -> Value {
    debug_assert!(
        serde_json::from_slice::<serde::de::IgnoredAny>(&text).is_ok(),
        "this is no JSON"
    );
    Value::Binary(text.into())
}

/// The text of a value that is written already.
pub(crate) fn text_of(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Binary(text) => Some(text),
        _ => None,
    }
}

/// Whether nothing else in the document answers to this place. The executor puts together what does, which takes trees.
fn stands_alone(context: &ContextSelectionSet<'_>) -> bool {
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

/// The objects as the selection asks for them, where that can be written from them alone.
fn all_written<'o, T: AtHand>(
    context: &ContextSelectionSet<'_>,
    objects: impl IntoIterator<Item = &'o T>,
) -> Option<Value> {
    let plan = Plan::of(&context.item.node).filter(|_| stands_alone(context))?;
    let mut out = Vec::new();
    plan.write_all(objects, &mut out);
    Some(written(out))
}

/// A list of objects with fields at hand; in the schema, a list like any other.
#[derive(Clone, Debug)]
pub struct AllAtHand<T>(pub Vec<T>);

/// The same of objects that are somebody else's.
#[derive(Clone, Debug)]
pub struct EachAtHand<'o, T>(pub Vec<&'o T>);

impl<T> Deref for AllAtHand<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> FromIterator<T> for AllAtHand<T> {
    fn from_iter<I: IntoIterator<Item = T>>(objects: I) -> Self {
        Self(objects.into_iter().collect())
    }
}

impl<'o, T> FromIterator<&'o T> for EachAtHand<'o, T> {
    fn from_iter<I: IntoIterator<Item = &'o T>>(objects: I) -> Self {
        Self(objects.into_iter().collect())
    }
}

impl<T: AtHand> OutputType for AllAtHand<T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match all_written(context, &self.0) {
            Some(written) => Ok(written),
            None => Box::pin(self.0.resolve(context, field)).await,
        }
    }
}

impl<T: AtHand> OutputType for EachAtHand<'_, T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match all_written(context, self.0.iter().copied()) {
            Some(written) => Ok(written),
            None => Box::pin(self.0.resolve(context, field)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};

    use super::*;

    #[derive(SimpleObject)]
    struct Item {
        number: i32,
        far: i32,
    }

    impl AtHand for Item {
        fn write(field: &str, _: &SelectionSet) -> Option<Write<Self>> {
            match field {
                "number" => scalar(|item: &Self| &item.number),
                _ => None,
            }
        }
    }

    struct Query;

    #[Object]
    impl Query {
        async fn items(&self) -> AllAtHand<Item> {
            [1, 2].into_iter().map(|number| Item { number, far: 0 }).collect()
        }
    }

    #[tokio::test]
    async fn p5_what_is_at_hand_is_written_and_what_is_not_or_stands_twice_is_left_to_the_executor() {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        for (document, is_written) in [
            ("{ items { number } }", true),
            ("{ items { a: number b: number __typename } }", true),
            ("{ items { number number } }", false),
            ("{ items { number far } }", false),
            // The executor looks at these before it begins.
            ("{ items { number far @skip(if: true) } }", true),
            ("{ items { ... on Item { number } } }", false),
            ("{ items { number } items { number } }", false),
            ("{ items { number } ... on Query { items { far } } }", false),
            ("{ items { number } other: items { number } }", true),
            ("query { ...F } fragment F on Query { items { number } }", true),
        ] {
            let answer = schema.execute(document).await;
            assert!(answer.errors.is_empty(), "{document}: {:?}", answer.errors);
            let Value::Object(data) = answer.data else {
                panic!("{document}")
            };
            assert_eq!(text_of(&data["items"]).is_some(), is_written, "{document}");
        }
    }
}
