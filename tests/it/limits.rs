//! What is refused before anything runs: hostile documents, shapes of requests that are not served, and what costs too
//! much. Each carries a mutation that would leave its entry in the log, had it run.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, TestApp},
        hostile::{self, MARK},
    },
};

both! {
    // case: E1
    // case: E2
    // case: E3
    async fn g5_hostile_documents_are_refused_and_nothing_of_them_runs(app) {
        let token = app.owner().token().await;

        for (what, document, code) in hostile::documents() {
            let body = json!({ "query": document, "operationName": "Mark" });
            let answer = send(&app, &token, &[], body.to_string()).await;

            assert_eq!(answer.code(), code, "{what}: {:.300}", answer.text);
            assert!(answer.json.get("data").is_none() && answer.text.len() < 6_000, "{what}: {:.300}", answer.text);
        }
        assert_eq!(marks(&app).await, 0);
    }

    // case: E3
    // case: E4
    // case: E5
    async fn g5_bodies_that_are_no_single_request_are_refused(app) {
        let token = app.owner().token().await;
        let mark = json!({ "query": MARK }).to_string();
        let deep = format!("{{\"query\":\"{{ viewer {{ roles }} }}\",\"variables\":{{\"a\":{}1{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
        let big = json!({ "query": MARK, "x": "x".repeat(256 * 1024) }).to_string();
        let form = format!("query={}", MARK.replace(' ', "+"));
        let parts = format!("--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{mark}\r\n--x--\r\n");

        for (what, headers, body, status, code) in [
            ("a batch", &[][..], format!("[{mark},{mark}]"), 400, "BAD_REQUEST"),
            ("deep variables", &[], deep, 400, "BAD_REQUEST"),
            ("no JSON", &[], MARK.to_owned(), 400, "BAD_REQUEST"),
            ("a body over 256 kB", &[], big, 413, "PAYLOAD_TOO_LARGE"),
            ("text/plain", &[("content-type", "text/plain")], mark.clone(), 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("application/graphql", &[("content-type", "application/graphql")], MARK.to_owned(), 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("a form", &[("content-type", "application/x-www-form-urlencoded")], form, 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("a multipart form", &[("content-type", "multipart/form-data; boundary=x")], parts, 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("a compressed body", &[("content-encoding", "gzip")], mark.clone(), 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("a page for people", &[("accept", "text/html")], mark.clone(), 406, "NOT_ACCEPTABLE"),
        ] {
            let answer = send(&app, &token, headers, body).await;

            assert_eq!((answer.status, answer.code()), (status, code), "{what}: {:.300}", answer.text);
        }
        assert_eq!(marks(&app).await, 0);
    }

    // case: E2
    async fn g5_texts_in_texts_that_look_like_json_are_texts(app) {
        let token = app.owner().token().await;
        // A reader that takes them for JSON comes to thousands of levels, and a thread has room for none of them.
        let mut nested = "[]".to_owned();
        while nested.len() < 100_000 {
            let text = serde_json::to_string(&nested).unwrap();
            let object = format!("{{\"$serde_json::private::RawValue\":{text}}}");
            nested = format!("{}{object}{}", "[".repeat(120), "]".repeat(120));
        }
        let body = format!("{{\"query\":\"{{ viewer {{ member {{ login }} }} }}\",\"variables\":{{\"a\":{nested}}}}}");

        let answer = send(&app, &token, &[], body).await;

        assert_eq!(answer.json["data"]["viewer"]["member"]["login"], "owner", "{:.300}", answer.text);
    }

    // case: E4
    async fn g5_only_post_is_served(app) {
        let token = app.owner().token().await;

        for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let address = format!("/graphql?query={}", MARK.replace(' ', "%20").replace('"', "%22").replace(['{', '}'], "%7B"));
            let request = Request::builder().method(method).uri(address)
                .header("content-type", "application/json")
                .header("authorization", format!("Bearer {token}"));
            let body = Body::from(json!({ "query": MARK }).to_string());
            let answer = app.send(request.body(body).unwrap()).await;

            assert_eq!((answer.status, answer.code()), (405, "METHOD_NOT_ALLOWED"), "{method}");
            assert_eq!(answer.headers["allow"], "POST");
        }
        assert_eq!(marks(&app).await, 0);
    }

    async fn g5_the_mark_would_be_seen_if_it_ran(app) {
        let token = app.owner().token().await;

        let answer = send(&app, &token, &[], json!({ "query": MARK, "operationName": "Mark" }).to_string()).await;

        assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
        assert_eq!(marks(&app).await, 1);
    }

    async fn g5_what_costs_too_much_is_refused_with_both_numbers(app) {
        let dear = "{ services(first: 100) { nodes { contract { revisions(first: 100) { nodes { number } } } } } }";

        let answer = app.owner().ask(dear, json!({})).await;

        let extensions = &answer.json["errors"][0]["extensions"];
        assert_eq!(answer.code(), "QUERY_TOO_COMPLEX", "{}", answer.text);
        assert_eq!(extensions["maximumQueryCost"], 5_000);
        assert!(extensions["requestedQueryCost"].as_u64().unwrap() > 10_000, "{extensions}");
        assert!(answer.json.get("data").is_none());
    }

    async fn g5_page_sizes_in_variables_cost_the_same(app) {
        let dear = "query Q($n: Int = 100) { services(first: $n) { nodes { contract { revisions(first: $n) { nodes { number } } } } } }";

        let codes = [json!({}), json!({ "n": 100 }), json!({ "n": null }), json!({ "n": 5 })];
        let mut refused = Vec::new();
        for variables in codes {
            refused.push(app.owner().ask(dear, variables).await.code() == "QUERY_TOO_COMPLEX");
        }

        assert_eq!(refused, [true, true, false, false]);
    }

    async fn g5_every_answer_that_ran_tells_its_cost(app) {
        let forbidden = "{ organization { name } }";
        for (who, query) in [
            (app.owner(), "{ viewer { roles } }"),
            (app.owner(), "{ services(first: 50) { totalCount nodes { name } } }"),
            (app.owner(), "mutation { sessionEnd { endedCount } }"),
            (app.owner(), "{ __typename }"),
            (app.member(), forbidden),
        ] {
            let answer = who.ask(query, json!({})).await;

            let cost = &answer.json["extensions"]["cost"];
            assert!(cost["requestedQueryCost"].is_u64(), "{query}: {}", answer.text);
            assert_eq!(cost["maximumQueryCost"], 5_000, "{query}");
        }
    }

    async fn g5_introspection_is_for_those_who_are_signed_in(app) {
        for query in ["{ __schema { types { name } } }", "{ __type(name: \"Service\") { name } }", "{ ...F } fragment F on Query { __schema { types { name } } }"] {
            let nobody = app.ask(None, query, json!({})).await;
            let owner = app.owner().ask(query, json!({})).await;

            assert_eq!(nobody.code(), "INTROSPECTION_DISABLED", "{}", nobody.text);
            assert!(nobody.json.get("data").is_none());
            assert_eq!(owner.json.get("errors"), None, "{}", owner.text);
        }
        let typo = app.ask(None, "{ organisation { name } }", json!({})).await;
        assert!(!typo.text.contains("organization"), "{}", typo.text);
    }
}

async fn send(app: &TestApp, token: &str, headers: &[(&str, &str)], body: String) -> Answer {
    let mut request = Request::post("/graphql").header("authorization", format!("Bearer {token}"));
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::from(body)).unwrap()).await
}

/// How often [`MARK`] ran, whatever came of it.
async fn marks(app: &TestApp) -> u64 {
    let query = "{ auditEntries(filter: { action: [SERVICE_CREATE] }) { totalCount } }";
    let data: Value = app.owner().data(query, json!({})).await;
    data["auditEntries"]["totalCount"].as_u64().unwrap()
}
