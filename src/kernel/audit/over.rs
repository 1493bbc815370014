//! Logs without a chain of their own: their rows go when their time is over. A mark says from when on a log is kept; the
//! database lets a row go only where a mark says so.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, entity::prelude::*};
use serde::Serialize;

use crate::kernel::{OrganizationId, Record, Result, Timestamp, Tx, record::part};

/// From when on a log is kept.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "log_purge")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub log_table: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub keeps_from: Timestamp,
    pub purged_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "log purge", key: |row| format!("{} {}", row.log_table, row.keeps_from.to_text()) }

impl Tx {
    /// Marks from when on a log is kept.
    ///
    /// # Errors
    /// Only if the database fails.
    pub(crate) async fn keep_log_from(&self, table: &str, keeps_from: Timestamp) -> Result<()> {
        let same = self
            .select::<Entity>()
            .filter(Column::LogTable.eq(table))
            .filter(Column::KeepsFrom.eq(keeps_from));
        if same.one().await?.is_none() {
            let mark = Model {
                organization_id: self.organization_id(),
                log_table: table.to_owned(),
                keeps_from,
                purged_at: self.now(),
            };
            self.create::<Entity>(mark).await?;
        }
        Ok(())
    }

    /// Has rows of a log go whose time is over; the entry of the deed holds their number.
    ///
    /// # Errors
    /// If one is to be kept, which the database knows, or the database fails.
    pub(crate) async fn remove_over<E: Record>(&self, old: Condition) -> Result<u64> {
        let own = E::owner().eq(self.organization_id());
        let gone = E::delete_many().filter(own).filter(old);
        let gone = gone.exec(&self.reader().connection).await?.rows_affected;
        self.tell_gone::<E>(gone);
        Ok(gone)
    }
}
