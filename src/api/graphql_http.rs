//! GraphQL over HTTP: POST only, of JSON or of a form with files, and in this order: method, media types, body, parameters,
//! document guard, cost, caller, files, execution. Who the caller is and what is executed is the [`Backend`]'s business.

use std::sync::Arc;

use async_graphql::{
    Request as GraphqlRequest, ServerError,
    parser::types::{ExecutableDocument, OperationType},
};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, request},
    routing::{MethodRouter, any},
};

use super::{
    answer::{self, Asked, PLAIN_LANGUAGE},
    bearer::{Bearer, bearer},
    codes::{RequestCode, request_error},
    cost,
    guard::{self, Documents},
    layers::{self, AnswerClock, RequestId},
    media::{self, Media},
    multipart::{self, Files, Room, Taken},
    null_in_place::Executed,
    parameters::{self, BODY_DEADLINE, Parameters},
    server::PeerAddress,
    signature, traced,
};

pub use super::backend::{Backend, EnteredCaller, Refusal, RequestHead};

/// How long anybody may keep an answer that is the same for everybody.
const PUBLIC: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// A document that passed every check that needs no caller.
struct Prepared {
    parameters: Parameters,
    document: ExecutableDocument,
    operation: OperationType,
    introspects: bool,
    is_public: bool,
    cost: u64,
    files: Option<Files>,
    /// As it was sent, where it was signed.
    body: Option<Bytes>,
}

/// How a request was sent.
enum Sent {
    Json,
    Form(String),
}

/// The route to put under `/graphql`. Every method comes here, so that 405 has a GraphQL body as well.
pub fn route<B: Backend>(backend: B) -> MethodRouter {
    route_with(backend, Room::default())
}

/// The same with another room for files.
pub fn route_with<B: Backend>(backend: B, room: Room) -> MethodRouter {
    any(handle::<B>).with_state((backend, room, Arc::new(Documents::default())))
}

async fn handle<B: Backend>(
    State((backend, room, documents)): State<(B, Room, Arc<Documents>)>,
    request: Request<Body>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let (media, sent) = match acceptable(&head) {
        Ok(accepted) => accepted,
        Err(reply) => return *reply,
    };
    let prepared = match prepare(&backend, &documents, media, &head, (sent, body)).await {
        Ok(prepared) => prepared,
        Err(reply) => return *reply,
    };
    // On the heap: what is large here is copied by each layer that it is handed through.
    Box::pin(serve(&backend, &room, media, &head, prepared)).await
}

/// Method and media types: what can be refused before the body is read. Whoever is nobody sends no files.
fn acceptable(head: &request::Parts) -> Result<(Media, Sent), Box<Response<Body>>> {
    let media = media::negotiate(&head.headers);
    let shown = media.unwrap_or(Media::Json);
    let refuse =
        |status, code, message: &str| Box::new(answer::problem(shown, status, &request_error(code, message, None)));
    if head.method != Method::POST {
        let mut reply = refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            RequestCode::MethodNotAllowed,
            "Send requests with POST.",
        );
        reply
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST"));
        return Err(reply);
    }
    if media.is_none() {
        let message = "Accept application/graphql-response+json or application/json.";
        return Err(refuse(StatusCode::NOT_ACCEPTABLE, RequestCode::NotAcceptable, message));
    }
    if media::is_plain_json(&head.headers) {
        return Ok((shown, Sent::Json));
    }
    let boundary = media::form_boundary(&head.headers);
    match (boundary, bearer(&head.headers)) {
        (Some(boundary), sender) if multipart::has_preflight(&head.headers) => match sender {
            Bearer::Token(_) => Ok((shown, Sent::Form(boundary))),
            Bearer::Absent => Err(Box::new(Refusal::nobody_sends_files().reply(shown))),
            Bearer::Malformed => Err(Box::new(Refusal::bad_token().reply(shown))),
        },
        (boundary, _) => Err(refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            RequestCode::UnsupportedMediaType,
            match boundary {
                Some(_) => "Send a form with the header GraphQL-Require-Preflight: 1.",
                None => "Send application/json in UTF-8, or multipart/form-data, not compressed.",
            },
        )),
    }
}

