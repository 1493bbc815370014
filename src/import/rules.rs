//! What people can do with imports: sending a file, having it imported in the coming night, giving that up.

use async_graphql::{ID, InputObject};
use chrono::{Duration, NaiveTime};
use sea_orm::{ColumnTrait, QueryFilter};
use serde::Serialize;

use super::{
    check,
    entity::{Column, Differences, Entity, Model, Policy, State, Words},
    file, run,
    sheet::LARGEST,
    sweep, template,
};
use crate::{
    kernel::{
        Action, Caller, Code, Error, ImportId, Job, MemberId, Problem, Result, Timestamp, Tx, Upload, id,
        payload::asks,
        seal::{FileKey, Sealed},
        zone,
    },
    service::{self, Service},
};

const AT: &str = "input.file";

/// How long a file that was looked through waits to be confirmed.
pub(super) const DRAFT_FOR: Duration = Duration::hours(1);

/// How many files of an organization are looked through at a time: the jobs of all organizations stand in one line.
const MOST_CHECKING: u64 = 5;

/// A file of tickets.
#[derive(Debug, Serialize, InputObject)]
pub struct ImportUploadInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The ID of the service, which must be in use.
    pub service_id: ID,
    /// A workbook that `importTemplate` led to, filled in: `.xlsx`, at most 20 MB, 100,000 rows, 200 columns, 5,000 characters a cell and 400 MB unpacked, without macros, password and links. It is looked through by and by: ask for the import until its state is no longer `CHECKING`.
    pub file: Upload,
}

/// What is to be imported, and how.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ImportConfirmInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// 주의사항 확인: that whoever confirms has read `cautions`; it must be true.
    pub agree_cautions: bool,
    /// What is done with rows that have something wrong.
    pub policy: Policy,
}

/// How to give an import up.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ImportDeleteInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

/// How to take away again what an import has brought.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ImportUndoInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

asks!(
    ImportUploadInput,
    ImportConfirmInput,
    ImportDeleteInput,
    ImportUndoInput
);

/// A file that is ready to be kept.
struct Ready {
    id: ImportId,
    sha256: String,
    size: usize,
    /// Its key, where it was written.
    key: Option<FileKey>,
}

/// `importUpload`.
///
/// # Errors
/// `NOT_FOUND`, `SERVICE_NOT_IN_USE`, `SERVICE_TERMINATED`, `FILE_TOO_LARGE`, `FILE_NOT_WORKBOOK`, `STORAGE_UNAVAILABLE`.
pub async fn upload(caller: &Caller, input: &ImportUploadInput) -> Result<Model> {
    // Whoever may not is refused by the door, and nothing is kept for him.
    let ready = if caller.may(Action::ImportUpload) {
        Some(prepare(caller, input).await?)
    } else {
        None
    };
    let kept = caller
        .act(Action::ImportUpload, input, async |tx: &Tx| {
            let ready = ready.as_ref().ok_or_else(|| Error::internal("nothing was prepared"))?;
            keep(tx, input, ready).await
        })
        .await;
    if let Some(ready) = ready.filter(|ready| ready.key.is_some()) {
        let is_used = match &kept {
            Ok(kept) => kept.id == ready.id,
            Err(error) => matches!(error, Error::Uncertain(_)),
        };
        let organization = caller.organization_id().ok_or(Error::Unauthenticated)?;
        let path = file::path(organization, ready.id);
        // Where this fails, the sweep finds it.
        if !is_used && caller.app().store.delete(&path).await.is_err() {
            tracing::warn!(import = %ready.id, "a file without a row is left to the sweep");
        }
    }
    kept
}

