//! Pictures as browsers load them, without signing in: whoever has an address may look, and nobody can guess one. An
//! address always means the same bytes, so that they may be kept for good. What comes is a picture and nothing else,
//! whatever a browser makes of it: the exact type, no sniffing, and a policy under which nothing of it runs.

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header},
    routing::get,
};

use crate::{
    kernel::{App, Result, store::Store},
    picture::FileName,
};

/// A year: as long as anybody keeps anything.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// What a browser may do with it that takes it for a page.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
/// Pages of every site may show it: help centers stand under names of their own.
const EVERYWHERE: HeaderValue = HeaderValue::from_static("cross-origin");
/// Seconds after which to come again where the store does not answer.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

static CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The route of pictures.
pub fn routes(app: &App) -> Router {
    Router::new()
        .route("/pictures/{file}", get(show))
        .with_state(app.store.clone())
}

async fn show(
    State(store): State<Store>,
    Path(file): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response<Body> {
    let Some(name) = FileName::parse(&file) else {
        return empty(StatusCode::NOT_FOUND);
    };
    let answer = answer(&store, name, &method, &headers).await;
    answer.unwrap_or_else(|_| {
        let mut reply = empty(StatusCode::SERVICE_UNAVAILABLE);
        reply.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        reply
    })
}

async fn answer(store: &Store, name: FileName, method: &Method, headers: &HeaderMap) -> Result<Response<Body>> {
    let path = name.path();
    let tag = format!("\"{name}\"");
    let is_known = knows(headers, &tag);
    let (bytes, body) = if is_known || method == Method::HEAD {
        match store.size(&path).await? {
            Some(bytes) => (bytes, Body::empty()),
            None => return Ok(empty(StatusCode::NOT_FOUND)),
        }
    } else {
        match store.get(&path).await? {
            Some(found) => (found.bytes, Body::from_stream(found.content)),
            None => return Ok(empty(StatusCode::NOT_FOUND)),
        }
    };
    let mut reply = Response::new(body);
    let headers = reply.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, FOR_GOOD);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY.clone(), EVERYWHERE);
    if is_known {
        *reply.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(reply);
    }
    let content_type = HeaderValue::from_static(name.media_type().content_type());
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    Ok(reply)
}

/// Whether the browser has it already, by `If-None-Match`.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = status;
    reply
}
