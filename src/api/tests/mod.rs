//! Tests of the whole layer: a router with the demo behind it, asked without a socket, and served over one.

mod answer;
mod demo;
mod forms;
mod http;
mod layers;
mod lists;
mod refusals;
mod server;
mod stopping;

use std::error::Error;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, request},
};
use http_body_util::BodyExt;
use serde_json::Value as Json;
use tower::ServiceExt;

use self::demo::Demo;
use crate::api::{graphql_http, layers::Layers};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A reply, read to its end.
struct Reply {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Outcome<Json> {
        Ok(serde_json::from_str(&self.text)?)
    }

    /// The codes of its errors.
    fn codes(&self) -> Vec<String> {
        let errors = self
            .json()
            .ok()
            .and_then(|json| json.get("errors").and_then(Json::as_array).cloned());
        let code = |error: Json| {
            error
                .pointer("/extensions/code")
                .and_then(Json::as_str)
                .map(str::to_owned)
        };
        errors
            .unwrap_or_default()
            .into_iter()
            .map(|error| code(error).unwrap_or_default())
            .collect()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

fn router(demo: &Demo, layers: Layers) -> Router {
    layers.around(Router::new().route("/graphql", graphql_http::route(demo.clone())))
}

fn layers() -> Layers {
    Layers::new(|| "generated-0001".to_owned())
}

async fn ask(router: &Router, request: Request<Body>) -> Outcome<Reply> {
    let response = router.clone().oneshot(request).await?;
    let (head, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
    Ok(Reply {
        status: head.status.as_u16(),
        headers: head.headers,
        text,
    })
}

/// A request as clients make it; the closure changes it.
fn post(body: impl Into<Body>, change: impl FnOnce(request::Builder) -> request::Builder) -> Outcome<Request<Body>> {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json, application/json;q=0.9");
    Ok(change(request).body(body.into())?)
}

/// Asks a document without variables.
async fn query(router: &Router, document: &str) -> Outcome<Reply> {
    let body = serde_json::to_string(&serde_json::json!({ "query": document }))?;
    ask(router, post(body, |request| request)?).await
}
