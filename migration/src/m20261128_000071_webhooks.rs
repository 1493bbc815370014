//! Webhooks and the messages to them.

use crate::dialect::{isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE webhook (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               name text NOT NULL,
               url text NOT NULL,
               kinds :json NOT NULL,
               is_active :bool NOT NULL,
               challenge text NOT NULL,
               verified_at :time,
               secret :bytes NOT NULL,
               previous_secret :bytes,
               previous_secret_until :time,
               created_at :time NOT NULL,
               removed_at :time,
               version :int NOT NULL,
               PRIMARY KEY (organization_id, id)
             ) :end;
             CREATE TABLE webhook_delivery (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               webhook_id :uuid NOT NULL,
               kind text NOT NULL,
               body text NOT NULL,
               state text NOT NULL CHECK (state IN ('PENDING', 'DELIVERED', 'FAILED')),
               attempts :int NOT NULL,
               status :int,
               failure text,
               created_at :time NOT NULL,
               attempted_at :time,
               finished_at :time,
               replay_of :uuid,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, webhook_id) REFERENCES webhook (organization_id, id),
               CHECK ((state = 'PENDING') = (finished_at IS NULL))
             ) :end;
             CREATE INDEX webhook_delivery_time ON webhook_delivery (organization_id, created_at, id);
             CREATE INDEX webhook_delivery_webhook ON webhook_delivery (organization_id, webhook_id, created_at, id);
             CREATE INDEX webhook_delivery_state ON webhook_delivery (organization_id, state, created_at, id);",
        )
        .await?;
        isolate(manager, &["webhook", "webhook_delivery"], "organization_id").await
    }
}
