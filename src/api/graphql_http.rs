//! GraphQL over HTTP: POST only, of JSON or of a form with files, and in this order: method, media types, body, parameters,
//! document guard, cost, caller, files, execution. Who the caller is and what is executed is the [`Backend`]'s business.

use std::{borrow::Cow, net::SocketAddr};

use async_graphql::{
    Data, Executor, Request as GraphqlRequest, Response as GraphqlResponse, ServerError,
    parser::types::{ExecutableDocument, OperationType},
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, request},
    routing::{MethodRouter, any},
};

use super::{
    answer::{self, Asked, PLAIN_LANGUAGE},
    bearer::{Bearer, bearer},
    codes::{RequestCode, coded_error, request_error},
    cost::{self, CostTable},
    guard,
    layers::{self, AnswerClock, RequestId},
    media::{self, Media},
    multipart::{self, Files, Room, Taken},
    null_in_place::Executed,
    parameters::{self, BODY_DEADLINE, Parameters},
    server::PeerAddress,
};

/// What stands behind the HTTP layer.
pub trait Backend: Clone + Send + Sync + 'static {
    /// The schema. Its builder must have had [`super::null_in_place::NullInPlace`] as an extension and
    /// `limit_recursive_depth` of [`guard::MAX_NESTING`], which the guard has already kept; `disable_suggestions` spares
    /// comparing every unknown name with the schema, since no suggestion is told.
    type Executor: Executor;
    /// What [`Self::enter`] opened for one request, such as a read transaction. Where a request ends early (the client
    /// hangs up, time runs out, a resolver panics) it is only dropped, so dropping it must undo what is not finished.
    type Visit: Send + Sync + 'static;

    /// The schema to execute on.
    fn executor(&self) -> &Self::Executor;

    /// The weights of the same schema.
    fn cost(&self) -> &CostTable;

    /// Lets a caller in, or refuses. No token enters as nobody; a token that is not good is refused with 401.
    fn enter(&self, head: RequestHead<'_>) -> impl Future<Output = Result<EnteredCaller<Self::Visit>, Refusal>> + Send;

    /// The largest file in bytes that a mutation takes; `None` for one that takes none.
    fn largest_file(&self, _mutation: &str) -> Option<usize> {
        None
    }

    /// Lets go of what a visit holds for the time that the client takes to send its files.
    fn pause(&self, _visit: &Self::Visit) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Executes a request of a caller who was let in.
    fn execute(&self, _visit: &Self::Visit, request: GraphqlRequest) -> impl Future<Output = GraphqlResponse> + Send {
        self.executor().execute(request)
    }

    /// Ends a visit after execution, before the answer is sent.
    fn leave(&self, visit: Self::Visit) -> impl Future<Output = ()> + Send;
}

/// What a backend may know of a request before it lets the caller in.
#[derive(Clone, Debug)]
pub struct RequestHead<'r> {
    /// The bearer token, well formed but otherwise unchecked. Not to be logged.
    pub bearer: Option<&'r str>,
    /// `Accept-Language` as sent.
    pub accept_language: Option<&'r str>,
    /// `User-Agent` as sent.
    pub user_agent: Option<&'r str>,
    /// The other end of the connection; absent only where no socket is involved.
    pub peer: Option<SocketAddr>,
    /// Every `X-Forwarded-For` in its order, as bytes: to be believed from known proxies only.
    pub forwarded_for: Vec<&'r HeaderValue>,
    /// Every `Forwarded` in its order, likewise.
    pub forwarded: Vec<&'r HeaderValue>,
    /// The ID under which the request stands in the log.
    pub request_id: &'r str,
    /// Query or mutation.
    pub operation: OperationType,
    /// What the operation costs in points, for limits by account.
    pub cost: u64,
}

/// A caller who was let in.
pub struct EnteredCaller<V> {
    /// What resolvers find in their context.
    pub data: Data,
    /// The language that was chosen, `ko` or `en`; goes out as `Content-Language`.
    pub language: &'static str,
    /// Whether this caller may look at the schema.
    pub introspection: bool,
    /// What [`Backend::leave`] ends.
    pub visit: V,
}

