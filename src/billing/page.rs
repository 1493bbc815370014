//! The list of charges: estimates of open months, computed, and charges of closed months, read, as one list by month
//! and service, newest month first.

use std::sync::Arc;

use async_graphql::Context;
use sea_orm::{
    ColumnTrait, FromQueryResult, QueryFilter, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Func},
};

use super::{
    charge,
    fetch::{BooksOf, ById, LastClosed, check_span, open_in, with_lines},
    graphql::{Charge, ChargeConnection, ChargeFilter},
    month,
};
use crate::{
    kernel::{
        Action, Caller, Error, Money, Month, Page, PageRequest, Result, ServiceId, View,
        page::{self, Cursor, Cursors, Direction, Part, Place},
        reader::Scoped,
    },
    member::graphql::selects,
    service,
};

/// The estimates of some services for open months, in the order of the list.
pub(super) async fn estimates(view: &View, services: &[ServiceId], months: &[Month]) -> Result<Vec<Charge>> {
    let keys = months.iter().flat_map(|month| {
        let of_month = |service: &ServiceId| BooksOf(*service, *month);
        services.iter().map(of_month)
    });
    let mut charges = Vec::new();
    for (BooksOf(service, _), books) in view.loader.load_many(keys).await.map_err(Error::internal)? {
        charges.extend(books.charge(service)?.as_ref().map(Charge::estimated));
    }
    charges.sort_by_key(|charge| std::cmp::Reverse((charge.month, charge.service_id)));
    Ok(charges)
}

#[derive(FromQueryResult)]
struct Sums {
    count: i64,
    total: Option<i64>,
    last_closed: Option<Month>,
}

/// A page of charges.
pub(super) async fn read(
    context: &Context<'_>,
    request: PageRequest,
    filter: ChargeFilter,
) -> Result<ChargeConnection> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::ChargeRead).await?;
    check_span(filter.from, filter.to)?;
    let (size, from_end) = request.size()?;
    let services = services(&view, &filter).await?;
    let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "charges");
    let select = || narrowed(&view, &filter, &services);
    let (count, sum) = sums(context, &view, select()).await?;
    let months = open_in(caller, &view, filter.from, filter.to).await?;
    let open = estimates(&view, &services, &months).await?;
    let total = open.iter().map(Charge::won).sum::<i64>() + sum;
    let total_count = open.len() as u64 + count;

    // Estimates come first: a page from the start takes what it needs of them, and the rest from the closed months.
    let ahead = open_page(&open, &request, &cursors)?;
    let column = [charge::Column::Month, charge::Column::ServiceId];
    let place = |row: &charge::Model| [Part::Number(row.month.index().into()), Part::Id(row.service_id.0)];
    let asks = |field: &str| ["nodes", "edges.node"].iter().any(|path| selects(context, path, field));
    let has_lines = asks("lines");
    let page = if from_end {
        let closed = page::read(select(), column, Direction::Desc, &request, &cursors, place).await?;
        join_from_end(ahead, closed, size, &view, has_lines).await?
    } else if ahead.len() > size {
        Page {
            has_next: true,
            has_previous: request.after.is_some(),
            edges: ahead.into_iter().take(size).collect(),
        }
    } else {
        let closed = page::read(select(), column, Direction::Desc, &request, &cursors, place).await?;
        let room = size - ahead.len();
        let has_next = closed.has_next || closed.edges.len() > room;
        let closed = with_lines(&view, closed.edges.into_iter().take(room).collect(), has_lines).await?;
        Page {
            edges: ahead.into_iter().chain(closed).collect(),
            has_next,
            has_previous: request.after.is_some(),
        }
    };
    Ok(ChargeConnection::of(page, total_count, Money::won(total)))
}

/// The estimates that lie between the page's cursors, in the list's order.
fn open_page(open: &[Charge], request: &PageRequest, cursors: &Cursors) -> Result<Vec<(Cursor, Charge)>> {
    let key = |place: &Place| match place {
        [Part::Number(month), Part::Id(service)] => (*month, *service),
        _ => (i64::MIN, uuid::Uuid::nil()),
    };
    let after = cursors.read(request.after.as_deref())?;
    let before = cursors.read(request.before.as_deref())?;
    let mut kept = Vec::new();
    for charge in open {
        let place = [Part::Number(charge.month.index().into()), Part::Id(charge.service_id.0)];
        let here = key(&place);
        if after.as_ref().is_none_or(|after| here < key(after))
            && before.as_ref().is_none_or(|before| here > key(before))
        {
            kept.push((cursors.at(place), charge.clone()));
        }
    }
    Ok(kept)
}

async fn join_from_end(
    ahead: Vec<(Cursor, Charge)>,
    closed: Page<charge::Model>,
    size: usize,
    view: &View,
    has_lines: bool,
) -> Result<Page<Charge>> {
    let room = size - closed.edges.len();
    let skipped = ahead.len().saturating_sub(room);
    let has_previous = closed.has_previous || skipped > 0;
    let (has_next, closed) = (closed.has_next, with_lines(view, closed.edges, has_lines).await?);
    Ok(Page {
        edges: ahead.into_iter().skip(skipped).chain(closed).collect(),
        has_next,
        has_previous,
    })
}

/// The services that a filter leaves.
pub(super) async fn services(view: &View, filter: &ChargeFilter) -> Result<Vec<ServiceId>> {
    let mut select = view.select::<service::Entity>();
    if let Some(kind) = filter.service_kind {
        select = select.filter(service::Column::Kind.eq(kind));
    }
    if let Some(id) = &filter.service {
        let id = id.parse::<ServiceId>().unwrap_or(ServiceId(uuid::Uuid::nil()));
        select = select.filter(service::Column::Id.eq(id));
    }
    let rows = select.all().await?;
    let ids = rows.iter().map(|row| row.id).collect();
    view.loader
        .feed_many(rows.into_iter().map(|row| (ById(row.id), row)))
        .await;
    Ok(ids)
}

fn narrowed<'v>(view: &'v View, filter: &ChargeFilter, services: &[ServiceId]) -> Scoped<'v, charge::Entity> {
    let select = view
        .select::<charge::Entity>()
        .filter(charge::Column::Month.between(filter.from, filter.to));
    if filter.service_kind.is_none() && filter.service.is_none() {
        return select;
    }
    select.filter(charge::Column::ServiceId.is_in(services.iter().copied()))
}

/// How many closed charges there are and what they come to, if that was asked. The same statement finds out which month
/// was closed last, which is asked next.
async fn sums(context: &Context<'_>, view: &View, select: Scoped<'_, charge::Entity>) -> Result<(u64, i64)> {
    let ahead = context.look_ahead();
    if !ahead.field("total").exists() && !ahead.field("totalCount").exists() {
        return Ok((0, 0));
    }
    let whole = |what: sea_orm::sea_query::Expr| what.cast_as(Alias::new("bigint"));
    let count = whole(Expr::col(charge::Column::Month).count());
    let total = whole(Expr::expr(Func::sum(Expr::col(charge::Column::Total))));
    let last_closed = Expr::SubQuery(None, Box::new(month::last_closed_of(view.organization_id()).into()));
    let sums: Vec<Sums> = select
        .select_only()
        .column_as(count, "count")
        .column_as(total, "total")
        .column_as(last_closed, "last_closed")
        .rows()
        .await?;
    let Some(sums) = sums.into_iter().next() else {
        return Ok((0, 0));
    };
    view.loader.feed_one(LastClosed, sums.last_closed).await;
    Ok((u64::try_from(sums.count).unwrap_or(0), sums.total.unwrap_or(0)))
}
