//! Tickets of an import and what they are found by are written many rows at a time, and PostgreSQL looks a row's foreign keys
//! up one by one: three of them cost more than the row and its indexes. A ticket's service is the organization's own, and a
//! term's ticket is, so that their own keys to the organization hold nothing; nor does a term's to its field, since fields
//! never go. SQLite looks keys up at next to no cost, and keeps them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        run(
            manager,
            "ALTER TABLE ticket DROP CONSTRAINT ticket_organization_id_fkey;
             ALTER TABLE ticket_term
               DROP CONSTRAINT ticket_term_organization_id_fkey,
               DROP CONSTRAINT ticket_term_organization_id_field_id_fkey;",
        )
        .await
    }
}
