//! Taking pictures in. A file is checked, decoded and written anew before the deed begins, its bytes are in the store
//! before its row is written, and under a name that no other attempt has: whatever fails on the way leaves at most an
//! object without a row, which is taken away at once, or by the next sweep.

use async_graphql::InputObject;
use sea_orm::{FromQueryResult, QueryFilter, QuerySelect, entity::prelude::*};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    FileName,
    entity::{Column, Entity, Model},
    read::{self, Read},
    sweep,
};
use crate::kernel::{Action, Caller, Code, Error, PictureId, Problem, Reader, Result, Tx, Upload, id, payload::asks};

/// The largest file that is taken, in bytes.
pub const MAX_UPLOAD_BYTES: usize = 1024 * 1024;

/// Where the file stands in the input.
const AT: &str = "input.file";

/// A picture to be kept.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct PictureUploadInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The picture: PNG, JPEG or WebP by its content, at most 1 MiB, at most 4,096 pixels wide and high, at most 64 MiB of memory to decode, not animated. It is written anew: what is not seen of it, such as the place where it was taken, is gone.
    pub file: Upload,
}

asks!(PictureUploadInput);

/// A picture that is ready to be kept.
struct Ready {
    id: PictureId,
    file: FileName,
    sha256: String,
    read: Read,
    size: usize,
    /// Whether its bytes were written, under a name that only this attempt has.
    is_written: bool,
}

/// `pictureUpload`. Sending what is there already answers with that, and keeps it from the sweep for another day.
///
/// # Errors
/// `FILE_TOO_LARGE`, `PICTURE_TYPE_REFUSED`, `PICTURE_TOO_LARGE`, `PICTURE_ANIMATED`, `PICTURE_BROKEN`,
/// `PICTURE_QUOTA_REACHED`; `STORAGE_UNAVAILABLE`.
pub async fn upload(caller: &Caller, input: &PictureUploadInput) -> Result<Model> {
    // Whoever may not is refused by the door, and nothing is decoded for him.
    let ready = if caller.may(Action::PictureUpload) {
        Some(prepare(caller, input).await?)
    } else {
        None
    };
    let kept = caller
        .act(Action::PictureUpload, input, async |tx| {
            let ready = ready.as_ref();
            let ready = ready.ok_or_else(|| Error::internal("nothing was prepared"))?;
            keep(tx, ready, input.dry_run.unwrap_or(false)).await
        })
        .await;
    if let Some(ready) = ready.filter(|ready| ready.is_written) {
        let is_used = match &kept {
            Ok(kept) => kept.id == ready.id,
            Err(error) => matches!(error, Error::Uncertain(_)),
        };
        // Where this fails, the sweep finds it.
        if !is_used && caller.app().store.delete(&ready.file.path()).await.is_err() {
            tracing::warn!(file = %ready.file, "a file without a row is left to the sweep");
        }
    }
    kept
}

/// The picture of this ID, to be shown.
///
/// # Errors
/// `NOT_FOUND` at `path`.
pub async fn find(reader: &Reader, path: &str, id: &str) -> Result<Model> {
    reader.find::<Entity>(path, id).await
}

/// Everything that takes time: decoding, writing anew, and the bytes into the store. No transaction is open.
async fn prepare(caller: &Caller, input: &PictureUploadInput) -> Result<Ready> {
    let app = caller.app();
    let content = input.file.content(AT, MAX_UPLOAD_BYTES)?.clone();
    let read = {
        let _permit = app.decoding.acquire().await.map_err(Error::internal)?;
        let decoding = tokio::task::spawn_blocking(move || read::picture(&content));
        decoding.await.map_err(Error::internal)?
    };
    let read = read.map_err(|refused| Problem::at(AT, refused.code()))?;
    let digest: [u8; 32] = Sha256::digest(&read.bytes).into();
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let view = caller.view(Action::PictureUpload).await?;
    let organization = view.organization_id();
    let is_known = of_content(&view, &sha256).await?.is_some();
    drop(view);
    caller.release().await;
    let id = PictureId(id::fresh(caller.now(), &app.random));
    let mut ready = Ready {
        id,
        file: FileName::of(&app.keys, organization, id, &digest, read.media_type),
        sha256,
        size: read.bytes.len(),
        read,
        is_written: false,
    };
    if !is_known && input.dry_run != Some(true) {
        let bytes = std::mem::take(&mut ready.read.bytes);
        let media_type = ready.read.media_type.content_type();
        app.store.put(&ready.file.path(), bytes.into(), media_type).await?;
        ready.is_written = true;
    }
    Ok(ready)
}

async fn of_content(reader: &Reader, sha256: &str) -> Result<Option<Model>> {
    let rows = reader.select::<Entity>().filter(Column::Sha256.eq(sha256));
    rows.one().await
}

async fn keep(tx: &Tx, ready: &Ready, is_dry_run: bool) -> Result<Model> {
    let now = tx.now();
    if let Some(known) = of_content(tx, &ready.sha256).await? {
        let known = tx.update::<Entity>(known, |row| row.touched_at = now).await?;
        tx.about::<Entity>(&known);
        return Ok(known);
    }
    if !ready.is_written && !is_dry_run {
        // It was there a moment ago, and was swept: the next attempt writes it.
        return Err(Error::Busy(1));
    }
    check_quota(tx, ready.size).await?;
    let side = |pixels: u32| i32::try_from(pixels).map_err(Error::internal);
    let picture = tx
        .create::<Entity>(Model {
            id: ready.id,
            organization_id: tx.organization_id(),
            sha256: ready.sha256.clone(),
            file: ready.file.to_string(),
            media_type: ready.read.media_type,
            width: side(ready.read.width)?,
            height: side(ready.read.height)?,
            byte_size: i32::try_from(ready.size).map_err(Error::internal)?,
            uploaded_at: now,
            touched_at: now,
        })
        .await?;
    tx.enqueue(sweep::job(now)).await?;
    Ok(picture)
}

#[derive(Debug, FromQueryResult)]
struct Total {
    bytes: Option<i64>,
}

/// The organization's turn is held, so that nobody else adds to the sum meanwhile.
async fn check_quota(tx: &Tx, more: usize) -> Result<()> {
    let sum = tx
        .select::<Entity>()
        .select_only()
        .column_as(Column::ByteSize.sum(), "bytes");
    let total = sum.rows::<Total>().await?.into_iter().find_map(|total| total.bytes);
    let held = u64::try_from(total.unwrap_or(0)).map_err(Error::internal)?;
    let more = u64::try_from(more).map_err(Error::internal)?;
    let quota = tx.app().settings.picture_quota;
    if held.saturating_add(more) <= quota {
        return Ok(());
    }
    let max = format!("{} MiB", quota / (1024 * 1024));
    Err(Problem::at(AT, Code::PictureQuotaReached).with("max", max).into())
}
