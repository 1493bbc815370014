//! How far the anchor of the audit chains outside the database was when it was written last: one that is shorter has
//! lost its end.

use crate::dialect::run;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE audit_anchor (
               place text PRIMARY KEY,
               number :long NOT NULL,
               mac text NOT NULL,
               written_at :time NOT NULL
             ) :end;",
        )
        .await
    }
}
