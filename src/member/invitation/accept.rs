//! What a link opens: a look at the invitation, which uses nothing up, and its acceptance, which makes a member. A link
//! that is unknown, expired, used, replaced, taken back or another organization's is refused in one and the same way.

use async_graphql::{InputObject, SimpleObject};
use chrono::Duration;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    LINK,
    check::{Holders, Invitee},
    entity::{Entity, Model, State},
    mailing,
};
use crate::{
    kernel::{
        Action, Caller, Code, Error, Language, Outcome, Plain, Problem, Reader, Result, Timestamp, Tx,
        secret::{SecretText, token_hash},
        security::{self, Brake},
    },
    member::{self, Whose, accept_password, link, sign_in},
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
    let Some(organization) = link::organization_of(LINK, token) else {
        return Ok(None);
    };
    let door = caller.at(organization).await;
    let found = look(&door, token).await?;
    Ok(found.map(|found| InvitationPreview {
        organization_name: found.organization.name,
        organization_domain: found.organization.domain,
        name: found.invitation.name,
        login: found.invitation.login,
        email: found.invitation.email,
        expires_at: found.invitation.expires_at,
        language: found.invitation.language,
    }))
}

/// `invitationAccept`.
///
/// # Errors
/// What is wrong with the password; `SIGN_IN_BLOCKED` with the time of its end; `THROTTLED` if too many wait.
pub(super) async fn accept(caller: &Caller, input: &InvitationAcceptInput) -> Result<Accepting> {
    let brakes = [(ADDRESS, caller.origin().network_text())];
    if let Some(stop) = security::attempt(caller, &brakes).await? {
        if stop.is_first {
            security::log(caller, "LINKS_BLOCKED").await?;
        }
        return Err(sign_in::blocked("input.token", stop));
    }
    let Some(organization) = link::organization_of(LINK, &input.token) else {
        return Ok(Accepting::Refused(Code::LinkRefused));
    };
    let door = caller.at(organization).await;
    // Only what may be good costs a hash, and is told what is wrong with its password.
    let password_hash = match look(&door, &input.token).await? {
        Some(found) => Some(found.hash(caller, &input.password).await?),
        None => None,
    };
    let deed = async |tx: &Tx| use_up(tx, &input.token, password_hash).await;
    let accepting = match door.act(Action::InvitationAccept, &Plain, deed).await {
        Err(Error::Problems(problems)) if is_nowhere(&problems) => Accepting::Refused(Code::LinkRefused),
        done => done?,
    };
    if let Accepting::Member { .. } = accepting {
        security::forgive(caller, &brakes).await?;
    }
    Ok(accepting)
}

/// What a link that is good opens.
struct Found {
    organization: Organization,
    invitation: Model,
}

impl Found {
    /// The hash of the password that the invited person chose.
    async fn hash(&self, caller: &Caller, password: &str) -> Result<SecretText> {
        let Model { name, login, email, .. } = &self.invitation;
        let whose = Whose::new(&self.organization, name, login, email);
        let accepted = accept_password(caller.app(), "input.password", password, &whose).await?;
        Ok(accepted.hash)
    }
}

async fn look(door: &Caller, token: &str) -> Result<Option<Found>> {
    let view = door.view(Action::InvitationAccept).await?;
    let found = found(&view, token, door.now()).await;
    drop(view);
    door.release().await;
    found
}

async fn found(reader: &Reader, token: &str, now: Timestamp) -> Result<Option<Found>> {
    let Some(invitation) = find(reader, token, now).await? else {
        return Ok(None);
    };
    Ok(Some(Found {
        organization: organization::own(reader).await?,
        invitation,
    }))
}

/// Whether the organization that a token names does not exist: it has no log to write to, and answers like one that does.
fn is_nowhere(problems: &[Problem]) -> bool {
    problems.iter().all(|problem| problem.code == Code::NotFound)
}

/// Makes the member and closes the invitation. In the organization's turn a link that was good is good for one only.
async fn use_up(tx: &Tx, token: &str, password_hash: Option<SecretText>) -> Result<Accepting> {
    let organization = organization::own(tx).await?;
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
        is_email_proved: true,
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
