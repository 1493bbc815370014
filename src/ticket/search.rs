//! Which tickets a list shows, and in what order: always by 접수일시, within half a year. What is equal to a value, or begins
//! with one, is read along the rows that tickets are found by; everything else along an index of the tickets themselves,
//! of several states each along its own.

use chrono::Duration;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Order},
};

use super::{
    entity::{Channel, Column, Entity, Model, Status},
    term,
};
use crate::kernel::{
    FieldId, MemberId, Page, PageRequest, Result, ServiceId, Timestamp, View,
    page::{self, Cursors, Direction, Part, Place},
    reader::Scoped,
};

/// The widest span: half a year, whichever it is.
pub(super) const WIDEST: Duration = Duration::days(184);

/// Which tickets.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub service: ServiceId,
    pub from: Timestamp,
    pub to: Option<Timestamp>,
    /// Any of these; `None` for all.
    pub status: Option<Vec<Status>>,
    pub channel: Option<Channel>,
    pub assignee: Option<MemberId>,
    pub number: Option<i32>,
    pub external: Option<String>,
    pub term: Option<Term>,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub field: FieldId,
    pub is: Is,
}

/// How a value is compared.
#[derive(Debug, Clone)]
pub(super) enum Is {
    /// It is this.
    Equal(Vec<u8>),
    /// It begins with this: from the first on, and before the second.
    Between(Vec<u8>, Vec<u8>),
    /// Nothing is: no value was ever sealed.
    Nothing,
}

/// A page of them, the newest first.
///
/// # Errors
/// `BAD_USER_INPUT` for wrong sizes and cursors.
pub(super) async fn page(
    view: &View,
    wanted: &Wanted,
    request: &PageRequest,
    cursors: &Cursors,
) -> Result<Page<Model>> {
    if let Some(term) = &wanted.term {
        return page_of_term(view, wanted, term, request, cursors).await;
    }
    let columns = [Column::ReceivedAt, Column::Id];
    let selects = wanted.alternatives();
    let selects = selects
        .into_iter()
        .map(|one| wanted.narrowed(view).filter(one))
        .collect();
    page::read_any(selects, columns, Direction::Desc, request, cursors, place).await
}

/// How many there are.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn count(view: &View, wanted: &Wanted) -> Result<u64> {
    let any = wanted.alternatives().into_iter().fold(Condition::any(), Condition::add);
    let select = match &wanted.term {
        Some(term) => wanted.along(view, term),
        None => wanted.narrowed(view),
    };
    if any.is_empty() {
        return Ok(0);
    }
    select.filter(any).count().await
}

/// The next of them behind a place, the newest first.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn behind(view: &View, wanted: &Wanted, after: Option<Place>, most: usize) -> Result<Vec<Model>> {
    let any = wanted.alternatives().into_iter().fold(Condition::any(), Condition::add);
    if any.is_empty() {
        return Ok(Vec::new());
    }
    let (select, columns) = match &wanted.term {
        Some(term) => {
            let columns = [term::Column::ReceivedAt, term::Column::TicketId];
            let columns = columns.map(|column| Expr::col((term::Entity, column)));
            (wanted.along(view, term), columns)
        }
        None => {
            let columns = [Column::ReceivedAt, Column::Id];
            (wanted.narrowed(view), columns.map(|column| Expr::col((Entity, column))))
        }
    };
    let mut select = select.filter(any);
    if let Some(after) = after {
        let there = Expr::tuple(after.map(|part| Expr::val(sea_orm::Value::from(part))));
        select = select.filter(Expr::tuple(columns.clone()).lt(there));
    }
    for column in columns {
        QueryOrder::query(&mut select).order_by_expr(column, Order::Desc);
    }
    QuerySelect::limit(select, Some(most as u64)).all().await
}

pub(super) fn place(row: &Model) -> Place {
    [Part::Instant(row.received_at), Part::Id(row.id.0)]
}

