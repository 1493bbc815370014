//! The chain, made outside the service: the key out of the secret, an entry's text, and its link.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use orgdesk::kernel::OrganizationId;
use sha2::Sha256;
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What is told of each entry that is made.
pub struct Told {
    pub id: Uuid,
    pub organization: OrganizationId,
    pub log: &'static str,
    pub sequence: i64,
    pub occurred_at: String,
    pub action: String,
    pub actor_name: String,
    pub request_id: String,
    pub changes: String,
}

/// The key that chains are made with.
pub fn key(secret: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(b"orgdesk"), secret)
        .expand(b"audit chain", &mut key)
        .expect("32 bytes");
    key
}

/// The link of an entry: a MAC over the hash before it and its text, each with its length before it.
pub fn link(key: &[u8; 32], previous: &[u8], told: &Told) -> Vec<u8> {
    let text = told.text();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("32 bytes");
    for part in [previous, text.as_bytes()] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

impl Told {
    fn text(&self) -> String {
        let text = |text: &str| serde_json::to_string(text).expect("a text");
        format!(
            "{{\"id\":\"aud_{}\",\"organization_id\":\"{}\",\"log\":\"{}\",\"sequence\":{},\"occurred_at\":\"{}\",\"action\":{},\
             \"outcome\":\"Done\",\"reason\":null,\"actor_kind\":\"System\",\"actor_id\":null,\"actor_name\":{},\"address\":\"\",\
             \"request_id\":{},\"target_id\":null,\"target_label\":null,\"service_id\":null,\"subjects\":\"[]\",\"changes\":{},\
             \"previous_hash\":[],\"hash\":[]}}",
            encode(self.id),
            self.organization,
            self.log,
            self.sequence,
            self.occurred_at,
            text(&self.action),
            text(&self.actor_name),
            text(&self.request_id),
            text(&self.changes),
        )
    }
}

fn encode(id: Uuid) -> String {
    let number = id.as_u128();
    (0..26)
        .rev()
        .map(|place| char::from(ALPHABET[(number >> (place * 5)) as usize & 31]))
        .collect()
}
