//! Walks the chains of an organization from their beginning and says where one breaks.

use sea_orm::{ActiveEnum, ColumnTrait, Iterable, QueryFilter, QueryOrder, QuerySelect};

use crate::kernel::{
    AuditLog, Caller, Result,
    audit::{Break, Column, Entity, Verifier},
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
        let mut broken = None;
        while broken.is_none() {
            let rows = view
                .select::<Entity>()
                .filter(Column::Log.eq(log))
                .filter(Column::Sequence.gt(verifier.verified()));
            let rows = rows.order_by_asc(Column::Sequence).limit(STEP).all().await?;
            if rows.is_empty() {
                break;
            }
            broken = rows.iter().find_map(|entry| verifier.next(entry).err());
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

impl Report {
    /// The log's name as the API writes it.
    pub fn name(&self) -> String {
        self.log.to_value()
    }
}
