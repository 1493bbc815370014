//! The eyes of whoever asked: a list is read as he would see it now, although nobody waits for it and his session may be over.
//! Whatever he has lost since he asked, the file does not have.

use std::net::IpAddr;

use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};

use super::entity::Model;
use crate::{
    admin, agent,
    kernel::{
        Action, Actor, App, Caller, Code, MemberId, Origin, Reader, Result, SessionId, SignedIn, Timestamp,
        extract::{Source, SourceName},
        permission,
        personal::Masked,
    },
    member, pii, service,
};

/// A member as he is now; `None` where he belongs to the organization no more.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn member(reader: &Reader, id: MemberId) -> Result<Option<SignedIn>> {
    let found = reader.seek::<member::Entity>(&id.to_string()).await?;
    let Some(member) = found.filter(|member| member.status == member::Status::Active) else {
        return Ok(None);
    };
    let is_administrator = admin::of_member(reader, id).await?.is_some();
    let managed = reader
        .select::<agent::Entity>()
        .filter(agent::Column::MemberId.eq(id))
        .filter(agent::Column::Role.eq(agent::Role::Manager));
    let is_manager = managed.one().await?.is_some();
    Ok(Some(SignedIn {
        member_id: id,
        // No session of his is at work.
        session_id: SessionId(uuid::Uuid::nil()),
        login: member.login,
        name: member.name,
        is_owner: member.is_owner,
        is_administrator,
        is_manager,
        has_second_factor: false,
        must_enroll: false,
        confirmed_at: Timestamp(chrono::DateTime::UNIX_EPOCH),
    }))
}

/// Whoever asked for an extraction, to look at what he sees now, by the read replica where there is one; `None` where he may
/// not see the list any more.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn now(caller: &Caller, source: &Source, extraction: &Model) -> Result<Option<Caller>> {
    let view = caller.view(Action::ExtractionProgress).await?;
    let member = member(&view, extraction.requested_by).await?;
    drop(view);
    let member = member.filter(|member| may(member, source.action));
    let eyes = member.map(|member| of(caller.app(), extraction, member).looking_aside_after(caller));
    caller.release().await;
    Ok(eyes)
}

fn of(app: &App, extraction: &Model, member: SignedIn) -> Caller {
    let origin = Origin {
        address: address(extraction),
        request_id: extraction.id.to_string(),
        client: String::new(),
    };
    let organization = Some(extraction.organization_id);
    let actor = Actor::Member(member);
    Caller::new(app.clone(), actor, organization, origin, extraction.language)
}

/// From where it was asked for.
pub(super) fn address(extraction: &Model) -> Option<IpAddr> {
    extraction.address.parse().ok()
}

/// Whether roles let somebody see a list.
pub(super) fn may(member: &SignedIn, action: Action) -> bool {
    let roles = Actor::Member(member.clone()).roles();
    action.roles().iter().any(|role| roles.contains(role))
}

/// Why an extraction may not go on, asked from this address; `None` where it may. The list's own rules decide beside it
/// which rows there are.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn hindrance(
    reader: &Reader,
    source: &Source,
    extraction: &Model,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<Option<Hindrance>> {
    let Some(member) = member(reader, extraction.requested_by).await? else {
        return Ok(Some(Hindrance::Right));
    };
    if !may(&member, source.action) || has_other_rights(reader, extraction).await? || is_out(reader, extraction).await?
    {
        return Ok(Some(Hindrance::Right));
    }
    if !extraction.is_unmasked {
        return Ok(None);
    }
    Ok(access(reader, extraction, address, now).await?.err())
}

/// Whether anything of his rights has changed since he asked. Which rows and columns a list shows hangs on each of them, and
/// what the file has was chosen by those of then: whoever still may asks again.
async fn has_other_rights(reader: &Reader, extraction: &Model) -> Result<bool> {
    let changes = reader
        .select::<permission::Entity>()
        .filter(permission::Column::TargetId.eq(extraction.requested_by.to_string()))
        .filter(permission::Column::OccurredAt.gt(extraction.requested_at));
    Ok(changes.limit(1).one().await?.is_some())
}

/// Whether its tickets are those of a service that may not be used any more: such a one has none to be seen.
async fn is_out(reader: &Reader, extraction: &Model) -> Result<bool> {
    let Some(service) = extraction
        .service_id
        .filter(|_| extraction.source == SourceName::Tickets)
    else {
        return Ok(false);
    };
    let found = reader.seek::<service::Entity>(&service.to_string()).await?;
    Ok(found.is_none_or(|service| service.status != service::Status::InUse))
}

/// Whether an extraction shows personal data in clear now.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn access(
    reader: &Reader,
    extraction: &Model,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<std::result::Result<crate::kernel::Unmasking, Hindrance>> {
    let id = extraction.service_id.map(|id| id.to_string()).unwrap_or_default();
    let Some(service) = reader.seek::<service::Entity>(&id).await? else {
        return Ok(Err(Hindrance::Grant(Masked::NoRight)));
    };
    let access = pii::access(reader, extraction.requested_by, address, &service, now).await?;
    // Another grant that he got meanwhile is for other purposes.
    let grant = pii::active(reader, extraction.requested_by).await?;
    if access.is_ok() && grant.map(|grant| grant.id) != extraction.grant_id {
        return Ok(Err(Hindrance::Grant(Masked::Revoked)));
    }
    Ok(access.map_err(Hindrance::Grant))
}

/// Why an extraction may not go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hindrance {
    /// Whoever asked may not see the list any more.
    Right,
    /// He may not see personal data in clear.
    Grant(Masked),
}

impl Hindrance {
    /// What whoever asked is told.
    pub fn code(self) -> Code {
        match self {
            Self::Right => Code::ExtractionRightLost,
            Self::Grant(_) => Code::UnmaskNotPermitted,
        }
    }

    /// What the log is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => Code::ExtractionRightLost.name(),
            Self::Grant(masked) => told(masked),
        }
    }

    /// Whether the file has to go: from another address it may be fetched all the same.
    pub fn is_for_good(self) -> bool {
        !matches!(self, Self::Grant(Masked::AddressNotAllowed))
    }
}

/// Why somebody does not see personal data in clear, as the log has it.
pub(super) fn told(reason: Masked) -> &'static str {
    match reason {
        Masked::NoRight => "NO_RIGHT",
        Masked::NoGrant => "NO_GRANT",
        Masked::Revoked => "REVOKED",
        Masked::Expired => "EXPIRED",
        Masked::EmailDiffers => "EMAIL_DIFFERS",
        Masked::OutOfScope => "OUT_OF_SCOPE",
        Masked::AddressNotAllowed => "ADDRESS_NOT_ALLOWED",
    }
}
