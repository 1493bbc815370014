//! 개인정보 취급 권한 로그: every grant, change and end of one, with names as they were then. Rows never change; the deed's
//! entry in the audit log, whose chain vouches for it, holds all of a row's values too.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::{Condition, FromJsonQueryResult, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::grant::{Model as Grant, Scope};
use crate::{
    kernel::{
        AuditEntryId, Job, MemberId, OrganizationId, PiiChangeId, PiiGrantId, Reader, Result, ServiceId, Timestamp, Tx,
        audit::{ActorKind, clean},
        outbox::EXTRACTION_RECHECK,
        record::{part, record},
    },
    member::Member,
};

/// 구분: what happened to a grant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "PiiGrantChangeKind")]
pub enum Kind {
    /// 부여: it was given.
    Granted,
    /// 수정: it was changed.
    Updated,
    /// 회수: somebody took it back.
    Revoked,
    /// 자동 회수: it went with its holder's membership or last place in a service.
    AutoRevoked,
    /// 만료: its time was over.
    Expired,
}

/// What a grant said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Said {
    pub email: String,
    pub networks: Vec<String>,
    pub scope: Scope,
    pub purpose: String,
    pub valid_until: Timestamp,
}

impl Said {
    fn by(grant: &Grant) -> Self {
        Self {
            email: grant.email.clone(),
            networks: grant.networks.0.clone(),
            scope: grant.scope.clone(),
            purpose: grant.purpose.clone(),
            valid_until: grant.valid_until,
        }
    }
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "pii_grant_change")]
#[graphql(name = "PiiGrantChange", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PiiChangeId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// 일시: when it happened.
    pub occurred_at: Timestamp,
    /// 구분: what happened.
    pub kind: Kind,
    #[graphql(skip)]
    pub grant_id: PiiGrantId,
    #[graphql(skip)]
    pub actor_kind: ActorKind,
    #[graphql(skip)]
    pub actor_id: Option<String>,
    #[graphql(skip)]
    pub actor_name: String,
    #[graphql(skip)]
    pub actor_login: Option<String>,
    /// IP: the address that it came from; empty for jobs and the command line.
    pub address: String,
    #[graphql(skip)]
    pub target_id: String,
    #[graphql(skip)]
    pub target_name: String,
    #[graphql(skip)]
    pub target_login: String,
    #[graphql(skip)]
    pub before: Option<Said>,
    #[graphql(skip)]
    pub after: Option<Said>,
    /// 사유: why, as it was said; null where it was not.
    pub reason: Option<String>,
    #[graphql(skip)]
    pub entry_id: AuditEntryId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "PII grant change", PiiChangeId, label: target_login, log: "PII_GRANT_CHANGES" }

/// Which services a change is about, before or after it, one row each; a row without one where it is about all of them.
pub mod about {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
    #[sea_orm(table_name = "pii_grant_change_service")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: OrganizationId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub change_id: PiiChangeId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: i32,
        pub service_id: Option<ServiceId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    part! { "PII grant change's service", key: |row| format!("{}#{}", row.change_id, row.place) }

    /// The rows of a change that said this before and that afterwards.
    pub(super) fn rows(tx: &Tx, change_id: PiiChangeId, said: [Option<&Scope>; 2]) -> Vec<Model> {
        let mut services = Vec::new();
        for scope in said.into_iter().flatten() {
            match &scope.services {
                Some(named) => services.extend(named.iter().copied().map(Some)),
                None => services.push(None),
            }
        }
        services.sort_unstable();
        services.dedup();
        let row = |(place, service_id)| Model {
            organization_id: tx.organization_id(),
            change_id,
            place,
            service_id,
        };
        (0..).zip(services).map(row).collect()
    }
}

/// Writes a row, and those of the services that it is about.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn tell(
    tx: &Tx,
    kind: Kind,
    (before, after): (Option<&Grant>, Option<&Grant>),
    holder: &Member,
    reason: Option<&str>,
) -> Result<()> {
    let grant = after.or(before).map(|grant| grant.id);
    let Some(grant_id) = grant else { return Ok(()) };
    let member = tx.actor().member();
    let id: PiiChangeId = tx.fresh_id();
    if before.is_some() {
        // Files in clear that this grant let somebody have are looked at anew.
        let argument = format!("{}/{id}", holder.id);
        let (kind, due_at) = (EXTRACTION_RECHECK, tx.now());
        let job = Job { kind, argument, due_at };
        tx.enqueue(job).await?;
    }
    tx.create::<Entity>(Model {
        id,
        organization_id: tx.organization_id(),
        occurred_at: tx.now(),
        kind,
        grant_id,
        actor_kind: tx.actor().kind(),
        actor_id: tx.actor().id(),
        actor_name: clean(&member.map_or_else(|| tx.actor().display_name(), |member| member.name.clone())),
        actor_login: member.map(|member| member.login.clone()),
        address: tx.origin().address_text(),
        target_id: MemberId::to_string(&holder.id),
        target_name: clean(&holder.name),
        target_login: holder.login.clone(),
        before: before.map(Said::by),
        after: after.map(Said::by),
        reason: reason.map(str::to_owned),
        entry_id: tx.entry_id(),
    })
    .await?;
    let said = [before, after].map(|grant| grant.map(|grant| &grant.scope));
    tx.create_many::<about::Entity>(about::rows(tx, id, said)).await
}

/// Most rows of the log that go in one deed.
pub const PURGED_AT_ONCE: u64 = 500;

/// Whether the log has rows from before this instant.
///
/// # Errors
/// Only if the database fails.
pub async fn has_changes_before(reader: &Reader, keeps_from: Timestamp) -> Result<bool> {
    Ok(!before(reader, keeps_from, 1).await?.is_empty())
}

/// Has rows of the log go whose time is over, the oldest first. Answers how many.
///
/// # Errors
/// Only if the database fails.
pub async fn purge_changes(tx: &Tx, keeps_from: Timestamp) -> Result<u64> {
    let rows = before(tx, keeps_from, PURGED_AT_ONCE).await?;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    tx.keep_log_from("pii_grant_change", keeps_from).await?;
    let parts = Condition::all().add(about::Column::ChangeId.is_in(ids.clone()));
    tx.remove_over::<about::Entity>(parts).await?;
    tx.remove_over::<Entity>(Condition::all().add(Column::Id.is_in(ids)))
        .await
}

async fn before(reader: &Reader, keeps_from: Timestamp, most: u64) -> Result<Vec<Model>> {
    let rows = reader.select::<Entity>().filter(Column::OccurredAt.lt(keeps_from));
    let rows = rows.order_by_asc(Column::OccurredAt).order_by_asc(Column::Id);
    QuerySelect::limit(rows, Some(most)).all().await
}
