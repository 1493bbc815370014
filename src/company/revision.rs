//! Every version that an entry ever had. Rows never change.

use async_graphql::SimpleObject;
use sea_orm::{QueryFilter, QueryOrder, entity::prelude::*};
use serde::Serialize;

use super::{Company, content::Content};
use crate::kernel::{CompanyId, OrganizationId, Reader, Result, Timestamp, Tx, record::part};

/// A version of an entry of company information.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "company_revision")]
#[graphql(name = "CompanyRevision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub company_id: CompanyId,
    /// Its number, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(name = "number")]
    pub revision: i32,
    /// 관리용 명칭, as it was.
    pub title: String,
    /// What it said.
    pub content: Content,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who made it: the name as it was then.
    pub made_by: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "company revision", key: |row| format!("{}#{}", row.company_id, row.revision) }

/// Keeps the entry as it is now as its newest version.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn keep(tx: &Tx, company: &Company) -> Result<()> {
    let row = Model {
        organization_id: company.organization_id,
        company_id: company.id,
        revision: company.revision,
        title: company.title.clone(),
        content: company.content.clone(),
        made_at: tx.now(),
        made_by: tx.actor().display_name(),
    };
    // The entry's own change tells the log already what differs.
    tx.create_many::<Entity>(vec![row]).await
}

/// The version of an entry that held at an instant; `None` before the first.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn at(reader: &Reader, company: CompanyId, at: Timestamp) -> Result<Option<Model>> {
    let until = reader
        .select::<Entity>()
        .filter(Column::CompanyId.eq(company))
        .filter(Column::MadeAt.lte(at));
    until.order_by_desc(Column::Revision).one().await
}
