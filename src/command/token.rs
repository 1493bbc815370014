//! `orgdesk token`: an access token for a member, at the operator's word. It starts a session like a sign-in, so it
//! stands in the log.

use anyhow::{Context, bail};
use clap::Args;
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    kernel::{Action, App, Caller, Plain},
    member::{self, Started, Status},
    organization,
};

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
    println!("{}", issue(app, &arguments.organization, &arguments.login).await?);
    Ok(())
}

/// An access token for a member.
pub(super) async fn issue(app: &App, domain: &str, login: &str) -> anyhow::Result<String> {
    let found = organization::find_by_domain(app, domain).await.map_err(super::organization::told)?;
    let organization = found.with_context(|| format!("there is no organization {domain}"))?;
    let operator = Caller::operator(app.clone(), organization);
    let started = operator
        .act(Action::SessionStart, &Plain, async |tx| {
            let member = tx.select::<member::Entity>().filter(member::Column::Login.eq(login)).one().await?;
            match member.filter(|member| member.status == Status::Active) {
                Some(member) => member::start_for(tx, &member).await,
                None => Err(crate::kernel::Error::not_found("login")),
            }
        })
        .await;
    match started {
        Ok(Started::Session(tokens, _)) => Ok(tokens.access_token),
        Ok(Started::Refused(_)) | Err(_) => bail!("{domain} has no member {login}"),
    }
}
