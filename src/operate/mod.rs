//! What whoever runs the service can do, as functions: the commands call them, and so do tests that need an
//! organization to begin with. Each goes through an operator's door, so it stands in the organization's log.

mod audit;
mod backup;
mod founding;
mod imports;
mod keys;

use anyhow::{Context, bail};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    admin,
    agent::{self, AgentAddInput, AgentRightsInput},
    billing,
    contract::{self, Discount},
    kernel::{
        Action, App, Caller, Day, Error, Language, OrganizationId, Plain, PriceListId, Problem, Timestamp, Tx, message,
        outbox, secret::SecretText,
    },
    member::{
        self, Proof, Started,
        identity::{self, IdentityProvider},
    },
    organization::{self, Approval},
    service,
};

pub use crate::audit::Report;
pub use audit::{
    Anchored, Verified, anchor_audit, anchor_audit_if_due, purge_audit, verify_audit, verify_audit_against, verify_log,
};
pub use backup::{
    FileTold, HeadTold, Manifest, Restored, back_up, check_backup, check_keys_file, restore_backup, write_keys,
};
pub use founding::{Owner, found_organization, invite_owner_again};
pub use identity::{Algorithm, Setting as Provider};
pub use imports::{imports, imports_at_work, is_import_due_soon};
pub use keys::{rewrap_keys, rotate_keys};

/// Somebody to be made a member.
#[derive(Debug, Clone)]
pub struct Person {
    /// The login ID.
    pub login: String,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The hash of the password, from [`hash_password`].
    pub password_hash: SecretText,
    /// Whether to make an organization administrator of him.
    pub is_administrator: bool,
}

/// What can be approved for an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Approvable {
    /// IPCC (Private) telephony.
    Ipcc,
    /// Mobile Contact.
    MobileContact,
    /// The security item of contracts.
    Security,
}

/// The hash of a password of 15 characters to 1,024 bytes.
///
/// # Errors
/// If it is shorter or longer.
pub async fn hash_password(app: &App, password: &str) -> anyhow::Result<SecretText> {
    member::first_password(app, password).await.map_err(told)
}

/// Creates an organization with its owner, whose password is known: for the demo and for tests.
///
/// # Errors
/// Whatever is wrong with either.
pub async fn create_organization(
    app: &App,
    name: &str,
    domain: &str,
    time_zone: &str,
    owner: Person,
) -> anyhow::Result<OrganizationId> {
    let new = organization::New {
        name: name.to_owned(),
        domain: domain.to_owned(),
        time_zone: time_zone.to_owned(),
    };
    member::create_organization(app, new, new_member(owner, true))
        .await
        .map_err(told)
}

/// Adds a member without an invitation.
///
/// # Errors
/// Whatever is wrong with him; an organization that does not exist.
pub async fn add_member(app: &App, domain: &str, person: Person) -> anyhow::Result<()> {
    let is_administrator = person.is_administrator;
    let deed = async |tx: &Tx| {
        let member = member::create(tx, new_member(person, false)).await?;
        if is_administrator {
            admin::add(tx, member.id).await?;
        }
        Ok(member)
    };
    door(app, domain)
        .await?
        .act(Action::MemberCreate, &Plain, deed)
        .await
        .map_err(told)?;
    Ok(())
}

/// Puts a member into a service, as a manager or as an agent.
///
/// # Errors
/// If there is no such organization, member or service, or he is in it.
pub async fn add_agent(app: &App, domain: &str, service: &str, login: &str, is_manager: bool) -> anyhow::Result<()> {
    let role = if is_manager {
        agent::Role::Manager
    } else {
        agent::Role::Agent
    };
    let deed = async |tx: &Tx| {
        let member = member::find_by_login(tx, login).await?;
        let member = member.ok_or_else(|| Error::not_found("login"))?;
        let service = tx
            .select::<service::Entity>()
            .filter(service::Column::Code.eq(service))
            .one()
            .await?;
        let service = service.ok_or_else(|| Error::not_found("service"))?;
        let input = AgentAddInput {
            idempotency_key: None,
            dry_run: None,
            service_id: service.id.to_string().into(),
            member_id: member.id.to_string().into(),
            rights: AgentRightsInput {
                role: Some(role),
                ..AgentRightsInput::default()
            },
        };
        agent::add(tx, &input).await
    };
    door(app, domain)
        .await?
        .act(Action::AgentAdd, &Plain, deed)
        .await
        .map_err(told)?;
    Ok(())
}

