//! Reviews of the logs that were signed, each with the figures as they were then.

use crate::dialect::{append_only, isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE audit_review (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               first_day :date NOT NULL,
               last_day :date NOT NULL,
               figures text NOT NULL,
               figures_hash text NOT NULL,
               remark text NOT NULL,
               signed_at :time NOT NULL,
               signed_by text NOT NULL,
               signed_name text NOT NULL,
               PRIMARY KEY (organization_id, id),
               UNIQUE (organization_id, first_day, last_day),
               CHECK (last_day >= first_day)
             ) :end;
             CREATE INDEX audit_review_time ON audit_review (organization_id, signed_at, id);",
        )
        .await?;
        append_only(manager, "audit_review", &["organization_id", "id"]).await?;
        isolate(manager, &["audit_review"], "organization_id").await
    }
}
