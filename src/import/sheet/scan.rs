//! What the reader of cells does not tell of a sheet: areas of merged cells, and hidden rows. Tags are looked at as they
//! pass while the sheet is counted, so that nothing is read twice. No more than a tag is kept.

use std::sync::LazyLock;

use memchr::{memchr, memmem::Finder, memrchr};

use super::{Fault, MOST_MERGED};

/// The longest tag that is looked at, in bytes.
const LONGEST_TAG: usize = 4_096;

/// What a tag that is looked for has in it. Most sheets have neither, or once: looking for these words takes a small part of
/// the time that looking at the tag of each cell takes.
static WORDS: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| ["hidden", "mergeCell"].map(Finder::new));

/// What was found in a sheet.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The areas of merged cells.
    pub merged: Vec<Area>,
    /// How many rows are hidden.
    pub hidden_rows: u32,
}

/// An area of cells, from the first row and column to the last, each from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub rows: (u32, u32),
    pub columns: (u32, u32),
}

impl Area {
    /// Back from `B2:C3`.
    fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once(':').unwrap_or((text, text));
        let (from, to) = (place(from)?, place(to)?);
        Some(Self {
            rows: (from.0.min(to.0), from.0.max(to.0)),
            columns: (from.1.min(to.1), from.1.max(to.1)),
        })
    }

    pub fn has(&self, row: u32, column: u32) -> bool {
        (self.rows.0..=self.rows.1).contains(&row) && (self.columns.0..=self.columns.1).contains(&column)
    }
}

/// Row and column, from 0, of a text such as `B2`.
fn place(text: &str) -> Option<(u32, u32)> {
    let text = text.replace('$', "");
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, digits) = text.split_at_checked(letters)?;
    if !(1..=3).contains(&letters.len()) {
        return None;
    }
    let column = letters.bytes().fold(0, |sum, letter| {
        sum * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1
    });
    let row: u32 = digits.parse().ok()?;
    Some((row.checked_sub(1)?, column - 1))
}

/// Looks at a part while it passes.
pub(super) struct Scan {
    is_sheet: bool,
    /// What has come of a tag that began.
    tag: Option<Vec<u8>>,
    found: Found,
    is_over: bool,
}

impl Scan {
    pub fn new(is_sheet: bool) -> Self {
        Self {
            is_sheet,
            tag: None,
            found: Found::default(),
            is_over: false,
        }
    }

    pub fn take(&mut self, mut bytes: &[u8]) {
        if !self.is_sheet {
            return;
        }
        // A tag that began in an earlier piece.
        if let Some(mut tag) = self.tag.take() {
            let end = memchr(b'>', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = LONGEST_TAG - tag.len();
            tag.extend(&part[..part.len().min(room)]);
            let Some(end) = end else {
                self.tag = Some(tag);
                return;
            };
            self.look(&tag);
            bytes = &bytes[end + 1..];
        }
        if WORDS.iter().all(|word| word.find(bytes).is_none()) {
            // Behind the last end of a tag another may begin.
            let end = memrchr(b'>', bytes).map_or(0, |end| end + 1);
            bytes = &bytes[end..];
        }
        while let Some(begin) = memchr(b'<', bytes) {
            bytes = &bytes[begin + 1..];
            let end = memchr(b'>', bytes);
            let tag = &bytes[..end.unwrap_or(bytes.len()).min(LONGEST_TAG)];
            let Some(end) = end else {
                self.tag = Some(tag.to_vec());
                return;
            };
            self.look(tag);
            bytes = &bytes[end + 1..];
        }
    }

    fn look(&mut self, tag: &[u8]) {
        let name = tag.split(|byte| byte.is_ascii_whitespace() || *byte == b'/').next();
        let local = name.and_then(|name| name.rsplit(|byte| *byte == b':').next());
        let wanted = match local {
            Some(b"row") => "hidden",
            Some(b"mergeCell") => "ref",
            _ => return,
        };
        let text = String::from_utf8_lossy(tag);
        let Some(value) = attribute(&text, wanted) else { return };
        match wanted {
            "ref" if self.found.merged.len() >= MOST_MERGED => self.is_over = true,
            "ref" => self.found.merged.extend(Area::parse(value)),
            _ => self.found.hidden_rows += u32::from(value == "1" || value == "true"),
        }
    }

    /// What was found; `None` for what is no sheet.
    pub fn finish(self) -> Result<Option<Found>, Fault> {
        if self.is_over {
            return Err(Fault::TooComplex);
        }
        Ok(self.is_sheet.then_some(self.found))
    }
}

/// The value of a tag's attribute, as it stands there.
pub(super) fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag;
    loop {
        let at = rest.find('=')?;
        let (head, tail) = rest.split_at(at);
        let key = head.rsplit(|letter: char| letter.is_whitespace()).next()?.trim();
        let tail = tail[1..].trim_start();
        let quote = tail.chars().next().filter(|quote| "\"'".contains(*quote))?;
        let (value, after) = tail[1..].split_once(quote)?;
        if key == name {
            return Some(value);
        }
        rest = after;
    }
}

