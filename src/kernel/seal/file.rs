//! Encryption of files. Each file has a key of its own, which lies sealed in the file's row; the file is cut into pieces
//! that are sealed one by one, so that none has to be in memory as a whole. A piece opens in its place in its file only,
//! and the last one says that it is the last: no piece can be swapped, left out or cut off.

use std::io::Read;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use zeroize::Zeroizing;

use super::{Broken, Cell, DataKey, Keychain, Sealed};
use crate::kernel::{Error, Random, Result};

/// How long a piece is in clear, in bytes.
const PIECE: usize = 256 * 1024;
/// What sealing adds to a piece: its nonce and its tag.
const MORE: usize = 12 + 16;

/// The key of one file.
pub struct FileKey(DataKey);

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKey")
    }
}

impl FileKey {
    /// A new key.
    pub fn fresh(random: &Random) -> Self {
        Self(DataKey(Zeroizing::new(random.bytes())))
    }

    /// The same key once more, for whoever keeps it while the file is encrypted.
    pub fn again(&self) -> Self {
        Self(DataKey(self.0.0.clone()))
    }

    /// The key as it lies in the file's row.
    ///
    /// # Errors
    /// As for [`Keychain::seal`].
    pub fn sealed(&self, keys: &Keychain, random: &Random, cell: &Cell<'_>) -> Result<Sealed> {
        keys.seal(random, cell, self.0.0.as_slice())
    }

    /// Back from the file's row.
    ///
    /// # Errors
    /// Why it does not open.
    pub fn opened(keys: &Keychain, cell: &Cell<'_>, sealed: &Sealed) -> Result<Self, Broken> {
        let key = keys.open(cell, sealed)?;
        let key = key.as_slice().try_into().map_err(|_| Broken::Form)?;
        Ok(Self(DataKey(Zeroizing::new(key))))
    }

    /// A file as it is stored.
    ///
    /// # Errors
    /// Only if the cipher fails.
    pub fn encrypt(&self, random: &Random, content: &[u8]) -> Result<Bytes> {
        let pieces: Vec<_> = content.chunks(PIECE).collect();
        let mut stored = BytesMut::with_capacity(content.len() + (pieces.len() + 1) * MORE);
        let last = pieces.len().saturating_sub(1);
        for (number, piece) in pieces.iter().copied().enumerate() {
            let sealed = self.0.seal(random.bytes(), &place(number, number == last), piece);
            stored.extend_from_slice(&sealed.map_err(Error::internal)?);
        }
        Ok(stored.freeze())
    }

    /// A file as it is stored, piece by piece, from where it is read; what it is read as goes through `seen` first.
    pub fn encrypt_pieces<R: Read + Send + 'static>(
        self,
        random: Random,
        content: R,
        seen: impl FnMut(&[u8]) + Send + 'static,
    ) -> impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static {
        let sealing = Sealing {
            key: self.0,
            random,
            content,
            seen,
            ahead: None,
            number: 0,
            is_over: false,
        };
        Box::pin(stream::unfold(Some(sealing), |sealing| async move {
            let mut sealing = sealing?;
            // What is read lies in a file of this machine.
            let next = tokio::task::spawn_blocking(move || {
                let piece = sealing.next().transpose();
                (piece, sealing)
            });
            match next.await {
                Ok((Some(Ok(piece)), sealing)) => Some((Ok(piece), Some(sealing))),
                Ok((Some(Err(error)), _)) => Some((Err(error), None)),
                Ok((None, _)) => None,
                Err(error) => Some((Err(Error::internal(error)), None)),
            }
        }))
    }

    /// The content of a file, piece by piece, from how it is stored.
    pub fn decrypt(
        self,
        stored: impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static,
    ) -> impl Stream<Item = Result<Bytes>> + Send + Unpin + 'static {
        let opening = Opening {
            key: self.0,
            stored,
            waiting: BytesMut::new(),
            number: 0,
            is_over: false,
        };
        Box::pin(stream::unfold(opening, |mut opening| async move {
            let piece = opening.next().await.transpose()?;
            opening.is_over |= piece.is_err();
            Some((piece, opening))
        }))
    }
}

/// A file that is being sealed.
struct Sealing<R, S> {
    key: DataKey,
    random: Random,
    content: R,
    seen: S,
    ahead: Option<Vec<u8>>,
    number: usize,
    is_over: bool,
}

