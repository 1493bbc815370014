//! The list of one's own extractions.

use std::sync::Arc;

use async_graphql::Context;
use sea_orm::{ColumnTrait, QueryFilter};

use super::ORDER;
use crate::{
    extraction::entity::{Column, Entity, Model, State},
    kernel::{
        Action, Caller, Error, PageRequest, Result,
        page::{self, Cursors, Direction, Part, connection},
    },
};

connection! { ExtractionConnection, ExtractionEdge, Model, "extraction", "extractions" }

/// A page of them.
pub(super) async fn page(
    context: &Context<'_>,
    request: &PageRequest,
    states: Option<Vec<State>>,
) -> Result<Option<ExtractionConnection>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::ExtractionRead).await?;
    let own = caller.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    if states.as_ref().is_some_and(|states| states.len() > 10) {
        return Err(Error::BadInput("`state` has at most 10 values.".into()));
    }
    let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "extractions");
    let place = |row: &Model| [Part::Instant(row.requested_at), Part::Id(row.id.0)];
    let select = || {
        let mut rows = view.select::<Entity>().filter(Column::RequestedBy.eq(own));
        if let Some(states) = &states {
            rows = rows.filter(Column::State.is_in(states.iter().copied()));
        }
        rows
    };
    let page = page::read(select(), ORDER, Direction::Desc, request, &cursors, place).await?;
    let total = match context.look_ahead().field("totalCount").exists() {
        true if page.is_whole() => page.edges.len() as u64,
        true => select().count().await?,
        false => 0,
    };
    Ok(Some(ExtractionConnection::of(page, total)))
}
