//! An entry of company information as it is now.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::SimpleObject;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::content::{self, Content};
use crate::kernel::{CompanyId, OrganizationId, Timestamp, record::record};

/// An entry of company information.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "company")]
#[graphql(name = "Company", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CompanyId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// 관리용 명칭: what the entry is called in lists, 1 to 50 characters, unique in the organization, whatever the case.
    pub title: String,
    #[graphql(skip)]
    pub title_key: String,
    /// What it says.
    #[serde(serialize_with = "content::as_digest")]
    pub content: Content,
    /// How many versions it has had.
    #[graphql(name = "revisionCount")]
    pub revision: i32,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was removed; null while it is there.
    pub removed_at: Option<Timestamp>,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "company", CompanyId, label: title, version: Version }
