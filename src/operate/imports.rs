//! What an operator sees of imports: how far they are, and nothing of what is in them.

use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{door, told};
use crate::{
    import::{Column, Entity, State},
    kernel::{Action, App, Caller, Result, Timestamp, outbox},
};

/// How many imports are told of.
const MOST: u64 = 1_000;

/// In how short a time an import is due that waits for another's turn, or failed for now.
const SOON: chrono::Duration = chrono::Duration::seconds(5);

/// The imports of all organizations that were taken up and are not over, on whatever server: the ID of each, how many of its
/// rows are done, and how many it has.
///
/// # Errors
/// Only if the database fails.
pub async fn imports_at_work(app: &App) -> anyhow::Result<Vec<(String, (u32, u32))>> {
    let mut found = Vec::new();
    for job in outbox::at_work(app, outbox::IMPORT_RUN).await.map_err(told)? {
        let caller = Caller::operator(app.clone(), job.organization_id);
        let import: Result<_> = async {
            caller
                .view(Action::ImportRead)
                .await?
                .seek::<Entity>(&job.argument)
                .await
        }
        .await;
        caller.release().await;
        let count = |number: i32| u32::try_from(number).unwrap_or(0);
        if let Some(import) = import.map_err(told)? {
            found.push((job.argument, (count(import.done_count), count(import.row_count))));
        }
    }
    Ok(found)
}

/// Whether an import waits that will be due in a moment.
///
/// # Errors
/// Only if the database fails.
pub async fn is_import_due_soon(app: &App) -> anyhow::Result<bool> {
    let soon = Timestamp(app.clock.now().0 + SOON);
    outbox::is_due_by(app, outbox::IMPORT_RUN, soon).await.map_err(told)
}

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
