//! `orgdesk organization`: creating one and inviting its owner, and approving what has to be agreed on first.

use clap::Subcommand;

use crate::{
    kernel::App,
    operate::{self, Approvable, Owner},
};

/// What can be done with organizations.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an organization and invite its owner, by a letter. Prints the organization's ID.
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
        /// Send no letter; print the owner's link instead, this once. Whoever opens it first becomes the owner.
        #[arg(long)]
        print_link: bool,
    },
    /// Invite an owner again who has not come yet. The link that he had is dead.
    InviteOwner {
        /// The organization's domain.
        #[arg(long)]
        domain: String,
        /// Another e-mail address, where the first was wrong.
        #[arg(long)]
        email: Option<String>,
        /// Send no letter; print the owner's link instead, this once. Whoever opens it first becomes the owner.
        #[arg(long)]
        print_link: bool,
    },
    /// Approve, or withdraw, what has to be agreed on first. Nothing that was set up changes when it is withdrawn: a
    /// contract keeps its security item, and the CTI setting its version, with which nobody can log in any more until it
    /// is approved again or another one is chosen.
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
            print_link,
        } => {
            let owner = Owner {
                login: owner_login,
                name: owner_name,
                email: owner_email,
            };
            let (id, link) = operate::found_organization(app, &name, &domain, &time_zone, owner, print_link).await?;
            println!("{id}");
            show(link);
        }
        Command::InviteOwner {
            domain,
            email,
            print_link,
        } => show(operate::invite_owner_again(app, &domain, email.as_deref(), print_link).await?),
        Command::Approve { domain, what, withdraw } => operate::approve(app, &domain, what, !withdraw).await?,
    }
    Ok(())
}

/// Shows a link where one was asked for; it is written nowhere else.
fn show(link: Option<String>) {
    if let Some(link) = link {
        println!("{link}");
    }
}
