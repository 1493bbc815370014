//! What people read comes in Korean and English; what programs read is the same in both.

use axum::{body::Body, http::Request};
use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::app::{Answer, TestApp, codes},
};

const ORGANIZATION: &str = "{ organization { name } }";

both! {
    async fn g2_a_user_error_speaks_the_callers_language_and_its_code_does_not_change(app) {
        let input = json!({ "input": { "kind": "CONSULTATION", "code": "a1", "name": "", "timeZone": "Mars/Olympus" } });
        let field = "serviceCreate(input: $input)";

        let english = app.owner().speaking("en-GB").payload(field, input.clone()).await;
        let korean = app.owner().speaking("ko-KR").payload(field, input.clone()).await;
        let neither = app.owner().speaking("fr").payload(field, input).await;

        assert_eq!(
            codes(&english),
            ["INVALID at input.code", "BLANK at input.name", "UNKNOWN_TIME_ZONE at input.timeZone"]
        );
        assert_eq!(codes(&korean), codes(&english));
        for (number, message) in messages(&english).iter().enumerate() {
            assert!(message.is_ascii() && message.ends_with('.'), "{message}");
            assert!(is_korean(&messages(&korean)[number]), "{korean}");
        }
        assert_eq!(messages(&neither), messages(&korean));
    }

    async fn g2_an_error_of_the_request_speaks_the_callers_language_and_its_code_does_not_change(app) {
        let stale = app.owner().token().await;
        app.wait(Duration::minutes(6));
        let key = "mutation { organizationKeyCreate(input: { name: \"k\", scopes: [SERVICE_READ] }) { secret } }";
        let member = app.member().token().await;
        let owner = app.owner().token().await;
        let wrong = "{ services(first: 101) { totalCount } }";

        for (token, query, code, is_told) in [
            (None, ORGANIZATION, "UNAUTHENTICATED", true),
            (Some(&member), ORGANIZATION, "FORBIDDEN", true),
            (Some(&stale), key, "CONFIRMATION_REQUIRED", true),
            (Some(&owner), wrong, "BAD_USER_INPUT", false),
        ] {
            let token = token.map(String::as_str);
            let english = ask(&app, token, query, Some("en")).await;
            let korean = ask(&app, token, query, Some("ko,en;q=0.5")).await;

            assert_eq!((english.code(), korean.code()), (code, code), "{} {}", english.text, korean.text);
            assert_eq!((language(&english), language(&korean)), ("en", "ko"));
            assert!(message(&english).is_ascii(), "{}", english.text);
            assert_eq!(is_korean(message(&korean)), is_told, "{}", korean.text);
        }
    }

    async fn g2_a_refusal_names_the_permission_that_is_missing(app) {
        let answer = app.member().ask(ORGANIZATION, json!({})).await;

        assert_eq!(answer.json["errors"][0]["extensions"]["permission"], "ORGANIZATION_READ");
        assert_eq!(answer.json["errors"][0]["path"], json!(["organization"]));
        assert_eq!(answer.json["data"], json!({ "organization": null }));
    }

    async fn g2_whoever_asks_for_no_language_is_answered_in_korean(app) {
        let owner = app.owner().token().await;

        let answer = ask(&app, None, ORGANIZATION, None).await;
        let items = ask(&app, Some(&owner), "{ contractItems(kind: ISSUE) { label } }", None).await;

        assert_eq!(language(&answer), "ko");
        assert!(is_korean(message(&answer)), "{}", answer.text);
        assert_eq!(items.json["data"]["contractItems"][0]["label"], "티켓");
    }

    async fn g2_labels_speak_the_callers_language(app) {
        let query = "{ contractItems(kind: CONSULTATION) { code label } }";

        let english = app.owner().speaking("en").data(query, json!({})).await;
        let korean = app.owner().speaking("ko").data(query, json!({})).await;

        let pairs = english["contractItems"].as_array().unwrap().iter().zip(korean["contractItems"].as_array().unwrap());
        for (english, korean) in pairs {
            assert_eq!(english["code"], korean["code"]);
            assert!(english["label"].as_str().unwrap().is_ascii(), "{english}");
        }
        assert_ne!(english, korean);
    }
}

async fn ask(app: &TestApp, token: Option<&str>, query: &str, accept: Option<&str>) -> Answer {
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    if let Some(accept) = accept {
        request = request.header("accept-language", accept);
    }
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = json!({ "query": query }).to_string();
    app.send(request.body(Body::from(body)).unwrap()).await
}

fn language(answer: &Answer) -> &str {
    answer.headers["content-language"].to_str().unwrap()
}

fn message(answer: &Answer) -> &str {
    answer.json["errors"][0]["message"].as_str().unwrap()
}

fn messages(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["message"].as_str().unwrap().to_owned())
        .collect()
}

fn is_korean(text: &str) -> bool {
    text.chars().any(|letter| ('가'..='힣').contains(&letter))
}
