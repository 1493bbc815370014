//! On which days whose telephone left a log. There is one row for each day and member, however many events.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, SimpleObject};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*};
use serde::Serialize;

use super::file;
use crate::kernel::{
    Action, Caller, Day, Journal, MemberId, OrganizationId, Reader, Record as _, Result, Timestamp,
    download::{self, DownloadLink},
    record::part,
};

/// How many days are shown.
const SHOWN: u64 = 100;

/// A day of which somebody's telephone left a log.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "cti_log_day")]
#[graphql(name = "CtiLogDay", complex)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// The day, as the organization's `timeZone` was when the events came in.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: Day,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub member_id: MemberId,
    /// When its first event came in.
    pub opened_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "CTI log", key: |row| format!("{}/{}", row.member_id, row.day.0) }

impl Journal for Entity {}

#[ComplexObject]
impl Model {
    /// Where the log of the day can be fetched as an Excel file, in the language of `Accept-Language`; each time it is fetched stands in the log of extractions. Needs `CTI_LOG_DOWNLOAD`.
    async fn download(&self, context: &Context<'_>) -> Result<DownloadLink> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        caller.view(Action::CtiLogDownload).await?;
        download::link(caller, file::KIND, &Entity::key(self))
    }
}

/// The days of a member, the latest first, at most 100: one statement.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn of_member(reader: &Reader, member: MemberId) -> Result<Vec<Model>> {
    let days = reader.select::<Entity>().filter(Column::MemberId.eq(member));
    QuerySelect::limit(days.order_by_desc(Column::Day), Some(SHOWN))
        .all()
        .await
}

/// A day of a member by the text that names it, if there is one.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn of_key(reader: &Reader, key: &str) -> Result<Option<Model>> {
    let Some((member, day)) = key.split_once('/') else {
        return Ok(None);
    };
    let (Ok(member), Ok(day)) = (member.parse::<MemberId>(), day.parse()) else {
        return Ok(None);
    };
    let days = reader.select::<Entity>().filter(Column::MemberId.eq(member));
    days.filter(Column::Day.eq(Day(day))).one().await
}
