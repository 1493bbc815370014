//! Imports of tickets from files, and what is wrong in those files.

use crate::dialect::{isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// `stuck_at` is how many rows were done when its attempts were last counted to their end: an import that goes on is begun as
/// often as it takes. `fence` counts who has begun to work on an import: whoever finds another number in the row was overtaken. Of what is
/// wrong in a file the first hundred are kept, without anything of what stands in it.
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE import (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               service_id :uuid NOT NULL,
               state text NOT NULL CHECK (state IN ('CHECKING', 'REFUSED', 'DRAFT', 'EXPIRED', 'RESERVED', 'DELETED', 'RUNNING',
                 'COMPLETED', 'PARTIAL', 'FAILED', 'UNDONE')),
               file_name text NOT NULL,
               byte_size :int NOT NULL CHECK (byte_size >= 0),
               sha256 text NOT NULL,
               file_key :bytes NOT NULL,
               has_file :bool NOT NULL,
               uploaded_at :time NOT NULL,
               uploaded_by :uuid NOT NULL,
               refusal text,
               refusal_words :json NOT NULL,
               differences :json NOT NULL,
               done_count :int NOT NULL,
               row_count :int NOT NULL,
               bad_row_count :int NOT NULL,
               problem_count :int NOT NULL,
               hidden_row_count :int NOT NULL,
               checked_at :time,
               expires_at :time,
               policy text CHECK (policy IN ('ALL_OR_NOTHING', 'SKIP_BAD_ROWS')),
               confirmed_at :time,
               confirmed_by :uuid,
               due_at :time,
               due_zone text,
               started_at :time,
               finished_at :time,
               inserted_count :int NOT NULL,
               known_count :int NOT NULL,
               failed_count :int NOT NULL,
               undone_at :time,
               kept_count :int NOT NULL,
               fence :int NOT NULL,
               stuck_at :int NOT NULL,
               version :int NOT NULL,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id),
               FOREIGN KEY (organization_id, uploaded_by) REFERENCES member (organization_id, id),
               FOREIGN KEY (organization_id, confirmed_by) REFERENCES member (organization_id, id),
               CHECK ((confirmed_at IS NULL) = (due_at IS NULL)),
               CHECK ((confirmed_at IS NULL) = (policy IS NULL))
             ) :end;
             CREATE INDEX import_time ON import (organization_id, uploaded_at, id);
             CREATE INDEX import_service ON import (organization_id, service_id, state, due_at, id);
             CREATE INDEX import_content ON import (organization_id, service_id, sha256);
             CREATE INDEX import_file ON import (organization_id, uploaded_at) WHERE has_file;
             CREATE TABLE import_problem (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               import_id :uuid NOT NULL,
               number :int NOT NULL,
               row_number :int NOT NULL,
               place :int NOT NULL,
               column_code text NOT NULL,
               column_title text NOT NULL,
               code text NOT NULL,
               words :json NOT NULL,
               PRIMARY KEY (organization_id, import_id, number),
               FOREIGN KEY (organization_id, import_id) REFERENCES import (organization_id, id)
             ) :end;",
        )
        .await?;
        isolate(manager, &["import", "import_problem"], "organization_id").await
    }
}
