//! Where a file lies while it is made: in a temporary file without a name, each piece encrypted under a key that is nowhere
//! but in this process. What lies on the disk meanwhile, and what a server that falls leaves there, nobody can read; the
//! file itself goes with whoever holds it.

use std::{
    fs::File,
    io::{self, Read, Seek as _, Write},
    path::Path,
};

use zeroize::Zeroizing;

use super::{DataKey, file::place};
use crate::kernel::Random;

/// How long a piece is in clear, in bytes: so much of the file is in memory in clear.
const PIECE: usize = 64 * 1024;
/// What sealing adds to a piece: its nonce and its tag.
const MORE: usize = 12 + 16;

/// A file that is being written.
pub struct Staging {
    file: File,
    key: DataKey,
    random: Random,
    piece: Zeroizing<Vec<u8>>,
    number: usize,
}

impl std::fmt::Debug for Staging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Staging")
    }
}

impl Staging {
    /// Begins a file in this folder, under a key that is made now.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn new(folder: &Path, random: &Random) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(folder)?,
            key: DataKey(Zeroizing::new(random.bytes())),
            random: random.clone(),
            piece: Zeroizing::new(Vec::with_capacity(PIECE)),
            number: 0,
        })
    }

    /// Ends the file; what is read is what was written, from its beginning.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn finish(mut self) -> io::Result<Staged> {
        self.put(true)?;
        self.file.rewind()?;
        Ok(Staged {
            file: self.file,
            key: self.key,
            pieces: self.number,
            number: 0,
            piece: Zeroizing::default(),
            read: 0,
        })
    }

    fn put(&mut self, is_last: bool) -> io::Result<()> {
        let sealed = self
            .key
            .seal(self.random.bytes(), &place(self.number, is_last), &self.piece);
        self.file.write_all(&sealed.map_err(io::Error::other)?)?;
        self.number += 1;
        self.piece.clear();
        Ok(())
    }
}

impl Write for Staging {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece waits for what follows: the last one says that it is the last.
        if self.piece.len() == PIECE && !bytes.is_empty() {
            self.put(false)?;
        }
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    /// A piece that is not full stays in memory.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that was written, to be read once.
pub struct Staged {
    file: File,
    key: DataKey,
    pieces: usize,
    number: usize,
    piece: Zeroizing<Vec<u8>>,
    read: usize,
}

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Staged")
    }
}

impl Read for Staged {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() && self.number < self.pieces {
            let mut sealed = Vec::with_capacity(PIECE + MORE);
            let limit = (PIECE + MORE) as u64;
            (&mut self.file as &mut dyn Read).take(limit).read_to_end(&mut sealed)?;
            let is_last = self.number + 1 == self.pieces;
            let opened = self.key.open(&place(self.number, is_last), &sealed);
            self.piece = opened.map_err(io::Error::other)?;
            self.number += 1;
            self.read = 0;
        }
        let rest = self.piece.get(self.read..).unwrap_or_default();
        let given = rest.len().min(into.len());
        if let (Some(into), Some(rest)) = (into.get_mut(..given), rest.get(..given)) {
            into.copy_from_slice(rest);
        }
        self.read += given;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staging(folder: &Path) -> Staging {
        Staging::new(folder, &Random::seeded(1)).unwrap()
    }

    #[test]
    fn l4_what_is_staged_is_read_as_it_was_written_and_lies_encrypted() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7] {
            let content: Vec<u8> = b"010-2345-6789, ".iter().copied().cycle().take(length).collect();
            let mut staging = staging(folder.path());
            // In parts that are no pieces.
            for part in content.chunks(1_000) {
                staging.write_all(part).unwrap();
            }
            let mut staged = staging.finish().unwrap();
            let mut disk = Vec::new();
            staged.file.read_to_end(&mut disk).unwrap();
            staged.file.rewind().unwrap();
            let mut read = Vec::new();
            staged.read_to_end(&mut read).unwrap();

            assert_eq!(read, content, "{length}");
            assert_eq!(disk.len(), length + length.div_ceil(PIECE).max(1) * MORE, "{length}");
            assert!(
                !disk.windows(8).any(|window| window == b"010-2345"),
                "in clear on the disk"
            );
            assert_eq!(
                std::fs::read_dir(folder.path()).unwrap().count(),
                0,
                "temporary files have no name"
            );
        }
    }

    #[test]
    fn l4_what_was_changed_on_the_disk_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let changed = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut staging = staging(folder.path());
            staging.write_all(&vec![7; 2 * PIECE + 7]).unwrap();
            let mut staged = staging.finish().unwrap();
            let mut disk = Vec::new();
            staged.file.read_to_end(&mut disk).unwrap();
            change(&mut disk);
            staged.file.rewind().unwrap();
            staged.file.set_len(0).unwrap();
            staged.file.write_all(&disk).unwrap();
            staged.file.rewind().unwrap();
            staged.read_to_end(&mut Vec::new()).is_ok()
        };

        assert!(changed(&|_| {}));
        assert!(!changed(&|disk| disk[100] ^= 1));
        assert!(!changed(&|disk| disk.truncate(PIECE + MORE)), "the end is gone");
        assert!(
            !changed(&|disk| disk.rotate_left(PIECE + MORE)),
            "pieces have changed places"
        );
    }
}
