//! The keys of extractions' files, and what they are made by, for whoever replaces the keys that they are sealed under. The
//! files themselves stay as they are.

use futures_util::future::FutureExt as _;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid};

use super::{
    entity::{Column, Entity, Model},
    file::{asked_cell, key_cell},
};
use crate::kernel::{
    ExtractionId, Result, Tx,
    seal::{Keychain, Passed, Purpose, ROWS, Sealing},
};

/// Where extractions keep what is sealed.
pub const SEALING: Sealing = Sealing {
    purpose: Purpose::File,
    pass: |tx, keys, after| pass(tx, keys, after).boxed(),
};

async fn pass(tx: &Tx, keys: &Keychain, after: Option<Uuid>) -> Result<Passed> {
    let after = Column::Id.gt(ExtractionId(after.unwrap_or_default()));
    let rows = tx.select::<Entity>().filter(after).order_by_asc(Column::Id);
    let rows = rows.limit(ROWS).all().await?;
    let mut passed = Passed {
        last: rows.last().map(|row| row.id.0),
        ..Passed::default()
    };
    let mut renewed = Vec::new();
    for row in rows {
        let mut after = row.clone();
        under_newest(tx, keys, &mut after, &mut passed);
        if after != row {
            renewed.push((row, after));
        }
    }
    tx.reseal::<Entity>(renewed).await?;
    Ok(passed)
}

/// Puts a row's values under the newest key, as far as they open.
fn under_newest(tx: &Tx, keys: &Keychain, row: &mut Model, passed: &mut Passed) {
    let id = row.id;
    let values = [(key_cell(&id), &mut row.file_key), (asked_cell(&id), &mut row.asked)];
    for (cell, value) in values {
        let Some(sealed) = value else { continue };
        match keys.renewed(&tx.app().random, &cell, sealed) {
            Ok(None) => {}
            Ok(Some(anew)) => {
                *sealed = anew;
                passed.resealed += 1;
            }
            Err(_) => passed.broken += 1,
        }
    }
}
