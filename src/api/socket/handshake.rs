//! From a request that asks for a WebSocket to one, or to a refusal in HTTP.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State, WebSocketUpgrade},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request},
    middleware::Next,
    response::Response,
};

use super::{MAX_MESSAGE_BYTES, PROTOCOL, Sockets, conversation::Conversation, places::Holder};
use crate::{
    api::{
        answer,
        backend::Refusal,
        client_address::client_address,
        codes::{RequestCode, request_error},
        layers::{self, RequestId},
        media::Media,
        server::PeerAddress,
        session::Api,
    },
    kernel::{Settings, address},
};

/// What WebSocket itself reads of a message before it gives up: past the largest message, so that most of what is too large
/// is refused with a reason.
const MAX_FRAME_BYTES: usize = 4 * MAX_MESSAGE_BYTES;
/// What is kept for the other side while it does not read.
const MAX_UNSENT_BYTES: usize = 1024 * 1024;

/// Who opened a socket, as far as the request for it says.
pub(super) struct Visitor {
    pub accept_language: Option<String>,
    pub user_agent: Option<String>,
    pub peer: Option<SocketAddr>,
    pub forwarded_for: Vec<HeaderValue>,
    pub forwarded: Vec<HeaderValue>,
    pub request_id: String,
}

impl Visitor {
    fn of(head: &request::Parts) -> Self {
        let text = |name: HeaderName| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
        Self {
            accept_language: text(header::ACCEPT_LANGUAGE),
            user_agent: text(header::USER_AGENT),
            peer: head.extensions.get::<PeerAddress>().map(|peer| peer.0),
            forwarded_for: head.headers.get_all("x-forwarded-for").iter().cloned().collect(),
            forwarded: head.headers.get_all(header::FORWARDED).iter().cloned().collect(),
            request_id: head
                .extensions
                .get::<RequestId>()
                .map(|id| id.as_str().to_owned())
                .unwrap_or_default(),
        }
    }

    /// The address that the request really came from.
    pub(super) fn address(&self, settings: &Settings) -> Option<std::net::IpAddr> {
        let forwarded: Vec<_> = self.forwarded_for.iter().collect();
        self.peer
            .map(|peer| client_address(peer.ip(), &forwarded, &settings.trusted_proxies))
    }
}

/// Opens a socket for whoever asks for one; everything else is HTTP's.
pub(super) async fn or_http(State(state): State<Arc<(Api, Sockets)>>, request: Request, next: Next) -> Response {
    if request.method() != Method::GET || !asks_for_a_socket(request.headers()) {
        return next.run(request).await;
    }
    let (api, sockets) = &*state;
    let (head, _) = request.into_parts();
    open(api, sockets, head).await.unwrap_or_else(|refusal| *refusal)
}

fn asks_for_a_socket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

async fn open(api: &Api, sockets: &Sockets, mut head: request::Parts) -> Result<Response, Box<Response>> {
    if sockets.stopping.is_cancelled() {
        return Err(Box::new(layers::overloaded(Media::Json)));
    }
    let settings = &api.app().settings;
    if !is_welcome(&head.headers, settings) {
        let message = "Pages of this origin may not open a socket here.";
        return Err(refused(StatusCode::FORBIDDEN, RequestCode::OriginNotAllowed, message));
    }
    let visitor = Visitor::of(&head);
    let upgrade = WebSocketUpgrade::from_request_parts(&mut head, &()).await;
    let upgrade = upgrade.map_err(|_| {
        let message = "That is no handshake of WebSocket, version 13.";
        refused(StatusCode::BAD_REQUEST, RequestCode::BadRequest, message)
    })?;
    let upgrade = upgrade.protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        let message = "Ask for the protocol graphql-transport-ws; the older graphql-ws is not served.";
        return Err(refused(StatusCode::BAD_REQUEST, RequestCode::BadRequest, message));
    }
    let limits = &sockets.settings;
    // Callers have places of their own: no stranger takes one.
    if sockets.places.is_full(Holder::Server, limits.most) {
        return Err(Box::new(layers::overloaded(Media::Json)));
    }
    let from = visitor.address(settings).map(address::household);
    let (most_of_address, most) = (limits.most_strangers_of_address, limits.most_strangers);
    let stranger = sockets.strangers.take(from, most_of_address, most).ok_or_else(|| {
        let message = "Too many sockets from there are waiting to be initialised.";
        let mut refusal = Refusal::of(StatusCode::TOO_MANY_REQUESTS, RequestCode::Throttled, message);
        refusal
            .headers
            .push((header::RETRY_AFTER, HeaderValue::from_static("1")));
        Box::new(refusal.reply(Media::Json))
    })?;
    let (api, sockets) = (api.clone(), sockets.clone());
    let open = sockets.open.token();
    let upgrade = upgrade
        .max_message_size(MAX_FRAME_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .read_buffer_size(MAX_MESSAGE_BYTES / 4)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_UNSENT_BYTES)
        .on_failed_upgrade(|error| tracing::debug!(%error, "a socket was not opened"));
    Ok(upgrade.on_upgrade(async move |socket| {
        let begun = Instant::now();
        let request_id = visitor.request_id.clone();
        let code = Conversation::new(socket, api, visitor, &sockets, stranger).hold().await;
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(target: "access", method = "WS", path = "/graphql", code, ms, request_id);
        drop(open);
    }))
}

fn refused(status: StatusCode, code: RequestCode, message: &str) -> Box<axum::http::Response<Body>> {
    Box::new(answer::problem(
        Media::Json,
        status,
        &request_error(code, message, None),
    ))
}

/// Whether a page of this origin may open a socket: one of ours, or one that the operator named. Whoever is no browser has
/// no origin. Tokens travel in messages and never in a cookie, so this stands beside them and not in their place.
fn is_welcome(headers: &HeaderMap, settings: &Settings) -> bool {
    let mut all = headers.get_all(header::ORIGIN).iter();
    let origin = match (all.next(), all.next()) {
        (None, _) => return true,
        (Some(only), None) => only.to_str().unwrap_or("null"),
        (Some(_), Some(_)) => return false,
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let of_origin = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    let is_own = of_origin.is_some_and(|of_origin| !of_origin.is_empty() && Some(of_origin) == host);
    let is_public = settings
        .public_url
        .strip_prefix(origin)
        .is_some_and(|rest| !origin.is_empty() && (rest.is_empty() || rest.starts_with('/')));
    is_own || is_public || settings.allowed_origins.iter().any(|named| named == origin)
}
