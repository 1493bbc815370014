//! What left in clear as files: each download shows whoever fetched it the personal data of all its rows.

use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QuerySelect};

use crate::{
    extraction::{StepColumn as Column, StepEntity, StepKind},
    kernel::{PiiGrantId, Reader, Result, Timestamp, audit::ActorKind},
};

/// A file that was fetched, with personal data in clear.
#[derive(Debug, FromQueryResult)]
pub(super) struct Fetched {
    pub occurred_at: Timestamp,
    pub actor_kind: ActorKind,
    pub actor_id: Option<String>,
    pub grant_id: Option<PiiGrantId>,
    row_count: Option<i32>,
}

impl Fetched {
    /// The personal data of how many things were in it.
    pub(super) fn count(&self) -> i64 {
        self.row_count.unwrap_or_default().into()
    }
}

/// Those of a time.
pub(super) async fn fetched(reader: &Reader, from: Timestamp, to: Timestamp) -> Result<Vec<Fetched>> {
    let rows = reader
        .select::<StepEntity>()
        .filter(Column::Kind.eq(StepKind::Downloaded))
        .filter(Column::IsUnmasked.eq(true))
        .filter(Column::OccurredAt.gte(from))
        .filter(Column::OccurredAt.lt(to))
        .select_only()
        .columns([
            Column::OccurredAt,
            Column::ActorKind,
            Column::ActorId,
            Column::GrantId,
            Column::RowCount,
        ]);
    rows.rows().await
}