/// Everything that takes time. No transaction is open.
async fn prepare(caller: &Caller, input: &ImportUploadInput) -> Result<Ready> {
    let content = input.file.content(AT, LARGEST)?.clone();
    // What it really is, is found out by looking through it; what is plainly nothing of the kind is told at once.
    if content.is_empty() {
        return Err(Problem::at(AT, Code::FileNotWorkbook).into());
    }
    let view = caller.view(Action::ImportUpload).await?;
    let found = view.seek::<service::Entity>(&input.service_id).await?;
    drop(view);
    caller.release().await;
    let id = ImportId(id::fresh(caller.now(), &caller.app().random));
    let is_wanted = found.is_some_and(|service| template::check(&service).is_ok()) && input.dry_run != Some(true);
    let (size, hashed) = (content.len(), content.clone());
    let sha256 = tokio::task::spawn_blocking(move || file::hash(&hashed)).await;
    let key = if is_wanted {
        Some(file::write(caller, id, content).await?)
    } else {
        None
    };
    Ok(Ready {
        id,
        sha256: sha256.map_err(Error::internal)?,
        size,
        key,
    })
}

async fn keep(tx: &Tx, input: &ImportUploadInput, ready: &Ready) -> Result<Model> {
    let service = tx.find::<service::Entity>("input.serviceId", &input.service_id).await?;
    template::check(&service)?;
    let now = tx.now();
    let member = tx.actor().member().map(|member| member.member_id);
    let member = member.ok_or(Error::Unauthenticated)?;
    // One whose job does not come to its end is not in the way for long.
    let checking = tx
        .select::<Entity>()
        .filter(Column::State.eq(State::Checking))
        .filter(Column::UploadedAt.gt(Timestamp(now.0 - Duration::hours(1))));
    if checking.count().await? >= MOST_CHECKING {
        return Err(Error::Busy(30));
    }
    // A dry run keeps no file, and so has no key; its row is never seen again.
    let file_key = match &ready.key {
        Some(key) => file::sealed(tx, ready.id, key).await?,
        None => file::sealed(tx, ready.id, &FileKey::fresh(&tx.app().random)).await?,
    };
    let row = fresh(tx, (&service, member), ready, input.file.name(), file_key);
    let import = tx.create::<Entity>(row).await?;
    tx.enqueue(Job {
        kind: check::KIND,
        argument: import.id.to_string(),
        due_at: now,
    })
    .await?;
    tx.enqueue(sweep::job(now)).await?;
    tx.enqueue(sweep::forgetting(import.id, sweep::When::Late, now)).await?;
    Ok(import)
}

/// A row of which nothing is known yet.
fn fresh(tx: &Tx, (service, member): (&Service, MemberId), ready: &Ready, name: &str, file_key: Sealed) -> Model {
    Model {
        id: ready.id,
        organization_id: tx.organization_id(),
        service_id: service.id,
        state: State::Checking,
        file_name: name.to_owned(),
        byte_size: i32::try_from(ready.size).unwrap_or(i32::MAX),
        sha256: ready.sha256.clone(),
        file_key,
        has_file: true,
        uploaded_at: tx.now(),
        uploaded_by: member,
        refusal: None,
        refusal_words: Words::default(),
        differences: Differences::default(),
        done_count: 0,
        row_count: 0,
        bad_row_count: 0,
        problem_count: 0,
        hidden_row_count: 0,
        checked_at: None,
        expires_at: None,
        policy: None,
        confirmed_at: None,
        confirmed_by: None,
        due_at: None,
        due_zone: None,
        started_at: None,
        finished_at: None,
        inserted_count: 0,
        known_count: 0,
        failed_count: 0,
        undone_at: None,
        kept_count: 0,
        fence: 0,
        stuck_at: 0,
        version: 1,
    }
}

