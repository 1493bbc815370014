//! The first pages of the agents of many services, in one statement: a list of services that shows their agents asks
//! here, so that none of them asks alone.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, InputType, SelectionField, dataloader::Loader};
use sea_orm::{
    ColumnTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Order, Query, WindowStatement},
};

use super::{
    list::{self, ROWS},
    narrow::{AgentOrder, Asked, ServiceAgentFilter},
};
use crate::{
    agent::entity::{Column, Entity, Model},
    kernel::{Action, Batch, Caller, Error, PageRequest, Reader, Result, ServiceId, View, page::Direction},
};

/// What the first page of a list is asked for: no cursor, only how many from which end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct First {
    asked: Asked,
    size: usize,
    from_end: bool,
}

/// The question for the first page of a service's agents, with one row more where there are more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Staff(ServiceId, First);

/// The question how many agents of a service a list shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Count(ServiceId, Asked);

impl First {
    /// Of a service.
    pub(super) fn of(&self, service: ServiceId) -> Staff {
        Staff(service, self.clone())
    }
}

impl Asked {
    /// How many there are of a service.
    pub(super) fn count_of(&self, service: ServiceId) -> Count {
        Count(service, self.clone())
    }
}

/// The question for a page, if it is a first one.
///
/// # Errors
/// `BAD_USER_INPUT` for a size that makes no sense.
pub(super) fn first_page(request: &PageRequest, asked: &Asked) -> Result<Option<First>> {
    let (size, from_end) = request.size()?;
    let is_first = request.after.is_none() && request.before.is_none();
    Ok(is_first.then(|| First {
        asked: asked.clone(),
        size,
        from_end,
    }))
}

/// Fetches what `agents` is asked for at these paths to services, as far as it makes sense: what does not is told where
/// it is asked.
pub(crate) async fn prefetch(
    context: &Context<'_>,
    view: &View,
    services: &[ServiceId],
    paths: &[String],
) -> Result<()> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    if !caller.may(Action::AgentRead) {
        return Ok(());
    }
    for path in paths {
        let steps = path.split('.').filter(|step| !step.is_empty());
        let ahead = steps
            .fold(context.look_ahead(), |ahead, step| ahead.field(step))
            .field("agents");
        let mut shown = Vec::new();
        for field in ahead.selection_fields() {
            let Some((request, asked)) = arguments(caller, &field) else {
                continue;
            };
            let Ok(Some(first)) = first_page(&request, &asked) else {
                continue;
            };
            if asked.condition(view).is_err() {
                continue;
            }
            let staff = view.loader.load_many(services.iter().map(|service| first.of(*service)));
            shown.extend(staff.await.map_err(Error::internal)?.into_values().flatten());
            if ahead.field("totalCount").exists() {
                let counts = view
                    .loader
                    .load_many(services.iter().map(|service| asked.count_of(*service)));
                counts.await.map_err(Error::internal)?;
            }
        }
        let paths = ROWS.map(|rows| format!("{path}.agents.{rows}"));
        let rows: Vec<_> = shown.iter().collect();
        if !rows.is_empty() {
            Box::pin(list::prefetch(
                context,
                view,
                &rows,
                &paths.each_ref().map(String::as_str),
            ))
            .await?;
        }
    }
    Ok(())
}

/// The arguments of a list as they will be read; `None` where they can't be.
fn arguments(caller: &Arc<Caller>, field: &SelectionField<'_>) -> Option<(PageRequest, Asked)> {
    let given: HashMap<_, _> = field.arguments().ok()?.into_iter().collect();
    fn read<T: InputType>(given: &HashMap<async_graphql::Name, async_graphql::Value>, name: &str) -> Option<T> {
        T::parse(given.get(name).cloned()).ok()
    }
    let request = PageRequest {
        first: read(&given, "first")?,
        after: read(&given, "after")?,
        last: read(&given, "last")?,
        before: read(&given, "before")?,
    };
    let filter: Option<ServiceAgentFilter> = read(&given, "filter")?;
    let order: Option<AgentOrder> = read(&given, "orderBy")?;
    Some((request, Asked::by(caller, filter.unwrap_or_default(), order)))
}

