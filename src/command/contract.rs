//! `orgdesk contract discount`: what an operator grants a contract.

use chrono::NaiveDate;
use clap::Subcommand;

use crate::{
    kernel::{App, Day},
    operate,
};

/// What can be done with contracts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set a contract's discount and free-trial days. What is not given stays as it is.
    Discount {
        /// The organization's domain.
        #[arg(long)]
        domain: String,
        /// The service's code.
        #[arg(long)]
        service: String,
        /// Percent off, 0 to 100.
        #[arg(long)]
        percent: Option<i32>,
        /// The first free day, such as 2026-11-01.
        #[arg(long, requires = "free_to")]
        free_from: Option<NaiveDate>,
        /// The last free day.
        #[arg(long, requires = "free_from")]
        free_to: Option<NaiveDate>,
    },
}

pub(super) async fn run(app: &App, command: Command) -> anyhow::Result<()> {
    let Command::Discount {
        domain,
        service,
        percent,
        free_from,
        free_to,
    } = command;
    let free = free_from.zip(free_to).map(|(from, to)| (Day(from), Day(to)));
    operate::discount(app, &domain, &service, percent, free).await
}
