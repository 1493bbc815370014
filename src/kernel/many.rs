//! Writing many rows in one deed: the log holds their number, since a line for each would drown it.

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, Condition, IdenStatic, QueryFilter, Value,
    sea_query::{Expr, ExprTrait},
};

use uuid::Uuid;

use super::{
    Error, Record, Result, Tx,
    audit::Change,
    bulk::{self, Unique},
    difference::camel,
    permission,
};

impl Tx {
    /// Writes many new rows; the log holds their number, since a line for each would drown it.
    ///
    /// # Errors
    /// As for [`Tx::create`].
    pub async fn create_many<E: Record>(&self, rows: Vec<E::Model>) -> Result<()> {
        let count = rows.len() as u64;
        for row in &rows {
            self.own::<E>(row)?;
        }
        bulk::insert::<E>(&self.reader().connection, &rows).await?;
        self.told()
            .shifts
            .extend(rows.iter().flat_map(|row| permission::shifts::<E>(None, Some(row))));
        self.tell_number::<E>("count", count);
        Ok(())
    }

    /// Writes those of many new rows that have nothing which only one can have by this index, and answers the IDs of these;
    /// the log holds their number, each time that this is asked for.
    ///
    /// # Errors
    /// As for [`Tx::create`], but for what is somebody's already.
    pub async fn create_new<E: Record>(&self, rows: &[E::Model], unique: Unique<E::Column>) -> Result<HashSet<Uuid>> {
        const {
            assert!(
                E::GRANTS.is_none(),
                "what gives rights is written row by row, so that each is told"
            )
        };
        for row in rows {
            self.own::<E>(row)?;
        }
        let came = bulk::insert_new::<E>(&self.reader().connection, rows, unique).await?;
        self.tell_number::<E>("count", came.len() as u64);
        Ok(came)
    }

    /// Gives all rows that a condition finds the same values, in one statement; answers how many there were.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn change_all<E: Record>(&self, which: Condition, values: &[(E::Column, Value)]) -> Result<u64> {
        const {
            assert!(
                E::GRANTS.is_none(),
                "what gives rights is changed row by row, so that each is told"
            )
        };
        let mut update = E::update_many()
            .filter(E::owner().eq(self.organization_id()))
            .filter(which);
        for (column, value) in values {
            update = update.col_expr(*column, Expr::value(value.clone()));
        }
        if let Some(version) = E::version() {
            update = update.col_expr(version, Expr::col(version).add(1));
        }
        let changed = update.exec(&self.reader().connection).await?.rows_affected;
        for (column, _) in values {
            self.tell_number::<E>(&camel(column.as_str()), changed);
        }
        Ok(changed)
    }

    /// Removes all rows that a condition finds, in one statement; answers how many there were.
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

    /// Puts sealed values of rows under another key. The rows say what they said before, so their lock counters stay, and
    /// the log holds their number.
    ///
    /// # Errors
    /// If a row would say something else, is gone or was changed since it was read, or the database refuses it.
    pub(crate) async fn reseal<E: Record>(&self, rows: Vec<(E::Model, E::Model)>) -> Result<()> {
        let count = rows.len() as u64;
        for (before, after) in rows {
            self.own::<E>(&before)?;
            if serde_json::to_value(&before)? != serde_json::to_value(&after)? {
                return Err(Error::internal("a sealed value changed with its key"));
            }
            self.put::<E>(&before, &after).await?;
        }
        self.tell_number::<E>("resealed", count);
        Ok(())
    }

    fn tell_number<E: Record>(&self, field: &str, count: u64) {
        if count == 0 {
            return;
        }
        self.told().tell(Change {
            record: E::NAME.into(),
            key: "*".into(),
            field: Some(field.to_owned()),
            before: None,
            after: Some(count.to_string()),
        });
    }
}
