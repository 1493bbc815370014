//! What a link opens: a look at whose password it is for, which uses nothing up, and the new password. A link that is
//! unknown, expired, used, replaced or another organization's is refused in one and the same way. Where the member uses a
//! second factor, the link alone is not enough.

use async_graphql::{InputObject, SimpleObject};
use chrono::Duration;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{Column, Entity, LINK, Model};
use crate::{
    kernel::{
        Action, Caller, Code, Error, Outcome, Plain, Problem, Reader, Result, Timestamp, Tx,
        secret::token_hash,
        security::{self, Brake, Counted},
    },
    member::{
        self, Member, Status, link,
        password::{
            change,
            policy::{self, Accepted, Whose},
        },
        second_factor, sign_in,
    },
    organization::{self, Organization},
};

/// Thirty a minute from one address, until one of them is right.
const ADDRESS: Brake = Brake {
    name: "password link from address",
    attempts: 30,
    window: Duration::minutes(1),
};

/// What to set a new password with.
#[derive(InputObject)]
pub struct PasswordResetInput {
    /// What stands behind the `#` of the link. It is good once.
    #[graphql(secret)]
    pub token: String,
    /// The new password: at least 15 characters, or 8 where a second factor is in use, and at most 1,024 bytes.
    #[graphql(secret)]
    pub password: String,
    /// A code of the authenticator or a recovery code, where the member uses a second factor.
    #[graphql(secret)]
    pub code: Option<String>,
}

/// What somebody sees before he sets a new password.
#[derive(Debug, SimpleObject)]
pub struct PasswordResetPreview {
    /// The organization's name.
    pub organization_name: String,
    /// The organization's domain, which members sign in with.
    pub organization_domain: String,
    /// The member's login ID.
    pub login: String,
    /// When the link stops being good.
    pub expires_at: Timestamp,
    /// Whether a code of the second factor is needed beside it.
    pub needs_second_factor: bool,
}

/// What using a link came to.
#[derive(Debug)]
pub(in crate::member) enum Resetting {
    /// The new password holds.
    Done {
        /// The organization's domain.
        domain: String,
        /// The login ID.
        login: String,
    },
    /// It does not; the attempt is in the log.
    Refused(Problem),
}

impl Outcome for Resetting {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("a link is good once"))
    }
}

/// What a good link is about.
struct Found {
    reset: Model,
    member: Member,
    organization: Organization,
    has_second_factor: bool,
    knows_address: bool,
}

/// `passwordResetPreview`: `None` where the link is not good.
///
/// # Errors
/// Only if the database fails.
pub(in crate::member) async fn preview(caller: &Caller, token: &str) -> Result<Option<PasswordResetPreview>> {
    Ok(look(caller, token).await?.map(|found| PasswordResetPreview {
        organization_name: found.organization.name,
        organization_domain: found.organization.domain,
        login: found.member.login,
        expires_at: found.reset.expires_at,
        needs_second_factor: found.has_second_factor,
    }))
}

/// `passwordReset`.
///
/// # Errors
/// What is wrong with the password; `SECOND_FACTOR_REQUIRED`; `SIGN_IN_BLOCKED` with the time of its end; `THROTTLED` if too
/// many wait.
pub(in crate::member) async fn reset(caller: &Caller, input: &PasswordResetInput) -> Result<Resetting> {
    let mut brakes = vec![(ADDRESS, caller.origin().network_text())];
    if let Some(stop) = security::attempt(caller, &brakes).await? {
        if stop.is_first {
            security::log(caller, "PASSWORD_RESET_BLOCKED").await?;
        }
        return Err(sign_in::blocked("input.token", stop));
    }
    let Some(organization) = link::organization_of(LINK, &input.token) else {
        return Ok(Resetting::Refused(refused_link()));
    };
    let mut counted = Counted::default();
    // Only what may be good costs a hash, and is told what is wrong with its password.
    let accepted = match look(caller, &input.token).await? {
        Some(found) => {
            let accepted;
            (accepted, counted) = accept(caller, input, &found).await?;
            brakes.extend(sign_in::account_brakes(
                caller,
                &found.organization.domain,
                &found.member.login,
            ));
            Some(accepted)
        }
        None => None,
    };
    let deed = async |tx: &Tx| use_up(tx, input, accepted).await;
    let resetting = match caller
        .at(organization)
        .await
        .act(Action::PasswordReset, &Plain, deed)
        .await
    {
        // An organization that does not exist has no log to write to, and answers like one that does.
        Err(Error::Problems(problems)) if problems.iter().all(|problem| problem.code == Code::NotFound) => {
            Resetting::Refused(refused_link())
        }
        done => done?,
    };
    if let Resetting::Done { .. } = resetting {
        security::forgive(caller, &brakes).await?;
        security::give_back(caller, &counted).await?;
    }
    Ok(resetting)
}

