//! Members by their IDs, for what refers to them: in one statement for all of a page.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use sea_orm::{ColumnTrait, QueryFilter};

use super::entity::{Column, Entity, Model};
use crate::kernel::{Batch, Error, MemberId, Result, View};

/// The question for a member, whether or not he has left.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ById(pub MemberId);

impl Loader<ById> for Batch {
    type Value = Model;
    type Error = String;

    async fn load(&self, keys: &[ById]) -> std::result::Result<HashMap<ById, Model>, String> {
        let ids = keys.iter().map(|key| key.0);
        let rows = self.select::<Entity>().filter(Column::Id.is_in(ids)).all().await;
        let rows = rows.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().map(|row| (ById(row.id), row)).collect())
    }
}

/// The member of this ID.
///
/// # Errors
/// Only if the database fails.
pub async fn by_id(view: &View, id: MemberId) -> Result<Option<Model>> {
    view.loader.load_one(ById(id)).await.map_err(Error::internal)
}

/// Asks for the members of a page at once, so that none of them is asked for alone.
///
/// # Errors
/// Only if the database fails.
pub async fn prefetch(view: &View, ids: impl Iterator<Item = MemberId>) -> Result<()> {
    view.loader.load_many(ids.map(ById)).await.map_err(Error::internal)?;
    Ok(())
}
