//! What somebody who is signed in may do: in one statement, whether his session or key still holds and what he is now. It is
//! asked when a request begins, and again inside each write, where nobody can take it from him any more.

use futures_util::future::BoxFuture;
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, FromQueryResult, IdenStatic, Iterable, JoinType, QueryFilter, QueryResult,
    QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    admin, agent,
    kernel::{Actor, App, MemberId, Reader, Result, SessionId, SignedIn, constant::Constant, reader::Scoped},
    member::{
        self, second_factor,
        session::{self, Lifetime},
    },
    organization::{self, Organization},
    partner, pii,
};

/// A member by one of his sessions, and his organization, which nearly every request asks for next; `None` where the
/// session or the member is no more.
///
/// # Errors
/// Only if the database fails.
pub async fn of(app: &App, reader: &Reader, who: (MemberId, SessionId)) -> Result<Option<(SignedIn, Organization)>> {
    let found = check(reader, who).await?;
    let found = found.filter(|found| found.lifetime.holds(app.clock.now(), session::idle_limit(app)));
    Ok(found.map(|found| (found.member, found.organization)))
}

/// [`of`] as the kernel's door for changing asks it.
///
/// # Errors
/// Only if the database fails.
pub fn again<'r>(app: &'r App, reader: &'r Reader, then: &'r Actor) -> BoxFuture<'r, Result<Option<Actor>>> {
    Box::pin(async move {
        match then {
            Actor::Member(then) => {
                let now = of(app, reader, (then.member_id, then.session_id)).await?;
                Ok(now.map(|(member, _)| Actor::Member(member)))
            }
            Actor::Key(then) => partner::standing(reader, app.clock.now(), then).await,
            Actor::Nobody | Actor::System(_) | Actor::Operator => Ok(Some(then.clone())),
        }
    })
}

/// What one row tells.
struct Found {
    member: SignedIn,
    lifetime: Lifetime,
    organization: Organization,
}

impl FromQueryResult for Found {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        let has_second_factor: bool = row.try_get(prefix, "has_second_factor")?;
        let needs_second_factor: bool = row.try_get(prefix, "needs_second_factor")?;
        Ok(Self {
            member: SignedIn {
                member_id: row.try_get(prefix, "member_id")?,
                session_id: row.try_get(prefix, "session_id")?,
                login: row.try_get(prefix, "login")?,
                name: row.try_get(prefix, "name")?,
                is_owner: row.try_get(prefix, "is_owner")?,
                is_administrator: row.try_get(prefix, "is_administrator")?,
                is_manager: row.try_get(prefix, "is_manager")?,
                has_second_factor,
                must_enroll: needs_second_factor && !has_second_factor,
                confirmed_at: row.try_get(prefix, "confirmed_at")?,
            },
            lifetime: Lifetime {
                used_at: row.try_get(prefix, "used_at")?,
                expires_at: row.try_get(prefix, "expires_at")?,
                ended_at: row.try_get(prefix, "ended_at")?,
            },
            organization: Organization::from_query_result(row, "organization_")?,
        })
    }
}

/// Whether a column names the member of the session.
fn same<C: ColumnTrait>(member: C) -> Expr {
    Expr::col(member.as_column_ref()).eq(Expr::col((session::Entity, session::Column::MemberId)))
}

async fn check(reader: &Reader, (member_id, session_id): (MemberId, SessionId)) -> Result<Option<Found>> {
    static STATEMENT: Constant = Constant::new();
    let ids = [member_id.0, session_id.0];
    let found = reader.constant::<_, Found>(&STATEMENT, ids, || statement(reader, (member_id, session_id)));
    Ok(found.await?.into_iter().next())
}

/// What asks for the row of a member by one of his sessions.
fn statement(reader: &Reader, (member_id, session_id): (MemberId, SessionId)) -> Scoped<'_, session::Entity> {
    let member = session::Entity::belongs_to(member::Entity)
        .from((session::Column::OrganizationId, session::Column::MemberId))
        .to((member::Column::OrganizationId, member::Column::Id));
    let administrator = session::Entity::belongs_to(admin::Entity)
        .from((session::Column::OrganizationId, session::Column::MemberId))
        .to((admin::Column::OrganizationId, admin::Column::MemberId));
    let organization = session::Entity::belongs_to(organization::Entity)
        .from(session::Column::OrganizationId)
        .to(organization::Column::Id);
    let is_administrator = Expr::col((admin::Entity, admin::Column::MemberId)).is_not_null();
    let is_manager = Expr::exists(reader.related::<agent::Entity>(|places| {
        agent::managing(reader, places, Expr::col((session::Entity, session::Column::MemberId)));
    }));
    let has_second_factor = Expr::exists(reader.related::<second_factor::Entity>(|factor| {
        factor
            .and_where(same(second_factor::Column::MemberId))
            .and_where(second_factor::Column::ActivatedAt.is_not_null());
    }));
    let holds_grant = Expr::exists(reader.related::<pii::Entity>(|grant| {
        grant
            .and_where(same(pii::Column::MemberId))
            .and_where(pii::Column::Status.eq(pii::Status::Active));
    }));
    // The organization demands one, of everybody or of him, or the password is good beside one only.
    let demand = |column| Expr::col((organization::Entity, column));
    let needs_second_factor = demand(organization::Column::RequiresSecondFactor)
        .or(demand(organization::Column::RequiresSecondFactorForPii).and(holds_grant))
        .or(Expr::col((member::Entity, member::Column::HasShortPassword)));
    let mut select = reader
        .select::<session::Entity>()
        .select_only()
        .column_as(session::Column::Id, "session_id")
        .columns([
            session::Column::MemberId,
            session::Column::ConfirmedAt,
            session::Column::UsedAt,
        ])
        .columns([session::Column::ExpiresAt, session::Column::EndedAt])
        .columns([member::Column::Login, member::Column::Name, member::Column::IsOwner])
        .column_as(is_administrator, "is_administrator")
        .column_as(is_manager, "is_manager")
        .column_as(has_second_factor, "has_second_factor")
        .column_as(needs_second_factor, "needs_second_factor")
        .join(JoinType::InnerJoin, member.into())
        .join(JoinType::LeftJoin, administrator.into())
        .join(JoinType::InnerJoin, organization.into())
        .filter(session::Column::Id.eq(session_id))
        .filter(session::Column::MemberId.eq(member_id))
        .filter(member::Column::Status.eq(member::Status::Active));
    for column in organization::Column::iter() {
        select = select.column_as(column, format!("organization_{}", column.as_str()));
    }
    select
}
