//! Makes answers: every error gets its code, what failed inside stays in the log, and status and headers follow from the
//! media type in this one place.

use async_graphql::{PathSegment, Response as GraphqlResponse, ServerError, Value};
use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;

use super::{
    codes::{RequestCode, code_of, request_error, set_code},
    guard::MAX_MESSAGE,
    media::Media,
    written,
};

/// Most errors in one answer; 5,000 unknown fields would else make half a megabyte.
pub const MAX_ERRORS: usize = 20;
/// What is said of a failure whose cause only the log tells.
pub const INTERNAL_MESSAGE: &str = "Something failed on the server. Its log has the cause under the request ID.";
/// The language of texts that were written before the caller's language was known.
pub const PLAIN_LANGUAGE: &str = "en";

/// What is known of a request when its answer is shaped.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'r> {
    /// The document, to tell its words from those of the schema.
    pub document: &'r str,
    /// Whether the caller may see the schema; if not, messages name nothing of it that the document does not name.
    pub introspection: bool,
    /// Whether execution began.
    pub executed: bool,
    /// The request's ID, for the log and for `INTERNAL` errors.
    pub request_id: &'r str,
}

/// Errors without data. Serialised by itself: the executor's own response always has a `data` member.
#[derive(Serialize)]
struct Refused<'r> {
    errors: &'r [ServerError],
}

/// An answer that refuses a request with a status of its own, the same for both media types: a malformed request, or one
/// that was not read, let in, or finished.
#[must_use]
pub fn problem(media: Media, status: StatusCode, error: &ServerError) -> Response<Body> {
    let errors = std::slice::from_ref(error);
    let body = serde_json::to_vec(&Refused { errors });
    with_codes(reply(media, status, body, PLAIN_LANGUAGE), errors)
}

/// An answer to a well-formed request that was not executed.
#[must_use]
pub fn refused(media: Media, errors: &[ServerError], language: &'static str) -> Response<Body> {
    let status = match media {
        Media::GraphqlResponse => StatusCode::BAD_REQUEST,
        Media::Json => StatusCode::OK,
    };
    let body = serde_json::to_vec(&Refused { errors });
    with_codes(reply(media, status, body, language), errors)
}

/// The answer of the executor, already [`shape`]d, in the media type that was asked for.
#[must_use]
pub fn answered(media: Media, response: &GraphqlResponse, asked: Asked<'_>, language: &'static str) -> Response<Body> {
    if !asked.executed && !response.errors.is_empty() {
        return refused(media, &response.errors, language);
    }
    let mut reply = reply(media, StatusCode::OK, written::json(response), language);
    for (name, value) in &response.http_headers {
        reply.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    with_codes(reply, &response.errors)
}

/// The codes of an answer's errors, as an extension of the answer for whoever counts them.
#[derive(Clone, Debug)]
pub struct Codes(pub Vec<String>);

fn with_codes(mut reply: Response<Body>, errors: &[ServerError]) -> Response<Body> {
    let codes: Vec<_> = errors.iter().filter_map(code_of).map(str::to_owned).collect();
    if !codes.is_empty() {
        reply.extensions_mut().insert(Codes(codes));
    }
    reply
}

/// A failure without a cause: `INTERNAL`, the fixed message, the request's ID.
#[must_use]
pub fn internal_error(request_id: &str) -> ServerError {
    let mut error = request_error(RequestCode::Internal, INTERNAL_MESSAGE, None);
    error.extensions.get_or_insert_default().set("requestId", request_id);
    error
}

/// Caps the errors, gives each its code, hides what is not the caller's, and keeps only this layer's extension.
pub fn shape(response: &mut GraphqlResponse, asked: Asked<'_>, cost: Value) {
    let dropped = response.errors.len().saturating_sub(MAX_ERRORS);
    if dropped > 0 && asked.executed {
        tracing::warn!(
            request_id = asked.request_id,
            dropped,
            "errors past the limit left out of an answer"
        );
    }
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        shape_error(error, asked);
    }
    response.extensions.clear();
    response.extensions.insert("cost".to_owned(), cost);
}

fn shape_error(error: &mut ServerError, asked: Asked<'_>) {
    match code_of(error) {
        Some(code) if code != RequestCode::Internal.as_str() => {}
        None if is_coercion(&error.message) => {
            error.message = cautious(&error.message, asked);
            set_code(error, RequestCode::BadUserInput.as_str());
        }
        None if !asked.executed => {
            error.message = cautious(&error.message, asked);
            set_code(error, RequestCode::ValidationFailed.as_str());
        }
        _ => {
            tracing::error!(
                request_id = asked.request_id,
                path = path_text(error),
                error = error.message,
                "a field failed"
            );
            let fixed = internal_error(asked.request_id);
            error.message = fixed.message;
            error.extensions = fixed.extensions;
            error.source = None;
        }
    }
}

/// A path as `rooms.0.key`.
fn path_text(error: &ServerError) -> String {
    let segments = error.path.iter().map(|segment| match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    });
    segments.collect::<Vec<_>>().join(".")
}

/// The executor's texts for a value that does not fit its type. They have no code; the quotation mark keeps a resolver's
/// own "failed to parse …" from passing for one.
fn is_coercion(message: &str) -> bool {
    [
        "Failed to parse \"",
        "Expected input type \"",
        "Invalid value for argument \"",
    ]
    .iter()
    .any(|begin| message.starts_with(begin))
}

/// A message of the executor without the value that was found, without suggestions from the schema, and short.
fn cautious(message: &str, asked: Asked<'_>) -> String {
    let mut text = message;
    for (begin, kept) in [
        (", found ", 0),
        (" Did you mean", 0),
        ("does not contain the value", 26),
    ] {
        if let Some((at, _)) = text.match_indices(begin).next() {
            text = text.get(..at + kept).unwrap_or(text);
        }
    }
    let text = text.trim_end_matches([' ', '.']);
    let mut told = String::with_capacity(text.len() + 1);
    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            told.push('"');
        }
        let quoted = index % 2 == 1;
        let own = asked.introspection || part.split('.').all(|word| asked.document.contains(word));
        told.push_str(if quoted && !own { "…" } else { part });
    }
    let mut told: String = told.chars().take(MAX_MESSAGE - 1).collect();
    told.push('.');
    told
}

fn reply(
    media: Media,
    status: StatusCode,
    body: serde_json::Result<Vec<u8>>,
    language: &'static str,
) -> Response<Body> {
    let (status, body) = match body {
        Ok(body) => (status, body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            let text =
                r#"{"errors":[{"message":"The answer could not be written.","extensions":{"code":"INTERNAL"}}]}"#;
            (StatusCode::INTERNAL_SERVER_ERROR, text.into())
        }
    };
    let mut reply = Response::new(Body::from(body));
    *reply.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, media.content_type()),
        (header::CONTENT_LANGUAGE, language),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Accept, Accept-Language, Authorization"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}
