//! The permission-change log: a row for each right that was given, changed or taken, and in the audit entry of the deed
//! a digest of its rows. Entries that were written before have neither, and none are made up for them: what a chain
//! once told, it tells for ever, and the names and login IDs of that day are no longer known. Their changes stand in
//! the audit log itself.

use crate::dialect::{append_only, isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Each filter of the query has its index, in the order of the list, so that a page is read and nothing else. That
        // of the bare list comes last: of two that look as good, SQLite takes the earlier.
        run(
            manager,
            "ALTER TABLE audit_entry ADD COLUMN rights_digest :bytes;
             CREATE TABLE permission_change (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               log text NOT NULL CHECK (log IN ('ACCESS', 'MANAGEMENT', 'PERMISSION', 'EXTRACTION', 'PII_GRANT')),
               sequence :long NOT NULL,
               occurred_at :time NOT NULL,
               action text NOT NULL,
               kind text NOT NULL,
               actor_kind text NOT NULL CHECK (actor_kind IN ('MEMBER', 'KEY', 'SYSTEM', 'OPERATOR', 'NOBODY')),
               actor_id text,
               actor_name text NOT NULL,
               actor_login text,
               address text NOT NULL,
               target_kind text NOT NULL CHECK (target_kind IN ('MEMBER', 'KEY')),
               target_id text NOT NULL,
               target_name text NOT NULL,
               target_login text,
               service_id :uuid,
               service_name text,
               rights_before text NOT NULL,
               rights_after text NOT NULL,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, log, sequence) REFERENCES audit_entry (organization_id, log, sequence)
             ) :end;
             CREATE INDEX permission_change_entry ON permission_change (organization_id, log, sequence, id);
             CREATE INDEX permission_change_kind ON permission_change (organization_id, kind, occurred_at, id);
             CREATE INDEX permission_change_address ON permission_change (organization_id, address, occurred_at, id);
             CREATE INDEX permission_change_service ON permission_change (organization_id, service_id, occurred_at, id);
             CREATE INDEX permission_change_actor ON permission_change (organization_id, actor_id, occurred_at, id);
             CREATE INDEX permission_change_actor_login ON permission_change (organization_id, actor_login, occurred_at, id);
             CREATE INDEX permission_change_actor_name ON permission_change (organization_id, actor_name, occurred_at, id);
             CREATE INDEX permission_change_target ON permission_change (organization_id, target_id, occurred_at, id);
             CREATE INDEX permission_change_target_login ON permission_change (organization_id, target_login, occurred_at, id);
             CREATE INDEX permission_change_target_name ON permission_change (organization_id, target_name, occurred_at, id);
             CREATE INDEX permission_change_time ON permission_change (organization_id, occurred_at, id);",
        )
        .await?;
        append_only(manager, "permission_change", &["organization_id", "id"]).await?;
        isolate(manager, &["permission_change"], "organization_id").await
    }
}
