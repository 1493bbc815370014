//! Lists of objects whose fields are at hand. The executor makes a future of every field of every object and a tree of every
//! value, which costs more than the rest of a large answer; here a selection is looked through once, what the objects refer
//! to is fetched for all of them at once, and each object is written as JSON. What can't be written so is left to the
//! executor: both give the same answer, which `tests/it/at_hand.rs` and `at_hand_list.rs` compare.

mod alone;
mod field;

use std::{
    borrow::{Borrow, Cow},
    marker::PhantomData,
    ops::Deref,
    sync::Arc,
};

use async_graphql::{
    ContextSelectionSet, InputType, Name, OutputType, Positioned, ServerResult, Value,
    parser::types::{Field, Selection},
    registry::Registry,
};
use futures_util::future::try_join_all;

pub use field::{
    Way, choice, choice_or_null, choices, fetched, list, made, made_list, made_text, object, plain, reference, scalar,
    scalar_or_null, shown, text, text_or_null,
};
use field::{Write, json};

use super::{Caller, Error, Result};

/// An object with fields that are at hand.
pub trait AtHand: OutputType + Sized + 'static {
    /// How a field without arguments is written. `None` for one that is left to the executor.
    fn write(field: &str, asked: &Asked<'_>) -> Option<Way<Self>>;

    /// The same for a field with arguments.
    fn write_with(_field: &str, _asked: &Asked<'_>) -> Option<Way<Self>> {
        None
    }
}

/// What is asked of a field, by whom.
pub struct Asked<'a> {
    context: &'a ContextSelectionSet<'a>,
    selection: &'a [Positioned<Selection>],
    field: Option<&'a Positioned<Field>>,
}

impl<'a> Asked<'a> {
    /// Of a list, by the executor.
    fn by(context: &'a ContextSelectionSet<'a>) -> Self {
        Self {
            context,
            selection: &context.item.node.items,
            field: None,
        }
    }

    /// Of one of the fields that are asked for.
    fn of<'b>(&'b self, field: &'b Positioned<Field>) -> Asked<'b> {
        Asked {
            context: self.context,
            selection: &field.node.selection_set.node.items,
            field: Some(field),
        }
    }

    /// Who asks.
    pub fn caller(&self) -> &'a Arc<Caller> {
        self.context.data_unchecked()
    }

    /// An argument that has no default and no rules beside its type; `None` for what the executor will refuse.
    pub fn argument<V: InputType>(&self, name: &str) -> Option<V> {
        let context = self.context.with_field(self.field?);
        context.param_value(name, None).ok().map(|(_, value)| value)
    }
}

/// What is asked of each object: what stands before each value, and how the value comes to be written.
struct Plan<T>(Vec<(Vec<u8>, Way<T>)>);

impl<T: AtHand> Plan<T> {
    /// `None` where a part of what is asked is left to the executor: fragments and directives, which it knows better; and
    /// fields of one name, which it puts together.
    fn of(asked: &Asked<'_>) -> Option<Self> {
        let mut names: Vec<&Name> = Vec::with_capacity(asked.selection.len());
        let mut ways: Vec<(Vec<u8>, Way<T>)> = Vec::with_capacity(asked.selection.len());
        for item in asked.selection {
            let Selection::Field(field) = &item.node else {
                return None;
            };
            let name = &field.node.response_key().node;
            if !field.node.directives.is_empty() || names.contains(&name) {
                return None;
            }
            let way = match field.node.name.node.as_str() {
                "__typename" => Way::Own(Box::new(|_, out| json(T::type_name().as_ref(), out))),
                known if field.node.arguments.is_empty() => T::write(known, &asked.of(field))?,
                known => T::write_with(known, &asked.of(field))?,
            };
            let before = if names.is_empty() { '{' } else { ',' };
            ways.push((format!("{before}\"{name}\":").into_bytes(), way));
            names.push(name);
        }
        (!ways.is_empty()).then_some(Self(ways))
    }

    /// Where nothing has to be fetched; the plan itself where something has.
    fn at_once(self) -> std::result::Result<Ready<T>, Self> {
        if self.0.iter().any(|(_, way)| matches!(way, Way::Far(_))) {
            return Err(self);
        }
        let own = |(before, way)| match way {
            Way::Own(write) => Some((before, write)),
            Way::Far(_) => None,
        };
        Ok(Ready(self.0.into_iter().filter_map(own).collect()))
    }

    /// Fetches what these objects refer to, all of it beside each other.
    ///
    /// # Errors
    /// If the caller may not see some of it, or it can't be fetched.
    async fn ready(self, objects: Vec<&T>) -> Result<Ready<T>> {
        let fetched = self.0.into_iter().map(|(before, way)| {
            let objects = objects.clone();
            async move {
                Ok((
                    before,
                    match way {
                        Way::Own(write) => write,
                        Way::Far(fetch) => fetch(objects).await?,
                    },
                ))
            }
        });
        try_join_all(fetched).await.map(Ready)
    }
}

/// A plan with all that it writes.
struct Ready<T>(Vec<(Vec<u8>, Write<T>)>);

impl<T: AtHand> Ready<T> {
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

/// A list of objects with fields at hand, its own or somebody else's; in the schema, a list like any other.
#[derive(Clone, Debug)]
pub struct AllAtHand<T, O = T> {
    objects: Vec<O>,
    of: PhantomData<fn() -> T>,
}

/// The same of objects that are somebody else's.
pub type EachAtHand<'o, T> = AllAtHand<T, &'o T>;

impl<T, O> Deref for AllAtHand<T, O> {
    type Target = [O];

    fn deref(&self) -> &[O] {
        &self.objects
    }
}

impl<T, O> From<Vec<O>> for AllAtHand<T, O> {
    fn from(objects: Vec<O>) -> Self {
        Self {
            objects,
            of: PhantomData,
        }
    }
}

impl<T, O> FromIterator<O> for AllAtHand<T, O> {
    fn from_iter<I: IntoIterator<Item = O>>(objects: I) -> Self {
        objects.into_iter().collect::<Vec<_>>().into()
    }
}

impl<T: AtHand, O: Borrow<T> + OutputType> AllAtHand<T, O> {
    /// The list as it is asked for; `None` where that is left to the executor, which says why something can't be had.
    async fn written(&self, context: &ContextSelectionSet<'_>) -> Option<Value> {
        let plan = Plan::of(&Asked::by(context))?;
        if !alone::stands_alone(context) {
            return None;
        }
        let objects = || self.objects.iter().map(Borrow::borrow);
        let ready = match plan.at_once() {
            Ok(ready) => ready,
            Err(plan) => Box::pin(plan.ready(objects().collect())).await.inspect_err(told).ok()?,
        };
        let mut out = Vec::new();
        ready.write_all(objects(), &mut out);
        Some(written(out))
    }
}

/// The executor asks anew and tells of what it meets, which on a transaction that has failed is not what was met first.
fn told(error: &Error) {
    if error.is_fault() {
        tracing::warn!(?error, "what the objects of a list refer to could not be fetched");
    }
}

impl<T: AtHand, O: Borrow<T> + OutputType> OutputType for AllAtHand<T, O> {
    fn type_name() -> Cow<'static, str> {
        <Vec<O> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<O> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<O> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match self.written(context).await {
            Some(written) => Ok(written),
            None => Box::pin(self.objects.resolve(context, field)).await,
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
        fn write(field: &str, _: &Asked<'_>) -> Option<Way<Self>> {
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
