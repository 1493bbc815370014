//! The file of an extraction: encrypted in the store under a key of its own, which lies sealed in the extraction's row. It is
//! written before its row has the key, and the key goes before the file does: what a crash leaves over is bytes that nobody can
//! read.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::Stream;
use sha2::{Digest as _, Sha256};

use super::entity::Model;
use crate::kernel::{
    App, Caller, Error, ExtractionId, OrganizationId, Reader, Result, Tx, id,
    seal::{Cell, FileKey, Keychain, Purpose, Sealed, Staged},
};

/// Where the files of all extractions are.
const FOLDER: &str = "extractions";

/// Where the file of an extraction is. Whoever was overtaken writes elsewhere.
pub(super) fn path(organization: OrganizationId, extraction: ExtractionId, fence: i32) -> String {
    format!("{}/{}-{fence}", folder(organization), id::encode(extraction.0))
}

/// Where the files of an organization's extractions are.
pub(super) fn folder(organization: OrganizationId) -> String {
    format!("{FOLDER}/{}", id::encode(organization.0))
}

/// Which extraction's file it is, or was to be, and whose of those who made it.
pub(super) fn extraction_of(path: &str) -> Option<(ExtractionId, i32)> {
    let (path, _) = path.split_once('#').unwrap_or((path, ""));
    let (extraction, fence) = path.rsplit('/').next()?.split_once('-')?;
    Some((ExtractionId(id::decode(extraction)?), fence.parse().ok()?))
}

/// Where the key of an extraction's file stands.
pub(super) fn key_cell(extraction: &ExtractionId) -> Cell<'_> {
    Cell {
        table: "extraction",
        column: "file_key",
        row: extraction.0.as_bytes(),
    }
}

/// Where stands what an extraction is made by.
pub(super) fn asked_cell(extraction: &ExtractionId) -> Cell<'_> {
    Cell {
        table: "extraction",
        column: "asked",
        row: extraction.0.as_bytes(),
    }
}

/// A file that was written.
pub(super) struct Written {
    pub key: FileKey,
    /// Its size in bytes.
    pub bytes: i64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Writes a file, piece by piece.
///
/// # Errors
/// `STORAGE_UNAVAILABLE`; there is no file then.
pub(super) async fn write(app: &App, extraction: &Model, file: Staged) -> Result<Written> {
    let key = FileKey::fresh(&app.random);
    let seen = Arc::new(Mutex::new((0_i64, Sha256::new())));
    let noting = {
        let seen = seen.clone();
        move |piece: &[u8]| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.0 += i64::try_from(piece.len()).unwrap_or(0);
            seen.1.update(piece);
        }
    };
    let pieces = key.again().encrypt_pieces(app.random.clone(), file, noting);
    let path = path(extraction.organization_id, extraction.id, extraction.fence);
    app.store.put_pieces(&path, pieces).await?;
    let (bytes, hash) = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Written {
        key,
        bytes,
        sha256: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

/// The key of a file, as the extraction's row keeps it.
///
/// # Errors
/// If the database fails, or the ring can't wrap.
pub(super) async fn sealed(tx: &Tx, extraction: ExtractionId, key: &FileKey) -> Result<Sealed> {
    let keys = Keychain::for_sealing(tx, Purpose::File).await?;
    key.sealed(&keys, &tx.app().random, &key_cell(&extraction))
}

/// The content of an extraction's file, piece by piece; `None` where it is gone. A piece that was changed in the store does
/// not open.
///
/// # Errors
/// `STORAGE_UNAVAILABLE`; if the key does not open.
pub(super) async fn content(
    reader: &Reader,
    caller: &Caller,
    extraction: &Model,
) -> Result<Option<impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static>> {
    let Some(sealed) = &extraction.file_key else {
        return Ok(None);
    };
    let keys = Keychain::of(reader, caller.app(), Purpose::File).await?;
    let key = FileKey::opened(&keys, &key_cell(&extraction.id), sealed).map_err(Error::internal)?;
    let path = path(extraction.organization_id, extraction.id, extraction.fence);
    let found = caller.app().store.get(&path).await?;
    Ok(found.map(|found| key.decrypt(found.content)))
}
