//! Writing and reading the anchor: a file to whose end is written and nothing else, or an object of the store for each
//! block. Several servers write to one anchor: who comes second goes on behind what the first wrote.
//!
//! An end of a chain that is not what the anchor knows of it is never written over what it knows: the anchor goes on
//! showing it until somebody has looked.

mod file;
mod store;

use std::{path::Path, sync::Arc, time::Duration};

use sea_orm::{ActiveEnum, ColumnTrait, Iterable, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    kernel::{
        App, AuditLog, Caller, Error, OrganizationId, Reader, Result,
        audit::{
            self, Known,
            anchor::{self, Anchor, Head, Kept},
            segment,
        },
        config::AnchorPlace,
    },
    organization,
};

/// How long nobody waits for an anchor who has something else to do.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What came of an anchoring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anchored {
    /// How many ends of chains were written.
    pub heads: usize,
    /// Chains that are not what the anchor knows of them, each as organization and log: nothing is written of them.
    pub held_back: Vec<(OrganizationId, AuditLog)>,
}

/// What the configured anchor knows, and whether it is whole. Nothing where there is none.
///
/// # Errors
/// If it can't be read.
pub async fn read(app: &App) -> Result<Arc<Anchor>> {
    let place = &app.settings.logs.anchor;
    // First how far it must be: another server writes a block before it says so.
    let kept = match place {
        AnchorPlace::Off => return Ok(Arc::default()),
        _ => anchor::kept(app, &place.name()).await?,
    };
    let mut known = match place {
        AnchorPlace::File(path) => file::read(app, path).await?,
        AnchorPlace::Store | AnchorPlace::Off => store::read(app).await?,
    };
    if kept.is_some_and(|kept| known.is_cut(&kept)) {
        Arc::make_mut(&mut known).spoil();
    }
    Ok(known)
}

/// What a file knows, such as a copy of an anchor that is kept elsewhere.
///
/// # Errors
/// If it can't be read.
pub async fn read_file(app: &App, path: &Path) -> Result<Arc<Anchor>> {
    file::read_copy(app, path).await
}

/// Anchors the ends of all chains, whatever time it is.
///
/// # Errors
/// If the database fails, or the anchor can't be written or is broken.
pub async fn write(app: &App) -> Result<Anchored> {
    let place = &app.settings.logs.anchor;
    if *place == AnchorPlace::Off {
        return Ok(Anchored::default());
    }
    // Whatever is not among the ends that are read from here on was written later.
    let now = app.clock.now();
    let known = read(app).await?;
    if let Some(block) = known.broken() {
        return Err(Error::internal(format!(
            "the anchor of the audit chains is broken at block {block}: nothing is written to it"
        )));
    }
    if let Some(block) = known.ahead() {
        tracing::error!(
            block,
            "a block of the audit chains' anchor is of the future: its time is not believed"
        );
    }
    let line = app.database.line().await?;
    let moved = moved(app, &known).await?;
    // What a crash could take from the database must not be known elsewhere.
    app.database.flushed(line).await?;
    let told = Anchored {
        heads: moved.heads.len(),
        held_back: moved
            .held_back
            .iter()
            .map(|head| (head.organization, head.log))
            .collect(),
    };
    for (organization, log) in &told.held_back {
        tracing::error!(%organization, ?log, "an audit chain is not the one that was anchored");
    }
    let (keys, kept) = (app.keys.clone(), kept(app));
    let next = move |known: &Anchor| known.next(&keys, now, &moved.fresh(known), &kept);
    let known = match place {
        AnchorPlace::File(path) => file::append(app, path.clone(), next).await?,
        AnchorPlace::Store | AnchorPlace::Off => store::append(app, next).await?,
    };
    anchor::keep(app, known.mark(&place.name(), now)).await?;
    Ok(told)
}

/// Anchors the ends of all chains where that was not done for as long as the settings say. Answers whether it was.
///
/// # Errors
/// As [`write`].
pub async fn write_if_due(app: &App) -> Result<bool> {
    if app.settings.logs.anchor == AnchorPlace::Off {
        return Ok(false);
    }
    let every = chrono::Duration::minutes(app.settings.logs.anchor_minutes.into());
    let now = app.clock.now();
    let is_due = read(app).await?.at().is_none_or(|at| at.0 + every <= now.0 || at > now);
    if is_due {
        write(app).await?;
    }
    Ok(is_due)
}

