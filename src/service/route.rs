//! The way from a service's code to the service: what a help center reads before anyone has signed in. It holds the
//! two, the main language, and whether the help center is open.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::{Service, Status};
use crate::kernel::{OrganizationId, Result, ServiceId, Tx, record::part, routing::Unowned};

/// A code and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "service_route")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    pub service_id: ServiceId,
    pub main_language: Option<String>,
    pub is_open: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl Unowned for Entity {}

part! { "service route", key: |row| row.code.clone(), service: service_id }

/// Writes the way to a service as the service is now.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn keep(tx: &Tx, service: &Service) -> Result<()> {
    let now = Model {
        organization_id: service.organization_id,
        code: service.code.clone(),
        service_id: service.id,
        main_language: service.languages.0.first().cloned(),
        is_open: service.status == Status::InUse,
    };
    let known = tx
        .select::<Entity>()
        .filter(Column::Code.eq(&service.code))
        .one()
        .await?;
    match known {
        Some(known) => tx.update::<Entity>(known, |row| *row = now).await?,
        None => tx.create::<Entity>(now).await?,
    };
    Ok(())
}
