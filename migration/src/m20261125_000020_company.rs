//! Company information: entries with all their versions, the footers of help centers that show them, and what a help
//! center may read of it without signing in.

use crate::dialect::{append_only, isolate, run, seeing_all};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        entries(manager).await?;
        footers(manager).await?;
        routes(manager).await
    }
}

async fn entries(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE company (
           id :uuid NOT NULL,
           organization_id :uuid NOT NULL REFERENCES organization (id),
           title text NOT NULL,
           title_key text NOT NULL,
           content :json NOT NULL,
           revision :int NOT NULL,
           created_at :time NOT NULL,
           removed_at :time,
           version :int NOT NULL,
           PRIMARY KEY (organization_id, id)
         ) :end;
         CREATE UNIQUE INDEX company_title ON company (organization_id, title_key) WHERE removed_at IS NULL;
         CREATE INDEX company_time ON company (organization_id, created_at, id);
         CREATE TABLE company_revision (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           company_id :uuid NOT NULL,
           revision :int NOT NULL,
           title text NOT NULL,
           content :json NOT NULL,
           made_at :time NOT NULL,
           made_by text NOT NULL,
           PRIMARY KEY (organization_id, company_id, revision),
           FOREIGN KEY (organization_id, company_id) REFERENCES company (organization_id, id)
         ) :end;",
    )
    .await?;
    append_only(
        manager,
        "company_revision",
        &["organization_id", "company_id", "revision"],
    )
    .await?;
    isolate(manager, &["company", "company_revision"], "organization_id").await
}

async fn footers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE company_footer (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           service_id :uuid NOT NULL,
           company_id :uuid,
           is_on_pc :bool NOT NULL,
           is_on_mobile :bool NOT NULL,
           revision :int NOT NULL,
           version :int NOT NULL,
           PRIMARY KEY (organization_id, service_id),
           FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id),
           FOREIGN KEY (organization_id, company_id) REFERENCES company (organization_id, id)
         ) :end;
         CREATE INDEX company_footer_company ON company_footer (organization_id, company_id);
         CREATE TABLE company_footer_revision (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           service_id :uuid NOT NULL,
           revision :int NOT NULL,
           company_id :uuid,
           is_on_pc :bool NOT NULL,
           is_on_mobile :bool NOT NULL,
           made_at :time NOT NULL,
           made_by text NOT NULL,
           PRIMARY KEY (organization_id, service_id, revision),
           FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id),
           FOREIGN KEY (organization_id, company_id) REFERENCES company (organization_id, id)
         ) :end;",
    )
    .await?;
    append_only(
        manager,
        "company_footer_revision",
        &["organization_id", "service_id", "revision"],
    )
    .await?;
    isolate(
        manager,
        &["company_footer", "company_footer_revision"],
        "organization_id",
    )
    .await
}

/// What is read before it is known whose rows to see: where a service is found by its code, and its published footer.
async fn routes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE service_route (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           code text NOT NULL,
           service_id :uuid NOT NULL,
           main_language text,
           is_open :bool NOT NULL,
           PRIMARY KEY (organization_id, code)
         ) :end;
         CREATE TABLE public_footer (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           service_id :uuid NOT NULL,
           is_on_pc :bool NOT NULL,
           is_on_mobile :bool NOT NULL,
           content :json NOT NULL,
           PRIMARY KEY (organization_id, service_id)
         ) :end;",
    )
    .await?;
    let first = match manager.get_database_backend() {
        DbBackend::Postgres => "languages ->> 0",
        _ => "json_extract(languages, '$[0]')",
    };
    let copy = format!(
        "INSERT INTO service_route
           SELECT organization_id, code, id, {first}, status = 'IN_USE' FROM service"
    );
    seeing_all(manager, "service", &copy).await
}
