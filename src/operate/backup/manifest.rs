//! What a backup is and what is in it, as a file that everybody can read and nobody without the installation's secret can
//! change or make up.

use std::{collections::BTreeMap, fs::File, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use anyhow::{Context, ensure};
use sea_orm::ActiveEnum as _;
use serde::{Deserialize, Serialize};

use crate::kernel::{Keys, Timestamp, audit::anchor::Head, snapshot::KeyNeeded};

/// The form of backups that this version writes and reads.
pub(super) const FORMAT: u32 = 1;

const NAME: &str = "manifest.json";
const SEAL: &str = "manifest.mac";

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the backup.
    pub format: u32,
    /// The version of Orgdesk that wrote it.
    pub orgdesk: String,
    /// When it was begun: what was acknowledged before is in it.
    pub begun_at: Timestamp,
    /// When it was whole.
    pub ended_at: Timestamp,
    /// The file of the database: `database.sqlite` or `database.pgdump`.
    pub database: String,
    /// Where the files were kept: `folder` or `s3`.
    pub storage: String,
    /// The last change that was made to the tables.
    pub schema: String,
    /// The keys of the ring without which it can't be read.
    pub keys: Vec<KeyNeeded>,
    /// The ends of the audit log's chains.
    pub heads: Vec<HeadTold>,
    /// Every other file of the backup.
    pub files: Vec<FileTold>,
}

/// The end of a chain of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadTold {
    /// The organization's ID.
    pub organization: String,
    /// The log's name.
    pub log: String,
    /// The last place.
    pub sequence: i64,
    /// The hash there, in hexadecimal.
    pub hash: String,
}

impl HeadTold {
    pub(super) fn of(head: &Head) -> Self {
        Self {
            organization: head.organization.to_string(),
            log: head.log.to_value(),
            sequence: head.sequence,
            hash: hex(&head.hash),
        }
    }
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTold {
    /// Where it lies in the backup.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// The size of all files in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The names of the keys of the ring without which it can't be read, with commas between.
    pub fn key_names(&self) -> String {
        let names: Vec<&str> = self.keys.iter().map(|key| key.name.as_str()).collect();
        names.join(", ")
    }

    /// The ends of the chains by organization and log.
    pub(super) fn heads_by_log(&self) -> BTreeMap<(String, String), &HeadTold> {
        let heads = self.heads.iter();
        heads
            .map(|head| ((head.organization.clone(), head.log.clone()), head))
            .collect()
    }

    pub(super) fn write(&self, folder: &Path, keys: &Keys) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        write_new(&folder.join(NAME), text.as_bytes())?;
        write_new(&folder.join(SEAL), (seal(keys, text.as_bytes()) + "\n").as_bytes())
    }

    pub(super) fn read(folder: &Path, keys: &Keys) -> anyhow::Result<Self> {
        let read = |name| {
            let path = folder.join(name);
            std::fs::read(&path).with_context(|| format!("this is no backup: {}", path.display()))
        };
        let (text, mac) = (read(NAME)?, read(SEAL)?);
        let is_own = String::from_utf8_lossy(&mac) == seal(keys, &text) + "\n";
        ensure!(
            is_own,
            "the manifest was changed, or the backup is of an installation with another ORGDESK_SECRET"
        );
        let manifest: Self = serde_json::from_slice(&text).context("the manifest can't be read")?;
        ensure!(
            manifest.format == FORMAT,
            "the backup is of another form: it was written by Orgdesk {}",
            manifest.orgdesk
        );
        Ok(manifest)
    }
}

fn seal(keys: &Keys, text: &[u8]) -> String {
    hex(&keys.chain(b"backup manifest", text))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file that was not there, for its owner alone.
pub(super) fn write_new(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().with_context(|| path.display().to_string())
}
