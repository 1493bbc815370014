//! Walks the chains of an organization from their beginning, with the rows of the permission-change log that belong to
//! their entries, and says where one breaks.

use std::{collections::VecDeque, sync::Arc};

use sea_orm::{
    ActiveEnum, ColumnTrait, Iterable, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::kernel::{
    AuditLog, Caller, PermissionChangeId, Result, View,
    audit::{Break, Column, Entity, Verifier},
    permission::{self, Digest},
};

/// How many entries are read at a time.
const STEP: u64 = 1_000;

/// What was found of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which log.
    pub log: AuditLog,
    /// How many entries are whole, from the first.
    pub verified: i64,
    /// The hash of the last whole entry, in hexadecimal, to be kept elsewhere.
    pub head: String,
    /// Where the chain breaks, if it does.
    pub broken: Option<Break>,
}

/// Verifies all chains of the caller's organization.
///
/// # Errors
/// Only if the database fails; a broken chain is a finding.
pub async fn verify(caller: &Caller) -> Result<Vec<Report>> {
    let Some(organization) = caller.organization_id() else {
        return Ok(Vec::new());
    };
    let view = caller.open(organization).await?;
    let mut reports = Vec::new();
    for log in AuditLog::iter() {
        let mut verifier = Verifier::new(&caller.app().keys, log);
        let mut rights = Rights::new(view.clone(), log);
        let mut broken = None;
        while broken.is_none() {
            let rows = view
                .select::<Entity>()
                .filter(Column::Log.eq(log))
                .filter(Column::Sequence.gt(verifier.verified()));
            let rows = rows.order_by_asc(Column::Sequence).limit(STEP).all().await?;
            if rows.is_empty() {
                broken = rights.next().await?.map(|_| verifier.broken());
                break;
            }
            for entry in &rows {
                broken = verifier.next(entry, rights.up_to(entry.sequence).await?).err();
                if broken.is_some() {
                    break;
                }
            }
        }
        let head = verifier.head().iter().map(|byte| format!("{byte:02x}")).collect();
        reports.push(Report {
            log,
            verified: verifier.verified(),
            head,
            broken,
        });
    }
    Ok(reports)
}

/// The rows of the permission-change log that belong to one log, read along with its entries.
struct Rights {
    view: Arc<View>,
    log: AuditLog,
    ahead: VecDeque<permission::Model>,
    last: Option<(i64, PermissionChangeId)>,
    is_at_end: bool,
}

impl Rights {
    fn new(view: Arc<View>, log: AuditLog) -> Self {
        Self {
            view,
            log,
            ahead: VecDeque::new(),
            last: None,
            is_at_end: false,
        }
    }

    /// The digest of what lies behind the last entry, up to and with the one of this place.
    async fn up_to(&mut self, sequence: i64) -> Result<Option<Vec<u8>>> {
        let mut digest = Digest::default();
        while self.next().await?.is_some_and(|row| row.sequence <= sequence) {
            if let Some(row) = self.ahead.pop_front() {
                digest.add(&row)?;
            }
        }
        Ok(digest.finish())
    }

    /// The next row, if there is one.
    async fn next(&mut self) -> Result<Option<&permission::Model>> {
        if self.ahead.is_empty() && !self.is_at_end {
            let mut rows = self
                .view
                .select::<permission::Entity>()
                .filter(permission::Column::Log.eq(self.log));
            if let Some((sequence, id)) = self.last {
                let here = [permission::Column::Sequence, permission::Column::Id].map(Expr::col);
                let there = [Expr::val(sequence), Expr::val(id)];
                rows = rows.filter(Expr::tuple(here).gt(Expr::tuple(there)));
            }
            let ordered = rows
                .order_by_asc(permission::Column::Sequence)
                .order_by_asc(permission::Column::Id);
            self.ahead = ordered.limit(STEP).all().await?.into();
            self.is_at_end = (self.ahead.len() as u64) < STEP;
            self.last = self.ahead.back().map(|row| (row.sequence, row.id));
        }
        Ok(self.ahead.front())
    }
}

impl Report {
    /// The log's name as the API writes it.
    pub fn name(&self) -> String {
        self.log.to_value()
    }
}
