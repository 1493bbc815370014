//! People: members, organization administrators, sessions with their refresh tokens, and the brake on guessing.

use crate::dialect::{isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE member (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               login text NOT NULL,
               name text NOT NULL,
               email text NOT NULL,
               password_hash text NOT NULL,
               is_owner :bool NOT NULL,
               status text NOT NULL CHECK (status IN ('ACTIVE', 'LEFT')),
               joined_at :time NOT NULL,
               version :int NOT NULL,
               PRIMARY KEY (organization_id, id)
             ) :end;
             CREATE UNIQUE INDEX member_login ON member (organization_id, login);
             CREATE UNIQUE INDEX member_email ON member (organization_id, email);
             CREATE TABLE organization_admin (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               member_id :uuid NOT NULL,
               added_at :time NOT NULL,
               PRIMARY KEY (organization_id, member_id),
               FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
             ) :end;
             CREATE TABLE session (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               member_id :uuid NOT NULL,
               started_at :time NOT NULL,
               confirmed_at :time NOT NULL,
               used_at :time NOT NULL,
               expires_at :time NOT NULL,
               ended_at :time,
               address text NOT NULL,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
             ) :end;
             CREATE INDEX session_member ON session (organization_id, member_id);
             CREATE TABLE refresh_token (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               session_id :uuid NOT NULL,
               token_hash :bytes NOT NULL,
               issued_at :time NOT NULL,
               used_at :time,
               PRIMARY KEY (organization_id, id),
               FOREIGN KEY (organization_id, session_id) REFERENCES session (organization_id, id)
             ) :end;
             CREATE UNIQUE INDEX refresh_token_hash ON refresh_token (token_hash);
             CREATE INDEX refresh_token_session ON refresh_token (organization_id, session_id);
             CREATE TABLE sign_in_throttle (
               key :bytes PRIMARY KEY,
               attempts :int NOT NULL,
               counted_from :time NOT NULL
             ) :end;
             CREATE INDEX sign_in_throttle_age ON sign_in_throttle (counted_from);",
        )
        .await?;
        isolate(
            manager,
            &["member", "organization_admin", "session", "refresh_token"],
            "organization_id",
        )
        .await
    }
}
