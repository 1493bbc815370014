//! `/health/live` and `/health/ready`: whether to restart this process, and whether to send it requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

/// Longest that the checks may take; slower counts as not ready.
pub const CHECK_DEADLINE: Duration = Duration::from_secs(2);

/// Whether this process wants requests: false until it has started, and again from the moment it is told to stop.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// Says so from now on.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::SeqCst);
    }

    /// What was said last.
    #[must_use]
    pub fn get(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What a process needs in order to serve.
pub trait Checks: Clone + Send + Sync + 'static {
    /// The faults of this moment, none when all is well. Fixed words, such as `DATABASE_UNREACHABLE`, so that no address,
    /// path or error text can leave this way.
    fn faults(&self) -> impl Future<Output = Vec<&'static str>> + Send;
}

/// The two routes. `live` asks nothing: a process whose database is away must not be restarted for it.
pub fn routes(ready: Ready, checks: impl Checks) -> Router {
    let live = get(|| async { Json(json!({ "status": "live" })) });
    Router::new()
        .route("/health/live", live)
        .route("/health/ready", get(answer_ready))
        .with_state((ready, checks))
}

async fn answer_ready<C: Checks>(State((ready, checks)): State<(Ready, C)>) -> Response {
    let mut faults = faults_within(CHECK_DEADLINE, &checks).await;
    if !ready.get() {
        faults.insert(0, "NOT_TAKING_REQUESTS");
    }
    if faults.is_empty() {
        Json(json!({ "status": "ready" })).into_response()
    } else {
        let body = Json(json!({ "status": "unready", "faults": faults }));
        (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
    }
}

async fn faults_within(deadline: Duration, checks: &impl Checks) -> Vec<&'static str> {
    tokio::time::timeout(deadline, checks.faults())
        .await
        .unwrap_or_else(|_| vec!["CHECK_TIMED_OUT"])
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    #[derive(Clone)]
    struct Fixed(Vec<&'static str>);

    impl Checks for Fixed {
        async fn faults(&self) -> Vec<&'static str> {
            self.0.clone()
        }
    }

    async fn ask(path: &str, ready: bool, faults: &[&'static str]) -> Result<(u16, String), Box<dyn Error>> {
        let flag = Ready::default();
        flag.set(ready);
        let response = routes(flag, Fixed(faults.to_vec()))
            .oneshot(Request::get(path).body(Body::empty())?)
            .await?;
        let status = response.status().as_u16();
        Ok((
            status,
            String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?,
        ))
    }

    #[derive(Clone)]
    struct Stuck;

    impl Checks for Stuck {
        fn faults(&self) -> impl Future<Output = Vec<&'static str>> + Send {
            std::future::pending()
        }
    }

    #[tokio::test]
    async fn live_is_always_200_and_ready_says_what_is_wrong() -> Result<(), Box<dyn Error>> {
        let down = &["DATABASE_UNREACHABLE"][..];
        let unready = |faults: &str| (503, format!(r#"{{"status":"unready","faults":[{faults}]}}"#));
        assert_eq!(
            ask("/health/live", false, down).await?,
            (200, r#"{"status":"live"}"#.to_owned())
        );
        assert_eq!(
            ask("/health/ready", true, &[]).await?,
            (200, r#"{"status":"ready"}"#.to_owned())
        );
        assert_eq!(
            ask("/health/ready", true, down).await?,
            unready(r#""DATABASE_UNREACHABLE""#)
        );
        assert_eq!(
            ask("/health/ready", false, &[]).await?,
            unready(r#""NOT_TAKING_REQUESTS""#)
        );
        assert_eq!(faults_within(Duration::ZERO, &Stuck).await, ["CHECK_TIMED_OUT"]);
        assert!(!Ready::default().get());
        Ok(())
    }
}
