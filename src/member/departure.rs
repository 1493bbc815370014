//! What a member's own area takes from him when he leaves: everything he could prove himself with, and his sessions.

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{identity, own_session, password_reset, recovery_code, second_factor};
use crate::kernel::{MemberId, Result, Tx};

/// Forgets the second factor, the recovery codes, every password reset and who the member is elsewhere, and ends all
/// sessions.
pub fn depart(tx: &Tx, member: MemberId) -> BoxFuture<'_, Result<()>> {
    async move {
        let factors = tx.select::<second_factor::Entity>();
        for factor in factors.filter(second_factor::Column::MemberId.eq(member)).all().await? {
            tx.delete::<second_factor::Entity>(factor).await?;
        }
        recovery_code::forget(tx, member).await?;
        let resets = tx.select::<password_reset::Entity>();
        for reset in resets.filter(password_reset::Column::MemberId.eq(member)).all().await? {
            tx.delete::<password_reset::Entity>(reset).await?;
        }
        identity::forget(tx, member).await?;
        own_session::end_all_of(tx, member, None).await
    }
    .boxed()
}
