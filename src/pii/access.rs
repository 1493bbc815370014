//! The decision for whoever asks: it gathers what is so at this instant and leaves the rest to the kernel.

use std::net::IpAddr;

use sea_orm::{ColumnTrait, QueryFilter};

use super::grant;
use crate::{
    agent,
    kernel::{
        MemberId, Reader, Result, ServiceId, Timestamp, Unmasking,
        personal::{Asking, Masked, decide},
    },
    member,
    service::{self, Service},
};

/// Whether somebody sees a service's personal data in clear: the token for it, or why not.
pub type Access = std::result::Result<Unmasking, Masked>;

/// Decides for a member who asks from an address. It reads what is so in this transaction; whatever goes on for long asks
/// again for each part of it.
///
/// # Errors
/// Only if the database fails.
pub async fn access(
    reader: &Reader,
    member: MemberId,
    address: Option<IpAddr>,
    service: &Service,
    now: Timestamp,
) -> Result<Access> {
    let holder = reader.seek::<member::Entity>(&member.to_string()).await?;
    let holder = holder.filter(|holder| holder.status == member::Status::Active);
    let email = holder.as_ref().map_or("", |holder| holder.email.as_str());
    let own = grant::active(reader, member).await?;
    let networks = own.as_ref().map(grant::Model::addresses).unwrap_or_default();
    let asking = Asking {
        member,
        email,
        address,
        service: service.id,
        has_right: holder.is_some() && has_place(reader, member, service).await?,
        now,
    };
    let facts = own.as_ref().map(|grant| grant.facts(&networks));
    Ok(decide(facts.as_ref(), &asking))
}

/// Whether a member works in a service that people may use: then he sees its data masked.
async fn has_place(reader: &Reader, member: MemberId, service: &Service) -> Result<bool> {
    if service.status != service::Status::InUse {
        return Ok(false);
    }
    let places = reader
        .select::<agent::Entity>()
        .filter(agent::Column::ServiceId.eq(service.id));
    Ok(places.filter(agent::Column::MemberId.eq(member)).one().await?.is_some())
}

/// The service of this ID, as the decision needs it.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn service_of(reader: &Reader, id: &str) -> Result<Option<Service>> {
    match id.parse::<ServiceId>() {
        Ok(_) => reader.seek::<service::Entity>(id).await,
        Err(()) => Ok(None),
    }
}
