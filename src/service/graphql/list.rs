//! The list of services: its filter, its order and its pages.

use std::sync::Arc;

use async_graphql::{Context, Enum, InputObject};
use sea_orm::{
    ColumnTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, LikeExpr},
};

use crate::{
    agent::graphql as agents,
    billing::graphql as billing,
    kernel::{
        Action, Caller, Error, PageRequest, Result, Timestamp,
        page::{self, Cursors, Direction, Part, connection},
        reader::Scoped,
    },
    service::{
        ServiceKind,
        entity::{Column, Entity, Model, Status},
    },
};

/// A span of time.
#[derive(Debug, Clone, InputObject)]
pub struct DateTimeRange {
    /// Its first moment, inclusive; open where absent.
    pub from: Option<Timestamp>,
    /// The moment it ends, exclusive; open where absent.
    pub to: Option<Timestamp>,
}

/// Which services; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct ServiceFilter {
    /// Any of these types, at most 10.
    pub kind: Option<Vec<ServiceKind>>,
    /// Any of these states, at most 10; all but `TERMINATED` where absent.
    pub status: Option<Vec<Status>>,
    /// The name contains this, whatever the case; at most 100 characters.
    pub name_contains: Option<String>,
    /// Added in this span.
    pub created_at: Option<DateTimeRange>,
}

/// What services are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum ServiceOrderField {
    /// When it was added.
    CreatedAt,
    /// By name.
    Name,
}

/// The order of services.
#[derive(Debug, InputObject)]
pub struct ServiceOrder {
    /// What to sort by.
    pub field: ServiceOrderField,
    /// Which way.
    pub direction: Direction,
}

connection! { at hand ServiceConnection, ServiceEdge, Model, "service", "services" }

/// A page of services.
pub(crate) async fn service_page(
    context: &Context<'_>,
    request: PageRequest,
    filter: Option<ServiceFilter>,
    order: Option<ServiceOrder>,
) -> Result<ServiceConnection> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::ServiceRead).await?;
    let filter = filter.unwrap_or_default();
    let (field, direction) = order.map_or((ServiceOrderField::CreatedAt, Direction::Desc), |order| {
        (order.field, order.direction)
    });
    let cursors = Cursors::new(
        &caller.app().keys,
        view.organization_id(),
        &format!("services {field:?} {direction:?}"),
    );
    let place = |row: &Model| match field {
        ServiceOrderField::CreatedAt => [Part::Instant(row.created_at), Part::Id(row.id.0)],
        ServiceOrderField::Name => [Part::Text(row.name.clone()), Part::Id(row.id.0)],
    };
    let column = if field == ServiceOrderField::Name {
        Column::Name
    } else {
        Column::CreatedAt
    };
    let select = || narrowed(view.select::<Entity>(), &filter);
    let page = page::read(select()?, [column, Column::Id], direction, &request, &cursors, place).await?;
    let total = match context.look_ahead().field("totalCount").exists() {
        true if page.is_whole() => page.edges.len() as u64,
        true => select()?.count().await?,
        false => 0,
    };
    let known = page
        .edges
        .iter()
        .map(|(_, service)| (billing::ById(service.id), service.clone()));
    view.loader.feed_many(known).await;
    let services: Vec<_> = page.edges.iter().map(|(_, service)| service.id).collect();
    let paths = ["nodes", "edges.node"].map(str::to_owned);
    agents::prefetch_staff(context, &view, &services, &paths).await?;
    Ok(ServiceConnection::of(page, total))
}

fn narrowed<'v>(mut select: Scoped<'v, Entity>, filter: &ServiceFilter) -> Result<Scoped<'v, Entity>> {
    let lengths = [
        filter.kind.as_ref().map_or(0, Vec::len),
        filter.status.as_ref().map_or(0, Vec::len),
    ];
    if lengths.iter().any(|length| *length > 10)
        || filter
            .name_contains
            .as_ref()
            .is_some_and(|text| text.chars().count() > 100)
    {
        return Err(Error::BadInput(
            "A filter's list has at most 10 values and its text at most 100 characters.".into(),
        ));
    }
    if let Some(kinds) = &filter.kind {
        select = select.filter(Column::Kind.is_in(kinds.iter().copied()));
    }
    select = match &filter.status {
        Some(states) => select.filter(Column::Status.is_in(states.iter().copied())),
        None => select.filter(Column::Status.ne(Status::Terminated)),
    };
    if let Some(text) = filter.name_contains.as_deref().filter(|text| !text.is_empty()) {
        if text.contains('\0') {
            return Err(Error::BadInput("A text has no NUL in it.".into()));
        }
        let pattern = text
            .to_lowercase()
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        let name = Expr::col(Column::NameKey);
        select = select.filter(name.like(LikeExpr::new(format!("%{pattern}%")).escape('\\')));
    }
    let span = filter.created_at.as_ref();
    if let Some(from) = span.and_then(|span| span.from) {
        select = select.filter(Column::CreatedAt.gte(from));
    }
    if let Some(to) = span.and_then(|span| span.to) {
        select = select.filter(Column::CreatedAt.lt(to));
    }
    Ok(select)
}
