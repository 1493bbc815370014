//! Lists that leave as files, and the log of all that became of them.

use crate::dialect::{append_only, isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// `asked` is what a file is made by, sealed: how the list is narrowed, and the file's password. It goes once the file is made,
/// and the key of a file goes before the file does. `fence` counts who has begun to make a file: whoever finds another
/// number in the row was overtaken.
///
/// Each filter of the log has its index, in the order of the list. That of the bare list comes last: of two that look as
/// good, SQLite takes the earlier.
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE extraction (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               source text NOT NULL,
               service_id :uuid,
               format text NOT NULL CHECK (format IN ('XLSX', 'CSV')),
               is_unmasked :bool NOT NULL,
               grant_id :uuid,
               reason text,
               columns :json NOT NULL,
               snapshot :json NOT NULL,
               has_password :bool NOT NULL,
               asked :bytes,
               language text NOT NULL,
               state text NOT NULL CHECK (state IN ('REQUESTED', 'RUNNING', 'READY', 'DOWNLOADED', 'EXPIRED', 'FAILED')),
               requested_at :time NOT NULL,
               requested_by :uuid NOT NULL,
               address text NOT NULL,
               file_name text NOT NULL,
               row_count :int,
               done_count :int NOT NULL,
               byte_size :long,
               sha256 text,
               file_key :bytes,
               has_file :bool NOT NULL,
               finished_at :time,
               expires_at :time,
               download_count :int NOT NULL,
               failure text,
               fence :int NOT NULL,
               version :int NOT NULL,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id),
               FOREIGN KEY (organization_id, grant_id) REFERENCES pii_grant (organization_id, id),
               FOREIGN KEY (organization_id, requested_by) REFERENCES member (organization_id, id),
               CHECK (NOT is_unmasked OR grant_id IS NOT NULL),
               CHECK (NOT is_unmasked OR reason IS NOT NULL)
             ) :end;
             CREATE INDEX extraction_member ON extraction (organization_id, requested_by, requested_at, id);
             CREATE INDEX extraction_open ON extraction (organization_id, requested_by, state)
               WHERE state IN ('REQUESTED', 'RUNNING', 'READY', 'DOWNLOADED');
             CREATE TABLE extraction_step (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               occurred_at :time NOT NULL,
               kind text NOT NULL CHECK (kind IN ('REQUESTED', 'READY', 'DOWNLOADED', 'EXPIRED', 'FAILED', 'DENIED')),
               extraction_id :uuid,
               source text NOT NULL,
               service_id :uuid,
               format text NOT NULL,
               is_unmasked :bool NOT NULL,
               grant_id :uuid,
               reason text,
               columns :json NOT NULL,
               snapshot :json NOT NULL,
               file_name text NOT NULL,
               row_count :int,
               byte_size :long,
               sha256 text,
               download_count :int NOT NULL,
               expires_at :time,
               failure text,
               actor_kind text NOT NULL CHECK (actor_kind IN ('MEMBER', 'KEY', 'SYSTEM', 'OPERATOR', 'NOBODY')),
               actor_id text,
               actor_name text NOT NULL,
               actor_login text,
               address text NOT NULL,
               target_id text NOT NULL,
               target_name text NOT NULL,
               target_login text NOT NULL,
               entry_id :uuid NOT NULL,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, extraction_id) REFERENCES extraction (organization_id, id),
               FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id)
             ) :end;
             CREATE INDEX extraction_step_extraction ON extraction_step (organization_id, extraction_id, occurred_at, id);
             CREATE INDEX extraction_step_kind ON extraction_step (organization_id, kind, occurred_at, id);
             CREATE INDEX extraction_step_source ON extraction_step (organization_id, source, occurred_at, id);
             CREATE INDEX extraction_step_service ON extraction_step (organization_id, service_id, occurred_at, id);
             CREATE INDEX extraction_step_address ON extraction_step (organization_id, address, occurred_at, id);
             CREATE INDEX extraction_step_actor_name ON extraction_step (organization_id, actor_name, occurred_at, id);
             CREATE INDEX extraction_step_actor_login ON extraction_step (organization_id, actor_login, occurred_at, id);
             CREATE INDEX extraction_step_target_name ON extraction_step (organization_id, target_name, occurred_at, id);
             CREATE INDEX extraction_step_target_login ON extraction_step (organization_id, target_login, occurred_at, id);
             CREATE INDEX extraction_step_time ON extraction_step (organization_id, occurred_at, id);",
        )
        .await?;
        append_only(manager, "extraction_step", &["organization_id", "id"]).await?;
        isolate(manager, &["extraction", "extraction_step"], "organization_id").await
    }
}
