//! The lists of members that were searched for, and of organization administrators.

use std::sync::Arc;

use async_graphql::Context;
use sea_orm::{QueryOrder, QuerySelect};

use super::actions;
use crate::{
    admin::{self, Column, Entity, MOST, Model},
    kernel::{
        Action, Caller, Error, Page, PageRequest, Result, View,
        page::{self, Cursors, Direction, Part},
    },
    member::{
        self, Member, Status,
        graphql::{MemberConnection, selects},
        search::{self, ById, MemberSearch},
    },
};

/// A page of the members that were searched for, by name.
pub(super) async fn found(
    context: &Context<'_>,
    request: PageRequest,
    search: &MemberSearch,
) -> Result<MemberConnection> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::MemberRead).await?;
    let is_administrators = caller.may(Action::OrganizationRead);
    if !is_administrators && search.states().contains(&Status::Left) {
        return Err(Error::Forbidden(Action::OrganizationRead));
    }
    let select = || search::narrowed(view.select::<member::Entity>(), search, is_administrators);
    let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "members by name");
    let place = |row: &Member| [Part::Text(row.name_key.clone()), Part::Id(row.id.0)];
    let columns = [member::Column::NameKey, member::Column::Id];
    let page = page::read(select()?, columns, Direction::Asc, &request, &cursors, place).await?;
    let total = match context.look_ahead().field("totalCount").exists() {
        true if page.is_whole() => page.edges.len() as u64,
        true => select()?.count().await?,
        false => 0,
    };
    prefetch_asked(context, &view, &page).await?;
    Ok(MemberConnection::of(page, total))
}

/// Fetches for a whole page of members what the query asks of each.
pub(crate) async fn prefetch_asked(context: &Context<'_>, view: &View, page: &Page<Member>) -> Result<()> {
    let asks = |field: &str| ["nodes", "edges.node"].iter().any(|path| selects(context, path, field));
    let members = || page.edges.iter().map(|(_, member)| member.id);
    if asks("roles") || asks("actions") {
        admin::prefetch(view, members()).await?;
    }
    if asks("actions") {
        actions::prefetch(view, members()).await?;
    }
    Ok(())
}

/// Every organization administrator, in the order of their becoming one.
pub(crate) async fn admins(context: &Context<'_>) -> Result<Vec<Model>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::OrganizationRead).await?;
    let all = view
        .select::<Entity>()
        .order_by_asc(Column::AddedAt)
        .order_by_asc(Column::MemberId);
    let admins = all.limit(Some(MOST)).all().await?;
    let named: Vec<_> = admins.iter().map(|admin| admin.member_id).collect();
    let named = [named, admins.iter().filter_map(|admin| admin.added_by).collect()].concat();
    let asks = |field: &str| ["member", "addedBy"].iter().any(|path| selects(context, path, field));
    if ["member", "addedBy"]
        .iter()
        .any(|field| context.look_ahead().field(field).exists())
    {
        let known = view.loader.load_many(named.iter().copied().map(ById));
        known.await.map_err(Error::internal)?;
    }
    if asks("roles") || asks("actions") {
        admin::prefetch(&view, named.iter().copied()).await?;
    }
    if asks("actions") {
        actions::prefetch(&view, named.iter().copied()).await?;
    }
    Ok(admins)
}

/// A member whom a row names.
pub(super) async fn member(context: &Context<'_>, who: ById) -> Result<Option<Member>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::OrganizationRead).await?;
    view.loader.load_one(who).await.map_err(Error::internal)
}
