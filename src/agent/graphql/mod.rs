//! What the API says of agents, and the verbs that put members into services and say what they may do there.

mod at_hand;
mod extract;
mod list;
mod narrow;
mod staff;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object};
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::{
    Channel,
    entity::{Column, Entity, Model},
    input::{AgentAddInput, AgentRemoveInput, AgentUpdateInput, AgentUpdateManyInput},
    reach::{obstacle, reached},
    rules,
};
use crate::{
    admin::{self, rank::Standing},
    billing::graphql::ById,
    contract::graphql::OfService,
    cti::line as cti,
    kernel::{
        Action, Caller, Error, On, PageRequest, Record, Result,
        payload::{payload, settle, user_errors},
    },
    member::{Member, search::ById as MemberById},
    service::{Service, graphql::PossibleAction},
    ticket,
};

pub use extract::SOURCE;
pub use list::{AgentConnection, AgentEdge};
pub(crate) use list::{of_service, own};
pub use narrow::{AgentFilter, AgentOrder, AgentOrderField, ServiceAgentFilter};
pub(crate) use staff::prefetch as prefetch_staff;

user_errors! { AgentUserError, AgentErrorCode, "an agent", {
    /// A value is needed.
    Blank,
    /// There are too many of them.
    TooMany,
    /// The agent is in the list twice.
    Duplicate,
    /// Nobody gives or takes his own rights.
    NotOneself,
    /// It takes a role or right that the caller does not have: a manager changes no owner or administrator, and lets see access logs only where he sees them.
    AboveOwnRank,
    /// The member has left the organization.
    MemberLeft,
    /// The member is in the service already.
    AlreadyAgent,
    /// The contract of the service does not offer the channel.
    ChannelNotContracted,
    /// The right can't be chosen with this role: managers always assign callbacks, and agents of an issue service never see access logs.
    RightNotForRole,
    /// The right needs a channel that the agent does not have.
    RightNeedsChannel,
    /// The service has been terminated.
    ServiceTerminated,
} }

payload! { AgentAddPayload, "agentAdd", AgentUserError, {
    /// The new agent; null where there are user errors.
    agent: Model,
} }
payload! { AgentUpdatePayload, "agentUpdate", AgentUserError, {
    /// The agent as he is now, also where he was not changed; null where there is none.
    agent: Model,
} }
payload! { AgentUpdateManyPayload, "agentUpdateMany", AgentUserError, {}, {
    /// The agents as they are now, in the order of the entries, at most 100; empty where there are user errors.
    agents: Model,
} }
payload! { AgentRemovePayload, "agentRemove", AgentUserError, {
    /// Who is an agent there no more; null where there are user errors.
    member: Member,
    /// Where; null where there are user errors.
    service: Service,
} }

/// The verbs of an agent that is there.
const VERBS: [Action; 2] = [Action::AgentUpdate, Action::AgentRemove];

#[ComplexObject]
impl Model {
    /// The service.
    async fn service(&self, context: &Context<'_>) -> Result<Option<Service>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::ViewerRead).await?;
        view.loader
            .load_one(ById(self.service_id))
            .await
            .map_err(Error::internal)
    }

    /// The member.
    async fn member(&self, context: &Context<'_>) -> Result<Option<Member>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::ViewerRead).await?;
        let member = view.loader.load_one(MemberById(self.member_id)).await;
        member.map_err(Error::internal)
    }

    /// 상담권한: the channels that he was given, at most 3. Those that the contract no longer offers stay, and come back with it.
    async fn channels(&self) -> Vec<Channel> {
        self.made_channels()
    }

    /// Of these channels, those that the contract offers now, at most 3: in no other does he consult.
    async fn effective_channels(&self, context: &Context<'_>) -> Result<Vec<Channel>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::ViewerRead).await?;
        let contract = view.loader.load_one(OfService(self.service_id)).await;
        let contract = contract.map_err(Error::internal)?;
        let offers = |channel: &Channel| contract.as_ref().is_some_and(|contract| channel.is_offered(contract));
        Ok(self.made_channels().into_iter().filter(offers).collect())
    }

    /// What the caller can do with the agent now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::ViewerRead).await?;
        let actor = caller.actor().member().map(|actor| actor.member_id);
        let (service, member) = (self.service(context).await?, self.member(context).await?);
        let (service, member) = service
            .zip(member)
            .ok_or_else(|| Error::internal("an agent of nobody or nowhere"))?;
        let target = Standing::of(&member, admin::is_administrator(&view, member.id).await?);
        let reaches_all = narrow::confined(caller).is_none();
        let one = |name: Action| {
            let hindrance = obstacle(name, actor, reaches_all, &target, &service);
            let hindrance = hindrance.map(crate::kernel::Code::name);
            let reason = if caller.may(name) { hindrance } else { Some("FORBIDDEN") };
            PossibleAction {
                name,
                is_allowed: reason.is_none(),
                reason_code: reason.map(str::to_owned),
                available_at: None,
            }
        };
        Ok(VERBS.into_iter().map(one).collect())
    }
}