/// The path of the part that holds the sheet of a name, by what a workbook says of its sheets and of its parts.
pub(super) fn path_of(workbook: &str, relations: &str, sheet: &str) -> Option<String> {
    let tags = |text: &'_ str| -> Vec<String> { text.split('<').skip(1).map(str::to_owned).collect() };
    let id = tags(workbook).iter().find_map(|tag| {
        let is_it = attribute(tag, "name") == Some(sheet);
        is_it.then(|| attribute(tag, "r:id").map(str::to_owned)).flatten()
    })?;
    let target = tags(relations).iter().find_map(|tag| {
        let is_it = attribute(tag, "Id") == Some(id.as_str());
        is_it.then(|| attribute(tag, "Target").map(str::to_owned)).flatten()
    })?;
    let target = target.trim_start_matches('/');
    let target = target.strip_prefix("xl/").unwrap_or(target);
    Some(format!("xl/{target}").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, cut: usize) -> Found {
        let mut scan = Scan::new(true);
        for piece in text.as_bytes().chunks(cut) {
            scan.take(piece);
        }
        scan.finish().unwrap().unwrap()
    }

    #[test]
    fn m2_merged_areas_and_hidden_rows_are_seen_wherever_the_bytes_are_cut() {
        let text = r#"<sheetData><row r="1"/><row r="2" hidden="1"><c r="A2"/></row><x:row x="&gt;" hidden='true'/><row hidden="0"/>
            <rowBreaks hidden="1"/></sheetData><mergeCells><mergeCell ref="B2:$C$3"/><mergeCell ref="AA1"/><mergeCell ref="1"/></mergeCells>"#;
        let area = |rows, columns| Area { rows, columns };
        for cut in [1, 2, 3, 7, 64, 4_096] {
            let found = found(text, cut);
            assert_eq!(found.hidden_rows, 2, "{cut}");
            assert_eq!(found.merged, [area((1, 2), (1, 2)), area((0, 0), (26, 26))], "{cut}");
        }
        assert!(area((1, 2), (1, 2)).has(2, 1) && !area((1, 2), (1, 2)).has(0, 1));
    }

    #[test]
    fn m2_a_sheet_is_found_by_its_name() {
        let workbook = r#"<sheets><sheet name="a" r:id="r1"/><sheet sheetId="2" name="티켓" r:id="r2"/></sheets>"#;
        let relations =
            r#"<Relationship Target="worksheets/a.xml" Id="r1"/><Relationship Id="r2" Target="/xl/worksheets/B.xml"/>"#;
        assert_eq!(
            path_of(workbook, relations, "티켓").as_deref(),
            Some("xl/worksheets/b.xml")
        );
        assert_eq!(path_of(workbook, relations, "b"), None);
    }
}
