//! What somebody who is signed in may do: whether his session or key still holds and what he is now. It is asked when a
//! request begins, and again inside each write, where nobody can take it from him any more: in one statement, a short one
//! where his rights are known for the mark that his organization bears (`migration`, `RIGHTS`).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, FromQueryResult, IdenStatic, Iterable, JoinType, QueryFilter, QueryResult,
    QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use crate::{
    admin, agent,
    kernel::{
        Actor, App, MemberId, OrganizationId, Reader, Result, SessionId, SignedIn, constant::Constant, reader::Scoped,
    },
    member::{
        self, second_factor,
        session::{self, Lifetime},
    },
    organization::{self, Organization},
    partner, pii,
};

/// Of how many members the rights are known at most, on each server.
const MOST_KNOWN: usize = 8_192;

/// A member by one of his sessions, and his organization, which nearly every request asks for next; `None` where the
/// session or the member is no more.
///
/// # Errors
/// Only if the database fails.
pub async fn of(app: &App, reader: &Reader, who: (MemberId, SessionId)) -> Result<Option<(SignedIn, Organization)>> {
    let known = app.shelf.lasting::<KnownRights>();
    let then = known.get(reader.organization_id(), who.0);
    let found = match then {
        None => Box::pin(whole(reader, &known, who)).await?,
        Some((mark, rights)) => match brief(reader, who).await? {
            Some(visit) if visit.mark == mark => Some((visit, rights)),
            Some(_) => Box::pin(whole(reader, &known, who)).await?,
            None => None,
        },
    };
    let found = found.filter(|(visit, _)| visit.lifetime.holds(app.clock.now(), session::idle_limit(app)));
    Ok(found.map(|(visit, rights)| (signed_in(&visit, rights), visit.organization)))
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

/// A session and its organization, as they are now.
struct Visit {
    member_id: MemberId,
    session_id: SessionId,
    confirmed_at: crate::kernel::Timestamp,
    lifetime: Lifetime,
    organization: Organization,
    /// What the organization bears until the rights of one of its members change.
    mark: Mark,
}

/// `None` before the first change since there are marks.
type Mark = Option<Uuid>;

impl FromQueryResult for Visit {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        Ok(Self {
            member_id: row.try_get(prefix, "member_id")?,
            session_id: row.try_get(prefix, "session_id")?,
            confirmed_at: row.try_get(prefix, "confirmed_at")?,
            lifetime: Lifetime {
                used_at: row.try_get(prefix, "used_at")?,
                expires_at: row.try_get(prefix, "expires_at")?,
                ended_at: row.try_get(prefix, "ended_at")?,
            },
            organization: Organization::from_query_result(row, "organization_")?,
            mark: row.try_get(prefix, "rights_mark")?,
        })
    }
}

/// What a member is, as far as it follows from rows whose change changes the mark.
#[derive(Clone, Debug, FromQueryResult)]
struct Rights {
    login: String,
    name: String,
    is_owner: bool,
    is_administrator: bool,
    is_manager: bool,
    has_second_factor: bool,
    has_short_password: bool,
    holds_grant: bool,
}

/// The row that tells both.
struct Whole(Visit, Rights);

impl FromQueryResult for Whole {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        Ok(Self(
            Visit::from_query_result(row, prefix)?,
            Rights::from_query_result(row, prefix)?,
        ))
    }
}

/// The rights that were read last, each with the mark that the organization bore.
#[derive(Debug, Default)]
struct KnownRights(Mutex<HashMap<(OrganizationId, MemberId), (Mark, Rights)>>);

impl KnownRights {
    fn get(&self, organization: OrganizationId, member: MemberId) -> Option<(Mark, Rights)> {
        self.lock().get(&(organization, member)).cloned()
    }

