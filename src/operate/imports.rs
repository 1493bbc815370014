//! What an operator sees of imports: how far they are, and nothing of what is in them.

use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{door, told};
use crate::{
    import::{Column, Entity, State},
    kernel::{Action, App, Result, Timestamp},
};

/// How many imports are told of.
const MOST: u64 = 1_000;

/// The imports of an organization that are not over, the latest first, each as a line with tabs.
///
/// # Errors
/// If there is no such organization.
pub async fn imports(app: &App, domain: &str) -> anyhow::Result<Vec<String>> {
    let caller = door(app, domain).await?;
    let lines: Result<Vec<String>> = async {
        let view = caller.view(Action::ImportRead).await?;
        let open = [State::Checking, State::Draft, State::Reserved, State::Running];
        let imports = view
            .select::<Entity>()
            .filter(Column::State.is_in(open))
            .order_by_desc(Column::UploadedAt)
            .order_by_desc(Column::Id);
        let imports = QuerySelect::limit(imports, Some(MOST)).all().await?;
        let line = |import: crate::import::Model| {
            let state = sea_orm::ActiveEnum::to_value(&import.state);
            let due = import.due_at.map(Timestamp::to_text).unwrap_or_default();
            format!(
                "{}\t{}\t{state}\t{}\t{}\t{}\t{}\t{due}",
                import.id,
                import.service_id,
                import.row_count,
                import.done_count,
                import.inserted_count,
                import.failed_count
            )
        };
        Ok(imports.into_iter().map(line).collect())
    }
    .await;
    caller.release().await;
    lines.map_err(told)
}
