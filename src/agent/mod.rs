//! 상담원: the members who work in a service, as its managers (관리자) or its agents, and what each may do there.

mod channel;
mod entity;
pub mod graphql;
mod ground;
mod input;
mod reach;
mod rights;
mod rules;

use std::collections::HashSet;

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    contract,
    kernel::{MemberId, Reader, Result, ServiceId, Tx},
};

pub use channel::Channel;
pub use entity::{Column, Entity, Model, Role};
pub use input::{AgentAddInput, AgentRemoveInput, AgentRightsInput};
pub use reach::managing;
pub use rules::{Removed, add, remove};

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
/// telephone any more. What is his as somebody who telephones hangs on this.
///
/// # Errors
/// Only if the database fails.
pub async fn has_phone_anywhere(reader: &Reader, member: MemberId) -> Result<bool> {
    let places = reader.select::<Entity>().filter(Column::MemberId.eq(member));
    let places = places.filter(Column::HandlesCalls.eq(true)).all().await?;
    let services: HashSet<ServiceId> = places.iter().map(|place| place.service_id).collect();
    let contracts = reader.select::<contract::Entity>();
    let contracts = contracts.filter(contract::Column::ServiceId.is_in(services));
    Ok(contracts.all().await?.iter().any(|row| Channel::Phone.is_offered(row)))
}
