//! Walks the chains of an organization from their beginning, with the rows of the permission-change log that belong to
//! their entries, over what was removed in its time, and says where one breaks, or is not the one that was anchored.

use std::collections::VecDeque;

use sea_orm::{
    ActiveEnum, ColumnTrait, FromQueryResult, Iterable, QueryFilter, QueryOrder, QuerySelect,
    prelude::Uuid,
    sea_query::{Expr, ExprTrait},
};

use super::anchor;
use crate::kernel::{
    AuditLog, Caller, PermissionChangeId, Reader, Result,
    audit::{Break, Cause, Column, Entity, Model, Verifier, anchor::Anchor, segment},
    permission::{self, Digest},
    reader::Scoped,
};

/// How many entries are read at a time.
pub(super) const STEP: u64 = 250;

/// What was found of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which log.
    pub log: AuditLog,
    /// How many entries are there and whole, from the first.
    pub verified: i64,
    /// How many before them were removed at the end of their time, under a seal that is whole.
    pub removed: i64,
    /// The hash of the last whole entry, in hexadecimal, to be kept elsewhere.
    pub head: String,
    /// The place that is anchored outside the database, where one is.
    pub anchored: Option<i64>,
    /// Where the chain breaks, if it does.
    pub broken: Option<Break>,
}

/// Verifies all chains of the caller's organization, against what is anchored of them.
///
/// # Errors
/// Only if the database fails; a broken chain is a finding.
pub async fn verify(caller: &Caller, anchor: &Anchor) -> Result<Vec<Report>> {
    let mut reports = Vec::new();
    for log in AuditLog::iter() {
        reports.extend(verify_log(caller, log, anchor).await?);
    }
    Ok(reports)
}

/// Verifies one chain of the caller's organization; `None` for a caller of no organization.
///
/// # Errors
/// Only if the database fails; a broken chain is a finding.
pub async fn verify_log(caller: &Caller, log: AuditLog, anchor: &Anchor) -> Result<Option<Report>> {
    let Some(organization) = caller.organization_id() else {
        return Ok(None);
    };
    let view = caller.open(organization).await?;
    let known = anchor::known(caller.app(), anchor, organization, log);
    let place = Some(known.place).filter(|place| *place > 0);
    let mut verifier = Verifier::new(&caller.app().keys, log, known);
    let broken = walk(&view, log, &mut verifier).await?;
    let head = verifier.head().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(Report {
        log,
        verified: verifier.place() - verifier.removed(),
        removed: verifier.removed(),
        head,
        anchored: place,
        broken,
    }))
}

async fn walk(reader: &Reader, log: AuditLog, verifier: &mut Verifier<'_>) -> Result<Option<Break>> {
    for segment in segments(reader, log).await? {
        if let Err(broken) = verifier.pass(&segment) {
            return Ok(Some(broken));
        }
    }
    // Whoever brings rows to places that were given up would be read by everybody and verified by nobody.
    if verifier.place() > 0 {
        let given_up = reader.select::<Entity>().filter(Column::Log.eq(log));
        if given_up.filter(Column::Sequence.lte(verifier.place())).count().await? > 0 {
            return Ok(Some(verifier.broken(Cause::Changed)));
        }
    }
    let mut rights = Rights::new(reader, log);
    loop {
        let Some(rows) = readable(reader, log, verifier.place()).await? else {
            return Ok(Some(verifier.broken(Cause::Changed)));
        };
        if rows.is_empty() {
            let beyond = rights.next_place().await?.map(|_| verifier.broken(Cause::Changed));
            return Ok(beyond.or_else(|| verifier.end().err()));
        }
        for entry in &rows {
            if let Err(broken) = verifier.next(entry, rights.up_to(entry.sequence).await?) {
                return Ok(Some(broken));
            }
        }
    }
}

/// Some entries behind a place; `None` where the next one holds what nobody wrote there, so that it can't be read.
async fn readable(reader: &Reader, log: AuditLog, place: i64) -> Result<Option<Vec<Model>>> {
    if let Ok(rows) = entries(reader, log, place, STEP).await {
        return Ok(Some(rows));
    }
    if let Ok(rows) = entries(reader, log, place, 1).await {
        return Ok(Some(rows));
    }
    // Where not even this is answered, it is the database that fails.
    let rows = reader.select::<Entity>().filter(Column::Log.eq(log));
    rows.filter(Column::Sequence.gt(place)).count().await?;
    Ok(None)
}

