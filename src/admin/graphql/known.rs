//! Members with all that the API says of them, for lists that name them.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use sea_orm::{
    ColumnTrait, DbErr, FromQueryResult, QueryResult, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::actions::HasFactor;
use crate::{
    admin::{self, Membership},
    kernel::{Batch, Error, MemberId, Reader, Result, View},
    member::{self, Member, search::ById, second_factor},
};

/// The question for a member with his role and second factor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Whole(MemberId);

/// A member with what he is and has.
#[derive(Clone, Debug)]
pub struct Known {
    member: Member,
    is_administrator: bool,
    has_factor: bool,
}

impl FromQueryResult for Known {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        Ok(Self {
            member: Member::from_query_result(row, prefix)?,
            is_administrator: row.try_get(prefix, "is_administrator")?,
            has_factor: row.try_get(prefix, "has_factor")?,
        })
    }
}

impl Loader<Whole> for Batch {
    type Value = Known;
    type Error = String;

    async fn load(&self, keys: &[Whole]) -> std::result::Result<HashMap<Whole, Known>, String> {
        let known = read(self, keys.iter().map(|key| key.0)).await;
        let known = known.map_err(|error| format!("{error:?}"))?.into_iter();
        Ok(known.map(|one| (Whole(one.member.id), one)).collect())
    }
}

/// Fetches members whom the rows of a page name, with their roles and what can be done with them: one statement for
/// those who are not known yet.
pub(crate) async fn fetch(view: &View, members: impl Iterator<Item = MemberId>) -> Result<()> {
    let known = view.loader.load_many(members.map(Whole)).await;
    let known: Vec<_> = known.map_err(Error::internal)?.into_values().collect();
    let roles = known
        .iter()
        .map(|one| (Membership(one.member.id), one.is_administrator));
    view.loader.feed_many(roles).await;
    let factors = known.iter().map(|one| (HasFactor(one.member.id), one.has_factor));
    view.loader.feed_many(factors).await;
    let members = known.into_iter().map(|one| (ById(one.member.id), one.member));
    view.loader.feed_many(members).await;
    Ok(())
}

async fn read(reader: &Reader, members: impl Iterator<Item = MemberId>) -> Result<Vec<Known>> {
    let own = || Expr::col((member::Entity, member::Column::Id));
    let is_administrator = Expr::exists(reader.related::<admin::Entity>(|role| {
        role.and_where(Expr::col((admin::Entity, admin::Column::MemberId)).eq(own()));
    }));
    let has_factor = Expr::exists(reader.related::<second_factor::Entity>(|factor| {
        factor
            .and_where(Expr::col((second_factor::Entity, second_factor::Column::MemberId)).eq(own()))
            .and_where(second_factor::Column::ActivatedAt.is_not_null());
    }));
    reader
        .select::<member::Entity>()
        .column_as(is_administrator, "is_administrator")
        .column_as(has_factor, "has_factor")
        .among(member::Column::Id, members)
        .rows()
        .await
}
