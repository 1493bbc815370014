//! Signed requests, as the product's Open API has them: no token, but an HMAC-SHA256 over the organization's code, the
//! path, the values of the query's parameters, the body and the time, in `Authorization`, with the time in
//! `X-TC-Timestamp`. Beyond the product, the organization is named by `X-Organization-Id`, a signature is taken once, and
//! several keys can be live: it is the key whose signing secret made the signature that acts.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{ColumnTrait, ExprTrait, QueryFilter, QuerySelect};
use sha2::Sha256;

use super::key::{Elsewhere, Found, Known, door, let_in, with_use};
use crate::{
    kernel::{
        App, Caller, Language, OrganizationId, Origin, Result, Timestamp, View, replay,
        seal::{Keychain, Purpose},
    },
    organization::{self, key, key_text},
};

/// More live keys than an organization can have.
const MOST_KEYS: u64 = 50;

/// The most digits of a time in milliseconds.
const LONGEST_TIME: usize = 15;

/// What a signed request says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'r> {
    /// `Authorization`: the signature in base 64.
    pub signature: &'r str,
    /// `X-TC-Timestamp`: milliseconds since 1970.
    pub timestamp: &'r str,
    /// `X-Organization-Id`: the organization's code or domain.
    pub organization: &'r str,
    /// The path as it was sent.
    pub path: &'r str,
    /// The query as it was sent, without the question mark; empty where there is none.
    pub query: &'r str,
    /// The body as it was sent.
    pub body: &'r [u8],
}

/// Why a signed request is not taken.
#[derive(Debug)]
pub enum Fault {
    /// Whatever is wrong with organization, key or signature: it is not said what.
    Refused,
    /// Its time is more than five minutes from ours, or no time.
    Untimely,
    /// It was taken before.
    Replayed,
    /// It is right, but comes from where its key may not be used.
    Elsewhere(Elsewhere),
}

/// The text that is signed: `organizationId + requestURI + values + timestamp`, where `values` are the values of the
/// query's parameters in the order of their names, with `&` between, and the body after another `&`, or alone.
pub fn signed_text(code: &str, path: &str, query: &str, body: &[u8], timestamp: &str) -> Vec<u8> {
    let mut parameters: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    parameters.sort_by(|(one, _), (other, _)| one.cmp(other));
    let values: Vec<_> = parameters.iter().map(|(_, value)| value.as_ref()).collect();
    let mut text = [code, path, &values.join("&")].concat().into_bytes();
    if !values.is_empty() && !body.is_empty() {
        text.push(b'&');
    }
    text.extend_from_slice(body);
    text.extend_from_slice(timestamp.as_bytes());
    text
}

/// Who signed a request.
///
/// # Errors
/// Only if the database fails, or a signing secret does not open.
pub async fn who_signed(
    app: &App,
    signed: &Signed<'_>,
    origin: Origin,
    language: Language,
) -> Result<std::result::Result<Caller, Fault>> {
    if !is_timely(signed.timestamp, app.clock.now()) {
        return Ok(Err(Fault::Untimely));
    }
    let signature = STANDARD.decode(signed.signature).unwrap_or_default();
    let organization = organization::find_named(app, signed.organization).await?;
    let Some(organization) = organization.filter(|_| signature.len() == 32) else {
        return Ok(Err(Fault::Refused));
    };
    let door = door(app, organization, origin, language);
    let view = door.open(organization).await?;
    let found = signer(&view, app, signed, &signature).await;
    drop(view);
    let Ok(Some(found)) = found else {
        door.release().await;
        return found.map(|_| Err(Fault::Refused));
    };
    match let_in(door, &found.key, found.noted_at) {
        Known::Partner(caller) => first(*caller, organization, &signature).await,
        Known::Elsewhere(elsewhere) => Ok(Err(Fault::Elsewhere(elsewhere))),
        Known::Nobody => Ok(Err(Fault::Refused)),
    }
}

/// The caller, if his request was not taken before.
async fn first(
    caller: Caller,
    organization: OrganizationId,
    signature: &[u8],
) -> Result<std::result::Result<Caller, Fault>> {
    match replay::take(caller.app(), organization, signature).await {
        Ok(true) => Ok(Ok(caller)),
        other => {
            caller.release().await;
            other.map(|_| Err(Fault::Replayed))
        }
    }
}

fn is_timely(timestamp: &str, now: Timestamp) -> bool {
    let is_number = timestamp.len() <= LONGEST_TIME && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let told: Option<i64> = timestamp.parse().ok().filter(|_| is_number);
    let far = replay::GOOD_FOR.num_milliseconds();
    told.is_some_and(|told| (now.0.timestamp_millis() - told).abs() <= far)
}

/// The live key whose signing secret made the signature.
async fn signer(view: &View, app: &App, signed: &Signed<'_>, signature: &[u8]) -> Result<Option<Found>> {
    let now = app.clock.now();
    let organization = organization::own(view).await?;
    let text = signed_text(
        &organization.code,
        signed.path,
        signed.query,
        signed.body,
        signed.timestamp,
    );
    let unrevoked = key::Column::RevokedAt.is_null().or(key::Column::RevokedAt.gt(now));
    let unexpired = key::Column::ExpiresAt.is_null().or(key::Column::ExpiresAt.gt(now));
    let keys = with_use(view.select::<key::Entity>())
        .filter(unrevoked)
        .filter(unexpired)
        .limit(MOST_KEYS);
    let keys: Vec<Found> = keys.rows().await?;
    let chain = Keychain::of(view, app, Purpose::KeySigning).await?;
    for found in keys.into_iter().filter(|found| found.key.is_live(now)) {
        let Some(sealed) = &found.key.signing_secret else {
            continue;
        };
        let secret = match chain.open(&key_text::signing_cell(&found.key.id), sealed) {
            Ok(secret) => secret,
            Err(broken) => {
                tracing::error!(key = %found.key.id, %broken, "a signing secret does not open");
                continue;
            }
        };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&secret) else {
            continue;
        };
        mac.update(&text);
        if mac.verify_slice(signature).is_ok() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
