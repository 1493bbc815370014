//! A workbook is a ZIP archive. All of it is unpacked into nothing and counted first: what an archive says of its own sizes
//! is only what its writer wants. What it is for is told by its content, never by its name.

use std::{
    collections::{HashMap, HashSet},
    io::{Cursor, Read},
};

use zip::ZipArchive;

use super::{
    Fault, LARGEST, MOST_INFLATED, MOST_PARTS, MOST_SHARED,
    scan::{Found, Scan},
};

/// The largest list of what the parts are, in bytes.
const LARGEST_LIST: u64 = 1024 * 1024;

/// What workbooks of Excel 97 to 2003 begin with, and those with a password.
const COMPOUND: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
/// How a file with a password names what it holds, as such files write names.
const PACKAGE: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";

/// What was seen of the sheets while they were counted, by the names of their parts.
pub(super) type Sheets = HashMap<String, Found>;

/// Looks whether this is a workbook that can be read in little room.
///
/// # Errors
/// Why not.
pub(super) fn inspect(bytes: &[u8]) -> Result<Sheets, Fault> {
    if bytes.len() > LARGEST {
        return Err(Fault::TooLarge);
    }
    look(bytes)?;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Fault::Damaged)?;
    if archive.len() > MOST_PARTS {
        return Err(Fault::Inflates);
    }
    // Parts of one name count as one here, and as many as they are in the archive's own number.
    if said_parts(bytes) != Some(archive.len()) || archive.has_overlapping_files().unwrap_or(true) {
        return Err(Fault::Damaged);
    }
    let mut seen = Seen::default();
    let mut left = MOST_INFLATED;
    for place in 0..archive.len() {
        let mut part = archive.by_index(place).map_err(|_| Fault::Damaged)?;
        if part.encrypted() {
            return Err(Fault::Password);
        }
        let name = part.name().map_err(|_| Fault::Damaged)?.into_owned();
        seen.name(&name)?;
        let most = if is_sheet(&name) { left } else { left.min(MOST_SHARED) };
        let read = seen.count(&name, &mut part, most)?;
        left = left.checked_sub(read).ok_or(Fault::Inflates)?;
    }
    seen.finish()
}

/// What kind of file it is, by how it begins.
fn look(bytes: &[u8]) -> Result<(), Fault> {
    if bytes.starts_with(&COMPOUND) {
        let has_password = bytes.windows(PACKAGE.len()).any(|window| window == PACKAGE);
        return Err(if has_password {
            Fault::Password
        } else {
            Fault::OtherFormat
        });
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok(());
    }
    Err(Fault::NotWorkbook)
}

fn is_sheet(name: &str) -> bool {
    name.to_lowercase().starts_with("xl/worksheets/")
}

/// What was seen of an archive so far.
#[derive(Default)]
struct Seen {
    names: HashSet<String>,
    types: String,
    sheets: Sheets,
}

impl Seen {
    fn name(&mut self, name: &str) -> Result<(), Fault> {
        let name = name.to_lowercase();
        let is_odd = name.split('/').any(|step| step == "..")
            || name.contains('\\')
            || name.contains('\0')
            || name.starts_with('/')
            || name.contains(':');
        if is_odd || !self.names.insert(name) {
            return Err(Fault::Damaged);
        }
        Ok(())
    }

    /// Unpacks a part, and answers how many bytes it has.
    fn count(&mut self, name: &str, part: &mut impl Read, most: u64) -> Result<u64, Fault> {
        if name.eq_ignore_ascii_case("[content_types].xml") {
            let read = part.take(LARGEST_LIST + 1).read_to_string(&mut self.types);
            let read = read.map_err(|_| Fault::Damaged)? as u64;
            return if read > LARGEST_LIST {
                Err(Fault::Inflates)
            } else {
                Ok(read)
            };
        }
        let mut scan = Scan::new(is_sheet(name));
        let (mut read, mut buffer) = (0_u64, vec![0; 64 * 1024]);
        loop {
            let more = part.read(&mut buffer).map_err(|_| Fault::Damaged)?;
            if more == 0 {
                break;
            }
            read += more as u64;
            if read > most {
                return Err(Fault::Inflates);
            }
            scan.take(&buffer[..more]);
        }
        if let Some(found) = scan.finish()? {
            self.sheets.insert(name.to_lowercase(), found);
        }
        Ok(read)
    }

    fn finish(self) -> Result<Sheets, Fault> {
        let has = |end: &str| self.names.iter().any(|name| name.ends_with(end));
        if self.types.contains("macroEnabled") || has("vbaproject.bin") {
            return Err(Fault::Macros);
        }
        if self.names.contains("mimetype") || has("xl/workbook.bin") {
            return Err(Fault::OtherFormat);
        }
        if self.names.iter().any(|name| name.starts_with("xl/externallinks/")) {
            return Err(Fault::Links);
        }
        if !self.names.contains("xl/workbook.xml") {
            return Err(Fault::NotWorkbook);
        }
        Ok(self.sheets)
    }
}

/// How many parts the end of the archive says there are.
fn said_parts(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let said = bytes.get(end + 10..end + 12)?;
    Some(usize::from(u16::from_le_bytes([said[0], said[1]])))
}
