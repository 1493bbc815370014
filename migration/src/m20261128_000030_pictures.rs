//! Pictures: what is known of them, where they are shown, and the two places that name one by a column. Those two are
//! held by `picture_holder` as all others are, since SQLite can't add a foreign key of two columns to a table.

use crate::dialect::{isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE picture (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               sha256 text NOT NULL,
               file text NOT NULL,
               media_type text NOT NULL CHECK (media_type IN ('PNG', 'JPEG', 'WEBP')),
               width :int NOT NULL CHECK (width BETWEEN 1 AND 4096),
               height :int NOT NULL CHECK (height BETWEEN 1 AND 4096),
               byte_size :int NOT NULL CHECK (byte_size > 0),
               uploaded_at :time NOT NULL,
               touched_at :time NOT NULL,
               PRIMARY KEY (organization_id, id)
             ) :end;
             CREATE UNIQUE INDEX picture_content ON picture (organization_id, sha256);
             CREATE INDEX picture_touched ON picture (organization_id, touched_at);
             CREATE TABLE picture_holder (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               place text NOT NULL CHECK (place IN ('MAIN_LOGO', 'BANNER', 'COMPANY')),
               owner_id :uuid NOT NULL,
               picture_id :uuid NOT NULL,
               PRIMARY KEY (organization_id, place, owner_id, picture_id),
               FOREIGN KEY (organization_id, picture_id) REFERENCES picture (organization_id, id)
             ) :end;
             CREATE INDEX picture_holder_picture ON picture_holder (organization_id, picture_id);
             ALTER TABLE organization ADD COLUMN main_logo_id :uuid;
             ALTER TABLE service ADD COLUMN banner_id :uuid;",
        )
        .await?;
        isolate(manager, &["picture", "picture_holder"], "organization_id").await
    }
}
