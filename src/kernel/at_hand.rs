//! Lists of objects whose fields are at hand. The executor makes a future of every field of every object, which costs more
//! than the rest of a large answer; here a selection is looked through once and then written from each object. What can't
//! be read from the objects alone is left to the executor: both give the same answer, which `tests/it/at_hand.rs` compares.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, ScalarType, ServerResult, Value,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
    resolver_utils::{EnumType, enum_value},
};

/// How a field is read from an object.
pub type Read<T> = Box<dyn Fn(&T) -> Value + Send + Sync>;

/// An object with fields that are at hand.
pub trait AtHand: OutputType + Sized + 'static {
    /// How the field is read, of whose own fields those of `selection` are asked for. `None` for a field that takes more
    /// than the object.
    fn read(field: &str, selection: &SelectionSet) -> Option<Read<Self>>;
}

/// A scalar.
pub fn scalar<T: 'static, V: ScalarType + 'static>(get: fn(&T) -> &V) -> Option<Read<T>> {
    Some(Box::new(move |object| get(object).to_value()))
}

/// A scalar that can be null.
pub fn scalar_or_null<T: 'static, V: ScalarType + 'static>(get: fn(&T) -> Option<&V>) -> Option<Read<T>> {
    Some(Box::new(move |object| get(object).map_or(Value::Null, V::to_value)))
}

/// A value of an enumeration.
pub fn choice<T: 'static, V: EnumType + 'static>(get: fn(&T) -> V) -> Option<Read<T>> {
    Some(Box::new(move |object| enum_value(get(object))))
}

/// A value of an enumeration that can be null.
pub fn choice_or_null<T: 'static, V: EnumType + 'static>(get: fn(&T) -> Option<V>) -> Option<Read<T>> {
    Some(Box::new(move |object| get(object).map_or(Value::Null, enum_value)))
}

/// An object in the object.
pub fn object<T: 'static, V: AtHand>(selection: &SelectionSet, get: fn(&T) -> &V) -> Option<Read<T>> {
    let plan = Plan::of(selection)?;
    Some(Box::new(move |object| plan.write(get(object))))
}

/// A list of objects in the object.
pub fn list<T: 'static, V: AtHand>(selection: &SelectionSet, get: fn(&T) -> &[V]) -> Option<Read<T>> {
    let plan = Plan::of(selection)?;
    Some(Box::new(move |object| plan.write_all(get(object))))
}

/// What a selection asks of each object, under which names.
struct Plan<T>(Vec<(Name, Read<T>)>);

impl<T: AtHand> Plan<T> {
    /// `None` where a part of the selection is left to the executor: fragments and directives, which it knows better; and
    /// fields of one name, which it puts together.
    fn of(selection: &SelectionSet) -> Option<Self> {
        let mut reads: Vec<(Name, Read<T>)> = Vec::with_capacity(selection.items.len());
        for item in &selection.items {
            let Selection::Field(field) = &item.node else {
                return None;
            };
            let field = &field.node;
            let name = &field.response_key().node;
            let is_plain = field.directives.is_empty() && field.arguments.is_empty();
            if !is_plain || reads.iter().any(|(earlier, _)| earlier == name) {
                return None;
            }
            let read = match field.name.node.as_str() {
                "__typename" => Box::new(|_: &T| Value::String(T::type_name().into_owned())),
                known => T::read(known, &field.selection_set.node)?,
            };
            reads.push((name.clone(), read));
        }
        Some(Self(reads))
    }

    fn write(&self, object: &T) -> Value {
        Value::Object(self.0.iter().map(|(name, read)| (name.clone(), read(object))).collect())
    }

    fn write_all(&self, objects: &[T]) -> Value {
        Value::List(objects.iter().map(|object| self.write(object)).collect())
    }
}

/// A list of objects with fields at hand; in the schema, a list like any other.
#[derive(Clone, Debug)]
pub struct AllAtHand<T>(pub Vec<T>);

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
        match Plan::of(&context.item.node) {
            Some(plan) => Ok(plan.write_all(&self.0)),
            None => Box::pin(self.0.resolve(context, field)).await,
        }
    }
}
