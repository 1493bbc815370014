//! How the jobs stand, as whoever watches over the servers sees it.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, sea_query::ExprTrait};

use super::{Column, Entity, State};
use crate::kernel::{App, Result, Timestamp};

/// Since when the oldest job waits that is due and was not taken; for the readiness check.
///
/// # Errors
/// Only if the database fails.
pub async fn oldest_due(app: &App) -> Result<Option<Timestamp>> {
    let due = Column::State.eq(State::Waiting).and(Column::DueAt.lte(app.clock.now()));
    let oldest = Entity::find()
        .filter(due)
        .order_by_asc(Column::DueAt)
        .one(app.database.looking())
        .await?;
    Ok(oldest.map(|job| job.due_at))
}

/// How the jobs of all servers stand.
#[derive(Debug)]
pub struct Standing {
    /// How many wait, are handed over and were given up.
    pub counts: [(&'static str, i64); 3],
    /// Since when the oldest that is due waits.
    pub oldest_due: Option<Timestamp>,
}

/// How the jobs stand, for whoever watches over the servers.
///
/// # Errors
/// Only if the database fails.
pub async fn standing(app: &App) -> Result<Standing> {
    let mut counts = [
        ("waiting", State::Waiting),
        ("queued", State::Queued),
        ("dead", State::Dead),
    ]
    .map(|(name, state)| (name, state, 0));
    for (_, state, count) in &mut counts {
        let found = Entity::find()
            .filter(Column::State.eq(*state))
            .count(app.database.looking())
            .await?;
        *count = i64::try_from(found).unwrap_or(i64::MAX);
    }
    Ok(Standing {
        counts: counts.map(|(name, _, count)| (name, count)),
        oldest_due: oldest_due(app).await?,
    })
}
