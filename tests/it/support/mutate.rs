//! Bytes that are nearly right: what is known, changed a little by chance.

use std::io::{Cursor, Read as _, Write as _};

use orgdesk::kernel::Random;

/// Makes inputs out of a corpus and a dictionary.
pub struct Mutator {
    random: Random,
    corpus: Vec<Vec<u8>>,
    words: Vec<&'static [u8]>,
}

impl Mutator {
    /// The same inputs for the same seed.
    pub fn new(seed: u64, corpus: Vec<Vec<u8>>, words: Vec<&'static [u8]>) -> Self {
        Self {
            random: Random::seeded(seed),
            corpus,
            words,
        }
    }

    /// The next input: one of the corpus with up to six changes.
    pub fn next(&self) -> Vec<u8> {
        let mut bytes = self.one();
        for _ in 0..=self.below(6) {
            self.change(&mut bytes);
        }
        bytes
    }

    /// The next archive: one of the corpus, of whose parts one is changed within, and all are packed anew.
    pub fn next_archive(&self) -> Vec<u8> {
        let packed = self.one();
        let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(&packed)) else {
            return self.next();
        };
        let changed = self.below(archive.len());
        let mut made = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for place in 0..archive.len() {
            let mut part = archive.by_index(place).unwrap();
            let (name, mut content) = (part.name().unwrap().into_owned(), Vec::new());
            part.read_to_end(&mut content).unwrap();
            if place == changed {
                for _ in 0..=self.below(6) {
                    self.change(&mut content);
                }
            }
            made.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            made.write_all(&content).unwrap();
        }
        made.finish().unwrap().into_inner()
    }

    fn one(&self) -> Vec<u8> {
        self.corpus[self.below(self.corpus.len())].clone()
    }

    fn below(&self, end: usize) -> usize {
        usize::try_from(self.random.below(end as u64)).unwrap()
    }

    fn change(&self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let end = (at + self.below(40)).min(bytes.len());
        match self.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].repeat(1 + self.below(60));
                bytes.splice(at..at, piece);
            }
            3 => bytes.truncate(at),
            4 => {
                let other = self.one();
                let from = self.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            5 => {
                let piece: Vec<u8> = (0..self.below(12)).map(|_| self.random.bytes::<1>()[0]).collect();
                bytes.splice(at..at, piece);
            }
            _ => {
                let word = self.words[self.below(self.words.len())];
                bytes.splice(at..if self.below(2) == 0 { end } else { at }, word.iter().copied());
            }
        }
    }
}
