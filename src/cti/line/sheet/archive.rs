//! A workbook is a ZIP archive of others' making. Before anything of it is understood, all of it is unpacked into
//! nothing and counted: what an archive says of its own sizes is only what its writer wants.

use std::{
    collections::HashSet,
    io::{Cursor, Read},
};

use zip::ZipArchive;

use super::read::Fault;

/// The largest file that is looked at, in bytes.
pub const LARGEST: usize = 1_048_576;
/// The most that it may unpack to, in bytes: ten thousand rows take a third of it.
const MOST_INFLATED: u64 = 32 * 1_048_576;
/// The most parts. A workbook of one sheet has about a dozen.
const MOST_PARTS: usize = 200;
/// The largest list of what the parts are.
const LARGEST_LIST: u64 = 262_144;

/// What old workbooks begin with, and those with a password.
const COMPOUND: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Looks whether this is a workbook without macros that can be read in little room.
///
/// # Errors
/// `TooLarge`, `NotWorkbook` or `Damaged`.
pub(super) fn inspect(bytes: &[u8]) -> Result<(), Fault> {
    if bytes.len() > LARGEST {
        return Err(Fault::TooLarge);
    }
    if bytes.starts_with(&COMPOUND) || !bytes.starts_with(b"PK\x03\x04") {
        return Err(Fault::NotWorkbook);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Fault::Damaged)?;
    // Parts of one name count as one here, and as many as they are in the archive's own number.
    if archive.len() > MOST_PARTS || said_parts(bytes) != Some(archive.len()) {
        return Err(Fault::Damaged);
    }
    let (mut names, mut left, mut list) = (HashSet::new(), MOST_INFLATED, Vec::new());
    for place in 0..archive.len() {
        let mut part = archive.by_index(place).map_err(|_| Fault::Damaged)?;
        let name = part.name().map_err(|_| Fault::Damaged)?.to_lowercase();
        let is_odd = part.encrypted() || name.contains("..") || name.contains('\\') || name.starts_with('/');
        if is_odd || !names.insert(name.clone()) {
            return Err(Fault::Damaged);
        }
        let read = if name == "[content_types].xml" {
            (&mut part)
                .take(LARGEST_LIST)
                .read_to_end(&mut list)
                .map(|read| read as u64)
        } else {
            std::io::copy(&mut (&mut part).take(left.saturating_add(1)), &mut std::io::sink())
        };
        left = left
            .checked_sub(read.map_err(|_| Fault::Damaged)?)
            .ok_or(Fault::TooLarge)?;
    }
    let list = String::from_utf8_lossy(&list);
    let has_macros = list.contains("macroEnabled") || names.iter().any(|name| name.ends_with("vbaproject.bin"));
    if has_macros || !names.contains("xl/workbook.xml") {
        return Err(Fault::NotWorkbook);
    }
    Ok(())
}

/// How many parts the end of the archive says there are.
fn said_parts(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let said = bytes.get(end + 10..end + 12)?;
    Some(usize::from(u16::from_le_bytes([said[0], said[1]])))
}
