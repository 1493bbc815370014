//! Members' access tokens: good for ten minutes, and good only as long as their session is.

use chrono::{DateTime, Duration};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    App, MemberId, OrganizationId, Result, SessionId, Timestamp,
    jwt::{self, ISSUER, Kind},
};

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// Who.
    pub sub: MemberId,
    /// In which organization.
    pub org: OrganizationId,
    /// By which session.
    pub sid: SessionId,
    iat: i64,
    exp: i64,
}

impl Claims {
    /// Until when it is good.
    pub fn until(&self) -> Timestamp {
        Timestamp(DateTime::from_timestamp(self.exp, 0).unwrap_or(DateTime::UNIX_EPOCH))
    }

    /// What says that this was a member's session, past any token: only whether it still holds is left to ask.
    pub fn of(organization: OrganizationId, member: MemberId, session: SessionId) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: Kind::Member.audience().to_owned(),
            sub: member,
            org: organization,
            sid: session,
            iat: 0,
            exp: 0,
        }
    }
}

/// A signed token, and until when it is good.
///
/// # Errors
/// Only if signing fails.
pub(super) fn write(
    app: &App,
    now: Timestamp,
    member: MemberId,
    organization: OrganizationId,
    session: SessionId,
) -> Result<(String, Timestamp)> {
    let life = if app.settings.is_demo {
        Duration::hours(12)
    } else {
        Duration::minutes(10)
    };
    let until = Timestamp(now.0 + life);
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: Kind::Member.audience().to_owned(),
        sub: member,
        org: organization,
        sid: session,
        iat: now.0.timestamp(),
        exp: until.0.timestamp(),
    };
    Ok((jwt::write(&app.keys, Kind::Member, &claims)?, until))
}

/// What a token says, if it is one of ours and its time is not over. Whether its session still holds is another
/// question.
pub fn read(app: &App, now: Timestamp, text: &str) -> Option<Claims> {
    let claims: Claims = jwt::read(&app.keys, Kind::Member, text)?;
    jwt::is_timely(now, claims.iat, claims.exp).then_some(claims)
}
