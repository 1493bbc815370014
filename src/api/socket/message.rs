//! The messages of graphql-transport-ws: eight kinds, each a JSON object with its `type`.

use async_graphql::{Response, ServerError};
use serde::{Serialize, ser::Error as _};
use serde_json::{Map, Value as Json};

use super::MAX_OPERATION_ID_BYTES;
use crate::{
    api::{
        bearer::{self, Bearer},
        parameters::{self, Parameters},
        written,
    },
    kernel::json::Foreign,
};

/// Why a conversation ends, as the other side is told: a code of the protocol or of WebSocket, and a reason of at most 123
/// bytes, which is what fits into the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Close(pub u16, pub &'static str);

impl Close {
    pub(super) const RESTART: Self = Self(1012, "The server is stopping: connect again.");
    pub(super) const TRY_LATER: Self = Self(1013, "The service is not available at the moment.");
    pub(super) const TOO_LARGE: Self = Self(1009, "A message is larger than 64 kB.");
    pub(super) const SILENT: Self = Self(1001, "Nothing was heard for a minute.");
    pub(super) const INVALID: Self = Self(4400, "That is no message of graphql-transport-ws.");
    pub(super) const INVALID_PAYLOAD: Self = Self(
        4400,
        "The payload of a subscribe message is an object with a text query.",
    );
    pub(super) const UNAUTHORIZED: Self = Self(4401, "Unauthorized");
    pub(super) const FORBIDDEN: Self = Self(
        4403,
        "Forbidden: connection_init has no token, or one that is not good.",
    );
    pub(super) const TOKEN_OVER: Self = Self(4403, "Forbidden: the token or its session is over.");
    pub(super) const INIT_LATE: Self = Self(4408, "Connection initialisation timeout");
    pub(super) const CROWDED: Self = Self(
        4408,
        "Connection initialisation timeout: there are too many others who wait",
    );
    pub(super) const TWICE: Self = Self(4409, "Subscriber for that id already exists");
    pub(super) const INIT_AGAIN: Self = Self(4429, "Too many initialisation requests");
    pub(super) const TOO_MANY: Self = Self(4429, "Too many connections of the member or the organization.");
    pub(super) const THROTTLED: Self = Self(4429, "Too many requests: come again later.");
    pub(super) const IDLE: Self = Self(4429, "Too many messages that begin nothing: come again later.");
}

/// What the other side says.
#[derive(Debug)]
pub(super) enum Incoming {
    /// The begin, with a token where there is one that looks like one. Not to be logged.
    Init(Option<String>),
    Ping,
    Pong,
    Subscribe(String, Box<Result<Parameters, ServerError>>),
    Complete(String),
}

/// Takes a message apart.
///
/// # Errors
/// 4400 for what the protocol does not know.
pub(super) fn read(text: &str) -> Result<Incoming, Close> {
    let Ok(Foreign(Json::Object(mut message))) = serde_json::from_str(text) else {
        return Err(Close::INVALID);
    };
    let kind = message.remove("type");
    let payload = message.remove("payload");
    match kind.as_ref().and_then(Json::as_str) {
        Some("connection_init") => Ok(Incoming::Init(token(payload)?)),
        Some("ping") => about_life(payload.as_ref(), Incoming::Ping),
        Some("pong") => about_life(payload.as_ref(), Incoming::Pong),
        Some("complete") => Ok(Incoming::Complete(id(&mut message)?)),
        Some("subscribe") => {
            let id = id(&mut message)?;
            let Some(payload @ Json::Object(_)) = payload else {
                return Err(Close::INVALID_PAYLOAD);
            };
            if !payload.get("query").is_some_and(Json::is_string) {
                return Err(Close::INVALID_PAYLOAD);
            }
            Ok(Incoming::Subscribe(id, Box::new(parameters::of_json(payload))))
        }
        _ => Err(Close::INVALID),
    }
}

fn about_life(payload: Option<&Json>, message: Incoming) -> Result<Incoming, Close> {
    match payload {
        None | Some(Json::Null | Json::Object(_)) => Ok(message),
        Some(_) => Err(Close::INVALID),
    }
}

/// The ID of an operation: any text that is not empty.
fn id(message: &mut Map<String, Json>) -> Result<String, Close> {
    match message.remove("id") {
        Some(Json::String(id)) if (1..=MAX_OPERATION_ID_BYTES).contains(&id.len()) => Ok(id),
        _ => Err(Close::INVALID),
    }
}

/// The token of `{"authorization": "Bearer …"}`, whose name is written as HTTP has it, in any case. More of a payload is
/// left unread.
fn token(payload: Option<Json>) -> Result<Option<String>, Close> {
    let members = match payload {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Object(members)) => members,
        Some(_) => return Err(Close::INVALID),
    };
    let mut named = members
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let (Some((_, Json::String(only))), None) = (named.next(), named.next()) else {
        return Ok(None);
    };
    Ok(match bearer::of_text(only) {
        Bearer::Token(token) => Some(token.to_owned()),
        Bearer::Absent | Bearer::Malformed => None,
    })
}

/// What is said to the other side.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Outgoing<'m> {
    ConnectionAck,
    Pong,
    /// Not written by the executor's own types: see `written`.
    #[serde(skip)]
    Next {
        id: &'m str,
        payload: &'m Response,
    },
    Error {
        id: &'m str,
        payload: &'m [ServerError],
    },
    Complete {
        id: &'m str,
    },
}

