//! Writing and reading the anchor: a file to whose end is written and nothing else, or an object of the store for each
//! block. Several servers write to one anchor: who comes second goes on behind what the first wrote.
//!
//! An end of a chain that is not what the anchor knows of it is never written over what it knows: the anchor goes on
//! showing it until somebody has looked.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use sea_orm::{ColumnTrait, Iterable, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    kernel::{
        App, AuditLog, Caller, Error, Keys, OrganizationId, Reader, Result, Timestamp,
        audit::{
            self,
            anchor::{self, Anchor, Head},
            segment,
        },
        config::AnchorPlace,
    },
    organization,
};

/// Most ends in one block.
const MOST: usize = 1_000;

/// Where the blocks lie in the store.
const PREFIX: &str = "audit-anchor";

/// What was read of a store so far: blocks never change, so each is read once.
#[derive(Debug, Default)]
struct Known(tokio::sync::Mutex<Anchor>);

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
pub async fn read(app: &App) -> Result<Anchor> {
    let place = &app.settings.logs.anchor;
    // First how far it must be: another server writes a block before it says so.
    let kept = match place {
        AnchorPlace::Off => return Ok(Anchor::default()),
        _ => anchor::kept(app, &place.name()).await?,
    };
    let mut known = match place {
        AnchorPlace::File(path) => read_file(app, path).await?,
        AnchorPlace::Store | AnchorPlace::Off => read_store(app).await?,
    };
    known.end(kept.as_ref());
    Ok(known)
}

/// What a file knows, such as a copy of an anchor that is kept elsewhere.
///
/// # Errors
/// If it can't be read.
pub async fn read_file(app: &App, path: &Path) -> Result<Anchor> {
    let (keys, path) = (app.keys.clone(), path.to_owned());
    let read = move || match File::open(&path) {
        Ok(mut file) => lines(&mut file, &keys).map(|(known, _)| known),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Anchor::default()),
        Err(error) => Err(error),
    };
    blocking(read).await
}

