//! `orgdesk contract discount`: what an operator grants a contract.

use anyhow::Context;
use chrono::NaiveDate;
use clap::Subcommand;
use sea_orm::{ColumnTrait, QueryFilter};

use super::organization::told;
use crate::{
    contract::{self, Discount},
    kernel::{Action, App, Caller, Day, Error, Plain},
    organization, service,
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
    let Command::Discount { domain, service, percent, free_from, free_to } = command;
    let found = organization::find_by_domain(app, &domain).await.map_err(told)?;
    let organization = found.with_context(|| format!("there is no organization {domain}"))?;
    let discount = Discount { percent, trial: free_from.zip(free_to).map(|(from, to)| (Day(from), Day(to))) };
    let deed = async |tx: &crate::kernel::Tx| {
        let row = tx.select::<service::Entity>().filter(service::Column::Code.eq(&service)).one().await?;
        let row = row.ok_or_else(|| Error::not_found("service"))?;
        let contract = contract::of_service(tx, &row).await?;
        contract::discount(tx, contract, discount).await
    };
    Caller::operator(app.clone(), organization).act(Action::ContractDiscount, &Plain, deed).await.map_err(told)?;
    Ok(())
}
