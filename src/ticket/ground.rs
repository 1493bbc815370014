//! Where somebody works: a service that people may use and in which he has a place, with its fields as he sees them. For
//! whoever has no place there the service and its tickets do not exist, whatever his rank in the organization.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QueryResult, QuerySelect,
};

use crate::{
    agent,
    field::{self, Field, Visibility},
    kernel::{Batch, Error, MemberId, Reader, Result, ServiceId, Tx},
    service,
};

/// A service, as one member works in it.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    /// What he is there.
    pub role: agent::Role,
    /// Whether he may pass tickets on to others.
    pub forwards: bool,
    /// The fields that he sees, in their order.
    pub fields: Vec<Field>,
}

impl Ground {
    /// The field of this code, if he sees one.
    pub fn field(&self, code: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.code == code)
    }

    /// The ground of whoever acts, in a service that may be used now.
    ///
    /// # Errors
    /// `NOT_FOUND` at `path` where he has no place; `CONTRACT_NOT_COMPLETED`, `SERVICE_NOT_IN_USE`, `SERVICE_TERMINATED`
    /// there where he has one and the service may not be used.
    pub async fn of_actor(tx: &Tx, path: &str, service: ServiceId) -> Result<Self> {
        let member = tx.actor().member().ok_or(Error::Unauthenticated)?.member_id;
        if let Some(ground) = of(tx, &[service], &[member]).await?.remove(&(service, member)) {
            return Ok(ground);
        }
        let places = tx.select::<agent::Entity>();
        let place = places
            .filter(agent::Column::ServiceId.eq(service))
            .filter(agent::Column::MemberId.eq(member));
        if place.one().await?.is_some() {
            service::find_usable(tx, path, &service.to_string()).await?;
        }
        Err(Error::not_found(path))
    }
}

/// A field, and the place of somebody who sees it.
struct Seen {
    field: Field,
    member: MemberId,
    role: agent::Role,
    forwards: bool,
}

impl FromQueryResult for Seen {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        Ok(Self {
            field: Field::from_query_result(row, prefix)?,
            member: row.try_get(prefix, "place_member")?,
            role: row.try_get(prefix, "place_role")?,
            forwards: row.try_get(prefix, "place_forwards")?,
        })
    }
}

/// The grounds of members in services that may be used, in one statement: every service has fields.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn of(
    reader: &Reader,
    services: &[ServiceId],
    members: &[MemberId],
) -> Result<HashMap<(ServiceId, MemberId), Ground>> {
    use field::Column as Field;
    let place = field::Entity::belongs_to(agent::Entity)
        .from((Field::OrganizationId, Field::ServiceId))
        .to((agent::Column::OrganizationId, agent::Column::ServiceId));
    let service = field::Entity::belongs_to(service::Entity)
        .from((Field::OrganizationId, Field::ServiceId))
        .to((service::Column::OrganizationId, service::Column::Id));
    let seen = reader
        .select::<field::Entity>()
        .join(JoinType::InnerJoin, place.into())
        .join(JoinType::InnerJoin, service.into())
        .filter(Field::ServiceId.is_in(services.iter().copied()))
        .filter(Field::RemovedAt.is_null())
        .filter(agent::Column::MemberId.is_in(members.iter().copied()))
        .filter(service::Column::Status.eq(service::Status::InUse))
        .column_as(agent::Column::MemberId, "place_member")
        .column_as(agent::Column::Role, "place_role")
        .column_as(agent::Column::ForwardsTickets, "place_forwards")
        .order_by_asc(Field::Position)
        .order_by_asc(Field::Id);
    let mut grounds = HashMap::new();
    for seen in seen.rows::<Seen>().await? {
        let ground = grounds
            .entry((seen.field.service_id, seen.member))
            .or_insert_with(|| Ground {
                role: seen.role,
                forwards: seen.forwards || seen.role == agent::Role::Manager,
                fields: Vec::new(),
            });
        if ground.role == agent::Role::Manager || seen.field.visibility != Visibility::Managers {
            ground.fields.push(seen.field);
        }
    }
    Ok(grounds)
}

/// The question for the ground of a member in a service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct GroundOf(pub ServiceId, pub MemberId);

impl Loader<GroundOf> for Batch {
    type Value = Ground;
    type Error = String;

    async fn load(&self, keys: &[GroundOf]) -> std::result::Result<HashMap<GroundOf, Ground>, String> {
        let services: Vec<_> = keys.iter().map(|key| key.0).collect();
        let members: Vec<_> = keys.iter().map(|key| key.1).collect();
        let found = of(self, &services, &members).await;
        let found = found.map_err(|error| format!("{error:?}"))?;
        Ok(found
            .into_iter()
            .map(|((service, member), ground)| (GroundOf(service, member), ground))
            .collect())
    }
}
