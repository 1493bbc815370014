//! Requests that bring files, as `multipart/form-data` by the GraphQL multipart request specification.

use axum::{body::Body, http::Request};
use serde_json::{Map, Value, json};

/// A file of a request: its place in the variables, such as `input.file`, its name and its content.
pub type File<'f> = (&'f str, &'f str, &'f [u8]);

/// The boundary of the tests' forms.
const BOUNDARY: &str = "boundary-of-tests";

/// The head of a request with files.
pub fn head() -> axum::http::request::Builder {
    Request::post("/graphql")
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
        .header("graphql-require-preflight", "1")
}

/// Its body; the files' places in the variables are made null.
pub fn body(query: &str, mut variables: Value, files: &[File<'_>]) -> Body {
    let mut map = Map::new();
    for (part, (place, _, _)) in files.iter().enumerate() {
        let mut at = &mut variables;
        for step in place.split('.') {
            at = match step.parse::<usize>() {
                Ok(index) => &mut at[index],
                Err(_) => &mut at[step],
            };
        }
        *at = Value::Null;
        map.insert(part.to_string(), json!([format!("variables.{place}")]));
    }
    let operations = json!({ "query": query, "variables": variables }).to_string();
    let mut body = Vec::new();
    let mut part = |disposition: &str, content: &[u8]| {
        body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").bytes());
        body.extend(content);
        body.extend(b"\r\n");
    };
    part("name=\"operations\"", operations.as_bytes());
    part("name=\"map\"", Value::Object(map).to_string().as_bytes());
    for (index, (_, name, content)) in files.iter().enumerate() {
        part(&format!("name=\"{index}\"; filename=\"{name}\""), content);
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    Body::from(body)
}
