//! The two pages that a letter's link opens: accepting an invitation, and setting a new password. The link's secret
//! stands behind `#`, so that no server, log or referrer ever sees it; a small script takes it from there, asks the
//! API what it is for, and uses it when the person has chosen a password. Opening a page uses nothing up.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use anyhow::Context;
use axum::{
    Router,
    body::Bytes,
    extract::RawQuery,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::kernel::Language;

/// What the pages may load, and from where: this server's own files and its API.
pub const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const PAGE: &str = include_str!("page.html");
const TEXTS: &str = include_str!("texts.toml");
const SCRIPT: &str = include_str!("account.js");
const STYLE: &str = include_str!("account.css");

/// A page: its path, and its name in `texts.toml`.
const PAGES: [(&str, &str); 2] = [("/invitation", "invitation"), ("/password-reset", "password-reset")];

/// The languages that a page comes in.
const LANGUAGES: [Language; 2] = [Language::Korean, Language::English];

/// The pages at `/invitation` and `/password-reset`, and their script and style.
///
/// # Errors
/// Only if the pages' own texts can't be read.
pub fn routes<S: Clone + Send + Sync + 'static>() -> anyhow::Result<Router<S>> {
    let texts: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> =
        toml::from_str(TEXTS).context("the texts of the account pages")?;
    let mut router = Router::new()
        .route("/account/account.js", file("text/javascript; charset=utf-8", SCRIPT))
        .route("/account/account.css", file("text/css; charset=utf-8", STYLE));
    for (path, name) in PAGES {
        let mut written = Vec::new();
        for language in LANGUAGES {
            let of = texts.get(language.tag()).context("a language of the account pages")?;
            written.push((language, Bytes::from(write(language, name, of)?)));
        }
        let written: Arc<[_]> = written.into();
        let show = move |RawQuery(query): RawQuery, headers: HeaderMap| async move {
            let language = wanted(query.as_deref(), &headers);
            let page = written.iter().find(|(written, _)| *written == language);
            let page = page.map(|(_, page)| page.clone()).unwrap_or_default();
            let own = [
                (header::CONTENT_LANGUAGE, language.tag()),
                (header::VARY, "Accept-Language"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            answer("text/html; charset=utf-8", &own, page)
        };
        router = router.route(path, get(show));
    }
    Ok(router)
}

/// The language that the letter's link names, or else the browser.
fn wanted(query: Option<&str>, headers: &HeaderMap) -> Language {
    let named = query
        .unwrap_or_default()
        .split('&')
        .find_map(|part| part.strip_prefix("language="));
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    LANGUAGES
        .into_iter()
        .find(|language| named == Some(language.tag()))
        .unwrap_or_else(|| accepted.map_or_else(Language::default, Language::accepted))
}

/// The page with its texts: those that all pages have, and its own.
fn write(language: Language, name: &str, texts: &BTreeMap<String, BTreeMap<String, String>>) -> anyhow::Result<String> {
    let mut page = PAGE
        .replace("{{language}}", language.tag())
        .replace("{{page}}", name)
        .replace("{{version}}", &version());
    for part in ["shared", name] {
        for (key, text) in texts.get(part).context("a page without texts")? {
            page = page.replace(&format!("{{{{{key}}}}}"), text);
        }
    }
    Ok(page)
}

/// Another one after every change of script or style, so that a kept old one is never used.
fn version() -> String {
    let mut hasher = DefaultHasher::new();
    (SCRIPT, STYLE).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn file<S: Clone + Send + Sync + 'static>(
    content_type: &'static str,
    content: &'static str,
) -> axum::routing::MethodRouter<S> {
    get(move || async move {
        let kept = [(header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
        answer(content_type, &kept, Bytes::from_static(content.as_bytes()))
    })
}

fn answer(content_type: &'static str, own: &[(HeaderName, &'static str)], content: Bytes) -> Response {
    let all = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let headers: HeaderMap = all
        .iter()
        .chain(own)
        .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
        .collect();
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a4_every_page_has_all_its_texts_in_both_languages() {
        let texts: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> = toml::from_str(TEXTS).unwrap();
        for language in LANGUAGES {
            for (_, name) in PAGES {
                let page = write(language, name, &texts[language.tag()]).unwrap();
                assert!(!page.contains("{{"), "{name} in {}: {page}", language.tag());
                assert!(!page.contains("http://") && !page.contains("https://"), "{name}");
            }
        }
        let keys = |language: &str| -> Vec<_> {
            let parts = texts[language].iter();
            parts
                .flat_map(|(part, texts)| texts.keys().map(move |key| (part.clone(), key.clone())))
                .collect()
        };
        assert_eq!(keys("ko"), keys("en"));
    }

    #[test]
    fn a4_the_link_says_the_language_and_else_the_browser() {
        let mut headers = HeaderMap::new();
        assert_eq!(wanted(None, &headers), Language::Korean);
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en-GB"));
        assert_eq!(wanted(None, &headers), Language::English);
        assert_eq!(wanted(Some("language=ko"), &headers), Language::Korean);
        assert_eq!(wanted(Some("language=xx&language=ko"), &headers), Language::English);
    }
}