/// From the body, or the beginning of a form, to a document that may be executed.
async fn prepare<B: Backend>(
    backend: &B,
    documents: &Documents,
    media: Media,
    head: &request::Parts,
    (sent, body): (Sent, Body),
) -> Result<Prepared, Box<Response<Body>>> {
    let malformed = |error: ServerError| Box::new(answer::problem(media, StatusCode::BAD_REQUEST, &error));
    let refused = |error: ServerError| Box::new(answer::refused(media, &[error], PLAIN_LANGUAGE));
    let clock = head.extensions.get::<AnswerClock>();
    if let Some(clock) = clock {
        clock.await_body(BODY_DEADLINE);
    }
    let mut signed_body = None;
    let (mut parameters, form) = match sent {
        Sent::Json => {
            let body = parameters::read(body, BODY_DEADLINE).await;
            let body = body.map_err(|(status, error)| Box::new(answer::problem(media, status, &error)))?;
            let parameters = parameters::parse(&body).map_err(malformed)?;
            signed_body = Some(body).filter(|_| signature::is_signed(&head.headers));
            (parameters, None)
        }
        Sent::Form(boundary) => {
            let begun = multipart::begin(body, boundary, BODY_DEADLINE).await;
            let (parameters, form, places) = begun.map_err(|refusal| Box::new(refusal.reply(media)))?;
            (parameters, Some((form, places)))
        }
    };
    if clock.is_some_and(|clock| !clock.restart()) {
        return Err(Box::new(layers::overloaded(media)));
    }
    guard::scan(&parameters.query).map_err(malformed)?;
    let document = documents.parse(&parameters.query).map_err(refused)?;
    let checked = guard::check(&document, parameters.operation_name.as_deref()).map_err(refused)?;
    traced::tell(backend.cost(), &document, parameters.operation_name.as_deref());
    if checked.operation.ty == OperationType::Subscription {
        let message = "Subscriptions are served over WebSocket, not by POST.";
        return Err(refused(request_error(
            RequestCode::SubscriptionNotServed,
            message,
            None,
        )));
    }
    guard::complete(checked.operation, &mut parameters.variables).map_err(refused)?;
    let cost = cost::charge(backend.cost(), &document, checked.operation, &parameters.variables).map_err(refused)?;
    let files = match form {
        None => None,
        Some((form, places)) => {
            let largest = guard::mutations(&document, checked.operation)
                .iter()
                .filter_map(|mutation| backend.largest_file(mutation))
                .max();
            let message = "The operation has no mutation that takes a file.";
            let largest = largest.ok_or_else(|| malformed(request_error(RequestCode::BadRequest, message, None)))?;
            Some(Files { form, places, largest })
        }
    };
    let (operation, introspects, is_public) = (checked.operation.ty, checked.introspects, checked.is_public);
    Ok(Prepared {
        parameters,
        document,
        operation,
        introspects,
        is_public,
        cost,
        files,
        body: signed_body,
    })
}

/// Lets the caller in, executes and answers.
async fn serve<B: Backend>(
    backend: &B,
    room: &Room,
    media: Media,
    head: &request::Parts,
    mut prepared: Prepared,
) -> Response<Body> {
    let request_id = head.extensions.get::<RequestId>().map_or("", RequestId::as_str);
    let body = prepared.body.take();
    let signed = match signature::read(head, body.as_ref()) {
        Ok(signed) => signed,
        Err(refusal) => return refusal.reply(media),
    };
    let bearer = match bearer(&head.headers) {
        _ if signed.is_some() => None,
        Bearer::Absent => None,
        Bearer::Token(token) => Some(token),
        Bearer::Malformed => return Refusal::bad_token().reply(media),
    };
    let is_anybody = bearer.is_none() && signed.is_none();
    let entering = RequestHead {
        bearer,
        signed,
        accept_language: text(&head.headers, &header::ACCEPT_LANGUAGE),
        user_agent: text(&head.headers, &header::USER_AGENT),
        peer: head.extensions.get::<PeerAddress>().map(|peer| peer.0),
        forwarded_for: head.headers.get_all("x-forwarded-for").iter().collect(),
        forwarded: head.headers.get_all(header::FORWARDED).iter().collect(),
        request_id,
        operation: prepared.operation,
        cost: prepared.cost,
        paid: None,
    };
    let EnteredCaller {
        mut data,
        language,
        throttle,
        introspection,
        visit,
    } = match backend.enter(entering).await {
        Ok(entered) => entered,
        Err(refusal) => return refusal.reply(media),
    };
    drop(body);
    if prepared.introspects && !introspection {
        backend.leave(visit).await;
        let message = "Introspection is not open to this caller.";
        let error = request_error(RequestCode::IntrospectionDisabled, message, None);
        return answer::refused(media, &[error], language);
    }
    // Held until the answer is made.
    let mut taken = Taken::nothing(room);
    if let Some(files) = prepared.files.take() {
        backend.pause(&visit).await;
        let clock = head.extensions.get::<AnswerClock>();
        let received = files
            .receive(clock, &mut prepared.parameters.variables, &mut taken)
            .await;
        if let Err(refusal) = received {
            backend.leave(visit).await;
            return refusal.reply(media);
        }
    }
    let executed = Executed::default();
    data.insert(executed.clone());
    let Parameters {
        query,
        operation_name,
        variables,
    } = prepared.parameters;
    let mut request = GraphqlRequest::new(query.as_str()).variables(variables);
    request.operation_name = operation_name;
    request.data = data;
    request.set_parsed_query(prepared.document);
    if !introspection {
        request = request.disable_introspection();
    }
    let mut response = backend.execute(&visit, request).await;
    backend.leave(visit).await;
    let executed = executed.began() || response.errors.iter().any(|error| !error.path.is_empty());
    let asked = Asked {
        document: &query,
        introspection,
        executed,
        request_id,
    };
    answer::shape(&mut response, asked, cost::told(prepared.cost, throttle));
    let mut reply = answer::answered(media, &response, asked, language);
    if prepared.is_public && is_anybody && response.errors.is_empty() {
        reply.headers_mut().insert(header::CACHE_CONTROL, PUBLIC);
    }
    reply
}

fn text<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Option<&'r str> {
    headers.get(name)?.to_str().ok()
}
