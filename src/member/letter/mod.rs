//! The letters that people get about their membership, in Korean and English, each as text and as HTML. The templates
//! stand beside this file. Nothing is sent here: a job hands the letter to the mailer.

mod template;
#[cfg(test)]
mod tests;

use chrono_tz::Tz;

use crate::kernel::{Language, Letter, Recipient, Result, Settings, Timestamp};

/// An invitation that waits to be accepted.
#[derive(Clone, Copy)]
pub struct Invitation<'a> {
    /// The organization's name.
    pub organization: &'a str,
    /// The name of whoever invites.
    pub inviter: &'a str,
    /// The login ID that the invited person gets.
    pub login: &'a str,
    /// Where to accept; from [`invitation_link`].
    pub link: &'a str,
    /// Until when the link is good.
    pub expires_at: Timestamp,
    /// The organization's zone, in which instants are told.
    pub zone: Tz,
}

/// A new password that somebody asked for.
#[derive(Clone, Copy)]
pub struct PasswordReset<'a> {
    /// The organization's name.
    pub organization: &'a str,
    /// The member's login ID.
    pub login: &'a str,
    /// Where to set the password; from [`password_reset_link`].
    pub link: &'a str,
    /// Until when the link is good.
    pub expires_at: Timestamp,
    /// The organization's zone, in which instants are told.
    pub zone: Tz,
}

/// What somebody is told about after it has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The member's password was changed.
    PasswordChanged,
    /// The member's e-mail address was changed; this goes to the old one too.
    EmailChanged,
    /// A second factor was set up.
    SecondFactorAdded,
    /// The second factor was removed.
    SecondFactorRemoved,
    /// The organization has another owner.
    OwnershipTransferred,
}

/// Something that has happened to a member's account, told so that a theft is noticed.
#[derive(Clone, Copy)]
pub struct Notice<'a> {
    /// What has happened.
    pub event: Event,
    /// The organization's name.
    pub organization: &'a str,
    /// The member's login ID.
    pub login: &'a str,
    /// When.
    pub at: Timestamp,
    /// From which address of the network, where that is known.
    pub address: Option<&'a str>,
    /// The organization's zone, in which instants are told.
    pub zone: Tz,
}

/// What came of an import.
#[derive(Debug, Clone)]
pub struct ImportResult<'a> {
    /// The organization's name.
    pub organization: &'a str,
    /// The service's name.
    pub service: &'a str,
    /// What the file was called.
    pub file: &'a str,
    /// How many rows it had.
    pub rows: i32,
    /// How many became tickets.
    pub inserted: i32,
    /// How many were tickets already.
    pub known: i32,
    /// How many became none.
    pub failed: i32,
    /// Why it was not done to its end, in the reader's language.
    pub reason: Option<&'a str>,
    /// When it was over.
    pub at: Timestamp,
    /// The organization's zone, in which instants are told.
    pub zone: Tz,
}

/// Where an invitation is accepted. The token stands behind the `#`, which browsers keep to themselves: no server, proxy
/// or log sees it.
pub fn invitation_link(settings: &Settings, token: &str) -> String {
    link(settings, "invitation", token)
}

/// Where a new password is set; the token stands behind the `#`, as in [`invitation_link`].
pub fn password_reset_link(settings: &Settings, token: &str) -> String {
    link(settings, "password-reset", token)
}

/// Begins with what the operator chose, and with nothing that a request says.
fn link(settings: &Settings, page: &str, token: &str) -> String {
    format!("{}/{page}#{token}", settings.public_url)
}

/// The letter with an invitation. `message_id` is the ID of the job that sends it.
///
/// # Errors
/// Only if a template can't be filled in.
pub fn invitation(
    language: Language,
    message_id: impl Into<String>,
    to: Recipient,
    about: &Invitation<'_>,
) -> Result<Letter> {
    template::invitation(language, message_id.into(), to, about)
}

/// The letter for whoever forgot his password. `message_id` is the ID of the job that sends it.
///
/// # Errors
/// Only if a template can't be filled in.
pub fn password_reset(
    language: Language,
    message_id: impl Into<String>,
    to: Recipient,
    about: &PasswordReset<'_>,
) -> Result<Letter> {
    template::password_reset(language, message_id.into(), to, about)
}

/// The letter about something that has happened to an account. `message_id` is the ID of the job that sends it.
///
/// # Errors
/// Only if a template can't be filled in.
pub fn notice(language: Language, message_id: impl Into<String>, to: Recipient, about: &Notice<'_>) -> Result<Letter> {
    template::notice(language, message_id.into(), to, about)
}

/// The letter about an import that is over. `message_id` is the ID of the job that sends it.
///
/// # Errors
/// Only if a template can't be filled in.
pub fn import_result(
    language: Language,
    message_id: impl Into<String>,
    to: Recipient,
    about: &ImportResult<'_>,
) -> Result<Letter> {
    template::import_result(language, message_id.into(), to, about)
}