/// Why a caller was not let in.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// 401, 403, 429 or 503. To 401 `WWW-Authenticate: Bearer` is added.
    pub status: StatusCode,
    /// The public code.
    pub code: &'static str,
    /// A sentence for the log of the other side.
    pub message: Cow<'static, str>,
    /// Further headers, such as `Retry-After`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// The refusal of a token that is malformed, unknown or expired.
    #[must_use]
    pub const fn bad_token() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: RequestCode::Unauthenticated.as_str(),
            message: Cow::Borrowed("The token is malformed, unknown or expired."),
            headers: Vec::new(),
        }
    }

    /// The refusal of files that nobody known sends: they are not even read.
    const fn nobody_sends_files() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: RequestCode::Unauthenticated.as_str(),
            message: Cow::Borrowed("Sign in before sending files."),
            headers: Vec::new(),
        }
    }

    fn reply(self, media: Media) -> Response<Body> {
        let mut reply = answer::problem(media, self.status, &coded_error(self.code, self.message, None));
        if self.status == StatusCode::UNAUTHORIZED {
            reply
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        reply.headers_mut().extend(self.headers);
        reply
    }
}

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
    any(handle::<B>).with_state((backend, room))
}

async fn handle<B: Backend>(State((backend, room)): State<(B, Room)>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let (media, sent) = match acceptable(&head) {
        Ok(accepted) => accepted,
        Err(reply) => return *reply,
    };
    let prepared = match prepare(&backend, media, &head, sent, body).await {
        Ok(prepared) => prepared,
        Err(reply) => return *reply,
    };
    serve(&backend, &room, media, &head, prepared).await
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
    media: Media,
    head: &request::Parts,
    sent: Sent,
    body: Body,
) -> Result<Prepared, Box<Response<Body>>> {
    let malformed = |error: ServerError| Box::new(answer::problem(media, StatusCode::BAD_REQUEST, &error));
    let refused = |error: ServerError| Box::new(answer::refused(media, &[error], PLAIN_LANGUAGE));
    let clock = head.extensions.get::<AnswerClock>();
    if let Some(clock) = clock {
        clock.await_body(BODY_DEADLINE);
    }
    let (mut parameters, form) = match sent {
        Sent::Json => {
            let body = parameters::read(body, BODY_DEADLINE).await;
            let body = body.map_err(|(status, error)| Box::new(answer::problem(media, status, &error)))?;
            (parameters::parse(&body).map_err(malformed)?, None)
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
    let document = guard::parse(&parameters.query).map_err(refused)?;
    let checked = guard::check(&document, parameters.operation_name.as_deref()).map_err(refused)?;
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
    let bearer = match bearer(&head.headers) {
        Bearer::Absent => None,
        Bearer::Token(token) => Some(token),
        Bearer::Malformed => return Refusal::bad_token().reply(media),
    };
    let entering = RequestHead {
        bearer,
        accept_language: text(&head.headers, &header::ACCEPT_LANGUAGE),
        user_agent: text(&head.headers, &header::USER_AGENT),
        peer: head.extensions.get::<PeerAddress>().map(|peer| peer.0),
        forwarded_for: head.headers.get_all("x-forwarded-for").iter().collect(),
        forwarded: head.headers.get_all(header::FORWARDED).iter().collect(),
        request_id,
        operation: prepared.operation,
        cost: prepared.cost,
    };
    let EnteredCaller {
        mut data,
        language,
        introspection,
        visit,
    } = match backend.enter(entering).await {
        Ok(entered) => entered,
        Err(refusal) => return refusal.reply(media),
    };
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
    answer::shape(&mut response, asked, cost::told(prepared.cost));
    let mut reply = answer::answered(media, &response, asked, language);
    if prepared.is_public && bearer.is_none() && response.errors.is_empty() {
        reply.headers_mut().insert(header::CACHE_CONTROL, PUBLIC);
    }
    reply
}

fn text<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Option<&'r str> {
    headers.get(name)?.to_str().ok()
}
