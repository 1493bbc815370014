//! The permission-change log: whose rights a deed changed, from what to what. A table says with [`Grants`] what rights
//! its rows give; whatever writes such a row, through whatever door, leaves its changes here in the same transaction.
//! The audit entry of the deed holds a digest of them, so that the chain vouches for them too.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{Enum, SimpleObject};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable,
    entity::prelude::*,
    sea_query::{Alias, ExprTrait, Query},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    AuditLog, Error, KeyId, MemberId, OrganizationId, PermissionChangeId, Record, Result, ServiceId, Timestamp, Tx,
    audit::{ActorKind, clean},
    record::record,
};

/// What happened to a right. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "PermissionChangeKind")]
pub enum Kind {
    /// 구성원 추가: somebody became a member.
    MemberAdded,
    /// 탈퇴 회수: a member left, or was taken out.
    MemberLeft,
    /// 소유자 변경: a member became the owner, or is it no more.
    OwnershipTransferred,
    /// 조직관리자 추가: a member became an organization administrator.
    OrgAdminAdded,
    /// 조직관리자 삭제: an organization administrator's role was taken away.
    OrgAdminRemoved,
    /// 상담원 추가: a member was put into a service.
    AgentAdded,
    /// 상담원 삭제: a member was taken out of a service.
    AgentRemoved,
    /// 기본권한 변경: a manager became an agent, or an agent a manager.
    BaseRoleChanged,
    /// 상담권한 변경: tickets, chats and calls.
    ChannelRightsChanged,
    /// 콜백 할당 권한 변경: whether an agent gives callbacks to others.
    CallbackAssignChanged,
    /// 티켓 전달 권한 변경: whether an agent passes tickets to others.
    TicketForwardChanged,
    /// 조회 권한 변경: whether an agent sees the access logs of all agents.
    ViewRightChanged,
    /// 티켓 할당, 채팅 할당, 할당 제어 변경: whether an agent is given tickets and chats, and may change that himself.
    AssignmentChanged,
    /// 조직 Key 추가: an organization key was made.
    KeyCreated,
    /// 조직 Key 변경: what an organization key may be used for.
    KeyScopesChanged,
    /// 조직 Key 폐기: an organization key was revoked, or was given its end when it was replaced.
    KeyRevoked,
}

/// A right that a member or an organization key holds. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Right {
    /// 구성원: to belong to the organization and sign in to it.
    Member,
    /// 소유자: everything in the organization.
    Owner,
    /// 조직관리자: this menu, but what is the owner's alone.
    OrganizationAdmin,
    /// 관리자: to consult in the service and to set it up.
    Manager,
    /// 상담원: to consult in the service.
    Agent,
    /// 상담권한, 티켓: to handle tickets.
    HandlesTickets,
    /// 상담권한, 채팅: to handle chats.
    HandlesChats,
    /// 상담권한, 전화: to handle calls.
    HandlesCalls,
    /// 콜백 할당: to give callbacks to others.
    AssignsCallbacks,
    /// 티켓 전달: to pass tickets to others.
    ForwardsTickets,
    /// 조회: to see the access logs of all agents.
    ViewsAccessLogs,
    /// 티켓 할당: to be given tickets.
    ReceivesTickets,
    /// 채팅 할당: to be given chats.
    ReceivesChats,
    /// 할당 제어: to turn being given tickets and chats on and off oneself.
    ControlsAssignment,
    /// Of a key: to see services and contracts.
    KeyServiceRead,
    /// Of a key: to add, contract, suspend and terminate services.
    KeyServiceManage,
    /// Of a key: to record metered usage.
    KeyUsageRecord,
}

/// Who holds rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// A member.
    Member(MemberId),
    /// An organization key.
    Key(KeyId),
}

/// Rights, each group under the kind of change that a difference in it is.
pub type Groups = Vec<(Kind, Vec<Right>)>;

