//! An anchor in a file, to whose end is written and nothing else. What was read of it stays in memory, and then only what
//! was appended is read. All of it is read again once an hour, and wherever it looks as if more was done to the file than
//! to append to it: it has become shorter, is another file, or does not have the last block where that was.

use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError},
    io::{BufRead, BufReader, Read, Result, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::kernel::{App, Error, Keys, Timestamp, audit::anchor::Anchor};

/// How long what was read is believed without reading all of it again.
const BELIEVED: chrono::Duration = chrono::Duration::hours(1);

/// How much of the end of what was read has to be where it was: a block ends with its MAC.
const TAIL: usize = 128;

/// How long another server's writing is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether that one is done.
const LOOK: Duration = Duration::from_millis(20);

/// What was read of the file of this installation; no lock is held while it is read.
#[derive(Debug, Default)]
struct Kept(Mutex<Option<Arc<Seen>>>);

/// What was read of a file.
#[derive(Debug, Clone)]
struct Seen {
    path: PathBuf,
    /// Which file it was, how long it was, and when it was changed.
    state: State,
    /// Behind the last whole line.
    offset: u64,
    /// What stood before that.
    tail: Vec<u8>,
    /// What the whole lines tell.
    whole: Arc<Anchor>,
    /// What all of it tells, with a last line that has no end yet.
    known: Arc<Anchor>,
    /// When all of it was read.
    read_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    file: (u64, u64),
    length: u64,
    changed: (i64, i64),
}

impl State {
    fn of(file: &Metadata) -> Self {
        Self {
            file: (file.dev(), file.ino()),
            length: file.len(),
            changed: (file.mtime(), file.mtime_nsec()),
        }
    }
}

/// What the file of this installation knows.
pub(super) async fn read(app: &App, path: &Path) -> crate::kernel::Result<Arc<Anchor>> {
    let (keys, path, now) = (app.keys.clone(), path.to_owned(), app.clock.now());
    let kept = app.shelf.lasting::<Kept>();
    blocking(move || {
        let Some(mut file) = opened(&path)? else {
            return Ok(Arc::default());
        };
        let seen = look(&mut file, &path, &keys, kept.get(), now)?;
        kept.put(&seen);
        Ok(seen.known.clone())
    })
    .await
}

/// What any file knows, such as a copy of an anchor.
pub(super) async fn read_copy(app: &App, path: &Path) -> crate::kernel::Result<Arc<Anchor>> {
    let (keys, path, now) = (app.keys.clone(), path.to_owned(), app.clock.now());
    blocking(move || {
        let Some(mut file) = opened(&path)? else {
            return Ok(Arc::default());
        };
        Ok(look(&mut file, &path, &keys, None, now)?.known.clone())
    })
    .await
}

/// Appends the block that `next` makes of what the file knows by then. Answers what it knows with it.
pub(super) async fn append(
    app: &App,
    path: PathBuf,
    next: impl FnOnce(&Anchor) -> crate::kernel::Result<String> + Send + 'static,
) -> crate::kernel::Result<Arc<Anchor>> {
    let (keys, now) = (app.keys.clone(), app.clock.now());
    let kept = app.shelf.lasting::<Kept>();
    blocking(move || {
        let is_new = !path.exists();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)?;
        // Given back when the file is closed, also by a process that dies.
        lock(&file)?;
        let seen = look(&mut file, &path, &keys, kept.get(), now)?;
        let line = next(&seen.known).map_err(|error| std::io::Error::other(format!("{error:?}")))?;
        // What a server that fell left behind stays, on a line of its own.
        let is_open = seen.offset < seen.state.length;
        let text = format!("{}{line}\n", if is_open { "\n" } else { "" });
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if is_new && let Some(folder) = folder {
            File::open(folder)?.sync_all()?;
        }
        let seen = look(&mut file, &path, &keys, Some(seen), now)?;
        kept.put(&seen);
        Ok(seen.known.clone())
    })
    .await
}

impl Kept {
    fn get(&self) -> Option<Arc<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, seen: &Arc<Seen>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen.clone());
    }
}

/// Reads on behind what was read, or all of it.
fn look(file: &mut File, path: &Path, keys: &Keys, kept: Option<Arc<Seen>>, now: Timestamp) -> Result<Arc<Seen>> {
    let state = State::of(&file.metadata()?);
    let is_fresh = |seen: &Arc<Seen>| {
        seen.path == path && seen.state.file == state.file && seen.read_at <= now && now.0 - seen.read_at.0 < BELIEVED
    };
    let kept = kept.filter(is_fresh);
    if let Some(seen) = kept.as_ref().filter(|seen| seen.state == state) {
        return Ok(seen.clone());
    }
    let goes_on = match kept {
        Some(seen) if seen.state.length < state.length && has_tail(file, &seen)? => Some(seen),
        _ => None,
    };
    let mut seen = match goes_on {
        Some(seen) => Seen {
            state,
            ..(*seen).clone()
        },
        None => Seen {
            path: path.to_owned(),
            state,
            offset: 0,
            tail: Vec::new(),
            whole: Arc::default(),
            known: Arc::default(),
            read_at: now,
        },
    };
    file.seek(SeekFrom::Start(seen.offset))?;
    // No further than it was when it was looked at: whoever appends meanwhile is read next time.
    let mut lines = BufReader::new(file.take(state.length.saturating_sub(seen.offset)));
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 && line.last() == Some(&b'\n') {
        let text = String::from_utf8_lossy(&line);
        Arc::make_mut(&mut seen.whole).take(keys, text.trim_end_matches(['\r', '\n']), now);
        seen.offset += line.len() as u64;
        seen.tail.extend_from_slice(&line);
        seen.tail.drain(..seen.tail.len().saturating_sub(TAIL));
        line.clear();
    }
    seen.known = seen.whole.clone();
    if !line.is_empty() {
        Arc::make_mut(&mut seen.known).take(keys, &String::from_utf8_lossy(&line), now);
    }
    Ok(Arc::new(seen))
}

