//! The keys that data are sealed under: those of organizations, wrapped, and the names of the keys that wrap them.

use crate::dialect::{isolate, run, seeing_all};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE data_key (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               purpose text NOT NULL,
               version :int NOT NULL CHECK (version > 0),
               wrapping_key text NOT NULL,
               wrapped :bytes NOT NULL,
               made_at :time NOT NULL,
               PRIMARY KEY (organization_id, purpose, version)
             ) :end;
             CREATE TABLE wrapping_key (
               name text NOT NULL PRIMARY KEY,
               proof :bytes NOT NULL,
               made_at :time NOT NULL
             ) :end;",
        )
        .await?;
        isolate(manager, &["data_key"], "organization_id").await?;
        // Authenticators were sealed under a key of another making, which does not open them any more: their members
        // enroll them again.
        for table in ["recovery_code", "second_factor"] {
            seeing_all(manager, table, &format!("DELETE FROM {table}")).await?;
        }
        Ok(())
    }
}
