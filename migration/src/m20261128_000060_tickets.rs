//! Tickets, and what they are found by.

use crate::dialect::{isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Values of fields stand in two documents of the ticket's row: what is kept as it is, and what is sealed. What a ticket is
/// found by stands beside it, a narrow row for each field that can be searched: the beginning of a text, or the token
/// of a sealed one; `ticket_term_find` has what is equal in one piece, in the order of the list.
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE ticket (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               service_id :uuid NOT NULL,
               number :int NOT NULL,
               channel text NOT NULL CHECK (channel IN ('WEB', 'MOBILE_WEB', 'EMAIL', 'API', 'CHAT', 'TWITTER', 'PHONE', 'MANUAL')),
               status text NOT NULL CHECK (status IN ('NEW', 'OPEN', 'REPLY', 'SOLVED', 'CLOSED')),
               priority text NOT NULL CHECK (priority IN ('LOW', 'NORMAL', 'HIGH', 'URGENT')),
               assignee_id :uuid,
               received_at :time NOT NULL,
               processed_at :time,
               processing text,
               external_id text,
               is_migrated :bool NOT NULL,
               import_id :uuid,
               import_row :int,
               call_reference text,
               plain :json NOT NULL,
               sealed :json NOT NULL,
               created_at :time NOT NULL,
               version :int NOT NULL,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id),
               FOREIGN KEY (organization_id, assignee_id) REFERENCES member (organization_id, id),
               CHECK ((import_id IS NULL) = (import_row IS NULL)),
               CHECK (is_migrated = (import_id IS NOT NULL)),
               CHECK (status <> 'NEW' OR assignee_id IS NULL)
             ) :end;
             CREATE UNIQUE INDEX ticket_number ON ticket (organization_id, service_id, number);
             CREATE UNIQUE INDEX ticket_external ON ticket (organization_id, service_id, external_id)
               WHERE external_id IS NOT NULL;
             CREATE UNIQUE INDEX ticket_import ON ticket (organization_id, import_id, import_row)
               WHERE import_id IS NOT NULL;
             CREATE UNIQUE INDEX ticket_call ON ticket (organization_id, call_reference)
               WHERE call_reference IS NOT NULL;
             CREATE INDEX ticket_time ON ticket (organization_id, service_id, received_at, id);
             CREATE INDEX ticket_status ON ticket (organization_id, service_id, status, received_at, id);
             CREATE INDEX ticket_channel ON ticket (organization_id, service_id, channel, received_at, id);
             CREATE INDEX ticket_assignee ON ticket (organization_id, assignee_id, service_id, received_at, id)
               WHERE assignee_id IS NOT NULL;
             CREATE TABLE ticket_term (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               ticket_id :uuid NOT NULL,
               field_id :uuid NOT NULL,
               term :bytes NOT NULL,
               received_at :time NOT NULL,
               PRIMARY KEY (organization_id, ticket_id, field_id),
               FOREIGN KEY (organization_id, ticket_id) REFERENCES ticket (organization_id, id),
               FOREIGN KEY (organization_id, field_id) REFERENCES field (organization_id, id)
             ) :end;
             CREATE INDEX ticket_term_find ON ticket_term (organization_id, field_id, term, received_at, ticket_id);",
        )
        .await?;
        isolate(manager, &["ticket", "ticket_term"], "organization_id").await
    }
}
