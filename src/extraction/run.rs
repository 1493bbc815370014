//! The job that makes a file. It reads the list a part at a time, each part with the eyes of whoever asked and by the rights
//! that he has then, and ends with one transaction in which all of it is asked once more. Whoever begins counts up the
//! extraction's fence and writes to a place of his own: after a crash the next one begins anew, and what the first one left is
//! never taken for a file.

use std::path::Path;

use chrono_tz::Tz;
use serde_json::Value as Json;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::{
    entity::{Entity, Format, Model, State},
    eyes::{self, Hindrance},
    file::{self, Written},
    step,
    sweep::{self, KEPT_FOR, Told},
    write::{Shape, Writer},
};
use crate::{
    kernel::{
        Action, App, Caller, Code, Error, Outcome, Plain, Result, Timestamp, Tx,
        extract::{Asking, Head, Part, Source, SourceName},
        outbox::{self, EXTRACTION_RUN, Fate},
        page::Place,
        seal::{Keychain, Purpose},
    },
    organization,
};

/// The job's name. Its argument is the extraction.
pub const KIND: &str = EXTRACTION_RUN;

/// After so many parts it is told how far the file is, and that somebody is at work on it.
const TOLD_EVERY: u32 = 4;

/// The list of this name.
///
/// # Errors
/// Only where an installation lacks it.
pub(super) fn source(app: &App, name: SourceName) -> Result<&'static Source> {
    let found = app.sources.iter().find(|source| source.name == name);
    found.ok_or_else(|| Error::internal("a list that is not here"))
}

/// What an attempt came to.
enum Came {
    /// Every row is in the file.
    Made(Writer),
    /// Another has begun on it, or it was over.
    Nothing,
    /// It may not go on, or can't.
    Stopped(Code, Option<&'static str>),
}

/// An extraction that is being made, and what it is made by.
struct Work {
    extraction: Model,
    filter: Json,
    password: Option<Zeroizing<String>>,
}

/// The claim as a deed: it is never repeated.
struct Claimed(Option<Work>);

impl Outcome for Claimed {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self(None))
    }
}

/// Does the job.
///
/// # Errors
/// If the database or the store fails; it comes again then.
pub async fn run(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let done = attempt(&caller, job).await;
    caller.release().await;
    done
}

/// Ends an extraction whose job was begun too often.
///
/// # Errors
/// If the database fails.
pub async fn give_up(app: &App, job: &outbox::Model) -> Result<()> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let deed = async |tx: &Tx| {
        let found = tx.seek::<Entity>(&job.argument).await?;
        if let Some(extraction) = found.filter(|one| one.state.is_open() && !one.state.is_done()) {
            sweep::fail(tx, extraction, Code::ExtractionGivenUp, None).await?;
        }
        Ok(Told)
    };
    caller.act(Action::ExtractionRun, &Plain, deed).await?;
    caller.release().await;
    Ok(())
}

async fn attempt(caller: &Caller, job: &outbox::Model) -> Result<Fate> {
    let deed = async |tx: &Tx| claim(tx, &job.argument).await.map(Claimed);
    let Some(work) = caller.act(Action::ExtractionProgress, &Plain, deed).await?.0 else {
        return Ok(Fate::Done);
    };
    let source = source(caller.app(), work.extraction.source)?;
    match rows(caller, job, &work, source).await? {
        Came::Nothing => {}
        Came::Stopped(code, reason) => stop(caller, &work.extraction, code, reason).await?,
        Came::Made(writer) => {
            let rows = writer.rows();
            let written = kept(caller.app(), &work, writer).await?;
            finish(caller, source, &work.extraction, rows, written).await?;
        }
    }
    Ok(Fate::Done)
}

/// Begins to make a file.
async fn claim(tx: &Tx, id: &str) -> Result<Option<Work>> {
    let Some(extraction) = tx.seek::<Entity>(id).await? else {
        return Ok(None);
    };
    let Some(sealed) = extraction.asked.clone().filter(|_| !extraction.state.is_done()) else {
        return Ok(None);
    };
    let keys = Keychain::of(tx, tx.app(), Purpose::File).await?;
    let asked = keys
        .open(&file::asked_cell(&extraction.id), &sealed)
        .map_err(Error::internal)?;
    let mut asked: Json = serde_json::from_slice(&asked)?;
    let filter = asked["filter"].take();
    let password = match asked["password"].take() {
        Json::String(password) => Some(Zeroizing::new(password)),
        _ => None,
    };
    let extraction = tx
        .update::<Entity>(extraction, |row| {
            row.state = State::Running;
            row.done_count = 0;
            row.fence += 1;
        })
        .await?;
    Ok(Some(Work {
        extraction,
        filter,
        password,
    }))
}

