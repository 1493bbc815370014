//! The tokens of partner systems: good for ten minutes, and good only as long as their key is.

use chrono::{DateTime, Duration};
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        App, KeyId, OrganizationId, Result, Timestamp,
        jwt::{self, ISSUER, Kind},
    },
    organization::key,
};

/// For how long a token is good. What ends the key ends it at once.
const LIFE: Duration = Duration::minutes(10);

/// What a token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    /// By which key.
    pub sub: KeyId,
    /// In which organization.
    pub org: OrganizationId,
    iat: i64,
    exp: i64,
}

/// A signed token for a key, and until when it is good: no longer than the key.
///
/// # Errors
/// Only if signing fails.
pub(super) fn write(app: &App, now: Timestamp, key: &key::Model) -> Result<(String, Timestamp)> {
    let ends = [Some(Timestamp(now.0 + LIFE)), key.expires_at, key.revoked_at];
    let until = ends.into_iter().flatten().min().unwrap_or(now);
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: Kind::Partner.audience().to_owned(),
        sub: key.id,
        org: key.organization_id,
        iat: now.0.timestamp(),
        exp: until.0.timestamp(),
    };
    Ok((jwt::write(&app.keys, Kind::Partner, &claims)?, until))
}

/// Until when a token is good, if it is one of ours and its time is not over.
pub fn until(app: &App, now: Timestamp, text: &str) -> Option<Timestamp> {
    let claims = read(app, now, text)?;
    DateTime::from_timestamp(claims.exp, 0).map(Timestamp)
}

/// What a token says, if it is one of ours and its time is not over. Whether its key still lives is another question.
pub(super) fn read(app: &App, now: Timestamp, text: &str) -> Option<Claims> {
    let claims: Claims = jwt::read(&app.keys, Kind::Partner, text)?;
    jwt::is_timely(now, claims.iat, claims.exp).then_some(claims)
}