/// Whether what was read last is where it was.
fn has_tail(file: &mut File, seen: &Seen) -> Result<bool> {
    let mut tail = vec![0; seen.tail.len()];
    file.seek(SeekFrom::Start(seen.offset - seen.tail.len() as u64))?;
    file.read_exact(&mut tail)?;
    Ok(!tail.is_empty() && tail == seen.tail)
}

fn opened(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits for other writers, but not for one that hangs.
fn lock(file: &File) -> Result<()> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => {
                return Err(std::io::Error::other("another process has locked the anchor"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> crate::kernel::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(Error::internal)?.map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use chrono::DateTime;

    use super::*;
    use crate::kernel::audit::anchor::Kept as Months;

    fn at(minutes: i64) -> Timestamp {
        Timestamp(DateTime::UNIX_EPOCH + chrono::Duration::minutes(1_000_000 + minutes))
    }

    /// An anchor of so many blocks, and what was read of it.
    fn written(path: &Path, keys: &Keys, blocks: i64) -> Arc<Seen> {
        let mut known = Anchor::default();
        let mut text = String::new();
        for block in 0..blocks {
            let line = known.next(keys, at(block), &[], &Months::new()).unwrap();
            known.take(keys, &line, at(blocks));
            text += &format!("{line}\n");
        }
        std::fs::write(path, text).unwrap();
        look(&mut File::open(path).unwrap(), path, keys, None, at(0)).unwrap()
    }

    fn append(path: &Path, text: &str) {
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn l3_only_what_was_appended_is_read() {
        let (folder, keys) = (tempfile::tempdir().unwrap(), Keys::derive(&[7; 32]));
        let path = folder.path().join("anchor");
        let first = written(&path, &keys, 3);
        let again = |seen: &Arc<Seen>, now| {
            look(&mut File::open(&path).unwrap(), &path, &keys, Some(seen.clone()), now).unwrap()
        };
        assert_eq!((first.known.number(), first.read_at), (3, at(0)));
        assert!(Arc::ptr_eq(&again(&first, at(59)), &first), "nothing was done to it");

        let line = first.known.next(&keys, at(3), &[], &Months::new()).unwrap();
        append(&path, &line[..50]);
        let half = again(&first, at(1));
        assert_eq!(
            (half.known.number(), half.known.is_torn(), half.read_at),
            (3, true, at(0))
        );
        append(&path, &format!("{}\n", &line[50..]));
        let whole = again(&half, at(2));
        assert_eq!(
            (whole.known.number(), whole.known.is_torn(), whole.read_at),
            (4, false, at(0))
        );
        assert_eq!(whole.offset, std::fs::metadata(&path).unwrap().len());
        assert_eq!(again(&whole, at(60)).read_at, at(60), "all of it once an hour");
        assert_eq!(again(&whole, at(-1)).read_at, at(-1), "whatever becomes of the clock");
    }

    #[test]
    fn l3_all_of_it_is_read_where_more_was_done_than_to_append() {
        let (folder, keys) = (tempfile::tempdir().unwrap(), Keys::derive(&[7; 32]));
        let path = folder.path().join("anchor");
        type Done = fn(&Path, &str);
        let done: [(&str, Done, i64); 4] = [
            (
                "it is shorter",
                |path, text| std::fs::write(path, &text[..text.len() / 2]).unwrap(),
                1,
            ),
            (
                "it moved",
                |path, text| std::fs::write(path, format!(" {text}{{}}\n")).unwrap(),
                3,
            ),
            (
                "it is another file",
                |path, text| {
                    let other = path.with_extension("new");
                    std::fs::write(&other, format!("{text}x\n")).unwrap();
                    std::fs::rename(other, path).unwrap();
                },
                3,
            ),
            (
                "its last block is another",
                |path, text| {
                    let file = OpenOptions::new().write(true).open(path).unwrap();
                    file.write_all_at(b"0000\"}\nmore\n", text.len() as u64 - 7).unwrap();
                },
                2,
            ),
        ];
        for (what, done, blocks) in done {
            let seen = written(&path, &keys, 3);
            done(&path, &std::fs::read_to_string(&path).unwrap());
            let again = look(&mut File::open(&path).unwrap(), &path, &keys, Some(seen), at(5)).unwrap();
            assert_eq!((again.read_at, again.known.number()), (at(5), blocks), "{what}");
        }
    }
}
