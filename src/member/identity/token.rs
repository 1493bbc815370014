//! An ID token of a provider (OpenID Connect Core 3.1.3.7): first read, without believing a word; then held against
//! what the operator said of the provider and against the clock; then its signature is checked with the provider's keys.
//!
//! `nonce` is not asked for: it is for whoever began the sign-in to compare, who holds both it and the token. Against
//! replay a token is good once here, see `exchange.rs`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration};
use jsonwebtoken::{DecodingKey, Header, Validation};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

use super::provider;
use crate::kernel::{Timestamp, json::Foreign};

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

/// The longest header of one, in bytes. The library reads its members by `serde_json::Value`, which takes texts in it for
/// JSON (`kernel/json.rs`): the shorter it is, the less deep that gets.
const LONGEST_HEADER: usize = 2_048;

/// How far the clocks may be apart, in seconds.
const LEEWAY: i64 = 5;

/// A token that is good for longer is none to sign in with.
const LONGEST_LIFE: Duration = Duration::hours(12);

/// Why a token is not believed: for the operator's log, never for an answer.
pub(super) type Doubt = &'static str;

/// A token that was read and not yet believed.
pub(super) struct Token<'t> {
    text: &'t str,
    header: Header,
    claims: Claims,
}

/// What a token says, as far as it is of use. Whatever is not of its right type makes the token a bad one; a name that
/// stands there twice as well.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    #[serde(default, deserialize_with = "given")]
    nbf: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    auth_time: Option<i64>,
    #[serde(default, deserialize_with = "given")]
    azp: Option<String>,
    /// Providers write these two as they like, and only the one right form is of use.
    email: Option<Foreign>,
    email_verified: Option<Foreign>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What is there is of its type: `null` is not absence.
fn given<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Foreign(value) = Foreign::deserialize(deserializer)?;
    T::deserialize(value).map(Some).map_err(serde::de::Error::custom)
}

/// What a token says that was found to be right.
pub(super) struct Believed {
    /// Who: 1 to 255 bytes.
    pub(super) subject: String,
    /// His e-mail address, where the provider has verified it.
    pub(super) email: Option<String>,
    /// When he showed the provider who he is, not later than now; `None` where it does not say so: a provider writes new
    /// tokens for sessions of long ago.
    pub(super) authenticated_at: Option<Timestamp>,
    /// What no second token has: the text that is signed. The signature is not part of it, since some can be written in
    /// two ways.
    pub(super) signed: String,
}

impl<'t> Token<'t> {
    /// Reads a token. Nothing in it is believed yet.
    pub(super) fn read(text: &'t str) -> Result<Self, Doubt> {
        if text.len() > LONGEST {
            return Err("too long");
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("not three parts");
        };
        if header.len() > LONGEST_HEADER {
            return Err("the header is too long");
        }
        let header = jsonwebtoken::decode_header(text).map_err(|_| "the header is not right")?;
        let payload = URL_SAFE_NO_PAD
            .decode(payload)
            .map_err(|_| "the claims are not base 64")?;
        let claims = serde_json::from_slice(&payload).map_err(|_| "a claim is absent or of a wrong type")?;
        Ok(Self { text, header, claims })
    }

    /// Of whom it says it is.
    pub(super) fn issuer(&self) -> &str {
        &self.claims.iss
    }

    /// Who it says it is of.
    pub(super) fn subject(&self) -> &str {
        &self.claims.sub
    }

    /// Which of the provider's keys it says it is signed with.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Holds it against what is known of the provider, and against the clock.
    pub(super) fn check(&self, provider: &provider::Model, now: Timestamp) -> Result<(), Doubt> {
        let Header { typ, jku, jwk, .. } = &self.header;
        let Header { x5u, x5c, crit, .. } = &self.header;
        let Header { zip, enc, .. } = &self.header;
        if self.header.alg != provider.algorithm.into() {
            return Err("another algorithm");
        }
        // An access token is no ID token, though the same provider signs both.
        if typ.as_ref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err("another type of token");
        }
        if jku.is_some() || jwk.is_some() || x5u.is_some() || x5c.is_some() {
            return Err("it brings a key");
        }
        if crit.is_some() || zip.is_some() || enc.is_some() {
            return Err("it asks for more than is understood");
        }
        self.claims.check(provider, now.0.timestamp())
    }

    /// Checks the signature with the keys that it may be of.
    pub(super) fn believe(
        self,
        provider: &provider::Model,
        keys: &[DecodingKey],
        now: Timestamp,
    ) -> Result<Believed, Doubt> {
        let mut validation = Validation::new(provider.algorithm.into());
        validation.set_issuer(&[&provider.issuer]);
        validation.set_audience(&[&provider.client_id]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // The library would ask the machine's clock; ours was asked before.
        validation.validate_exp = false;
        let is_signed = |key: &DecodingKey| jsonwebtoken::decode::<IgnoredAny>(self.text, key, &validation).is_ok();
        if !keys.iter().any(is_signed) {
            return Err("not signed with a known key of the provider");
        }
        let Claims {
            email, email_verified, ..
        } = &self.claims;
        let is_verified = *email_verified == Some(Foreign(Value::Bool(true)));
        let email = email
            .as_ref()
            .and_then(|Foreign(email)| email.as_str())
            .filter(|_| is_verified)
            .map(str::to_owned);
        let at = self.claims.auth_time.map(|at| DateTime::from_timestamp(at.max(0), 0));
        let authenticated_at = at.flatten().map(|at| Timestamp(at).min(now));
        let signed = self
            .text
            .rsplit_once('.')
            .map_or(self.text, |(signed, _)| signed)
            .to_owned();
        Ok(Believed {
            subject: self.claims.sub,
            email,
            authenticated_at,
            signed,
        })
    }
}

impl Claims {
    fn check(&self, provider: &provider::Model, now: i64) -> Result<(), Doubt> {
        let (is_for_us, is_for_others) = match &self.aud {
            Audience::One(aud) => (*aud == provider.client_id, false),
            Audience::Many(all) => (all.contains(&provider.client_id), all.len() > 1),
        };
        if self.iss != provider.issuer {
            return Err("another issuer");
        }
        if !is_for_us || is_for_others && self.azp.as_ref() != Some(&provider.client_id) {
            return Err("for another audience");
        }
        if now >= self.exp.saturating_add(LEEWAY) {
            return Err("its time is over");
        }
        let begins = [Some(self.iat), self.nbf, self.auth_time];
        if begins.into_iter().flatten().any(|at| at > now + LEEWAY) {
            return Err("its time has not come");
        }
        if self.exp.saturating_sub(self.iat) > LONGEST_LIFE.num_seconds() {
            return Err("good for too long");
        }
        if !is_subject(&self.sub) {
            return Err("no subject");
        }
        Ok(())
    }
}

/// Whether a text can be the subject of a token: 1 to 255 bytes without control characters.
pub(super) fn is_subject(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.chars().any(char::is_control)
}
