//! Where files are kept that are no rows: a folder of this machine, or a bucket of S3 or whatever speaks as it does. An
//! object is written once, under a name of its own, and never changes; whoever writes one has its name in no row yet.
//!
//! Nothing here is part of a transaction. So a row is written after its object and goes before it: what a crash leaves
//! over is an object without a row, which a job finds, and never a row without its object.

use std::{
    path::{Path as Folder, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    Attribute, Attributes, ClientOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig,
    WriteMultipart, aws::AmazonS3Builder, local::LocalFileSystem, path::Path,
};

use super::{
    Error, Result,
    config::{Bucket, Storage},
};

/// The folder in the data folder, where no bucket is set.
pub const FOLDER: &str = "files";
/// Longest that one request to the bucket may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest that a connection to the bucket may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// How often a request to the bucket is repeated that may do better another time, and how long in all.
const RETRIES: (usize, Duration) = (2, Duration::from_secs(12));
/// Most objects that one listing walks.
const MOST_LISTED: usize = 100_000;
/// What the names of files in a folder have that are no objects yet: a number follows.
const UNFINISHED: char = '#';

/// The store of an installation. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Place);

#[derive(Clone, Debug)]
enum Place {
    /// A folder that is made when the first object comes.
    Folder {
        path: PathBuf,
        open: Arc<OnceLock<LocalFileSystem>>,
    },
    Bucket(Arc<dyn ObjectStore>),
}

/// An object that is there.
pub struct Found {
    /// Its size in bytes.
    pub bytes: u64,
    /// Its content, piece by piece.
    pub content: BoxStream<'static, Result<Bytes>>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store of the settings. Nobody is asked: a bucket that does not answer is found out when it is needed.
    ///
    /// # Errors
    /// If the bucket's settings make no address.
    pub fn open(storage: &Storage, data: &Folder) -> Result<Self> {
        Ok(Self(match storage {
            Storage::Folder => Place::Folder {
                path: data.join(FOLDER),
                open: Arc::default(),
            },
            Storage::Bucket(bucket) => Place::Bucket(Arc::new(connect(bucket)?)),
        }))
    }

    /// Writes an object.
    ///
    /// # Errors
    /// `STORAGE_UNAVAILABLE`.
    pub async fn put(&self, path: &str, content: Bytes, media_type: &'static str) -> Result<()> {
        let store = self.made()?;
        // A folder has no place for attributes, and refuses them.
        let attributes = match self.0 {
            Place::Folder { .. } => Attributes::new(),
            Place::Bucket(_) => Attributes::from_iter([(Attribute::ContentType, media_type)]),
        };
        let options = PutOptions {
            attributes,
            ..PutOptions::default()
        };
        let written = store.put_opts(&Path::from(path), content.into(), options).await;
        written.map(drop).map_err(unavailable)
    }

    /// Writes an object where there is none of this name; answers whether it was written.
    ///
    /// # Errors
    /// `STORAGE_UNAVAILABLE`.
    pub async fn put_new(&self, path: &str, content: Bytes) -> Result<bool> {
        let (store, path) = (self.made()?, Path::from(path));
        match store.put_opts(&path, content.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Writes an object piece by piece, so that none has to be in memory as a whole. It is there when all of it is, and not
    /// before.
    ///
    /// # Errors
    /// `STORAGE_UNAVAILABLE`, and whatever the pieces say; there is no object then.
    pub async fn put_pieces(&self, path: &str, mut pieces: impl Stream<Item = Result<Bytes>> + Unpin) -> Result<()> {
        let store = self.made()?;
        let upload = store.put_multipart(&Path::from(path)).await.map_err(unavailable)?;
        let mut upload = WriteMultipart::new(upload);
        let written = async {
            while let Some(piece) = pieces.next().await {
                upload.put(piece?);
                upload.wait_for_capacity(1).await.map_err(unavailable)?;
            }
            Ok(())
        };
        match written.await {
            Ok(()) => upload.finish().await.map(drop).map_err(unavailable),
            Err(error) => {
                if let Err(fault) = upload.abort().await {
                    tracing::warn!(%fault, "what was begun in the store of files stays there");
                }
                Err(error)
            }
        }
    }

    /// An object; `None` where there is none.
    ///
    /// # Errors
    /// `STORAGE_UNAVAILABLE`.
    pub async fn get(&self, path: &str) -> Result<Option<Found>> {
        let Some(store) = self.there()? else { return Ok(None) };
        match store.get(&Path::from(path)).await {
            Ok(found) => Ok(Some(Found {
                bytes: found.meta.size,
                content: found.into_stream().map_err(unavailable).boxed(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// The size of an object in bytes; `None` where there is none.
    ///
    /// # Errors
    /// `STORAGE_UNAVAILABLE`.
    pub async fn size(&self, path: &str) -> Result<Option<u64>> {
        let Some(store) = self.there()? else { return Ok(None) };
        match store.head(&Path::from(path)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Removes an object. One that is not there is as good as removed.
    ///
    /// # Errors
    /// `STORAGE_UNAVAILABLE`.
    pub async fn delete(&self, path: &str) -> Result<()> {
        if let (Place::Folder { path: root, .. }, true) = (&self.0, path.contains(UNFINISHED)) {
            return match tokio::fs::remove_file(root.join(path)).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unavailable(error)),
                _ => Ok(()),
            };
        }
        let Some(store) = self.there()? else { return Ok(()) };
        match store.delete(&Path::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// The paths of the objects below a prefix, in no order, at most 100,000.
    ///
    /// # Errors
    /// `STORAGE_UNAVAILABLE`.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let Some(store) = self.there()? else {
            return Ok(Vec::new());
        };
        let found = store.list(Some(&Path::from(prefix))).take(MOST_LISTED);
        let paths = found.map_ok(|object| object.location.to_string());
        paths.try_collect().await.map_err(unavailable)
    }

    /// The paths of all objects, in no order and however many they are.
    ///
    /// # Errors
    /// `STORAGE_UNAVAILABLE`, also in the midst of it.
    pub fn walk(&self) -> Result<BoxStream<'static, Result<String>>> {
        Ok(match self.there()? {
            None => futures_util::stream::empty().boxed(),
            Some(store) => {
                let found = store.list(None).map_ok(|object| object.location.to_string());
                found.map_err(unavailable).boxed()
            }
        })
    }

    /// What lies in a folder of the store that never became an object, since its server fell while it was written: the path of
    /// the object, `#` and a number, good for [`Store::delete`]. No listing shows it otherwise. What a bucket has of that kind
    /// ends by a rule of the bucket.
    ///
    /// # Errors
    /// `STORAGE_UNAVAILABLE`.
    pub async fn unfinished(&self, folder: &str) -> Result<Vec<String>> {
        let Place::Folder { path: root, .. } = &self.0 else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let mut entries = match tokio::fs::read_dir(root.join(folder)).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
            entries => entries.map_err(unavailable)?,
        };
        while let Some(entry) = entries.next_entry().await.map_err(unavailable)? {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.contains(UNFINISHED) && found.len() < MOST_LISTED {
                found.push(format!("{folder}/{name}"));
            }
        }
        Ok(found)
    }

    /// The store, where there is something in it.
    fn there(&self) -> Result<Option<&dyn ObjectStore>> {
        match &self.0 {
            Place::Folder { path, .. } if !path.exists() => Ok(None),
            _ => self.made().map(Some),
        }
    }

    /// The store; a folder is made for its owner alone.
    fn made(&self) -> Result<&dyn ObjectStore> {
        use std::os::unix::fs::DirBuilderExt;
        match &self.0 {
            Place::Bucket(bucket) => Ok(bucket.as_ref()),
            Place::Folder { path, open } => {
                if let Some(open) = open.get() {
                    return Ok(open);
                }
                let mut folder = std::fs::DirBuilder::new();
                folder.recursive(true).mode(0o700);
                folder.create(path).map_err(unavailable)?;
                let opened = LocalFileSystem::new_with_prefix(path).map_err(unavailable)?;
                Ok(open.get_or_init(|| opened.with_fsync(true).with_automatic_cleanup(true)))
            }
        }
    }
}

fn connect(bucket: &Bucket) -> Result<object_store::aws::AmazonS3> {
    let is_plain = bucket.endpoint.as_deref().is_some_and(|url| url.starts_with("http://"));
    let client = ClientOptions::new()
        .with_timeout(PATIENCE)
        .with_connect_timeout(CONNECT_PATIENCE)
        .with_allow_http(is_plain);
    let retry = RetryConfig {
        max_retries: RETRIES.0,
        retry_timeout: RETRIES.1,
        ..RetryConfig::default()
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_region(&bucket.region)
        .with_access_key_id(&bucket.access_key)
        .with_secret_access_key(bucket.secret_key.as_str())
        .with_virtual_hosted_style_request(!bucket.has_path_style)
        .with_client_options(client)
        .with_retry(retry);
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    builder.build().map_err(Error::internal)
}

/// What failed is for the log: it may name hosts and paths.
fn unavailable(error: impl std::fmt::Display) -> Error {
    tracing::warn!(%error, "the store of files failed");
    Error::StorageUnavailable
}