/// What rights the rows of a table give. A row that gives none is as good as no row.
#[derive(Debug)]
pub struct Grants<M> {
    /// To whom.
    pub holder: fn(&M) -> Holder,
    /// What it is where there was nothing before.
    pub added: Kind,
    /// What it is where nothing is left.
    pub removed: Kind,
    /// Which: always the same groups in the same order, empty where they give nothing.
    pub rights: fn(&M) -> Groups,
}

/// The rights of a group that are held.
pub fn held<const N: usize>(rights: [(bool, Right); N]) -> Vec<Right> {
    let held = rights.into_iter().filter(|(is_held, _)| *is_held);
    held.map(|(_, right)| right).collect()
}

/// One right's change, as the pen saw it.
#[derive(Debug)]
pub(super) struct Shift {
    kind: Kind,
    holder: Holder,
    label: String,
    service: Option<Uuid>,
    before: Vec<Right>,
    after: Vec<Right>,
}

/// What the change of a row does to rights.
pub(super) fn shifts<E: Record>(before: Option<&E::Model>, after: Option<&E::Model>) -> Vec<Shift> {
    let (Some(grants), Some(row)) = (E::GRANTS, after.or(before)) else {
        return Vec::new();
    };
    let place = |row: &E::Model| ((grants.holder)(row), E::service(row));
    if let (Some(old), Some(new)) = (before, after)
        && place(old) != place(new)
    {
        let taken = shifts::<E>(before, None);
        return taken.into_iter().chain(shifts::<E>(None, after)).collect();
    }
    let groups = |row: Option<&E::Model>| row.map(grants.rights).unwrap_or_default();
    let all = |groups: &Groups| groups.iter().flat_map(|(_, rights)| rights.clone()).collect::<Vec<_>>();
    let (old, new) = (groups(before), groups(after));
    let (had, has) = (all(&old), all(&new));
    let changes = match (had.is_empty(), has.is_empty()) {
        (true, true) => Vec::new(),
        (true, false) => vec![(grants.added, had, has)],
        (false, true) => vec![(grants.removed, had, has)],
        (false, false) => old
            .into_iter()
            .zip(new)
            .filter(|(old, new)| old.1 != new.1)
            .map(|(old, new)| (old.0, old.1, new.1))
            .collect(),
    };
    let (holder, service) = place(row);
    let shift = |(kind, before, after)| Shift {
        kind,
        holder,
        label: E::label(row),
        service,
        before,
        after,
    };
    changes.into_iter().map(shift).collect()
}

/// A right that was given, changed or taken. Rows never change and never go before their time; attempts that were
/// refused stand in `auditEntries`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "permission_change")]
#[graphql(name = "PermissionChange", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PermissionChangeId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[graphql(skip)]
    pub log: AuditLog,
    #[graphql(skip)]
    pub sequence: i64,
    /// 조작일시: when it happened.
    pub occurred_at: Timestamp,
    /// By what deed: the name of a permission, such as `AGENT_UPDATE`.
    #[graphql(name = "action")]
    pub action: String,
    /// 조작내용: what happened.
    pub kind: Kind,
    #[graphql(skip)]
    pub actor_kind: ActorKind,
    #[graphql(skip)]
    pub actor_id: Option<String>,
    #[graphql(skip)]
    pub actor_name: String,
    #[graphql(skip)]
    pub actor_login: Option<String>,
    /// IP: the address that the deed came from; empty for jobs and the command line.
    pub address: String,
    #[graphql(skip)]
    pub target_kind: ActorKind,
    #[graphql(skip)]
    pub target_id: String,
    #[graphql(skip)]
    pub target_name: String,
    #[graphql(skip)]
    pub target_login: Option<String>,
    #[graphql(skip)]
    pub service_id: Option<ServiceId>,
    #[graphql(skip)]
    pub service_name: Option<String>,
    #[graphql(skip)]
    pub rights_before: String,
    #[graphql(skip)]
    pub rights_after: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "permission change", PermissionChangeId, label: action, log: "PERMISSION_CHANGES" }

