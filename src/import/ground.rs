//! What a service is like when a file of its is looked at: its fields, who works in it, and on which clocks.

use std::collections::HashMap;

use chrono_tz::Tz;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    column::columns,
    entity::{Difference, Model},
    outdated,
    plan::Plan,
    sheet::Head,
};
use crate::{
    agent,
    field::{self, Field},
    kernel::{Language, MemberId, Reader, Result, ServiceId, Timestamp},
    member, organization,
    service::{self, Service},
};

/// The ground that rows are judged on.
#[derive(Debug)]
pub(super) struct Ground {
    /// The service.
    pub service: Service,
    /// Its fields, in their order.
    pub fields: Vec<Field>,
    /// The fingerprint of its fields.
    pub fingerprint: String,
    /// The organization's zone.
    pub zone: Tz,
    /// Who works in it, by login ID.
    agents: HashMap<String, MemberId>,
}

impl Ground {
    /// As it is now.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn of(reader: &Reader, import: &Model) -> Result<Self> {
        let service = reader
            .find::<service::Entity>("id", &import.service_id.to_string())
            .await?;
        let zone = organization::own(reader).await?.time_zone;
        Ok(Self {
            fields: field::of_service(reader, service.id).await?,
            fingerprint: field::composition_of(reader, service.id).await?.fingerprint,
            agents: agents(reader, service.id).await?,
            zone: zone.parse().map_err(crate::kernel::Error::internal)?,
            service,
        })
    }

    /// The rules for a sheet with this head.
    pub fn plan(&self, head: &Head, now: Timestamp) -> Plan {
        // What the columns are called matters to nobody here.
        let columns = columns(&self.fields, Language::default());
        Plan::new(columns, head, self.agents.clone(), (self.zone, now))
    }
}

/// Who works in a service.
async fn agents(reader: &Reader, service: ServiceId) -> Result<HashMap<String, MemberId>> {
    let places = reader
        .select::<agent::Entity>()
        .filter(agent::Column::ServiceId.eq(service));
    let ids: Vec<_> = places.all().await?.into_iter().map(|place| place.member_id).collect();
    let members = reader
        .select::<member::Entity>()
        .filter(member::Column::Id.is_in(ids))
        .filter(member::Column::Status.eq(member::Status::Active));
    let members = members.all().await?.into_iter();
    Ok(members.map(|member| (member.login, member.id)).collect())
}

/// How a template that a head tells of stands to the service's fields.
pub(super) enum Age {
    /// It was made of what they are.
    Present,
    /// It was made of what they were.
    Past(Vec<Difference>),
    /// It is none of this service's.
    Unknown,
}

/// How old a template is.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn age(reader: &Reader, ground: &Ground, head: &Head) -> Result<Age> {
    if head.service != ground.service.id.to_string() {
        return Ok(Age::Unknown);
    }
    if head.fingerprint == ground.fingerprint {
        return Ok(Age::Present);
    }
    let before = field::of_fingerprint(reader, ground.service.id, &head.fingerprint).await?;
    Ok(match before {
        Some(before) => Age::Past(outdated::differences(&before, &ground.fields)),
        None => Age::Unknown,
    })
}