/// A page along the rows that tickets are found by, which have their order too.
async fn page_of_term(
    view: &View,
    wanted: &Wanted,
    term: &Term,
    request: &PageRequest,
    cursors: &Cursors,
) -> Result<Page<Model>> {
    let (size, from_end) = request.size()?;
    let after = cursors.read(request.after.as_deref())?;
    let before = cursors.read(request.before.as_deref())?;
    let columns = [term::Column::ReceivedAt, term::Column::TicketId];
    let here = || Expr::tuple(columns.map(|column| Expr::col((term::Entity, column))));
    let there = |place: Place| Expr::tuple(place.map(|part| Expr::val(sea_orm::Value::from(part))));
    let any = wanted.alternatives().into_iter().fold(Condition::any(), Condition::add);
    if any.is_empty() {
        return Page::cut(Vec::new(), request, cursors);
    }
    let mut select = wanted.along(view, term).filter(any);
    if let Some(after) = after {
        select = select.filter(here().lt(there(after)));
    }
    if let Some(before) = before {
        select = select.filter(here().gt(there(before)));
    }
    let order = if from_end { Order::Asc } else { Order::Desc };
    for column in columns {
        QueryOrder::query(&mut select).order_by_expr(Expr::col((term::Entity, column)), order.clone());
    }
    let rows = select.limit(size as u64 + 1).all().await?;
    Page::cut(
        rows.into_iter().map(|row| (place(&row), row)).collect(),
        request,
        cursors,
    )
}

impl Wanted {
    /// The ways to be of any of the states; each has an index. Nothing is of none of them.
    fn alternatives(&self) -> Vec<Condition> {
        match &self.status {
            None => vec![Condition::all().add(Expr::value(true))],
            Some(states) => states
                .iter()
                .map(|status| Condition::all().add(Column::Status.eq(*status)))
                .collect(),
        }
    }

    /// The tickets, but for their states and what a value is.
    fn narrowed<'v>(&self, view: &'v View) -> Scoped<'v, Entity> {
        let mut select = self.beside_time(view).filter(Column::ReceivedAt.gte(self.from));
        if let Some(to) = self.to {
            select = select.filter(Column::ReceivedAt.lt(to));
        }
        select
    }

    fn beside_time<'v>(&self, view: &'v View) -> Scoped<'v, Entity> {
        let mut select = view.select::<Entity>().filter(Column::ServiceId.eq(self.service));
        if let Some(channel) = self.channel {
            select = select.filter(Column::Channel.eq(channel));
        }
        if let Some(assignee) = self.assignee {
            select = select.filter(Column::AssigneeId.eq(assignee));
        }
        if let Some(number) = self.number {
            select = select.filter(Column::Number.eq(number));
        }
        if let Some(external) = &self.external {
            select = select.filter(Column::ExternalId.eq(external.as_str()));
        }
        select
    }

    /// The tickets with a value, joined to the rows that say so.
    fn along<'v>(&self, view: &'v View, term: &Term) -> Scoped<'v, Entity> {
        use term::Column as Found;
        let found = Entity::belongs_to(term::Entity)
            .from((Column::OrganizationId, Column::Id))
            .to((Found::OrganizationId, Found::TicketId));
        let mut select = self
            .beside_time(view)
            .join(JoinType::InnerJoin, found.into())
            .filter(Found::OrganizationId.eq(view.organization_id()))
            .filter(Found::FieldId.eq(term.field))
            .filter(Found::ReceivedAt.gte(self.from));
        if let Some(to) = self.to {
            select = select.filter(Found::ReceivedAt.lt(to));
        }
        match &term.is {
            Is::Equal(value) => select.filter(Found::Term.eq(value.clone())),
            Is::Between(from, to) => select
                .filter(Found::Term.gte(from.clone()))
                .filter(Found::Term.lt(to.clone())),
            Is::Nothing => select.filter(Expr::value(false)),
        }
    }
}
