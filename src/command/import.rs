//! What an operator does with imports: looking at a file by hand, at what is not over, and doing what is due.

use std::{collections::BTreeMap, io::Read as _, path::PathBuf, time::Duration};

use anyhow::{Context, bail};

use super::progress::Progress;
use crate::{
    import::sheet::{LARGEST, inside},
    kernel::{App, Language, message},
    operate, worker,
};

/// How often whoever waits sees how far it is.
const LOOK: Duration = Duration::from_millis(250);

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
    /// Do now what is due, such as imports whose night has come while no server was up, wait until it is done, and print how
    /// many jobs were begun.
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
            println!("{}", run_due(&super::installation().await?).await?);
            Ok(())
        }
        command @ (Command::Check { .. } | Command::Read) => run_bare(&command).unwrap_or(Ok(())),
    }
}

/// Does what is due until no import is left that will be in a moment; shows meanwhile how far the imports are. Answers how
/// many jobs were begun.
async fn run_due(app: &App) -> anyhow::Result<usize> {
    let (mut progress, mut begun) = (Progress::on_terminal("rows"), 0);
    // Those that were seen at work: how many rows were done of how many.
    let mut seen: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    loop {
        let mut running = std::pin::pin!(worker::run_due(app));
        let mut interval = tokio::time::interval(LOOK);
        begun += loop {
            tokio::select! {
                done = &mut running => break done.map_err(operate::told)?,
                _ = interval.tick(), if progress.is_shown() => {
                    // Whatever is at work no more is done.
                    seen.values_mut().for_each(|(done, all)| *done = *all);
                    seen.extend(operate::imports_at_work(app).await?);
                    let sum = |of: fn(&(u32, u32)) -> u32| seen.values().map(|one| u64::from(of(one))).sum();
                    progress.tell(sum(|one| one.0), Some(sum(|one| one.1)));
                }
            }
        };
        if !operate::is_import_due_soon(app).await? {
            return Ok(begun);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn check(path: &PathBuf) -> anyhow::Result<()> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    inside::bind().context("the limits of memory and time")?;
    let mut progress = Progress::on_terminal("rows");
    let looked = inside::look(&bytes, |rows| progress.tell(u64::from(rows), None));
    drop(progress);
    match looked {
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
