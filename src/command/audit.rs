//! `orgdesk audit verify`: walks every organization's chains and says where one breaks.

use anyhow::bail;
use clap::Subcommand;

use crate::{kernel::App, operate};

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that no entry was changed, removed, added or moved. Ends with an error if one was.
    Verify,
}

pub(super) async fn run(app: &App, command: Command) -> anyhow::Result<()> {
    let Command::Verify = command;
    let mut broken = 0;
    for (organization, reports) in operate::verify_audit(app).await? {
        for report in reports {
            let (log, whole, head) = (report.name(), report.verified, report.head.get(..16).unwrap_or("-"));
            match report.broken {
                None => println!("{organization} {log} {whole} entries, head {head}"),
                Some(place) => {
                    broken += 1;
                    println!("{organization} {log} BROKEN at entry {}", place.sequence);
                }
            }
        }
    }
    if broken > 0 {
        bail!("{broken} chains are broken");
    }
    Ok(())
}