/// Approves, or withdraws, what has to be agreed on first. What was set up by it stays as it is when it is withdrawn, and
/// can't be chosen anew; the CTI setting then says `VERSION_NOT_APPROVED`, and nobody logs in to the telephony by it.
///
/// # Errors
/// If there is no such organization.
pub async fn approve(app: &App, domain: &str, what: Approvable, is_approved: bool) -> anyhow::Result<()> {
    let approval = match what {
        Approvable::Ipcc => Approval::Ipcc,
        Approvable::MobileContact => Approval::MobileContact,
        Approvable::Security => Approval::Security,
    };
    let deed = async |tx: &Tx| organization::approve(tx, approval, is_approved).await;
    door(app, domain)
        .await?
        .act(Action::OrganizationApprove, &Plain, deed)
        .await
        .map_err(told)?;
    Ok(())
}

/// Sets a contract's discount in percent and its first and last free day; what is absent stays as it is.
///
/// # Errors
/// If there is no such organization or service, the contract has ended, or a value makes no sense.
pub async fn discount(
    app: &App,
    domain: &str,
    service: &str,
    percent: Option<i32>,
    free: Option<(Day, Day)>,
) -> anyhow::Result<()> {
    let deed = async |tx: &Tx| {
        let row = tx
            .select::<service::Entity>()
            .filter(service::Column::Code.eq(service))
            .one()
            .await?;
        let row = row.ok_or_else(|| Error::not_found("service"))?;
        let contract = contract::of_service(tx, &row).await?;
        contract::discount(tx, contract, Discount { percent, trial: free }).await
    };
    door(app, domain)
        .await?
        .act(Action::ContractDiscount, &Plain, deed)
        .await
        .map_err(told)?;
    Ok(())
}

/// Loads a price list, as a TOML file has it; it holds from the day that it says, today at the earliest.
///
/// # Errors
/// Everything that is wrong with it.
pub async fn load_prices(app: &App, source: &str) -> anyhow::Result<PriceListId> {
    billing::load_prices(app, source).await
}

/// An access token for a member. It starts a session, as signing in does.
///
/// # Errors
/// If there is no such organization or active member.
pub async fn access_token(app: &App, domain: &str, login: &str) -> anyhow::Result<String> {
    let deed = async |tx: &Tx| match member::find_by_login(tx, login).await? {
        Some(member) => member::start_for(tx, &member, Proof::Password).await,
        None => Err(Error::not_found("login")),
    };
    match door(app, domain).await?.act(Action::SessionStart, &Plain, deed).await {
        Ok(Started::Session(tokens, _)) => Ok(tokens.access_token),
        Ok(Started::Refused(_)) | Err(Error::Problems(_)) => bail!("{domain} has no member {login}"),
        Err(other) => Err(told(other)),
    }
}

/// The jobs that were given up, the last ones first, at most 1,000: ID, organization, kind, what it works on, attempts,
/// when it was given up, and why.
///
/// # Errors
/// Only if the database fails.
pub async fn dead_jobs(app: &App) -> anyhow::Result<Vec<String>> {
    let jobs = outbox::dead(app).await.map_err(told)?;
    let line = |job: outbox::Model| {
        let at = job.finished_at.map_or_else(|| "-".to_owned(), Timestamp::to_text);
        let failure = job.failure.as_deref().unwrap_or("-");
        format!(
            "{}\t{}\t{}\t{}\t{}\t{at}\t{failure}",
            job.id, job.organization_id, job.kind, job.argument, job.attempts
        )
    };
    Ok(jobs.into_iter().map(line).collect())
}

