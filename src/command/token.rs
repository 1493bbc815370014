//! `orgdesk token`: an access token for a member, at the operator's word.

use clap::Args;

use crate::{kernel::App, operate};

/// For whom.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The organization's domain.
    #[arg(long)]
    organization: String,
    /// The member's login ID.
    #[arg(long)]
    login: String,
}

pub(super) async fn run(app: &App, arguments: Arguments) -> anyhow::Result<()> {
    println!(
        "{}",
        operate::access_token(app, &arguments.organization, &arguments.login).await?
    );
    Ok(())
}
