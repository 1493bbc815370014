//! What a member's own area takes from him when he leaves: everything he could prove himself with, and his sessions.

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{password_reset, recovery_code, second_factor, session};
use crate::kernel::{MemberId, Result, Tx};

/// Forgets the second factor, the recovery codes and every password reset, and ends all sessions.
pub fn depart(tx: &Tx, member: MemberId) -> BoxFuture<'_, Result<()>> {
    async move {
        let factors = tx.select::<second_factor::Entity>();
        for factor in factors.filter(second_factor::Column::MemberId.eq(member)).all().await? {
            tx.delete::<second_factor::Entity>(factor).await?;
        }
        let codes = tx.select::<recovery_code::Entity>();
        for code in codes.filter(recovery_code::Column::MemberId.eq(member)).all().await? {
            tx.delete::<recovery_code::Entity>(code).await?;
        }
        forget_resets(tx, member).await?;
        end_sessions(tx, member).await
    }
    .boxed()
}

/// Forgets every password reset of a member: their links lead nowhere any more.
///
/// # Errors
/// Only if the database fails.
pub async fn forget_resets(tx: &Tx, member: MemberId) -> Result<()> {
    let resets = tx.select::<password_reset::Entity>();
    for reset in resets.filter(password_reset::Column::MemberId.eq(member)).all().await? {
        tx.delete::<password_reset::Entity>(reset).await?;
    }
    Ok(())
}

/// Ends every session of a member that could still be used. That takes effect with his next request.
async fn end_sessions(tx: &Tx, member: MemberId) -> Result<()> {
    let now = tx.now();
    let open = tx
        .select::<session::Entity>()
        .filter(session::Column::MemberId.eq(member))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now));
    for session in open.all().await? {
        tx.update::<session::Entity>(session, |row| row.ended_at = Some(now))
            .await?;
    }
    Ok(())
}
