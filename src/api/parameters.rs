//! The body of a request: read within limits of size and time, and taken apart into the parameters of GraphQL over HTTP.

use std::time::Duration;

use async_graphql::{ServerError, Variables};
use axum::{
    body::{Body, Bytes, HttpBody},
    http::StatusCode,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value as Json};

use super::codes::{RequestCode, request_error};
use crate::kernel::json::Foreign;

/// Largest body in bytes (decisions, "Limits").
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// Longest that a body may take to arrive.
pub const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// A request as it was sent. Members that are not listed here are left unread, those of `extensions` too.
#[derive(Debug)]
pub struct Parameters {
    /// The document.
    pub query: String,
    /// Which of its operations; an empty text counts as none.
    pub operation_name: Option<String>,
    /// The variables, not yet compared with anything.
    pub variables: Variables,
}

/// Reads a body to its end.
///
/// # Errors
/// 413 past [`MAX_BODY_BYTES`], 408 past `deadline`, 400 where the client breaks off.
pub async fn read(body: Body, deadline: Duration) -> Result<Bytes, (StatusCode, ServerError)> {
    // What is announced as too large is not waited for, and a client that asks first need not send it.
    if body.size_hint().lower() > u64::try_from(MAX_BODY_BYTES).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let whole = tokio::time::timeout(deadline, Limited::new(body, MAX_BODY_BYTES).collect()).await;
    let (status, code, message) = match whole {
        Ok(Ok(whole)) => return Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => (
            StatusCode::PAYLOAD_TOO_LARGE,
            RequestCode::PayloadTooLarge,
            "The body is larger than 256 kB.",
        ),
        Ok(Err(_)) => (StatusCode::BAD_REQUEST, RequestCode::BadRequest, "The body broke off."),
        Err(_) => (
            StatusCode::REQUEST_TIMEOUT,
            RequestCode::RequestTimeout,
            "The body did not arrive in time.",
        ),
    };
    Err((status, request_error(code, message, None)))
}

fn too_large() -> (StatusCode, ServerError) {
    let message = format!("The body is larger than {MAX_BODY_BYTES} bytes.");
    (
        StatusCode::PAYLOAD_TOO_LARGE,
        request_error(RequestCode::PayloadTooLarge, message, None),
    )
}

/// Takes a body apart. JSON deeper than 128 levels is refused by the parser before it is built.
///
/// # Errors
/// `BAD_REQUEST`; no text quotes the body or names a type of the program.
pub fn parse(body: &[u8]) -> Result<Parameters, ServerError> {
    let bad = |message: String| request_error(RequestCode::BadRequest, message, None);
    let Foreign(json) = serde_json::from_slice(body).map_err(|error| {
        bad(format!(
            "The body is not JSON that is read here: line {}, column {}.",
            error.line(),
            error.column()
        ))
    })?;
    of_json(json)
}

