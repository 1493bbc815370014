//! 다운로드: files leave by a link that an answer gives, never in an answer itself. A link is a sealed text, not a row:
//! it names whose session asked for it, from where, and which file, and is good for five minutes. What the file holds is
//! read only when it is fetched, by the rights that its caller has then.

use std::net::IpAddr;

use async_graphql::SimpleObject;
use bytes::Bytes;
use chrono::Duration;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::{
    App, Caller, Error, Language, MemberId, OrganizationId, Result, SessionId, Timestamp, scalar::Url, secret::Purpose,
};

/// How long a link is good.
const GOOD_FOR: Duration = Duration::minutes(5);

/// Where links lead.
pub const PATH: &str = "/download/";

/// Where a file can be fetched. The link is the caller's alone: it ends with his session, and holds from the address
/// only from which he asked for it.
#[derive(Debug, Clone, SimpleObject)]
pub struct DownloadLink {
    /// Where the file is: to be fetched by GET, as it stands.
    pub url: Url,
    /// Until when it can be fetched: five minutes.
    pub expires_at: Timestamp,
}

/// What a file holds.
pub enum Content {
    /// All of it.
    Whole(Vec<u8>),
    /// Piece by piece.
    Pieces(BoxStream<'static, Result<Bytes>>),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Content")
    }
}

/// A file on its way out.
#[derive(Debug)]
pub struct File {
    /// Under which name it is saved, with its ending; letters of any script.
    pub name: String,
    /// What kind of file it is.
    pub media_type: &'static str,
    /// Its bytes.
    pub content: Content,
}

impl File {
    /// A workbook of Excel.
    pub fn workbook(name: &str, content: Vec<u8>) -> Self {
        Self {
            name: format!("{name}.xlsx"),
            media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            content: Content::Whole(content),
        }
    }
}

/// What a link says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// Of which organization.
    pub organization: OrganizationId,
    /// Whose it is.
    pub member: MemberId,
    /// In which session he asked for it.
    pub session: SessionId,
    /// From where.
    pub address: Option<IpAddr>,
    /// Whether he reads English.
    is_english: bool,
    /// What makes the file, as `api/download.rs` names it.
    pub kind: String,
    /// Which of its files, such as a day.
    pub argument: String,
    /// Until when it is good.
    expires_at: Timestamp,
}

impl Pass {
    /// What a link says, if it is one of ours and its time is not over.
    pub fn read(app: &App, text: &str) -> Option<Self> {
        let payload = app.keys.open(Purpose::Download, &[], text)?;
        let pass: Self = serde_json::from_slice(&payload).ok()?;
        (app.clock.now() < pass.expires_at).then_some(pass)
    }

    /// The language in which he asked.
    pub fn language(&self) -> Language {
        if self.is_english {
            Language::English
        } else {
            Language::Korean
        }
    }
}

/// A link by which the caller, and he alone, can fetch a file.
///
/// # Errors
/// `UNAUTHENTICATED` for who is no member.
pub fn link(caller: &Caller, kind: &str, argument: &str) -> Result<DownloadLink> {
    let member = caller.actor().member().ok_or(Error::Unauthenticated)?;
    let expires_at = Timestamp(caller.now().0 + GOOD_FOR);
    let pass = Pass {
        organization: caller.organization_id().ok_or(Error::Unauthenticated)?,
        member: member.member_id,
        session: member.session_id,
        address: caller.origin().address.map(|address| address.to_canonical()),
        is_english: caller.language() == Language::English,
        kind: kind.to_owned(),
        argument: argument.to_owned(),
        expires_at,
    };
    let payload = serde_json::to_vec(&pass)?;
    let text = caller.app().keys.seal(Purpose::Download, &[], &payload);
    Ok(DownloadLink {
        url: Url(format!("{}{PATH}{text}", caller.app().settings.public_url)),
        expires_at,
    })
}
