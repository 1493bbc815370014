//! Which calls agents began, and which of them were answered: what tickets are made of.

use crate::dialect::{isolate, journal, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// A row goes with the CTI log of its day, whether that is kept or not.
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE cti_call (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               call_reference text NOT NULL,
               kind text NOT NULL CHECK (kind IN ('CALL_DIALED', 'CALL_CONNECTED')),
               member_id :uuid NOT NULL,
               day :date NOT NULL,
               occurred_at :time NOT NULL,
               customer_number text,
               PRIMARY KEY (organization_id, call_reference, kind),
               FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
             ) :end;
             CREATE INDEX cti_call_day ON cti_call (organization_id, day);",
        )
        .await?;
        journal(
            manager,
            "cti_call",
            &["organization_id", "call_reference", "kind"],
            "cti_log_purge",
        )
        .await?;
        isolate(manager, &["cti_call"], "organization_id").await
    }
}
