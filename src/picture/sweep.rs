//! Taking away what nobody shows: a picture that was sent and never used, or given up, goes after a day, its row first and
//! its bytes then; and so do bytes that never got a row, because a server fell between the two.
//!
//! The sweep can't meet an upload of the same content half-way. Whether a row goes is decided while the organization's
//! turn is held, as is whether an upload uses it again; and bytes have a name of their own for each upload, so that bytes
//! of yesterday without a row are nobody's for good.

use std::collections::HashSet;

use chrono::Duration;
use sea_orm::{
    QueryFilter, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::{
    FileName,
    entity::{Column, Entity, Model},
    file, holder,
};
use crate::kernel::{
    Action, App, Caller, Error, Job, Outcome, PictureId, Plain, Reader, Result, Timestamp, Tx,
    outbox::{self, Fate},
};

/// The job's name.
pub const KIND: &str = "picture-sweep";

/// How long what nobody shows is kept. No request lasts nearly as long.
const KEPT_FOR: Duration = Duration::hours(24);
/// From one sweep of an organization to the next.
const EVERY: Duration = Duration::hours(24);
/// When to come again where the store does not answer.
const LATER: Duration = Duration::hours(1);
/// Most rows that go in one deed.
const MOST_AT_ONCE: u64 = 500;

/// The job that sweeps an organization, from its first picture on every day.
pub(super) fn job(now: Timestamp) -> Job {
    Job {
        kind: KIND,
        argument: "all".to_owned(),
        due_at: Timestamp(now.0 + EVERY),
    }
}

/// Rows that went.
struct Swept;

impl Outcome for Swept {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self)
    }
}

/// Sweeps an organization.
///
/// # Errors
/// Only if the database fails; where the store does, the job comes again in an hour.
pub async fn sweep(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let now = app.clock.now();
    let before = Timestamp(now.0 - KEPT_FOR);
    let view = caller.view(Action::PictureSweep).await?;
    let is_any = !unshown(&view, before).await?.is_empty();
    drop(view);
    if is_any {
        let deed = async |tx: &Tx| {
            for picture in unshown(tx, before).await? {
                tx.delete::<Entity>(picture).await?;
            }
            Ok(Swept)
        };
        caller.act(Action::PictureSweep, &Plain, deed).await?;
    }
    match take_away(&caller, before).await {
        Ok(()) => Ok(Fate::Later(Timestamp(now.0 + EVERY))),
        Err(Error::StorageUnavailable) => Ok(Fate::Later(Timestamp(now.0 + LATER))),
        Err(error) => Err(error),
    }
}

/// The pictures that nobody shows, and that nobody sent or gave up since `before`.
async fn unshown(reader: &Reader, before: Timestamp) -> Result<Vec<Model>> {
    let shown = reader.related::<holder::Entity>(|holders| {
        let picture = Expr::col((Entity, Column::Id));
        holders.and_where(Expr::col((holder::Entity, holder::Column::PictureId)).eq(picture));
    });
    let old = reader.select::<Entity>().filter(Column::TouchedAt.lt(before));
    old.filter(Expr::exists(shown).not()).limit(MOST_AT_ONCE).all().await
}

#[derive(Debug, sea_orm::FromQueryResult)]
struct Known {
    id: PictureId,
}

/// Removes the bytes of the organization that are older than `before` and have no row.
async fn take_away(caller: &Caller, before: Timestamp) -> Result<()> {
    let app = caller.app();
    let view = caller.view(Action::PictureSweep).await?;
    let folder = file::folder(&app.keys, view.organization_id());
    let rows = view.select::<Entity>().select_only().column(Column::Id);
    let known: HashSet<_> = rows.rows::<Known>().await?.into_iter().map(|row| row.id).collect();
    drop(view);
    caller.release().await;
    for path in app.store.list(&folder).await? {
        let name = path.rsplit('/').next().and_then(FileName::parse);
        let is_orphan = name.is_some_and(|name| {
            let is_old = name.made_at().is_some_and(|made_at| made_at < before);
            is_old && !known.contains(&name.picture())
        });
        if is_orphan {
            app.store.delete(&path).await?;
        }
    }
    Ok(())
}
