//! An authenticator as members have it, written anew from RFC 6238 and RFC 4648.

use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::app::{TestApp, Who};

/// An authenticator with one account.
#[derive(Clone)]
pub struct Authenticator {
    /// The secret as it was shown.
    pub secret: String,
    /// The recovery codes that came with it.
    pub recovery_codes: Vec<String>,
}

impl Authenticator {
    /// What it shows now.
    pub fn code(&self, app: &TestApp) -> String {
        self.code_at(app.app.clock.now().0)
    }

    /// What it shows at an instant.
    pub fn code_at(&self, at: DateTime<Utc>) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.bytes());
        let tag = hmac::sign(&key, &(at.timestamp() / 30).to_be_bytes());
        let tag = tag.as_ref();
        let from = usize::from(tag[19] & 15);
        let number = u32::from_be_bytes(tag[from..from + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    /// A code that it does not show at this time.
    pub fn wrong_code(&self, app: &TestApp) -> String {
        let now = app.app.clock.now().0;
        let near = [-60, -30, 0, 30, 60].map(|seconds| self.code_at(now + chrono::Duration::seconds(seconds)));
        (0..10)
            .map(|digit| digit.to_string().repeat(6))
            .find(|code| !near.contains(code))
            .unwrap()
    }

    /// The secret as bytes.
    pub fn bytes(&self) -> Vec<u8> {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let bits: String = self
            .secret
            .chars()
            .map(|letter| format!("{:05b}", ALPHABET.find(letter).unwrap()))
            .collect();
        let bytes = bits.as_bytes().chunks_exact(8);
        bytes
            .map(|eight| u8::from_str_radix(std::str::from_utf8(eight).unwrap(), 2).unwrap())
            .collect()
    }
}

/// One that was enrolled and not yet proved.
pub async fn enrolled(who: Who<'_>) -> Authenticator {
    let payload = who.deed("secondFactorEnroll => secret uri", json!({})).await;
    Authenticator {
        secret: payload["secret"].as_str().unwrap().to_owned(),
        recovery_codes: Vec::new(),
    }
}

/// One that is in use. Its code of the present moment is used up.
pub async fn activated(app: &TestApp, who: Who<'_>) -> Authenticator {
    let authenticator = enrolled(who).await;
    let input = json!({ "input": { "code": authenticator.code(app) } });
    let payload = who
        .deed("secondFactorActivate(input: $input) => recoveryCodes", input)
        .await;
    let codes = payload["recoveryCodes"].as_array().unwrap();
    Authenticator {
        recovery_codes: codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect(),
        ..authenticator
    }
}
