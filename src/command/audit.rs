//! `orgdesk audit verify`: walks every organization's chains and says where one breaks.

use anyhow::bail;
use clap::Subcommand;

use crate::{
    audit,
    kernel::{App, Caller},
    organization,
};

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that no entry was changed, removed, added or moved. Ends with an error if one was.
    Verify,
}

pub(super) async fn run(app: &App, command: Command) -> anyhow::Result<()> {
    let Command::Verify = command;
    let mut broken = 0;
    for organization in organization::all_organizations(app).await.map_err(super::organization::told)? {
        let caller = Caller::operator(app.clone(), organization);
        for report in audit::verify(&caller).await.map_err(super::organization::told)? {
            let (log, whole, head) = (report.name(), report.verified, report.head.get(..16).unwrap_or("-"));
            match report.broken {
                None => println!("{organization} {log} {whole} entries, head {head}"),
                Some(place) => {
                    broken += 1;
                    println!("{organization} {log} BROKEN at entry {}", place.sequence);
                }
            }
        }
        caller.release().await;
    }
    if broken > 0 {
        bail!("{broken} chains are broken");
    }
    Ok(())
}
