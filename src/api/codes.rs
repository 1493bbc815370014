//! The codes that a request is refused with, and the one way to make an error that carries one.
//! Codes are public and stable; messages are neither.

use async_graphql::{Pos, ServerError, Value};

/// Why a request was not carried out. The names follow Apollo's where those fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestCode {
    /// A partner system's key may not be used from this address.
    AddressNotAllowed,
    /// The body is not a GraphQL request: not JSON, a batch, a parameter of the wrong kind, or a form out of order.
    BadRequest,
    /// A variable or an argument does not fit its type, or a required variable is missing.
    BadUserInput,
    /// Something failed on the server; the cause is in the log under the request ID only.
    Internal,
    /// Introspection is not open to this caller.
    IntrospectionDisabled,
    /// Only POST is served.
    MethodNotAllowed,
    /// Over WebSocket only subscriptions are served: queries and mutations are sent with POST.
    OnlySubscriptionsServed,
    /// `Accept` names no media type that is served.
    NotAcceptable,
    /// The document has no operation of the given name, or several and no name was given.
    OperationResolutionFailure,
    /// The page that opened a WebSocket is of an origin that the operator did not name.
    OriginNotAllowed,
    /// More requests are in flight, or files on their way, than the server takes.
    Overloaded,
    /// The document is not GraphQL.
    ParseFailed,
    /// The body, or a part of a form, is larger than the server reads.
    PayloadTooLarge,
    /// The document goes past a limit of shape or cost.
    QueryTooComplex,
    /// The body did not arrive in time.
    RequestTimeout,
    /// A request was signed for another time than this, five minutes before or after.
    SignatureExpired,
    /// The organization, its key or the signature of a request is not right; it is not said which.
    SignatureRefused,
    /// A request with this signature was taken before: sign each with a time of its own.
    SignatureReplayed,
    /// Subscriptions are served over WebSocket only.
    SubscriptionNotServed,
    /// The caller's bucket of points has fewer than the request costs: `Retry-After` says when it has enough.
    Throttled,
    /// The answer was not ready in time.
    Timeout,
    /// The token is malformed, unknown or expired.
    Unauthenticated,
    /// The socket, its member or key, or its organization has as many subscriptions as may be: complete one first.
    TooManySubscriptions,
    /// `Content-Type` is neither `application/json` in UTF-8 nor a form under a header that browsers ask for first.
    UnsupportedMediaType,
    /// The document does not fit the schema.
    ValidationFailed,
}

impl RequestCode {
    /// Every code of this layer, for the documentation's completeness check.
    pub const ALL: [Self; 25] = [
        Self::AddressNotAllowed,
        Self::BadRequest,
        Self::BadUserInput,
        Self::Internal,
        Self::IntrospectionDisabled,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::OnlySubscriptionsServed,
        Self::OperationResolutionFailure,
        Self::OriginNotAllowed,
        Self::Overloaded,
        Self::ParseFailed,
        Self::PayloadTooLarge,
        Self::QueryTooComplex,
        Self::RequestTimeout,
        Self::SignatureExpired,
        Self::SignatureRefused,
        Self::SignatureReplayed,
        Self::SubscriptionNotServed,
        Self::Throttled,
        Self::Timeout,
        Self::TooManySubscriptions,
        Self::Unauthenticated,
        Self::UnsupportedMediaType,
        Self::ValidationFailed,
    ];

    /// The code as it stands in `extensions.code`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddressNotAllowed => "ADDRESS_NOT_ALLOWED",
            Self::BadRequest => "BAD_REQUEST",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Internal => "INTERNAL",
            Self::IntrospectionDisabled => "INTROSPECTION_DISABLED",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::OnlySubscriptionsServed => "ONLY_SUBSCRIPTIONS_SERVED",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
            Self::OriginNotAllowed => "ORIGIN_NOT_ALLOWED",
            Self::Overloaded => "OVERLOADED",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::RequestTimeout => "REQUEST_TIMEOUT",
            Self::SignatureExpired => "SIGNATURE_EXPIRED",
            Self::SignatureRefused => "SIGNATURE_REFUSED",
            Self::SignatureReplayed => "SIGNATURE_REPLAYED",
            Self::SubscriptionNotServed => "SUBSCRIPTION_NOT_SERVED",
            Self::Throttled => "THROTTLED",
            Self::Timeout => "TIMEOUT",
            Self::TooManySubscriptions => "TOO_MANY_SUBSCRIPTIONS",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
        }
    }
}

/// An error that was found before execution: no path, `extensions.code` set, and a message that never quotes the document.
#[must_use]
pub fn request_error(code: RequestCode, message: impl Into<String>, at: Option<Pos>) -> ServerError {
    coded_error(code.as_str(), message, at)
}

/// The same for a code that another layer owns.
#[must_use]
pub fn coded_error(code: &str, message: impl Into<String>, at: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(message, at);
    set_code(&mut error, code);
    error
}

/// Writes `extensions.code`, keeping the other extensions.
pub fn set_code(error: &mut ServerError, code: &str) {
    error.extensions.get_or_insert_default().set("code", code);
}

/// The code of an error, if it has one that is a text.
#[must_use]
pub fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        Value::Enum(code) => Some(code.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_shouted() {
        let texts: HashSet<_> = RequestCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), RequestCode::ALL.len());
        assert!(
            texts
                .iter()
                .all(|text| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        );
    }

    #[test]
    fn an_error_keeps_its_other_extensions() {
        let mut error = request_error(RequestCode::QueryTooComplex, "Too much.", None);
        error.extensions.get_or_insert_default().set("requestedQueryCost", 7);
        set_code(&mut error, "OTHER");
        assert_eq!(code_of(&error), Some("OTHER"));
        assert!(
            error
                .extensions
                .is_some_and(|all| all.get("requestedQueryCost").is_some())
        );
    }
}
