//! The demo's mailbox: letters that no mail server takes, to be read in a browser of this machine. Plain pages without
//! scripts; what a letter brings along as HTML is shown in a frame that may do nothing but open its links.

use std::io;

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header::CONTENT_SECURITY_POLICY},
    response::{Html, IntoResponse, Response},
    routing::get,
};

use crate::kernel::{
    App,
    mail::mailbox::{Folder, Kept},
};

/// Where it is.
pub const PATH: &str = "/dev/mailbox";

/// What the pages may load: this server's style sheet, and a letter's HTML in a frame.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// What a letter's HTML may load: nothing. It has inline styles, and its links open in a tab of their own.
const LETTER_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

const STYLE: &str = include_str!("mailbox.css");

/// The letters of an installation, and what links of its own begin with.
#[derive(Clone)]
struct Letters {
    folder: Folder,
    public_url: String,
}

/// The pages, where this is a demo without a mail server; no pages otherwise.
pub fn routes(app: &App) -> Router {
    let settings = &app.settings;
    if !settings.is_demo || settings.mail.server.is_some() {
        return Router::new();
    }
    let letters = Letters {
        folder: Folder::of(&settings.data),
        public_url: settings.public_url.clone(),
    };
    Router::new()
        .route(PATH, get(list))
        .route("/dev/mailbox/mailbox.css", get(style))
        .route("/dev/mailbox/{id}", get(letter))
        .route("/dev/mailbox/{id}/html", get(html))
        .with_state(letters)
}

#[derive(Template)]
#[template(path = "api/mailbox/list.html")]
struct ListPage {
    letters: Vec<(String, Kept)>,
}

#[derive(Template)]
#[template(path = "api/mailbox/letter.html")]
struct LetterPage<'a> {
    id: &'a str,
    letter: &'a Kept,
    /// The text in pieces, and of each whether it is a link to this server.
    pieces: Vec<(&'a str, bool)>,
}

async fn list(State(letters): State<Letters>) -> Result<Response, StatusCode> {
    let letters = blocking(move || letters.folder.letters()).await?;
    page(&ListPage { letters })
}

async fn letter(State(letters): State<Letters>, Path(id): Path<String>) -> Result<Response, StatusCode> {
    let letter = found(&letters, &id).await?;
    page(&LetterPage {
        id: &id,
        pieces: pieces(&letter.text, &letters.public_url),
        letter: &letter,
    })
}

async fn html(State(letters): State<Letters>, Path(id): Path<String>) -> Result<Response, StatusCode> {
    let letter = found(&letters, &id).await?;
    Ok(answer(letter.html, LETTER_POLICY))
}

async fn style() -> Response {
    ([(axum::http::header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

async fn found(letters: &Letters, id: &str) -> Result<Kept, StatusCode> {
    let (folder, id) = (letters.folder.clone(), id.to_owned());
    let letter = blocking(move || folder.letter(&id)).await?;
    letter.ok_or(StatusCode::NOT_FOUND)
}

/// Reads files where that holds up nobody else.
async fn blocking<T: Send + 'static>(read: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, StatusCode> {
    let read = tokio::task::spawn_blocking(read).await.map_err(io::Error::other);
    read.flatten().map_err(|error| {
        tracing::error!(%error, "the mailbox can't be read");
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

fn page(template: &impl Template) -> Result<Response, StatusCode> {
    let text = template.render().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(answer(text, PAGE_POLICY))
}

fn answer(text: String, policy: &'static str) -> Response {
    let policy = [(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))];
    (policy, Html(text)).into_response()
}

/// The text in pieces: what begins with this server's address, up to white space, is a link; nothing else is.
fn pieces<'a>(text: &'a str, public_url: &str) -> Vec<(&'a str, bool)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let begin = format!("{public_url}/");
    while let Some(place) = rest.find(&begin) {
        let (before, link) = rest.split_at(place);
        let end = link.find(char::is_whitespace).unwrap_or(link.len());
        pieces.extend([(before, false), (&link[..end], true)]);
        rest = &link[end..];
    }
    pieces.push((rest, false));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_with_this_servers_address_is_a_link() {
        let text = "Open\nhttp://127.0.0.1:8080/invitation#abc\nor http://evil.example/ now";

        assert_eq!(
            pieces(text, "http://127.0.0.1:8080"),
            [
                ("Open\n", false),
                ("http://127.0.0.1:8080/invitation#abc", true),
                ("\nor http://evil.example/ now", false),
            ]
        );
        assert_eq!(pieces("", "http://x"), [("", false)]);
    }
}
