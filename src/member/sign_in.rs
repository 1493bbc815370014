//! Signing in with organization, login ID and password, and a code where a second factor is in use. An account that does
//! not exist, an organization that does not exist and a wrong password get the same answer after the same work; guessing is
//! braked per account and address.

use chrono::Duration;
use uuid::Uuid;

use super::{
    Hasher,
    entity::{self, Entity, Status},
    password, password_reset, rules, second_factor,
    session::{self, Ending, Proof, Started},
};
use crate::{
    kernel::{
        Action, Caller, Code, Error, MemberId, OrganizationId, Plain, Problem, Reader, Result, Tx,
        secret::SecretText,
        security::{self, Brake, Counted, Stop},
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

/// Thirty wrong ones a minute from one address, whatever the account. All of a contact center sits behind one: what was
/// right is given back, and whoever was let in from there before is not asked for it.
const ADDRESS: Brake = Brake {
    name: "address",
    attempts: 30,
    window: Duration::minutes(1),
};

/// Thirty tokens a minute that say they are of one member, from where he was let in before; and as many of his own session.
const TOKEN: Brake = Brake {
    name: "token of member",
    ..ADDRESS
};

/// Five wrong ones a minute for codes of one member's second factor, wherever they are given after his password or a link:
/// from everywhere new together, and from each network in which he was let in before.
const CODE: Brake = Brake {
    name: "code",
    attempts: 5,
    window: Duration::minutes(1),
};

/// A hundred a day of the same.
const CODE_OF_DAY: Brake = Brake {
    name: "code of day",
    attempts: 100,
    window: Duration::days(1),
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
    /// A code of the second factor.
    pub code: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// `sessionStart`.
///
/// # Errors
/// `CREDENTIALS_REFUSED`, `SECOND_FACTOR_REQUIRED`, `SECOND_FACTOR_REFUSED`, `SIGN_IN_BLOCKED` with the time of its end,
/// `TOO_LONG`; `THROTTLED` if too many wait.
pub async fn sign_in(caller: &Caller, credentials: &Credentials) -> Result<Started> {
    check_length("input.password", &credentials.password)?;
    let domain = searchable(&credentials.organization);
    let login = searchable(&credentials.login);
    let account = format!("{domain}/{login}");
    // The request holds one connection at a time.
    caller.release().await;
    let organization = organization::find_by_domain(caller.app(), &domain).await?;
    let sought = look_up(caller, organization, &login).await?;
    let counted = check_brakes(caller, &account, &sought).await?;
    let started = judge(caller, credentials, sought).await?;
    match started {
        Started::Session(..) => {
            security::forgive(caller, &account_brakes(caller, &domain, &login)).await?;
            security::give_back(caller, &counted).await?;
        }
        // The password was right.
        Started::Refused(Code::SecondFactorRequired) => security::give_back(caller, &counted).await?,
        Started::Refused(_) => {}
    }
    Ok(started)
}

/// What credentials are worth that no brake stops.
async fn judge(caller: &Caller, credentials: &Credentials, sought: Sought) -> Result<Started> {
    let member = sought.member;
    let hash = member.as_ref().map(|member| &member.password_hash);
    let is_right = Hasher::verify(caller.app(), &credentials.password, hash).await?;
    let code = credentials.code.as_deref().filter(|code| !code.trim().is_empty());
    let Some(organization) = sought.organization else {
        security::log(caller, "SIGN_IN_UNKNOWN_ORGANIZATION").await?;
        return Ok(Started::Refused(Code::CredentialsRefused));
    };
    let renewed = match hash.filter(|_| is_right) {
        Some(hash) => Hasher::renewed(caller.app(), &credentials.password, hash).await?,
        None => None,
    };
    let door = caller.at(organization).await;
    let counted = match &member {
        Some(member) if is_right && sought.has_second_factor && code.is_some() => {
            let brakes = code_brakes(caller, member.id, sought.knows_address);
            check_code_brakes(&door, Action::SessionStart, Some(member), &brakes).await?
        }
        _ => Counted::default(),
    };
    let deed = async |tx: &Tx| match &member {
        Some(member) if is_right => let_in(tx, member, code, renewed).await,
        _ => {
            if let Some(member) = &member {
                tx.about::<Entity>(member);
            }
            Ok(refuse(tx, Code::CredentialsRefused))
        }
    };
    let started = door.act(Action::SessionStart, &Plain, deed).await?;
    if let Started::Session(..) = started {
        security::give_back(caller, &counted).await?;
    }
    Ok(started)
}

/// Lets a member in whose password was right, and keeps its hash as strong as today's are.
async fn let_in(tx: &Tx, seen: &entity::Model, code: Option<&str>, renewed: Option<SecretText>) -> Result<Started> {
    let member = tx.find::<Entity>("id", &seen.id.to_string()).await?;
    tx.about::<Entity>(&member);
    // Meanwhile he may have left, or another password may hold.
    if member.status != Status::Active || member.password_hash != seen.password_hash {
        return Ok(refuse(tx, Code::CredentialsRefused));
    }
    if let Some(code) = second_factor::ask(tx, member.id, code).await? {
        return Ok(refuse(tx, code));
    }
    let member = match renewed {
        Some(hash) => tx.update::<Entity>(member, |row| row.password_hash = hash).await?,
        None => member,
    };
    session::start_for(tx, &member, Proof::Password).await
}

fn refuse(tx: &Tx, code: Code) -> Started {
    tx.failed(code);
    Started::Refused(code)
}

/// Whether this is the signed-in member's password, given at `path` for `action`, with the same brakes as signing in.
///
/// # Errors
/// As for [`sign_in`].
pub(super) async fn is_own_password(
    caller: &Caller,
    action: Action,
    path: &str,
    member: &entity::Model,
    password: &str,
) -> Result<bool> {
    check_length(path, password)?;
    let subject = member.id.to_string();
    let brakes = own_brakes(caller, &subject);
    if let Some(stop) = security::attempt(caller, &brakes).await? {
        if stop.is_first {
            log_stop(caller, action, Some(member)).await?;
        }
        return Err(blocked(path, stop));
    }
    let is_right = Hasher::verify(caller.app(), password, Some(&member.password_hash)).await?;
    if is_right {
        security::forgive(caller, &brakes).await?;
    }
    Ok(is_right)
}

fn check_length(path: &str, password: &str) -> Result<()> {
    if password.len() > password::LONGEST {
        return Err(Problem::at(path, Code::TooLong).with("max", password::LONGEST).into());
    }
    Ok(())
}

/// Counts a token, before it is believed, against the address that it comes from; or, where it is of one who was let in
/// from there before or has a session, against him.
///
/// # Errors
/// `SIGN_IN_BLOCKED` at `input.token`, with the time of its end.
pub(super) async fn check_token(caller: &Caller, whose: Option<MemberId>) -> Result<Counted> {
    let address = caller.origin().network_text();
    let brake = match whose {
        Some(member) => (TOKEN, format!("{member} {address}")),
        None => (ADDRESS, address),
    };
    let stop = match security::count(caller, &[brake]).await? {
        Ok(counted) => return Ok(counted),
        Err(stop) => stop,
    };
    if stop.is_first {
        security::log(caller, "SIGN_IN_BLOCKED").await?;
    }
    Err(blocked("input.token", stop))
}

/// What was typed as databases take it: PostgreSQL knows no NUL, and nobody is called so.
pub(super) fn searchable(typed: &str) -> String {
    typed.trim().to_lowercase().replace('\0', "\u{fffd}")
}

/// Who is meant to be let in.
struct Sought {
    organization: Option<OrganizationId>,
    member: Option<entity::Model>,
    knows_address: bool,
    has_second_factor: bool,
}

/// The member of a login ID, and whether he has been let in from this address before. Where there is no such organization,
/// one that cannot be is looked into, and where there is no such member, one that cannot be is looked for: for the same work.
async fn look_up(caller: &Caller, organization: Option<OrganizationId>, login: &str) -> Result<Sought> {
    let door = caller.at(organization.unwrap_or(OrganizationId(Uuid::nil()))).await;
    let view = door.view(Action::SessionStart).await?;
    let found = async {
        let member = rules::find_by_login(&view, login).await?;
        let id = member.as_ref().map_or(MemberId(Uuid::nil()), |member| member.id);
        Ok(Sought {
            organization,
            member,
            knows_address: knows_address(&view, caller, id).await?,
            has_second_factor: second_factor::active(&view, id).await?.is_some(),
        })
    }
    .await;
    drop(view);
    door.release().await;
    found
}

/// Whether a member has been let in from the address of this request before.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn knows_address(reader: &Reader, caller: &Caller, member: MemberId) -> Result<bool> {
    let address = caller.origin().address_text();
    Ok(session::knows_address(reader, member, &address).await?
        || password_reset::knows_address(reader, member, &address).await?)
}

/// From where the member has been let in before, others' guesses do not lock him out: neither those at his account from
/// elsewhere, nor those at other accounts from there. What is to be given back of a sign-in that is right.
async fn check_brakes(caller: &Caller, account: &str, sought: &Sought) -> Result<Counted> {
    let address = caller.origin().network_text();
    let mut brakes = own_brakes(caller, account);
    if sought.knows_address {
        brakes.retain(|(brake, _)| brake.name != ACCOUNT.name);
        brakes.push((ACCOUNT_FROM_KNOWN, format!("{account} {address}")));
    } else {
        brakes.insert(0, (ADDRESS, address));
    }
    let stop = match security::count(caller, &brakes).await? {
        Ok(counted) => return Ok(counted.by(ADDRESS)),
        Err(stop) => stop,
    };
    if stop.is_first {
        match sought.organization {
            Some(organization) => {
                let door = caller.at(organization).await;
                log_stop(&door, Action::SessionStart, sought.member.as_ref()).await?;
            }
            None => security::log(caller, "SIGN_IN_BLOCKED").await?,
        }
    }
    Err(blocked("input.password", stop))
}

/// The answer to an attempt at `path` that a brake does not take.
pub(super) fn blocked(path: &str, stop: Stop) -> Error {
    Problem::at(path, Code::SignInBlocked).until(stop.until).into()
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

/// Every brake that failed attempts of an account put on from this address.
pub(super) fn account_brakes(caller: &Caller, domain: &str, login: &str) -> Vec<(Brake, String)> {
    let account = format!("{domain}/{login}");
    let mut brakes = own_brakes(caller, &account);
    let known = format!("{account} {}", caller.origin().network_text());
    brakes.push((ACCOUNT_FROM_KNOWN, known));
    brakes
}

/// The brakes on guessing codes of a member's second factor once his password or his link was right. Neither a right
/// password nor a right code of his own lets go of them, which would buy others more guesses; nor do guesses from
/// elsewhere stop him where he `knows_address`.
pub(super) fn code_brakes(caller: &Caller, member: MemberId, knows_address: bool) -> Vec<(Brake, String)> {
    let subject = if knows_address {
        format!("{member} {}", caller.origin().network_text())
    } else {
        member.to_string()
    };
    [CODE, CODE_OF_DAY].map(|brake| (brake, subject.clone())).into()
}

/// Counts an attempt with a code, for `action` through this door. What is to be given back if it is right.
///
/// # Errors
/// `SIGN_IN_BLOCKED` at `input.code`, with the time of its end.
pub(super) async fn check_code_brakes(
    door: &Caller,
    action: Action,
    member: Option<&entity::Model>,
    brakes: &[(Brake, String)],
) -> Result<Counted> {
    let stop = match security::count(door, brakes).await? {
        Ok(counted) => return Ok(counted),
        Err(stop) => stop,
    };
    if stop.is_first {
        log_stop(door, action, member).await?;
    }
    Err(blocked("input.code", stop))
}

fn own_brakes(caller: &Caller, account: &str) -> Vec<(Brake, String)> {
    let from = format!("{account} {}", caller.origin().network_text());
    vec![(ACCOUNT_FROM_ADDRESS, from), (ACCOUNT, account.to_owned())]
}