/// What is wrong beside the link, all at once; then the brake on guessing codes; then the hash.
async fn accept(caller: &Caller, input: &PasswordResetInput, found: &Found) -> Result<(Accepted, Counted)> {
    let whose = Whose::member(&found.organization, &found.member, found.has_second_factor);
    let mut problems: Vec<Problem> = policy::find_problem("input.password", &input.password, &whose)
        .into_iter()
        .collect();
    if found.has_second_factor && input.code.as_deref().is_none_or(|code| code.trim().is_empty()) {
        problems.push(Problem::at("input.code", Code::SecondFactorRequired));
    }
    Error::unless_none(problems)?;
    let counted = if found.has_second_factor {
        let door = caller.at(found.organization.id).await;
        let brakes = sign_in::code_brakes(caller, found.member.id, found.knows_address);
        sign_in::check_code_brakes(&door, Action::PasswordReset, Some(&found.member), &brakes).await?
    } else {
        Counted::default()
    };
    let accepted = policy::accept(caller.app(), "input.password", &input.password, &whose).await?;
    Ok((accepted, counted))
}

/// Sets the password and closes the link. In the organization's turn a link that was good is good for one only.
async fn use_up(tx: &Tx, input: &PasswordResetInput, accepted: Option<Accepted>) -> Result<Resetting> {
    let organization = organization::own(tx).await?;
    let (Some((reset, member)), Some(accepted)) = (find(tx, &input.token, tx.now()).await?, accepted) else {
        tx.failed(Code::LinkRefused);
        return Ok(Resetting::Refused(refused_link()));
    };
    tx.about::<member::Entity>(&member);
    if let Some(code) = second_factor::ask(tx, member.id, input.code.as_deref()).await? {
        tx.failed(code);
        return Ok(Resetting::Refused(Problem::at("input.code", code)));
    }
    let (now, used_from) = (tx.now(), tx.origin().address_text());
    tx.update::<Entity>(reset, |row| {
        row.used_at = Some(now);
        row.used_from = used_from;
    })
    .await?;
    let mut member = change::replace(tx, member, accepted, None).await?;
    if member.email_proved_at.is_none() {
        // An address that changes takes the links with it that lie in its mailbox: this one lay in the present one.
        member = tx
            .update::<member::Entity>(member, |row| row.email_proved_at = Some(now))
            .await?;
    }
    Ok(Resetting::Done {
        domain: organization.domain,
        login: member.login,
    })
}

/// What a token opens, seen without using it.
async fn look(caller: &Caller, token: &str) -> Result<Option<Found>> {
    let Some(organization) = link::organization_of(LINK, token) else {
        return Ok(None);
    };
    let door = caller.at(organization).await;
    let view = door.view(Action::PasswordReset).await?;
    let found = found(&view, &door, token).await;
    drop(view);
    door.release().await;
    found
}

async fn found(reader: &Reader, door: &Caller, token: &str) -> Result<Option<Found>> {
    let Some((reset, member)) = find(reader, token, door.now()).await? else {
        return Ok(None);
    };
    Ok(Some(Found {
        organization: organization::own(reader).await?,
        has_second_factor: second_factor::active(reader, member.id).await?.is_some(),
        knows_address: sign_in::knows_address(reader, door, member.id).await?,
        reset,
        member,
    }))
}

/// The reset that a token opens at `now`, and its member.
async fn find(reader: &Reader, token: &str, now: Timestamp) -> Result<Option<(Model, Member)>> {
    let named = reader
        .select::<Entity>()
        .filter(Column::TokenHash.eq(token_hash(token)));
    let reset = named.one().await?;
    let Some(reset) = reset.filter(|reset| reset.used_at.is_none() && now < reset.expires_at) else {
        return Ok(None);
    };
    let member = reader.seek::<member::Entity>(&reset.member_id.to_string()).await?;
    let active = member.filter(|member| member.status == Status::Active);
    Ok(active.map(|member| (reset, member)))
}

fn refused_link() -> Problem {
    Problem::at("input.token", Code::LinkRefused)
}
