//! Price lists, metered usage, closed months, and the charges of each service and month with their lines.

use crate::dialect::{append_only, isolate, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            "CREATE TABLE price_list (
               id :uuid PRIMARY KEY,
               effective_on :date NOT NULL UNIQUE,
               currency text NOT NULL,
               source text NOT NULL,
               loaded_at :time NOT NULL
             ) :end;
             CREATE TABLE usage_entry (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               service_id :uuid NOT NULL,
               meter text NOT NULL CHECK (meter IN ('TICKETS', 'CHATS', 'CALL_SECONDS')),
               external_id text NOT NULL,
               quantity :long NOT NULL CHECK (quantity >= 0),
               occurred_on :date NOT NULL,
               month :int NOT NULL,
               charge_month :int NOT NULL CHECK (charge_month >= month),
               recorded_at :time NOT NULL,
               PRIMARY KEY (organization_id, service_id, meter, external_id),
               FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id)
             ) :end;
             CREATE INDEX usage_entry_charged ON usage_entry (organization_id, charge_month, service_id);
             CREATE INDEX usage_entry_month ON usage_entry (organization_id, service_id, month);
             CREATE TABLE month_close (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               month :int NOT NULL,
               closed_at :time NOT NULL,
               PRIMARY KEY (organization_id, month)
             ) :end;
             CREATE TABLE charge (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               service_id :uuid NOT NULL,
               month :int NOT NULL,
               price_list_id :uuid NOT NULL REFERENCES price_list (id),
               subtotal :long NOT NULL,
               discount :long NOT NULL,
               supply :long NOT NULL,
               vat :long NOT NULL,
               total :long NOT NULL,
               closed_at :time NOT NULL,
               PRIMARY KEY (organization_id, service_id, month),
               FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id),
               FOREIGN KEY (organization_id, month) REFERENCES month_close (organization_id, month),
               CHECK (total = supply + vat)
             ) :end;
             CREATE INDEX charge_month ON charge (organization_id, month, service_id);
             CREATE TABLE charge_line (
               organization_id :uuid NOT NULL REFERENCES organization (id),
               service_id :uuid NOT NULL,
               month :int NOT NULL,
               position :int NOT NULL,
               kind text NOT NULL
                 CHECK (kind IN ('LICENCE', 'USAGE', 'FREE_TRIAL', 'CORRECTION', 'DISCOUNT', 'VAT')),
               item text,
               seats :int,
               days :int,
               used :long,
               free :long,
               charged :long,
               corrects :int,
               amount :long NOT NULL,
               PRIMARY KEY (organization_id, service_id, month, position),
               FOREIGN KEY (organization_id, service_id, month) REFERENCES charge (organization_id, service_id, month)
             ) :end;",
        )
        .await?;
        append_only(manager, "price_list", &["id"]).await?;
        append_only(
            manager,
            "usage_entry",
            &["organization_id", "service_id", "meter", "external_id"],
        )
        .await?;
        append_only(manager, "month_close", &["organization_id", "month"]).await?;
        append_only(manager, "charge", &["organization_id", "service_id", "month"]).await?;
        append_only(
            manager,
            "charge_line",
            &["organization_id", "service_id", "month", "position"],
        )
        .await?;
        let tables = ["usage_entry", "month_close", "charge", "charge_line"];
        isolate(manager, &tables, "organization_id").await
    }
}
