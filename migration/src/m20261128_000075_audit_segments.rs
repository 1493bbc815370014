//! The end of the logs' time: entries of the audit log go from the oldest on, and a sealed record of each stretch that
//! went takes its place in the chain. Rows of the log of grants to see personal data, which has no chain of its own, go
//! by a mark that says from when on they are kept.

use crate::dialect::{append_only, isolate, replaced_by, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE audit_segment (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               log text NOT NULL CHECK (log IN ('ACCESS', 'MANAGEMENT', 'PERMISSION', 'EXTRACTION', 'PII_GRANT')),
               first_sequence :long NOT NULL CHECK (first_sequence > 0),
               last_sequence :long NOT NULL CHECK (last_sequence >= first_sequence),
               first_at :time NOT NULL,
               last_at :time NOT NULL,
               previous_hash :bytes NOT NULL,
               last_hash :bytes NOT NULL,
               sealed_at :time NOT NULL,
               seal :bytes NOT NULL,
               PRIMARY KEY (organization_id, log, first_sequence)
             ) :end;
             CREATE UNIQUE INDEX audit_segment_last ON audit_segment (organization_id, log, last_sequence);
             CREATE TABLE log_purge (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               log_table text NOT NULL,
               keeps_from :time NOT NULL,
               purged_at :time NOT NULL,
               PRIMARY KEY (organization_id, log_table, keeps_from)
             ) :end;",
        )
        .await?;
        append_only(manager, "audit_segment", &["organization_id", "log", "first_sequence"]).await?;
        append_only(manager, "log_purge", &["organization_id", "log_table", "keeps_from"]).await?;
        isolate(manager, &["audit_segment", "log_purge"], "organization_id").await?;
        let is_sealed =
            "SELECT 1 FROM audit_segment s WHERE s.organization_id = gone.organization_id AND s.log = gone.log
            AND gone.sequence BETWEEN s.first_sequence AND s.last_sequence";
        for table in ["audit_entry", "permission_change"] {
            replaced_by(manager, table, is_sealed).await?;
        }
        let is_over = "SELECT 1 FROM log_purge p WHERE p.organization_id = gone.organization_id
            AND p.log_table = 'pii_grant_change' AND p.keeps_from > gone.occurred_at";
        replaced_by(manager, "pii_grant_change", is_over).await?;
        // Its row of the log goes after it, in the same transaction.
        let is_over = "SELECT 1 FROM pii_grant_change c JOIN log_purge p ON p.organization_id = c.organization_id
            WHERE c.organization_id = gone.organization_id AND c.id = gone.change_id
            AND p.log_table = 'pii_grant_change' AND p.keeps_from > c.occurred_at";
        replaced_by(manager, "pii_grant_change_service", is_over).await
    }
}
