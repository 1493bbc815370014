//! GraphQL over HTTP: what is executed, by whom it is seen, and what comes back.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_query_is_answered_in_the_order_it_was_asked() -> Outcome {
    let demo = Demo::new(true)?;
    let router = router(&demo, layers());
    let reply = query(
        &router,
        "{ z: hello rooms(first: 1) { totalCount edges { node { number } cursor } } a: hello }",
    )
    .await?;
    assert_eq!(reply.status, 200);
    let data = r#"{"z":"hello","rooms":{"totalCount":1000,"edges":[{"node":{"number":0},"cursor":"0"}]},"a":"hello"}"#;
    let cost = r#"{"cost":{"requestedQueryCost":13,"actualQueryCost":13,"maximumQueryCost":5000}}"#;
    assert_eq!(reply.text, format!(r#"{{"data":{data},"extensions":{cost}}}"#));
    for (name, value) in [
        ("content-type", "application/graphql-response+json; charset=utf-8"),
        ("content-language", "ko"),
        ("cache-control", "no-store"),
        ("vary", "Accept, Accept-Language, Authorization"),
        ("x-content-type-options", "nosniff"),
        ("x-request-id", "generated-0001"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    Ok(())
}

// case: E8
#[tokio::test]
async fn fields_that_fail_are_null_in_place_and_tell_nothing() -> Outcome {
    let demo = Demo::new(true)?;
    let router = router(&demo, layers());
    let nodes = json!([{ "node": { "key": null, "number": 0 } }, { "node": { "key": null, "number": 1 } }]);
    let reply = query(
        &router,
        "{ broken hello rooms(first: 2) { edges { node { key number } } } }",
    )
    .await?;
    assert_eq!(
        reply.json()?.get("data"),
        Some(&json!({ "broken": null, "hello": "hello", "rooms": { "edges": nodes } }))
    );
    assert_eq!(reply.codes(), ["INTERNAL"; 3]);
    assert_eq!(reply.status, 200);
    assert!(
        !reply.text.contains("SELECT") && reply.text.contains(r#""requestId":"generated-0001""#),
        "{}",
        reply.text
    );
    let reply = query(&router, "{ who }").await?;
    assert_eq!((reply.codes(), reply.status), (vec!["UNAUTHENTICATED".to_owned()], 200));
    let reply = query(&router, "{ needed }").await?;
    assert!(
        reply.text.contains(r#""data":null"#) && !reply.text.contains("/var/lib"),
        "{}",
        reply.text
    );
    let reply = query(&router, "{ rooms(first: 90) { edges { node { key } } } }").await?;
    assert_eq!(reply.codes().len(), 20);
    Ok(())
}

#[tokio::test]
async fn an_integer_past_its_type_is_the_callers_mistake() -> Outcome {
    let demo = Demo::new(true)?;
    let reply = query(&router(&demo, layers()), "{ echo(number: 99999999999) }").await?;
    assert_eq!(reply.codes(), ["BAD_USER_INPUT"]);
    Ok(())
}

#[tokio::test]
async fn defaults_of_variables_hold_for_directives_too() -> Outcome {
    let demo = Demo::new(true)?;
    let reply = query(
        &router(&demo, layers()),
        "query($x: Boolean = true) { hello @include(if: $x) }",
    )
    .await?;
    assert!(reply.text.contains(r#""data":{"hello":"hello"}"#), "{}", reply.text);
    Ok(())
}

#[tokio::test]
async fn the_schema_is_shown_to_those_who_may_see_it() -> Outcome {
    let demo = Demo::new(false)?;
    let router = router(&demo, layers());
    let with_token = |document: &str| {
        let body = json!({ "query": document }).to_string();
        post(body, |request| {
            request
                .header("authorization", "bearer good")
                .header("accept-language", "en")
        })
    };
    for document in [
        "{ __schema { types { name } } }",
        "{ hello ...F } fragment F on Query { __type(name: \"Room\") { name } }",
    ] {
        let reply = query(&router, document).await?;
        assert_eq!(
            (reply.status, reply.codes()),
            (400, vec!["INTROSPECTION_DISABLED".to_owned()])
        );
        let reply = ask(&router, with_token(document)?).await?;
        assert_eq!((reply.status, reply.header("content-language")), (200, "en"));
    }
    let unseen = query(&router, "{ rooms { edges { node { nummer } } } }").await?;
    assert!(
        unseen.text.contains(r#"Unknown field \"nummer\" on type \"…\"."#),
        "{}",
        unseen.text
    );
    let unseen = query(&router, "{ echo }").await?;
    assert!(
        !unseen.text.contains("number") && !unseen.text.contains("Int"),
        "{}",
        unseen.text
    );
    let reply = query(&router, "{ __typename hello }").await?;
    assert_eq!(reply.status, 200);
    assert_eq!(
        (
            demo.visits.open.load(Ordering::SeqCst),
            demo.visits.left.load(Ordering::SeqCst)
        ),
        (0, 7)
    );
    Ok(())
}

#[tokio::test]
async fn a_visit_ends_whatever_becomes_of_the_request() -> Outcome {
    let demo = Demo::new(true)?;
    let quick = router(&demo, layers().with_timeout(std::time::Duration::from_millis(20)));
    let reply = query(&quick, "{ slow }").await?;
    assert_eq!((reply.status, reply.codes()), (503, vec!["TIMEOUT".to_owned()]));
    let reply = query(&router(&demo, layers()), "{ panics }").await?;
    assert_eq!((reply.status, reply.codes()), (500, vec!["INTERNAL".to_owned()]));
    assert!(
        !reply.text.contains("index") && reply.text.contains("generated-0001"),
        "{}",
        reply.text
    );
    assert_eq!(
        (
            demo.visits.open.load(Ordering::SeqCst),
            demo.visits.left.load(Ordering::SeqCst)
        ),
        (0, 0)
    );
    Ok(())
}

#[tokio::test]
async fn tokens_reach_the_backend_and_mutations_run_once() -> Outcome {
    let demo = Demo::new(false)?;
    let router = router(&demo, layers());
    let signed = |body: &'static str| post(body, |request| request.header("authorization", "BEARER  good"));
    let reply = ask(&router, signed(r#"{"query":"{ who requestId }"}"#)?).await?;
    assert!(
        reply.text.contains(r#""who":"member","requestId":"generated-0001""#),
        "{}",
        reply.text
    );
    let reply = ask(
        &router,
        signed(r#"{"query":"mutation { a: count b: count __typename }"}"#)?,
    )
    .await?;
    assert!(
        reply.text.contains(r#"{"a":1,"b":2,"__typename":"Mutation"}"#),
        "{}",
        reply.text
    );
    assert!(reply.text.contains(r#""requestedQueryCost":20"#), "{}", reply.text);
    Ok(())
}
