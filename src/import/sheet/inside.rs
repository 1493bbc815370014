//! What the process does that reads a file: it binds itself first, and only then looks at anything.

use std::io::{self, BufWriter, Read as _, Write};

use super::{
    Fault, Head, LARGEST, Row,
    read::{self, Listener},
    wire::{self, Piece},
};

/// The most memory that reading a file takes, in bytes.
pub const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// The most time of a processor that it takes, in seconds.
pub const MOST_SECONDS: u64 = 60;

/// Binds this process, for good: to memory and time of a processor, and to leaving nothing of its memory behind.
///
/// # Errors
/// If the operating system refuses.
pub fn bind() -> io::Result<()> {
    use rlimit::Resource;
    for (what, most) in [
        (Resource::DATA, MOST_MEMORY),
        (Resource::CPU, MOST_SECONDS),
        (Resource::CORE, 0),
    ] {
        rlimit::setrlimit(what, most, most)?;
    }
    Ok(())
}

/// Writes the rows of the file that comes from standard input to standard output, as [`wire`] says.
///
/// # Errors
/// If there is nothing to read from or to write to.
pub fn pipe() -> io::Result<()> {
    bind()?;
    // What it writes goes into the pipe, and into no file.
    rlimit::setrlimit(rlimit::Resource::FSIZE, 0, 0)?;
    let mut bytes = Vec::new();
    io::stdin().lock().take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    let mut pipe = Pipe {
        out: BufWriter::with_capacity(256 * 1024, io::stdout().lock()),
        scratch: Vec::new(),
        broken: None,
    };
    let end = match read::read(&bytes, &mut pipe) {
        Ok(()) => Piece::End,
        Err(fault) => Piece::Fault(fault),
    };
    pipe.put(&end);
    match pipe.broken {
        Some(error) => Err(error),
        None => pipe.out.flush(),
    }
}

struct Pipe<W: Write> {
    out: W,
    scratch: Vec<u8>,
    broken: Option<io::Error>,
}

impl<W: Write> Pipe<W> {
    fn put(&mut self, piece: &Piece) -> bool {
        if self.broken.is_none() {
            self.broken = wire::write(&mut self.out, &mut self.scratch, piece).err();
        }
        self.broken.is_none()
    }
}

impl<W: Write> Listener for Pipe<W> {
    fn head(&mut self, head: Head) -> bool {
        self.put(&Piece::Head(head))
    }

    fn row(&mut self, row: Row) -> bool {
        self.put(&Piece::Row(row))
    }
}

/// What is in a file, for whoever looks at one by hand.
#[derive(Debug, Default)]
pub struct Summary {
    /// What it says of itself.
    pub head: Head,
    /// How many rows have something in them.
    pub rows: u32,
    /// How many cells are formulas, errors or parts of merged areas.
    pub odd_cells: u32,
}

/// Somebody who looks, and tells how many rows he has seen.
struct Looking<T> {
    summary: Summary,
    tell: T,
}

impl<T: FnMut(u32)> Listener for Looking<T> {
    fn head(&mut self, head: Head) -> bool {
        self.summary.head = head;
        true
    }

    fn row(&mut self, row: Row) -> bool {
        use super::Cell;
        self.summary.rows += 1;
        let odd = row
            .cells
            .iter()
            .filter(|(_, cell)| matches!(cell, Cell::Formula | Cell::Error | Cell::Merged));
        self.summary.odd_cells += u32::try_from(odd.count()).unwrap_or(u32::MAX);
        (self.tell)(self.summary.rows);
        true
    }
}

/// Looks at a file; `tell` gets the number of rows that were seen, after each.
///
/// # Errors
/// Why it can't be read.
pub fn look(bytes: &[u8], tell: impl FnMut(u32)) -> Result<Summary, Fault> {
    let mut looking = Looking {
        summary: Summary::default(),
        tell,
    };
    read::read(bytes, &mut looking)?;
    Ok(looking.summary)
}
