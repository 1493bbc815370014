//! Signing in with organization, login ID and password. An account that does not exist, an organization that does not
//! exist and a wrong password get the same answer after the same work; guessing is braked per account and address.

use chrono::Duration;

use super::{
    Hasher,
    entity::{self, Entity, Status},
    password, rules,
    session::{self, Ending, Proof, Started},
};
use crate::{
    kernel::{
        Action, Caller, Code, Error, OrganizationId, Plain, Problem, Result, Tx,
        security::{self, Brake, Stop},
    },
    organization,
};

/// Five attempts a minute for one account from one address; 고시 5⑥ asks for an end after some failures.
const ACCOUNT_FROM_ADDRESS: Brake = Brake {
    name: "account from address",
    attempts: 5,
    window: Duration::minutes(1),
};

/// A hundred a day for one account from anywhere new (NIST 800-63B-4: at most 100 failures in a row).
const ACCOUNT: Brake = Brake {
    name: "account",
    attempts: 100,
    window: Duration::days(1),
};

/// The same from where the member has signed in before, whoever else sits there.
const ACCOUNT_FROM_KNOWN: Brake = Brake {
    name: "account from known address",
    attempts: 100,
    window: Duration::days(1),
};

/// Thirty a minute from one address, whatever the account.
const ADDRESS: Brake = Brake {
    name: "address",
    attempts: 30,
    window: Duration::minutes(1),
};

