//! The process that reads a file, seen from outside: it gets the file through a pipe, gives rows back through another, and
//! is ended when it takes too long. Whatever becomes of it is an answer about the file.

use std::{
    io::{BufReader, Read, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::{
    runtime::Handle,
    sync::mpsc::{Receiver, channel},
    task::{JoinHandle, spawn_blocking},
    time::Instant,
};

use super::{
    Fault, Head, Row,
    wire::{self, LARGEST_PIECE, Piece},
};
use crate::kernel::{Error, Result};

/// The longest that reading takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long a process is waited for that has said all.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How many rows go from hand to hand at once, and how many bytes they have at most, but for the last of them.
const AT_ONCE: (usize, usize) = (64, 256 * 1024);
/// How many of these handfuls wait for whoever takes them; a row has at most some four megabytes.
const WAITING: usize = 4;

/// A file that is being read.
pub struct Reading {
    pieces: Receiver<Vec<Step<Piece>>>,
    /// What was taken already.
    taken: std::vec::IntoIter<Step<Piece>>,
    /// Until it was asked how it went.
    feeding: Option<JoinHandle<Result<()>>>,
    child: Arc<Mutex<Child>>,
    until: Instant,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

/// What a step of reading comes to.
pub type Step<T> = std::result::Result<T, Fault>;

impl Reading {
    /// Begins to read a file whose content comes piece by piece; answers what it says of itself, if it can be read.
    ///
    /// # Errors
    /// If `program`, which is this service's own, can't be started, or the content can't be had.
    pub async fn begin(
        program: &Path,
        content: impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static,
    ) -> Result<Step<(Self, Head)>> {
        let mut child = Command::new(program)
            .args(["import", "read"])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::internal)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::internal("a process without pipes"));
        };
        let child = Arc::new(Mutex::new(child));
        let handle = Handle::current();
        let feeding = spawn_blocking(move || feed(&handle, stdin, content));
        let (send, pieces) = channel(WAITING);
        let own = child.clone();
        spawn_blocking(move || {
            let mut out = BufReader::with_capacity(AT_ONCE.1, stdout);
            let mut scratch = Vec::new();
            loop {
                let (pieces, is_last) = handful(&mut out, &mut scratch, &own);
                if send.blocking_send(pieces).is_err() || is_last {
                    break;
                }
            }
            drop(out);
            bury(&own);
        });
        let mut reading = Self {
            pieces,
            taken: Vec::new().into_iter(),
            feeding: Some(feeding),
            child,
            until: Instant::now() + PATIENCE,
        };
        Ok(match reading.piece().await? {
            Ok(Piece::Head(head)) => Ok((reading, head)),
            Ok(Piece::Fault(fault)) | Err(fault) => Err(fault),
            Ok(_) => Err(Fault::Damaged),
        })
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// If the content can't be had.
    pub async fn next(&mut self) -> Result<Step<Option<Row>>> {
        Ok(match self.piece().await? {
            Ok(Piece::Row(row)) => Ok(Some(row)),
            Ok(Piece::End) => Ok(None),
            Ok(Piece::Fault(fault)) | Err(fault) => Err(fault),
            Ok(Piece::Head(_)) => Err(Fault::Damaged),
        })
    }

    async fn piece(&mut self) -> Result<Step<Piece>> {
        // A piece that waits already would come however late it is.
        if Instant::now() >= self.until {
            kill(&self.child);
            return Ok(Err(Fault::TooComplex));
        }
        let piece = match self.taken.next() {
            Some(piece) => piece,
            None => self.handed().await,
        };
        // A file that could not be handed over as a whole looks broken, or like nothing at all, and is not.
        if matches!(piece, Err(_) | Ok(Piece::Fault(_))) {
            self.handed_over().await?;
        }
        Ok(piece)
    }

    /// The first of the next handful; the others are kept.
    async fn handed(&mut self) -> Step<Piece> {
        let Ok(pieces) = tokio::time::timeout_at(self.until, self.pieces.recv()).await else {
            kill(&self.child);
            return Err(Fault::TooComplex);
        };
        self.taken = pieces.unwrap_or_default().into_iter();
        self.taken.next().unwrap_or(Err(Fault::Damaged))
    }

    /// Waits until nobody hands over any more: a reader that has ended takes nothing.
    async fn handed_over(&mut self) -> Result<()> {
        let Some(feeding) = self.feeding.take() else {
            return Ok(());
        };
        match tokio::time::timeout(LAST_WORDS, feeding).await {
            Ok(fed) => fed.map_err(Error::internal)?,
            // The store is slow to say whether there is more, which nobody wants.
            Err(_) => Ok(()),
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        kill(&self.child);
    }
}

/// Hands the content over, as far as it is wanted.
fn feed(handle: &Handle, mut stdin: ChildStdin, mut content: impl Stream<Item = Result<Bytes>> + Unpin) -> Result<()> {
    while let Some(piece) = handle.block_on(content.next()) {
        // A reader that does not want the rest says why itself.
        if stdin.write_all(&piece?).is_err() {
            break;
        }
    }
    Ok(())
}

/// The next pieces, as many as have come already, and whether nothing comes after them.
fn handful(out: &mut BufReader<ChildStdout>, scratch: &mut Vec<u8>, child: &Mutex<Child>) -> (Vec<Step<Piece>>, bool) {
    let (mut pieces, mut bytes) = (Vec::with_capacity(AT_ONCE.0), 0);
    loop {
        let piece = take(out, scratch);
        let is_last = !matches!(piece, Some(Piece::Head(_) | Piece::Row(_)));
        bytes += scratch.len();
        pieces.push(piece.ok_or_else(|| last_words(child)));
        if is_last || pieces.len() >= AT_ONCE.0 || bytes >= AT_ONCE.1 || out.buffer().is_empty() {
            return (pieces, is_last);
        }
    }
}

/// The next piece; `None` where there is none.
fn take(out: &mut BufReader<ChildStdout>, scratch: &mut Vec<u8>) -> Option<Piece> {
    let mut head = [0; 5];
    out.read_exact(&mut head).ok()?;
    let [letter, length @ ..] = head;
    let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
    if length > LARGEST_PIECE {
        return None;
    }
    scratch.resize(length, 0);
    out.read_exact(scratch).ok()?;
    wire::read(letter, scratch)
}

/// Why it ended without saying so: by the limits that it is bound to, or because it stumbled. Out of memory it aborts
/// itself; out of time it is told to go.
fn last_words(child: &Mutex<Child>) -> Fault {
    use std::os::unix::process::ExitStatusExt as _;
    match ended(child) {
        Some(status) if status.signal().is_some() => Fault::TooComplex,
        _ => Fault::Damaged,
    }
}

fn ended(child: &Mutex<Child>) -> Option<ExitStatus> {
    let begin = std::time::Instant::now();
    while begin.elapsed() < LAST_WORDS {
        let waited = child.lock().unwrap_or_else(PoisonError::into_inner).try_wait();
        if let Ok(Some(status)) = waited {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

fn kill(child: &Mutex<Child>) {
    // One that has ended already is as good as killed.
    let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
}

/// Lets nothing remain of it.
fn bury(child: &Mutex<Child>) {
    if ended(child).is_none() {
        kill(child);
        if ended(child).is_none() {
            tracing::warn!("a reader of files does not end");
        }
    }
}
