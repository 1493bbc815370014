//! Removing many rows at once: what came by the thousand goes by the thousand.

use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::{Record, Result, Tx, audit::Change};

impl Tx {
    /// Removes the organization's rows of a table that meet a condition, in one statement. The log holds their number, since a
    /// line for each would drown it; so that rows that give a right can't go like this.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn delete_all<E: Record>(&self, which: Condition) -> Result<u64> {
        const {
            assert!(
                E::GRANTS.is_none(),
                "what gives rights is removed row by row, so that each is told"
            )
        };
        let delete = E::delete_many()
            .filter(E::owner().eq(self.organization_id()))
            .filter(which);
        let gone = delete.exec(&self.reader().connection).await?.rows_affected;
        if gone > 0 {
            self.told().tell(Change {
                record: E::NAME.into(),
                key: "*".into(),
                field: Some("count".into()),
                before: Some(gone.to_string()),
                after: None,
            });
        }
        Ok(gone)
    }
}
