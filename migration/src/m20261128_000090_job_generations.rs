//! How often a job was begun in all, beside how often since it was last too early: a number that never goes back.

use crate::dialect::run;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "ALTER TABLE job_outbox ADD COLUMN generation :long NOT NULL DEFAULT 0;
             UPDATE job_outbox SET generation = attempts;",
        )
        .await
    }
}
