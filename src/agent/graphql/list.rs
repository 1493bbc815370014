//! The lists of agents: their filter, their order, their pages, and what a page fetches for all of its rows at once.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject};
use sea_orm::{
    ColumnTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    admin,
    agent::{
        Channel,
        entity::{Column, Entity, Model, Role},
        reach::visible,
    },
    billing::graphql::ById,
    contract::graphql as contracts,
    kernel::{
        Action, Caller, Error, MemberId, PageRequest, Reader, Result, ServiceId, View,
        page::{self, Cursors, Direction, Part, connection},
        reader::Scoped,
    },
    member::{self, graphql::selects, search},
};

/// The most services that an organization can have, and so the most places of one member.
const MOST_PLACES: u64 = 100;

/// Which agents; conditions are joined by *and*.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ServiceAgentFilter {
    /// 기본권한: only these.
    pub role: Option<Role>,
    /// 상담권한: only who has this channel, offered by the contract or not.
    pub channel: Option<Channel>,
    /// 이름: the member's name contains this, whatever the case; at most 100 characters.
    pub name_contains: Option<String>,
    /// 계정: the member's login ID contains this, whatever the case; at most 100 characters.
    pub login_contains: Option<String>,
    /// The member's e-mail address contains this, whatever the case; at most 100 characters. For a manager it must be the whole address.
    pub email_contains: Option<String>,
}

/// Which agents of which services; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct AgentFilter {
    /// Only those of this service.
    pub service_id: Option<ID>,
    /// Which agents.
    #[graphql(flatten)]
    pub agents: ServiceAgentFilter,
}

/// What agents are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum AgentOrderField {
    /// When they came into the service.
    AddedAt,
    /// By role: agents, then managers.
    Role,
}

/// The order of agents.
#[derive(Debug, InputObject)]
pub struct AgentOrder {
    /// What to sort by.
    pub field: AgentOrderField,
    /// Which way.
    pub direction: Direction,
}

connection! { AgentConnection, AgentEdge, Model, "agent", "agents" }

/// The member to whose services a caller is confined; `None` for who reaches all of them.
pub(super) fn confined(caller: &Caller) -> Option<MemberId> {
    let actor = caller.actor().member();
    actor
        .filter(|_| !caller.may(Action::OrganizationRead))
        .map(|actor| actor.member_id)
}

/// A page of agents, the first to come first unless another order is asked for.
pub(crate) async fn agent_page(
    context: &Context<'_>,
    request: PageRequest,
    filter: AgentFilter,
    order: Option<AgentOrder>,
) -> Result<AgentConnection> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::AgentRead).await?;
    let (field, direction) = order.map_or((AgentOrderField::AddedAt, Direction::Asc), |order| {
        (order.field, order.direction)
    });
    let service = filter.service_id.as_ref().map(|id| id.parse::<ServiceId>());
    let name = format!("agents {service:?} {field:?} {direction:?}");
    let cursors = Cursors::new(&caller.app().keys, view.organization_id(), &name);
    let place = |row: &Model| match field {
        AgentOrderField::AddedAt => [Part::Instant(row.added_at), Part::Id(row.id.0)],
        AgentOrderField::Role => [Part::Text(sea_orm::ActiveEnum::to_value(&row.role)), Part::Id(row.id.0)],
    };
    let column = match field {
        AgentOrderField::AddedAt => Column::AddedAt,
        AgentOrderField::Role => Column::Role,
    };
    let select = || {
        let all = visible(&view, confined(caller));
        let of_service = match service {
            None => all,
            Some(Ok(service)) => all.filter(Column::ServiceId.eq(service)),
            Some(Err(())) => all.filter(Expr::value(false)),
        };
        narrowed(&view, of_service, &filter.agents, caller.may(Action::OrganizationRead))
    };
    let page = page::read(select()?, [column, Column::Id], direction, &request, &cursors, place).await?;
    let total = match context.look_ahead().field("totalCount").exists() {
        true if page.is_whole() => page.edges.len() as u64,
        true => select()?.count().await?,
        false => 0,
    };
    let rows: Vec<_> = page.edges.iter().map(|(_, row)| row).collect();
    let asks = |field: &str| ["nodes", "edges.node"].iter().any(|path| selects(context, path, field));
    prefetch(&view, &rows, asks).await?;
    Ok(AgentConnection::of(page, total))
}

fn narrowed<'r>(
    reader: &'r Reader,
    mut select: Scoped<'r, Entity>,
    filter: &ServiceAgentFilter,
    sees_addresses: bool,
) -> Result<Scoped<'r, Entity>> {
    if let Some(role) = filter.role {
        select = select.filter(Column::Role.eq(role));
    }
    if let Some(channel) = filter.channel {
        let right = match channel {
            Channel::Ticket => Column::HandlesTickets,
            Channel::Chat => Column::HandlesChats,
            Channel::Phone => Column::HandlesCalls,
        };
        select = select.filter(right.eq(true));
    }
    let texts = [&filter.name_contains, &filter.login_contains, &filter.email_contains];
    let named = search::matching(texts, sees_addresses)?;
    if named.is_empty() {
        return Ok(select);
    }
    Ok(select.filter(Expr::exists(reader.related::<member::Entity>(|member| {
        let own = Expr::col((Entity, Column::MemberId));
        member
            .and_where(Expr::col((member::Entity, member::Column::Id)).eq(own))
            .cond_where(named);
    }))))
}

/// The caller's own places, in the order in which he came to them.
pub(crate) async fn own(context: &Context<'_>) -> Result<Vec<Model>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::ViewerRead).await?;
    let Some(actor) = caller.actor().member() else {
        return Ok(Vec::new());
    };
    let places = view.select::<Entity>().filter(Column::MemberId.eq(actor.member_id));
    let places = places.order_by_asc(Column::AddedAt).order_by_asc(Column::Id);
    let places = places.limit(Some(MOST_PLACES)).all().await?;
    let asks = |field: &str| context.look_ahead().field(field).exists();
    prefetch(&view, &places.iter().collect::<Vec<_>>(), asks).await?;
    Ok(places)
}

/// Fetches for many rows what is asked of each: their members in one statement, their services and contracts in two.
pub(super) async fn prefetch(view: &View, rows: &[&Model], asks: impl Fn(&str) -> bool) -> Result<()> {
    if asks("member") || asks("actions") {
        admin::graphql::fetch(view, rows.iter().map(|row| row.member_id)).await?;
    }
    let services: Vec<_> = rows.iter().map(|row| row.service_id).collect();
    if asks("service") || asks("actions") {
        let known = view.loader.load_many(services.iter().copied().map(ById));
        known.await.map_err(Error::internal)?;
    }
    if asks("effectiveChannels") || ["contract", "actions"].iter().any(|field| asks(&format!("service.{field}"))) {
        contracts::prefetch(view, &services).await?;
    }
    Ok(())
}
