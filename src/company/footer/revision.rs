//! What a service's footer ever showed. Rows never change.

use sea_orm::{QueryFilter, QueryOrder, entity::prelude::*};
use serde::Serialize;

use super::Footer;
use crate::kernel::{CompanyId, OrganizationId, Reader, Result, ServiceId, Timestamp, Tx, record::part};

/// What a service's footer showed from an instant on.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "company_footer_revision")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Of which service.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: ServiceId,
    /// Its number, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i32,
    /// Which entry; `None` where there was no footer.
    pub company_id: Option<CompanyId>,
    /// Whether the help center for PCs showed it.
    pub is_on_pc: bool,
    /// Whether the help center for phones showed it.
    pub is_on_mobile: bool,
    /// From when on.
    pub made_at: Timestamp,
    /// Who published it: the name as it was then.
    pub made_by: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "company footer revision", key: |row| format!("{}#{}", row.service_id, row.revision), service: service_id }

/// Keeps the footer as it is now.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn keep(tx: &Tx, footer: &Footer) -> Result<()> {
    let row = Model {
        organization_id: footer.organization_id,
        service_id: footer.service_id,
        revision: footer.revision,
        company_id: footer.company_id,
        is_on_pc: footer.is_on_pc,
        is_on_mobile: footer.is_on_mobile,
        made_at: tx.now(),
        made_by: tx.actor().display_name(),
    };
    // The footer's own change tells the log already what differs.
    tx.create_many::<Entity>(vec![row]).await
}

/// What a service's footer showed at an instant; `None` before it was first published.
///
/// # Errors
/// Only if the database fails.
pub async fn at(reader: &Reader, service: ServiceId, at: Timestamp) -> Result<Option<Model>> {
    let until = reader
        .select::<Entity>()
        .filter(Column::ServiceId.eq(service))
        .filter(Column::MadeAt.lte(at));
    until.order_by_desc(Column::Revision).one().await
}
