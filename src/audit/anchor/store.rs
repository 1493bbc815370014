//! An anchor in the store of files: an object for each block. Objects never change, so each is read once.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::TryStreamExt;

use crate::kernel::{App, Result, audit::anchor::Anchor};

/// Where the blocks lie in the store.
const PREFIX: &str = "audit-anchor";

/// After how many blocks it is kept what was read: whoever is not waited for has not read them in vain.
const AT_ONCE: i64 = 100;

/// What was read so far; no lock is held while more is read.
#[derive(Debug, Default)]
struct Kept(Mutex<Arc<Anchor>>);

impl Kept {
    fn get(&self) -> Arc<Anchor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, known: &Arc<Anchor>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.number() < known.number() {
            *kept = known.clone();
        }
    }
}

/// What the store knows.
pub(super) async fn read(app: &App) -> Result<Arc<Anchor>> {
    let kept = app.shelf.lasting::<Kept>();
    let mut known = kept.get();
    while let Some(found) = app.store.get(&block(known.number() + 1)).await? {
        let (before, mut content) = (known.number(), Vec::new());
        let mut pieces = found.content;
        while let Some(piece) = pieces.try_next().await? {
            content.extend_from_slice(&piece);
        }
        Arc::make_mut(&mut known).take(&app.keys, &String::from_utf8_lossy(&content), app.clock.now());
        if known.number() == before {
            // No crash leaves half an object: whatever this is, no block was written here.
            Arc::make_mut(&mut known).spoil();
            return Ok(known);
        }
        if known.number() % AT_ONCE == 0 {
            kept.put(&known);
        }
    }
    kept.put(&known);
    Ok(known)
}

/// Writes the block that `next` makes of what the store knows by then: an object is written once, so each server finds at
/// the next number either nothing or another's block. Answers what the store knows with it.
pub(super) async fn append(app: &App, next: impl Fn(&Anchor) -> Result<String>) -> Result<Arc<Anchor>> {
    loop {
        let known = read(app).await?;
        let path = block(known.number() + 1);
        if app.store.put_new(&path, Bytes::from(next(&known)?)).await? {
            return read(app).await;
        }
    }
}

fn block(number: i64) -> String {
    format!("{PREFIX}/{number:012}")
}
