//! Codes and texts of errors, as they leave.

use async_graphql::{PathSegment, Response as GraphqlResponse, ServerError, Value};
use axum::http::StatusCode;

use crate::api::{
    answer::{Asked, INTERNAL_MESSAGE, MAX_ERRORS, answered, problem, refused, shape},
    codes::{code_of, coded_error},
    guard::MAX_MESSAGE,
    media::Media,
};

const ASKED: Asked<'_> = Asked {
    document: "{ room { key } }",
    introspection: true,
    executed: true,
    request_id: "request-1",
};

fn shaped(message: &str, code: Option<&str>, asked: Asked<'_>) -> (Option<String>, String) {
    let error = match code {
        Some(code) => coded_error(code, message, None),
        None => ServerError::new(message, None).with_path(vec![PathSegment::Field("room".to_owned())]),
    };
    let mut response = GraphqlResponse::from_errors(vec![error]);
    shape(&mut response, asked, Value::Null);
    let error = response.errors.pop().unwrap_or_else(|| ServerError::new("lost", None));
    (code_of(&error).map(str::to_owned), error.message)
}

// case: E8
#[test]
fn every_error_gets_a_code_and_inner_texts_stay_inside() {
    let refused = Asked {
        executed: false,
        ..ASKED
    };
    for (message, code, asked, expected_code, expected) in [
        ("no such file /var/lib/x", None, ASKED, "INTERNAL", INTERNAL_MESSAGE),
        ("SELECT failed", Some("INTERNAL"), ASKED, "INTERNAL", INTERNAL_MESSAGE),
        ("Failed to parse /etc/passwd", None, ASKED, "INTERNAL", INTERNAL_MESSAGE),
        ("Not yours.", Some("FORBIDDEN"), ASKED, "FORBIDDEN", "Not yours."),
        (
            "Failed to parse \"Int\": too big",
            None,
            ASKED,
            "BAD_USER_INPUT",
            "Failed to parse \"Int\": too big.",
        ),
        (
            "Expected input type \"Int\", found {password: \"hunter2\"}.",
            None,
            ASKED,
            "BAD_USER_INPUT",
            "Expected input type \"Int\".",
        ),
        (
            "Invalid value for argument \"a.b\", expected type \"Int\"",
            None,
            refused,
            "BAD_USER_INPUT",
            "Invalid value for argument \"a.b\", expected type \"Int\".",
        ),
        (
            "Invalid value for argument \"a\", enumeration type \"E\" does not contain the value \"hunter2\"",
            None,
            refused,
            "BAD_USER_INPUT",
            "Invalid value for argument \"a\", enumeration type \"E\" does not contain the value.",
        ),
        (
            "Unknown field \"keys\" on type \"Room\". Did you mean \"key\"?",
            None,
            refused,
            "GRAPHQL_VALIDATION_FAILED",
            "Unknown field \"keys\" on type \"Room\".",
        ),
    ] {
        assert_eq!(
            shaped(message, code, asked),
            (Some(expected_code.to_owned()), expected.to_owned())
        );
    }
}

#[test]
fn without_introspection_messages_name_only_what_the_document_names() {
    let closed = Asked {
        introspection: false,
        executed: false,
        ..ASKED
    };
    let (_, message) = shaped(
        "Unknown field \"key\" on type \"Room\". Did you mean \"keyCode\"?",
        None,
        closed,
    );
    assert_eq!(message, "Unknown field \"key\" on type \"…\".");
    let (_, message) = shaped(
        "Invalid value for argument \"key.room\", expected type \"Int!\"",
        None,
        closed,
    );
    assert_eq!(message, "Invalid value for argument \"key.room\", expected type \"…\".");
    let (_, message) = shaped(
        &format!("Unknown argument \"{}\"", "é".repeat(1_000)),
        None,
        ASKED_CLOSED_LONG,
    );
    assert_eq!(message.chars().count(), MAX_MESSAGE);
}

const ASKED_CLOSED_LONG: Asked<'_> = Asked {
    executed: false,
    ..ASKED
};

#[test]
fn errors_are_capped_and_foreign_extensions_removed() {
    let mut response = GraphqlResponse::from_errors(vec![ServerError::new("Unknown", None); 5_000]);
    response.extensions.insert("analyzer".to_owned(), Value::Boolean(true));
    shape(
        &mut response,
        Asked {
            executed: false,
            ..ASKED
        },
        Value::from(1),
    );
    assert_eq!((response.errors.len(), response.extensions.len()), (MAX_ERRORS, 1));
    assert!(response.extensions.contains_key("cost"));
}

#[test]
fn status_follows_from_standing_and_media() {
    let error = ServerError::new("x", None);
    for (media, refused_status) in [(Media::GraphqlResponse, 400), (Media::Json, 200)] {
        let errors = std::slice::from_ref(&error);
        assert_eq!(refused(media, errors, "ko").status(), refused_status);
        assert_eq!(problem(media, StatusCode::PAYLOAD_TOO_LARGE, &error).status(), 413);
        let failed = GraphqlResponse::from_errors(vec![error.clone()]);
        assert_eq!(answered(media, &failed, ASKED, "ko").status(), 200);
        assert_eq!(
            answered(
                media,
                &failed,
                Asked {
                    executed: false,
                    ..ASKED
                },
                "ko"
            )
            .status(),
            refused_status
        );
    }
}
