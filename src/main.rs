//! The commands.

use std::process::ExitCode;

use clap::Parser;
use orgdesk::command::{Command, run};

/// Organization-wide administration of a contact-center SaaS, as one GraphQL service.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    match runtime.block_on(run(arguments.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "a command tells its user what went wrong")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("orgdesk: {error:#}");
    ExitCode::FAILURE
}
