//! What every reply has, and what never leaves.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    http::{HeaderName, HeaderValue, StatusCode},
    response::IntoResponse,
    routing::{get, post as posted},
};
use tokio::sync::Notify;
use tracing::dispatcher::{self, Dispatch};
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::api::health::{self, Checks, Ready};

#[derive(Clone)]
struct Fine;

impl Checks for Fine {
    async fn faults(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

fn whole(demo: &Demo, layers: Layers) -> Router {
    let own = [
        (HeaderName::from_static("content-security-policy"), "script-src 'self'"),
        (HeaderName::from_static("cache-control"), "max-age=60"),
        (HeaderName::from_static("server"), "secret/1.0"),
        (HeaderName::from_static("strict-transport-security"), "max-age=0"),
    ];
    let own = own.map(|(name, value)| (name, HeaderValue::from_static(value)));
    let routes = Router::new()
        .route("/graphql", graphql_http::route(demo.clone()))
        .route("/own", get(|| async { (axum::response::AppendHeaders(own), "own") }))
        .route(
            "/fails",
            posted(|| async { StatusCode::INTERNAL_SERVER_ERROR.into_response() }),
        )
        .merge(health::routes(Ready::default(), Fine));
    layers.around(routes)
}

#[tokio::test]
async fn every_reply_is_sealed() -> Outcome {
    let demo = Demo::new(true)?;
    let router = whole(&demo, layers());
    for (method, path, status) in [
        ("POST", "/graphql", 415),
        ("OPTIONS", "/graphql", 405),
        ("TRACE", "/graphql", 405),
        ("GET", "/nowhere", 404),
        ("GET", "//graphql", 404),
        ("POST", "/own", 405),
        ("POST", "/fails", 500),
        ("GET", "/health/live", 200),
        ("GET", "/health/ready", 503),
        ("HEAD", "/health/live", 200),
    ] {
        let reply = ask(
            &router,
            Request::builder().method(method).uri(path).body(Body::empty())?,
        )
        .await?;
        assert_eq!(reply.status, status, "{method} {path}");
        for (name, value) in [
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cache-control", "no-store"),
            ("x-request-id", "generated-0001"),
            ("server", ""),
        ] {
            assert_eq!(reply.header(name), value, "{method} {path} {name}");
        }
    }
    let reply = ask(&router, Request::get("/own").body(Body::empty())?).await?;
    assert_eq!(reply.header("content-security-policy"), "script-src 'self'");
    assert_eq!(reply.header("cache-control"), "max-age=60");
    assert_eq!(
        (reply.header("server"), reply.header("strict-transport-security")),
        ("", "max-age=31536000; includeSubDomains")
    );
    Ok(())
}

#[tokio::test]
async fn a_request_id_from_outside_must_be_harmless() -> Outcome {
    let demo = Demo::new(true)?;
    let router = whole(&demo, layers());
    let long = "x".repeat(65);
    let longest = "x".repeat(64);
    for (given, taken) in [
        ("abcd-EF_1", true),
        (longest.as_str(), true),
        ("12345678", true),
        ("1234567", false),
        (long.as_str(), false),
        ("abcd efgh", false),
        ("abcdefgh\u{e9}", false),
        ("", false),
        ("abcdefgh;drop", false),
    ] {
        let request = Request::get("/own").header("x-request-id", given).body(Body::empty())?;
        let reply = ask(&router, request).await?;
        assert_eq!(
            reply.header("x-request-id"),
            if taken { given } else { "generated-0001" },
            "{given}"
        );
    }
    let twice = Request::get("/own")
        .header("x-request-id", "abcdefgh1")
        .header("x-request-id", "abcdefgh2");
    assert_eq!(
        ask(&router, twice.body(Body::empty())?).await?.header("x-request-id"),
        "generated-0001"
    );
    Ok(())
}

#[tokio::test]
async fn what_is_too_much_is_shed_and_health_is_not() -> Outcome {
    let demo = Demo::new(true)?;
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, outside) = (Arc::clone(&entered), Arc::clone(&release));
    let held = get(move || async move {
        inside.notify_one();
        outside.notified().await;
    });
    let routes = Router::new()
        .route("/held", held)
        .route("/graphql", graphql_http::route(demo.clone()))
        .merge(health::routes(Ready::default(), Fine));
    let router = layers().with_in_flight(1).around(routes);
    let held = router.clone().oneshot(Request::get("/held").body(Body::empty())?);
    let first = tokio::spawn(async move { held.await.map(|response| response.status()) });
    entered.notified().await;
    for _ in 0..20 {
        let reply = query(&router, "{ hello }").await?;
        assert_eq!(
            (reply.status, reply.codes(), reply.header("retry-after")),
            (503, vec!["OVERLOADED".to_owned()], "1")
        );
    }
    assert_eq!(
        ask(&router, Request::get("/health/live").body(Body::empty())?)
            .await?
            .status,
        200
    );
    release.notify_one();
    assert_eq!(first.await??, 200);
    assert_eq!(query(&router, "{ hello }").await?.status, 200);
    Ok(())
}

/// Clients that send their bodies slowly keep nobody out; when the body is here, the request needs room like any other.
// case: E7
#[tokio::test]
async fn slow_bodies_take_no_room_from_others() -> Outcome {
    let demo = Demo::new(true)?;
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, outside) = (Arc::clone(&entered), Arc::clone(&release));
    let held = get(move || async move {
        inside.notify_one();
        outside.notified().await;
    });
    let routes = Router::new()
        .route("/held", held)
        .route("/graphql", graphql_http::route(demo.clone()));
    let router = layers().with_in_flight(1).around(routes);
    let mut slow = Vec::new();
    for _ in 0..20 {
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let (started, begun) = tokio::sync::oneshot::channel::<()>();
        let body = futures_util::stream::once(async move {
            let _ = started.send(());
            let _ = gone.await;
            Ok::<_, io::Error>(r#"{"query":"{ hello }"}"#)
        });
        let request = post(Body::from_stream(body), |request| request)?;
        let router = router.clone();
        let sending = tokio::spawn(async move { router.oneshot(request).await.map(|reply| reply.status()) });
        begun.await?;
        slow.push((go, sending));
    }
    assert_eq!(query(&router, "{ hello }").await?.status, 200);

    let held = router.clone().oneshot(Request::get("/held").body(Body::empty())?);
    let first = tokio::spawn(async move { held.await.map(|response| response.status()) });
    entered.notified().await;
    let mut last = slow.split_off(10);
    for (go, sending) in slow {
        let _ = go.send(());
        assert_eq!(sending.await??, 503);
    }
    release.notify_one();
    assert_eq!(first.await??, 200);
    let (go, sending) = last.swap_remove(0);
    let _ = go.send(());
    assert_eq!(sending.await??, 200);
    Ok(())
}

/// A body that never ends has its own deadline, and what comes after it has the whole time again.
#[tokio::test]
async fn time_runs_out_for_answers_not_for_bodies() -> Outcome {
    let demo = Demo::new(true)?;
    let router = whole(&demo, layers().with_timeout(Duration::from_millis(500)));
    let late = futures_util::stream::once(async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        Ok::<_, io::Error>(r#"{"query":"{ hello }"}"#)
    });
    assert_eq!(
        ask(&router, post(Body::from_stream(late), |request| request)?)
            .await?
            .status,
        200
    );
    assert_eq!(query(&router, "{ slow }").await?.codes(), ["TIMEOUT"]);
    Ok(())
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .map_err(|_| io::ErrorKind::Other)?
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

// case: E8
#[tokio::test]
async fn the_log_has_the_cause_and_no_secret() -> Outcome {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(lines.clone()).finish();
    // With a single dispatcher, a call that another test's thread makes first is remembered as one that nobody listens to.
    let spare = Dispatch::new(tracing_subscriber::registry());
    let guard = dispatcher::set_default(&Dispatch::new(subscriber));
    let demo = Demo::new(true)?;
    let router = whole(&demo, layers());
    let body = r#"{"query":"query Hidden { broken }","variables":{"hunter2":"hunter2"}}"#;
    let request = post(body, |request| {
        request
            .uri("/graphql?token=hunter2")
            .header("authorization", "Bearer good")
            .header("cookie", "hunter2")
    })?;
    assert_eq!(ask(&router, request).await?.status, 200);
    query(&router, "{ panics }").await?;
    drop((guard, spare));
    let log = String::from_utf8(lines.0.lock().map_err(|error| error.to_string())?.clone())?;
    assert!(
        log.contains("SELECT secret FROM vault") && log.contains("a handler panicked"),
        "{log}"
    );
    assert!(
        log.contains(r#""path":"/graphql","status":200"#) && log.contains(r#""method":"POST""#),
        "{log}"
    );
    assert!(log.contains(r#""ms":"#) && !log.contains(r#""ms":""#), "{log}");
    assert!(
        log.contains(r#""request_id":"generated-0001""#) && log.contains(r#""path":"broken""#),
        "{log}"
    );
    for secret in ["hunter2", "Hidden", "good", "application/json"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    Ok(())
}
