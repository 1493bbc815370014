//! Whoever loses the phone right in the last service that is not over holds no CTI ID and number any more, from the
//! same instant on. The verbs that take rights end here, since they stand to the left. A contract that gives the
//! telephone up takes nothing: the right stays with the agent, and what he holds comes back into sight with it.

use std::collections::HashSet;

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    entity::{Column, Entity},
    of, rights,
    save::free,
};
use crate::{
    agent::{self, AgentRemoveInput, AgentUpdateInput, AgentUpdateManyInput},
    contract::{self, ServiceTerminateInput},
    kernel::{MemberId, Result, Tx},
    service::Service,
};

/// `agentUpdate`.
///
/// # Errors
/// Those of the agent's own rules.
pub async fn agent_update(tx: &Tx, id: &str, input: &AgentUpdateInput) -> Result<agent::Model> {
    let place = agent::update(tx, id, input).await?;
    free_who_lost(tx, [place.member_id].into()).await?;
    Ok(place)
}

/// `agentUpdateMany`.
///
/// # Errors
/// Those of the agents' own rules.
pub async fn agent_update_many(tx: &Tx, input: &AgentUpdateManyInput) -> Result<agent::Many> {
    let many = agent::update_many(tx, input).await?;
    free_who_lost(tx, many.0.iter().map(|place| place.member_id).collect()).await?;
    Ok(many)
}

/// `agentRemove`.
///
/// # Errors
/// Those of the agent's own rules.
pub async fn agent_remove(tx: &Tx, id: &str, input: &AgentRemoveInput) -> Result<agent::Removed> {
    let place = tx.seek::<agent::Entity>(id).await?;
    let removed = agent::remove(tx, id, input).await?;
    free_who_lost(tx, place.into_iter().map(|place| place.member_id).collect()).await?;
    Ok(removed)
}

/// `serviceTerminate`: it takes the phone right of all who have it there.
///
/// # Errors
/// Those of the service's own rules.
pub async fn service_terminate(tx: &Tx, id: &str, input: &ServiceTerminateInput) -> Result<Service> {
    let service = contract::terminate(tx, id, input).await?;
    let places = tx
        .select::<agent::Entity>()
        .filter(agent::Column::ServiceId.eq(service.id))
        .filter(agent::Column::HandlesCalls.eq(true));
    let members = places.all().await?.into_iter().map(|place| place.member_id);
    free_who_lost(tx, members.collect()).await?;
    Ok(service)
}

/// Takes from a member who leaves what he holds. Who held it when stays.
pub fn depart(tx: &Tx, member: MemberId) -> BoxFuture<'_, Result<()>> {
    async move {
        let held = tx.select::<Entity>().filter(Column::MemberId.eq(member));
        free(tx, held.filter(Column::CtiNumber.is_not_null()).all().await?).await?;
        for line in of(tx, [member]).await? {
            tx.delete::<Entity>(line).await?;
        }
        Ok(())
    }
    .boxed()
}

/// Frees those of the members who have the phone right in no service any more that is not over.
async fn free_who_lost(tx: &Tx, members: HashSet<MemberId>) -> Result<()> {
    if members.is_empty() {
        return Ok(());
    }
    let held = tx.select::<Entity>().filter(Column::MemberId.is_in(members));
    let mut held = held.filter(Column::CtiNumber.is_not_null()).all().await?;
    if held.is_empty() {
        return Ok(());
    }
    let rights = rights(tx, held.iter().map(|line| line.member_id)).await?;
    let telephoning: HashSet<_> = rights.into_iter().map(|place| place.member_id).collect();
    held.retain(|line| !telephoning.contains(&line.member_id));
    free(tx, held).await
}