/// The agents of these IDs whom the caller may know of: as whoever reaches the service, or as the one he is.
pub(crate) async fn find(caller: &Caller, ids: &[&str]) -> Result<Vec<Model>> {
    let keys = ids.iter().filter_map(|id| Entity::of_key(id));
    let condition = keys.fold(Condition::any(), Condition::add);
    let Some(actor) = caller
        .actor()
        .member()
        .filter(|_| caller.may(Action::ViewerRead) && !condition.is_empty())
    else {
        return Ok(Vec::new());
    };
    let view = caller.view(Action::ViewerRead).await?;
    let seen = match narrow::confined(caller) {
        None => Condition::all(),
        Some(_) if !caller.may(Action::AgentRead) => Condition::any().add(Column::MemberId.eq(actor.member_id)),
        Some(manager) => Condition::any()
            .add(Column::MemberId.eq(actor.member_id))
            .add(reached(&view, manager)),
    };
    view.select::<Entity>().filter(condition).filter(seen).all().await
}

/// Agents, to look at.
#[derive(Debug, Default)]
pub struct AgentQuery;

#[Object]
impl AgentQuery {
    /// 상담원: the agents of all services; for a manager, of those that he manages. Needs `AGENT_READ`.
    #[expect(clippy::too_many_arguments, reason = "a list's arguments, as the schema has them")]
    async fn agents(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which agents.")] filter: Option<AgentFilter>,
        #[graphql(desc = "In what order; the first to come first where absent. Ties are broken by ID.")]
        order_by: Option<AgentOrder>,
    ) -> Result<Option<AgentConnection>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let filter = filter.unwrap_or_default();
        list::all(context, request, filter, order_by).await.map(Some)
    }
}

/// Agents, to change.
#[derive(Debug, Default)]
pub struct AgentMutation;

#[Object]
impl AgentMutation {
    /// 상담원 추가: puts a member into a service, as its manager or as an agent. Needs `AGENT_ADD` and a recent `sessionConfirm`.
    async fn agent_add(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, where, and with what rights.")] input: AgentAddInput,
    ) -> Result<AgentAddPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::add(tx, &input).await;
        let (agent, problems) = settle(caller.act(Action::AgentAdd, &input, deed).await)?;
        Ok(AgentAddPayload {
            agent,
            user_errors: AgentUserError::all(problems)?,
        })
    }

    /// 상담원 수정: changes the role and rights of an agent. Absent fields stay as they are, but for what hangs on a role or channel that goes. Needs `AGENT_UPDATE` and a recent `sessionConfirm`.
    async fn agent_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The agent's ID.")] id: ID,
        #[graphql(desc = "The changes.")] input: AgentUpdateInput,
    ) -> Result<AgentUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| cti::agent_update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::AgentUpdate, &On(&id, &input), deed).await)?;
        let agent = match done {
            Some(agent) => Some(agent),
            None => find(caller, &[&id]).await?.pop(),
        };
        Ok(AgentUpdatePayload {
            agent,
            user_errors: AgentUserError::all(problems)?,
        })
    }

    /// 상담원 일괄 수정: changes the roles and rights of many agents, also of several services, all of them or none. Needs `AGENT_UPDATE_MANY` and a recent `sessionConfirm`.
    async fn agent_update_many(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: AgentUpdateManyInput,
    ) -> Result<AgentUpdateManyPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| cti::agent_update_many(tx, &input).await;
        let (done, problems) = settle(caller.act(Action::AgentUpdateMany, &input, deed).await)?;
        if let Some(done) = &done {
            let view = caller.view(Action::AgentRead).await?;
            list::prefetch(context, &view, &done.0.iter().collect::<Vec<_>>(), &["agents"]).await?;
        }
        Ok(AgentUpdateManyPayload {
            agents: done.map(|done| done.0).unwrap_or_default(),
            user_errors: AgentUserError::all(problems)?,
        })
    }

    /// 상담원 삭제: takes a member out of a service, with all his rights there. He stays a member. Needs `AGENT_REMOVE` and a recent `sessionConfirm`.
    async fn agent_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The agent's ID.")] id: ID,
        #[graphql(desc = "How.")] input: AgentRemoveInput,
    ) -> Result<AgentRemovePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| ticket::remove_agent(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::AgentRemove, &On(&id, &input), deed).await)?;
        let (mut member, mut service) = (None, None);
        if let Some(removed) = done {
            let view = caller.view(Action::ViewerRead).await?;
            let found = view.loader.load_one(MemberById(removed.member)).await;
            member = found.map_err(Error::internal)?;
            let found = view.loader.load_one(ById(removed.service)).await;
            service = found.map_err(Error::internal)?;
        }
        Ok(AgentRemovePayload {
            member,
            service,
            user_errors: AgentUserError::all(problems)?,
        })
    }
}
