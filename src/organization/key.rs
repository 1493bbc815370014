//! 조직 Key: a key by which a partner system acts for the organization. It is shown once, when it is made; what is
//! kept is its hash.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use std::net::IpAddr;

use async_graphql::{Enum, SimpleObject};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    KeyId, OrganizationId, Timestamp,
    address::Network,
    permission::{Grants, Holder, Kind, Right},
    record::record,
    seal::Sealed,
    secret::SecretBytes,
};

/// What a key may be used for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, Enum)]
#[graphql(name = "OrganizationKeyScope")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scope {
    /// See services and contracts.
    ServiceRead,
    /// Add, contract, suspend and terminate services, and see them.
    ServiceManage,
    /// Record metered usage.
    UsageRecord,
}

/// What a key may be used for, all together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Scopes(pub Vec<Scope>);

/// From where a key may be used: addresses and networks in CIDR notation; empty is everywhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Addresses(pub Vec<String>);

/// A key by which a partner system acts for the organization.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "organization_key")]
#[graphql(name = "OrganizationKey", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KeyId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// What it is called, 1 to 100 characters.
    pub name: String,
    #[graphql(skip)]
    pub scopes: Scopes,
    #[graphql(skip)]
    pub allowed_addresses: Addresses,
    #[graphql(skip)]
    pub secret_hash: SecretBytes,
    /// What requests are signed with, which has to be known to check them. Keys of before have none and sign nothing.
    #[graphql(skip)]
    pub signing_secret: Option<Sealed>,
    /// The last four characters of the key, to tell it from others.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working; null where it does not by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked; null while it was not.
    pub revoked_at: Option<Timestamp>,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

impl Model {
    /// Whether it may be used from there. An address that is not known is none of a list.
    pub fn allows(&self, address: Option<IpAddr>) -> bool {
        let networks = &self.allowed_addresses.0;
        let holds = |address: IpAddr| {
            let parsed = networks.iter().filter_map(|text| Network::parse(text));
            parsed.into_iter().any(|network| network.contains(address))
        };
        networks.is_empty() || address.is_some_and(holds)
    }

    /// Whether it works at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none_or(|at| at > now) && self.expires_at.is_none_or(|at| at > now)
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "organization key", KeyId, label: name, version: Version, grants: GRANTS }

const GRANTS: Grants<Model> = Grants {
    holder: |row| Holder::Key(row.id),
    added: Kind::KeyCreated,
    removed: Kind::KeyRevoked,
    rights: |row| {
        let right = |scope: &Scope| match scope {
            Scope::ServiceRead => Right::KeyServiceRead,
            Scope::ServiceManage => Right::KeyServiceManage,
            Scope::UsageRecord => Right::KeyUsageRecord,
        };
        let scopes = row.scopes.0.iter().filter(|_| row.revoked_at.is_none());
        vec![(Kind::KeyScopesChanged, scopes.map(right).collect())]
    },
};
