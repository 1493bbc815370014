//! From a letter to what goes over the wire. Headers are typed, so that no name or subject can begin another one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lettre::{
    Message,
    message::{Mailbox, MultiPart, MultiPartKind, SinglePart, header},
};

use super::{Letter, Undelivered, is_address};
use crate::kernel::Timestamp;

/// The letter as a message with exactly one recipient.
///
/// # Errors
/// `Never` where a name, subject or address could mean more than it says.
pub(super) fn message(letter: Letter, from: &Mailbox, now: Timestamp) -> Result<Message, Undelivered> {
    let refused = || Undelivered::Never("UNSENDABLE".to_owned());
    let Letter {
        to,
        subject,
        text,
        html,
        message_id,
    } = letter;
    let is_line = |text: &str| !text.chars().any(char::is_control);
    let is_word = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        !text.is_empty() && text.bytes().all(allowed)
    };
    if !is_address(&to.email) || !is_line(&to.name) || !is_line(&subject) || !is_word(&message_id) {
        return Err(refused());
    }
    let address = to.email.parse().map_err(|_| refused())?;
    // An equals sign with this behind it is never written by the encoding of the parts.
    let boundary = format!("=_{message_id}");
    let message_id = id(&message_id, from);
    let part = |content_type, body| {
        SinglePart::builder()
            .header(content_type)
            .header(header::ContentTransferEncoding::QuotedPrintable)
            .body(body)
    };
    let parts = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(boundary)
        .singlepart(part(header::ContentType::TEXT_PLAIN, text))
        .singlepart(part(header::ContentType::TEXT_HTML, html));
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(
            Some(to.name).filter(|name| !name.contains(ENCODED)),
            address,
        ))
        .raw_header(subject_header(subject))
        .message_id(Some(message_id))
        .raw_header(automatic())
        .date(now.0.into())
        .multipart(parts)
        .map_err(|_| refused())
}

/// A letter's `Message-ID`: the same for each attempt.
pub(super) fn id(message_id: &str, from: &Mailbox) -> String {
    format!("<{message_id}@{}>", from.email.domain())
}

/// What an encoded word begins with. Text that has it would be read as something else, also between quotes by some.
const ENCODED: &str = "=?";

/// The subject in encoded words that fit into a line of 76 characters, as RFC 2047 has it; as it is where it is plain.
fn subject_header(subject: String) -> header::HeaderValue {
    let name = header::HeaderName::new_from_ascii_str("Subject");
    if subject.is_ascii() && !subject.contains(ENCODED) {
        return header::HeaderValue::new(name, subject);
    }
    let mut words = vec![String::new()];
    for letter in subject.chars() {
        match words.last_mut() {
            Some(word) if word.len() + letter.len_utf8() <= 39 => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    let words = words
        .iter()
        .map(|word| format!("{ENCODED}utf-8?B?{}?=", STANDARD.encode(word)));
    let encoded = words.collect::<Vec<_>>().join("\r\n ");
    header::HeaderValue::dangerous_new_pre_encoded(name, subject, encoded)
}

/// Tells programs that answer for absent people to be silent.
fn automatic() -> header::HeaderValue {
    let name = header::HeaderName::new_from_ascii_str("Auto-Submitted");
    header::HeaderValue::new(name, "auto-generated".to_owned())
}
