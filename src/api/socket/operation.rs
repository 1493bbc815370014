//! One operation of a socket: the same guards as a request's, the same bucket of points, a caller who is let in anew, and
//! then its events.

use std::sync::Arc;

use async_graphql::{
    Request as GraphqlRequest, Response as GraphqlResponse, ServerError,
    parser::types::{ExecutableDocument, OperationType},
};
use futures_util::{
    StreamExt,
    future::ready,
    stream::{self, BoxStream},
};

use super::handshake::Visitor;
use crate::{
    api::{
        answer::{self, Asked},
        backend::{Backend, EnteredCaller, Refusal, RequestHead},
        codes::{RequestCode, coded_error, request_error},
        cost::{self, Meter, Throttle},
        errors, guard,
        null_in_place::Executed,
        parameters::Parameters,
        session::Api,
    },
    kernel::{Caller, Toll},
};

/// What becomes of an operation.
pub(super) enum Happening {
    /// An event.
    Next(Box<GraphqlResponse>),
    /// It was not begun; nothing else follows but the end.
    Refused(Vec<ServerError>),
    /// It is over.
    Over,
}

/// The head of a request that a socket makes.
pub(super) fn head<'v>(
    visitor: &'v Visitor,
    token: &'v str,
    operation: OperationType,
    (cost, paid): (u64, Option<Throttle>),
) -> RequestHead<'v> {
    RequestHead {
        bearer: Some(token),
        signed: None,
        accept_language: visitor.accept_language.as_deref(),
        user_agent: visitor.user_agent.as_deref(),
        peer: visitor.peer,
        forwarded_for: visitor.forwarded_for.iter().collect(),
        forwarded: visitor.forwarded.iter().collect(),
        request_id: &visitor.request_id,
        operation,
        cost,
        paid,
    }
}

/// An operation that has passed the guards.
pub(super) struct Ready {
    parameters: Parameters,
    document: ExecutableDocument,
    introspects: bool,
    /// What one of its events costs.
    pub(super) points: u64,
}

/// Reads an operation, as a request's is read.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(api: &Api, parameters: Result<Parameters, ServerError>) -> Result<Ready, ServerError> {
    let mut parameters = parameters?;
    guard::scan(&parameters.query)?;
    let document = guard::parse(&parameters.query)?;
    let checked = guard::check(&document, parameters.operation_name.as_deref())?;
    if checked.operation.ty != OperationType::Subscription {
        let message = "Queries and mutations are sent with POST; over WebSocket only subscriptions are served.";
        return Err(request_error(RequestCode::OnlySubscriptionsServed, message, None));
    }
    if guard::root_fields(&document, checked.operation) != 1 {
        let message = "A subscription selects one root field.";
        return Err(request_error(RequestCode::ValidationFailed, message, None));
    }
    guard::complete(checked.operation, &mut parameters.variables)?;
    let points = cost::charge(Backend::cost(api), &document, checked.operation, &parameters.variables)?;
    let introspects = checked.introspects;
    Ok(Ready {
        parameters,
        document,
        introspects,
        points,
    })
}

/// Runs an operation to its end. Where what is returned is dropped before, so is all that it has open.
pub(super) fn run(
    api: Api,
    visitor: Arc<Visitor>,
    token: Arc<str>,
    ready: Ready,
    meter: Arc<Meter>,
) -> BoxStream<'static, Happening> {
    let begun = async move {
        match begin(&api, visitor, &token, ready, meter).await {
            Ok(running) => running.events(api),
            Err(error) => {
                let events = [Happening::Refused(vec![error]), Happening::Over];
                stream::iter(events).boxed()
            }
        }
    };
    stream::once(begun).flatten().boxed()
}

/// An operation that was let in.
struct Running {
    visitor: Arc<Visitor>,
    visit: Arc<Caller>,
    executed: Executed,
    introspection: bool,
    document: String,
    points: u64,
    meter: Arc<Meter>,
    responses: BoxStream<'static, GraphqlResponse>,
}

async fn begin(
    api: &Api,
    visitor: Arc<Visitor>,
    token: &str,
    ready: Ready,
    meter: Arc<Meter>,
) -> Result<Running, ServerError> {
    let Ready {
        parameters,
        document,
        introspects,
        points,
    } = ready;
    // A crowd that begins waits here, and not for the database.
    let pass = api.app().watches.pass().await;
    let price = (points, Some(meter.throttle()));
    let entered = api
        .enter(head(&visitor, token, OperationType::Subscription, price))
        .await;
    let EnteredCaller {
        mut data,
        introspection,
        visit,
        ..
    } = entered.map_err(|refusal| told(&refusal))?;
    visit.stays(toll(api, meter.clone()), pass);
    if introspects && !introspection {
        api.leave(visit).await;
        let message = "Introspection is not open to this caller.";
        return Err(request_error(RequestCode::IntrospectionDisabled, message, None));
    }
    let executed = Executed::default();
    data.insert(executed.clone());
    let mut request = GraphqlRequest::new(parameters.query.as_str()).variables(parameters.variables);
    request.operation_name = parameters.operation_name;
    request.data = data;
    request.set_parsed_query(document);
    if !introspection {
        request = request.disable_introspection();
    }
    Ok(Running {
        visitor,
        visit,
        executed,
        introspection,
        document: parameters.query,
        points,
        meter,
        responses: api.executor().execute_stream(request),
    })
}

/// What each event costs its caller.
fn toll(api: &Api, meter: Arc<Meter>) -> Toll {
    let clock = api.app().clock.clone();
    Arc::new(move || meter.pay(clock.now()))
}

/// Why a caller was not let in, as an error of an operation.
pub(super) fn told(refusal: &Refusal) -> ServerError {
    coded_error(refusal.code, refusal.message.clone(), None)
}

impl Running {
    fn events(self, api: Api) -> BoxStream<'static, Happening> {
        let Self {
            visitor,
            visit,
            executed,
            introspection,
            document,
            points,
            meter,
            responses,
        } = self;
        let caller = visit.clone();
        let events = responses.map(move |mut response| {
            errors::give_codes(&mut response.errors, caller.language());
            let began = executed.began();
            let asked = Asked {
                document: &document,
                introspection,
                executed: began || response.errors.iter().any(|error| !error.path.is_empty()),
                request_id: &visitor.request_id,
            };
            answer::shape(&mut response, asked, cost::told(points, Some(meter.throttle())));
            if began {
                Happening::Next(Box::new(response))
            } else {
                Happening::Refused(response.errors)
            }
        });
        let end = async move {
            api.leave(visit).await;
            Happening::Over
        };
        // One refusal is the last that is said.
        let mut is_refused = false;
        let events = events.take_while(move |happening| {
            let goes_on = !is_refused;
            is_refused = matches!(happening, Happening::Refused(_));
            ready(goes_on)
        });
        events.chain(stream::once(end)).boxed()
    }
}
