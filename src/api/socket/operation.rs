//! One operation of a socket: the same guards as a request's, the same bucket of points, a caller who is let in anew, and
//! then its events. It runs in a task of its own, and has nothing open while it waits for the other side to read.

use std::sync::Arc;

use async_graphql::{
    Request as GraphqlRequest, Response as GraphqlResponse, ServerError,
    parser::types::{ExecutableDocument, OperationType},
};
use futures_util::{StreamExt, stream::BoxStream};
use tokio::sync::mpsc;

use super::handshake::Visitor;
use crate::{
    api::{
        answer::{self, Asked},
        backend::{Backend, EnteredCaller, Refusal, RequestHead},
        codes::{RequestCode, code_of, coded_error, request_error},
        cost::{self, Meter, Throttle},
        errors, guard,
        null_in_place::Executed,
        parameters::Parameters,
        session::Api,
        traced,
    },
    kernel::{Caller, Toll, trace},
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

/// What an operation says to its socket.
pub(super) struct Told {
    /// The operation's number: its ID may be another's by now.
    pub number: u64,
    pub id: Arc<str>,
    pub happening: Happening,
}

/// By which an operation tells its socket what becomes of it.
pub(super) struct Teller {
    number: u64,
    id: Arc<str>,
    to: mpsc::Sender<Told>,
}

impl Teller {
    pub(super) fn new(number: u64, id: &str, to: &mpsc::Sender<Told>) -> Self {
        Self {
            number,
            id: id.into(),
            to: to.clone(),
        }
    }

    /// Waits until there is room for it, as long as the other side takes to read what comes before.
    async fn tell(&self, happening: Happening) {
        if let (Happening::Refused(errors), Some(span)) = (&happening, trace::current()) {
            let codes: Vec<_> = errors.iter().filter_map(code_of).map(str::to_owned).collect();
            span.erred(&codes);
        }
        let told = Told {
            number: self.number,
            id: self.id.clone(),
            happening,
        };
        // Where the socket is gone, this task is being aborted.
        let _ = self.to.send(told).await;
    }
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

/// Runs an operation to its end, and tells what becomes of it. Where it is dropped before, so is all that it has open.
pub(super) async fn run(
    api: Api,
    visitor: Arc<Visitor>,
    token: Arc<str>,
    (ready, meter): (Ready, Arc<Meter>),
    teller: Teller,
) {
    let span = api.app().traces.subscription();
    let work = async {
        traced::tell(
            Backend::cost(&api),
            &ready.document,
            ready.parameters.operation_name.as_deref(),
        );
        match begin(&api, visitor, &token, ready, meter).await {
            Ok(running) => running.tell(&api, &teller).await,
            Err(error) => teller.tell(Happening::Refused(vec![error])).await,
        }
    };
    trace::within(span.as_ref(), work).await;
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
    async fn tell(mut self, api: &Api, teller: &Teller) {
        while let Some(response) = self.responses.next().await {
            let happening = self.happening(response);
            if matches!(happening, Happening::Refused(_)) {
                // The last that is said.
                self.end(api).await;
                return teller.tell(happening).await;
            }
            // Nothing is kept from others for as long as this one takes to read.
            self.visit.release().await;
            teller.tell(happening).await;
        }
        self.end(api).await;
        teller.tell(Happening::Over).await;
    }

    fn happening(&self, mut response: GraphqlResponse) -> Happening {
        errors::give_codes(&mut response.errors, self.visit.language());
        let began = self.executed.began();
        let asked = Asked {
            document: &self.document,
            introspection: self.introspection,
            executed: began || response.errors.iter().any(|error| !error.path.is_empty()),
            request_id: &self.visitor.request_id,
        };
        let paid = cost::told(self.points, Some(self.meter.throttle()));
        answer::shape(&mut response, asked, paid);
        if began {
            Happening::Next(Box::new(response))
        } else {
            Happening::Refused(response.errors)
        }
    }

    async fn end(self, api: &Api) {
        drop(self.responses);
        api.leave(self.visit).await;
    }
}
