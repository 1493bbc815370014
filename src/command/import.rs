//! What an operator does with imports: looking at a file by hand.

use std::{io::Read as _, path::PathBuf};

use anyhow::{Context, bail};

use crate::{
    import::sheet::{LARGEST, inside},
    kernel::{Language, message},
    operate, worker,
};

/// What can be done with imports.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Look at a file as an upload would be, under the same limits of memory and time, and print what it says of itself. The
    /// fields of its service are not asked.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Print the imports of an organization that are not over, the latest first, at most 1,000, one a line and with tabs
    /// between: ID, service, state, rows, done, imported, left out, and when it begins.
    List {
        /// The organization's domain.
        organization: String,
    },
    /// Do now what is due, such as imports whose night has come while no server was up, and wait until it is done.
    RunDue,
    /// Write the rows of the file that comes from standard input to standard output, for the server that started this.
    #[command(hide = true)]
    Read,
}

/// Runs a command that needs no runtime.
pub(super) fn run_bare(command: &Command) -> Option<anyhow::Result<()>> {
    match command {
        Command::Read => Some(inside::pipe().context("the pipe broke")),
        Command::Check { file } => Some(check(file)),
        Command::List { .. } | Command::RunDue => None,
    }
}

/// Runs a command.
///
/// # Errors
/// Whatever keeps it from being done.
pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { organization } => {
            let lines = operate::imports(&super::installation().await?, &organization).await?;
            lines.iter().for_each(|line| println!("{line}"));
            Ok(())
        }
        Command::RunDue => {
            let begun = worker::run_due(&super::installation().await?).await;
            println!("{}", begun.map_err(operate::told)?);
            Ok(())
        }
        command @ (Command::Check { .. } | Command::Read) => run_bare(&command).unwrap_or(Ok(())),
    }
}

fn check(path: &PathBuf) -> anyhow::Result<()> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    inside::bind().context("the limits of memory and time")?;
    match inside::look(&bytes) {
        Ok(summary) => {
            let head = &summary.head;
            println!("service {}", head.service);
            println!("fields {}", head.fingerprint);
            println!("issued {}", head.issued_at);
            println!(
                "columns {}",
                head.columns.iter().filter(|code| !code.is_empty()).count()
            );
            println!("rows {}", summary.rows);
            println!("hidden rows {}", head.hidden_rows);
            println!("formulas, errors and merged cells {}", summary.odd_cells);
            Ok(())
        }
        Err(fault) => {
            let problem = fault.problem();
            bail!(message::text(Language::English, problem.code.name(), &problem.words))
        }
    }
}
