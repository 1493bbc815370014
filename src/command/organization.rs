//! `orgdesk organization`: creating one with its owner, and approving what has to be agreed on first.

use std::io::Read as _;

use anyhow::Context;
use clap::Subcommand;

use crate::{
    kernel::App,
    operate::{self, Approvable, Person},
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
        what: Approvable,
        /// Withdraw it.
        #[arg(long)]
        withdraw: bool,
    },
}

pub(super) async fn run(app: &App, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create {
            name,
            domain,
            time_zone,
            owner_login,
            owner_name,
            owner_email,
        } => {
            let mut password = String::new();
            std::io::stdin()
                .take(4_096)
                .read_to_string(&mut password)
                .context("no password on standard input")?;
            let owner = Person {
                login: owner_login,
                name: owner_name,
                email: owner_email,
                password_hash: operate::hash_password(app, password.trim_end_matches(['\r', '\n'])).await?,
                is_administrator: false,
            };
            println!(
                "{}",
                operate::create_organization(app, &name, &domain, &time_zone, owner).await?
            );
        }
        Command::Approve { domain, what, withdraw } => operate::approve(app, &domain, what, !withdraw).await?,
    }
    Ok(())
}
