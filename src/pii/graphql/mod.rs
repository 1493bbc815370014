//! What the API says of grants to see personal data, and the verbs that give and take them.

mod log;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    access::{access, service_of},
    grant::{Column, Entity, Model, Status},
    input::{PiiGrantCreateInput, PiiGrantRevokeInput, PiiGrantUpdateInput},
    rules,
};
use crate::{
    billing::graphql::ById,
    kernel::{
        Action, Caller, Code, Error, MemberId, On, PageRequest, Result,
        page::{self, Cursors, Direction, Part, connection},
        payload::{payload, settle, user_errors},
        personal::Masked,
        reader::Scoped,
    },
    member::{Member, search::ById as MemberById},
    service::{Service, graphql::PossibleAction},
};

pub(crate) use log::Entry;
pub use log::{PiiGrantChangeConnection, PiiGrantChangeEdge, PiiGrantChangeFilter, PiiLogQuery};
pub(super) use log::{alternatives, any, check, narrowed as changes_of};

user_errors! { PiiGrantUserError, PiiGrantErrorCode, "a grant", {
    /// A value is needed.
    Blank,
    /// A value is too short.
    TooShort,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// A value is too small or too large.
    OutOfRange,
    /// There are too many of them.
    TooMany,
    /// It is in the list twice.
    Duplicate,
    /// The network has too many addresses.
    NetworkTooWide,
    /// It is not the member's address.
    EmailDiffers,
    /// Nobody gives himself anything, nor changes what he has.
    NotOneself,
    /// The member has left the organization.
    MemberLeft,
    /// The member works in no service.
    NoServiceRole,
    /// The member has a grant that holds.
    PiiGrantExists,
    /// The grant was taken back, or its time is over.
    PiiGrantEnded,
    /// The service has been terminated.
    ServiceTerminated,
} }

payload! { PiiGrantCreatePayload, "piiGrantCreate", PiiGrantUserError, {
    /// The new grant; null where there are user errors.
    grant: Model,
} }
payload! { PiiGrantUpdatePayload, "piiGrantUpdate", PiiGrantUserError, {
    /// The grant as it is now, also where it was not changed; null where there is none.
    grant: Model,
} }
payload! { PiiGrantRevokePayload, "piiGrantRevoke", PiiGrantUserError, {
    /// The grant as it is now, also where it was not taken back; null where there is none.
    grant: Model,
} }

/// Which grants; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct PiiGrantFilter {
    /// Only those of this status. A grant whose time is over is `EXPIRED` as soon as that was noted, seconds later.
    pub status: Option<Status>,
    /// 계정: only those of this member.
    pub member_id: Option<ID>,
}

/// Whether personal data of a service are shown in clear.
#[derive(Debug, SimpleObject)]
pub struct PiiAccess {
    /// Whether they are, to this caller, from his address, now.
    pub is_unmasked: bool,
    /// Why they are masked: the first reason; null where they are not.
    pub reason: Option<Masked>,
    /// The address that the caller asks from, as it is held against the grant; null where it is not known.
    pub address: Option<String>,
}

connection! { PiiGrantConnection, PiiGrantEdge, Model, "grant", "grants" }

#[ComplexObject]
impl Model {
    /// 계정: the member who may see.
    async fn member(&self, context: &Context<'_>) -> Result<Option<Member>> {
        let view = context
            .data_unchecked::<Arc<Caller>>()
            .view(Action::PiiGrantRead)
            .await?;
        let member = view.loader.load_one(MemberById(self.member_id)).await;
        member.map_err(Error::internal)
    }

    /// IP: from where, at most 10 addresses and networks.
    #[graphql(name = "networks")]
    async fn network_list(&self) -> Vec<String> {
        self.networks.0.clone()
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Vec<PossibleAction> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let is_own = caller
            .actor()
            .member()
            .is_some_and(|own| own.member_id == self.member_id);
        let has_ended = self.status != Status::Active || self.valid_until <= caller.now();
        let ended = has_ended.then_some(Code::PiiGrantEnded);
        vec![
            PossibleAction::of(
                caller,
                Action::PiiGrantUpdate,
                ended.or(is_own.then_some(Code::NotOneself)),
            ),
            PossibleAction::of(caller, Action::PiiGrantRevoke, ended),
        ]
    }

    /// Whether it holds for all services.
    async fn is_for_all_services(&self) -> bool {
        self.scope.services.is_none()
    }

    /// For which services, at most 100; empty where it holds for all.
    async fn services(&self, context: &Context<'_>) -> Result<Vec<Service>> {
        let view = context
            .data_unchecked::<Arc<Caller>>()
            .view(Action::PiiGrantRead)
            .await?;
        let asked = self.scope.services.iter().flatten().map(|id| ById(*id));
        let mut found = view.loader.load_many(asked).await.map_err(Error::internal)?;
        let named = self.scope.services.iter().flatten();
        Ok(named.filter_map(|id| found.remove(&ById(*id))).collect())
    }
}

