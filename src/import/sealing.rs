//! The keys of imports' files, for whoever replaces those that they are sealed under. The files themselves stay as they are.

use futures_util::future::FutureExt as _;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid};

use super::{
    entity::{Column, Entity, Model},
    file::cell,
};
use crate::kernel::{
    ImportId, Result, Tx,
    seal::{Keychain, Passed, Purpose, ROWS, Sealing, reseal},
};

/// Where imports keep the keys of their files.
pub const SEALING: Sealing = Sealing {
    purpose: Purpose::File,
    pass: |tx, keys, after| pass(tx, keys, after).boxed(),
};

async fn pass(tx: &Tx, keys: &Keychain, after: Option<Uuid>) -> Result<Passed> {
    let after = Column::Id.gt(ImportId(after.unwrap_or_default()));
    let rows = tx.select::<Entity>().filter(after).order_by_asc(Column::Id);
    let rows = rows.limit(ROWS).all().await?;
    let renewed = |row: &Model| {
        let sealed = keys.renewed(&tx.app().random, &cell(&row.id), &row.file_key)?;
        Ok(sealed.map(|file_key| Model {
            file_key,
            ..row.clone()
        }))
    };
    reseal::<Entity>(tx, rows, |row| row.id.0, renewed).await
}
