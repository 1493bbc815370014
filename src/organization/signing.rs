//! What partner systems sign with, for whoever replaces the keys that it is sealed under.

use futures_util::future::FutureExt as _;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid};

use super::{
    key::{Column, Entity, Model},
    key_text::signing_cell,
};
use crate::kernel::{
    KeyId, Result, Tx,
    seal::{Keychain, Passed, Purpose, ROWS, Sealing, reseal},
};

/// Where organization keys keep their signing secrets.
pub const SEALING: Sealing = Sealing {
    purpose: Purpose::KeySigning,
    pass: |tx, keys, after| pass(tx, keys, after).boxed(),
};

async fn pass(tx: &Tx, keys: &Keychain, after: Option<Uuid>) -> Result<Passed> {
    let after = Column::Id.gt(KeyId(after.unwrap_or_default()));
    let rows = tx.select::<Entity>().filter(after).order_by_asc(Column::Id);
    let rows = rows.limit(ROWS).all().await?;
    let renewed = |row: &Model| {
        let Some(secret) = &row.signing_secret else {
            return Ok(None);
        };
        let sealed = keys.renewed(&tx.app().random, &signing_cell(&row.id), secret)?;
        Ok(sealed.map(|sealed| Model {
            signing_secret: Some(sealed),
            ..row.clone()
        }))
    };
    reseal::<Entity>(tx, rows, |row| row.id.0, renewed).await
}