/// Lets an identity provider sign an organization's people in, or changes how. Where it is not said where its keys are,
/// its issuer is asked, now and never again.
///
/// # Errors
/// If there is no such organization, a value makes no sense, or the issuer does not say where its keys are.
pub async fn set_identity_provider(app: &App, domain: &str, setting: Provider) -> anyhow::Result<IdentityProvider> {
    let caller = door(app, domain).await?;
    let setting = identity::discover(setting).await?;
    let deed = async |tx: &Tx| identity::set(tx, setting).await;
    let provider = caller.act(Action::IdentityProviderSet, &Plain, deed).await;
    provider.map_err(told)
}

/// The identity providers of an organization.
///
/// # Errors
/// If there is no such organization.
pub async fn identity_providers(app: &App, domain: &str) -> anyhow::Result<Vec<IdentityProvider>> {
    let caller = door(app, domain).await?;
    let view = caller.view(Action::IdentityProviderRead).await.map_err(told)?;
    let providers = identity::list(&view).await;
    drop(view);
    caller.release().await;
    providers.map_err(told)
}

/// Removes an identity provider; whoever came from there is signed out.
///
/// # Errors
/// If there is no such organization or provider.
pub async fn remove_identity_provider(app: &App, domain: &str, issuer: &str) -> anyhow::Result<()> {
    let caller = door(app, domain).await?;
    let deed = async |tx: &Tx| identity::remove(tx, issuer).await;
    let removed = caller.act(Action::IdentityProviderRemove, &Plain, deed).await;
    removed.map(drop).map_err(told)
}

/// Says who a member is at an identity provider, or forgets it where there is no subject.
///
/// # Errors
/// If there is no such organization, provider or member, or one of the two is known there already.
pub async fn link_identity(
    app: &App,
    domain: &str,
    issuer: &str,
    login: &str,
    subject: Option<&str>,
) -> anyhow::Result<()> {
    let caller = door(app, domain).await?;
    let done = match subject {
        Some(subject) => {
            let deed = async |tx: &Tx| identity::link_member(tx, issuer, login, subject).await;
            caller.act(Action::IdentityLink, &Plain, deed).await
        }
        None => {
            let deed = async |tx: &Tx| identity::unlink_member(tx, issuer, login).await;
            caller.act(Action::IdentityUnlink, &Plain, deed).await
        }
    };
    done.map(drop).map_err(told)
}

/// Has the jobs that were given up done again. Answers what they are and on what they work.
///
/// # Errors
/// Only if the database fails.
pub async fn revive_jobs(app: &App) -> anyhow::Result<Vec<String>> {
    let jobs = outbox::revive(app).await.map_err(told)?;
    Ok(jobs
        .into_iter()
        .map(|job| format!("{} {} {}", job.organization_id, job.kind, job.argument))
        .collect())
}

fn new_member(person: Person, is_owner: bool) -> member::New {
    let Person {
        login,
        name,
        email,
        password_hash,
        ..
    } = person;
    member::New {
        login,
        name,
        email,
        is_email_proved: false,
        language: Language::default(),
        password_hash,
        is_owner,
    }
}

async fn door(app: &App, domain: &str) -> anyhow::Result<Caller> {
    let found = organization::find_by_domain(app, domain).await.map_err(told)?;
    let organization = found.with_context(|| format!("there is no organization {domain}"))?;
    Ok(Caller::operator(app.clone(), organization))
}

/// An error of the rules, in words for an operator.
pub(crate) fn told(error: Error) -> anyhow::Error {
    match error {
        Error::Problems(problems) => {
            let line = |problem: &Problem| {
                let path = problem
                    .field
                    .as_ref()
                    .map(|path| path.join(".").replace("input.", ""))
                    .unwrap_or_default();
                format!(
                    "{path}: {}",
                    message::text(Language::English, problem.code.name(), &problem.words)
                )
            };
            anyhow::anyhow!("{}", problems.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        Error::Internal(cause) | Error::Uncertain(cause) => anyhow::anyhow!(cause),
        other => anyhow::anyhow!("{other}"),
    }
}
