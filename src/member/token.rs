//! Access tokens: JWTs signed with Ed25519, good for ten minutes, and good only as long as their session is. The
//! algorithm and the key are ours; nothing in a token can choose them.

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use chrono::Duration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::kernel::{App, Error, Keys, MemberId, OrganizationId, Result, SessionId, Timestamp};

const ISSUER: &str = "orgdesk";
const AUDIENCE: &str = "orgdesk-api";

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
    /// What says that this was a member's session, past any token: only whether it still holds is left to ask.
    pub fn of(organization: OrganizationId, member: MemberId, session: SessionId) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
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
        aud: AUDIENCE.to_owned(),
        sub: member,
        org: organization,
        sid: session,
        iat: now.0.timestamp(),
        exp: until.0.timestamp(),
    };
    let header = Header {
        typ: Some("at+jwt".to_owned()),
        ..Header::new(Algorithm::EdDSA)
    };
    let key = EncodingKey::from_ed_der(&private_key(&app.keys));
    Ok((
        jsonwebtoken::encode(&header, &claims, &key).map_err(Error::internal)?,
        until,
    ))
}

/// What a token says, if it is one of ours and its time is not over. Whether its session still holds is another
/// question.
pub fn read(app: &App, now: Timestamp, text: &str) -> Option<Claims> {
    if text.len() > 2_048 || jsonwebtoken::decode_header(text).ok()?.typ.as_deref() != Some("at+jwt") {
        return None;
    }
    let pair = Ed25519KeyPair::from_seed_unchecked(app.keys.signing_seed()).ok()?;
    let key = DecodingKey::from_ed_der(pair.public_key().as_ref());
    let claims = jsonwebtoken::decode::<Claims>(text, &key, &VALIDATION).ok()?.claims;
    (claims.iat <= now.0.timestamp() + 5 && now.0.timestamp() < claims.exp).then_some(claims)
}

/// The injected clock decides about time, so the library is told not to.
static VALIDATION: LazyLock<Validation> = LazyLock::new(|| {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    validation.validate_exp = false;
    validation
});

/// The private key in PKCS #8, as RFC 8410 writes an Ed25519 seed.
fn private_key(keys: &Keys) -> Vec<u8> {
    const HEAD: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ];
    [HEAD.as_slice(), keys.signing_seed()].concat()
}
