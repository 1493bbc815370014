//! Who held which CTI ID and number when.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, InputObject};
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::agent::searched;
use crate::{
    cti::line::{
        self,
        history::{Column, Entity, Model},
    },
    kernel::{
        Action, Caller, Error, MemberId, PageRequest, Result, Timestamp,
        page::{self, Cursors, Direction, Part, connection},
    },
    member::{Member, search::ById as MemberById},
};

#[ComplexObject]
impl Model {
    /// Who held them.
    async fn member(&self, context: &Context<'_>) -> Result<Option<Member>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::CtiRead).await?;
        let member = view.loader.load_one(MemberById(self.member_id)).await;
        member.map_err(Error::internal)
    }
}

connection! { CtiHoldingConnection, CtiHoldingEdge, Model, "holding", "times in which somebody held a CTI ID and number" }

/// Which times; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct CtiHoldingFilter {
    /// CTI NO: only of this one, in whatever spelling; at most 100 characters.
    pub cti_number: Option<String>,
    /// CTI ID: only of this one, whatever the case, in whatever spelling; at most 100 characters.
    pub cti_id: Option<String>,
    /// Only of this member.
    pub member_id: Option<ID>,
    /// Only those in which this instant lies: who held it then.
    pub at: Option<Timestamp>,
}

/// A page of times, the last to begin first.
pub(super) async fn list(
    context: &Context<'_>,
    request: PageRequest,
    filter: &CtiHoldingFilter,
) -> Result<CtiHoldingConnection> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::CtiRead).await?;
    let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "CTI holdings");
    let place = |row: &Model| [Part::Instant(row.held_from), Part::Id(row.id.0)];
    let condition = condition(filter)?;
    let select = || view.select::<Entity>().filter(condition.clone());
    let columns = [Column::HeldFrom, Column::Id];
    let page = page::read(select(), columns, Direction::Desc, &request, &cursors, place).await?;
    let total = match context.look_ahead().field("totalCount").exists() {
        true if page.is_whole() => page.edges.len() as u64,
        true => select().count().await?,
        false => 0,
    };
    Ok(CtiHoldingConnection::of(page, total))
}

fn condition(filter: &CtiHoldingFilter) -> Result<Condition> {
    let mut all = Condition::all();
    if let Some(number) = searched(filter.cti_number.as_deref())? {
        all = all.add(Column::CtiNumber.eq(number));
    }
    if let Some(id) = searched(filter.cti_id.as_deref())? {
        all = all.add(Column::CtiIdKey.eq(line::key(&id)));
    }
    if let Some(member) = &filter.member_id {
        // An ID that is none's finds nothing.
        let member = member.parse::<MemberId>().unwrap_or(MemberId(uuid::Uuid::nil()));
        all = all.add(Column::MemberId.eq(member));
    }
    if let Some(at) = filter.at {
        let until = Condition::any()
            .add(Column::HeldUntil.is_null())
            .add(Column::HeldUntil.gt(at));
        all = all.add(Column::HeldFrom.lte(at)).add(until);
    }
    Ok(all)
}