/// The same from JSON that was read already.
///
/// # Errors
/// `BAD_REQUEST`; no text quotes it.
pub fn of_json(json: Json) -> Result<Parameters, ServerError> {
    let bad = |message: String| request_error(RequestCode::BadRequest, message, None);
    let mut members = match json {
        Json::Object(members) => members,
        Json::Array(_) => {
            return Err(bad(
                "The body must be one JSON object; batches are not served.".to_owned()
            ));
        }
        _ => return Err(bad("The body must be one JSON object.".to_owned())),
    };
    let query = match members.remove("query") {
        Some(Json::String(query)) if !query.trim().is_empty() => query,
        Some(Json::String(_) | Json::Null) | None => return Err(bad("The parameter query is missing.".to_owned())),
        Some(_) => return Err(bad("The parameter query must be a string.".to_owned())),
    };
    let operation_name = match members.remove("operationName") {
        Some(Json::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(Json::Null) | None => None,
        Some(_) => return Err(bad("The parameter operationName must be a string.".to_owned())),
    };
    let mut object = |name: &str| match members.remove(name) {
        Some(Json::Object(object)) => Ok(object),
        Some(Json::Null) | None => Ok(Map::new()),
        Some(_) => Err(bad(format!("The parameter {name} must be an object."))),
    };
    let variables = Variables::from_json(Json::Object(object("variables")?));
    object("extensions")?;
    Ok(Parameters {
        query,
        operation_name,
        variables,
    })
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use futures_util::stream;

    use super::*;
    use crate::api::codes::code_of;

    #[test]
    fn e2_a_text_in_the_body_is_not_read_as_json_however_it_is_called() {
        // case: E2
        let mut nested = "[]".to_owned();
        for _ in 0..3 {
            let text = serde_json::to_string(&nested).unwrap();
            let object = format!(r#"{{"$serde_json::private::RawValue":{text}}}"#);
            nested = format!("{}{object}{}", "[".repeat(100), "]".repeat(100));
        }
        let body = format!(r#"{{"query":"{{a}}","variables":{{"b":{nested}}}}}"#);
        let parameters = parse(body.as_bytes()).unwrap();
        // As deep as it looks, and no deeper.
        let mut depth = 0;
        let mut value = &parameters.variables[&async_graphql::Name::new("b")];
        while let async_graphql::Value::List(items) = value {
            (value, depth) = (&items[0], depth + 1);
        }
        assert_eq!(depth, 100);
        let async_graphql::Value::Object(object) = value else {
            panic!("{value}")
        };
        assert!(matches!(
            object["$serde_json::private::RawValue"],
            async_graphql::Value::String(_)
        ));
    }

    #[test]
    fn parameters_are_taken_apart() -> Result<(), Box<dyn Error>> {
        let body = br#"{"extensions":{"persistedQuery":{}},"documentId":7,"query":"{a}","variables":{"b":[1]},"operationName":""}"#;
        let parameters = parse(body).map_err(|error| error.message)?;
        assert_eq!((parameters.query.as_str(), parameters.operation_name), ("{a}", None));
        assert_eq!(serde_json::to_string(&parameters.variables)?, r#"{"b":[1]}"#);
        let named = parse(br#"{"query":"{a}","variables":null,"extensions":null,"operationName":"Q"}"#);
        assert_eq!(
            named.map_err(|error| error.message)?.operation_name.as_deref(),
            Some("Q")
        );
        Ok(())
    }

    #[test]
    fn bodies_that_are_no_request_are_named_without_being_quoted() {
        let deep = format!(
            r#"{{"query":"{{a}}","variables":{{"hunter2":{}}}}}"#,
            "[".repeat(10_000)
        );
        let long = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for body in [
            "",
            "hunter2",
            "\"hunter2\"",
            "null",
            "7",
            "[]",
            r#"[{"query":"{a}"}]"#,
            "{}",
            r#"{"query":null}"#,
            r#"{"query":""}"#,
            r#"{"query":"  "}"#,
            r#"{"query":["hunter2"]}"#,
            r#"{"query":{"hunter2":1}}"#,
            r#"{"query":"{a}","operationName":7}"#,
            r#"{"query":"{a}","operationName":["hunter2"]}"#,
            r#"{"query":"{a}","variables":"hunter2"}"#,
            r#"{"query":"{a}","variables":[1]}"#,
            r#"{"query":"{a}","extensions":true}"#,
            r#"{"query":"{a}","extensions":[]}"#,
            r#"{"query":"{a}"} hunter2"#,
            r#"{"query":"{a}","variables":{"hunter2":1e999}}"#,
            r#"{"query":"{a}","variables":{"a":"\ud800"}}"#,
            "\u{feff}{\"query\":\"{a}\"}",
            &deep,
            &long,
        ] {
            let error = parse(body.as_bytes()).err();
            assert_eq!(error.as_ref().and_then(code_of), Some("BAD_REQUEST"), "{body:.80}");
            let message = error.map(|error| error.message).unwrap_or_default();
            assert!(!message.contains("hunter2") && message.len() < 100, "{message}");
        }
        assert!(parse(b"{\"query\":\"{a}\xff\"}").is_err());
    }

    #[tokio::test]
    async fn bodies_are_read_within_limits() {
        let status = |read: Result<Bytes, (StatusCode, ServerError)>| read.map_err(|(status, _)| status.as_u16());
        let full = vec![b'x'; MAX_BODY_BYTES];
        assert_eq!(
            status(read(Body::from(full.clone()), BODY_DEADLINE).await).map(|body| body.len()),
            Ok(MAX_BODY_BYTES)
        );
        assert_eq!(
            status(read(Body::from([full, vec![b'x']].concat()), BODY_DEADLINE).await),
            Err(413)
        );
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4_096])));
        assert_eq!(status(read(Body::from_stream(endless), BODY_DEADLINE).await), Err(413));
        let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("secret"))]);
        assert_eq!(status(read(Body::from_stream(broken), BODY_DEADLINE).await), Err(400));
        let stuck = stream::pending::<Result<Bytes, std::io::Error>>();
        assert_eq!(status(read(Body::from_stream(stuck), Duration::ZERO).await), Err(408));
    }
}
