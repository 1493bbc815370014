//! What becomes of the tickets of somebody who leaves a service, or the organization: those that are not done wait for
//! somebody else; those that are stay his, for whoever asks later who did it.

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};

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

/// How many tickets the log tells of one by one.
const TOLD: u64 = 200;

/// The first ones row by row, so that the log has each; more than anybody reads go at once, by their number.
async fn release(tx: &Tx, member: MemberId, service: Option<ServiceId>) -> Result<()> {
    let mut own = Condition::all()
        .add(Column::AssigneeId.eq(member))
        .add(Column::Status.is_in([Status::Open, Status::Reply]));
    if let Some(service) = service {
        own = own.add(Column::ServiceId.eq(service));
    }
    let told = tx.select::<Entity>().filter(own.clone()).order_by_desc(Column::Id);
    let told = told.limit(TOLD).all().await?;
    let is_all = u64::try_from(told.len()).is_ok_and(|count| count < TOLD);
    for ticket in told {
        tx.update::<Entity>(ticket, |row| {
            row.assignee_id = None;
            row.status = Status::New;
        })
        .await?;
    }
    if !is_all {
        let values = [
            (Column::AssigneeId, None::<MemberId>.into()),
            (Column::Status, Status::New.into()),
        ];
        tx.change_all::<Entity>(own, &values).await?;
    }
    Ok(())
}