/// The services that each question is about.
fn grouped<'k, A: Eq + std::hash::Hash>(
    keys: impl Iterator<Item = (&'k A, ServiceId)>,
) -> HashMap<&'k A, Vec<ServiceId>> {
    let mut groups: HashMap<_, Vec<_>> = HashMap::new();
    for (asked, service) in keys {
        groups.entry(asked).or_default().push(service);
    }
    groups
}

impl Loader<Staff> for Batch {
    type Value = Vec<Model>;
    type Error = String;

    async fn load(&self, keys: &[Staff]) -> std::result::Result<HashMap<Staff, Vec<Model>>, String> {
        let mut found: HashMap<_, Vec<_>> = keys.iter().map(|key| (key.clone(), Vec::new())).collect();
        for (first, services) in grouped(keys.iter().map(|key| (&key.1, key.0))) {
            let rows = first_rows(self, first, &services).await;
            for row in rows.map_err(|error| format!("{error:?}"))? {
                found.entry(first.of(row.service_id)).or_default().push(row);
            }
        }
        Ok(found)
    }
}

/// The first rows of each service, one more than wanted if there are more, in their order.
async fn first_rows(reader: &Reader, first: &First, services: &[ServiceId]) -> Result<Vec<Model>> {
    let is_ascending = (first.asked.direction() == Direction::Asc) != first.from_end;
    let order = if is_ascending { Order::Asc } else { Order::Desc };
    let condition = first.asked.condition(reader)?;
    let (id, number) = (Alias::new("id"), Alias::new("number"));
    let numbered = reader.related::<Entity>(|places| {
        let mut window = WindowStatement::partition_by((Entity, Column::ServiceId));
        for column in first.asked.columns() {
            sea_orm::sea_query::OrderedStatement::order_by(&mut window, (Entity, column), order.clone());
        }
        places
            .clear_selects()
            .column((Entity, Column::Id))
            .expr_window_as(Expr::cust("ROW_NUMBER()"), window, number.clone())
            .and_where(Column::ServiceId.is_in(services.iter().copied()))
            .cond_where(condition);
    });
    let most = i64::try_from(first.size).unwrap_or(i64::MAX).saturating_add(1);
    let firsts = Query::select()
        .column(id)
        .from_subquery(numbered, Alias::new("numbered"))
        .and_where(Expr::col(number).lte(most))
        .to_owned();
    let mut rows = reader.select::<Entity>().filter(Column::Id.in_subquery(firsts));
    for column in first.asked.columns() {
        rows = QueryOrder::order_by(rows, column, order.clone());
    }
    rows.all().await
}

#[derive(FromQueryResult)]
struct Counted {
    service_id: ServiceId,
    total: i64,
}

impl Loader<Count> for Batch {
    type Value = u64;
    type Error = String;

    async fn load(&self, keys: &[Count]) -> std::result::Result<HashMap<Count, u64>, String> {
        let mut found: HashMap<_, _> = keys.iter().map(|key| (key.clone(), 0)).collect();
        for (asked, services) in grouped(keys.iter().map(|key| (&key.1, key.0))) {
            let condition = asked.condition(self).map_err(|error| format!("{error:?}"))?;
            let counted = self
                .select::<Entity>()
                .select_only()
                .column(Column::ServiceId)
                .column_as(Expr::col((Entity, Column::Id)).count(), "total")
                .filter(Column::ServiceId.is_in(services))
                .filter(condition)
                .group_by(Column::ServiceId)
                .rows::<Counted>();
            for one in counted.await.map_err(|error| format!("{error:?}"))? {
                let total = u64::try_from(one.total).unwrap_or_default();
                found.insert(Count(one.service_id, asked.clone()), total);
            }
        }
        Ok(found)
    }
}
