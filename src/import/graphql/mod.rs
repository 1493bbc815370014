//! What the API says of imports.

mod list;
mod one;

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    entity::{Entity, Model},
    rules::{self, ImportConfirmInput, ImportDeleteInput, ImportUndoInput, ImportUploadInput},
    undo,
};
use crate::kernel::{
    Action, Caller, On, Result,
    payload::{payload, settle, user_errors},
};

pub use list::{ImportConnection, ImportEdge, ImportFilter, ImportQuery};
pub use one::{ImportRefusal, ImportTime, Job, JobState};

user_errors! { ImportUserError, ImportErrorCode, "an import", {
    /// The file is larger than 20 MB.
    FileTooLarge,
    /// The file is no workbook of Excel.
    FileNotWorkbook,
    /// The service is not in use.
    ServiceNotInUse,
    /// The service has been terminated.
    ServiceTerminated,
    /// The cautions have to be agreed to.
    CautionsNotAgreed,
    /// The file is still being looked through, can't be imported, or was confirmed already.
    ImportNotChecked,
    /// Rows have something wrong, and the policy does not leave them out; or every row has.
    ImportHasProblems,
    /// It was not confirmed within an hour.
    ImportExpired,
    /// It has begun, was given up, or was never confirmed.
    ImportNotReserved,
    /// It has brought nothing, or that was taken away already.
    ImportNotDone,
    /// It was over more than 7 days ago.
    ImportUndoTooLate,
    /// The same file was imported into the service, or waits to be.
    ImportRepeated,
} }

payload! { ImportUploadPayload, "importUpload", ImportUserError, {
    /// The import, whose file is looked through from now on; null where there are user errors.
    import: Model,
} }
payload! { ImportConfirmPayload, "importConfirm", ImportUserError, {
    /// The import as it is now, also where it was not confirmed; null where there is none.
    import: Model,
} }
payload! { ImportDeletePayload, "importDelete", ImportUserError, {
    /// The import as it is now, also where it was not given up; null where there is none.
    import: Model,
} }

payload! { ImportUndoPayload, "importUndo", ImportUserError, {
    /// The import as it is now, also where it was not undone; null where there is none.
    import: Model,
} }

/// Imports, to change.
#[derive(Debug, Default)]
pub struct ImportMutation;

#[Object]
impl ImportMutation {
    /// 업로드: takes a file of tickets in. It is looked through at once, and imported only once it was confirmed. Needs `IMPORT_UPLOAD`.
    async fn import_upload(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The file, and into which service.")] input: ImportUploadInput,
    ) -> Result<ImportUploadPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (import, problems) = settle(rules::upload(caller, &input).await)?;
        Ok(ImportUploadPayload {
            import,
            user_errors: ImportUserError::all(problems)?,
        })
    }

    /// 확인: has a file that was looked through imported at 01:00 of the next day. Needs `IMPORT_CONFIRM`.
    async fn import_confirm(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The import's ID.")] id: ID,
        #[graphql(desc = "That the cautions were read, and what becomes of rows that have something wrong.")]
        input: ImportConfirmInput,
    ) -> Result<ImportConfirmPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::confirm(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::ImportConfirm, &On(&id, &input), deed).await)?;
        Ok(ImportConfirmPayload {
            import: as_it_is(caller, done, &id).await?,
            user_errors: ImportUserError::all(problems)?,
        })
    }

    /// 삭제: gives up an import that waits for its night. One that has begun can't be. Needs `IMPORT_DELETE`.
    async fn import_delete(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The import's ID.")] id: ID,
        #[graphql(desc = "How.")] input: ImportDeleteInput,
    ) -> Result<ImportDeletePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::delete(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::ImportDelete, &On(&id, &input), deed).await)?;
        Ok(ImportDeletePayload {
            import: as_it_is(caller, done, &id).await?,
            user_errors: ImportUserError::all(problems)?,
        })
    }

    /// 취소: takes away again what an import has brought, within 7 days of its end. Tickets that people have changed since stay: `keptCount` tells how many, and the report which. Needs `IMPORT_UNDO` and a recent `sessionConfirm`.
    async fn import_undo(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The import's ID.")] id: ID,
        #[graphql(desc = "How.")] input: ImportUndoInput,
    ) -> Result<ImportUndoPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| undo::undo(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::ImportUndo, &On(&id, &input), deed).await)?;
        Ok(ImportUndoPayload {
            import: as_it_is(caller, done, &id).await?,
            user_errors: ImportUserError::all(problems)?,
        })
    }
}

/// What was done, or where nothing was, the import as it is.
async fn as_it_is(caller: &Caller, done: Option<Model>, id: &str) -> Result<Option<Model>> {
    match done {
        Some(import) => Ok(Some(import)),
        None => caller.view(Action::ImportRead).await?.seek::<Entity>(id).await,
    }
}
