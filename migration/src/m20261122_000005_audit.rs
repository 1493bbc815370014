//! The audit log: one chain per organization and log; and the log of attempts that belong to no organization.

use crate::dialect::{append_only, isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE audit_entry (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               log text NOT NULL CHECK (log IN ('ACCESS', 'MANAGEMENT', 'PERMISSION', 'EXTRACTION', 'PII_GRANT')),
               sequence :long NOT NULL CHECK (sequence > 0),
               occurred_at :time NOT NULL,
               action text NOT NULL,
               outcome text NOT NULL CHECK (outcome IN ('DONE', 'DENIED', 'FAILED')),
               reason text,
               actor_kind text NOT NULL CHECK (actor_kind IN ('MEMBER', 'KEY', 'SYSTEM', 'OPERATOR', 'NOBODY')),
               actor_id text,
               actor_name text NOT NULL,
               address text NOT NULL,
               request_id text NOT NULL,
               target_id text,
               target_label text,
               service_id :uuid,
               subjects text NOT NULL,
               changes text NOT NULL,
               previous_hash :bytes NOT NULL,
               hash :bytes NOT NULL,
               PRIMARY KEY (organization_id, log, sequence)
             ) :end;
             CREATE UNIQUE INDEX audit_entry_id ON audit_entry (organization_id, id);
             CREATE INDEX audit_entry_time ON audit_entry (organization_id, occurred_at, id);
             CREATE INDEX audit_entry_target ON audit_entry (organization_id, target_id, occurred_at);
             CREATE TABLE security_event (
               id :uuid PRIMARY KEY,
               occurred_at :time NOT NULL,
               kind text NOT NULL,
               address text NOT NULL,
               request_id text NOT NULL
             ) :end;",
        )
        .await?;
        append_only(manager, "audit_entry", &["organization_id", "log", "sequence"]).await?;
        append_only(manager, "security_event", &["id"]).await?;
        isolate(manager, &["audit_entry"], "organization_id").await
    }
}
