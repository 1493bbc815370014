//! Files by the links of `kernel/download.rs`. Whoever comes without a good link is told that there is nothing, whatever
//! is wrong with it: forged, too late, of a session that has ended, from another address, or another member's.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use futures_util::{TryStreamExt as _, future::BoxFuture};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    bearer::{Bearer, bearer},
    client_address::client_address,
    layers::RequestId,
    server::PeerAddress,
    session::signed_in,
};
use crate::{
    cti::{line::sheet, log},
    extraction, import,
    kernel::{
        App, Caller, Error, Language, Origin, Result,
        download::{Content, File, Pass},
    },
    member::{self, Claims},
};

/// What makes the files of a kind: it looks and logs through the caller's doors, as a resolver would.
type Maker = for<'c> fn(&'c Caller, &'c str) -> BoxFuture<'c, Result<File>>;

/// Every kind of file, by the name that links carry.
const FILES: &[(&str, Maker)] = &[
    (sheet::KIND, sheet::download),
    (log::FILE, log::file),
    (import::TEMPLATE_FILE, import::template_file),
    (import::ANNOTATED_FILE, import::annotated_file),
    (import::REPORT_FILE, import::report_file),
    (extraction::FILE, extraction::file),
];

/// The letters of a file's name that need no percent sign, by RFC 8187.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Where links lead.
pub fn routes(app: &App) -> Router {
    Router::new()
        .route("/download/{pass}", any(fetch))
        .with_state(app.clone())
}

async fn fetch(State(app): State<App>, Path(text): Path<String>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    if request.method != Method::GET {
        let allowed = [(header::ALLOW, "GET")];
        return (StatusCode::METHOD_NOT_ALLOWED, allowed).into_response();
    }
    let language = request.headers.get(header::ACCEPT_LANGUAGE);
    let language = language.and_then(|value| value.to_str().ok());
    let mut language = language.map_or_else(Language::default, Language::accepted);
    let Some(pass) = Pass::read(&app, &text) else {
        return nothing(language);
    };
    language = pass.language();
    match made(&app, &pass, &request).await {
        Ok(Some(file)) => sent(file),
        Ok(None) | Err(Error::Unauthenticated | Error::Forbidden(_) | Error::Problems(_)) => nothing(language),
        Err(Error::SecondFactorRequired | Error::ConfirmationRequired | Error::BadInput(_)) => nothing(language),
        Err(Error::Busy(seconds)) => later(seconds),
        Err(Error::StorageUnavailable) => later(1),
        Err(Error::Internal(cause) | Error::Uncertain(cause)) => {
            tracing::error!(cause, "a file could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn later(seconds: impl ToString) -> Response {
    let later = [(header::RETRY_AFTER, seconds.to_string())];
    (StatusCode::SERVICE_UNAVAILABLE, later).into_response()
}

/// The file, if whoever fetches it is who asked for the link, and still may.
async fn made(app: &App, pass: &Pass, request: &Parts) -> Result<Option<File>> {
    let origin = origin(app, request);
    if origin.address.map(|address| address.to_canonical()) != pass.address {
        return Ok(None);
    }
    let is_his = match bearer(&request.headers) {
        Bearer::Absent => true,
        Bearer::Malformed => false,
        Bearer::Token(token) => member::read_token(app, app.clock.now(), token)
            .is_some_and(|claims| (claims.org, claims.sub) == (pass.organization, pass.member)),
    };
    let maker = FILES.iter().find(|(kind, _)| *kind == pass.kind);
    let Some((_, maker)) = maker.filter(|_| is_his) else {
        return Ok(None);
    };
    let claims = Claims::of(pass.organization, pass.member, pass.session);
    let Some(caller) = signed_in(app, &claims, origin, pass.language()).await? else {
        return Ok(None);
    };
    let caller = Arc::new(caller);
    let file = maker(&caller, &pass.argument).await;
    caller.leave().await;
    file.map(Some)
}

fn origin(app: &App, request: &Parts) -> Origin {
    let headers = &request.headers;
    let forwarded: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    let peer = request.extensions.get::<PeerAddress>();
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        address: peer.map(|peer| client_address(peer.0.ip(), &forwarded, &app.settings.trusted_proxies)),
        request_id: request
            .extensions
            .get::<RequestId>()
            .map(|id| id.as_str().to_owned())
            .unwrap_or_default(),
        client: agent.map(Origin::client_of).unwrap_or_default(),
    }
}

fn sent(file: File) -> Response {
    let headers: HeaderMap = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.media_type)),
        (header::CONTENT_DISPOSITION, disposition(&file.name)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ]
    .into_iter()
    .collect();
    let body = match file.content {
        Content::Whole(content) => Body::from(content),
        // Where a piece fails, the connection ends before the file does.
        Content::Pieces(pieces) => Body::from_stream(pieces.map_err(|error| error.to_string())),
    };
    (headers, body).into_response()
}

/// Saves under this name: for old clients in ASCII, for all others in full.
fn disposition(name: &str) -> HeaderValue {
    let ascii: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || "._-".contains(letter) {
                letter
            } else {
                '_'
            }
        })
        .collect();
    let full = utf8_percent_encode(name, PLAIN);
    let text = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{full}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

fn nothing(language: Language) -> Response {
    let text = match language {
        Language::Korean => "만료되었거나 사용할 수 없는 링크입니다. 다시 요청해 주세요.",
        Language::English => "This link has expired, or is not yours to use. Ask for a new one.",
    };
    let own = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_LANGUAGE, language.tag()),
    ];
    (StatusCode::NOT_FOUND, own, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_saved_under_its_name_whatever_it_is() {
        for (name, written) in [
            ("a.xlsx", "attachment; filename=\"a.xlsx\"; filename*=UTF-8''a.xlsx"),
            (
                "상담원 1.xlsx",
                "attachment; filename=\"____1.xlsx\"; filename*=UTF-8''%EC%83%81%EB%8B%B4%EC%9B%90%201.xlsx",
            ),
            (
                "\"; filename*=x\r\nSet-Cookie: a",
                "attachment; filename=\"___filename__x__Set-Cookie__a\"; filename*=UTF-8''%22%3B%20filename%2A%3Dx%0D%0ASet-Cookie%3A%20a",
            ),
        ] {
            assert_eq!(disposition(name), written);
        }
    }
}
