//! 상담원: the members who work in a service, as its managers (관리자) or its agents, and what each may do there.

mod channel;
mod entity;
pub mod graphql;
mod ground;
mod input;
mod reach;
mod rights;
mod rules;

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    contract,
    kernel::{MemberId, Reader, Result, Tx},
};

pub use channel::Channel;
pub use entity::{Column, Entity, Model, Role};
pub use input::{AgentAddInput, AgentRemoveInput, AgentRightsInput, AgentUpdateInput, AgentUpdateManyInput};
pub use reach::managing;
pub use rules::{Many, Removed, add, remove, update, update_many};

/// Takes a member who leaves out of every service, with all his rights there.
pub fn depart(tx: &Tx, member: MemberId) -> BoxFuture<'_, Result<()>> {
    async move {
        for place in tx.select::<Entity>().filter(Column::MemberId.eq(member)).all().await? {
            tx.delete::<Entity>(place).await?;
        }
        Ok(())
    }
    .boxed()
}

/// Whether a member handles calls in at least one service: the right alone is nothing where the contract has no
/// telephone any more. What is his as somebody who telephones hangs on this. One statement.
///
/// # Errors
/// Only if the database fails.
pub async fn has_phone_anywhere(reader: &Reader, member: MemberId) -> Result<bool> {
    let places = reader.related::<Entity>(|places| {
        places
            .clear_selects()
            .column((Entity, Column::ServiceId))
            .and_where(Column::MemberId.eq(member))
            .and_where(Column::HandlesCalls.eq(true));
    });
    let contracts = reader.select::<contract::Entity>();
    let contracts = contracts.filter(contract::Column::ServiceId.in_subquery(places));
    Ok(contracts.all().await?.iter().any(|row| Channel::Phone.is_offered(row)))
}
