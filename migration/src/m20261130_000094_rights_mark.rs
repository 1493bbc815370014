//! A mark of what an organization's members may do: another one with each change of a row that it follows from, so that
//! whoever knows a member's rights of one mark knows them for as long as the mark stands, without asking for them again.
//! Marks are random and not counted: a database that was put back, or that took over without the last changes, makes no
//! mark a second time.

use crate::dialect::{RIGHTS, run};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "ALTER TABLE organization ADD COLUMN rights_mark :uuid;").await?;
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        if is_postgres {
            // A change of which no organization is told would leave rights standing that are gone.
            run(
                manager,
                "CREATE FUNCTION rights_changed() RETURNS trigger LANGUAGE plpgsql AS
                   $$ DECLARE told bigint;
                   BEGIN
                     UPDATE organization SET rights_mark = gen_random_uuid() WHERE id IN (SELECT organization_id FROM changed);
                     GET DIAGNOSTICS told = ROW_COUNT;
                     IF told < (SELECT count(DISTINCT organization_id) FROM changed) THEN
                       RAISE EXCEPTION 'rights changed in an organization that is not told of it';
                     END IF;
                     RETURN NULL;
                   END $$;
                 DO $fix$ BEGIN
                   EXECUTE format('ALTER FUNCTION rights_changed() SET search_path = %I, pg_temp', current_schema());
                 END $fix$;",
            )
            .await?;
        }
        for table in RIGHTS {
            for (event, row) in [("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")] {
                let name = format!("{table}_rights_{}", event.to_lowercase());
                let sql = if is_postgres {
                    format!(
                        "CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {row} TABLE AS changed
                           FOR EACH STATEMENT EXECUTE FUNCTION rights_changed();"
                    )
                } else {
                    format!(
                        "CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN
                           UPDATE organization SET rights_mark = randomblob(16) WHERE id = {row}.organization_id; END;"
                    )
                };
                run(manager, &sql).await?;
            }
        }
        Ok(())
    }
}
