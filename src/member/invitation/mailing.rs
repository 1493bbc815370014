//! One sending of an invitation's letter: to which address, how far it is, and the hash of the link's token.

use std::collections::HashMap;

use async_graphql::{Enum, dataloader::Loader};
use sea_orm::{Condition, QueryFilter, QueryOrder, entity::prelude::*};
use serde::Serialize;

use super::entity;
use crate::kernel::{
    Batch, Error, InvitationId, OrganizationId, Reader, Result, Timestamp, View, record::part, secret::SecretBytes,
};

/// How many mailings of an invitation are shown: the newest.
const SHOWN: i32 = 20;

/// How far a letter is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "Delivery")]
pub enum Delivery {
    /// It is to be sent; after a failed attempt, again.
    Queued,
    /// The mail server took it.
    Sent,
    /// The mail server refused it for good: the address is likely wrong.
    Bounced,
    /// It was not sent, and will not be: it failed too often, or was not needed any more.
    Failed,
}

/// One sending of an invitation's letter.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "invitation_mailing")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub invitation_id: InvitationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub email: String,
    pub requested_at: Timestamp,
    pub delivery: Delivery,
    /// A code, never data.
    pub delivery_failure: Option<String>,
    pub sent_at: Option<Timestamp>,
    pub token_hash: Option<SecretBytes>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "invitation letter", key: |row| format!("{}/{}", row.invitation_id, row.number) }

/// One mailing by its number.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn find(reader: &Reader, invitation: &entity::Model, number: i32) -> Result<Option<Model>> {
    let own = reader
        .select::<Entity>()
        .filter(Column::InvitationId.eq(invitation.id))
        .filter(Column::Number.eq(number));
    own.one().await
}

/// The question for an invitation's newest mailings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Newest {
    invitation: InvitationId,
    last: i32,
}

impl Newest {
    fn of(invitation: &entity::Model) -> Self {
        Self {
            invitation: invitation.id,
            last: invitation.mailing,
        }
    }
}

impl Loader<Newest> for Batch {
    type Value = Vec<Model>;
    type Error = String;

    async fn load(&self, keys: &[Newest]) -> std::result::Result<HashMap<Newest, Vec<Model>>, String> {
        let shown = |key: &Newest| {
            Condition::all()
                .add(Column::InvitationId.eq(key.invitation))
                .add(Column::Number.gt(key.last - SHOWN))
        };
        let any = keys.iter().map(shown).fold(Condition::any(), Condition::add);
        let rows = self.select::<Entity>().filter(any).order_by_desc(Column::Number);
        let rows = rows.all().await.map_err(|error| format!("{error:?}"))?;
        let mut found: HashMap<InvitationId, Vec<Model>> = HashMap::new();
        for row in rows {
            found.entry(row.invitation_id).or_default().push(row);
        }
        let of = |key: &Newest| (*key, found.remove(&key.invitation).unwrap_or_default());
        Ok(keys.iter().map(of).collect())
    }
}

/// The newest mailings of an invitation, the newest first, at most 20.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn newest(view: &View, invitation: &entity::Model) -> Result<Vec<Model>> {
    let found = view.loader.load_one(Newest::of(invitation)).await;
    Ok(found.map_err(Error::internal)?.unwrap_or_default())
}

/// Asks for the mailings of a page's invitations at once, so that none of them asks alone.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn prefetch(view: &View, invitations: impl Iterator<Item = &entity::Model>) -> Result<()> {
    let keys: Vec<_> = invitations.map(Newest::of).collect();
    view.loader.load_many(keys).await.map_err(Error::internal)?;
    Ok(())
}
