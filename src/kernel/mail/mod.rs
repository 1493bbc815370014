//! Letters and the ways that they go: to a mail server, or into a folder where there is none. A letter is written by the
//! area that speaks in it and is sent by a job, so that whoever asked does not wait for a mail server.

pub mod mailbox;
mod message;
pub mod smtp;

use std::fmt;

use futures_util::future::BoxFuture;

use super::outbox::Fate;

/// Whom a letter is for.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The name, at most 100 characters, none of them a control character.
    pub name: String,
    /// The one e-mail address; see [`is_address`].
    pub email: String,
}

/// A letter, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Whom it is for.
    pub to: Recipient,
    /// What it is about. No token stands in it: subjects are shown and logged.
    pub subject: String,
    /// What it says, as text.
    pub text: String,
    /// The same as HTML, which needs nothing from another host.
    pub html: String,
    /// What its `Message-ID` begins with: the ID of the job that sends it, so that each attempt sends the same letter.
    pub message_id: String,
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipient(***)")
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}

/// Why a letter did not go: a code and never data, for it stands in the job's row and in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Undelivered {
    /// It may go another time.
    Later(String),
    /// It will not go, however often it is tried.
    Never(String),
}

impl From<Result<(), Undelivered>> for Fate {
    fn from(sent: Result<(), Undelivered>) -> Self {
        match sent {
            Ok(()) => Self::Done,
            Err(Undelivered::Later(reason)) => Self::Failed(reason),
            Err(Undelivered::Never(reason)) => Self::GivenUp(reason),
        }
    }
}

/// A way for letters to go. It answers within a minute.
pub trait Mailer: Send + Sync {
    /// Sends a letter; when it answers well, somebody else is responsible for it.
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), Undelivered>>;
}

/// Whether a letter can be addressed to it: one address, `name@domain.tld` in ASCII, at most 254 bytes, without quotes,
/// comments or brackets, so that it is one recipient to every program that reads it.
pub fn is_address(text: &str) -> bool {
    let atom = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
        !part.is_empty() && part.bytes().all(allowed)
    };
    let label = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&part.len()) && part.bytes().all(allowed) && !part.starts_with('-') && !part.ends_with('-')
    };
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            local.len() <= 64 && local.split('.').all(atom) && domain.contains('.') && domain.split('.').all(label)
        })
}
