//! `orgdesk backup` and `orgdesk restore`. A backup is a folder: the database as it was at one instant, the files that its
//! rows speak of, the anchor of the logs as far as that database knows it, and a manifest that names all of it. The manifest
//! is bound to the installation by its secret: what was changed, or is another's, is not restored.
//!
//! The secret and the key ring are not in it. Whoever finds a backup reads no sealed value of it; whoever is to restore it
//! needs the keys from elsewhere, and the manifest says which.

mod files;
mod keys;
mod manifest;
mod restore;

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::kernel::{
    Clock, Keys, Settings,
    config::{AnchorPlace, Storage},
    snapshot,
    store::Store,
};

pub use keys::{check_keys_file, write_keys};
pub use manifest::{FileTold, HeadTold, Manifest};
pub use restore::{Restored, check_backup, restore_backup};

/// The name of the anchor in a backup.
const ANCHOR: &str = "audit-anchor.jsonl";
/// The folder of the stored files in a backup.
const FILES: &str = "files";

/// The database in a backup.
fn database_name(url: &str) -> &'static str {
    if url.starts_with("sqlite:") {
        "database.sqlite"
    } else {
        "database.pgdump"
    }
}

/// Writes a backup into a folder that is not there yet, beside a running service. `url` is the database's address, on
/// PostgreSQL of a role that sees all rows. All that was acknowledged before it began is in it.
///
/// # Errors
/// If the folder is there, or anything can't be read or written: then there is no folder.
pub async fn back_up(settings: &Settings, url: &str, clock: &dyn Clock, folder: &Path) -> anyhow::Result<Manifest> {
    let begun_at = clock.now();
    let half = Half::make(folder)?;
    let store = Store::open(&settings.storage, &settings.data).map_err(super::told)?;
    // An object is written before its row and goes after it. So those of before the instant, and those that came meanwhile.
    let mut copied = files::Copied::into(half.path.join(FILES));
    copied.copy(&store).await?;
    let name = database_name(url);
    let facts = snapshot::take(url, &half.path.join(name)).await?;
    copied.copy(&store).await?;
    let anchored = |place: &AnchorPlace| facts.anchored.get(&place.name()).copied().unwrap_or(0);
    copied.leave_out_blocks_after(anchored(&AnchorPlace::Store))?;
    let mut all = copied.finish()?;
    all.push(files::told(&half.path, name)?);
    if let AnchorPlace::File(path) = &settings.logs.anchor
        && path.exists()
    {
        files::copy_anchor(path, &half.path.join(ANCHOR), anchored(&settings.logs.anchor))?;
        all.push(files::told(&half.path, ANCHOR)?);
    }
    let manifest = Manifest {
        format: manifest::FORMAT,
        orgdesk: env!("CARGO_PKG_VERSION").to_owned(),
        begun_at,
        ended_at: clock.now(),
        database: name.to_owned(),
        storage: match settings.storage {
            Storage::Folder => "folder".to_owned(),
            Storage::Bucket(_) => "s3".to_owned(),
        },
        schema: facts.schema,
        keys: facts.keys,
        heads: facts.heads.iter().map(HeadTold::of).collect(),
        files: all,
    };
    manifest.write(&half.path, &Keys::derive(&settings.secret))?;
    half.finish(folder)?;
    Ok(manifest)
}

/// A folder for its owner alone, which gets its name when it is whole and otherwise goes.
struct Half {
    path: PathBuf,
    is_whole: bool,
}

impl Half {
    fn make(folder: &Path) -> anyhow::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        ensure!(!folder.exists(), "{} is there already", folder.display());
        let mut path = folder.as_os_str().to_owned();
        path.push(".partial");
        let path = PathBuf::from(path);
        std::fs::DirBuilder::new().mode(0o700).create(&path).with_context(|| {
            let is_left = path.exists();
            let why = if is_left {
                ": another is at work, or one was interrupted; then remove it"
            } else {
                ""
            };
            format!("{}{why}", path.display())
        })?;
        Ok(Self { path, is_whole: false })
    }

    fn finish(mut self, folder: &Path) -> anyhow::Result<()> {
        files::sync_folders(&self.path)?;
        std::fs::rename(&self.path, folder).with_context(|| folder.display().to_string())?;
        self.is_whole = true;
        files::sync_parent(folder)
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        if !self.is_whole
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, "what was begun of a backup stays there");
        }
    }
}
