//! `orgdesk identity-provider`: which providers sign an organization's people in, and who they are there.

use clap::{Args, Subcommand};

use crate::{
    kernel::App,
    operate::{self, Algorithm, Provider},
};

/// What can be done with identity providers.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Let a provider sign people in with its ID tokens, or change the one of this issuer: what is not said is not kept.
    Set {
        #[command(flatten)]
        at: At,
        /// The display name; the issuer where it is not given.
        #[arg(long)]
        name: Option<String>,
        /// The client ID that the provider's tokens are for.
        #[arg(long)]
        client_id: String,
        /// With what it signs: RS256, PS256, ES256 or EdDSA.
        #[arg(long)]
        algorithm: Algorithm,
        /// Where its keys are, a JWK set. Where it is not given, the issuer is asked, this once.
        #[arg(long)]
        jwks_url: Option<String>,
        /// Know members by their verified e-mail address when they first come. Only for a provider that gives addresses
        /// of your people to your people alone.
        #[arg(long)]
        links_by_email: bool,
        /// Let it sign nobody in for the time being; whoever came from there is signed out.
        #[arg(long)]
        disabled: bool,
    },
    /// Print an organization's providers: issuer, client ID, algorithm, address of the keys and what is switched on.
    List {
        /// The organization's domain.
        #[arg(long)]
        organization: String,
    },
    /// Remove a provider and whatever it knew of members; whoever came from there is signed out.
    Remove {
        #[command(flatten)]
        at: At,
    },
    /// Say who a member is at a provider.
    Link {
        #[command(flatten)]
        at: At,
        /// The member's login ID.
        #[arg(long)]
        login: String,
        /// The subject of his tokens: `sub`.
        #[arg(long)]
        subject: String,
    },
    /// Forget who a member is at a provider; whatever sessions he has by it end.
    Unlink {
        #[command(flatten)]
        at: At,
        /// The member's login ID.
        #[arg(long)]
        login: String,
    },
}

/// Which provider.
#[derive(Debug, Args)]
pub struct At {
    /// The organization's domain.
    #[arg(long)]
    organization: String,
    /// The issuer, to the letter as its tokens have it.
    #[arg(long)]
    issuer: String,
}

pub(super) async fn run(app: &App, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Set {
            at,
            name,
            client_id,
            algorithm,
            jwks_url,
            links_by_email,
            disabled,
        } => {
            let provider = Provider {
                name: name.unwrap_or_else(|| at.issuer.chars().take(100).collect()),
                issuer: at.issuer,
                client_id,
                jwks_url,
                algorithm,
                links_by_email,
                is_enabled: !disabled,
            };
            let set = operate::set_identity_provider(app, &at.organization, provider).await?;
            println!("{} {}", set.id, set.jwks_url);
        }
        Command::List { organization } => {
            for provider in operate::identity_providers(app, &organization).await? {
                let links = if provider.links_by_email {
                    "links-by-email"
                } else {
                    "links-by-hand"
                };
                let enabled = if provider.is_enabled { "enabled" } else { "disabled" };
                let (algorithm, name) = (provider.algorithm.name(), provider.name);
                let (issuer, client, keys) = (provider.issuer, provider.client_id, provider.jwks_url);
                println!("{issuer} {client} {algorithm} {keys} {links} {enabled} {name}");
            }
        }
        Command::Remove { at } => operate::remove_identity_provider(app, &at.organization, &at.issuer).await?,
        Command::Link { at, login, subject } => {
            operate::link_identity(app, &at.organization, &at.issuer, &login, Some(&subject)).await?;
        }
        Command::Unlink { at, login } => {
            operate::link_identity(app, &at.organization, &at.issuer, &login, None).await?;
        }
    }
    Ok(())
}
