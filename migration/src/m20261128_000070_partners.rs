//! Organization keys in use: what partner systems sign with, when and from where a key was last used, the way from an
//! organization's code to it, and the signed requests that were taken.

use crate::dialect::{isolate, run, seeing_all};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "ALTER TABLE organization_key ADD COLUMN signing_secret :bytes;
             ALTER TABLE organization_key DROP COLUMN last_used_at;
             CREATE TABLE organization_key_use (
               organization_id :uuid NOT NULL,
               key_id :uuid NOT NULL,
               used_at :time NOT NULL,
               address text NOT NULL,
               PRIMARY KEY (organization_id, key_id),
               FOREIGN KEY (organization_id, key_id) REFERENCES organization_key (organization_id, id)
             ) :end;
             CREATE TABLE organization_code (
               code text PRIMARY KEY,
               organization_id :uuid NOT NULL REFERENCES organization (id)
             ) :end;
             CREATE INDEX organization_code_organization ON organization_code (organization_id);
             CREATE TABLE signed_request (
               mark :bytes PRIMARY KEY,
               taken_at :time NOT NULL
             ) :end;
             CREATE INDEX signed_request_age ON signed_request (taken_at);",
        )
        .await?;
        let codes = "INSERT INTO organization_code (code, organization_id) SELECT code, id FROM organization";
        seeing_all(manager, "organization", codes).await?;
        isolate(manager, &["organization_key_use"], "organization_id").await
    }
}
