//! A provider of identities that an organization lets sign its members in. Its `issuer` is what tokens say of
//! themselves, its keys come from one address, and the algorithm that they sign with is chosen here, by an operator.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use std::str::FromStr;

use sea_orm::{Iterable, entity::prelude::*};
use serde::Serialize;

use crate::kernel::{IdentityProviderId, OrganizationId, Timestamp, record::record};

/// With what a provider signs its tokens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Algorithm {
    /// RSA, PKCS #1.
    #[sea_orm(string_value = "RS256")]
    Rs256,
    /// RSA, PSS.
    #[sea_orm(string_value = "PS256")]
    Ps256,
    /// ECDSA on P-256.
    #[sea_orm(string_value = "ES256")]
    Es256,
    /// Ed25519.
    #[sea_orm(string_value = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// The name as tokens have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::iter().find(|algorithm| algorithm.name() == text);
        known.ok_or_else(|| "one of RS256, PS256, ES256, EdDSA".to_owned())
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Rs256 => Self::RS256,
            Algorithm::Ps256 => Self::PS256,
            Algorithm::Es256 => Self::ES256,
            Algorithm::EdDsa => Self::EdDSA,
        }
    }
}

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "identity_provider")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IdentityProviderId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub jwks_url: String,
    pub algorithm: Algorithm,
    pub links_by_email: bool,
    pub is_enabled: bool,
    pub created_at: Timestamp,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "identity provider", IdentityProviderId, label: issuer, version: Version }
