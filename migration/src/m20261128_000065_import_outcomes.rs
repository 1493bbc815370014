//! What came of the rows of imports that became no tickets.

use crate::dialect::{isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE import_outcome (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               import_id :uuid NOT NULL,
               row_number :int NOT NULL,
               kind text NOT NULL CHECK (kind IN ('KNOWN', 'FAILED')),
               column_code text NOT NULL,
               code text NOT NULL,
               words :json NOT NULL,
               PRIMARY KEY (organization_id, import_id, row_number),
               FOREIGN KEY (organization_id, import_id) REFERENCES import (organization_id, id)
             ) :end;",
        )
        .await?;
        isolate(manager, &["import_outcome"], "organization_id").await
    }
}
