//! The months that an organization has closed.

use sea_orm::{
    QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Func, Query, SelectStatement},
};
use serde::Serialize;

use crate::kernel::{Error, Month, OrganizationId, Reader, Result, Timestamp, record::part};

/// A closed month.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "month_close")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub month: Month,
    pub closed_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "closed month", key: |row| row.month.to_string() }

/// The last month that the organization has closed.
///
/// # Errors
/// Only if the database fails.
pub async fn last_closed(reader: &Reader) -> Result<Option<Month>> {
    let last = reader
        .select::<Entity>()
        .order_by_desc(Column::Month)
        .limit(1)
        .one()
        .await?;
    Ok(last.map(|row| row.month))
}

/// The same as a part of another statement: one value, null where no month is closed.
pub fn last_closed_of(organization: OrganizationId) -> SelectStatement {
    let own = Column::OrganizationId.eq(organization);
    let mut select = Query::select();
    select
        .expr(Func::max(Expr::col((Entity, Column::Month))))
        .from(Entity)
        .and_where(own);
    select
}

/// The months that are still open, to `today`'s: those after the last that was closed or, before any was, from the one
/// in which the organization was created. None where a zone that moved west has `today` in a month that is closed.
///
/// # Errors
/// Only beyond the months there are.
pub fn open_months(
    last_closed: Option<Month>,
    created_on: chrono::NaiveDate,
    today: chrono::NaiveDate,
) -> Result<Vec<Month>> {
    let of = |day| Month::of(day).ok_or_else(|| Error::internal("no such month"));
    let (begun, now) = (of(created_on)?, of(today)?);
    let first = last_closed.map_or(Some(begun.min(now)), Month::next);
    Ok(first.map_or_else(Vec::new, |first| first.through(now).collect()))
}
