//! CTI: the setting of an organization's telephony, the CTI IDs and numbers of its agents, and who held which when.

use crate::dialect::{isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        setting(manager).await?;
        agents(manager).await?;
        isolate(
            manager,
            &["cti_setting", "cti_agent", "cti_agent_history"],
            "organization_id",
        )
        .await
    }
}

async fn setting(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE cti_setting (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           cti_version text CHECK (cti_version IN ('IPCC_PRIVATE', 'MOBILE_CONTACT')),
           tenant_id text,
           tenant_name text,
           representative_ivr_number text,
           is_mobile_contact_enabled :bool NOT NULL,
           is_cti_log_monitored :bool NOT NULL,
           has_bulk_wait_state :bool NOT NULL,
           is_outbound_ticket_auto_created :bool NOT NULL,
           is_inbound_auto_answered :bool NOT NULL,
           version :int NOT NULL,
           PRIMARY KEY (organization_id)
         ) :end;",
    )
    .await
}

/// A value stands in a column in one spelling only, so that the indexes see every way to write it as one.
async fn agents(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE cti_agent (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           member_id :uuid NOT NULL,
           cti_id text,
           cti_id_key text,
           cti_number text,
           changed_at :time NOT NULL,
           version :int NOT NULL,
           PRIMARY KEY (organization_id, member_id),
           FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id),
           CHECK ((cti_id IS NULL) = (cti_id_key IS NULL) AND (cti_id IS NULL) = (cti_number IS NULL)),
           CHECK (cti_id_key = lower(cti_id))
         ) :end;
         CREATE UNIQUE INDEX cti_agent_id ON cti_agent (organization_id, cti_id_key);
         CREATE UNIQUE INDEX cti_agent_number ON cti_agent (organization_id, cti_number);
         CREATE TABLE cti_agent_history (
           id :uuid NOT NULL,
           organization_id :uuid NOT NULL REFERENCES organization (id),
           member_id :uuid NOT NULL,
           cti_id text NOT NULL,
           cti_id_key text NOT NULL,
           cti_number text NOT NULL,
           held_from :time NOT NULL,
           held_until :time,
           given_by text NOT NULL,
           taken_by text,
           PRIMARY KEY (organization_id, id),
           FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id),
           CHECK (held_until >= held_from)
         ) :end;
         CREATE UNIQUE INDEX cti_agent_history_open ON cti_agent_history (organization_id, member_id)
           WHERE held_until IS NULL;
         CREATE INDEX cti_agent_history_id ON cti_agent_history (organization_id, cti_id_key, held_from, id);
         CREATE INDEX cti_agent_history_number ON cti_agent_history (organization_id, cti_number, held_from, id);
         CREATE INDEX cti_agent_history_time ON cti_agent_history (organization_id, held_from, id);",
    )
    .await
}
