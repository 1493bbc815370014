//! The ways in which a field at hand is written: from the object alone, from what is in it, or from what it refers to.

use std::{collections::HashMap, fmt::Display, hash::Hash, sync::Arc};

use async_graphql::{ScalarType, dataloader::Loader, resolver_utils::EnumType};
use futures_util::future::BoxFuture;
use serde::{Serialize, Serializer};

use super::{Asked, AtHand, Plan, Ready};
use crate::kernel::{Action, Batch, Caller, Error, Result};

/// Writes a field of an object: its value as JSON, to the end of a text.
pub type Write<T> = Box<dyn Fn(&T, &mut Vec<u8>) + Send + Sync>;

/// Fetches for all of these objects what one of their fields refers to, and answers how it is written. Where something fails
/// beside it, the executor asks for all of it once more: fetching leaves nothing behind.
pub type Fetch<T> = Box<dyn for<'o> FnOnce(Vec<&'o T>) -> BoxFuture<'o, Result<Write<T>>> + Send>;

/// How a field comes to be written.
pub enum Way<T> {
    /// From the object.
    Own(Write<T>),
    /// From what the object refers to.
    Far(Fetch<T>),
}

impl<T> Way<T> {
    fn own(write: impl Fn(&T, &mut Vec<u8>) + Send + Sync + 'static) -> Option<Self> {
        Some(Self::Own(Box::new(write)))
    }
}

/// A scalar.
pub fn scalar<T: 'static, V: ScalarType + 'static>(get: fn(&T) -> &V) -> Option<Way<T>> {
    Way::own(move |object, out| json(&get(object).to_value(), out))
}

/// A scalar that can be null.
pub fn scalar_or_null<T: 'static, V: ScalarType + 'static>(get: fn(&T) -> Option<&V>) -> Option<Way<T>> {
    Way::own(move |object, out| json(&get(object).map(ScalarType::to_value), out))
}

/// A number, a truth or an ID.
pub fn plain<T: 'static, V: Serialize + 'static>(get: fn(&T) -> V) -> Option<Way<T>> {
    Way::own(move |object, out| json(&get(object), out))
}

/// A text.
pub fn text<T: 'static>(get: fn(&T) -> &str) -> Option<Way<T>> {
    Way::own(move |object, out| json(get(object), out))
}

/// A text that can be null.
pub fn text_or_null<T: 'static>(get: impl Fn(&T) -> Option<&str> + Send + Sync + 'static) -> Option<Way<T>> {
    Way::own(move |object, out| json(&get(object), out))
}

/// A value as it is shown, in a string.
pub fn shown<T: 'static, V: Display + 'static>(get: fn(&T) -> V) -> Option<Way<T>> {
    Way::own(move |object, out| json(&Shown(get(object)), out))
}

struct Shown<V>(V);

impl<V: Display> Serialize for Shown<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A text that is made of the object.
pub fn made_text<T: 'static>(make: impl Fn(&T) -> String + Send + Sync + 'static) -> Option<Way<T>> {
    Way::own(move |object, out| json(&make(object), out))
}

/// A value of an enumeration.
pub fn choice<T: 'static, V: EnumType + 'static>(get: fn(&T) -> V) -> Option<Way<T>> {
    Way::own(move |object, out| json(name(get(object)), out))
}

/// A value of an enumeration that can be null.
pub fn choice_or_null<T: 'static, V: EnumType + 'static>(get: fn(&T) -> Option<V>) -> Option<Way<T>> {
    Way::own(move |object, out| json(&get(object).map(name), out))
}

/// Values of an enumeration.
pub fn choices<T: 'static, V: EnumType + 'static>(get: fn(&T) -> Vec<V>) -> Option<Way<T>> {
    Way::own(move |object, out| {
        let names: Vec<_> = get(object).into_iter().map(name).collect();
        json(&names, out);
    })
}

/// An object in the object.
pub fn object<T: Sync + 'static, V: AtHand>(asked: &Asked<'_>, get: fn(&T) -> &V) -> Option<Way<T>> {
    let write = move |ready: Ready<V>| -> Write<T> { Box::new(move |object, out| ready.write(get(object), out)) };
    Some(match Plan::of(asked)?.at_once() {
        Ok(ready) => Way::Own(write(ready)),
        Err(plan) => Way::Far(Box::new(move |objects| {
            let inner = objects.into_iter().map(get).collect();
            Box::pin(async move { plan.ready(inner).await.map(write) })
        })),
    })
}

