//! `orgdesk audit`: the chains of every organization's logs, the anchor of their ends, and the end of their time.

use std::path::Path;

use super::told;
use crate::{
    audit::{self, Report, anchor},
    kernel::{App, AuditLog, Caller, OrganizationId},
    organization, worker,
};

pub use anchor::Anchored;

/// What was found of all chains.
#[derive(Debug)]
pub struct Verified {
    /// By organization.
    pub organizations: Vec<(OrganizationId, Vec<Report>)>,
    /// How many blocks of the anchor are whole.
    pub blocks: i64,
    /// The first block of the anchor that is not what was written.
    pub broken_block: Option<i64>,
    /// The first block of the anchor that is of the future: its time is not believed.
    pub block_ahead: Option<i64>,
    /// Organizations that the anchor knows, and the database does not.
    pub absent: Vec<OrganizationId>,
}

/// Walks the chains of every organization's audit logs, against the anchor of the settings.
///
/// # Errors
/// Only if the database fails or the anchor can't be read; a broken chain is a finding.
pub async fn verify_audit(app: &App) -> anyhow::Result<Vec<(OrganizationId, Vec<Report>)>> {
    Ok(verify_audit_against(app, None).await?.organizations)
}

/// Walks the chains of every organization's audit logs, against an anchor in a file, or that of the settings.
///
/// # Errors
/// Only if the database fails or the anchor can't be read; a broken chain is a finding.
pub async fn verify_audit_against(app: &App, file: Option<&Path>) -> anyhow::Result<Verified> {
    let anchor = match file {
        Some(file) => {
            anyhow::ensure!(file.exists(), "there is no {}", file.display());
            anchor::read_file(app, file).await
        }
        None => anchor::read(app).await,
    };
    let anchor = anchor.map_err(told)?;
    let mut organizations = Vec::new();
    let mut absent = anchor.organizations();
    for organization in organization::all_organizations(app).await.map_err(told)? {
        absent.remove(&organization);
        let caller = Caller::operator(app.clone(), organization);
        let reports = audit::verify(&caller, &anchor).await;
        caller.release().await;
        organizations.push((organization, reports.map_err(told)?));
    }
    Ok(Verified {
        organizations,
        blocks: anchor.number(),
        broken_block: anchor.broken(),
        block_ahead: anchor.ahead(),
        absent: absent.into_iter().collect(),
    })
}

/// Walks one chain of one organization, against the anchor of the settings.
///
/// # Errors
/// Only if the database fails; a broken chain is a finding.
pub async fn verify_log(app: &App, organization: OrganizationId, log: AuditLog) -> anyhow::Result<Option<Report>> {
    let anchor = anchor::read(app).await.map_err(told)?;
    let caller = Caller::operator(app.clone(), organization);
    let report = audit::verify_log(&caller, log, &anchor).await;
    caller.release().await;
    report.map_err(told)
}

/// Anchors the ends of all chains now.
///
/// # Errors
/// If the anchor can't be written, or is broken.
pub async fn anchor_audit(app: &App) -> anyhow::Result<Anchored> {
    anchor::write(app).await.map_err(told)
}

/// Anchors the ends of all chains where it is time. Answers whether it was.
///
/// # Errors
/// If the anchor can't be written, or is broken.
pub async fn anchor_audit_if_due(app: &App) -> anyhow::Result<bool> {
    anchor::write_if_due(app).await.map_err(told)
}

/// Removes from every log what has been kept long enough, after anchoring the ends of all chains. Answers how many rows
/// went.
///
/// # Errors
/// If something was in the way of one of them; what could go has gone then.
pub async fn purge_audit(app: &App) -> anyhow::Result<u64> {
    let purged = worker::purge_logs(app).await.map_err(told)?;
    match purged.faults.into_iter().next() {
        Some(fault) => Err(told(fault)),
        None => Ok(purged.rows),
    }
}
