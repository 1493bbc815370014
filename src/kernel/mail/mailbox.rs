//! Letters where there is no mail server: each is a file in the data folder, which only its owner can read, and the
//! newest of them can be looked at.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::{FutureExt, future::BoxFuture};
use lettre::message::Mailbox as Sender;
use serde::{Deserialize, Serialize};

use super::{Letter, Mailer, Undelivered, message::message};
use crate::kernel::{Clock, Random, Timestamp, id};

/// The most letters that are kept; the oldest go first.
pub const MOST: usize = 200;

/// A letter that was put into the mailbox.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// From whom, as the header has it.
    pub from: String,
    /// The recipient's name.
    pub name: String,
    /// The recipient's address.
    pub email: String,
    /// What it is about.
    pub subject: String,
    /// Its `Message-ID`.
    pub message_id: String,
    /// What it says, as text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept(***)")
    }
}

/// A folder of letters.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The one in a data folder. It is made when the first letter comes.
    pub fn of(data: &Path) -> Self {
        Self(data.join("mailbox"))
    }

    /// The newest letters with their IDs, the newest first, at most [`MOST`].
    ///
    /// # Errors
    /// If the folder can't be read. A file that is no letter is passed over.
    pub fn letters(&self) -> io::Result<Vec<(String, Kept)>> {
        let names = self.names()?;
        let newest = names.into_iter().rev().take(MOST);
        Ok(newest
            .filter_map(|name| self.letter(&name).ok().flatten().map(|kept| (name, kept)))
            .collect())
    }

    /// One letter by its ID; `None` where there is none.
    ///
    /// # Errors
    /// If its file can't be read.
    pub fn letter(&self, id: &str) -> io::Result<Option<Kept>> {
        // Only what `encode` writes becomes a part of a path.
        if id::decode(id).is_none() {
            return Ok(None);
        }
        match fs::read(self.file(id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => Ok(Some(serde_json::from_slice(&read?)?)),
        }
    }

    /// Puts a letter in, on the disk when this returns, and takes out the oldest ones beyond [`MOST`].
    fn put(&self, id: &str, kept: &Kept) -> io::Result<()> {
        let mut folder = fs::DirBuilder::new();
        folder.recursive(true).mode(0o700).create(&self.0)?;
        let half = self.0.join(format!("{id}.half"));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&half)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        file.sync_all()?;
        fs::rename(half, self.file(id))?;
        let names = self.names()?;
        let too_many = names.len().saturating_sub(MOST);
        names
            .iter()
            .take(too_many)
            .try_for_each(|name| match fs::remove_file(self.file(name)) {
                // Another server of this folder was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed,
            })
    }

    /// The IDs of all letters, the oldest first: an ID begins with its instant.
    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json"));
            names.extend(id.filter(|id| id::decode(id).is_some()).map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    fn file(&self, id: &str) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }
}

/// Puts letters into a folder.
pub struct Mailbox {
    folder: Folder,
    from: Sender,
    clock: Arc<dyn Clock>,
    random: Random,
}

impl Mailbox {
    /// A mailbox in a folder.
    pub fn new(folder: Folder, from: Sender, clock: Arc<dyn Clock>, random: Random) -> Self {
        Self {
            folder,
            from,
            clock,
            random,
        }
    }
}

impl Mailer for Mailbox {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), Undelivered>> {
        async move {
            let sent_at = self.clock.now();
            // What no server would be given is not kept here either.
            message(letter.clone(), &self.from, sent_at)?;
            let kept = Kept {
                sent_at,
                from: self.from.to_string(),
                name: letter.to.name,
                email: letter.to.email,
                subject: letter.subject,
                message_id: super::message::id(&letter.message_id, &self.from),
                text: letter.text,
                html: letter.html,
            };
            let id = id::encode(id::fresh(sent_at, &self.random));
            let folder = self.folder.clone();
            let put = tokio::task::spawn_blocking(move || folder.put(&id, &kept)).await;
            match put {
                Ok(Ok(())) => Ok(()),
                _ => Err(Undelivered::Later("MAILBOX".to_owned())),
            }
        }
        .boxed()
    }
}