/// A list of objects in the object, which refer to nothing else.
pub fn list<T: 'static, V: AtHand>(asked: &Asked<'_>, get: fn(&T) -> &[V]) -> Option<Way<T>> {
    let ready = Plan::of(asked)?.at_once().ok()?;
    Way::own(move |object, out| ready.write_all(get(object), out))
}

/// An object that is made of the object and refers to nothing else; null where there is none.
pub fn made<T: 'static, V: AtHand>(asked: &Asked<'_>, make: fn(&T) -> Option<V>) -> Option<Way<T>> {
    let ready = Plan::of(asked)?.at_once().ok()?;
    Way::own(move |object, out| match make(object) {
        Some(made) => ready.write(&made, out),
        None => json(&(), out),
    })
}

/// A list of objects that are made of the object and refer to nothing else.
pub fn made_list<T: 'static, V: AtHand>(
    asked: &Asked<'_>,
    make: impl Fn(&T) -> Vec<V> + Send + Sync + 'static,
) -> Option<Way<T>> {
    let ready = Plan::of(asked)?.at_once().ok()?;
    Way::own(move |object, out| ready.write_all(&make(object), out))
}

/// The object that the loader finds by a key of the object's, for whoever may do this; null where there is none.
pub fn reference<T, K, V>(asked: &Asked<'_>, action: Action, key: fn(&T) -> K) -> Option<Way<T>>
where
    T: Sync + 'static,
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: AtHand + Clone,
    Batch: Loader<K, Value = V, Error = String>,
{
    let (plan, caller) = (Plan::of(asked)?, asked.caller().clone());
    Some(Way::Far(Box::new(move |objects| {
        let keys: Vec<K> = objects.into_iter().map(key).collect();
        Box::pin(async move {
            // Nobody is refused what there is nothing of.
            if keys.is_empty() {
                return Ok(Box::new(|_: &T, out: &mut Vec<u8>| json(&(), out)) as Write<T>);
            }
            let view = caller.view(action).await?;
            let found = view.loader.load_many(keys).await.map_err(Error::internal)?;
            let ready = plan.ready(found.values().collect()).await?;
            Ok(
                Box::new(move |object: &T, out: &mut Vec<u8>| match found.get(&key(object)) {
                    Some(other) => ready.write(other, out),
                    None => json(&(), out),
                }) as Write<T>,
            )
        })
    })))
}

/// The list of objects that `fetch` finds for a key of the object's. The lists of all objects are fetched beside each other,
/// so that loaders get all of their keys at once.
pub fn fetched<T, K, V, F>(
    asked: &Asked<'_>,
    key: fn(&T) -> K,
    fetch: impl Fn(Arc<Caller>, K) -> F + Send + 'static,
) -> Option<Way<T>>
where
    T: Sync + 'static,
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: AtHand,
    F: Future<Output = Result<Vec<Arc<V>>>> + Send + 'static,
{
    let (plan, caller) = (Plan::of(asked)?, asked.caller().clone());
    Some(Way::Far(Box::new(move |objects| {
        let keys: Vec<K> = objects.into_iter().map(key).collect();
        let lists: Vec<F> = keys.iter().map(|key| fetch(caller.clone(), key.clone())).collect();
        Box::pin(async move {
            let lists = futures_util::future::try_join_all(lists).await?;
            let found: HashMap<K, Vec<Arc<V>>> = keys.into_iter().zip(lists).collect();
            let ready = plan
                .ready(found.values().flatten().map(AsRef::as_ref).collect())
                .await?;
            Ok(Box::new(move |object: &T, out: &mut Vec<u8>| {
                let list = found.get(&key(object)).map(Vec::as_slice).unwrap_or_default();
                ready.write_all(list.iter().map(AsRef::as_ref), out);
            }) as Write<T>)
        })
    })))
}

/// Adds a value. No scalar refuses to be written; if one did, null would stand in its place.
pub(super) fn json<V: Serialize + ?Sized>(value: &V, out: &mut Vec<u8>) {
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
