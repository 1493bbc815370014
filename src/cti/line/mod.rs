//! CTI 상담원 관리: the CTI ID and number that an agent logs in to the telephony with, of which each is one agent's at
//! a time, and who held which when.

mod conflict;
mod entity;
pub mod history;
mod loss;
mod number;
mod rules;
mod save;
pub mod sheet;

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::Contracted;
use crate::{
    agent,
    kernel::{MemberId, Reader, Result, ServiceId},
    member, service,
};

pub use entity::{Column, Entity, Model, Model as Line};
pub use loss::{agent_remove, agent_update, agent_update_many, depart, service_terminate};
pub use number::{Pair, cti_id, cti_number, folded, key};
pub use rules::{CtiAgentEntryInput, CtiAgentUpdateManyInput, Given, update_many};

/// Whether any agent holds a CTI ID and number.
///
/// # Errors
/// Only if the database fails.
pub async fn is_any_held(reader: &Reader) -> Result<bool> {
    let held = reader.select::<Entity>().filter(Column::CtiNumber.is_not_null());
    Ok(held.limit(1).one().await?.is_some())
}

/// Narrows members to those who have the phone right in any of these services.
pub fn telephoning(reader: &Reader, services: impl IntoIterator<Item = ServiceId>) -> Expr {
    Expr::exists(reader.related::<agent::Entity>(|places| {
        let own = Expr::col((member::Entity, member::Column::Id));
        places
            .and_where(Expr::col((agent::Entity, agent::Column::MemberId)).eq(own))
            .and_where(agent::Column::HandlesCalls.eq(true))
            .and_where(agent::Column::ServiceId.is_in(services));
    }))
}

/// The places in which members have the phone right, where the telephone is in the contract: one statement.
///
/// # Errors
/// Only if the database fails.
pub async fn places(
    reader: &Reader,
    members: impl IntoIterator<Item = MemberId>,
    contracted: &Contracted,
) -> Result<Vec<agent::Model>> {
    let places = reader
        .select::<agent::Entity>()
        .filter(agent::Column::HandlesCalls.eq(true))
        .filter(agent::Column::MemberId.is_in(members))
        .filter(agent::Column::ServiceId.is_in(contracted.ids()));
    places.all().await
}

/// The places in which members have the phone right, whatever the contract says, in services that are not over: one
/// statement.
///
/// # Errors
/// Only if the database fails.
pub async fn rights(reader: &Reader, members: impl IntoIterator<Item = MemberId>) -> Result<Vec<agent::Model>> {
    let lives = reader.related::<service::Entity>(|service| {
        let own = Expr::col((agent::Entity, agent::Column::ServiceId));
        service
            .and_where(Expr::col((service::Entity, service::Column::Id)).eq(own))
            .and_where(service::Column::Status.ne(service::Status::Terminated));
    });
    let places = reader
        .select::<agent::Entity>()
        .filter(agent::Column::MemberId.is_in(members))
        .filter(agent::Column::HandlesCalls.eq(true))
        .filter(Expr::exists(lives));
    places.all().await
}

/// What members hold now, as far as they ever held anything: one statement.
///
/// # Errors
/// Only if the database fails.
pub async fn of(reader: &Reader, members: impl IntoIterator<Item = MemberId>) -> Result<Vec<Model>> {
    let members: HashSet<_> = members.into_iter().collect();
    reader
        .select::<Entity>()
        .filter(Column::MemberId.is_in(members))
        .all()
        .await
}