/// The rows for a deed's shifts, in their order; their place in the log is added with the entry. Names and login IDs
/// are those at the end of the deed.
pub(super) async fn rows(tx: &Tx, shifts: Vec<Shift>) -> Result<Vec<Model>> {
    if shifts.is_empty() {
        return Ok(Vec::new());
    }
    let members = shifts.iter().filter_map(|shift| match shift.holder {
        Holder::Member(id) => Some(id.0),
        Holder::Key(_) => None,
    });
    let members = names(tx, "member", "login", members).await?;
    let services = names(tx, "service", "code", shifts.iter().filter_map(|shift| shift.service)).await?;
    let mut ids: Vec<PermissionChangeId> = shifts.iter().map(|_| tx.fresh_id()).collect();
    // The IDs of one instant lie in any order; the rows are to lie in the deed's.
    ids.sort_unstable();
    let row = |(id, shift): (PermissionChangeId, Shift)| {
        let (target_kind, target_id, target_name, target_login) = match shift.holder {
            Holder::Key(id) => (ActorKind::Key, id.to_string(), shift.label, None),
            Holder::Member(id) => {
                let known = members.get(&id.0).cloned();
                let (name, login) = known.ok_or_else(|| Error::internal("rights of nobody"))?;
                (ActorKind::Member, id.to_string(), name, Some(login))
            }
        };
        let service = shift.service.and_then(|id| services.get(&id));
        let signed_in = tx.actor().member();
        Ok(Model {
            id,
            organization_id: tx.organization_id(),
            log: AuditLog::Permission,
            sequence: 0,
            occurred_at: tx.now(),
            action: tx.action().name().to_owned(),
            kind: shift.kind,
            actor_kind: tx.actor().kind(),
            actor_id: tx.actor().id(),
            actor_name: clean(&signed_in.map_or_else(|| tx.actor().display_name(), |member| member.name.clone())),
            actor_login: signed_in.map(|member| member.login.clone()),
            address: tx.origin().address_text(),
            target_kind,
            target_id,
            target_name: clean(&target_name),
            target_login,
            service_id: shift.service.map(ServiceId),
            service_name: service.map(|(name, _)| clean(name)),
            rights_before: serde_json::to_string(&shift.before)?,
            rights_after: serde_json::to_string(&shift.after)?,
        })
    };
    ids.into_iter().zip(shifts).map(row).collect()
}

/// The names of things of one table, each with another text that tells it apart: one statement for all of them.
async fn names(
    tx: &Tx,
    table: &str,
    other: &str,
    ids: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, (String, String)>> {
    let ids: Vec<_> = ids.collect::<BTreeSet<_>>().into_iter().collect();
    let mut found = HashMap::new();
    // SQLite takes 32,766 values in one statement.
    for ids in ids.chunks(30_000) {
        let select = Query::select()
            .columns(["id", "name", other].map(Alias::new))
            .from(Alias::new(table))
            .and_where(Expr::col("organization_id").eq(tx.organization_id()))
            .and_where(Expr::col("id").is_in(ids.iter().copied()))
            .to_owned();
        for row in tx.reader().connection.query_all(&select).await? {
            let names = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            found.insert(row.try_get_by_index(0)?, names);
        }
    }
    Ok(found)
}

/// Writes rows whose entry is written.
pub(super) async fn write(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    for chunk in rows.chunks(30_000 / Column::iter().count().max(1)) {
        let active = chunk.iter().map(|row| row.clone().into_active_model().reset_all());
        Entity::insert_many(active).exec_without_returning(connection).await?;
    }
    Ok(())
}

/// Takes in the rows of one entry in the order of their IDs, for the digest that its chain vouches for.
#[derive(Debug, Default)]
pub struct Digest(Option<Sha256>);

impl Digest {
    /// Takes in a row.
    ///
    /// # Errors
    /// Never: every row has a text.
    pub fn add(&mut self, row: &Model) -> Result<()> {
        let text = serde_json::to_vec(row)?;
        let digest = self.0.get_or_insert_default();
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
        Ok(())
    }

    /// The digest; `None` where there was no row.
    pub fn finish(self) -> Option<Vec<u8>> {
        Some(self.0?.finalize().to_vec())
    }
}
