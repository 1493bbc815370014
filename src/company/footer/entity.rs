//! What a service's footer shows now.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{CompanyId, Error, OrganizationId, Outcome, Result, ServiceId, Tx, record::part};

/// What a service's footer shows.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "company_footer")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Of which service.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: ServiceId,
    /// Which entry; `None` where there is no footer.
    pub company_id: Option<CompanyId>,
    /// Whether the help center for PCs shows it.
    pub is_on_pc: bool,
    /// Whether the help center for phones shows it.
    pub is_on_mobile: bool,
    /// How often it was published.
    pub revision: i32,
    /// Counts the changes.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "company footer", key: |row| row.service_id.to_string(), service: service_id }

impl Outcome for Model {
    type Receipt = ServiceId;

    fn receipt(&self) -> ServiceId {
        self.service_id
    }

    async fn again(tx: &Tx, receipt: ServiceId) -> Result<Self> {
        let footer = super::rules::of_service(tx, receipt).await?;
        footer.ok_or_else(|| Error::internal("a footer is gone that was published"))
    }
}
