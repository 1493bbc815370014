//! What the verbs of agents have to know of services and members, read for all that one deed is about at once.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, QueryFilter};

use super::entity::Model;
use crate::{
    admin::{self, rank::Standing},
    contract::{self, Contract},
    kernel::{Error, MemberId, Reader, Result, ServiceId},
    member::{self, Member},
    service::{self, Service},
};

/// Services with their contracts, and members with their standing.
#[derive(Debug, Default)]
pub(super) struct Ground {
    services: HashMap<ServiceId, (Service, Contract)>,
    members: HashMap<MemberId, (Member, Standing)>,
}

impl Ground {
    /// What these places stand on: four statements for any number of them.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn under(reader: &Reader, places: &[Model]) -> Result<Self> {
        let services = places.iter().map(|place| place.service_id).collect();
        Self::read(reader, services, places.iter().map(|place| place.member_id).collect()).await
    }

    /// These services and members.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn read(reader: &Reader, services: HashSet<ServiceId>, members: HashSet<MemberId>) -> Result<Self> {
        let contracts = reader.select::<contract::Entity>();
        let contracts = contracts.filter(contract::Column::ServiceId.is_in(services.iter().copied()));
        let mut contracts: HashMap<_, _> = contracts
            .all()
            .await?
            .into_iter()
            .map(|row| (row.service_id, row))
            .collect();
        let rows = reader.select::<service::Entity>();
        let rows = rows.filter(service::Column::Id.is_in(services)).all().await?;
        let services = rows
            .into_iter()
            .filter_map(|row| Some((row.id, (row.clone(), contracts.remove(&row.id)?))))
            .collect();
        let roles = reader.select::<admin::Entity>();
        let roles = roles.filter(admin::Column::MemberId.is_in(members.iter().copied()));
        let administrators: HashSet<_> = roles.all().await?.into_iter().map(|role| role.member_id).collect();
        let rows = reader.select::<member::Entity>();
        let rows = rows.filter(member::Column::Id.is_in(members)).all().await?;
        let stand = |row: Member| {
            let standing = Standing::of(&row, administrators.contains(&row.id));
            (row.id, (row, standing))
        };
        Ok(Self {
            services,
            members: rows.into_iter().map(stand).collect(),
        })
    }

    /// A service and its contract.
    pub fn service(&self, id: ServiceId) -> Option<&(Service, Contract)> {
        self.services.get(&id)
    }

    /// A member and his standing.
    pub fn member(&self, id: MemberId) -> Option<&(Member, Standing)> {
        self.members.get(&id)
    }

    /// What a place stands on.
    ///
    /// # Errors
    /// If that was not read.
    pub fn of(&self, place: &Model) -> Result<(&Service, &Contract, &Member, &Standing)> {
        let found = self.service(place.service_id).zip(self.member(place.member_id));
        let ((service, contract), (member, standing)) =
            found.ok_or_else(|| Error::internal("a place of nobody or nowhere"))?;
        Ok((service, contract, member, standing))
    }
}
