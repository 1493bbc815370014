//! The commands.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use orgdesk::command::{Command, run, run_bare};

/// Organization-wide administration of a contact-center SaaS, as one GraphQL service.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The stack of a thread, in bytes. A request's resolvers lie one in the other, and without optimisation they take more
/// than the usual two MiB; what is not used costs nothing.
const STACK: usize = 8 * 1_024 * 1_024;

/// How long what waits for a file that hangs keeps the process from its end.
const HANGING: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(done) = run_bare(&arguments.command) {
        return done.map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS);
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = match runtime.enable_all().thread_stack_size(STACK).build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let done = runtime.block_on(run(arguments.command));
    runtime.shutdown_timeout(HANGING);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "a command tells its user what went wrong")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("orgdesk: {error:#}");
    ExitCode::FAILURE
}
