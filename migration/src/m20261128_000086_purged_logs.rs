//! The end of the time of two logs without a chain of their own: steps of extractions go by a mark of their organization, and
//! attempts that belong to no organization by one of the installation.

use crate::dialect::{append_only, replaced_by, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE security_purge (
               keeps_from :time PRIMARY KEY,
               purged_at :time NOT NULL
             ) :end;
             CREATE INDEX security_event_time ON security_event (occurred_at);",
        )
        .await?;
        append_only(manager, "security_purge", &["keeps_from"]).await?;
        let is_over = "SELECT 1 FROM log_purge p WHERE p.organization_id = gone.organization_id
            AND p.log_table = 'extraction_step' AND p.keeps_from > gone.occurred_at";
        replaced_by(manager, "extraction_step", is_over).await?;
        let is_over = "SELECT 1 FROM security_purge p WHERE p.keeps_from > gone.occurred_at";
        replaced_by(manager, "security_event", is_over).await
    }
}
