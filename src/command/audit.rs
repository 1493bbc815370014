//! `orgdesk audit verify`: walks every organization's chains and says where one breaks. `orgdesk audit anchor` and
//! `orgdesk audit purge`: what a running service does by itself, now.

use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;

use crate::{
    kernel::{App, audit::Cause},
    operate::{self, Verified},
};

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that no entry was changed, removed, added or moved, and that no log was cut off or written anew. Ends with an
    /// error if one was.
    Verify {
        /// A copy of the anchor, to be believed instead of the one of the settings.
        #[arg(long)]
        anchor: Option<PathBuf>,
    },
    /// Write the ends of all logs to the anchor now.
    Anchor,
    /// Remove from the logs what has been kept for as long as the settings say.
    Purge,
}

pub(super) async fn run(app: &App, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Verify { anchor } => verify(app, anchor).await,
        Command::Anchor => {
            let anchored = operate::anchor_audit(app).await?;
            println!("{} ends anchored", anchored.heads);
            for (organization, log) in &anchored.held_back {
                println!("{organization} {log:?} is not what was anchored");
            }
            anyhow::ensure!(anchored.held_back.is_empty(), "see `orgdesk audit verify`");
            Ok(())
        }
        Command::Purge => {
            println!("{} rows removed", operate::purge_audit(app).await?);
            Ok(())
        }
    }
}

async fn verify(app: &App, anchor: Option<PathBuf>) -> anyhow::Result<()> {
    tell(&operate::verify_audit_against(app, anchor.as_deref()).await?)
}

/// Prints what was found of all chains; an error if one is broken.
pub(super) fn tell(found: &Verified) -> anyhow::Result<()> {
    let mut broken = 0;
    for (organization, reports) in &found.organizations {
        for report in reports {
            let (log, whole, head) = (report.name(), report.verified, report.head.get(..16).unwrap_or("-"));
            match &report.broken {
                None => {
                    let removed = match report.removed {
                        0 => String::new(),
                        removed => format!(", {removed} before them removed in their time"),
                    };
                    let anchored = report
                        .anchored
                        .map_or_else(|| "not anchored".to_owned(), |place| format!("anchored at {place}"));
                    println!("{organization} {log} {whole} entries, head {head}, {anchored}{removed}");
                }
                Some(place) => {
                    broken += 1;
                    println!(
                        "{organization} {log} BROKEN at entry {}: {}",
                        place.sequence,
                        words(place.cause)
                    );
                }
            }
        }
    }
    for organization in &found.absent {
        broken += 1;
        println!("{organization} is anchored and ABSENT");
    }
    match found.broken_block {
        None if found.blocks > 0 => println!("anchor {} blocks", found.blocks),
        None => {}
        Some(block) => {
            broken += 1;
            println!("anchor BROKEN at block {block}");
        }
    }
    if let Some(block) = found.block_ahead {
        broken += 1;
        println!("anchor AHEAD at block {block}: its time has not come, and is not believed");
    }
    if broken > 0 {
        bail!("{broken} chains are broken");
    }
    Ok(())
}

fn words(cause: Cause) -> &'static str {
    match cause {
        Cause::Changed => "it or one of its permission changes is not what was written",
        Cause::SealBroken => "the sealed record of what was removed there is not what was written",
        Cause::CutOff => "the log ends there, and was longer when it was anchored",
        Cause::Replaced => "it is not the one that was anchored, or was removed before its time",
    }
}
