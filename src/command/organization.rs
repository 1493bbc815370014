//! `orgdesk organization`: creating one with its owner, and approving what has to be agreed on first.

use std::io::Read as _;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};

use crate::{
    kernel::{Action, App, Caller, Error, Language, Plain, message},
    member,
    organization::{self, Approval},
};

/// What can be done with organizations.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an organization with its owner. The owner's password, at least 15 characters, is read from standard input.
    Create {
        /// The display name.
        #[arg(long)]
        name: String,
        /// The domain: 3 to 40 small letters, digits and hyphens.
        #[arg(long)]
        domain: String,
        /// The IANA time zone.
        #[arg(long, default_value = "Asia/Seoul")]
        time_zone: String,
        /// The owner's login ID.
        #[arg(long)]
        owner_login: String,
        /// The owner's name.
        #[arg(long)]
        owner_name: String,
        /// The owner's e-mail address.
        #[arg(long)]
        owner_email: String,
    },
    /// Approve, or withdraw, what has to be agreed on first.
    Approve {
        /// The organization's domain.
        #[arg(long)]
        domain: String,
        /// What.
        #[arg(value_enum)]
        what: What,
        /// Withdraw it.
        #[arg(long)]
        withdraw: bool,
    },
}

/// What can be approved.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum What {
    /// IPCC (Private) telephony.
    Ipcc,
    /// Mobile Contact.
    MobileContact,
    /// The security item of contracts.
    Security,
}

pub(super) async fn run(app: &App, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create { name, domain, time_zone, owner_login, owner_name, owner_email } => {
            let mut password = String::new();
            std::io::stdin().take(4_096).read_to_string(&mut password).context("no password on standard input")?;
            let password_hash = member::first_password(app, password.trim_end_matches(['\r', '\n'])).await.map_err(told)?;
            let owner = member::New { login: owner_login, name: owner_name, email: owner_email, password_hash, is_owner: true };
            let new = organization::New { name, domain, time_zone };
            println!("{}", member::create_organization(app, new, owner).await.map_err(told)?);
        }
        Command::Approve { domain, what, withdraw } => {
            let found = organization::find_by_domain(app, &domain).await.map_err(told)?;
            let organization = found.with_context(|| format!("there is no organization {domain}"))?;
            let approval = match what {
                What::Ipcc => Approval::Ipcc,
                What::MobileContact => Approval::MobileContact,
                What::Security => Approval::Security,
            };
            let deed = async |tx: &_| organization::approve(tx, approval, !withdraw).await;
            Caller::operator(app.clone(), organization)
                .act(Action::OrganizationApprove, &Plain, deed)
                .await
                .map_err(told)?;
        }
    }
    Ok(())
}

/// An error of the rules, in words for an operator.
pub(super) fn told(error: Error) -> anyhow::Error {
    match error {
        Error::Problems(problems) => {
            let line = |problem: &crate::kernel::Problem| {
                let path = problem.field.as_ref().map(|path| path.join(".").replace("input.", "")).unwrap_or_default();
                format!("{path}: {}", message::text(Language::English, problem.code.name(), &problem.words))
            };
            anyhow::anyhow!("{}", problems.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        Error::Internal(cause) => anyhow::anyhow!(cause),
        other => anyhow::anyhow!("{other}"),
    }
}
