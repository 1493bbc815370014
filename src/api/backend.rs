//! What stands behind the HTTP layer: who the caller is and what is executed.

use std::{borrow::Cow, net::SocketAddr};

use async_graphql::{
    Data, Executor, Request as GraphqlRequest, Response as GraphqlResponse, parser::types::OperationType,
};
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};

use super::{
    answer,
    codes::{RequestCode, coded_error},
    cost::{CostTable, Throttle},
    media::Media,
};
use crate::partner::Signed;

/// What stands behind the HTTP layer.
pub trait Backend: Clone + Send + Sync + 'static {
    /// The schema. Its builder must have had [`super::null_in_place::NullInPlace`] as an extension and
    /// `limit_recursive_depth` of [`super::guard::MAX_NESTING`], which the guard has already kept; `disable_suggestions` spares
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
    /// What the request was signed with, where it was signed instead.
    pub signed: Option<Signed<'r>>,
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
    /// How the caller's bucket stands, where that was taken from it before.
    pub paid: Option<Throttle>,
}

/// A caller who was let in.
pub struct EnteredCaller<V> {
    /// What resolvers find in their context.
    pub data: Data,
    /// The language that was chosen, `ko` or `en`; goes out as `Content-Language`.
    pub language: &'static str,
    /// How the caller's bucket of points stands, where he has one; goes out in `extensions.cost`.
    pub throttle: Option<Throttle>,
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

    /// A refusal with a code of this layer.
    pub(super) const fn of(status: StatusCode, code: RequestCode, message: &'static str) -> Self {
        Self {
            status,
            code: code.as_str(),
            message: Cow::Borrowed(message),
            headers: Vec::new(),
        }
    }

    /// The refusal of files that nobody known sends: they are not even read.
    pub(super) const fn nobody_sends_files() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: RequestCode::Unauthenticated.as_str(),
            message: Cow::Borrowed("Sign in before sending files."),
            headers: Vec::new(),
        }
    }

    pub(super) fn reply(self, media: Media) -> Response<Body> {
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
