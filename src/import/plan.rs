//! What a row of a file comes to: a ticket that can be added, or all that is wrong with it. The same rules hold when a file
//! is looked at and when it is imported, with what the service is like then. Nothing is guessed: what Excel has changed is
//! taken only where there is one thing that it can have been.

use std::collections::{HashMap, HashSet};

use chrono_tz::Tz;

use super::{
    cell::{Fault, choice, external, form, given, instant, is_mask, plain, text, told, too_long},
    column::{Column, Fixed, LONGEST_PROCESSING, What},
    sheet::{Cell, Head, LONGEST, Row},
};
use crate::{
    field::{
        Field,
        value::{self, Given},
    },
    kernel::{Code, MemberId, Timestamp},
};

/// What is wrong with a cell, without anything of what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The row's number, as Excel shows it.
    pub row: u32,
    /// The place of its column in the sheet, from 0.
    pub place: u16,
    /// The code of the column.
    pub column: String,
    /// What is wrong.
    pub code: Code,
    /// What the message speaks of: limits and forms, the same in every language.
    pub words: Vec<(&'static str, String)>,
}

/// A ticket that can be added.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    /// The row's number.
    pub row: u32,
    /// 접수일시.
    pub received_at: Timestamp,
    /// 처리일시.
    pub processed_at: Option<Timestamp>,
    /// 채널, by its name.
    pub channel: &'static str,
    /// 상태, by its name.
    pub status: &'static str,
    /// 담당자.
    pub assignee: Option<MemberId>,
    /// 처리내용.
    pub processing: Option<String>,
    /// 외부 ID.
    pub external_id: Option<String>,
    /// The values of the service's fields, by their codes.
    pub values: Vec<(String, Given)>,
}

/// What rows are held against.
pub struct Plan {
    columns: Vec<Column>,
    /// The place of each column in the sheet; absent in an older template that lacks it.
    places: Vec<Option<u16>>,
    /// Places of columns whose field the service does not have any more, with their codes.
    gone: HashMap<u16, String>,
    zone: Tz,
    now: Timestamp,
    /// Who works in the service, by login ID.
    agents: HashMap<String, MemberId>,
    /// The external IDs that were seen so far.
    seen: HashSet<String>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").finish_non_exhaustive()
    }
}

impl Plan {
    /// The rules of a service with these columns for a sheet with this head.
    pub fn new(
        columns: Vec<Column>,
        head: &Head,
        agents: HashMap<String, MemberId>,
        (zone, now): (Tz, Timestamp),
    ) -> Self {
        let place = |code: &str| {
            let place = head.columns.iter().position(|own| own == code);
            place.and_then(|place| u16::try_from(place).ok())
        };
        let places = columns.iter().map(|column| place(column.code())).collect();
        let is_known = |code: &String| code.is_empty() || columns.iter().any(|column| column.code() == code);
        let gone = (0_u16..).zip(&head.columns).filter(|(_, code)| !is_known(code));
        Self {
            gone: gone.map(|(place, code)| (place, code.clone())).collect(),
            columns,
            places,
            zone,
            now,
            agents,
            seen: HashSet::new(),
        }
    }

    /// What a row comes to.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn judge(&mut self, row: &Row) -> Result<Ready, Vec<Wrong>> {
        let mut cells: Vec<Option<&Cell>> = Vec::new();
        for (place, cell) in &row.cells {
            let place = usize::from(*place);
            cells.resize(cells.len().max(place + 1), None);
            cells[place] = Some(cell);
        }
        let mut judged = Judged::new(row.number);
        for (column, place) in self.columns.iter().zip(&self.places) {
            let cell = place.and_then(|place| cells.get_mut(usize::from(place))?.take());
            let at = (place.unwrap_or(0), column.code());
            match &column.what {
                What::Fixed(fixed) => judged.fixed(at, *fixed, cell, self.zone, &self.agents),
                What::Field(field) => judged.field(at, field, cell),
            }
        }
        for (place, _) in (0_u16..).zip(&cells).filter(|(_, cell)| cell.is_some()) {
            if let Some(code) = self.gone.get(&place) {
                judged.tell((place, code), Code::FieldGone, Vec::new());
            }
        }
        let place = |fixed: Fixed| {
            let at = self.columns.iter().position(|column| column.code() == fixed.code());
            at.and_then(|at| self.places.get(at).copied().flatten()).unwrap_or(0)
        };
        judged.together(self.now, place);
        if let Some(id) = &judged.external_id
            && !self.seen.insert(id.clone())
        {
            let at = (place(Fixed::ExternalId), Fixed::ExternalId.code());
            judged.tell(at, Code::Duplicate, Vec::new());
        }
        judged.finish()
    }
}

/// A column as problems name it: its place and its code.
type At<'c> = (u16, &'c str);

/// A row of which some columns were looked at.
struct Judged {
    row: u32,
    received_at: Option<Timestamp>,
    processed_at: Option<Timestamp>,
    channel: Option<&'static str>,
    status: Option<&'static str>,
    assignee: Option<MemberId>,
    processing: Option<String>,
    external_id: Option<String>,
    values: Vec<(String, Given)>,
    wrong: Vec<Wrong>,
}

