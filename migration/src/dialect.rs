//! One text of SQL for two databases: names of types are written as `:uuid`, `:time` and so on, and what only one
//! database has is added here: strict tables on SQLite, row-level security on PostgreSQL.
#![expect(clippy::disallowed_methods, reason = "changing the tables is what this crate is for")]

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Every table whose rows belong to one organization. On PostgreSQL each stands behind row-level security.
pub const TENANT: &[&str] = &[
    "picture",
    "picture_holder",
    "organization_key",
    "organization_key_use",
    "webhook",
    "webhook_delivery",
    "member",
    "organization_admin",
    "session",
    "refresh_token",
    "invitation",
    "invitation_mailing",
    "password_reset",
    "second_factor",
    "recovery_code",
    "identity_provider",
    "external_identity",
    "service",
    "agent",
    "contract",
    "contract_revision",
    "usage_entry",
    "month_close",
    "charge",
    "charge_line",
    "company",
    "company_revision",
    "company_footer",
    "company_footer_revision",
    "cti_setting",
    "cti_agent",
    "cti_agent_history",
    "data_key",
    "field",
    "field_composition",
    "field_composition_revision",
    "pii_grant",
    "pii_grant_change",
    "pii_grant_change_service",
    "ticket",
    "ticket_term",
    "import",
    "import_problem",
    "import_outcome",
    "extraction",
    "extraction_step",
    "cti_log_day",
    "cti_event",
    "cti_call",
    "cti_log_purge",
    "audit_entry",
    "permission_change",
    "audit_segment",
    "log_purge",
    "audit_review",
    "idempotency",
];

/// Tables whose rows decide what a member may do, and by which columns, as the newest triggers look at them: each change
/// gives the organization a new mark. Another column takes a migration that makes the triggers anew.
pub const RIGHTS: &[(&str, &[&str])] = &[
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

/// Tables that the service reads before it knows the organization. They hold IDs and routes, no other data.
pub const ROUTING: &[&str] = &[
    "organization_route",
    "organization_code",
    "signed_request",
    "service_route",
    "public_footer",
    "job_outbox",
    "sign_in_throttle",
    "price_list",
    "wrapping_key",
    "security_event",
    "security_purge",
    "audit_anchor",
];

/// Tables in which a row, once written, neither changes nor goes.
pub const APPEND_ONLY: &[&str] = &[
    "audit_entry",
    "permission_change",
    "security_event",
    "security_purge",
    "contract_revision",
    "usage_entry",
    "month_close",
    "charge",
    "charge_line",
    "price_list",
    "company_revision",
    "company_footer_revision",
    "field_composition_revision",
    "pii_grant_change",
    "pii_grant_change_service",
    "extraction_step",
    "cti_log_day",
    "cti_event",
    "cti_call",
    "cti_log_purge",
    "audit_segment",
    "log_purge",
    "audit_review",
];

/// Tables among those, in which a row goes when its time is over: their triggers know when.
pub const PURGED: &[&str] = &[
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

/// Runs `sql` with the database's own names of types.
pub(crate) async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    let postgres = manager.get_database_backend() == DbBackend::Postgres;
    let types: &[(&str, &str)] = if postgres {
        &[
            (":uuid", "uuid"),
            (":time", "timestamptz"),
            (":date", "date"),
            (":json", "jsonb"),
            (":bytes", "bytea"),
            (":bool", "boolean"),
            (":int", "integer"),
            (":long", "bigint"),
            (":true", "true"),
            (":false", "false"),
            (":end", ""),
        ]
    } else {
        &[
            (":uuid", "BLOB"),
            (":time", "TEXT"),
            (":date", "TEXT"),
            (":json", "TEXT"),
            (":bytes", "BLOB"),
            (":bool", "INTEGER"),
            (":int", "INTEGER"),
            (":long", "INTEGER"),
            (":true", "1"),
            (":false", "0"),
            (":end", "STRICT"),
        ]
    };
    let text = types
        .iter()
        .fold(sql.to_owned(), |text, (name, own)| text.replace(name, own));
    manager.get_connection().execute_unprepared(&text).await?;
    Ok(())
}

/// Puts a table behind row-level security: only rows of the transaction's organization exist, and no other can be
/// written, also by the table's owner. An unset organization shows nothing.
pub(crate) async fn isolate(manager: &SchemaManager<'_>, tables: &[&str], column: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    for table in tables {
        let own = format!("{column} = NULLIF(current_setting('orgdesk.organization', true), '')::uuid");
        let sql = format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
             ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
             CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own});"
        );
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Runs `sql` over the rows of every organization: the table's owner is under row-level security too.
pub(crate) async fn seeing_all(manager: &SchemaManager<'_>, table: &str, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return run(manager, sql).await;
    }
    // Where rights change, so do the marks of organizations.
    let organization = RIGHTS
        .iter()
        .any(|(rights, _)| *rights == table)
        .then_some("organization");
    let each = |change: &str| -> String {
        let tables = [Some(table), organization].into_iter().flatten();
        tables
            .map(|table| format!("ALTER TABLE {table} {change} ROW LEVEL SECURITY;"))
            .collect()
    };
    run(manager, &format!("{} {sql}; {}", each("NO FORCE"), each("FORCE"))).await
}

