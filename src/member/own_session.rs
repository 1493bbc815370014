//! A member's sessions as he sees them, and their end: one by one at his word, or all at once when his password or second
//! factor changes.

use async_graphql::SimpleObject;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::session::{Column, Ending, Entity, Model, idle_limit};
use crate::kernel::{App, Error, MemberId, Reader, Result, SessionId, Timestamp, Tx, reader::Scoped};

/// How many sessions are shown: the newest.
const SHOWN: u64 = 50;

/// A session in which the signed-in member can be acting now.
#[derive(Debug, SimpleObject)]
#[graphql(name = "Session", complex)]
pub struct Shown {
    /// The session's ID, for `sessionRevoke`.
    pub id: SessionId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was last used to sign in, to refresh or to confirm the password.
    pub used_at: Timestamp,
    /// When it ends at the latest; 30 minutes without use end it before.
    pub expires_at: Timestamp,
    /// The address of the network that it began from; empty where it began on the server itself.
    pub address: String,
    /// What the client called itself, at most 200 characters; empty where it said nothing.
    pub client: String,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

impl Shown {
    fn of(session: Model, current: SessionId) -> Self {
        Self {
            is_current: session.id == current,
            id: session.id,
            started_at: session.started_at,
            used_at: session.used_at,
            expires_at: session.expires_at,
            address: session.address,
            client: session.client,
        }
    }
}

/// The sessions of a member that hold now, newest first, at most 50.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn shown(reader: &Reader, app: &App, member: MemberId, current: SessionId) -> Result<Vec<Shown>> {
    let live = live(reader, app, app.clock.now(), member);
    let newest = live.order_by_desc(Column::StartedAt).order_by_desc(Column::Id);
    let sessions = QuerySelect::limit(newest, Some(SHOWN)).all().await?;
    Ok(sessions
        .into_iter()
        .map(|session| Shown::of(session, current))
        .collect())
}

/// `sessionRevoke`: ends one of the caller's own sessions.
///
/// # Errors
/// `NOT_FOUND`, also for somebody else's.
pub(super) async fn revoke(tx: &Tx, id: &str) -> Result<Ending> {
    let member = tx.actor().member().ok_or(Error::Unauthenticated)?;
    let session = tx.find::<Entity>("id", id).await?;
    if session.member_id != member.member_id {
        return Err(Error::not_found("id"));
    }
    tx.about::<Entity>(&session);
    if !session.lifetime().holds(tx.now(), idle_limit(tx.app())) {
        return Ok(Ending(0));
    }
    let now = tx.now();
    tx.update::<Entity>(session, |row| row.ended_at = Some(now)).await?;
    Ok(Ending(1))
}

/// Ends the sessions of a member that hold, but for `except`. That takes effect with his next request.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn end_all_of(tx: &Tx, member: MemberId, except: Option<SessionId>) -> Result<()> {
    let now = tx.now();
    for session in live(tx, tx.app(), now, member).all().await? {
        if Some(session.id) != except {
            tx.update::<Entity>(session, |row| row.ended_at = Some(now)).await?;
        }
    }
    Ok(())
}

fn live<'r>(reader: &'r Reader, app: &App, now: Timestamp, member: MemberId) -> Scoped<'r, Entity> {
    reader
        .select::<Entity>()
        .filter(Column::MemberId.eq(member))
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .filter(Column::UsedAt.gte(Timestamp(now.0 - idle_limit(app))))
}
