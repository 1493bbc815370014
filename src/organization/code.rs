//! The way from an organization's code (조직 ID), which partner systems know it by, to the organization: what is read
//! before it is known whose rows to see. It holds nothing but the two.

use sea_orm::{Condition, entity::prelude::*};
use serde::Serialize;

use super::route;
use crate::kernel::{
    App, OrganizationId, Record, Result,
    routing::{self, Unowned},
};

/// A code and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "organization_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    pub organization_id: OrganizationId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Unowned for Entity {}

impl Record for Entity {
    const NAME: &'static str = "code";

    fn owner() -> Column {
        Column::OrganizationId
    }

    fn version() -> Option<Column> {
        None
    }

    fn key(row: &Model) -> String {
        row.code.clone()
    }

    fn label(row: &Model) -> String {
        row.code.clone()
    }

    fn service(_: &Model) -> Option<Uuid> {
        None
    }

    fn of_key(text: &str) -> Option<Condition> {
        Some(Condition::all().add(Column::Code.eq(text)))
    }
}

/// The organization that a partner system names, by its code or its domain. The code comes first: whoever takes another's
/// code for a domain gains nothing by it.
///
/// # Errors
/// Only if the database fails.
pub async fn find_named(app: &App, name: &str) -> Result<Option<OrganizationId>> {
    let name = name.trim();
    // PostgreSQL takes no NUL, in a question neither.
    if name.contains('\0') || name.len() > 100 {
        return Ok(None);
    }
    let row: Option<Model> = routing::by_key::<Entity>(app, name.to_owned()).await?;
    match row {
        Some(row) => Ok(Some(row.organization_id)),
        None => route::find(app, name).await,
    }
}