/// Refuses every change and removal of rows of a table, also `INSERT OR REPLACE`, which SQLite's triggers on
/// deletion see only with `recursive_triggers` on. `key` names the columns that tell two rows apart.
pub(crate) async fn append_only(manager: &SchemaManager<'_>, table: &str, key: &[&str]) -> Result<(), DbErr> {
    let sql = if manager.get_database_backend() == DbBackend::Postgres {
        format!(
            "CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$;
             CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
               FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only();"
        )
    } else {
        let same = same(key);
        format!(
            "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
               BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
             CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
               BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
             CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
               WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
               BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"
        )
    };
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

/// From now on rows of an append-only table go where this question has an answer for them, which calls them `gone`: where
/// something stands in their place. Everything else about the table stays as it was.
pub(crate) async fn replaced_by(manager: &SchemaManager<'_>, table: &str, question: &str) -> Result<(), DbErr> {
    let sql = if manager.get_database_backend() == DbBackend::Postgres {
        // One look at what a statement deletes, not one for each row.
        format!(
            "DROP TRIGGER {table}_append_only ON {table};
             CREATE TRIGGER {table}_append_only BEFORE UPDATE OR TRUNCATE ON {table}
               FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only();
             CREATE FUNCTION {table}_goes_in_time() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN
                 IF EXISTS (SELECT 1 FROM gone WHERE NOT EXISTS ({question})) THEN
                   RAISE EXCEPTION '{table} is append-only';
                 END IF;
                 RETURN NULL;
               END $$;
             CREATE TRIGGER {table}_in_time AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
               FOR EACH STATEMENT EXECUTE FUNCTION {table}_goes_in_time();"
        )
    } else {
        let question = question.replace("gone.", "OLD.");
        format!(
            "DROP TRIGGER {table}_no_delete;
             CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT EXISTS ({question})
               BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"
        )
    };
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

/// Makes a table a journal: a row, once written, does not change; one whose key is there already is passed over, as
/// `ON CONFLICT DO NOTHING` expects; and none goes but those of days that a row of `purges` says are over, by its
/// `keeps_from`. The table has a column `day`.
pub(crate) async fn journal(manager: &SchemaManager<'_>, table: &str, key: &[&str], purges: &str) -> Result<(), DbErr> {
    let sql = if manager.get_database_backend() == DbBackend::Postgres {
        // One look at what a statement deletes, not one for each row.
        format!(
            "CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$;
             CREATE TRIGGER {table}_append_only BEFORE UPDATE OR TRUNCATE ON {table}
               FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only();
             CREATE FUNCTION {table}_goes_in_time() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN
                 IF EXISTS (SELECT 1 FROM gone WHERE NOT EXISTS (SELECT 1 FROM {purges} p
                     WHERE p.organization_id = gone.organization_id AND p.keeps_from > gone.day)) THEN
                   RAISE EXCEPTION '{table} is append-only';
                 END IF;
                 RETURN NULL;
               END $$;
             CREATE TRIGGER {table}_in_time AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
               FOR EACH STATEMENT EXECUTE FUNCTION {table}_goes_in_time();"
        )
    } else {
        let same = same(key);
        format!(
            "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
               BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
             CREATE TRIGGER {table}_in_time BEFORE DELETE ON {table}
               WHEN NOT EXISTS (SELECT 1 FROM {purges} p
                 WHERE p.organization_id = OLD.organization_id AND p.keeps_from > OLD.day)
               BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
             CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
               WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
               BEGIN SELECT RAISE(IGNORE); END;"
        )
    };
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

/// Whether a row there has the key of the new one.
fn same(key: &[&str]) -> String {
    let columns = key.iter().map(|column| format!("{column} = NEW.{column}"));
    columns.collect::<Vec<_>>().join(" AND ")
}
