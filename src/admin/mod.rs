//! 조직관리자: the members who may use this menu beside the owner.

mod entity;

use std::collections::{HashMap, HashSet};

use async_graphql::dataloader::Loader;
use sea_orm::{ColumnTrait, QueryFilter};

use crate::kernel::{Batch, Error, MemberId, Result, Tx, View};

pub use entity::{Column, Entity, Model};

/// Makes a member an organization administrator.
///
/// # Errors
/// If the database refuses it.
pub async fn add(tx: &Tx, member_id: MemberId) -> Result<Model> {
    tx.create::<Entity>(Model {
        organization_id: tx.organization_id(),
        member_id,
        added_at: tx.now(),
    })
    .await
}

/// Whether the member is an organization administrator.
///
/// # Errors
/// Only if the database fails.
pub async fn is_administrator(view: &View, member: MemberId) -> Result<bool> {
    Ok(view
        .loader
        .load_one(Membership(member))
        .await
        .map_err(Error::internal)?
        .unwrap_or(false))
}

/// Asks for the members of a page at once, so that none of them asks alone.
///
/// # Errors
/// Only if the database fails.
pub async fn prefetch(view: &View, members: impl Iterator<Item = MemberId>) -> Result<()> {
    view.loader
        .load_many(members.map(Membership))
        .await
        .map_err(Error::internal)?;
    Ok(())
}

/// The question whether a member is an administrator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Membership(pub MemberId);

impl Loader<Membership> for Batch {
    type Value = bool;
    type Error = String;

    async fn load(&self, keys: &[Membership]) -> std::result::Result<HashMap<Membership, bool>, String> {
        let ids = keys.iter().map(|key| key.0);
        let rows = self.select::<Entity>().filter(Column::MemberId.is_in(ids)).all().await;
        let found: HashSet<_> = rows
            .map_err(|error| format!("{error:?}"))?
            .into_iter()
            .map(|row| row.member_id)
            .collect();
        Ok(keys.iter().map(|key| (*key, found.contains(&key.0))).collect())
    }
}
