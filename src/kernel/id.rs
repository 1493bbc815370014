//! Typed IDs. Inside they are UUIDv7, so that rows lie in the order of their making; outside they are a prefix that
//! names the type and 26 characters of Crockford's base 32, opaque to clients.

use std::{fmt, str::FromStr};

use async_graphql::{
    ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value, parser::types::Field, registry,
};
use sea_orm::DeriveValueType;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::{random::Random, scalar::Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new UUIDv7: 48 bits of milliseconds, then 74 random ones.
pub(crate) fn fresh(now: Timestamp, random: &Random) -> Uuid {
    let millis = u64::try_from(now.0.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random.bytes()).into_uuid()
}

/// What [`encode`] makes. Lists have hundreds of them: they are put together without going to the heap.
struct Letters([u8; 26]);

impl Letters {
    fn of(id: Uuid) -> Self {
        let mut number = id.as_u128();
        let mut letters = [0; 26];
        for letter in letters.iter_mut().rev() {
            *letter = ALPHABET[number as usize & 31];
            number >>= 5;
        }
        Self(letters)
    }

    fn as_str(&self) -> &str {
        // The alphabet is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The 26 characters of an ID, without prefix.
pub(crate) fn encode(id: Uuid) -> String {
    Letters::of(id).as_str().to_owned()
}

/// Back from `encode`; `None` for anything that it does not write.
pub(crate) fn decode(text: &str) -> Option<Uuid> {
    if text.len() != 26 || text.as_bytes().first() > Some(&b'7') {
        return None;
    }
    let mut number: u128 = 0;
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == byte)?;
        number = number << 5 | digit as u128;
    }
    Some(Uuid::from_u128(number))
}

/// An ID of one kind of thing.
pub trait TypedId: Copy + Into<Uuid> + From<Uuid> + FromStr + fmt::Display + Send + Sync + 'static {
    /// What its text begins with, without the underscore.
    const PREFIX: &'static str;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, DeriveValueType)]
        pub struct $name(pub Uuid);

        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(Letters::of(self.0).as_str())
            }
        }

        impl FromStr for $name {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                text.strip_prefix(concat!($prefix, "_")).and_then(decode).map(Self).ok_or(())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|()| serde::de::Error::custom("not an ID of this type"))
            }
        }

        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl OutputType for $name {
            fn type_name() -> std::borrow::Cow<'static, str> {
                "ID".into()
            }

            fn create_type_info(registry: &mut registry::Registry) -> String {
                <ID as OutputType>::create_type_info(registry)
            }

            async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                Ok(Value::String(self.to_string()))
            }
        }
    )*};
}

ids! {
    /// The ID of an organization.
    OrganizationId = "org";
    /// The ID of an organization key.
    KeyId = "key";
    /// The ID of a member.
    MemberId = "mbr";
    /// The ID of a session.
    SessionId = "ses";
    /// The ID of one link in a session's chain of refresh tokens.
    RefreshTokenId = "rft";
    /// The ID of an invitation.
    InvitationId = "inv";
    /// The ID of a password reset.
    PasswordResetId = "pwr";
    /// The ID of an agent: a member in a service.
    AgentId = "agt";
    /// The ID of an external identity provider.
    IdentityProviderId = "idp";
    /// The ID of a service.
    ServiceId = "svc";
    /// The ID of an entry of company information.
    CompanyId = "com";
    /// The ID of a picture.
    PictureId = "pic";
    /// The ID of a time in which somebody held a CTI ID and number.
    CtiHoldingId = "cth";
    /// The ID of a field of a service.
    FieldId = "fld";
    /// The ID of a grant to see personal data.
    PiiGrantId = "pii";
    /// The ID of a row of the log of such grants.
    PiiChangeId = "pgc";
    /// The ID of a ticket.
    TicketId = "tkt";
    /// The ID of a contract.
    ContractId = "ctr";
    /// The ID of a price list.
    PriceListId = "prl";
    /// The ID of an entry of the audit log.
    AuditEntryId = "aud";
    /// The ID of a row of the permission-change log.
    PermissionChangeId = "pch";
    /// Of a signed review of the logs.
    AuditReviewId = "arv";
    /// The ID of a webhook.
    WebhookId = "whk";
    /// The ID of a message to a webhook.
    WebhookDeliveryId = "whd";
    /// The ID of an import.
    ImportId = "imp";
    /// The ID of an extraction.
    ExtractionId = "ext";
    /// The ID of a row of the log of extractions.
    ExtractionStepId = "exs";
    /// The ID of a job that is due.
    JobId = "job";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_no_other_text_is_one() {
        let random = Random::seeded(1);
        for _ in 0..1_000 {
            let id = ServiceId(Uuid::from_bytes(random.bytes()));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        let id = ServiceId(Uuid::from_u128(u128::MAX));
        let text = id.to_string();
        for wrong in [
            "",
            "svc_",
            "ctr_7zzzzzzzzzzzzzzzzzzzzzzzzz",
            "svc_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            &text.to_uppercase(),
        ] {
            assert_eq!(wrong.parse::<ServiceId>(), Err(()), "{wrong}");
        }
        assert_eq!(text, "svc_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    }
}