/// Grants, to look at.
#[derive(Debug, Default)]
pub struct PiiQuery;

#[Object]
impl PiiQuery {
    /// 개인정보 취급 권한: who may see personal data in clear, newest grants first. Needs `PII_GRANT_READ`.
    async fn pii_grants(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which grants.")] filter: Option<PiiGrantFilter>,
    ) -> Result<Option<PiiGrantConnection>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::PiiGrantRead).await?;
        let filter = filter.unwrap_or_default();
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "PII grants");
        let place = |row: &Model| [Part::Instant(row.granted_at), Part::Id(row.id.0)];
        let columns = [Column::GrantedAt, Column::Id];
        let select = || narrowed(view.select::<Entity>(), &filter);
        let page = page::read(select(), columns, Direction::Desc, &request, &cursors, place).await?;
        let total = match context.look_ahead().field("totalCount").exists() {
            true if page.is_whole() => page.edges.len() as u64,
            true => select().count().await?,
            false => 0,
        };
        Ok(Some(PiiGrantConnection::of(page, total)))
    }

    /// Whether the caller sees personal data of a service in clear from where he asks, and why not where not; null where there is no such service. Needs `VIEWER_READ`.
    async fn pii_access(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] service_id: ID,
    ) -> Result<Option<PiiAccess>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::ViewerRead).await?;
        let actor = caller.actor().member().ok_or(Error::Unauthenticated)?;
        let Some(service) = service_of(&view, &service_id).await? else {
            return Ok(None);
        };
        let address = caller.origin().address;
        let decided = access(&view, actor.member_id, address, &service, caller.now()).await?;
        Ok(Some(PiiAccess {
            is_unmasked: decided.is_ok(),
            reason: decided.err(),
            address: address.map(|address| address.to_canonical().to_string()),
        }))
    }
}

fn narrowed<'v>(mut select: Scoped<'v, Entity>, filter: &PiiGrantFilter) -> Scoped<'v, Entity> {
    if let Some(status) = filter.status {
        select = select.filter(Column::Status.eq(status));
    }
    if let Some(member) = &filter.member_id {
        let id = member.parse().unwrap_or(MemberId(uuid::Uuid::nil()));
        select = select.filter(Column::MemberId.eq(id));
    }
    select
}

/// Grants, to change.
#[derive(Debug, Default)]
pub struct PiiMutation;

#[Object]
impl PiiMutation {
    /// 권한 추가: lets a member see personal data in clear from these addresses; nobody lets himself. Needs `PII_GRANT_CREATE` and a recent `sessionConfirm`.
    async fn pii_grant_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "To whom, from where, for what.")] input: PiiGrantCreateInput,
    ) -> Result<PiiGrantCreatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::create(tx, &input).await;
        let (grant, problems) = settle(caller.act(Action::PiiGrantCreate, &input, deed).await)?;
        Ok(PiiGrantCreatePayload {
            grant,
            user_errors: PiiGrantUserError::all(problems)?,
        })
    }

    /// 수정: changes a grant that holds, at once also for whoever is looking. Absent values stay as they are. Needs `PII_GRANT_UPDATE` and a recent `sessionConfirm`.
    async fn pii_grant_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The grant's ID.")] id: ID,
        #[graphql(desc = "The changes.")] input: PiiGrantUpdateInput,
    ) -> Result<PiiGrantUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::PiiGrantUpdate, &On(&id, &input), deed).await)?;
        Ok(PiiGrantUpdatePayload {
            grant: as_it_is(caller, done, &id).await?,
            user_errors: PiiGrantUserError::all(problems)?,
        })
    }

    /// 삭제 (회수): takes a grant back. It stays in the list and in the log. Needs `PII_GRANT_REVOKE` and a recent `sessionConfirm`.
    async fn pii_grant_revoke(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The grant's ID.")] id: ID,
        #[graphql(desc = "How.")] input: PiiGrantRevokeInput,
    ) -> Result<PiiGrantRevokePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::revoke(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::PiiGrantRevoke, &On(&id, &input), deed).await)?;
        Ok(PiiGrantRevokePayload {
            grant: as_it_is(caller, done, &id).await?,
            user_errors: PiiGrantUserError::all(problems)?,
        })
    }
}

/// What was done, or where nothing was, the grant as it is.
async fn as_it_is(caller: &Caller, done: Option<Model>, id: &str) -> Result<Option<Model>> {
    match done {
        Some(grant) => Ok(Some(grant)),
        None => caller.view(Action::PiiGrantRead).await?.seek::<Entity>(id).await,
    }
}
