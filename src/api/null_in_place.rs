//! Puts null where the GraphQL specification puts it: a failed field or item of a nullable type is null in its place, and
//! only a failed non-null one takes its parent along. The executor by itself nulls the parent in both cases.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::{
    Response, ServerError, ServerResult, Value, async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, NextSubscribe, ResolveInfo},
};
use futures_util::stream::{BoxStream, StreamExt};

/// Whether a request came as far as being executed. Put into the data of a request, it tells an answer of `data: null`
/// from a refusal by validation; the answers themselves look the same.
#[derive(Clone, Debug, Default)]
pub struct Executed(Arc<AtomicBool>);

impl Executed {
    /// Whether execution began.
    #[must_use]
    pub fn began(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The extension. To be given to the schema builder of every schema that is served.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullInPlace;

impl ExtensionFactory for NullInPlace {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Placing { errors: Arc::default() })
    }
}

/// The errors of one request whose fields already stand as null in the data.
struct Placing {
    errors: Arc<Mutex<Vec<ServerError>>>,
}

fn drain(errors: &Mutex<Vec<ServerError>>, response: &mut Response) {
    let mut kept = errors.lock().unwrap_or_else(PoisonError::into_inner);
    response.errors.append(&mut kept);
}

#[async_trait::async_trait]
impl Extension for Placing {
    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        field: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let nullable = !field.return_type.ends_with('!');
        match next.run(context, field).await {
            Err(error) if nullable => {
                self.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                // Not `None`: that leaves the field out, and the executor panics on it in a list.
                Ok(Some(Value::Null))
            }
            outcome => outcome,
        }
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if let Some(executed) = context.data_opt::<Executed>() {
            executed.0.store(true, Ordering::Relaxed);
        }
        let mut response = next.run(context, operation_name).await;
        drain(&self.errors, &mut response);
        response
    }

    fn subscribe<'s>(
        &self,
        context: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let errors = Arc::clone(&self.errors);
        let events = next.run(context, stream).map(move |mut response| {
            drain(&errors, &mut response);
            response
        });
        events.boxed()
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptySubscription, Object, Request, Result, Schema, SimpleObject};

    use super::*;

    struct Query;
    struct Mutation;

    #[derive(SimpleObject)]
    #[graphql(complex)]
    struct Room {
        number: i32,
    }

    #[async_graphql::ComplexObject]
    impl Room {
        async fn key(&self) -> Result<Option<String>> {
            Err("no key".into())
        }
        async fn door(&self) -> Result<String> {
            Err("no door".into())
        }
    }

    #[Object]
    impl Query {
        async fn room(&self) -> Option<Room> {
            Some(Room { number: 1 })
        }
        async fn hall(&self) -> Room {
            Room { number: 2 }
        }
        async fn rooms(&self) -> Vec<Option<Room>> {
            vec![Some(Room { number: 3 }), Some(Room { number: 4 })]
        }
    }

    #[Object]
    impl Mutation {
        async fn fail(&self) -> Result<Option<i32>> {
            Err("failed".into())
        }
        async fn fine(&self) -> i32 {
            1
        }
    }

    async fn answer(document: &str) -> (String, usize, bool) {
        let schema = Schema::build(Query, Mutation, EmptySubscription)
            .extension(NullInPlace)
            .finish();
        let executed = Executed::default();
        let response = schema.execute(Request::new(document).data(executed.clone())).await;
        assert!(
            response
                .errors
                .iter()
                .all(|error| error.path.is_empty() != executed.began())
        );
        (response.data.to_string(), response.errors.len(), executed.began())
    }

    #[tokio::test]
    async fn null_stands_where_the_specification_puts_it() {
        for (document, data, errors) in [
            (
                "{ room { number key } hall { number } }",
                "{room: {number: 1, key: null}, hall: {number: 2}}",
                1,
            ),
            (
                "{ room { number door } hall { number } }",
                "{room: null, hall: {number: 2}}",
                1,
            ),
            ("{ room { number } hall { number door } }", "null", 1),
            (
                "{ rooms { number key } }",
                "{rooms: [{number: 3, key: null}, {number: 4, key: null}]}",
                2,
            ),
            ("{ rooms { number door } }", "{rooms: [null, null]}", 2),
            ("mutation { fail fine }", "{fail: null, fine: 1}", 1),
            ("{ hall { a: key b: key } }", "{hall: {a: null, b: null}}", 2),
        ] {
            assert_eq!(answer(document).await, (data.to_owned(), errors, true), "{document}");
        }
    }

    #[tokio::test]
    async fn a_refused_document_was_not_executed() {
        assert_eq!(answer("{ nothing }").await, ("null".to_owned(), 1, false));
        assert_eq!(answer("{ hall { door } }").await, ("null".to_owned(), 1, true));
    }
}
