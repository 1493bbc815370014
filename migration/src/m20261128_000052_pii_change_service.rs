//! Which services a change of a grant is about, so that the log of grants is found by service without reading it all.

use crate::dialect::{append_only, isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE pii_grant_change_service (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               change_id :uuid NOT NULL,
               place :int NOT NULL,
               service_id :uuid,
               PRIMARY KEY (organization_id, change_id, place),
               FOREIGN KEY (organization_id, change_id) REFERENCES pii_grant_change (organization_id, id),
               FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id)
             ) :end;
             CREATE INDEX pii_grant_change_service_of ON pii_grant_change_service (organization_id, service_id, change_id);",
        )
        .await?;
        append_only(
            manager,
            "pii_grant_change_service",
            &["organization_id", "change_id", "place"],
        )
        .await?;
        isolate(manager, &["pii_grant_change_service"], "organization_id").await
    }
}