/// Writes the rows.
async fn rows(caller: &Caller, job: &outbox::Model, work: &Work, source: &Source) -> Result<Came> {
    let app = caller.app();
    let most = app.settings.extraction_rows;
    let (mut writing, mut after, mut parts) = (None, None, 0_u32);
    loop {
        // While a part is read, the one before it is written.
        let part = match part(caller, work, source, writing.is_none(), after.take()).await? {
            Ok(part) => part,
            Err(hindrance) => return Ok(Came::Stopped(hindrance.code(), Some(hindrance.name()))),
        };
        let file = match writing.take() {
            Some(writing) => written(writing).await?,
            None => begin(app, &work.extraction, part.zone, &part.heads).await?,
        };
        let rows = part.part.rows;
        let count = file
            .rows()
            .saturating_add(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        if count > most {
            return Ok(Came::Stopped(Code::ExtractionTooLarge, None));
        }
        let writer = tokio::task::spawn_blocking(move || file.with(&rows));
        let Some(next) = part.part.next else {
            return Ok(Came::Made(written(writer).await?));
        };
        parts += 1;
        let is_time = parts % TOLD_EVERY == 0;
        if is_time && !(outbox::keep(app, job).await? && progress(caller, &work.extraction, count).await?) {
            return Ok(Came::Nothing);
        }
        (writing, after) = (Some(writer), Some(next));
    }
}

/// The file when the part is in it.
async fn written(writing: JoinHandle<Result<Writer>>) -> Result<Writer> {
    writing.await.map_err(Error::internal)?
}

/// A part, and with the first one what the file begins with.
struct Seen {
    part: Part,
    heads: Vec<Head>,
    zone: Tz,
}

/// Reads a part with the eyes of whoever asked.
async fn part(
    caller: &Caller,
    work: &Work,
    source: &Source,
    is_first: bool,
    after: Option<Place>,
) -> Result<std::result::Result<Seen, Hindrance>> {
    let extraction = &work.extraction;
    let eyes = eyes::now(caller, source, extraction).await?;
    let Some(eyes) = eyes else {
        return Ok(Err(Hindrance::Right));
    };
    let seen = match eyes
        .unless_broken_off(look(&eyes, work, source, is_first, after.clone()))
        .await
    {
        Some(seen) => seen,
        None => look(&eyes, work, source, is_first, after).await,
    };
    eyes.leave().await;
    match seen {
        // Whatever of the list he saw when he asked is not there for him any more.
        Err(Error::Problems(problems)) if problems.iter().all(|problem| problem.code == Code::NotFound) => {
            Ok(Err(Hindrance::Right))
        }
        seen => seen,
    }
}

async fn look(
    eyes: &Caller,
    work: &Work,
    source: &Source,
    is_first: bool,
    after: Option<Place>,
) -> Result<std::result::Result<Seen, Hindrance>> {
    let extraction = &work.extraction;
    let view = eyes.view(source.action).await?;
    let token = match extraction.is_unmasked {
        false => None,
        true => match eyes::access(&view, extraction, eyes::address(extraction), eyes.now()).await? {
            Ok(token) => Some(token),
            Err(hindrance) => return Ok(Err(hindrance)),
        },
    };
    let asking = Asking {
        caller: eyes,
        view: &view,
        filter: &work.filter,
        at: extraction.requested_at,
        token: token.as_ref(),
    };
    let (heads, zone) = match is_first {
        true => {
            let zone = organization::own(&view).await?.time_zone;
            let zone = zone.parse().map_err(Error::internal)?;
            ((source.check)(&asking).await?.heads, zone)
        }
        false => (Vec::new(), Tz::UTC),
    };
    let part = (source.part)(&asking, &extraction.columns.0, after).await?;
    Ok(Ok(Seen { part, heads, zone }))
}

/// Begins a file with the heads of the columns that were chosen. One that has gone since then keeps its code.
async fn begin(app: &App, extraction: &Model, zone: Tz, heads: &[Head]) -> Result<Writer> {
    let title = |code: &String| {
        let head = heads.iter().find(|head| head.code == *code);
        head.map_or_else(|| code.clone(), |head| head.title.clone())
    };
    let titles: Vec<_> = extraction.columns.0.iter().map(title).collect();
    // A read-only root has no folder for temporary files; the data folder is written anyhow, and nothing lies there in clear.
    let folder: &Path = &app.settings.data;
    tokio::fs::create_dir_all(folder).await.map_err(Error::internal)?;
    Writer::new(&Shape {
        folder,
        random: &app.random,
        format: extraction.format,
        name: extraction.source.label(extraction.language),
        titles: &titles,
        zone,
        now: app.clock.now(),
    })
}

/// Puts the file into the store.
async fn kept(app: &App, work: &Work, writer: Writer) -> Result<Written> {
    let password = work.password.clone();
    let extraction = &work.extraction;
    let ending = match extraction.format {
        Format::Xlsx => "xlsx",
        Format::Csv => "csv",
    };
    let stem = extraction.file_name.trim_end_matches(".zip");
    let inner = format!("{stem}.{ending}");
    let finishing = move || writer.finish(password.as_ref().map(|password| password.as_str()), &inner);
    let made = tokio::task::spawn_blocking(finishing)
        .await
        .map_err(Error::internal)??;
    file::write(app, extraction, made).await
}

/// Tells how many rows are written; `false` where another has begun on the extraction, or it was ended.
async fn progress(caller: &Caller, extraction: &Model, rows: u32) -> Result<bool> {
    let deed = async |tx: &Tx| {
        let row = tx.find::<Entity>("id", &extraction.id.to_string()).await?;
        if !is_ours(&row, extraction) {
            return Ok(Ours(false));
        }
        tx.update::<Entity>(row, |row| row.done_count = i32::try_from(rows).unwrap_or(i32::MAX))
            .await?;
        Ok(Ours(true))
    };
    Ok(caller.act(Action::ExtractionProgress, &Plain, deed).await?.0)
}

/// Whether an extraction is still whose hands it was in.
struct Ours(bool);

impl Outcome for Ours {
    type Receipt = bool;

    fn receipt(&self) -> bool {
        self.0
    }

    async fn again(_: &Tx, is: bool) -> Result<Self> {
        Ok(Self(is))
    }
}

fn is_ours(row: &Model, extraction: &Model) -> bool {
    row.state == State::Running && row.fence == extraction.fence
}

/// Ends an extraction that may not go on.
async fn stop(caller: &Caller, extraction: &Model, code: Code, reason: Option<&str>) -> Result<()> {
    let deed = async |tx: &Tx| {
        let row = tx.find::<Entity>("id", &extraction.id.to_string()).await?;
        if is_ours(&row, extraction) {
            sweep::fail(tx, row, code, reason).await?;
        }
        Ok(Told)
    };
    caller.act(Action::ExtractionRun, &Plain, deed).await.map(drop)
}

/// Hands the file over, if everything is as it was.
async fn finish(caller: &Caller, source: &Source, extraction: &Model, rows: u32, written: Written) -> Result<()> {
    let deed = async |tx: &Tx| {
        let row = tx.find::<Entity>("id", &extraction.id.to_string()).await?;
        if !is_ours(&row, extraction) {
            return Ok(Ours(false));
        }
        let hindrance = eyes::hindrance(tx, source, &row, eyes::address(&row), tx.now()).await?;
        if let Some(hindrance) = hindrance {
            sweep::fail(tx, row, hindrance.code(), Some(hindrance.name())).await?;
            return Ok(Ours(false));
        }
        ready(tx, row, rows, &written).await?;
        Ok(Ours(true))
    };
    if caller.act(Action::ExtractionRun, &Plain, deed).await?.0 {
        return Ok(());
    }
    let path = file::path(extraction.organization_id, extraction.id, extraction.fence);
    // Where this fails, the sweep finds it, and its key is nowhere.
    if caller.app().store.delete(&path).await.is_err() {
        tracing::warn!(extraction = %extraction.id, "a file without a row is left to the sweep");
    }
    Ok(())
}

async fn ready(tx: &Tx, row: Model, rows: u32, written: &Written) -> Result<()> {
    let now = tx.now();
    let expires_at = Timestamp(now.0 + KEPT_FOR);
    let key = file::sealed(tx, row.id, &written.key).await?;
    let count = i32::try_from(rows).unwrap_or(i32::MAX);
    let row = tx
        .update::<Entity>(row, |row| {
            row.state = State::Ready;
            row.asked = None;
            row.row_count = Some(count);
            row.done_count = count;
            row.byte_size = Some(written.bytes);
            row.sha256 = Some(written.sha256.clone());
            row.file_key = Some(key);
            row.has_file = true;
            row.finished_at = Some(now);
            row.expires_at = Some(expires_at);
        })
        .await?;
    step::tell(tx, step::Kind::Ready, &row, None).await?;
    tx.enqueue(sweep::expiry(row.id, "late", expires_at)).await
}
