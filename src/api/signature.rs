//! What a signed request says of itself, as `partner/signature.rs` judges it. A request with `X-TC-Timestamp` is one.

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header, request},
};

use super::{backend::Refusal, codes::RequestCode};
use crate::partner::{Fault, Signed};

/// The time that was signed, in milliseconds.
const TIME: &str = "x-tc-timestamp";
/// Whose key signed it.
const ORGANIZATION: &str = "x-organization-id";

/// Whether a request is signed, or says so.
pub(super) fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(TIME)
}

/// The parts of a signed request; `None` where it is none. A form is never signed.
pub(super) fn read<'r>(head: &'r request::Parts, body: Option<&'r Bytes>) -> Result<Option<Signed<'r>>, Refusal> {
    if !is_signed(&head.headers) {
        return Ok(None);
    }
    let only = |name: &str| {
        let mut all = head.headers.get_all(name).iter();
        match (all.next(), all.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    };
    let parts = only(header::AUTHORIZATION.as_str())
        .zip(only(TIME))
        .zip(only(ORGANIZATION))
        .zip(body);
    let Some((((signature, timestamp), organization), body)) = parts else {
        let message =
            "A signed request has Authorization, X-TC-Timestamp and X-Organization-Id once each, and is no form.";
        return Err(Refusal::of(
            StatusCode::UNAUTHORIZED,
            RequestCode::SignatureRefused,
            message,
        ));
    };
    Ok(Some(Signed {
        signature,
        timestamp,
        organization,
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        body,
    }))
}

/// The refusal of a request for this fault.
pub(super) fn refusal(fault: &Fault) -> Refusal {
    let (status, code, message) = match fault {
        Fault::Refused => (
            StatusCode::UNAUTHORIZED,
            RequestCode::SignatureRefused,
            "The organization, its key or the signature is not right.",
        ),
        Fault::Untimely => (
            StatusCode::UNAUTHORIZED,
            RequestCode::SignatureExpired,
            "X-TC-Timestamp is not within five minutes of this server's time, in milliseconds.",
        ),
        Fault::Replayed => (
            StatusCode::UNAUTHORIZED,
            RequestCode::SignatureReplayed,
            "A request with this signature was taken before: sign each with a time of its own.",
        ),
        Fault::Elsewhere(_) => return elsewhere(),
    };
    Refusal::of(status, code, message)
}

/// The refusal of a key that is right, from where it may not be used.
pub(super) fn elsewhere() -> Refusal {
    let message = "This key may not be used from this address.";
    Refusal::of(StatusCode::FORBIDDEN, RequestCode::AddressNotAllowed, message)
}
