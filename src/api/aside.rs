//! Queries whose looks go to the read replica: one that it breaks off is executed once more, on the first database, and
//! whoever asked hears nothing of it. A query changes nothing, so that it can be asked twice.

use std::{any::TypeId, sync::Arc};

use async_graphql::{Data, Executor, Request, Response};

use super::{errors, null_in_place::Executed};
use crate::kernel::Caller;

/// Executes a request of a caller who was let in.
pub(super) async fn execute(schema: &impl Executor, caller: &Arc<Caller>, request: Request) -> Response {
    if !caller.is_to_look_aside() {
        return caller.answer(Box::pin(schema.execute(request))).await;
    }
    let again = again(caller, &request);
    if let Some(response) = Box::pin(first(schema, caller, request)).await {
        return response;
    }
    caller.look_anew().await;
    Box::pin(caller.answer(schema.execute(again))).await
}

/// The answer; `None` where the replica broke it off.
async fn first(schema: &impl Executor, caller: &Arc<Caller>, request: Request) -> Option<Response> {
    let response = caller.unless_gone(caller.answer(schema.execute(request))).await?;
    let is_broken = caller.looks_aside() && response.errors.iter().any(errors::is_fault);
    (!is_broken).then_some(response)
}

/// The same request once more.
fn again(caller: &Arc<Caller>, request: &Request) -> Request {
    let mut data = Data::default();
    data.insert(caller.clone());
    let executed = request.data.get(&TypeId::of::<Executed>());
    if let Some(executed) = executed.and_then(|any| any.downcast_ref::<Executed>()) {
        data.insert(executed.clone());
    }
    let mut again = Request::new(request.query.as_str()).variables(request.variables.clone());
    again.operation_name.clone_from(&request.operation_name);
    again.introspection_mode = request.introspection_mode;
    again.data = data;
    again
}
