//! What an operator does with imports: looking at a file by hand.

use std::{io::Read as _, path::PathBuf};

use anyhow::{Context, bail};

use crate::{
    import::sheet::{LARGEST, inside},
    kernel::{Language, message},
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
    /// Write the rows of the file that comes from standard input to standard output, for the server that started this.
    #[command(hide = true)]
    Read,
}

/// Runs a command that needs no runtime.
pub(super) fn run_bare(command: &Command) -> Option<anyhow::Result<()>> {
    match command {
        Command::Read => Some(inside::pipe().context("the pipe broke")),
        Command::Check { file } => Some(check(file)),
    }
}

/// Runs a command.
///
/// # Errors
/// Whatever keeps it from being done.
pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    run_bare(&command).unwrap_or(Ok(()))
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