/// What was removed of a log, the oldest first.
pub(super) async fn segments(reader: &Reader, log: AuditLog) -> Result<Vec<segment::Model>> {
    let rows = reader.select::<segment::Entity>().filter(segment::Column::Log.eq(log));
    rows.order_by_asc(segment::Column::FirstSequence).all().await
}

/// Some entries behind a place, in their order.
pub(super) async fn entries(reader: &Reader, log: AuditLog, place: i64, most: u64) -> Result<Vec<Model>> {
    let rows = reader.select::<Entity>().filter(Column::Log.eq(log));
    let rows = rows.filter(Column::Sequence.gt(place));
    rows.order_by_asc(Column::Sequence).limit(most).all().await
}

/// The rows of the permission-change log that belong to one log, read along with its entries: each with its place, and
/// none of those that hold what nobody wrote there, so that they can't be read.
pub(super) struct Rights<'r> {
    reader: &'r Reader,
    log: AuditLog,
    ahead: VecDeque<(i64, Option<permission::Model>)>,
    last: Option<(i64, PermissionChangeId)>,
    is_at_end: bool,
}

/// The place of a row.
#[derive(Debug, FromQueryResult)]
struct Place {
    sequence: i64,
}

impl<'r> Rights<'r> {
    pub(super) fn new(reader: &'r Reader, log: AuditLog) -> Self {
        Self {
            reader,
            log,
            ahead: VecDeque::new(),
            last: None,
            is_at_end: false,
        }
    }

    /// The digest of what lies behind the last entry, up to and with the one of this place; one that no entry has, where
    /// some of it can't be read.
    pub(super) async fn up_to(&mut self, sequence: i64) -> Result<Option<Vec<u8>>> {
        let (mut digest, mut is_readable) = (Digest::default(), true);
        while self.next_place().await?.is_some_and(|place| place <= sequence) {
            match self.ahead.pop_front() {
                Some((_, Some(row))) => digest.add(&row)?,
                _ => is_readable = false,
            }
        }
        Ok(if is_readable { digest.finish() } else { Some(Vec::new()) })
    }

    /// The place of the next row, if there is one.
    async fn next_place(&mut self) -> Result<Option<i64>> {
        if self.ahead.is_empty() && !self.is_at_end {
            match self.rows().limit(STEP).all().await {
                Ok(rows) => self.take(rows, STEP),
                Err(_) => match self.rows().limit(1).all().await {
                    Ok(rows) => self.take(rows, 1),
                    Err(_) => self.take_unreadable().await?,
                },
            }
        }
        Ok(self.ahead.front().map(|(place, _)| *place))
    }

    fn take(&mut self, rows: Vec<permission::Model>, most: u64) {
        self.is_at_end = (rows.len() as u64) < most;
        if let Some(row) = rows.last() {
            self.last = Some((row.sequence, row.id));
        }
        self.ahead = rows.into_iter().map(|row| (row.sequence, Some(row))).collect();
    }

    /// Goes on behind the entry whose row can't be read: that one is broken anyway.
    async fn take_unreadable(&mut self) -> Result<()> {
        let places = self.rows().limit(1).select_only().column(permission::Column::Sequence);
        let places: Vec<Place> = places.rows().await?;
        self.is_at_end = places.is_empty();
        if let Some(place) = places.first() {
            self.last = Some((place.sequence, PermissionChangeId(Uuid::max())));
            self.ahead.push_back((place.sequence, None));
        }
        Ok(())
    }

    fn rows(&self) -> Scoped<'r, permission::Entity> {
        let mut rows = self
            .reader
            .select::<permission::Entity>()
            .filter(permission::Column::Log.eq(self.log));
        if let Some((sequence, id)) = self.last {
            let here = [permission::Column::Sequence, permission::Column::Id].map(Expr::col);
            let there = [Expr::val(sequence), Expr::val(id)];
            rows = rows.filter(Expr::tuple(here).gt(Expr::tuple(there)));
        }
        rows.order_by_asc(permission::Column::Sequence)
            .order_by_asc(permission::Column::Id)
    }
}

impl Report {
    /// The log's name as the API writes it.
    pub fn name(&self) -> String {
        self.log.to_value()
    }
}
