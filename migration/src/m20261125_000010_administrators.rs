//! Who made somebody an organization administrator; one owner at most, whatever the service does; and what members are
//! told of by letter, at the address that they had when it happened.

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
             ) :end;
             CREATE TABLE notice (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               member_id :uuid NOT NULL,
               event text NOT NULL CHECK (event IN ('PASSWORD_CHANGED', 'EMAIL_CHANGED', 'SECOND_FACTOR_ADDED',
                 'SECOND_FACTOR_REMOVED', 'OWNERSHIP_TRANSFERRED')),
               email text NOT NULL,
               happened_at :time NOT NULL,
               address text NOT NULL,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
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
        isolate(manager, &["organization_admin", "notice"], "organization_id").await
    }
}
