//! A mark of each organization that is replaced whenever a row changes that decides what one of its members may do: whoever
//! has read a member's rights under a mark need not read them again while it stands. Marks are random and not counted, so
//! that a database that was put back, or that took over without the last changes, makes no mark a second time.

use crate::dialect::run;
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// `dialect::RIGHTS` as it was then: a migration that was applied does not change.
const RIGHTS: &[(&str, &[&str])] = &[
    (
        "member",
        &[
            "organization_id",
            "id",
            "status",
            "login",
            "name",
            "is_owner",
            "has_short_password",
        ],
    ),
    ("organization_admin", &["organization_id", "member_id"]),
    ("agent", &["organization_id", "service_id", "member_id", "role"]),
    ("service", &["organization_id", "id", "status"]),
    ("second_factor", &["organization_id", "member_id", "activated_at"]),
    ("pii_grant", &["organization_id", "member_id", "status"]),
];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            return on_postgres(manager).await;
        }
        let sql = "ALTER TABLE organization ADD COLUMN rights_mark :uuid;
                   UPDATE organization SET rights_mark = randomblob(16);";
        run(manager, sql).await?;
        for (table, columns) in RIGHTS {
            let told = "UPDATE organization SET rights_mark = randomblob(16) WHERE id";
            let is_other: Vec<_> = columns
                .iter()
                .map(|column| format!("OLD.{column} IS NOT NEW.{column}"))
                .collect();
            let sql = format!(
                "CREATE TRIGGER {table}_rights_insert AFTER INSERT ON {table} BEGIN {told} = NEW.organization_id; END;
                 CREATE TRIGGER {table}_rights_delete AFTER DELETE ON {table} BEGIN {told} = OLD.organization_id; END;
                 CREATE TRIGGER {table}_rights_update AFTER UPDATE ON {table} WHEN {}
                   BEGIN {told} IN (OLD.organization_id, NEW.organization_id); END;",
                is_other.join(" OR ")
            );
            run(manager, &sql).await?;
        }
        Ok(())
    }
}

async fn on_postgres(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let sql = "ALTER TABLE organization ADD COLUMN rights_mark uuid NOT NULL DEFAULT gen_random_uuid();
               CREATE FUNCTION rights_are_not_emptied() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'rights go row by row: organizations are told of each'; END $$;";
    run(manager, sql).await?;
    for (table, columns) in RIGHTS {
        let columns = columns.join(", ");
        let difference = format!(
            "(SELECT {columns} FROM was EXCEPT ALL SELECT {columns} FROM fresh)
             UNION ALL (SELECT {columns} FROM fresh EXCEPT ALL SELECT {columns} FROM was)"
        );
        for (event, rows, changed) in [
            ("insert", "NEW TABLE AS fresh", "SELECT organization_id FROM fresh"),
            ("delete", "OLD TABLE AS was", "SELECT organization_id FROM was"),
            ("update", "OLD TABLE AS was NEW TABLE AS fresh", &difference),
        ] {
            // A change of which no organization is told would leave rights standing that are gone. The triggers stay on
            // where others are switched off, as they are for a replica.
            let name = format!("{table}_rights_{event}");
            let sql = format!(
                "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
                   $$ DECLARE whose uuid[]; told bigint;
                   BEGIN
                     SELECT array_agg(DISTINCT organization_id) INTO whose FROM ({changed}) AS changed;
                     IF whose IS NOT NULL THEN
                       UPDATE organization SET rights_mark = gen_random_uuid() WHERE id = ANY (whose);
                       GET DIAGNOSTICS told = ROW_COUNT;
                       IF told < cardinality(whose) THEN
                         RAISE EXCEPTION 'rights changed in an organization that is not told of it';
                       END IF;
                     END IF;
                     RETURN NULL;
                   END $$;
                 CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {rows}
                   FOR EACH STATEMENT EXECUTE FUNCTION {name}();
                 ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name};
                 DO $fix$ BEGIN
                   EXECUTE format('ALTER FUNCTION {name}() SET search_path = %I, pg_temp', current_schema());
                 END $fix$;"
            );
            run(manager, &sql).await?;
        }
        let sql = format!(
            "CREATE TRIGGER {table}_rights_truncate BEFORE TRUNCATE ON {table}
               FOR EACH STATEMENT EXECUTE FUNCTION rights_are_not_emptied();
             ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_rights_truncate;"
        );
        run(manager, &sql).await?;
    }
    Ok(())
}
