//! Publishing: which entry a service's help center shows at its foot, and where.

use async_graphql::{ID, InputObject};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::{
    Footer,
    entity::{Column, Entity, Model},
    public, revision,
};
use crate::{
    company::{self, Company},
    kernel::{Code, CompanyId, Error, Problem, Reader, Result, ServiceId, Tx, payload::asks},
    service::{self, Service, ServiceKind},
};

/// What a service's help center shows at its foot.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct CompanyPublishInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The footer's `version` last read; 0 where it was never published.
    pub expected_version: i32,
    /// The entry to show; absent or null for no footer.
    #[graphql(name = "companyId")]
    pub company: Option<ID>,
    /// Whether the help center for PCs shows it.
    pub is_on_pc: bool,
    /// Whether the help center for phones shows it.
    pub is_on_mobile: bool,
}

asks!(CompanyPublishInput);

/// `companyPublish`: the service's footer from now on.
///
/// # Errors
/// `NOT_FOUND` at `id` or `input.companyId`, `NOT_AVAILABLE_FOR_KIND` for an issue service, `SERVICE_TERMINATED`,
/// `STALE_VERSION`.
pub async fn publish(tx: &Tx, id: &str, input: &CompanyPublishInput) -> Result<Footer> {
    let service = tx.find::<service::Entity>("id", id).await?;
    let known = of_service(tx, service.id).await?;
    if known.as_ref().map_or(0, |footer| footer.version) != input.expected_version {
        return Err(Problem::at("input.expectedVersion", Code::StaleVersion).into());
    }
    let mut problems: Vec<_> = hindrance(&service)
        .into_iter()
        .map(|code| Problem::at("id", code))
        .collect();
    let company = match &input.company {
        None => None,
        Some(company) => tx
            .seek::<company::Entity>(company)
            .await?
            .filter(|company| company.removed_at.is_none()),
    };
    if input.company.is_some() && company.is_none() {
        problems.push(Problem::at("input.companyId", Code::NotFound));
    }
    Error::unless_none(problems)?;
    let footer = write(tx, &service, known, company.as_ref(), input).await?;
    show(tx, &footer, company.as_ref()).await?;
    tx.about::<service::Entity>(&service);
    Ok(footer)
}

/// What keeps a service from having a footer.
pub fn hindrance(service: &Service) -> Vec<Code> {
    let is_issue = (service.kind == ServiceKind::Issue).then_some(Code::NotAvailableForKind);
    let is_over = (service.status == service::Status::Terminated).then_some(Code::ServiceTerminated);
    is_issue.into_iter().chain(is_over).collect()
}

async fn write(
    tx: &Tx,
    service: &Service,
    known: Option<Footer>,
    company: Option<&Company>,
    input: &CompanyPublishInput,
) -> Result<Footer> {
    let wanted = Model {
        organization_id: tx.organization_id(),
        service_id: service.id,
        company_id: company.map(|company| company.id),
        is_on_pc: input.is_on_pc && company.is_some(),
        is_on_mobile: input.is_on_mobile && company.is_some(),
        revision: known.as_ref().map_or(1, |footer| footer.revision + 1),
        version: input.expected_version + 1,
    };
    let footer = match known {
        None => tx.create::<Entity>(wanted).await?,
        Some(known) if is_same(&known, &wanted) => return Ok(known),
        Some(known) => tx.update::<Entity>(known, |row| *row = wanted).await?,
    };
    revision::keep(tx, &footer).await?;
    Ok(footer)
}

fn is_same(one: &Footer, other: &Footer) -> bool {
    let shows = |footer: &Footer| (footer.company_id, footer.is_on_pc, footer.is_on_mobile);
    shows(one) == shows(other)
}

/// An entry has changed: every footer that shows it says so at once.
///
/// # Errors
/// Only if the database fails.
pub async fn follow(tx: &Tx, company: &Company) -> Result<()> {
    let footers = tx.select::<Entity>().filter(Column::CompanyId.eq(company.id));
    for footer in footers.all().await? {
        show(tx, &footer, Some(company)).await?;
    }
    Ok(())
}

/// The services that have not been terminated and whose footers show an entry, in the order of their names.
///
/// # Errors
/// Only if the database fails.
pub async fn services_of(reader: &Reader, company: CompanyId) -> Result<Vec<Service>> {
    let footers = reader.select::<Entity>().filter(Column::CompanyId.eq(company));
    let ids: Vec<_> = footers.all().await?.iter().map(|footer| footer.service_id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let services = reader
        .select::<service::Entity>()
        .filter(service::Column::Id.is_in(ids));
    services
        .filter(service::Column::Status.ne(service::Status::Terminated))
        .order_by_asc(service::Column::NameKey)
        .all()
        .await
}

/// Which of these entries some help center shows, those of terminated services left out: one statement.
///
/// # Errors
/// Only if the database fails.
pub async fn shown_of(reader: &Reader, companies: impl Iterator<Item = CompanyId>) -> Result<Vec<CompanyId>> {
    let service = Entity::belongs_to(service::Entity)
        .from((Column::OrganizationId, Column::ServiceId))
        .to((service::Column::OrganizationId, service::Column::Id));
    let footers = reader
        .select::<Entity>()
        .join(JoinType::InnerJoin, service.into())
        .filter(Column::CompanyId.is_in(companies))
        .filter(service::Column::Status.ne(service::Status::Terminated));
    Ok(footers
        .all()
        .await?
        .into_iter()
        .filter_map(|footer| footer.company_id)
        .collect())
}

/// What a service's footer shows; `None` where it was never published.
///
/// # Errors
/// Only if the database fails.
pub async fn of_service(reader: &Reader, service: ServiceId) -> Result<Option<Footer>> {
    let footers = reader.select::<Entity>().filter(Column::ServiceId.eq(service));
    footers.one().await
}

/// Writes what anybody may read of a footer.
async fn show(tx: &Tx, footer: &Footer, company: Option<&Company>) -> Result<()> {
    let known = tx
        .select::<public::Entity>()
        .filter(public::Column::ServiceId.eq(footer.service_id))
        .one()
        .await?;
    let wanted = company.map(|company| public::Model {
        organization_id: footer.organization_id,
        service_id: footer.service_id,
        is_on_pc: footer.is_on_pc,
        is_on_mobile: footer.is_on_mobile,
        content: company.content.clone(),
    });
    match (known, wanted) {
        (None, None) => {}
        (Some(known), None) => tx.delete::<public::Entity>(known).await?,
        (None, Some(wanted)) => {
            tx.create::<public::Entity>(wanted).await?;
        }
        (Some(known), Some(wanted)) => {
            tx.update::<public::Entity>(known, |row| *row = wanted).await?;
        }
    }
    Ok(())
}
