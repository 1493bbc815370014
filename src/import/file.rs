//! The file of an import: encrypted in the store under a key of its own, which lies sealed in the import's row. It is
//! written before its row and goes before its row forgets it, so that a crash leaves a file without a row at worst.

use bytes::Bytes;
use futures_util::Stream;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::entity::Model;
use crate::kernel::{
    Caller, Error, ImportId, OrganizationId, Reader, Result, Tx, id,
    seal::{Cell, FileKey, Keychain, Purpose, Sealed},
};

/// What is served to nobody has no type of its own.
const MEDIA_TYPE: &str = "application/octet-stream";

/// Where the files of all imports are.
const FOLDER: &str = "imports";

/// Where the file of an import is.
pub fn path(organization: OrganizationId, import: ImportId) -> String {
    format!("{FOLDER}/{}/{}", id::encode(organization.0), id::encode(import.0))
}

/// Where the files of an organization's imports are.
pub fn folder(organization: OrganizationId) -> String {
    format!("{FOLDER}/{}", id::encode(organization.0))
}

/// The import of a file by the path of that file.
pub fn import_of(path: &str) -> Option<ImportId> {
    path.rsplit('/').next().and_then(id::decode).map(ImportId)
}

/// The hash of a file, in hexadecimal.
pub fn hash(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(super) fn cell(import: &ImportId) -> Cell<'_> {
    Cell {
        table: "import",
        column: "file_key",
        row: import.0.as_bytes(),
    }
}

/// Writes a file; answers the key that it is encrypted under.
///
/// # Errors
/// `STORAGE_UNAVAILABLE`.
pub async fn write(caller: &Caller, import: ImportId, content: Bytes) -> Result<FileKey> {
    let app = caller.app().clone();
    let organization = caller.organization_id().ok_or(Error::Unauthenticated)?;
    let key = FileKey::fresh(&app.random);
    let random = app.random.clone();
    let encrypted = tokio::task::spawn_blocking(move || key.encrypt(&random, &content).map(|stored| (key, stored)));
    let (key, stored) = encrypted.await.map_err(Error::internal)??;
    app.store.put(&path(organization, import), stored, MEDIA_TYPE).await?;
    Ok(key)
}

/// How many workbooks are made for whoever fetches them at a time. Each takes memory, a process or a connection
/// meanwhile, and one link can be fetched by many at once.
static MAKING: Semaphore = Semaphore::const_new(2);

/// A seat for making a workbook, given back when it is dropped.
///
/// # Errors
/// Never: nobody closes it.
pub async fn seat() -> Result<SemaphorePermit<'static>> {
    MAKING.acquire().await.map_err(Error::internal)
}

/// The key of a file, as the import's row keeps it.
///
/// # Errors
/// If the database fails, or the ring can't wrap.
pub async fn sealed(tx: &Tx, import: ImportId, key: &FileKey) -> Result<Sealed> {
    let keys = Keychain::for_sealing(tx, Purpose::File).await?;
    key.sealed(&keys, &tx.app().random, &cell(&import))
}

/// The key of an import's file.
///
/// # Errors
/// If the database fails, or the key does not open.
pub async fn key(reader: &Reader, caller: &Caller, import: &Model) -> Result<FileKey> {
    let keys = Keychain::of(reader, caller.app(), Purpose::File).await?;
    FileKey::opened(&keys, &cell(&import.id), &import.file_key).map_err(Error::internal)
}

/// The content of an import's file, piece by piece; `None` where it is gone. A piece that was changed in the store does not
/// open.
///
/// # Errors
/// `STORAGE_UNAVAILABLE`.
pub async fn content(
    caller: &Caller,
    import: &Model,
    key: FileKey,
) -> Result<Option<impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static>> {
    let found = caller.app().store.get(&path(import.organization_id, import.id)).await?;
    Ok(found.map(|found| key.decrypt(found.content)))
}
