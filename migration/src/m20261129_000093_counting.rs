//! Who may have tickets counted is said like every other right, and no statement takes all tickets away at once from what they
//! are found by: a trigger for a statement that deletes does not see one that empties the table.

use crate::dialect::run;
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

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
            "REVOKE ALL ON FUNCTION count_anew(text) FROM PUBLIC;
             CREATE TRIGGER ticket_emptied BEFORE TRUNCATE ON ticket
               FOR EACH STATEMENT EXECUTE FUNCTION ticket_stays_whose_it_is();",
        )
        .await
    }
}
