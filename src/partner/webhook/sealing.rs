//! The secrets of webhooks, for whoever replaces the keys that they are sealed under.

use futures_util::future::FutureExt as _;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid};

use super::hook::{Column, Entity, Model, cell};
use crate::kernel::{
    Result, Tx, WebhookId,
    seal::{Keychain, Passed, Purpose, ROWS, Sealing, reseal},
};

/// Where webhooks keep their secrets.
pub const SEALING: Sealing = Sealing {
    purpose: Purpose::WebhookSecret,
    pass: |tx, keys, after| pass(tx, keys, after).boxed(),
};

async fn pass(tx: &Tx, keys: &Keychain, after: Option<Uuid>) -> Result<Passed> {
    let after = Column::Id.gt(WebhookId(after.unwrap_or_default()));
    let rows = tx.select::<Entity>().filter(after).order_by_asc(Column::Id);
    let rows = rows.limit(ROWS).all().await?;
    let renewed = |row: &Model| {
        let (cell, random) = (cell(&row.id), &tx.app().random);
        let secret = keys.renewed(random, &cell, &row.secret)?;
        let previous = row.previous_secret.as_ref();
        let previous = previous.map(|secret| keys.renewed(random, &cell, secret)).transpose()?;
        if secret.is_none() && previous.as_ref().is_none_or(Option::is_none) {
            return Ok(None);
        }
        let mut after = row.clone();
        after.secret = secret.unwrap_or(after.secret);
        after.previous_secret = previous.flatten().or(after.previous_secret);
        Ok(Some(after))
    };
    reseal::<Entity>(tx, rows, |row| row.id.0, renewed).await
}
