//! What a link opens: a look at the invitation, which uses nothing up, and its acceptance, which makes a member. A link
//! that is unknown, expired, used, replaced, taken back or another organization's is refused in one and the same way.

use async_graphql::{InputObject, SimpleObject};
use chrono::Duration;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    check::{Holders, Invitee},
    entity::{Entity, Model, State},
    mailing, token,
};
use crate::{
    kernel::{
        Action, Caller, Code, Error, Language, OrganizationId, Outcome, Plain, Problem, Reader, Result, Timestamp, Tx,
        secret::{SecretText, token_hash},
        security::{self, Brake},
    },
    member::{self, Whose, accept_password},
    organization::{self, Organization},
};

/// Thirty a minute from one address, until one of them is right.
const ADDRESS: Brake = Brake {
    name: "invitation link from address",
    attempts: 30,
    window: Duration::minutes(1),
};

/// What to accept an invitation with.
#[derive(InputObject)]
pub struct InvitationAcceptInput {
    /// What stands behind the `#` of the link. It is good once.
    #[graphql(secret)]
    pub token: String,
    /// The password to sign in with from now on: at least 15 characters, at most 1,024 bytes.
    #[graphql(secret)]
    pub password: String,
}

/// What the invited person sees before he accepts.
#[derive(Debug, SimpleObject)]
pub struct InvitationPreview {
    /// The organization's name.
    pub organization_name: String,
    /// The organization's domain, which members sign in with.
    pub organization_domain: String,
    /// The person's name.
    pub name: String,
    /// The login ID that the person gets.
    pub login: String,
    /// The address that the invitation went to.
    pub email: String,
    /// When the link stops being good.
    pub expires_at: Timestamp,
    /// The language of the invitation.
    pub language: Language,
}

/// What accepting came to.
#[derive(Debug)]
pub(super) enum Accepting {
    /// There is a new member.
    Member {
        /// The organization's domain.
        domain: String,
        /// The login ID.
        login: String,
    },
    /// There is none; the attempt is in the log.
    Refused(Code),
}

impl Outcome for Accepting {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("a link is good once"))
    }
}

/// `invitationPreview`: `None` where the link is not good.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn preview(caller: &Caller, token: &str) -> Result<Option<InvitationPreview>> {
    let Some(organization) = token::organization_of(token) else {
        return Ok(None);
    };
    let door = caller.at(organization);
    let view = door.view(Action::InvitationAccept).await?;
    let found = match find(&view, token, caller.now()).await {
        Ok(Some(invitation)) => described(&view, invitation).await,
        other => other.map(|_| None),
    };
    drop(view);
    door.release().await;
    found
}

async fn described(reader: &Reader, invitation: Model) -> Result<Option<InvitationPreview>> {
    let organization = own(reader).await?;
    Ok(organization.map(|organization| InvitationPreview {
        organization_name: organization.name,
        organization_domain: organization.domain,
        name: invitation.name,
        login: invitation.login,
        email: invitation.email,
        expires_at: invitation.expires_at,
        language: invitation.language,
    }))
}

/// `invitationAccept`.
///
/// # Errors
/// What is wrong with the password; `SIGN_IN_BLOCKED` with the time of its end; `THROTTLED` if too many wait.
pub(super) async fn accept(caller: &Caller, input: &InvitationAcceptInput) -> Result<Accepting> {
    let brakes = [(ADDRESS, caller.origin().address_text())];
    if let Some(stop) = security::attempt(caller.app(), &brakes).await? {
        if stop.is_first {
            security::log(caller.app(), "LINKS_BLOCKED", caller.origin()).await?;
        }
        return Err(Problem::at("input.token", Code::SignInBlocked).until(stop.until).into());
    }
    let Some(organization) = token::organization_of(&input.token) else {
        return Ok(Accepting::Refused(Code::LinkRefused));
    };
    let door = caller.at(organization);
    // Only what may be good costs a hash, and is told what is wrong with its password.
    let password_hash = match invited(&door, &input.token).await? {
        Some(whose) => {
            let accepted = accept_password(caller.app(), "input.password", &input.password, &whose).await?;
            Some(accepted.hash)
        }
        None => None,
    };
    let deed = async |tx: &Tx| use_up(tx, &input.token, password_hash).await;
    let accepting = match door.act(Action::InvitationAccept, &Plain, deed).await {
        Err(Error::Problems(problems)) if is_nowhere(&problems) => Accepting::Refused(Code::LinkRefused),
        done => done?,
    };
    if let Accepting::Member { .. } = accepting {
        security::forgive(caller.app(), &brakes).await?;
    }
    Ok(accepting)
}