/// What somebody signs in with.
#[derive(Clone)]
pub struct Credentials {
    /// The organization's domain.
    pub organization: String,
    /// The login ID.
    pub login: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// `sessionStart`.
///
/// # Errors
/// `CREDENTIALS_REFUSED`, `SIGN_IN_BLOCKED` with the time of its end, `TOO_LONG`; `THROTTLED` if too many wait.
pub async fn sign_in(caller: &Caller, credentials: &Credentials) -> Result<Started> {
    if credentials.password.len() > password::LONGEST {
        return Err(Problem::at("input.password", Code::TooLong)
            .with("max", password::LONGEST)
            .into());
    }
    let domain = searchable(&credentials.organization);
    let login = searchable(&credentials.login);
    let organization = organization::find_by_domain(caller.app(), &domain).await?;
    let member = match organization {
        Some(organization) => find(caller, organization, &login).await?,
        None => None,
    };
    check_brakes(caller, &format!("{domain}/{login}"), member.as_ref(), organization).await?;
    let hash = member.as_ref().map(|member| &member.password_hash);
    let is_right = Hasher::verify(caller.app(), &credentials.password, hash).await?;
    let Some(organization) = organization else {
        security::log(caller.app(), "SIGN_IN_UNKNOWN_ORGANIZATION", caller.origin()).await?;
        return Ok(Started::Refused(Code::CredentialsRefused));
    };
    let started = caller
        .at(organization)
        .act(Action::SessionStart, &Plain, async |tx| match &member {
            Some(member) if is_right && member.status == Status::Active => {
                session::start_for(tx, member, Proof::Password).await
            }
            _ => {
                tx.failed(Code::CredentialsRefused);
                if let Some(member) = &member {
                    tx.about::<Entity>(member);
                }
                Ok(Started::Refused(Code::CredentialsRefused))
            }
        })
        .await?;
    if matches!(started, Started::Session(..)) {
        let account = format!("{domain}/{login}");
        let mut brakes = own_brakes(caller, &account);
        let known = format!("{account} {}", caller.origin().address_text());
        brakes.push((ACCOUNT_FROM_KNOWN, known));
        security::forgive(caller.app(), &brakes).await?;
    }
    Ok(started)
}

/// Whether this is the signed-in member's password, with the same brakes as signing in.
///
/// # Errors
/// As for [`sign_in`].
pub(super) async fn is_own_password(caller: &Caller, member: &entity::Model, password: &str) -> Result<bool> {
    if password.len() > password::LONGEST {
        return Err(Problem::at("input.password", Code::TooLong)
            .with("max", password::LONGEST)
            .into());
    }
    let subject = member.id.to_string();
    let brakes = own_brakes(caller, &subject);
    if let Some(stop) = security::attempt(caller.app(), &brakes).await? {
        if stop.is_first {
            log_stop(caller, Action::SessionConfirm, Some(member)).await?;
        }
        return Err(blocked(stop));
    }
    let is_right = Hasher::verify(caller.app(), password, Some(&member.password_hash)).await?;
    if is_right {
        security::forgive(caller.app(), &brakes).await?;
    }
    Ok(is_right)
}

/// Counts an attempt that names no account against its address.
///
/// # Errors
/// `SIGN_IN_BLOCKED` at `path`, with the time of its end.
pub(super) async fn check_address(caller: &Caller, path: &str) -> Result<()> {
    let brakes = [(ADDRESS, caller.origin().address_text())];
    let Some(stop) = security::attempt(caller.app(), &brakes).await? else {
        return Ok(());
    };
    if stop.is_first {
        security::log(caller.app(), "SIGN_IN_BLOCKED", caller.origin()).await?;
    }
    Err(Problem::at(path, Code::SignInBlocked).until(stop.until).into())
}

/// What was typed as databases take it: PostgreSQL knows no NUL, and nobody is called so.
pub(super) fn searchable(typed: &str) -> String {
    typed.trim().to_lowercase().replace('\0', "\u{fffd}")
}

async fn find(caller: &Caller, organization: OrganizationId, login: &str) -> Result<Option<entity::Model>> {
    let door = caller.at(organization);
    let view = door.view(Action::SessionStart).await?;
    let member = rules::find_by_login(&view, login).await;
    drop(view);
    door.release().await;
    member
}

async fn check_brakes(
    caller: &Caller,
    account: &str,
    member: Option<&entity::Model>,
    organization: Option<OrganizationId>,
) -> Result<()> {
    let address = caller.origin().address_text();
    let mut brakes = own_brakes(caller, account);
    // From where the member has signed in before, others' guesses do not lock him out.
    let knows = match (member, organization) {
        (Some(member), Some(organization)) => {
            let door = caller.at(organization);
            let view = door.view(Action::SessionStart).await?;
            let knows = session::knows_address(&view, member.id, &address).await;
            drop(view);
            door.release().await;
            knows?
        }
        _ => false,
    };
    if knows {
        brakes.retain(|(brake, _)| brake.name != ACCOUNT.name);
        brakes.push((ACCOUNT_FROM_KNOWN, format!("{account} {address}")));
    }
    brakes.insert(0, (ADDRESS, address));
    let Some(stop) = security::attempt(caller.app(), &brakes).await? else {
        return Ok(());
    };
    if stop.is_first {
        match organization {
            Some(organization) => log_stop(&caller.at(organization), Action::SessionStart, member).await?,
            None => security::log(caller.app(), "SIGN_IN_BLOCKED", caller.origin()).await?,
        }
    }
    Err(blocked(stop))
}

fn blocked(stop: Stop) -> Error {
    Problem::at("input.password", Code::SignInBlocked)
        .until(stop.until)
        .into()
}

/// Leaves the attempt in the organization's log, as one that failed.
async fn log_stop(door: &Caller, action: Action, member: Option<&entity::Model>) -> Result<()> {
    let deed = async |tx: &Tx| {
        tx.failed(Code::SignInBlocked);
        if let Some(member) = member {
            tx.about::<Entity>(member);
        }
        Ok(Ending(0))
    };
    door.act(action, &Plain, deed).await.map(drop)
}

fn own_brakes(caller: &Caller, account: &str) -> Vec<(Brake, String)> {
    let from = format!("{account} {}", caller.origin().address_text());
    vec![(ACCOUNT_FROM_ADDRESS, from), (ACCOUNT, account.to_owned())]
}
