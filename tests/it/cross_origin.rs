//! Pages of other origins: only those that the operator named may ask from a browser.

use axum::{body::Body, http::Request};

use crate::support::app::{Answer, TestApp};

async fn preflight(app: &TestApp, origin: &str) -> Answer {
    let request = Request::options("/graphql")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    app.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn only_named_origins_may_ask() {
    // case: E17
    let app = TestApp::on_sqlite().await;

    let named = preflight(&app, "https://app.example.com").await;
    assert_eq!(named.headers["access-control-allow-origin"], "https://app.example.com");
    assert!(!named.headers.contains_key("access-control-allow-credentials"));

    for other in [
        "null",
        "https://app.example.com.evil",
        "https://evil.example.com",
        "http://app.example.com",
        "*",
    ] {
        let refused = preflight(&app, other).await;
        assert!(!refused.headers.contains_key("access-control-allow-origin"), "{other}");
    }
}
