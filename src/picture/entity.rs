//! A picture: what is known of it without looking at it. Its bytes are an object in the store.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::SimpleObject;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::MediaType;
use crate::kernel::{OrganizationId, PictureId, Timestamp, record::record};

/// A picture that the organization may show. It never changes: another one is another picture.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "picture")]
#[graphql(name = "Picture", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PictureId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// The SHA-256 of its bytes, in hexadecimal. An organization has no two pictures of the same.
    pub sha256: String,
    /// What its address ends with.
    #[graphql(skip)]
    pub file: String,
    /// What it is, found by its content.
    pub media_type: MediaType,
    /// The width in pixels, 1 to 4,096.
    pub width: i32,
    /// The height in pixels, 1 to 4,096.
    pub height: i32,
    /// The size in bytes, as it is kept and served.
    pub byte_size: i32,
    /// When it was first sent.
    pub uploaded_at: Timestamp,
    /// When it was last sent or given up: what nobody shows goes a day later.
    #[graphql(skip)]
    pub touched_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "picture", PictureId, label: file }
