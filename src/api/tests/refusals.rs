//! Requests that are refused: status and code of each, and that nothing of them runs.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::*;

const COUNT: &str = r#"{"query":"mutation { count }"}"#;

/// Method, changes to the headers, body, and the status and code that must come of it.
// case: E4
// case: E5
#[tokio::test]
async fn what_is_no_request_is_refused_and_never_executed() -> Outcome {
    let demo = Demo::new(true)?;
    let router = router(&demo, layers());
    let big = format!(r#"{{"query":"mutation {{ count }}","x":"{}"}}"#, "x".repeat(256 * 1024));
    let deep = format!(
        r#"{{"query":"mutation {{ count }}","variables":{{"a":{}}}}}"#,
        "[".repeat(10_000)
    );
    let batch = format!("[{COUNT},{COUNT}]");
    for (method, header, value, body, status, code) in [
        ("GET", "x-a", "b", COUNT, 405, "METHOD_NOT_ALLOWED"),
        ("PUT", "x-a", "b", COUNT, 405, "METHOD_NOT_ALLOWED"),
        ("HEAD", "x-a", "b", COUNT, 405, ""),
        ("OPTIONS", "x-a", "b", COUNT, 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "accept", "text/html", COUNT, 405, "METHOD_NOT_ALLOWED"),
        ("POST", "accept", "text/html", COUNT, 406, "NOT_ACCEPTABLE"),
        ("POST", "accept", "multipart/mixed", COUNT, 406, "NOT_ACCEPTABLE"),
        (
            "POST",
            "content-type",
            "text/plain",
            COUNT,
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "POST",
            "content-type",
            "application/x-www-form-urlencoded",
            COUNT,
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "POST",
            "content-type",
            "multipart/form-data; boundary=x",
            COUNT,
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "POST",
            "content-type",
            "application/json; charset=utf-16",
            COUNT,
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        ("POST", "content-type", "", COUNT, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", "content-encoding", "gzip", COUNT, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", "x-a", "b", &big, 413, "PAYLOAD_TOO_LARGE"),
        ("POST", "x-a", "b", &deep, 400, "BAD_REQUEST"),
        ("POST", "x-a", "b", &batch, 400, "BAD_REQUEST"),
        ("POST", "x-a", "b", "", 400, "BAD_REQUEST"),
        ("POST", "authorization", "Basic Zm9v", COUNT, 401, "UNAUTHENTICATED"),
        ("POST", "authorization", "Bearer", COUNT, 401, "UNAUTHENTICATED"),
        ("POST", "authorization", "Bearer ", COUNT, 401, "UNAUTHENTICATED"),
        ("POST", "authorization", "Bearer stale", COUNT, 401, "UNAUTHENTICATED"),
        ("POST", "authorization", "Bearer go od", COUNT, 401, "UNAUTHENTICATED"),
        ("POST", "authorization", "Bearer busy", COUNT, 429, "THROTTLED"),
    ] {
        let request = post(body.to_owned(), |request| request.method(method))?;
        let (mut head, body) = request.into_parts();
        head.headers.insert(header, value.parse()?);
        let reply = ask(&router, Request::from_parts(head, body)).await?;
        assert_eq!(reply.status, status, "{method} {header}: {value}");
        assert_eq!(reply.codes().first().map_or("", String::as_str), code, "{}", reply.text);
        assert!(!reply.text.contains("\"data\"") && reply.text.len() < 300);
        assert_eq!(reply.header("allow"), if status == 405 { "POST" } else { "" });
        assert_eq!(
            reply.header("www-authenticate"),
            if status == 401 { "Bearer" } else { "" }
        );
        assert_eq!(reply.header("retry-after"), if status == 429 { "7" } else { "" });
    }
    assert_eq!(
        (
            demo.counter.load(Ordering::SeqCst),
            demo.visits.open.load(Ordering::SeqCst)
        ),
        (0, 0)
    );
    Ok(())
}

#[tokio::test]
async fn two_credentials_are_as_good_as_none_that_fits() -> Outcome {
    let demo = Demo::new(true)?;
    let twice = post(COUNT, |request| {
        request
            .header("authorization", "Bearer good")
            .header("authorization", "Bearer good")
    })?;
    let reply = ask(&router(&demo, layers()), twice).await?;
    assert_eq!((reply.status, demo.counter.load(Ordering::SeqCst)), (401, 0));
    Ok(())
}

/// Documents that are refused before execution: 400 in the new media type, 200 in the old, never a `data` member.
#[tokio::test]
async fn refused_documents_have_a_code_and_no_data() -> Outcome {
    let demo = Demo::new(true)?;
    let router = router(&demo, layers());
    for (body, code) in [
        (json!({ "query": "{" }), "GRAPHQL_PARSE_FAILED"),
        (json!({ "query": "{ nothing }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "{ hello { x } }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "{ ...Nowhere }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "{ hello @nowhere }" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "query": "{ echo(number: \"hunter2\") }" }), "BAD_USER_INPUT"),
        (
            json!({ "query": "{ echo(number: 1, color: HUNTER2) }" }),
            "BAD_USER_INPUT",
        ),
        (
            json!({ "query": "query($n: Int!) { echo(number: $n) }" }),
            "BAD_USER_INPUT",
        ),
        (
            json!({ "query": "query($n: Int!) { echo(number: $n) }", "variables": { "n": null } }),
            "BAD_USER_INPUT",
        ),
        (
            json!({ "query": "query($n: Int!) { echo(number: $n) }", "variables": { "n": "hunter2" } }),
            "BAD_USER_INPUT",
        ),
        (
            json!({ "query": "mutation($n: Int!) { count echo: count @skip(if: $n) }" }),
            "BAD_USER_INPUT",
        ),
        (
            json!({ "query": "query A { hello } query B { hello }" }),
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            json!({ "query": "query A { hello }", "operationName": "B" }),
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (json!({ "query": "subscription { hello }" }), "SUBSCRIPTION_NOT_SERVED"),
        (
            json!({ "query": "mutation { count count }" }),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            json!({ "query": "{ rooms(first: 100000) { edges { node { number } } } }" }),
            "QUERY_TOO_COMPLEX",
        ),
        (json!({ "query": format!("{{ {} }}", "hello ".repeat(1_990)) }), ""),
    ] {
        for (accept, status) in [("application/graphql-response+json", 400), ("application/json", 200)] {
            let status = if code.is_empty() { 200 } else { status };
            let request = post(body.to_string(), |request| request)?;
            let (mut head, body) = request.into_parts();
            head.headers.insert("accept", accept.parse()?);
            let reply = ask(&router, Request::from_parts(head, body)).await?;
            assert_eq!(
                (reply.status, reply.codes().first().map_or("", String::as_str)),
                (status, code),
                "{}",
                reply.text
            );
            assert_eq!(reply.text.contains("\"data\""), code.is_empty());
            assert!(
                !reply.text.contains("unter2") && !reply.text.contains("UNTER2"),
                "{}",
                reply.text
            );
        }
    }
    assert_eq!(demo.counter.load(Ordering::SeqCst), 0);
    Ok(())
}
