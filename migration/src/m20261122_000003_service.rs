//! Services, their agents, their contracts, and every version a contract ever had.

use crate::dialect::{append_only, isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE service (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               code text NOT NULL,
               kind text NOT NULL CHECK (kind IN ('CONSULTATION', 'ISSUE')),
               name text NOT NULL,
               name_key text NOT NULL,
               languages :json NOT NULL,
               time_zone text NOT NULL,
               editor_type text CHECK (editor_type IN ('HTML', 'TEXT')),
               status text NOT NULL CHECK (status IN ('NOT_IN_USE', 'IN_USE', 'SUSPENDED', 'TERMINATED')),
               created_at :time NOT NULL,
               suspended_at :time,
               terminated_at :time,
               version :int NOT NULL,
               PRIMARY KEY (organization_id, id)
             ) :end;
             CREATE UNIQUE INDEX service_code ON service (organization_id, lower(code));
             CREATE UNIQUE INDEX service_name ON service (organization_id, name_key) WHERE status <> 'TERMINATED';
             CREATE INDEX service_created ON service (organization_id, created_at, id);
             CREATE TABLE agent (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               service_id :uuid NOT NULL,
               member_id :uuid NOT NULL,
               role text NOT NULL CHECK (role IN ('MANAGER', 'AGENT')),
               added_at :time NOT NULL,
               PRIMARY KEY (organization_id, service_id, member_id),
               FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id),
               FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
             ) :end;
             CREATE INDEX agent_member ON agent (organization_id, member_id);
             CREATE TABLE contract (
               id :uuid NOT NULL,
               organization_id :uuid NOT NULL REFERENCES organization (id),
               service_id :uuid NOT NULL,
               status text NOT NULL CHECK (status IN ('DRAFT', 'IN_FORCE', 'ENDED')),
               items :json NOT NULL,
               discount_percent :int NOT NULL CHECK (discount_percent BETWEEN 0 AND 100),
               trial_from :date,
               trial_to :date,
               started_on :date,
               ended_on :date,
               signed_at :time,
               edited_on :date,
               edit_spent_until :time,
               revision :int NOT NULL,
               created_at :time NOT NULL,
               version :int NOT NULL,
               PRIMARY KEY (organization_id, id),
               UNIQUE (organization_id, service_id),
               FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id)
             ) :end;
             CREATE TABLE contract_revision (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               contract_id :uuid NOT NULL,
               service_id :uuid NOT NULL,
               revision :int NOT NULL,
               cause text NOT NULL CHECK (cause IN ('SIGNED', 'UPDATED', 'DISCOUNTED', 'ENDED')),
               items :json NOT NULL,
               discount_percent :int NOT NULL,
               trial_from :date,
               trial_to :date,
               effective_on :date NOT NULL,
               edited_on :date,
               made_at :time NOT NULL,
               made_by text NOT NULL,
               PRIMARY KEY (organization_id, contract_id, revision),
               FOREIGN KEY (organization_id, contract_id) REFERENCES contract (organization_id, id),
               FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id)
             ) :end;
             CREATE INDEX contract_revision_service ON contract_revision (organization_id, service_id, revision);
             CREATE UNIQUE INDEX contract_revision_edited_on
               ON contract_revision (organization_id, contract_id, edited_on) WHERE edited_on IS NOT NULL;",
        )
        .await?;
        append_only(
            manager,
            "contract_revision",
            &["organization_id", "contract_id", "revision"],
        )
        .await?;
        isolate(
            manager,
            &["service", "agent", "contract", "contract_revision"],
            "organization_id",
        )
        .await
    }
}