    fn put(&self, visit: &Visit, rights: &Rights) {
        let mut known = self.lock();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        let whose = (visit.organization.id, visit.member_id);
        known.insert(whose, (visit.mark, rights.clone()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(OrganizationId, MemberId), (Mark, Rights)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signed_in(visit: &Visit, rights: Rights) -> SignedIn {
    // The organization demands one, of everybody or of him, or the password is good beside one only.
    let organization = &visit.organization;
    let needs_second_factor = organization.requires_second_factor
        || (organization.requires_second_factor_for_pii && rights.holds_grant)
        || rights.has_short_password;
    SignedIn {
        member_id: visit.member_id,
        session_id: visit.session_id,
        login: rights.login,
        name: rights.name,
        is_owner: rights.is_owner,
        is_administrator: rights.is_administrator,
        is_manager: rights.is_manager,
        has_second_factor: rights.has_second_factor,
        must_enroll: needs_second_factor && !rights.has_second_factor,
        confirmed_at: visit.confirmed_at,
    }
}

async fn brief(reader: &Reader, (member_id, session_id): (MemberId, SessionId)) -> Result<Option<Visit>> {
    static STATEMENT: Constant = Constant::new();
    let ids = [member_id.0, session_id.0];
    let make = || visit(reader, (member_id, session_id));
    Ok(reader.constant(&STATEMENT, ids, make).await?.into_iter().next())
}

async fn whole(
    reader: &Reader,
    known: &KnownRights,
    (member_id, session_id): (MemberId, SessionId),
) -> Result<Option<(Visit, Rights)>> {
    static STATEMENT: Constant = Constant::new();
    let ids = [member_id.0, session_id.0];
    let make = || with_rights(reader, visit(reader, (member_id, session_id)));
    let found = reader.constant(&STATEMENT, ids, make).await?.into_iter().next();
    Ok(found.map(|Whole(visit, rights)| {
        known.put(&visit, &rights);
        (visit, rights)
    }))
}

/// What asks for a member's session and its organization.
fn visit(reader: &Reader, (member_id, session_id): (MemberId, SessionId)) -> Scoped<'_, session::Entity> {
    let organization = session::Entity::belongs_to(organization::Entity)
        .from(session::Column::OrganizationId)
        .to(organization::Column::Id);
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
        .column_as(Expr::col((organization::Entity, "rights_mark")), "rights_mark")
        .join(JoinType::InnerJoin, organization.into())
        .filter(session::Column::Id.eq(session_id))
        .filter(session::Column::MemberId.eq(member_id));
    for column in organization::Column::iter() {
        select = select.column_as(column, format!("organization_{}", column.as_str()));
    }
    select
}

/// Whether a column names the member of the session.
fn same<C: ColumnTrait>(member: C) -> Expr {
    Expr::col(member.as_column_ref()).eq(Expr::col((session::Entity, session::Column::MemberId)))
}

/// The same with what the member is, if he belongs to the organization. Whatever this looks at, but for the session and the
/// organization, is one of the tables that change the mark.
fn with_rights<'r>(reader: &'r Reader, visit: Scoped<'r, session::Entity>) -> Scoped<'r, session::Entity> {
    let member = session::Entity::belongs_to(member::Entity)
        .from((session::Column::OrganizationId, session::Column::MemberId))
        .to((member::Column::OrganizationId, member::Column::Id));
    let administrator = session::Entity::belongs_to(admin::Entity)
        .from((session::Column::OrganizationId, session::Column::MemberId))
        .to((admin::Column::OrganizationId, admin::Column::MemberId));
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
    visit
        .columns([member::Column::Login, member::Column::Name, member::Column::IsOwner])
        .columns([member::Column::HasShortPassword])
        .column_as(is_administrator, "is_administrator")
        .column_as(is_manager, "is_manager")
        .column_as(has_second_factor, "has_second_factor")
        .column_as(holds_grant, "holds_grant")
        .join(JoinType::InnerJoin, member.into())
        .join(JoinType::LeftJoin, administrator.into())
        .filter(member::Column::Status.eq(member::Status::Active))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use sea_orm::sea_query::SqliteQueryBuilder;
    use zeroize::Zeroizing;

    use super::*;
    use crate::{
        kernel::{Caller, Random, Settings, SystemClock, config::Source, seal::KeyRing},
        setup,
    };

    /// The tables that a statement looks at.
    fn tables(sql: &str) -> BTreeSet<&str> {
        let places = ["FROM \"", "JOIN \""]
            .iter()
            .flat_map(|before| sql.split(before).skip(1));
        places.filter_map(|text| text.split('"').next()).collect()
    }

    #[tokio::test]
    async fn p5_rights_follow_from_rows_whose_change_changes_the_mark() {
        let folder = std::env::temp_dir().join(format!("orgdesk-standing-{}", std::process::id()));
        let pairs = [("ORGDESK_DATA".to_owned(), folder.display().to_string())];
        let ring = KeyRing::parse("test:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=", b"").unwrap();
        let source = Source::read(pairs.into_iter()).unwrap();
        let settings = Settings::for_demo(&source, Zeroizing::new((0..32).collect()), ring).unwrap();
        let app = setup::open(settings, Arc::new(SystemClock), Random::seeded(1))
            .await
            .unwrap();
        let nobody = OrganizationId(Uuid::from_u128(1));
        let door = Caller::system(app.clone(), "test", nobody);
        let view = door.open(nobody).await.unwrap();
        let who = (MemberId(Uuid::from_u128(2)), SessionId(Uuid::from_u128(3)));
        let text =
            |mut select: Scoped<'_, session::Entity>| QuerySelect::query(&mut select).to_string(SqliteQueryBuilder);
        let (brief, whole) = (text(visit(&view, who)), text(with_rights(&view, visit(&view, who))));
        assert_eq!(tables(&brief), BTreeSet::from(["session", "organization"]), "{brief}");
        let rights: BTreeSet<_> = tables(&whole).difference(&tables(&brief)).copied().collect();
        assert_eq!(rights, migration::RIGHTS.iter().copied().collect(), "{whole}");
        drop(view);
        app.database.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
