//! The way from a domain to its organization: what sign-in reads before it knows whose rows to see. It holds nothing
//! but the two.

use sea_orm::{Condition, entity::prelude::*};
use serde::Serialize;

use crate::kernel::{
    App, OrganizationId, Record, Result, Tx,
    routing::{self, Unowned},
};

/// A domain and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "organization_route")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub domain: String,
    pub organization_id: OrganizationId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Unowned for Entity {}

impl Record for Entity {
    const NAME: &'static str = "route";

    fn owner() -> Column {
        Column::OrganizationId
    }

    fn version() -> Option<Column> {
        None
    }

    fn key(row: &Model) -> String {
        row.domain.clone()
    }

    fn label(row: &Model) -> String {
        row.domain.clone()
    }

    fn service(_: &Model) -> Option<Uuid> {
        None
    }

    fn of_key(text: &str) -> Option<Condition> {
        Some(Condition::all().add(Column::Domain.eq(text)))
    }
}

/// Where a domain leads; domains are compared in small letters.
///
/// # Errors
/// Only if the database fails.
pub async fn find(app: &App, domain: &str) -> Result<Option<OrganizationId>> {
    let row: Option<Model> = routing::by_key::<Entity>(app, domain.to_lowercase()).await?;
    Ok(row.map(|row| row.organization_id))
}

/// Whether a domain leads to an organization, whichever.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn is_taken(tx: &Tx, domain: &str) -> Result<bool> {
    Ok(routing::within::<Entity>(tx, domain.to_lowercase()).await?.is_some())
}

/// Every organization, for the operator's commands that go through all of them.
///
/// # Errors
/// Only if the database fails.
pub async fn all(app: &App) -> Result<Vec<OrganizationId>> {
    Ok(routing::all::<Entity>(app)
        .await?
        .into_iter()
        .map(|row| row.organization_id)
        .collect())
}