/// Anchors the ends of all chains, whatever time it is.
///
/// # Errors
/// If the database fails, or the anchor can't be written or is broken.
pub async fn write(app: &App) -> Result<Anchored> {
    let place = &app.settings.logs.anchor;
    let known = read(app).await?;
    if let Some(block) = known.broken() {
        return Err(Error::internal(format!(
            "the anchor of the audit chains is broken at block {block}: nothing is written to it"
        )));
    }
    if *place == AnchorPlace::Off {
        return Ok(Anchored::default());
    }
    let (heads, held_back) = moved(app, &known).await?;
    for (organization, log) in &held_back {
        tracing::error!(%organization, ?log, "an audit chain is not the one that was anchored");
    }
    let count = heads.len();
    let mut heads = heads;
    loop {
        let rest = heads.split_off(heads.len().min(MOST));
        let now = app.clock.now();
        let known = match place {
            AnchorPlace::File(path) => append_file(app, path.clone(), now, heads).await?,
            AnchorPlace::Store | AnchorPlace::Off => append_store(app, now, heads).await?,
        };
        anchor::keep(app, known.mark(&place.name(), now)).await?;
        if rest.is_empty() {
            break;
        }
        heads = rest;
    }
    Ok(Anchored {
        heads: count,
        held_back,
    })
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

/// The ends that are further than the anchor knows, and the chains that are not what it knows.
async fn moved(app: &App, known: &Anchor) -> Result<(Vec<Head>, Vec<(OrganizationId, AuditLog)>)> {
    let (mut heads, mut held_back) = (Vec::new(), Vec::new());
    for organization in organization::all_organizations(app).await? {
        let caller = Caller::operator(app.clone(), organization);
        let view = caller.open(organization).await?;
        for log in AuditLog::iter() {
            let last = last(&view, log).await?;
            match known.head(organization, log) {
                None => heads.extend(last),
                Some((place, hash)) => match last {
                    Some(last) if last.sequence >= place && holds(&view, log, place, &hash).await? => {
                        heads.extend((last.sequence > place).then_some(last));
                    }
                    _ => held_back.push((organization, log)),
                },
            }
        }
        drop(view);
        caller.release().await;
    }
    Ok((heads, held_back))
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

/// Whether a chain has this hash at this place still, or what stood there was removed in its time.
async fn holds(reader: &Reader, log: AuditLog, place: i64, hash: &[u8]) -> Result<bool> {
    let entry = reader
        .select::<audit::Entity>()
        .filter(audit::Column::Log.eq(log))
        .filter(audit::Column::Sequence.eq(place));
    if let Some(entry) = entry.one().await? {
        return Ok(entry.hash == hash);
    }
    let segment = reader
        .select::<segment::Entity>()
        .filter(segment::Column::Log.eq(log))
        .filter(segment::Column::FirstSequence.lte(place))
        .filter(segment::Column::LastSequence.gte(place));
    Ok(segment.one().await?.is_some())
}

async fn append_file(app: &App, path: PathBuf, now: Timestamp, heads: Vec<Head>) -> Result<Anchor> {
    let keys = app.keys.clone();
    blocking(move || {
        let is_new = !path.exists();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)?;
        // Given back when the file is closed, also by a process that dies.
        file.lock()?;
        let (mut known, is_open) = lines(&mut file, &keys)?;
        let line = known.next(&keys, now, &fresh(&known, heads)).map_err(other)?;
        // What a server that fell left behind stays, on a line of its own.
        let text = format!("{}{line}\n", if is_open { "\n" } else { "" });
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if is_new && let Some(folder) = folder {
            File::open(folder)?.sync_all()?;
        }
        known.take(&keys, &line);
        Ok(known)
    })
    .await
}

/// What a file knows, and whether its last line is still open.
fn lines(file: &mut File, keys: &Keys) -> std::io::Result<(Anchor, bool)> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut text)?;
    let mut known = Anchor::default();
    for line in String::from_utf8_lossy(&text).lines() {
        known.take(keys, line);
    }
    Ok((known, text.last().is_some_and(|last| *last != b'\n')))
}

/// An object is written once, so each server finds at the next number either nothing or another's block.
async fn append_store(app: &App, now: Timestamp, heads: Vec<Head>) -> Result<Anchor> {
    loop {
        let known = read_store(app).await?;
        let line = known.next(&app.keys, now, &fresh(&known, heads.clone()))?;
        let path = block(known.number() + 1);
        if app.store.put_new(&path, Bytes::from(line)).await? {
            return read_store(app).await;
        }
    }
}

async fn read_store(app: &App) -> Result<Anchor> {
    let cache = app.shelf.lasting::<Known>();
    let mut known = cache.0.lock().await;
    while let Some(found) = app.store.get(&block(known.number() + 1)).await? {
        let (before, mut content) = (known.number(), Vec::new());
        let mut pieces = found.content;
        while let Some(piece) = pieces.try_next().await? {
            content.extend_from_slice(&piece);
        }
        known.take(&app.keys, &String::from_utf8_lossy(&content));
        if known.number() == before {
            // No crash leaves half an object: whatever this is, no block was written here.
            known.spoil();
            break;
        }
    }
    Ok(known.clone())
}

fn block(number: i64) -> String {
    format!("{PREFIX}/{number:012}")
}

/// Those ends that nobody has anchored meanwhile.
fn fresh(known: &Anchor, heads: Vec<Head>) -> Vec<Head> {
    let is_fresh = |head: &Head| {
        let there = known.head(head.organization, head.log);
        there.is_none_or(|(place, _)| place < head.sequence)
    };
    heads.into_iter().filter(is_fresh).collect()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(Error::internal)?.map_err(Error::internal)
}

fn other(error: Error) -> std::io::Error {
    std::io::Error::other(format!("{error:?}"))
}
