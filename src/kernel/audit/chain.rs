//! The chain: what the hash of an entry must be, and the walk that finds the first that is not what was written. What
//! was removed at the end of its time is passed over by its sealed record; what is known from outside the database says
//! whether the chain as a whole is the one that was there.

use async_graphql::Enum;

use super::{Model, known::Known, segment};
use crate::kernel::{AuditLog, Keys, Result};

/// The hash that an entry must have.
pub(super) fn link(keys: &Keys, entry: &Model) -> Result<Vec<u8>> {
    let mut told = entry.clone();
    told.hash = Vec::new();
    told.previous_hash = Vec::new();
    Ok(keys.chain(&entry.previous_hash, &serde_json::to_vec(&told)?))
}

/// What is wrong at the place where a chain breaks. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
#[graphql(name = "AuditBreakCause")]
pub enum Cause {
    /// The entry there, or one of its permission changes, is not what was written, or there is none.
    Changed,
    /// The sealed record of entries that were removed at the end of their time is not what was written.
    SealBroken,
    /// The chain ends there, and it was longer when its end was anchored outside the database.
    CutOff,
    /// The chain is whole in itself, and is not the one that was anchored outside the database, which has an entry there that is another or too young to have been removed.
    Replaced,
}

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// In which log.
    pub log: AuditLog,
    /// The place at which what should stand there does not.
    pub sequence: i64,
    /// What is wrong there.
    pub cause: Cause,
}

/// Walks entries of one log in their order and finds the first that is not what was written.
#[derive(Debug)]
pub struct Verifier<'k> {
    keys: &'k Keys,
    log: AuditLog,
    sequence: i64,
    hash: Vec<u8>,
    removed: i64,
    known: Known,
}

impl<'k> Verifier<'k> {
    /// At the beginning of a log, of which this is known from outside the database.
    pub fn new(keys: &'k Keys, log: AuditLog, known: Known) -> Self {
        Self {
            keys,
            log,
            sequence: 0,
            hash: Vec::new(),
            removed: 0,
            known,
        }
    }

    /// Behind what was removed last, in a log of which this is known from outside the database.
    ///
    /// # Errors
    /// The break, if the record of it is not the one that was sealed, or covers what can't have been removed.
    pub fn behind(keys: &'k Keys, segment: &segment::Model, known: Known) -> std::result::Result<Self, Break> {
        let mut verifier = Self::new(keys, segment.log, known);
        verifier.sequence = segment.first_sequence - 1;
        verifier.hash.clone_from(&segment.previous_hash);
        verifier.pass(segment)?;
        Ok(verifier)
    }

    /// The place of the last whole entry, or of the last that was removed in its time.
    pub fn place(&self) -> i64 {
        self.sequence
    }

    /// How many entries were removed at the end of their time.
    pub fn removed(&self) -> i64 {
        self.removed
    }

    /// The hash of the last whole entry, to be kept elsewhere; empty before the first.
    pub fn head(&self) -> &[u8] {
        &self.hash
    }

    /// Passes over entries that were removed at the end of their time.
    ///
    /// # Errors
    /// The break, if the record of them is not the one that was sealed behind this place, or covers a place that can't have
    /// been removed in its time.
    pub fn pass(&mut self, segment: &segment::Model) -> std::result::Result<(), Break> {
        let whole = segment.first_sequence == self.sequence + 1
            && segment.previous_hash == self.hash
            && segment::seal(self.keys, segment).is_ok_and(|seal| seal == segment.seal);
        if !whole {
            return Err(self.broken(Cause::SealBroken));
        }
        if segment.last_sequence > self.known.removable {
            return Err(Break {
                log: self.log,
                sequence: segment.first_sequence.max(self.known.removable + 1),
                cause: Cause::Replaced,
            });
        }
        self.removed += segment.last_sequence - self.sequence;
        self.go_to(segment.last_sequence, &segment.last_hash)
    }

    /// Checks the next entry, with the digest of its rows in the permission-change log.
    ///
    /// # Errors
    /// The break, if the entry or a row of it is not the one that was written at this place.
    pub fn next(&mut self, entry: &Model, rights: Option<Vec<u8>>) -> std::result::Result<(), Break> {
        let place = self.sequence + 1;
        let whole = entry.sequence == place
            && entry.rights_digest == rights
            && entry.previous_hash == self.hash
            && link(self.keys, entry).is_ok_and(|hash| hash == entry.hash);
        if !whole {
            return Err(self.broken(Cause::Changed));
        }
        self.go_to(place, &entry.hash)
    }

    /// Behind the last entry: whether the chain reaches as far as is known from outside the database.
    ///
    /// # Errors
    /// The break, if it does not.
    pub fn end(&self) -> std::result::Result<(), Break> {
        if self.known.place > self.sequence {
            return Err(self.broken(Cause::CutOff));
        }
        Ok(())
    }

    /// The break behind the last whole entry.
    pub fn broken(&self, cause: Cause) -> Break {
        Break {
            log: self.log,
            sequence: self.sequence + 1,
            cause,
        }
    }

    fn go_to(&mut self, place: i64, hash: &[u8]) -> std::result::Result<(), Break> {
        if place == self.known.place && hash != self.known.hash {
            return Err(Break {
                log: self.log,
                sequence: place,
                cause: Cause::Replaced,
            });
        }
        self.sequence = place;
        self.hash = hash.to_vec();
        Ok(())
    }
}