/// Anchors the ends of all chains and answers what the anchor knows: before entries are removed. An anchor that can't be
/// written, or not soon, keeps nobody from removing what is over.
pub async fn before_purge(app: &App) -> Arc<Anchor> {
    let written = async {
        write(app).await?;
        read(app).await
    };
    let fault = match tokio::time::timeout(PATIENCE, written).await {
        Ok(Ok(known)) => return known,
        Ok(Err(error)) => format!("{error:?}"),
        Err(late) => late.to_string(),
    };
    tracing::error!(fault, "the logs are purged without a look at the anchor");
    Arc::default()
}

/// What is known of a chain of the caller's organization.
pub(super) fn known(app: &App, anchor: &Anchor, organization: OrganizationId, log: AuditLog) -> Known {
    let kept_from = app.settings.logs.kept_from(log, app.clock.now());
    anchor.known(organization, log, kept_from)
}

/// For how long the settings keep each log.
fn kept(app: &App) -> Kept {
    let logs = &app.settings.logs;
    AuditLog::iter().map(|log| (log.to_value(), logs.months(log))).collect()
}

/// The ends that are further than the anchor knows, and of chains that are not what it knows, the ends that it knows.
#[derive(Debug, Clone, Default)]
struct Moved {
    heads: Vec<Head>,
    held_back: Vec<Head>,
}

impl Moved {
    /// Those that nobody has anchored meanwhile.
    fn fresh(&self, known: &Anchor) -> Vec<Head> {
        let place = |head: &Head| known.head(head.organization, head.log).map_or(0, |(place, _)| place);
        let moved = self.heads.iter().filter(|head| place(head) < head.sequence);
        let held_back = self.held_back.iter().filter(|head| place(head) == head.sequence);
        moved.chain(held_back).cloned().collect()
    }
}

async fn moved(app: &App, anchor: &Anchor) -> Result<Moved> {
    let mut moved = Moved::default();
    for organization in organization::all_organizations(app).await? {
        let caller = Caller::operator(app.clone(), organization);
        let view = caller.open(organization).await?;
        for log in AuditLog::iter() {
            let known = known(app, anchor, organization, log);
            match last(&view, log).await? {
                last if known.place == 0 => moved.heads.extend(last),
                Some(last) if last.sequence >= known.place && holds(&view, log, &known).await? => {
                    moved.heads.extend((last.sequence > known.place).then_some(last));
                }
                _ => moved.held_back.push(Head {
                    organization,
                    log,
                    sequence: known.place,
                    hash: known.hash,
                }),
            }
        }
        drop(view);
        caller.release().await;
    }
    Ok(moved)
}

/// The end of a chain.
async fn last(reader: &Reader, log: AuditLog) -> Result<Option<Head>> {
    let rows = reader
        .select::<audit::Entity>()
        .filter(audit::Column::Log.eq(log))
        .order_by_desc(audit::Column::Sequence);
    let last = rows.limit(1).one().await?;
    Ok(last.map(|entry| Head {
        organization: entry.organization_id,
        log,
        sequence: entry.sequence,
        hash: entry.hash,
    }))
}

/// Whether a chain has what is known of it still, or what stood there was removed in its time.
async fn holds(reader: &Reader, log: AuditLog, known: &Known) -> Result<bool> {
    let entry = reader
        .select::<audit::Entity>()
        .filter(audit::Column::Log.eq(log))
        .filter(audit::Column::Sequence.eq(known.place));
    if let Some(entry) = entry.one().await? {
        return Ok(entry.hash == known.hash);
    }
    let segment = reader
        .select::<segment::Entity>()
        .filter(segment::Column::Log.eq(log))
        .filter(segment::Column::FirstSequence.lte(known.place))
        .filter(segment::Column::LastSequence.gte(known.place));
    let holds = |segment: segment::Model| {
        let is_other = segment.last_sequence == known.place && segment.last_hash != known.hash;
        segment.last_sequence <= known.removable && !is_other
    };
    Ok(segment.one().await?.is_some_and(holds))
}
