//! Organizations, the routes by which sign-in finds them, and their keys.

use crate::dialect::{isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE organization (
               id :uuid PRIMARY KEY,
               code text NOT NULL UNIQUE CHECK (length(code) = 16),
               name text NOT NULL,
               domain text NOT NULL UNIQUE,
               time_zone text NOT NULL,
               is_ipcc_approved :bool NOT NULL,
               is_mobile_contact_approved :bool NOT NULL,
               is_security_approved :bool NOT NULL,
               created_at :time NOT NULL,
               version :int NOT NULL
             ) :end;
             CREATE TABLE organization_route (
               domain text PRIMARY KEY,
               organization_id :uuid NOT NULL REFERENCES organization (id)
             ) :end;
             CREATE INDEX organization_route_organization ON organization_route (organization_id);
             CREATE TABLE organization_key (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               name text NOT NULL,
               scopes :json NOT NULL,
               allowed_addresses :json NOT NULL,
               secret_hash :bytes NOT NULL,
               hint text NOT NULL,
               created_at :time NOT NULL,
               expires_at :time,
               revoked_at :time,
               last_used_at :time,
               version :int NOT NULL,
               PRIMARY KEY (organization_id, id)
             ) :end;
             CREATE UNIQUE INDEX organization_key_secret ON organization_key (secret_hash);",
        )
        .await?;
        isolate(manager, &["organization"], "id").await?;
        isolate(manager, &["organization_key"], "organization_id").await
    }
}