impl<R: Read, S: FnMut(&[u8])> Sealing<R, S> {
    fn next(&mut self) -> Result<Option<Bytes>> {
        if self.is_over {
            return Ok(None);
        }
        let piece = match self.ahead.take() {
            Some(piece) => piece,
            None => self.read()?,
        };
        // A full piece is the last one where nothing follows.
        let following = if piece.len() < PIECE { Vec::new() } else { self.read()? };
        self.is_over = following.is_empty();
        (self.seen)(&piece);
        let place = place(self.number, self.is_over);
        let sealed = self.key.seal(self.random.bytes(), &place, &piece);
        self.number += 1;
        self.ahead = Some(following);
        sealed.map(|sealed| Some(Bytes::from(sealed))).map_err(Error::internal)
    }

    fn read(&mut self) -> Result<Vec<u8>> {
        let mut piece = Vec::with_capacity(PIECE);
        let limit = PIECE as u64;
        let mut part = self.content.by_ref().take(limit);
        part.read_to_end(&mut piece).map_err(Error::internal)?;
        Ok(piece)
    }
}

/// What a piece is bound to.
pub(super) fn place(number: usize, is_last: bool) -> Vec<u8> {
    [
        b"orgdesk file".as_slice(),
        &(number as u64).to_be_bytes(),
        &[u8::from(is_last)],
    ]
    .concat()
}

/// A file that is being opened.
struct Opening<S> {
    key: DataKey,
    stored: S,
    waiting: BytesMut,
    number: usize,
    is_over: bool,
}

impl<S: Stream<Item = Result<Bytes>> + Unpin> Opening<S> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.is_over {
            return Ok(None);
        }
        // One byte more than a piece says that it is not the last.
        while self.waiting.len() <= PIECE + MORE {
            match self.stored.next().await {
                Some(more) => self.waiting.extend_from_slice(&more?),
                None => break,
            }
        }
        let is_last = self.waiting.len() <= PIECE + MORE;
        let piece = self.waiting.split_to(self.waiting.len().min(PIECE + MORE));
        let opened = self.key.open(&place(self.number, is_last), &piece);
        self.number += 1;
        self.is_over = is_last;
        let opened = opened.map_err(Error::internal)?;
        Ok(Some(Bytes::copy_from_slice(&opened)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn opened(key: FileKey, stored: &[u8]) -> Option<Vec<u8>> {
        let pieces: Vec<Result<Bytes>> = stored
            .chunks(1_000)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let mut content = key.decrypt(stream::iter(pieces));
        let mut whole = Vec::new();
        while let Some(piece) = content.next().await {
            whole.extend_from_slice(&piece.ok()?);
        }
        Some(whole)
    }

    #[tokio::test]
    async fn l4_a_file_sealed_piece_by_piece_is_the_file_sealed_at_once() {
        for length in [1, 28, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 7] {
            let content: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
            let mut pieces = key().encrypt_pieces(Random::seeded(1), std::io::Cursor::new(content.clone()), |_| {});
            let mut stored = Vec::new();
            while let Some(piece) = pieces.next().await {
                let piece = piece.unwrap();
                assert!(piece.len() <= PIECE + MORE, "no more than a piece is in memory");
                stored.extend_from_slice(&piece);
            }
            assert_eq!(opened(key(), &stored).await, Some(content), "{length}");
        }
    }

    fn key() -> FileKey {
        FileKey(DataKey(Zeroizing::new([7; 32])))
    }

    #[tokio::test]
    async fn m2_a_file_opens_as_it_was_and_no_piece_can_be_moved_changed_or_cut_off() {
        let random = Random::seeded(1);
        for length in [1, 28, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 7] {
            let content: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
            let stored = key().encrypt(&random, &content).unwrap();
            assert!(length < 28 || !stored.windows(16).any(|window| window == &content[..16]));
            assert_eq!(
                opened(key(), &stored).await.as_deref(),
                Some(content.as_slice()),
                "{length}"
            );
            for at in [0, stored.len() / 2, stored.len() - 1] {
                let mut changed = stored.to_vec();
                changed[at] ^= 1;
                assert_eq!(opened(key(), &changed).await, None, "{length} {at}");
            }
            assert_eq!(opened(key(), &stored[..stored.len() - 1]).await, None);
            let whole = PIECE + MORE;
            if stored.len() > whole {
                assert_eq!(opened(key(), &stored[..whole]).await, None, "the rest is cut off");
                assert_eq!(opened(key(), &stored[whole..]).await, None, "the beginning is");
            }
            if stored.len() > 2 * whole {
                let swapped = [&stored[whole..2 * whole], &stored[..whole], &stored[2 * whole..]].concat();
                assert_eq!(opened(key(), &swapped).await, None);
            }
        }
        assert_eq!(opened(key(), b"").await, None);
    }
}