impl Outgoing<'_> {
    /// The message as text.
    ///
    /// # Errors
    /// If an answer can't be written as JSON.
    pub(super) fn text(&self) -> serde_json::Result<String> {
        let Self::Next { id, payload } = self else {
            return serde_json::to_string(self);
        };
        let (id, payload) = (serde_json::to_string(id)?, written::json(payload)?);
        let payload = std::str::from_utf8(&payload).map_err(serde_json::Error::custom)?;
        Ok(format!(r#"{{"type":"next","id":{id},"payload":{payload}}}"#))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    #[test]
    fn g7_only_messages_of_the_protocol_are_read() {
        for (text, is_read) in [
            (r#"{"type":"connection_init"}"#, true),
            (
                r#"{"type":"connection_init","payload":{"authorization":"Bearer a"}}"#,
                true,
            ),
            (r#"{"type":"ping","payload":{"a":1}}"#, true),
            (r#"{"type":"pong"}"#, true),
            (r#"{"type":"complete","id":"1"}"#, true),
            (r#"{"type":"subscribe","id":"1","payload":{"query":"{a}"}}"#, true),
            (
                r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[1]}}"#,
                true,
            ),
            (r#"{"type":"connection_init","payload":"Bearer a"}"#, false),
            (r#"{"type":"ping","payload":1}"#, false),
            (r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#, false),
            (r#"{"type":"subscribe","id":1,"payload":{"query":"{a}"}}"#, false),
            (r#"{"type":"subscribe","payload":{"query":"{a}"}}"#, false),
            (r#"{"type":"subscribe","id":"1"}"#, false),
            (r#"{"type":"subscribe","id":"1","payload":{}}"#, false),
            (r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#, false),
            (r#"{"type":"next","id":"1","payload":{}}"#, false),
            (r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#, false),
            (r#"{"type":7}"#, false),
            (r#"[{"type":"ping"}]"#, false),
            ("ping", false),
            ("", false),
        ] {
            assert_eq!(read(text).is_ok(), is_read, "{text}");
        }
        let long = "x".repeat(MAX_OPERATION_ID_BYTES + 1);
        assert!(read(&format!(r#"{{"type":"complete","id":"{long}"}}"#)).is_err());
        assert!(read(&format!(r#"{{"type":"ping","payload":{}"#, "[".repeat(10_000))).is_err());
    }

    #[test]
    fn g7_a_token_is_found_whatever_the_case_of_its_name_and_never_guessed() {
        for (payload, expected) in [
            (r#"{"authorization":"Bearer a"}"#, Some("a")),
            (r#"{"Authorization":"bearer a"}"#, Some("a")),
            (r#"{"authorization":"Bearer a","more":{"b":1}}"#, Some("a")),
            (r#"{"authorization":"Bearer a","Authorization":"Bearer b"}"#, None),
            (r#"{"authorization":"a"}"#, None),
            (r#"{"authorization":7}"#, None),
            (r#"{"token":"Bearer a"}"#, None),
            ("{}", None),
            ("null", None),
        ] {
            let read = read(&format!(r#"{{"type":"connection_init","payload":{payload}}}"#));
            let Ok(Incoming::Init(token)) = read else {
                panic!("{payload}: {read:?}");
            };
            assert_eq!(token.as_deref(), expected, "{payload}");
        }
    }

    #[test]
    fn g7_reasons_fit_into_their_frame() {
        for close in [
            Close::RESTART,
            Close::TRY_LATER,
            Close::TOO_LARGE,
            Close::SILENT,
            Close::INVALID,
            Close::INVALID_PAYLOAD,
            Close::UNAUTHORIZED,
            Close::FORBIDDEN,
            Close::TOKEN_OVER,
            Close::INIT_LATE,
            Close::CROWDED,
            Close::TWICE,
            Close::INIT_AGAIN,
            Close::TOO_MANY,
            Close::THROTTLED,
            Close::IDLE,
        ] {
            assert!(close.1.len() <= 123, "{close:?}");
        }
    }

    #[test]
    fn g7_messages_are_written_as_the_protocol_has_them() {
        let response = Response::new(value!({ "a": 1 }));
        let written = Response::new(async_graphql::Value::Binary(br#"[{"b":2}]"#.as_slice().into()));
        let errors = [ServerError::new("no", None)];
        for (message, text) in [
            (Outgoing::ConnectionAck, r#"{"type":"connection_ack"}"#),
            (Outgoing::Pong, r#"{"type":"pong"}"#),
            (
                Outgoing::Next {
                    id: "1",
                    payload: &response,
                },
                r#"{"type":"next","id":"1","payload":{"data":{"a":1}}}"#,
            ),
            (
                Outgoing::Next {
                    id: "\"",
                    payload: &written,
                },
                r#"{"type":"next","id":"\"","payload":{"data":[{"b":2}]}}"#,
            ),
            (
                Outgoing::Error {
                    id: "1",
                    payload: &errors,
                },
                r#"{"type":"error","id":"1","payload":[{"message":"no"}]}"#,
            ),
            (Outgoing::Complete { id: "1" }, r#"{"type":"complete","id":"1"}"#),
        ] {
            assert_eq!(message.text().unwrap(), text);
        }
    }
}
