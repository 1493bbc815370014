//! How far an organization's logs are, in its turn: as long as they stand still, no deed was done that leaves an entry, and
//! what only such deeds change is as it was.

use sea_orm::{ActiveEnum, ConnectionTrait, Iterable, Statement};

use crate::kernel::{AuditLog, Result, Tx};

/// The places of the last entries of all logs of an organization.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heads(Vec<Option<i64>>);

impl Tx {
    /// How far the organization's logs are. Steps of something larger leave no entry: the log of a deed says which tables
    /// they may change, and nothing else may be held to be as it was because of this.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn heads(&self) -> Result<Heads> {
        let ends: Vec<_> = AuditLog::iter()
            .map(|log| {
                let log = log.to_value();
                format!("(SELECT max(sequence) FROM audit_entry WHERE organization_id = $1 AND log = '{log}')")
            })
            .collect();
        let connection = &self.reader().connection;
        let sql = format!("SELECT {}", ends.join(", "));
        let own = [self.organization_id().into()];
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, own);
        let row = connection.query_one_raw(statement).await?;
        let places = row.map_or_else(
            || Ok(Vec::new()),
            |row| (0..ends.len()).map(|at| row.try_get_by_index(at)).collect(),
        );
        Ok(Heads(places?))
    }
}
