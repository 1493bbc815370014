//! What PostgreSQL needs to take in many tickets at once. That what a ticket is found by has a ticket is asked once for a
//! statement and not once for a row: all deeds of an organization come one after the other, so that no ticket goes while
//! rows of it come. And whoever brings many can have them counted, since until the server does so by itself it goes through
//! all that came so far to find one. SQLite asks cheaply, and finds things without counting them.

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
            "CREATE FUNCTION ticket_term_has_its_ticket() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN
                 IF EXISTS (SELECT 1 FROM (SELECT DISTINCT organization_id, ticket_id FROM fresh) AS term
                            WHERE NOT EXISTS (SELECT 1 FROM ticket
                              WHERE ticket.organization_id = term.organization_id AND ticket.id = term.ticket_id OFFSET 0)) THEN
                   RAISE foreign_key_violation USING MESSAGE = 'ticket_term without its ticket';
                 END IF;
                 RETURN NULL;
               END $$;
             CREATE FUNCTION ticket_goes_with_its_terms() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN
                 IF EXISTS (SELECT 1 FROM gone JOIN ticket_term AS term
                            ON term.organization_id = gone.organization_id AND term.ticket_id = gone.id) THEN
                   RAISE foreign_key_violation USING MESSAGE = 'ticket_term without its ticket';
                 END IF;
                 RETURN NULL;
               END $$;
             CREATE FUNCTION ticket_stays_whose_it_is() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN
                 RAISE foreign_key_violation USING MESSAGE = 'ticket_term without its ticket';
               END $$;
             ALTER TABLE ticket_term DROP CONSTRAINT ticket_term_organization_id_ticket_id_fkey;
             CREATE TRIGGER ticket_term_added AFTER INSERT ON ticket_term REFERENCING NEW TABLE AS fresh
               FOR EACH STATEMENT EXECUTE FUNCTION ticket_term_has_its_ticket();
             CREATE TRIGGER ticket_term_changed AFTER UPDATE ON ticket_term REFERENCING NEW TABLE AS fresh
               FOR EACH STATEMENT EXECUTE FUNCTION ticket_term_has_its_ticket();
             CREATE TRIGGER ticket_gone AFTER DELETE ON ticket REFERENCING OLD TABLE AS gone
               FOR EACH STATEMENT EXECUTE FUNCTION ticket_goes_with_its_terms();
             CREATE TRIGGER ticket_renamed BEFORE UPDATE ON ticket FOR EACH ROW
               WHEN (OLD.id <> NEW.id OR OLD.organization_id <> NEW.organization_id) EXECUTE FUNCTION ticket_stays_whose_it_is();
             CREATE FUNCTION count_anew(which text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
               $$ DECLARE counted real;
               BEGIN
                 IF which NOT IN ('ticket', 'ticket_term') THEN
                   RAISE EXCEPTION '% is not counted by hand', which;
                 END IF;
                 SELECT relpages INTO counted FROM pg_class WHERE oid = to_regclass(which);
                 IF pg_relation_size(to_regclass(which)) > 2 * counted * CAST(current_setting('block_size') AS integer) THEN
                   EXECUTE format('ANALYZE (SKIP_LOCKED) %I', which);
                 END IF;
               END $$;
             DO $fix$ DECLARE name text; BEGIN
               FOREACH name IN ARRAY ARRAY['ticket_term_has_its_ticket()', 'ticket_goes_with_its_terms()', 'count_anew(text)'] LOOP
                 EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
               END LOOP;
             END $fix$;",
        )
        .await
    }
}
