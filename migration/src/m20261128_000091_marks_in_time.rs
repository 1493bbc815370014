//! Marks that let rows of logs go are held against the database's own clock, so that the service's role empties no log by one of
//! the future; and what those triggers read is found in the service's schema only, not in a temporary table of the same name.
//! On SQLite whoever writes the file can take its triggers away, and its clock is the service's own.

use crate::dialect::run;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables in which a row goes when its time is over.
const PURGED: [&str; 9] = [
    "cti_log_day",
    "cti_event",
    "cti_call",
    "audit_entry",
    "permission_change",
    "pii_grant_change",
    "pii_grant_change_service",
    "extraction_step",
    "security_event",
];

/// Logs are kept for a year at the least, those of rights for three. Days begin in each organization's zone, a month after the
/// end of February is not one before it, and clocks differ: hence two days.
const CHECKS: &str = "
    CREATE FUNCTION wall_clock() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()';
    CREATE FUNCTION log_purge_is_in_time() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN
        IF NEW.keeps_from > wall_clock() + interval '2 days'
            - interval '12 months' * (1 + 2 * CAST(NEW.log_table = 'pii_grant_change' AS integer)) THEN
          RAISE EXCEPTION '% is kept for longer', NEW.log_table;
        END IF;
        RETURN NEW;
      END $$;
    CREATE TRIGGER log_purge_in_time BEFORE INSERT ON log_purge
      FOR EACH ROW EXECUTE FUNCTION log_purge_is_in_time();
    CREATE FUNCTION security_purge_is_in_time() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN
        IF NEW.keeps_from > wall_clock() + interval '2 days' - interval '12 months' THEN
          RAISE EXCEPTION 'security_event is kept for longer';
        END IF;
        RETURN NEW;
      END $$;
    CREATE TRIGGER security_purge_in_time BEFORE INSERT ON security_purge
      FOR EACH ROW EXECUTE FUNCTION security_purge_is_in_time();";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let functions = PURGED.map(|table| format!("{table}_goes_in_time"));
        let functions = functions
            .iter()
            .map(String::as_str)
            .chain(["log_purge_is_in_time", "security_purge_is_in_time"])
            .map(|name| format!("'{name}'"))
            .collect::<Vec<_>>()
            .join(", ");
        // Where it is not said otherwise, temporary tables come first.
        let fix = format!(
            "DO $fix$ DECLARE name text; BEGIN
               FOREACH name IN ARRAY ARRAY[{functions}] LOOP
                 EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, pg_temp', name, current_schema());
               END LOOP;
             END $fix$;"
        );
        run(manager, CHECKS).await?;
        run(manager, &fix).await
    }
}
