//! How rows travel from the process that reads a file: pieces, each with a letter and a length before it. Whatever does
//! not read as one is a fault of the reader's, and never more than a piece is in memory.

use std::io::{self, Write};

use super::{Cell, Fault, Head, Row};

/// The largest piece: a row of 200 cells with 5,001 characters of four bytes each, and then some.
pub const LARGEST_PIECE: usize = 8 * 1024 * 1024;

/// A piece of what is read.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// What comes first.
    Head(Head),
    /// A row.
    Row(Row),
    /// Nothing comes after it.
    End,
    /// The file can't be read, or not to its end.
    Fault(Fault),
}

/// Writes a piece.
///
/// # Errors
/// If nobody reads it.
pub fn write(out: &mut impl Write, scratch: &mut Vec<u8>, piece: &Piece) -> io::Result<()> {
    scratch.clear();
    let letter = match piece {
        Piece::Head(head) => {
            serde_json::to_writer(&mut *scratch, head)?;
            b'H'
        }
        Piece::Row(row) => {
            put_row(scratch, row);
            b'R'
        }
        Piece::End => b'E',
        Piece::Fault(fault) => {
            serde_json::to_writer(&mut *scratch, fault)?;
            b'F'
        }
    };
    let length = u32::try_from(scratch.len()).map_err(io::Error::other)?;
    out.write_all(&[letter])?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(scratch)
}

fn put_row(out: &mut Vec<u8>, row: &Row) {
    out.extend(row.number.to_le_bytes());
    for (column, cell) in &row.cells {
        out.extend(column.to_le_bytes());
        let text = |out: &mut Vec<u8>, letter: u8, text: &str| {
            out.push(letter);
            // A text has at most some twenty thousand bytes.
            out.extend(u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
            out.extend(text.as_bytes());
        };
        match cell {
            Cell::Text(said) => text(out, b't', said),
            Cell::Time(said) => text(out, b'd', said),
            Cell::Number(number) => {
                out.push(b'n');
                out.extend(number.to_le_bytes());
            }
            Cell::Truth(is) => out.push(if *is { b'y' } else { b'z' }),
            Cell::Formula => out.push(b'f'),
            Cell::Error => out.push(b'e'),
            Cell::Merged => out.push(b'm'),
        }
    }
}

/// Back from what [`write`] wrote behind the length; `None` for anything else.
pub fn read(letter: u8, bytes: &[u8]) -> Option<Piece> {
    match letter {
        b'H' => serde_json::from_slice(bytes).ok().map(Piece::Head),
        b'F' => serde_json::from_slice(bytes).ok().map(Piece::Fault),
        b'E' => bytes.is_empty().then_some(Piece::End),
        b'R' => row(bytes).map(Piece::Row),
        _ => None,
    }
}

fn row(bytes: &[u8]) -> Option<Row> {
    let (number, mut rest) = bytes.split_first_chunk::<4>()?;
    let mut row = Row {
        number: u32::from_le_bytes(*number),
        cells: Vec::new(),
    };
    while !rest.is_empty() {
        let (column, after) = rest.split_first_chunk::<2>()?;
        let (letter, mut after) = after.split_first()?;
        let mut text = || {
            let (length, tail) = after.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let said = std::str::from_utf8(tail.get(..length)?).ok()?.to_owned();
            after = tail.get(length..)?;
            Some(said)
        };
        let cell = match letter {
            b't' => Cell::Text(text()?),
            b'd' => Cell::Time(text()?),
            b'n' => {
                let (number, tail) = after.split_first_chunk::<8>()?;
                after = tail;
                Cell::Number(f64::from_le_bytes(*number))
            }
            b'y' => Cell::Truth(true),
            b'z' => Cell::Truth(false),
            b'f' => Cell::Formula,
            b'e' => Cell::Error,
            b'm' => Cell::Merged,
            _ => return None,
        };
        row.cells.push((u16::from_le_bytes(*column), cell));
        rest = after;
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m2_a_piece_survives_its_bytes_and_no_others_are_one() {
        let cells = [
            Cell::Text("가\n=1+1".into()),
            Cell::Text(String::new()),
            Cell::Number(-1.5e300),
            Cell::Time("2026-11-28 13:00:00".into()),
            Cell::Truth(true),
            Cell::Truth(false),
            Cell::Formula,
            Cell::Error,
            Cell::Merged,
        ];
        let cells: Vec<_> = (0..).step_by(3).zip(cells).collect();
        let pieces = [
            Piece::Head(Head::default()),
            Piece::Row(Row { number: 7, cells }),
            Piece::Row(Row::default()),
            Piece::End,
            Piece::Fault(Fault::NoColumn("제목".into())),
        ];
        for piece in pieces {
            let (mut out, mut scratch) = (Vec::new(), Vec::new());
            write(&mut out, &mut scratch, &piece).unwrap();
            let length = u32::from_le_bytes(out[1..5].try_into().unwrap());
            assert_eq!(usize::try_from(length).unwrap(), out.len() - 5);
            assert_eq!(read(out[0], &out[5..]), Some(piece.clone()));
            if out.len() > 5 {
                let cut = read(out[0], &out[5..out.len() - 1]);
                assert_ne!(cut, Some(piece), "cut off");
            }
        }
        for (letter, bytes) in [
            (b'X', &b""[..]),
            (b'E', b"x"),
            (b'R', b"\0"),
            (b'R', b"\0\0\0\0\0\0t\xff\xff\xff\xff"),
            (b'R', b"\0\0\0\0\0\0t\x01\0\0\0\xff"),
            (b'R', b"\0\0\0\0\0\0q"),
            (b'H', b"{}"),
        ] {
            assert_eq!(read(letter, bytes), None, "{letter} {bytes:?}");
        }
    }
}