/// Whose password it will be, if the link is good.
async fn invited(door: &Caller, token: &str) -> Result<Option<Whose>> {
    let view = door.view(Action::InvitationAccept).await?;
    let whose = whose(&view, token, door.now()).await;
    drop(view);
    door.release().await;
    whose
}

async fn whose(reader: &Reader, token: &str, now: Timestamp) -> Result<Option<Whose>> {
    let found = find(reader, token, now).await?;
    let organization = own(reader).await?;
    let both = found.zip(organization);
    Ok(both.map(|(row, organization)| Whose::new(&organization, &row.name, &row.login, &row.email)))
}

/// Whether the organization that a token names does not exist: it has no log to write to, and answers like one that does.
fn is_nowhere(problems: &[Problem]) -> bool {
    problems.iter().all(|problem| problem.code == Code::NotFound)
}

/// Makes the member and closes the invitation. In the organization's turn a link that was good is good for one only.
async fn use_up(tx: &Tx, token: &str, password_hash: Option<SecretText>) -> Result<Accepting> {
    let organization = own(tx).await?.ok_or_else(|| Error::not_found("input.token"))?;
    let (Some(invitation), Some(password_hash)) = (find(tx, token, tx.now()).await?, password_hash) else {
        return Ok(refuse(tx, Code::LinkRefused));
    };
    tx.about::<Entity>(&invitation);
    let person = Invitee::of(&invitation);
    let holders = Holders::find(tx, &[&person], Some(invitation.id)).await?;
    let place = |_: &str| "input.token".to_owned();
    if !holders.problems(&place, &person).is_empty() {
        return Ok(refuse(tx, Code::AlreadyMember));
    }
    let member = member::create(tx, new_member(person, password_hash, invitation.is_owner)).await?;
    let now = tx.now();
    let invitation = tx
        .update::<Entity>(invitation, |row| {
            row.state = State::Accepted;
            row.accepted_at = Some(now);
            row.member_id = Some(member.id);
        })
        .await?;
    tx.about::<member::Entity>(&member);
    Ok(Accepting::Member {
        domain: organization.domain,
        login: invitation.login,
    })
}

fn new_member(person: Invitee, password_hash: SecretText, is_owner: bool) -> member::New {
    member::New {
        login: person.login,
        name: person.name,
        email: person.email,
        language: person.language,
        password_hash,
        is_owner,
    }
}

fn refuse(tx: &Tx, code: Code) -> Accepting {
    tx.failed(code);
    Accepting::Refused(code)
}

/// The invitation that a token opens at `now`.
async fn find(reader: &Reader, token: &str, now: Timestamp) -> Result<Option<Model>> {
    let letters = reader.select::<mailing::Entity>();
    let letter = letters.filter(mailing::Column::TokenHash.eq(token_hash(token)));
    let Some(letter) = letter.one().await? else {
        return Ok(None);
    };
    let invitation = reader.seek::<Entity>(&letter.invitation_id.to_string()).await?;
    Ok(invitation.filter(|row| row.mailing == letter.number && row.state_at(now) == State::Pending))
}

async fn own(reader: &Reader) -> Result<Option<Organization>> {
    let id: OrganizationId = reader.organization_id();
    reader.seek::<organization::Entity>(&id.to_string()).await
}
