//! The lists of agents: pages of all of them or of one service, one's own places, and what a list fetches for all of
//! its rows at once.

use std::sync::Arc;

use async_graphql::Context;
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::{
    narrow::{AgentFilter, AgentOrder, Asked, ServiceAgentFilter},
    staff,
};
use crate::{
    admin,
    agent::entity::{Column, Entity, Model},
    billing::graphql::ById,
    kernel::{
        Action, Caller, Error, Page, PageRequest, Result, ServiceId, View,
        page::{self, connection},
    },
    member::graphql::selects,
};

/// The most services that an organization can have, and so the most places of one member.
const MOST_PLACES: u64 = 100;

/// The ways from a list to its rows.
pub(super) const ROWS: [&str; 2] = ["nodes", "edges.node"];

connection! { at hand AgentConnection, AgentEdge, Model, "agent", "agents" }

/// A page of the agents of all services, or of the one that the filter names.
pub(super) async fn all(
    context: &Context<'_>,
    request: PageRequest,
    filter: AgentFilter,
    order: Option<AgentOrder>,
) -> Result<AgentConnection> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::AgentRead).await?;
    let asked = Asked::by(caller, filter.agents, order);
    let service = filter.service_id.map(|id| id.parse::<ServiceId>());
    let cursors = asked.cursors(caller, &view, service.and_then(std::result::Result::ok));
    let of_service = match service {
        None => Condition::all(),
        Some(Ok(service)) => Condition::all().add(Column::ServiceId.eq(service)),
        Some(Err(())) => Condition::all().add(Expr::value(false)),
    };
    let condition = asked.condition(&view)?.add(of_service);
    let select = || view.select::<Entity>().filter(condition.clone());
    let (columns, direction) = (asked.columns(), asked.direction());
    let page = page::read(select(), columns, direction, &request, &cursors, |row| asked.place(row)).await?;
    let total = match context.look_ahead().field("totalCount").exists() {
        true if page.is_whole() => page.edges.len() as u64,
        true => select().count().await?,
        false => 0,
    };
    finish(context, &view, page, total).await
}

/// A page of the agents of one service. The first pages of many services are fetched together.
pub(crate) async fn of_service(
    context: &Context<'_>,
    service: ServiceId,
    request: PageRequest,
    filter: Option<ServiceAgentFilter>,
    order: Option<AgentOrder>,
) -> Result<AgentConnection> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::AgentRead).await?;
    let asked = Asked::by(caller, filter.unwrap_or_default(), order);
    let cursors = asked.cursors(caller, &view, Some(service));
    let condition = asked.condition(&view)?.add(Column::ServiceId.eq(service));
    let page = match staff::first_page(&request, &asked)? {
        Some(ask) => {
            let rows = view.loader.load_one(ask.of(service)).await.map_err(Error::internal)?;
            let rows = rows.unwrap_or_default().into_iter();
            Page::cut(rows.map(|row| (asked.place(&row), row)).collect(), &request, &cursors)?
        }
        None => {
            let select = view.select::<Entity>().filter(condition);
            let (columns, direction) = (asked.columns(), asked.direction());
            page::read(select, columns, direction, &request, &cursors, |row| asked.place(row)).await?
        }
    };
    let total = if context.look_ahead().field("totalCount").exists() {
        let count = view.loader.load_one(asked.count_of(service)).await;
        count.map_err(Error::internal)?.unwrap_or_default()
    } else {
        0
    };
    finish(context, &view, page, total).await
}

async fn finish(context: &Context<'_>, view: &View, page: Page<Model>, total: u64) -> Result<AgentConnection> {
    let rows: Vec<_> = page.edges.iter().map(|(_, row)| row).collect();
    prefetch(context, view, &rows, &ROWS).await?;
    Ok(AgentConnection::of(page, total))
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
    prefetch(context, &view, &places.iter().collect::<Vec<_>>(), &[""]).await?;
    Ok(places)
}

/// Fetches for many rows what is asked of each of them at one of these paths: their members with what can be done with them,
/// their services, and what is asked of those, a statement each. Members by themselves are fetched where they are asked for.
pub(super) async fn prefetch(context: &Context<'_>, view: &View, rows: &[&Model], paths: &[&str]) -> Result<()> {
    let asks = |field: &str| paths.iter().any(|path| selects(context, path, field));
    if asks("member.roles") || asks("member.actions") || asks("actions") {
        admin::graphql::fetch(view, rows.iter().map(|row| row.member_id)).await?;
    }
    let services: Vec<_> = rows.iter().map(|row| row.service_id).collect();
    if asks("service") || asks("actions") {
        let known = view.loader.load_many(services.iter().copied().map(ById));
        known.await.map_err(Error::internal)?;
    }
    let paths: Vec<_> = paths.iter().map(|path| format!("{path}.service")).collect();
    staff::prefetch(context, view, &services, &paths).await
}
