//! The playground: GraphiQL with a sign-in form and the example operations, out of the binary, without another host.

mod operations;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

pub use operations::{OPERATIONS, Operation};

/// What the page may load, and from where: this server's own files, fonts and images inside them, nothing else.
/// Inline styles are what GraphiQL's editor and menus set on their elements; inline scripts are refused.
pub const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src data:; connect-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

const NOT_KEPT: &str = "no-store";
/// A year, the most that caches are asked for. A changed file has another `v` in its address.
const KEPT: &str = "public, max-age=31536000, immutable";

const PAGE: &str = include_str!("index.html");
const PAGE_STYLE: &str = include_str!("playground.css");
/// The page's own scripts. `{{version}}` in them stands for the version of them all.
const SCRIPTS: [(&str, &str); 3] = [
    ("playground.js", include_str!("playground.js")),
    ("editor.js", include_str!("editor.js")),
    ("session.js", include_str!("session.js")),
];

/// A vendored file; licences in `assets/LICENSES.md`.
struct Vendored {
    name: &'static str,
    version: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

const VENDORED: [Vendored; 4] = [
    Vendored {
        name: "graphiql.min.js",
        version: "4.1.2",
        content_type: SCRIPT,
        content: include_bytes!("assets/graphiql.min.js"),
    },
    Vendored {
        name: "graphiql.min.css",
        version: "4.1.2",
        content_type: STYLE,
        content: include_bytes!("assets/graphiql.min.css"),
    },
    Vendored {
        name: "react.production.min.js",
        version: "18.3.1",
        content_type: SCRIPT,
        content: include_bytes!("assets/react.production.min.js"),
    },
    Vendored {
        name: "react-dom.production.min.js",
        version: "18.3.1",
        content_type: SCRIPT,
        content: include_bytes!("assets/react-dom.production.min.js"),
    },
];

/// What the sign-in form gives away in demo mode. Everyone who can open the page reads it, the password too.
#[derive(Debug, Clone, Serialize)]
pub struct Hint {
    /// The domain of the demo organization.
    pub organization: String,
    /// The login ID of its owner.
    pub login: String,
    /// The password of its owner, in the clear.
    pub password: String,
}

/// One address below `/graphiql/`, ready to be sent.
struct File {
    name: &'static str,
    /// The `v` that makes an address name exactly this content; empty where it may change.
    version: String,
    content_type: &'static str,
    content: Bytes,
}

/// The playground at `/graphiql` and its files at `/graphiql/{file}`. Files asked for with the version that the page
/// names may be kept for good; the page and the operations are never kept. Other names answer 404.
pub fn routes<S: Clone + Send + Sync + 'static>(hint: Option<Hint>) -> Router<S> {
    let version = own_version();
    let page = Bytes::from(page(&version, hint.as_ref()));
    let files: Arc<[File]> = files(&version).into();
    let show = move || {
        let page = page.clone();
        async move { answer(HTML, NOT_KEPT, page) }
    };
    Router::new()
        .route("/graphiql", get(show.clone()))
        .route("/graphiql/", get(show))
        .route(
            "/graphiql/{file}",
            get(move |Path(name): Path<String>, RawQuery(query)| async move { file(&files, &name, query.as_deref()) }),
        )
}

fn file(files: &[File], name: &str, query: Option<&str>) -> Response {
    let Some(file) = files.iter().find(|file| file.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let asked = query.and_then(|query| query.strip_prefix("v="));
    // Another version's page may ask while servers are being replaced: its address must not keep this content.
    let is_exact = !file.version.is_empty() && asked == Some(file.version.as_str());
    answer(
        file.content_type,
        if is_exact { KEPT } else { NOT_KEPT },
        file.content.clone(),
    )
}

fn answer(content_type: &'static str, kept: &'static str, content: Bytes) -> Response {
    let headers: [(HeaderName, &'static str); 5] = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, kept),
        (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    let headers: HeaderMap = headers
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect();
    (headers, content).into_response()
}

fn files(version: &str) -> Vec<File> {
    let vendored = VENDORED.iter().map(|file| File {
        name: file.name,
        version: file.version.to_owned(),
        content_type: file.content_type,
        content: Bytes::from_static(file.content),
    });
    let scripts = SCRIPTS.iter().map(|&(name, text)| File {
        name,
        version: version.to_owned(),
        content_type: SCRIPT,
        content: Bytes::from(text.replace("{{version}}", version)),
    });
    let style = File {
        name: "playground.css",
        version: version.to_owned(),
        content_type: STYLE,
        content: Bytes::from_static(PAGE_STYLE.as_bytes()),
    };
    let operations = File {
        name: "operations.json",
        version: String::new(),
        content_type: JSON,
        content: Bytes::from(json(OPERATIONS)),
    };
    vendored.chain(scripts).chain([style, operations]).collect()
}

/// The version of the page's own files: another one after every change to any of them.
fn own_version() -> String {
    let mut hasher = DefaultHasher::new();
    SCRIPTS.hash(&mut hasher);
    PAGE_STYLE.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn page(version: &str, hint: Option<&Hint>) -> String {
    // The hint goes in last: nothing that it contains is read as a placeholder.
    PAGE.replace("{{version}}", version)
        .replace("{{hint}}", &in_html(&json(&hint)))
}

/// JSON that may stand inside a `script` element: no character that could end it.
fn in_html(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// Serialises what always can be: structures of texts.
fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_cannot_leave_its_element() {
        let password = "</script><script>alert(1)</script>&{{version}}";
        let hint = Hint {
            organization: "demo".into(),
            login: "owner".into(),
            password: password.into(),
        };
        let page = page("7", Some(&hint));
        let (_, after) = page.split_once(r#"id="hint">"#).unwrap();
        let (inside, _) = after.split_once("</script>").unwrap();
        let read: serde_json::Value = serde_json::from_str(inside).unwrap();
        assert_eq!(read["password"], password);
        assert_eq!(page.matches("<script").count(), PAGE.matches("<script").count());
    }

    #[test]
    fn the_page_names_the_versions_that_are_served() {
        let page = page("7", None);
        for file in files("7").iter().filter(|file| !file.version.is_empty()) {
            let address = format!("/graphiql/{}?v={}", file.name, file.version);
            let is_named = page.contains(&address)
                || files("7")
                    .iter()
                    .any(|other| String::from_utf8_lossy(&other.content).contains(&address));
            assert!(is_named, "{address}");
        }
        assert!(page.contains(r#"id="hint">null</script>"#));
        assert!(!page.contains("{{"));
    }

    #[test]
    fn only_an_exact_address_is_kept_for_good() {
        let files = files("7");
        let kept = |name, query| file(&files, name, query).headers()[CACHE_CONTROL].clone();
        assert_eq!(kept("playground.js", Some("v=7")), KEPT);
        assert_eq!(kept("playground.js", Some("v=6")), NOT_KEPT);
        assert_eq!(kept("playground.js", None), NOT_KEPT);
        assert_eq!(kept("operations.json", Some("v=")), NOT_KEPT);
        assert_eq!(file(&files, "mod.rs", None).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_licences_name_every_vendored_file() {
        let licences = include_str!("assets/LICENSES.md");
        for file in &VENDORED {
            let row = format!("| `{}` | ", file.name);
            let line = licences.lines().find(|line| line.starts_with(&row)).unwrap();
            assert!(line.contains(&format!("| {} |", file.version)), "{line}");
            assert!(!file.content.windows(16).any(|part| part == b"sourceMappingURL"));
        }
    }
}
