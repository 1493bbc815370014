//! Grants to see personal data in clear, the log of them, and whether an organization demands a second factor of whoever
//! holds one.

use crate::dialect::{append_only, isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE pii_grant (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               member_id :uuid NOT NULL,
               email text NOT NULL,
               networks :json NOT NULL,
               scope :json NOT NULL,
               purpose text NOT NULL,
               valid_until :time NOT NULL,
               status text NOT NULL CHECK (status IN ('ACTIVE', 'REVOKED', 'EXPIRED')),
               granted_at :time NOT NULL,
               granted_by text NOT NULL,
               ended_at :time,
               version :int NOT NULL,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id),
               CHECK ((status = 'ACTIVE') = (ended_at IS NULL))
             ) :end;
             CREATE UNIQUE INDEX pii_grant_active ON pii_grant (organization_id, member_id) WHERE status = 'ACTIVE';
             CREATE INDEX pii_grant_time ON pii_grant (organization_id, granted_at, id);
             CREATE INDEX pii_grant_status ON pii_grant (organization_id, status, granted_at, id);
             CREATE INDEX pii_grant_member ON pii_grant (organization_id, member_id, granted_at, id);
             CREATE TABLE pii_grant_change (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               occurred_at :time NOT NULL,
               kind text NOT NULL CHECK (kind IN ('GRANTED', 'UPDATED', 'REVOKED', 'AUTO_REVOKED', 'EXPIRED')),
               grant_id :uuid NOT NULL,
               actor_kind text NOT NULL,
               actor_id text,
               actor_name text NOT NULL,
               actor_login text,
               address text NOT NULL,
               target_id text NOT NULL,
               target_name text NOT NULL,
               target_login text NOT NULL,
               before :json,
               after :json,
               reason text,
               entry_id :uuid NOT NULL,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, grant_id) REFERENCES pii_grant (organization_id, id)
             ) :end;
             CREATE INDEX pii_grant_change_time ON pii_grant_change (organization_id, occurred_at, id);
             CREATE INDEX pii_grant_change_kind ON pii_grant_change (organization_id, kind, occurred_at, id);
             CREATE INDEX pii_grant_change_grant ON pii_grant_change (organization_id, grant_id, occurred_at, id);
             CREATE INDEX pii_grant_change_address ON pii_grant_change (organization_id, address, occurred_at, id);
             CREATE INDEX pii_grant_change_actor_name ON pii_grant_change (organization_id, actor_name, occurred_at, id);
             CREATE INDEX pii_grant_change_target_name ON pii_grant_change (organization_id, target_name, occurred_at, id);
             CREATE INDEX pii_grant_change_actor_login ON pii_grant_change (organization_id, actor_login, occurred_at, id);
             CREATE INDEX pii_grant_change_target_login ON pii_grant_change (organization_id, target_login, occurred_at, id);
             ALTER TABLE organization ADD COLUMN requires_second_factor_for_pii :bool NOT NULL DEFAULT :false;",
        )
        .await?;
        append_only(manager, "pii_grant_change", &["organization_id", "id"]).await?;
        isolate(manager, &["pii_grant", "pii_grant_change"], "organization_id").await
    }
}
