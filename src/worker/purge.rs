//! The end of the time of all logs: of those with a chain, of those without one, and of the one that belongs to no
//! organization. A server does it in the night, and `orgdesk audit purge` whenever it is told to.

use crate::{
    audit::{self, anchor},
    extraction,
    kernel::{App, Error, Result, security},
    organization,
};

/// What came of it.
#[derive(Debug, Default)]
pub struct Purged {
    /// How many rows went.
    pub rows: u64,
    /// What kept rows from going: they stay until the next time.
    pub faults: Vec<Error>,
}

impl Purged {
    fn take(&mut self, gone: Result<u64>, what: &str) {
        match gone {
            Ok(rows) => self.rows += rows,
            Err(error) => {
                tracing::error!(?error, what, "what is over in a log stays");
                self.faults.push(error);
            }
        }
    }
}

/// Removes from all logs what has been kept long enough, after anchoring the ends of all chains. What is wrong with one log or
/// organization keeps no other's.
///
/// # Errors
/// Only if it can't be read which organizations there are.
pub async fn purge_logs(app: &App) -> Result<Purged> {
    let mut purged = Purged::default();
    let anchor = anchor::before_purge(app).await;
    purged.take(security::purge(app).await, "attempts that belong to no organization");
    for organization in organization::all_organizations(app).await? {
        let of = organization.to_string();
        purged.take(audit::purge(app, organization, &anchor).await, &of);
        purged.take(extraction::purge(app, organization).await, &of);
    }
    Ok(purged)
}
