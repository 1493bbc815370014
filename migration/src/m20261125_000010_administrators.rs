//! Who made somebody an organization administrator; and one owner at most, whatever the service does.

use crate::dialect::{isolate, run, seeing_all};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE UNIQUE INDEX member_owner ON member (organization_id) WHERE is_owner;
             CREATE TABLE organization_admin_with_origin (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               member_id :uuid NOT NULL,
               added_by :uuid,
               added_at :time NOT NULL,
               PRIMARY KEY (organization_id, member_id),
               FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id),
               FOREIGN KEY (organization_id, added_by) REFERENCES member (organization_id, id)
             ) :end;",
        )
        .await?;
        let copy = "INSERT INTO organization_admin_with_origin (organization_id, member_id, added_at)
                      SELECT organization_id, member_id, added_at FROM organization_admin";
        seeing_all(manager, "organization_admin", copy).await?;
        run(
            manager,
            "DROP TABLE organization_admin;
             ALTER TABLE organization_admin_with_origin RENAME TO organization_admin;",
        )
        .await?;
        isolate(manager, &["organization_admin"], "organization_id").await
    }
}
