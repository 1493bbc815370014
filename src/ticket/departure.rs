//! What becomes of the tickets of somebody who leaves a service, or the organization: those that are not done wait for
//! somebody else; those that are stay his, for whoever asks later who did it.

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, QueryFilter};

use super::entity::{Column, Entity, Status};
use crate::{
    agent,
    kernel::{MemberId, Result, ServiceId, Tx},
    pii,
};

/// Takes the tickets that are not done from a member who leaves.
pub fn depart(tx: &Tx, member: MemberId) -> BoxFuture<'_, Result<()>> {
    release(tx, member, None).boxed()
}

/// `agentRemove`: his tickets in the service that are not done wait for somebody else.
///
/// # Errors
/// As for the agent's own verb.
pub async fn remove_agent(tx: &Tx, id: &str, input: &agent::AgentRemoveInput) -> Result<agent::Removed> {
    let place = tx.seek::<agent::Entity>(id).await?;
    let removed = pii::remove_agent(tx, id, input).await?;
    if let Some(place) = place {
        release(tx, place.member_id, Some(place.service_id)).await?;
    }
    Ok(removed)
}

/// Row by row, so that the log has each.
async fn release(tx: &Tx, member: MemberId, service: Option<ServiceId>) -> Result<()> {
    let mut own = tx
        .select::<Entity>()
        .filter(Column::AssigneeId.eq(member))
        .filter(Column::Status.is_in([Status::Open, Status::Reply]));
    if let Some(service) = service {
        own = own.filter(Column::ServiceId.eq(service));
    }
    for ticket in own.all().await? {
        tx.update::<Entity>(ticket, |row| {
            row.assignee_id = None;
            row.status = Status::New;
        })
        .await?;
    }
    Ok(())
}
