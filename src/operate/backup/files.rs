//! The files of a backup: those of the store, copied while others come and go, and the anchor as far as the database knows it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};

use super::{
    FILES, FileTold,
    manifest::{hex, write_new},
};
use crate::{kernel::store::Store, operate::told as in_words};

/// Where the blocks of an anchor lie in the store; a number follows.
const BLOCKS: &str = "audit-anchor/";

/// How much is read at a time.
pub(super) const PIECE: usize = 256 * 1_024;

/// What was copied from the store so far.
pub(super) struct Copied {
    folder: PathBuf,
    files: BTreeMap<String, FileTold>,
}

impl Copied {
    pub(super) fn into(folder: PathBuf) -> Self {
        Self {
            folder,
            files: BTreeMap::new(),
        }
    }

    /// Copies what was not there before: an object is written once and never changes. One that goes meanwhile is left out.
    pub(super) async fn copy(&mut self, store: &Store) -> anyhow::Result<()> {
        let mut paths = store.walk().map_err(in_words)?;
        while let Some(path) = paths.next().await {
            let path = path.map_err(in_words)?;
            if self.files.contains_key(&path) {
                continue;
            }
            let Some(found) = store.get(&path).await.map_err(in_words)? else {
                continue;
            };
            let place = inside(&self.folder, &path)?;
            make_folders(place.parent().unwrap_or(&self.folder))?;
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&place)?;
            let (mut digest, mut bytes, mut pieces) = (Sha256::new(), 0, found.content);
            while let Some(piece) = pieces.try_next().await.map_err(in_words)? {
                file.write_all(&piece)?;
                digest.update(&piece);
                bytes += piece.len() as u64;
            }
            file.sync_all()?;
            let told = FileTold {
                path: format!("{FILES}/{path}"),
                bytes,
                sha256: hex(&digest.finalize()),
            };
            self.files.insert(path, told);
        }
        Ok(())
    }

    /// An anchor that knows more than the database would show a log that was cut off.
    pub(super) fn leave_out_blocks_after(&mut self, number: i64) -> anyhow::Result<()> {
        let is_later = |path: &str| {
            let block = path.strip_prefix(BLOCKS).and_then(|block| block.parse::<i64>().ok());
            block.is_some_and(|block| block > number)
        };
        let later: Vec<String> = self.files.keys().filter(|path| is_later(path)).cloned().collect();
        for path in later {
            std::fs::remove_file(inside(&self.folder, &path)?)?;
            self.files.remove(&path);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> anyhow::Result<Vec<FileTold>> {
        Ok(self.files.into_values().collect())
    }
}

/// What is looked at of a line of an anchor.
#[derive(serde::Deserialize)]
struct Numbered {
    number: i64,
}

/// Copies an anchor up to the block that the database knows, and what else stands before it.
pub(super) fn copy_anchor(from: &Path, into: &Path, number: i64) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(from).with_context(|| from.display().to_string())?;
    let is_later = |line: &&str| {
        let block = serde_json::from_str::<Numbered>(line);
        block.is_ok_and(|block| block.number > number)
    };
    let known: String = text.split_inclusive('\n').take_while(|line| !is_later(line)).collect();
    write_new(into, known.as_bytes())
}

/// What a file of a backup is.
pub(super) fn told(folder: &Path, path: &str) -> anyhow::Result<FileTold> {
    let place = inside(folder, path)?;
    let mut file = File::open(&place).with_context(|| place.display().to_string())?;
    let (mut digest, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        digest.update(piece.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
    Ok(FileTold {
        path: path.to_owned(),
        bytes,
        sha256: hex(&digest.finalize()),
    })
}

/// A place in a folder; no path leads out of it.
pub(super) fn inside(folder: &Path, path: &str) -> anyhow::Result<PathBuf> {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    ensure!(
        !path.is_empty() && Path::new(path).components().all(is_plain),
        "{path} is no path of a backup"
    );
    Ok(folder.join(path))
}

/// Makes folders for their owner alone.
pub(super) fn make_folders(path: &Path) -> anyhow::Result<()> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| path.display().to_string())
}

/// Has the names in a folder and below it on the disk.
pub(super) fn sync_folders(folder: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_folders(&path)?;
        }
    }
    Ok(File::open(folder)?.sync_all()?)
}

/// Has a name on the disk.
pub(super) fn sync_parent(path: &Path) -> anyhow::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok(File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?)
}
