//! External identity: the providers that an organization lets sign people in, and who its members are there.

use crate::dialect::{isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A session outlives the provider that it came from, in the table; hence no foreign key.
        run(
            manager,
            "CREATE TABLE identity_provider (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               name text NOT NULL,
               issuer text NOT NULL,
               client_id text NOT NULL,
               jwks_url text NOT NULL,
               algorithm text NOT NULL CHECK (algorithm IN ('RS256', 'PS256', 'ES256', 'EdDSA')),
               links_by_email :bool NOT NULL,
               is_enabled :bool NOT NULL,
               created_at :time NOT NULL,
               version :int NOT NULL,
               PRIMARY KEY (organization_id, id)
             ) :end;
             CREATE UNIQUE INDEX identity_provider_issuer ON identity_provider (organization_id, issuer);
             CREATE TABLE external_identity (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               provider_id :uuid NOT NULL,
               subject text NOT NULL,
               member_id :uuid NOT NULL,
               linked_at :time NOT NULL,
               PRIMARY KEY (organization_id, provider_id, subject),
               FOREIGN KEY (organization_id, provider_id) REFERENCES identity_provider (organization_id, id),
               FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
             ) :end;
             CREATE UNIQUE INDEX external_identity_member
               ON external_identity (organization_id, member_id, provider_id);
             ALTER TABLE session ADD COLUMN provider_id :uuid;",
        )
        .await?;
        isolate(manager, &["identity_provider", "external_identity"], "organization_id").await
    }
}
