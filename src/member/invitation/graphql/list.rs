//! The list of invitations: its filter, its order and its pages.

use std::sync::Arc;

use async_graphql::{Context, Enum, InputObject};
use sea_orm::{
    ColumnTrait, Condition, QueryFilter,
    sea_query::{Expr, ExprTrait, Func},
};

use crate::{
    admin,
    kernel::{
        Action, Caller, Error, MemberId, PageRequest, Result, Timestamp, View,
        page::{self, Cursors, Direction, Part, connection},
        reader::Scoped,
    },
    member::{
        graphql::selects,
        invitation::{
            entity::{Column, Entity, Model, State},
            mailing,
        },
        search::{ById, containing, text},
    },
};

/// Which invitations; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct InvitationFilter {
    /// In any of these states, at most 4; in any state where absent.
    pub state: Option<Vec<State>>,
    /// The name, login ID or e-mail address contains this, whatever the case; at most 100 characters. Addresses that the caller may not see are not searched.
    pub query: Option<String>,
}

/// What invitations are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum InvitationOrderField {
    /// When the person was invited.
    InvitedAt,
    /// When it stops, or stopped, being good.
    ExpiresAt,
}

/// The order of invitations.
#[derive(Debug, InputObject)]
pub struct InvitationOrder {
    /// What to sort by.
    pub field: InvitationOrderField,
    /// Which way.
    pub direction: Direction,
}

connection! { InvitationConnection, InvitationEdge, Model, "invitation", "invitations" }

/// A page of invitations, with what the query asks of each of them fetched for all at once.
pub(super) async fn invitation_page(
    context: &Context<'_>,
    request: PageRequest,
    filter: Option<InvitationFilter>,
    order: Option<InvitationOrder>,
) -> Result<InvitationConnection> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::MemberRead).await?;
    let filter = filter.unwrap_or_default();
    let (field, direction) = order.map_or((InvitationOrderField::InvitedAt, Direction::Desc), |order| {
        (order.field, order.direction)
    });
    let name = format!("invitations {field:?} {direction:?}");
    let cursors = Cursors::new(&caller.app().keys, view.organization_id(), &name);
    let (column, at): (_, fn(&Model) -> Timestamp) = match field {
        InvitationOrderField::InvitedAt => (Column::InvitedAt, |row| row.invited_at),
        InvitationOrderField::ExpiresAt => (Column::ExpiresAt, |row| row.expires_at),
    };
    let place = |row: &Model| [Part::Instant(at(row)), Part::Id(row.id.0)];
    let select = || narrowed(view.select::<Entity>(), &filter, caller);
    let page = page::read(select()?, [column, Column::Id], direction, &request, &cursors, place).await?;
    let total = match context.look_ahead().field("totalCount").exists() {
        true if page.is_whole() => page.edges.len() as u64,
        true => select()?.count().await?,
        false => 0,
    };
    let rows: Vec<_> = page.edges.iter().map(|(_, row)| row).collect();
    prefetch(context, &view, &rows).await?;
    Ok(InvitationConnection::of(page, total))
}

async fn prefetch(context: &Context<'_>, view: &View, rows: &[&Model]) -> Result<()> {
    let asks = |field: &str| ["nodes", "edges.node"].iter().any(|path| selects(context, path, field));
    if ["mailings", "delivery"].iter().any(|field| asks(field)) {
        mailing::prefetch(view, rows.iter().copied()).await?;
    }
    if !asks("invitedBy") && !asks("member") {
        return Ok(());
    }
    let mut people: Vec<MemberId> = Vec::new();
    for row in rows {
        people.extend(row.invited_by);
        people.extend(row.member_id);
    }
    if asks("invitedBy.roles") || asks("member.roles") {
        admin::prefetch(view, people.iter().copied()).await?;
    }
    let people = people.into_iter().map(ById);
    view.loader.load_many(people).await.map_err(Error::internal)?;
    Ok(())
}

fn narrowed<'v>(
    mut select: Scoped<'v, Entity>,
    filter: &InvitationFilter,
    caller: &Caller,
) -> Result<Scoped<'v, Entity>> {
    if let Some(states) = &filter.state {
        if states.len() > 4 {
            return Err(Error::BadInput(
                "A filter's list of states has at most 4 values.".into(),
            ));
        }
        let any = states.iter().map(|state| is_in(*state, caller.now()));
        select = select.filter(any.fold(Condition::any().add(Expr::value(false)), Condition::add));
    }
    if let Some(text) = text(&filter.query)? {
        let like = |column: Expr| column.like(containing(&text));
        let named = Condition::any()
            .add(like(Expr::col(Column::NameKey)))
            .add(like(Expr::col(Column::Login)));
        let addressed = Condition::all()
            .add(like(Expr::expr(Func::lower(Expr::col(Column::Email)))))
            .add(are_addresses_seen(caller));
        select = select.filter(named.add(addressed));
    }
    Ok(select)
}

/// Nobody finds an address letter by letter that he may not see; see [`Model::is_address_seen`].
fn are_addresses_seen(caller: &Caller) -> Condition {
    let own = caller.actor().member().map(|member| member.member_id);
    match own {
        _ if caller.may(Action::OrganizationRead) => Condition::all(),
        Some(own) => Condition::all().add(Column::InvitedBy.eq(own)),
        None => Condition::all().add(Expr::value(false)),
    }
}

/// Whether an invitation is in a state at `now`; see [`Model::state_at`].
fn is_in(state: State, now: Timestamp) -> Condition {
    let written = Condition::all().add(Column::State.eq(state));
    let is_over = Column::ExpiresAt.lte(now);
    match state {
        State::Pending => written.add(Column::ExpiresAt.gt(now)),
        State::Expired => Condition::any()
            .add(written)
            .add(Condition::all().add(Column::State.eq(State::Pending)).add(is_over)),
        State::Accepted | State::Revoked => written,
    }
}
