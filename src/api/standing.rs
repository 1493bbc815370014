//! What somebody who is signed in may do: whether his session or key still holds and what he is now. It is asked when a
//! request begins, and again inside each write, where nobody can take it from him any more. Who he is takes a look at eight
//! tables; where that is known for the mark that his organization bears (`migration::RIGHTS`), two do.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::Duration;
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
        Actor, App, MemberId, OrganizationId, Reader, Result, SessionId, SignedIn, Timestamp, constant::Constant,
        reader::Scoped,
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

/// For how long they are known. While the mark stands they are right for longer: this is for whoever changes rows with the
/// triggers switched off.
const KNOWN_FOR: Duration = Duration::minutes(1);

/// A member by one of his sessions, and his organization, which nearly every request asks for next; `None` where the
/// session or the member is no more.
///
/// # Errors
/// Only if the database fails.
pub async fn of(app: &App, reader: &Reader, who: (MemberId, SessionId)) -> Result<Option<(SignedIn, Organization)>> {
    let known = app.shelf.lasting::<KnownRights>();
    let now = app.clock.now();
    let whose = (reader.organization_id(), who.0);
    let found = match known.get(whose, now) {
        None => Box::pin(read_with_rights(reader, who)).await?,
        Some((mark, rights)) => match read_session(reader, who).await? {
            Some(session) if session.mark == Some(mark) => Some((session, rights)),
            Some(_) => Box::pin(read_with_rights(reader, who)).await?,
            None => None,
        },
    };
    let marked = found
        .as_ref()
        .and_then(|(session, rights)| Some((session.mark?, rights)));
    known.put(whose, now, marked);
    let found = found.filter(|(session, _)| session.lifetime.holds(now, session::idle_limit(app)));
    Ok(found.map(|(session, rights)| (signed_in(&session, rights), session.organization)))
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
struct SessionNow {
    member_id: MemberId,
    session_id: SessionId,
    confirmed_at: Timestamp,
    lifetime: Lifetime,
    organization: Organization,
    /// What the organization bears until the rights of one of its members change; `None` before its first member, on SQLite.
    mark: Option<Uuid>,
}

impl FromQueryResult for SessionNow {
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

/// What a member is, as far as rows decide it whose change changes the mark.
#[derive(Clone, FromQueryResult)]
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
struct Row(SessionNow, Rights);

impl FromQueryResult for Row {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        Ok(Self(
            SessionNow::from_query_result(row, prefix)?,
            Rights::from_query_result(row, prefix)?,
        ))
    }
}

type Whose = (OrganizationId, MemberId);

/// Rights as they were read.
struct Known {
    mark: Uuid,
    read_at: Timestamp,
    rights: Rights,
}

impl Known {
    fn is_fresh(&self, now: Timestamp) -> bool {
        now >= self.read_at && now.0 - self.read_at.0 < KNOWN_FOR
    }
}

/// The rights that were read last, each with the mark that the organization bore.
#[derive(Default)]
struct KnownRights(Mutex<HashMap<Whose, Known>>);

impl KnownRights {
    fn get(&self, whose: Whose, now: Timestamp) -> Option<(Uuid, Rights)> {
        let known = self.lock();
        let kept = known.get(&whose)?;
        kept.is_fresh(now).then(|| (kept.mark, kept.rights.clone()))
    }

    /// Keeps what was found, if it is news, and nothing of whoever is no more.
    fn put(&self, whose: Whose, now: Timestamp, found: Option<(Uuid, &Rights)>) {
        let mut known = self.lock();
        let Some((mark, rights)) = found else {
            known.remove(&whose);
            return;
        };
        let is_kept = known.get(&whose);
        if is_kept.is_some_and(|kept| kept.mark == mark && kept.is_fresh(now)) {
            return;
        }
        if is_kept.is_none() && known.len() >= MOST_KNOWN {
            known.clear();
        }
        let kept = Known {
            mark,
            read_at: now,
            rights: rights.clone(),
        };
        known.insert(whose, kept);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Whose, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signed_in(session: &SessionNow, rights: Rights) -> SignedIn {
    // The organization demands one, of everybody or of him, or the password is good beside one only.
    let organization = &session.organization;
    let needs_second_factor = organization.requires_second_factor
        || (organization.requires_second_factor_for_pii && rights.holds_grant)
        || rights.has_short_password;
    SignedIn {
        member_id: session.member_id,
        session_id: session.session_id,
        login: rights.login,
        name: rights.name,
        is_owner: rights.is_owner,
        is_administrator: rights.is_administrator,
        is_manager: rights.is_manager,
        has_second_factor: rights.has_second_factor,
        must_enroll: needs_second_factor && !rights.has_second_factor,
        confirmed_at: session.confirmed_at,
    }
}

async fn read_session(reader: &Reader, who: (MemberId, SessionId)) -> Result<Option<SessionNow>> {
    static STATEMENT: Constant = Constant::new();
    let rows = reader.constant(&STATEMENT, [who.0.0, who.1.0], || select_session(reader, who));
    Ok(rows.await?.into_iter().next())
}

async fn read_with_rights(reader: &Reader, who: (MemberId, SessionId)) -> Result<Option<(SessionNow, Rights)>> {
    static STATEMENT: Constant = Constant::new();
    let make = || select_rights(reader, select_session(reader, who));
    let rows = reader.constant(&STATEMENT, [who.0.0, who.1.0], make).await?;
    Ok(rows.into_iter().next().map(|Row(session, rights)| (session, rights)))
}

/// What asks for a member's session and its organization.
fn select_session(reader: &Reader, (member_id, session_id): (MemberId, SessionId)) -> Scoped<'_, session::Entity> {
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

/// The same with what the member is, if he belongs to the organization. Each column that this looks at, but for those of the
/// session and the organization, changes the mark.
fn select_rights<'r>(reader: &'r Reader, session: Scoped<'r, session::Entity>) -> Scoped<'r, session::Entity> {
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
    session
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

    /// The columns that a statement names, each with its table.
    fn columns(sql: &str) -> BTreeSet<(&str, &str)> {
        let parts: Vec<_> = sql.split('"').collect();
        let pairs = parts.windows(3).skip(1).step_by(2);
        pairs
            .filter(|part| part[1] == ".")
            .map(|part| (part[0], part[2]))
            .collect()
    }

    #[tokio::test]
    async fn p5_rights_are_decided_by_columns_whose_change_changes_the_mark() {
        let folder = tempfile::tempdir().unwrap();
        let pairs = [("ORGDESK_DATA".to_owned(), folder.path().display().to_string())];
        let ring = KeyRing::parse("test:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=", b"").unwrap();
        let source = Source::read(pairs.into_iter()).unwrap();
        let settings = Settings::for_demo(&source, Zeroizing::new((0..32).collect()), ring).unwrap();
        let app = setup::open(settings, Arc::new(SystemClock), Random::seeded(1))
            .await
            .unwrap();
        let nobody = OrganizationId(Uuid::from_u128(1));
        let door = Caller::system(app.clone(), "test", nobody);
        let view = door.open(nobody).await.unwrap();
        let select = || select_session(&view, (MemberId(Uuid::from_u128(2)), SessionId(Uuid::from_u128(3))));
        let text =
            |mut select: Scoped<'_, session::Entity>| QuerySelect::query(&mut select).to_string(SqliteQueryBuilder);
        let (brief, whole) = (text(select()), text(select_rights(&view, select())));
        let read_always = BTreeSet::from(["session", "organization"]);
        assert!(
            columns(&brief).iter().all(|(table, _)| read_always.contains(table)),
            "{brief}"
        );
        let rights: BTreeSet<_> = columns(&whole)
            .into_iter()
            .filter(|(table, _)| !read_always.contains(table))
            .collect();
        let marked = migration::RIGHTS.iter();
        let marked = marked.flat_map(|(table, columns)| columns.iter().map(move |column| (*table, *column)));
        assert_eq!(rights, marked.collect(), "{whole}");
        // What passes with time would pass unseen: nothing is compared but IDs and states.
        let texts: BTreeSet<_> = whole
            .split('\'')
            .skip(1)
            .step_by(2)
            .filter(|text| text.len() < 30)
            .collect();
        assert_eq!(texts, BTreeSet::from(["ACTIVE", "MANAGER", "TERMINATED"]), "{whole}");
    }

    #[test]
    fn p5_rights_are_known_for_a_minute_and_of_nobody_who_is_no_more() {
        let known = KnownRights::default();
        let at = |second: i64| Timestamp(chrono::DateTime::from_timestamp(second, 0).unwrap());
        let whose = |number: u128| (OrganizationId(Uuid::from_u128(1)), MemberId(Uuid::from_u128(number)));
        let kept = |read_at| Known {
            mark: Uuid::from_u128(7),
            read_at,
            rights: Rights {
                login: "anna".to_owned(),
                name: "Anna".to_owned(),
                is_owner: false,
                is_administrator: true,
                is_manager: false,
                has_second_factor: false,
                has_short_password: false,
                holds_grant: false,
            },
        };
        known.lock().insert(whose(1), kept(at(100)));
        for (now, is_known) in [(99, false), (100, true), (159, true), (160, false)] {
            assert_eq!(known.get(whose(1), at(now)).is_some(), is_known, "{now}");
        }
        assert!(known.get(whose(2), at(100)).is_none());
        let one = kept(at(100));
        for number in 1..=MOST_KNOWN as u128 {
            known.put(whose(number), at(100), Some((one.mark, &one.rights)));
        }
        assert_eq!(known.lock().len(), MOST_KNOWN);
        known.put(whose(1), at(101), Some((Uuid::from_u128(8), &one.rights)));
        assert_eq!(known.lock().len(), MOST_KNOWN, "who is known takes no other place");
        known.put(whose(0), at(101), Some((one.mark, &one.rights)));
        assert_eq!(known.lock().len(), 1, "no more are kept than so many");
        known.put(whose(1), at(101), Some((one.mark, &one.rights)));
        known.put(whose(1), at(101), None);
        assert!(
            known.get(whose(1), at(101)).is_none(),
            "nothing is kept of who is no more"
        );
    }
}
