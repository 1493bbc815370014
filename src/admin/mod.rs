//! 조직관리자: the members who may use this menu beside the owner, and what these do with other members.

mod entity;
pub mod graphql;
mod input;
pub mod rank;
mod rules;

use std::collections::{HashMap, HashSet};

use async_graphql::dataloader::Loader;
use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    kernel::{Batch, Code, Error, MemberId, Problem, Reader, Result, Tx, View},
    member,
};

pub use entity::{Column, Entity, Model};

/// How many administrators an organization can have.
pub const MOST: u64 = 100;

/// Makes a member an organization administrator.
///
/// # Errors
/// `LIMIT_REACHED`; if the database refuses it.
pub async fn add(tx: &Tx, member_id: MemberId) -> Result<Model> {
    if tx.select::<Entity>().count().await? >= MOST {
        return Err(Problem::of(Code::LimitReached).with("max", MOST).into());
    }
    tx.create::<Entity>(Model {
        organization_id: tx.organization_id(),
        member_id,
        added_by: tx.actor().member().map(|actor| actor.member_id),
        added_at: tx.now(),
    })
    .await
}

/// Takes the role of an organization administrator away.
///
/// # Errors
/// `LAST_ADMINISTRATOR` at `id` if nobody would be left to look after the organization.
async fn take_away(tx: &Tx, role: Model) -> Result<()> {
    let owner = tx
        .select::<member::Entity>()
        .filter(member::Column::IsOwner.eq(true))
        .filter(member::Column::Status.eq(member::Status::Active));
    if owner.one().await?.is_none() && tx.select::<Entity>().count().await? <= 1 {
        return Err(Problem::at("id", Code::LastAdministrator).into());
    }
    tx.delete::<Entity>(role).await
}

/// Takes the role from a member who leaves.
pub fn depart(tx: &Tx, member: MemberId) -> BoxFuture<'_, Result<()>> {
    async move {
        match of_member(tx, member).await? {
            Some(role) => take_away(tx, role).await,
            None => Ok(()),
        }
    }
    .boxed()
}

/// The member's role as organization administrator, if he has it.
///
/// # Errors
/// Only if the database fails.
pub async fn of_member(reader: &Reader, member: MemberId) -> Result<Option<Model>> {
    reader
        .select::<Entity>()
        .filter(Column::MemberId.eq(member))
        .one()
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
        let rows = self.select::<Entity>().among(Column::MemberId, ids).all().await;
        let found: HashSet<_> = rows
            .map_err(|error| format!("{error:?}"))?
            .into_iter()
            .map(|row| row.member_id)
            .collect();
        Ok(keys.iter().map(|key| (*key, found.contains(&key.0))).collect())
    }
}
