//! What becomes of extractions when their member leaves: nobody can fetch them any more, so they end, and their files are
//! destroyed.

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    entity::{Column, Entity, Model, State},
    sweep,
};
use crate::kernel::{Code, MemberId, Reader, Result, Tx};

/// Ends the extractions of a member who leaves.
pub fn depart(tx: &Tx, member: MemberId) -> BoxFuture<'_, Result<()>> {
    async move {
        for extraction in open(tx, member).await? {
            sweep::fail(tx, extraction, Code::ExtractionRightLost, None).await?;
        }
        Ok(())
    }
    .boxed()
}

/// The extractions of a member that have a file, or will have one.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn open(reader: &Reader, member: MemberId) -> Result<Vec<Model>> {
    let open = [State::Requested, State::Running, State::Ready, State::Downloaded];
    let rows = reader
        .select::<Entity>()
        .filter(Column::RequestedBy.eq(member))
        .filter(Column::State.is_in(open));
    rows.all().await
}
