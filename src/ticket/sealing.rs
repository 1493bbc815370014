//! The sealed values of tickets, for whoever replaces their keys: those of fields that were removed among them.

use std::collections::HashMap;

use futures_util::future::FutureExt as _;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid};

use super::{
    entity::{Column, Entity, Model},
    filled::cell,
};
use crate::{
    field,
    kernel::{
        FieldId, Result, ServiceId, TicketId, Tx,
        seal::{Keychain, Passed, Purpose, ROWS, Sealing},
    },
};

/// Where tickets keep sealed values.
pub const SEALING: Sealing = Sealing {
    purpose: Purpose::FieldValue,
    pass: |tx, keys, after| pass(tx, keys, after).boxed(),
};

/// The fields that sealed values can be of, by service and code: a code is never given twice.
type Fields = HashMap<(ServiceId, String), FieldId>;

async fn pass(tx: &Tx, keys: &Keychain, after: Option<Uuid>) -> Result<Passed> {
    let after = Column::Id.gt(TicketId(after.unwrap_or_default()));
    let rows = tx.select::<Entity>().filter(after).order_by_asc(Column::Id);
    let rows = rows.limit(ROWS).all().await?;
    let mut passed = Passed {
        last: rows.last().map(|row| row.id.0),
        ..Passed::default()
    };
    if rows.is_empty() {
        return Ok(passed);
    }
    let fields = tx.select::<field::Entity>().all().await?;
    let fields: Fields = fields
        .into_iter()
        .map(|field| ((field.service_id, field.code), field.id))
        .collect();
    let mut renewed = Vec::new();
    for row in rows {
        let after = under_newest(tx, keys, &fields, &row, &mut passed);
        if after != row {
            renewed.push((row, after));
        }
    }
    tx.reseal::<Entity>(renewed).await?;
    Ok(passed)
}

/// A ticket with its values under the newest key, as far as they open.
fn under_newest(tx: &Tx, keys: &Keychain, fields: &Fields, row: &Model, passed: &mut Passed) -> Model {
    let mut after = row.clone();
    for code in row.sealed.codes() {
        let field = fields.get(&(row.service_id, code.to_owned()));
        let (Some(field), Some(sealed)) = (field, row.sealed.get(code)) else {
            passed.broken += 1;
            continue;
        };
        let column = field.to_string();
        match keys.renewed(&tx.app().random, &cell(&column, &row.id), &sealed) {
            Ok(None) => {}
            Ok(Some(sealed)) => {
                after.sealed.set(code, Some(&sealed));
                passed.resealed += 1;
            }
            Err(_) => passed.broken += 1,
        }
    }
    after
}