impl Judged {
    fn new(row: u32) -> Self {
        Self {
            row,
            received_at: None,
            processed_at: None,
            channel: None,
            status: None,
            assignee: None,
            processing: None,
            external_id: None,
            values: Vec::new(),
            wrong: Vec::new(),
        }
    }

    fn tell(&mut self, (place, column): At<'_>, code: Code, words: Vec<(&'static str, String)>) {
        self.wrong.push(Wrong {
            row: self.row,
            place,
            column: column.to_owned(),
            code,
            words,
        });
    }

    /// What a cell says, if it can be read as what it should be.
    fn said<T>(&mut self, at: At<'_>, cell: Option<&Cell>, read: impl FnOnce(&Cell) -> Result<T, Fault>) -> Option<T> {
        let read = match cell? {
            Cell::Formula => Err((Code::CellFormula, Vec::new())),
            Cell::Error => Err((Code::CellError, Vec::new())),
            Cell::Merged => Err((Code::CellMerged, Vec::new())),
            Cell::Text(text) if text.len() > LONGEST && text.chars().nth(LONGEST).is_some() => Err(too_long(LONGEST)),
            cell => read(cell),
        };
        match read {
            Ok(said) => Some(said),
            Err((code, words)) => {
                self.tell(at, code, words);
                None
            }
        }
    }

    fn fixed(&mut self, at: At<'_>, fixed: Fixed, cell: Option<&Cell>, zone: Tz, agents: &HashMap<String, MemberId>) {
        match fixed {
            Fixed::ReceivedAt if cell.is_none() => self.tell(at, Code::Blank, Vec::new()),
            Fixed::ReceivedAt => self.received_at = self.said(at, cell, |cell| instant(cell, zone)),
            Fixed::ProcessedAt => self.processed_at = self.said(at, cell, |cell| instant(cell, zone)),
            Fixed::Channel => self.channel = self.said(at, cell, |cell| choice(fixed, cell)),
            Fixed::Status => self.status = self.said(at, cell, |cell| choice(fixed, cell)),
            Fixed::Assignee => {
                self.assignee = self.said(at, cell, |cell| {
                    let login = text(cell)?.trim().to_lowercase();
                    agents.get(&login).copied().ok_or((Code::AssigneeUnknown, Vec::new()))
                });
            }
            Fixed::Processing => self.processing = self.said(at, cell, |cell| plain(cell, LONGEST_PROCESSING)),
            Fixed::ExternalId => self.external_id = self.said(at, cell, external),
        }
    }

    fn field(&mut self, at: At<'_>, field: &Field, cell: Option<&Cell>) {
        let before = self.wrong.len();
        let given = self.said(at, cell, |cell| given(field, cell));
        if self.wrong.len() > before {
            return;
        }
        match value::check(field, given.as_ref()) {
            // What came out masked tells nothing of anybody, and would stand there for good.
            Ok(Some(Given::Text(text))) if is_mask(field, &text) => {
                let (code, words) = form("***");
                self.tell(at, code, words);
            }
            Ok(Some(value)) => self.values.push((field.code.clone(), value)),
            Ok(None) => {}
            Err(wrong) => {
                let (code, words) = told(field, wrong);
                self.tell(at, code, words);
            }
        }
    }

    /// What the columns must be to each other.
    fn together(&mut self, now: Timestamp, place: impl Fn(Fixed) -> u16) {
        let at = |fixed: Fixed| (place(fixed), fixed.code());
        for (fixed, time) in [
            (Fixed::ReceivedAt, self.received_at),
            (Fixed::ProcessedAt, self.processed_at),
        ] {
            if time.is_some_and(|time| time > now) {
                self.tell(at(fixed), Code::TimeInFuture, Vec::new());
            }
        }
        if let (Some(received), Some(processed)) = (self.received_at, self.processed_at)
            && processed < received
        {
            self.tell(at(Fixed::ProcessedAt), Code::TimeBeforeReceived, Vec::new());
        }
        if self.status == Some("NEW") && self.assignee.is_some() {
            self.tell(at(Fixed::Assignee), Code::AssigneeNotAllowed, Vec::new());
        }
    }

    fn finish(self) -> Result<Ready, Vec<Wrong>> {
        let Some(received_at) = self.received_at.filter(|_| self.wrong.is_empty()) else {
            return Err(self.wrong);
        };
        let usual = match (self.processed_at, self.assignee) {
            (Some(_), _) => "CLOSED",
            (None, Some(_)) => "OPEN",
            (None, None) => "NEW",
        };
        Ok(Ready {
            row: self.row,
            received_at,
            processed_at: self.processed_at,
            channel: self.channel.unwrap_or("MANUAL"),
            status: self.status.unwrap_or(usual),
            assignee: self.assignee,
            processing: self.processing,
            external_id: self.external_id,
            values: self.values,
        })
    }
}