/// `importConfirm`.
///
/// # Errors
/// `NOT_FOUND`, `STALE_VERSION`, `CAUTIONS_NOT_AGREED`, `IMPORT_NOT_CHECKED`, `IMPORT_EXPIRED`, `IMPORT_HAS_PROBLEMS`,
/// `IMPORT_REPEATED`, `SERVICE_NOT_IN_USE`, `SERVICE_TERMINATED`.
pub(super) async fn confirm(tx: &Tx, id: &str, input: &ImportConfirmInput) -> Result<Model> {
    let import = tx.find::<Entity>("id", id).await?;
    let now = tx.now();
    // What has expired has another version as well: it is told what has happened, and not only that something has.
    if import.state == State::Expired || import.expires_at.is_some_and(|until| until <= now) {
        return Err(Problem::at("id", Code::ImportExpired).into());
    }
    let import = tx.find_current::<Entity>(id, input.expected_version).await?;
    if import.state != State::Draft {
        return Err(Problem::at("id", Code::ImportNotChecked).into());
    }
    if !input.agree_cautions {
        return Err(Problem::at("input.agreeCautions", Code::CautionsNotAgreed).into());
    }
    let nothing_is_left = import.bad_row_count >= import.row_count;
    if import.bad_row_count > 0 && (input.policy == Policy::AllOrNothing || nothing_is_left) {
        return Err(Problem::at("input.policy", Code::ImportHasProblems).into());
    }
    let service = tx.find::<service::Entity>("id", &import.service_id.to_string()).await?;
    template::check(&service).map_err(|problem| Problem::at("id", problem.code))?;
    let same = tx
        .select::<Entity>()
        .filter(Column::ServiceId.eq(import.service_id))
        .filter(Column::Sha256.eq(import.sha256.clone()))
        .filter(Column::State.is_in([State::Reserved, State::Running, State::Completed, State::Partial]));
    if same.one().await?.is_some() {
        return Err(Problem::at("id", Code::ImportRepeated).into());
    }
    let member = tx.actor().member().map(|member| member.member_id);
    let zone = tx.zone()?;
    let due_at = night(now, zone)?;
    let import = tx
        .update::<Entity>(import, |row| {
            row.state = State::Reserved;
            row.expires_at = None;
            // What was counted so far is its check; of its night nothing is done.
            row.done_count = 0;
            row.policy = Some(input.policy);
            row.confirmed_at = Some(now);
            row.confirmed_by = member;
            row.due_at = Some(due_at);
            row.due_zone = Some(zone.to_string());
        })
        .await?;
    tx.enqueue(Job {
        kind: run::KIND,
        argument: import.id.to_string(),
        due_at,
    })
    .await?;
    Ok(import)
}

/// 익일 오전 1시: one o'clock of the day after the one that it is now on the organization's calendar. Where clocks skip it,
/// the first instant after; where it comes twice, the first. A zone that changes later moves no reservation.
///
/// # Errors
/// Only beyond the last day there is.
pub fn night(now: Timestamp, zone: chrono_tz::Tz) -> Result<Timestamp> {
    let one = NaiveTime::from_hms_opt(1, 0, 0).unwrap_or_default();
    let tomorrow = zone::date_at(now.0, zone).succ_opt();
    let at = tomorrow.and_then(|day| zone::instant_of(day, one, zone));
    at.map(Timestamp)
        .ok_or_else(|| Error::internal("a day without a next one"))
}

/// `importDelete`: only while it waits for its night. Whoever comes when it has begun comes too late.
///
/// # Errors
/// `NOT_FOUND`, `STALE_VERSION`, `IMPORT_NOT_RESERVED`.
pub(super) async fn delete(tx: &Tx, id: &str, input: &ImportDeleteInput) -> Result<Model> {
    let import = tx.find::<Entity>("id", id).await?;
    // What has begun has another version as well: it is told what has happened, and not only that something has.
    if import.state != State::Reserved {
        return Err(Problem::at("id", Code::ImportNotReserved).into());
    }
    let import = tx.find_current::<Entity>(id, input.expected_version).await?;
    let now = tx.now();
    let import = tx
        .update::<Entity>(import, |row| {
            row.state = State::Deleted;
            row.finished_at = Some(now);
        })
        .await?;
    tx.enqueue(sweep::forgetting(import.id, sweep::When::Over, now)).await?;
    Ok(import)
}
