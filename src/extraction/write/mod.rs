//! The file of an extraction in the making: a row after the other, each on its way to a temporary file at once, so that a long
//! list takes no more memory than a short one. What lies there is encrypted under a key that only this process has, and temporary
//! files have no name and go with whoever holds them: where a server falls, nothing is left that anybody could read.

mod csv;
mod frame;
mod xlsx;

use std::{io::Write as _, path::Path};

use chrono_tz::Tz;
use zip::{AesMode, CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::entity::Format;
use crate::kernel::{
    Error, Random, Result, Timestamp,
    extract::Cell,
    seal::{Staged, Staging},
};

/// What kind of file it becomes.
enum Kind {
    Xlsx(Box<xlsx::Sheet<Staging>>),
    Csv(csv::Lines<Staging>),
}

/// A file in the making.
pub(super) struct Writer {
    kind: Kind,
    folder: std::path::PathBuf,
    random: Random,
    rows: u32,
}

/// What a file is like.
pub(super) struct Shape<'a> {
    /// Where temporary files may lie.
    pub folder: &'a Path,
    /// Where the keys of temporary files come from.
    pub random: &'a Random,
    pub format: Format,
    /// What the sheet is called.
    pub name: &'a str,
    /// What stands at the heads of its columns.
    pub titles: &'a [String],
    /// By whose clocks instants are shown.
    pub zone: Tz,
    pub now: Timestamp,
}

impl Writer {
    /// Begins a file with the heads of its columns.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn new(shape: &Shape<'_>) -> Result<Self> {
        let file = temporary(shape.folder, shape.random)?;
        let kind = match shape.format {
            Format::Xlsx => Kind::Xlsx(Box::new(xlsx::Sheet::new(file, shape)?)),
            Format::Csv => Kind::Csv(csv::Lines::new(file, shape).map_err(Error::internal)?),
        };
        Ok(Self {
            kind,
            folder: shape.folder.to_owned(),
            random: shape.random.clone(),
            rows: 0,
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn add(&mut self, row: &[Cell]) -> Result<()> {
        self.rows += 1;
        match &mut self.kind {
            Kind::Xlsx(sheet) => sheet.add(self.rows, row).map_err(Error::internal),
            Kind::Csv(lines) => lines.add(row).map_err(Error::internal),
        }
    }

    /// Adds the rows of a part.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn with(mut self, rows: &[Vec<Cell>]) -> Result<Self> {
        for row in rows {
            self.add(row)?;
        }
        Ok(self)
    }

    /// How many rows there are.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// The file, to be read from its beginning; with a password, an archive that holds it under `name`.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn finish(self, password: Option<&str>, name: &str) -> Result<Staged> {
        let file = match self.kind {
            Kind::Xlsx(sheet) => sheet.finish()?,
            Kind::Csv(lines) => lines.finish(),
        };
        let file = file.finish().map_err(Error::internal)?;
        match password {
            None => Ok(file),
            Some(password) => locked(file, temporary(&self.folder, &self.random)?, password, name),
        }
    }
}

/// The same as an archive that opens with a password only: AES-256, as WinZip has it, which 7-Zip, Keka and others open too.
fn locked(mut file: Staged, into: Staging, password: &str, name: &str) -> Result<Staged> {
    let mut archive = ZipWriter::new_stream(into);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true)
        .with_aes_encryption(AesMode::Aes256, password);
    archive.start_file(name, options).map_err(Error::internal)?;
    std::io::copy(&mut file, &mut archive).map_err(Error::internal)?;
    archive.flush().map_err(Error::internal)?;
    let into = archive.finish().map_err(Error::internal)?.into_inner();
    into.finish().map_err(Error::internal)
}

/// A file without a name.
fn temporary(folder: &Path, random: &Random) -> Result<Staging> {
    Staging::new(folder, random).map_err(Error::internal)
}

#[cfg(test)]
mod tests;
