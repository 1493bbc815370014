//! How people come, prove who they are and go: invitations with their mailings, password resets, second factors; and
//! the full rights of agents in services.

use crate::dialect::{isolate, run, seeing_all};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        members(manager).await?;
        invitations(manager).await?;
        credentials(manager).await?;
        agents(manager).await
    }
}

/// Members get a language, a key to search names by, and the day they left; whoever left frees his login ID.
async fn members(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "ALTER TABLE organization ADD COLUMN requires_second_factor :bool NOT NULL DEFAULT :false;
         ALTER TABLE member ADD COLUMN name_key text NOT NULL DEFAULT '';
         ALTER TABLE member ADD COLUMN language text NOT NULL DEFAULT 'KOREAN' CHECK (language IN ('KOREAN', 'ENGLISH'));
         ALTER TABLE member ADD COLUMN left_at :time;
         ALTER TABLE member ADD COLUMN has_short_password :bool NOT NULL DEFAULT :false;
         ALTER TABLE session ADD COLUMN client text NOT NULL DEFAULT '';
         DROP INDEX member_login;
         DROP INDEX member_email;
         CREATE UNIQUE INDEX member_login ON member (organization_id, login) WHERE status = 'ACTIVE';
         CREATE UNIQUE INDEX member_email ON member (organization_id, lower(email)) WHERE status = 'ACTIVE';
         CREATE INDEX member_name ON member (organization_id, name_key, id);",
    )
    .await?;
    seeing_all(manager, "member", "UPDATE member SET name_key = lower(name)").await
}

async fn invitations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE invitation (
           id :uuid NOT NULL,
           organization_id :uuid NOT NULL REFERENCES organization (id),
           login text NOT NULL,
           name text NOT NULL,
           name_key text NOT NULL,
           email text NOT NULL,
           language text NOT NULL CHECK (language IN ('KOREAN', 'ENGLISH')),
           is_owner :bool NOT NULL,
           state text NOT NULL CHECK (state IN ('PENDING', 'ACCEPTED', 'EXPIRED', 'REVOKED')),
           invited_by :uuid,
           invited_at :time NOT NULL,
           expires_at :time NOT NULL,
           mailing :int NOT NULL,
           accepted_at :time,
           revoked_at :time,
           member_id :uuid,
           version :int NOT NULL,
           PRIMARY KEY (organization_id, id),
           FOREIGN KEY (organization_id, invited_by) REFERENCES member (organization_id, id),
           FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
         ) :end;
         CREATE UNIQUE INDEX invitation_login ON invitation (organization_id, login) WHERE state = 'PENDING';
         CREATE UNIQUE INDEX invitation_email ON invitation (organization_id, lower(email)) WHERE state = 'PENDING';
         CREATE INDEX invitation_time ON invitation (organization_id, invited_at, id);
         CREATE TABLE invitation_mailing (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           invitation_id :uuid NOT NULL,
           number :int NOT NULL,
           email text NOT NULL,
           requested_at :time NOT NULL,
           delivery text NOT NULL CHECK (delivery IN ('QUEUED', 'SENT', 'BOUNCED', 'FAILED')),
           delivery_failure text,
           sent_at :time,
           token_hash :bytes,
           PRIMARY KEY (organization_id, invitation_id, number),
           FOREIGN KEY (organization_id, invitation_id) REFERENCES invitation (organization_id, id)
         ) :end;
         CREATE UNIQUE INDEX invitation_mailing_token ON invitation_mailing (token_hash);
         CREATE INDEX invitation_mailing_time ON invitation_mailing (organization_id, requested_at);",
    )
    .await?;
    isolate(manager, &["invitation", "invitation_mailing"], "organization_id").await
}

async fn credentials(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE password_reset (
           id :uuid NOT NULL,
           organization_id :uuid NOT NULL REFERENCES organization (id),
           member_id :uuid NOT NULL,
           requested_at :time NOT NULL,
           expires_at :time NOT NULL,
           token_hash :bytes,
           used_at :time,
           used_from text NOT NULL,
           PRIMARY KEY (organization_id, id),
           FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
         ) :end;
         CREATE UNIQUE INDEX password_reset_token ON password_reset (token_hash);
         CREATE INDEX password_reset_member ON password_reset (organization_id, member_id, requested_at);
         CREATE TABLE second_factor (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           member_id :uuid NOT NULL,
           secret :bytes NOT NULL,
           enrolled_at :time NOT NULL,
           activated_at :time,
           last_step :long NOT NULL,
           PRIMARY KEY (organization_id, member_id),
           FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
         ) :end;
         CREATE TABLE recovery_code (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           member_id :uuid NOT NULL,
           code_hash :bytes NOT NULL,
           used_at :time,
           PRIMARY KEY (organization_id, member_id, code_hash),
           FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
         ) :end;",
    )
    .await?;
    isolate(
        manager,
        &["password_reset", "second_factor", "recovery_code"],
        "organization_id",
    )
    .await
}

/// An agent becomes a thing of its own, with an ID and every right; whoever was one keeps what his role had.
async fn agents(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let fresh = match manager.get_database_backend() {
        DbBackend::Postgres => "gen_random_uuid()",
        _ => "randomblob(16)",
    };
    run(
        manager,
        "CREATE TABLE agent_with_rights (
           id :uuid NOT NULL,
           organization_id :uuid NOT NULL REFERENCES organization (id),
           service_id :uuid NOT NULL,
           member_id :uuid NOT NULL,
           role text NOT NULL CHECK (role IN ('MANAGER', 'AGENT')),
           handles_tickets :bool NOT NULL,
           handles_chats :bool NOT NULL,
           handles_calls :bool NOT NULL,
           assigns_callbacks :bool NOT NULL,
           forwards_tickets :bool NOT NULL,
           views_access_logs :bool NOT NULL,
           receives_tickets :bool NOT NULL,
           receives_chats :bool NOT NULL,
           controls_assignment :bool NOT NULL,
           added_at :time NOT NULL,
           version :int NOT NULL,
           PRIMARY KEY (organization_id, id),
           CHECK (handles_tickets OR NOT handles_calls),
           FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id),
           FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
         ) :end;",
    )
    .await?;
    let copy = format!(
        "INSERT INTO agent_with_rights
           SELECT {fresh}, organization_id, service_id, member_id, role, :true, :false, :false, role = 'MANAGER', :false,
             role = 'MANAGER', :true, :false, :false, added_at, 1
           FROM agent"
    );
    seeing_all(manager, "agent", &copy).await?;
    run(
        manager,
        "DROP TABLE agent;
         ALTER TABLE agent_with_rights RENAME TO agent;
         CREATE UNIQUE INDEX agent_place ON agent (organization_id, service_id, member_id);
         CREATE INDEX agent_member ON agent (organization_id, member_id);
         CREATE INDEX agent_time ON agent (organization_id, added_at, id);
         CREATE INDEX agent_service_time ON agent (organization_id, service_id, added_at, id);",
    )
    .await?;
    isolate(manager, &["agent"], "organization_id").await
}
