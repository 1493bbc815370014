//! What a key lets its partner system do: in one statement, whether it lives, from where it may be used, and what its
//! scopes are now. It is asked when a request begins, and again inside each write, where nobody can revoke it any more.

use std::net::IpAddr;

use sea_orm::{ColumnTrait, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryResult, QuerySelect};

use super::token;
use crate::{
    kernel::{
        Action, Actor, App, Caller, KeyId, Language, OrganizationId, Origin, Partner, Plain, Reader, Result, Timestamp,
    },
    organization::{
        key::{self, Scope},
        key_use,
    },
};

/// What comes of a token.
#[derive(Debug)]
pub enum Known {
    /// It is of this partner system.
    Partner(Box<Caller>),
    /// It is none of ours, or its time or its key is over.
    Nobody,
    /// It is good, but not from there.
    Elsewhere(Elsewhere),
}

/// A partner system that asks from where its key may not be used.
#[derive(Debug)]
pub struct Elsewhere(pub(super) Box<Caller>);

/// Under which code its refusal stands in the log.
const ADDRESS_NOT_ALLOWED: &str = "ADDRESS_NOT_ALLOWED";

impl Elsewhere {
    /// Leaves it in the organization's log, and lets go of what it has open.
    pub async fn log(self) {
        self.0.log_refusal(Action::PartnerTokenIssue, ADDRESS_NOT_ALLOWED).await;
        self.0.leave().await;
    }
}

/// A key, and when its use was last noted.
pub(super) struct Found {
    pub key: key::Model,
    pub noted_at: Option<Timestamp>,
}

impl FromQueryResult for Found {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        Ok(Self {
            key: key::Model::from_query_result(row, prefix)?,
            noted_at: row.try_get(prefix, "noted_at")?,
        })
    }
}

/// The partner system of a key as it is.
pub(super) fn partner(key: &key::Model, noted_at: Option<Timestamp>, address: Option<IpAddr>) -> Partner {
    let has = |scope| key.scopes.0.contains(&scope);
    Partner {
        key_id: key.id,
        name: key.name.clone(),
        reads_services: has(Scope::ServiceRead),
        manages_services: has(Scope::ServiceManage),
        records_usage: has(Scope::UsageRecord),
        address,
        noted_at,
    }
}

/// When the uses of keys were last noted, beside the keys of a selection.
pub(super) fn with_use<S: QuerySelect>(keys: S) -> S {
    let last = key::Entity::belongs_to(key_use::Entity)
        .from((key::Column::OrganizationId, key::Column::Id))
        .to((key_use::Column::OrganizationId, key_use::Column::KeyId));
    keys.column_as(key_use::Column::UsedAt, "noted_at")
        .join(JoinType::LeftJoin, last.into())
}

/// A live key.
async fn live(reader: &Reader, id: KeyId, now: Timestamp) -> Result<Option<Found>> {
    let found = with_use(reader.select::<key::Entity>()).filter(key::Column::Id.eq(id));
    let found = found.rows::<Found>().await?.into_iter().next();
    Ok(found.filter(|found| found.key.is_live(now)))
}

/// A partner system as it is now, as the kernel's door for changing asks it; `None` where its key is dead, or may not be
/// used from there any more.
///
/// # Errors
/// Only if the database fails.
pub async fn standing(reader: &Reader, now: Timestamp, then: &Partner) -> Result<Option<Actor>> {
    let found = live(reader, then.key_id, now).await?;
    let found = found.filter(|found| found.key.allows(then.address));
    Ok(found.map(|found| Actor::Key(partner(&found.key, found.noted_at, then.address))))
}

/// Who sends a token.
///
/// # Errors
/// Only if the database fails.
pub async fn of_token(app: &App, text: &str, origin: Origin, language: Language) -> Result<Known> {
    let now = app.clock.now();
    let Some(claims) = token::read(app, now, text) else {
        return Ok(Known::Nobody);
    };
    let door = door(app, claims.org, origin, language);
    let view = door.open(claims.org).await?;
    let found = live(&view, claims.sub, now).await;
    drop(view);
    match found {
        Ok(Some(found)) => Ok(let_in(door, &found.key, found.noted_at)),
        other => {
            door.release().await;
            other.map(|_| Known::Nobody)
        }
    }
}

/// Somebody at an organization's door.
pub(super) fn door(app: &App, organization: OrganizationId, origin: Origin, language: Language) -> Caller {
    Caller::new(app.clone(), Actor::Nobody, Some(organization), origin, language)
}

/// Lets in whoever has shown that he has this key, if it may be used from there.
pub(super) fn let_in(door: Caller, key: &key::Model, noted_at: Option<Timestamp>) -> Known {
    let address = door.origin().address;
    let caller = Box::new(door.known_as(Actor::Key(partner(key, noted_at, address))));
    if key.allows(address) {
        Known::Partner(caller)
    } else {
        Known::Elsewhere(Elsewhere(caller))
    }
}

/// Has noted that a partner system was here, unless that was noted a moment ago. It has its answer already: where this
/// fails, only the log is told.
pub async fn note_use(caller: &Caller) {
    let Some(partner) = caller.actor().partner() else {
        return;
    };
    if !key_use::is_due(partner.noted_at, caller.now()) {
        return;
    }
    let deed = async |tx: &_| key_use::note(tx, partner.key_id).await;
    if let Err(error) = caller.act(Action::KeyUseNote, &Plain, deed).await {
        tracing::warn!(?error, "the use of a key could not be noted");
    }
}
