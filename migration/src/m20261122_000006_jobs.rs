//! Work that is due, written in the transaction that asks for it, and the answers that a repeated request gets.

use crate::dialect::{isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE job_outbox (
               id :uuid PRIMARY KEY,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               kind text NOT NULL,
               argument text NOT NULL,
               due_at :time NOT NULL,
               state text NOT NULL CHECK (state IN ('WAITING', 'QUEUED', 'DONE', 'DEAD')),
               attempts :int NOT NULL,
               handed_over_at :time,
               finished_at :time,
               failure text,
               UNIQUE (organization_id, kind, argument)
             ) :end;
             CREATE INDEX job_outbox_due ON job_outbox (state, due_at);
             CREATE TABLE idempotency (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               actor_id text NOT NULL,
               action text NOT NULL,
               key text NOT NULL,
               input_hash :bytes NOT NULL,
               outcome :json NOT NULL,
               created_at :time NOT NULL,
               PRIMARY KEY (organization_id, actor_id, action, key)
             ) :end;
             CREATE INDEX idempotency_age ON idempotency (organization_id, created_at);",
        )
        .await?;
        isolate(manager, &["idempotency"], "organization_id").await
    }
}
