//! Signed requests that were taken, so that none is taken twice, by whichever server it comes to. A signature is good for
//! some minutes; its mark is kept for longer than that. Marks are keyed hashes and belong to nobody.

use chrono::Duration;
use sea_orm::{ConnectionTrait, Statement};

use super::{App, OrganizationId, Result, Timestamp};

/// For how long a signed request is good, before and after the time that it says (product: 5 minutes).
pub const GOOD_FOR: Duration = Duration::minutes(5);

/// How long a mark is kept: a request may say a time that is still to come.
const KEPT_FOR: Duration = Duration::minutes(11);

/// Takes a request by its signature, which was found right. Whether it is the first time.
///
/// # Errors
/// Only if the database fails.
pub async fn take(app: &App, organization: OrganizationId, signature: &[u8]) -> Result<bool> {
    let now = app.clock.now();
    let transaction = app.database.begin_free().await?;
    let backend = transaction.get_database_backend();
    let forgotten = [Timestamp(now.0 - KEPT_FOR).into()];
    let sql = "DELETE FROM signed_request WHERE taken_at < $1";
    transaction
        .execute_raw(Statement::from_sql_and_values(backend, sql, forgotten))
        .await?;
    let mark = app.keys.replay_mark(&[organization.0.as_bytes(), signature]);
    let sql = "INSERT INTO signed_request (mark, taken_at) VALUES ($1, $2) ON CONFLICT (mark) DO NOTHING";
    let taken = transaction
        .execute_raw(Statement::from_sql_and_values(backend, sql, [mark.into(), now.into()]))
        .await?;
    transaction.commit().await?;
    Ok(taken.rows_affected() == 1)
}
