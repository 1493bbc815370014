//! What every reply carries, whatever it is, and what none ever tells: how the service is made inside.

use axum::{body::Body, http::Request};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::{
    both,
    support::app::{Answer, TestApp},
};

/// Words that only the service's inside knows.
const INSIDE: [&str; 14] = [
    "select ",
    "insert ",
    "no such table",
    "relation ",
    "sqlite",
    "postgres",
    "sqlx",
    "sea_orm",
    "sea-orm",
    ".rs",
    "src/",
    "panicked",
    "service_away",
    "/tmp",
];

both! {
    async fn g5_every_reply_is_sealed(app) {
        let token = app.owner().token().await;
        let bearer = format!("Bearer {token}");
        let query = json!({ "query": "{ viewer { roles } }" }).to_string();

        for (method, path, header, body, status) in [
            ("POST", "/graphql", ("authorization", bearer.as_str()), query.clone(), 200),
            ("POST", "/graphql", ("authorization", "Bearer stale"), query.clone(), 401),
            ("POST", "/graphql", ("x-other", "x"), "{".to_owned(), 400),
            ("POST", "/graphql", ("accept", "text/html"), query.clone(), 406),
            ("POST", "/graphql", ("x-other", "x"), " ".repeat(300 * 1024), 413),
            ("POST", "/graphql", ("content-encoding", "br"), query.clone(), 415),
            ("GET", "/graphql", ("x-other", "x"), String::new(), 405),
            ("GET", "/nowhere", ("x-other", "x"), String::new(), 404),
            ("GET", "/graphql/..%2f..%2fetc/passwd", ("x-other", "x"), String::new(), 404),
            ("POST", "/graphiql", ("x-other", "x"), String::new(), 405),
            ("GET", "/graphiql", ("x-other", "x"), String::new(), 200),
            ("GET", "/graphiql/operations.json", ("x-other", "x"), String::new(), 200),
            ("GET", "/health/live", ("x-other", "x"), String::new(), 200),
            ("GET", "/health/ready", ("x-other", "x"), String::new(), 200),
        ] {
            let request = Request::builder().method(method).uri(path)
                .header("content-type", "application/json")
                .header(header.0, header.1);
            let answer = app.send(request.body(Body::from(body)).unwrap()).await;

            assert_eq!(answer.status, status, "{method} {path} {header:?}: {:.300}", answer.text);
            sealed(&answer, path);
        }
    }

    async fn g5_a_failing_database_tells_nothing_of_itself(app) {
        let desk = crate::support::make::in_use(app.owner(), "desk", 1).await;
        let token = app.owner().token().await;
        take_away_the_contracts(&app).await;

        for (query, variables) in [
            ("query Q($id: ID!) { node(id: $id) { id } }", json!({ "id": desk.contract })),
            ("{ menu { name } }", json!({})),
            ("mutation { serviceCreate(input: { kind: ISSUE, code: \"other\", name: \"Other\" }) { service { id } } }", json!({})),
        ] {
            let answer = app.ask(Some(&token), query, variables).await;

            assert_eq!((answer.status, answer.code()), (200, "INTERNAL"), "{query}: {}", answer.text);
            assert_eq!(answer.json["errors"][0]["extensions"]["requestId"], answer.headers["x-request-id"].to_str().unwrap());
            assert_eq!(answer.json["errors"][0].as_object().unwrap().keys().collect::<Vec<_>>(), ["message", "locations", "path", "extensions"]);
            assert!(answer.json["data"].as_object().is_none_or(|data| data.values().all(serde_json::Value::is_null)));
            sealed(&answer, query);
        }
    }

    async fn g5_one_field_that_fails_leaves_the_others(app) {
        let token = app.owner().token().await;
        let desk = crate::support::make::in_use(app.owner(), "desk", 1).await;
        take_away_the_contracts(&app).await;

        let query = "query Q($id: ID!) { organization { name } node(id: $id) { id } __typename }";
        let answer = app.ask(Some(&token), query, json!({ "id": desk.contract })).await;

        assert_eq!(answer.json["data"], json!({
            "organization": { "name": "Acme" }, "node": null, "__typename": "Query",
        }));
    }
}

fn sealed(answer: &Answer, what: &str) {
    let header = |name: &str| {
        answer
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("{what} lacks {name}"))
            .to_str()
            .unwrap()
    };
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert!(header("strict-transport-security").contains("max-age="), "{what}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{what}");
    assert!(
        header("content-security-policy").contains("frame-ancestors 'none'"),
        "{what}"
    );
    assert!((8..=64).contains(&header("x-request-id").len()), "{what}");
    assert!(
        !answer.headers.contains_key("server") && !answer.headers.contains_key("x-powered-by"),
        "{what}"
    );
    if answer.status >= 400 || answer.json.get("errors").is_some() {
        let told = answer.text.to_lowercase();
        for word in INSIDE {
            assert!(!told.contains(word), "{what} tells {word:?}: {told}");
        }
    }
}

/// Behind the service's back: as when a migration went wrong.
async fn take_away_the_contracts(app: &TestApp) {
    let sql = AssertSqlSafe("ALTER TABLE contract RENAME TO contract_away".to_owned());
    match &app.admin_url {
        Some(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            connection.execute(sql).await.unwrap();
        }
        None => {
            let mut connection = sqlx::SqliteConnection::connect(&app.url).await.unwrap();
            connection.execute(sql).await.unwrap();
        }
    }
}
