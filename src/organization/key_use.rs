//! When and from where an organization key was last used: beside the key, so that its use does not change what
//! administrators edit. It is noted at most once a minute.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use chrono::Duration;
use sea_orm::{ColumnTrait, QueryFilter, entity::prelude::*};
use serde::Serialize;

use super::key;
use crate::kernel::{Batch, KeyId, OrganizationId, Outcome, Result, Timestamp, Tx, record::part};

/// How often at the most a use is noted.
const PAUSE: Duration = Duration::minutes(1);

/// The last use of a key that was noted.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "organization_key_use")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: KeyId,
    pub used_at: Timestamp,
    pub address: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "use of an organization key", key: |row| row.key_id.to_string() }

/// Whether a use at `now` is to be noted, where one was noted at that instant.
pub fn is_due(noted_at: Option<Timestamp>, now: Timestamp) -> bool {
    noted_at.is_none_or(|at| now.0 - at.0 >= PAUSE)
}

/// What noting comes to: nothing that anybody asks for again.
#[derive(Debug, Clone, Copy)]
pub struct Noted;

impl Outcome for Noted {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self)
    }
}

/// Notes that a key is used now, from where this deed comes, unless that was noted a moment ago.
///
/// # Errors
/// Only if the database fails.
pub async fn note(tx: &Tx, key: KeyId) -> Result<Noted> {
    let (now, address) = (tx.now(), tx.origin().address_text());
    let last = tx.select::<Entity>().filter(Column::KeyId.eq(key)).one().await?;
    match last {
        None => {
            let row = Model {
                organization_id: tx.organization_id(),
                key_id: key,
                used_at: now,
                address,
            };
            tx.create::<Entity>(row).await?;
        }
        Some(last) if is_due(Some(last.used_at), now) => {
            tx.update::<Entity>(last, |row| {
                row.used_at = now;
                row.address = address;
            })
            .await?;
        }
        Some(_) => {}
    }
    Ok(Noted)
}

/// The question for the keys that are live and not on their way out: the last of them is not revoked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Standing;

impl Loader<Standing> for Batch {
    type Value = Vec<KeyId>;
    type Error = String;

    async fn load(&self, _: &[Standing]) -> std::result::Result<HashMap<Standing, Vec<KeyId>>, String> {
        let now = self.app.clock.now();
        let rows = self.select::<key::Entity>().filter(key::Column::RevokedAt.is_null());
        let rows = rows.all().await.map_err(|error| format!("{error:?}"))?;
        let live = rows.into_iter().filter(|row| row.is_live(now)).map(|row| row.id);
        Ok(HashMap::from([(Standing, live.collect())]))
    }
}

/// The question for the last use of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UseOf(pub KeyId);

impl Loader<UseOf> for Batch {
    type Value = Model;
    type Error = String;

    async fn load(&self, keys: &[UseOf]) -> std::result::Result<HashMap<UseOf, Model>, String> {
        let rows = self
            .select::<Entity>()
            .among(Column::KeyId, keys.iter().map(|key| key.0));
        let rows = rows.all().await.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().map(|row| (UseOf(row.key_id), row)).collect())
    }
}
