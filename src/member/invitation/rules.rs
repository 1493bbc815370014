//! Inviting, and what can be done with an invitation: sending it again, correcting it, taking it back. Nothing in an
//! invitation gives a role: whoever accepts is a member and no more, the owner of a new organization aside.

use async_graphql::InputObject;
use serde::Serialize;

use super::{
    check::{Holders, Invitee},
    entity::{Column, Entity, GOOD_FOR, Model, State},
    limit::{self, Letters},
    mailing::{self, Delivery},
    send,
};
use crate::kernel::{
    Actor, Code, Error, Language, Problem, Result, Role, Timestamp, Tx, payload::asks, secret::SecretBytes,
};

/// Somebody to be invited.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct MemberInviteInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The name, 1 to 100 characters.
    pub name: String,
    /// The login ID: 3 to 40 small letters, digits, `.`, `_` and `-`, beginning with a letter or digit; no member or open invitation has it.
    pub login: String,
    /// The e-mail address: one, plain, in ASCII, at most 254 characters; no member or open invitation has it, whatever the case.
    pub email: String,
    /// The language of the letter, and of those that the member will get; Korean where absent.
    pub language: Option<Language>,
}

/// How to send an invitation again.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct InvitationResendInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

/// Corrections of an invitation. Absent fields stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct InvitationUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// The name, 1 to 100 characters.
    pub name: Option<String>,
    /// The e-mail address: one, plain, in ASCII, at most 254 characters; no member or other open invitation has it, whatever the case.
    pub email: Option<String>,
    /// The language of the letter, and of those that the member will get.
    pub language: Option<Language>,
}

/// How to take an invitation back.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct InvitationRevokeInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

asks!(
    MemberInviteInput,
    InvitationResendInput,
    InvitationUpdateInput,
    InvitationRevokeInput
);

impl From<&MemberInviteInput> for Invitee {
    fn from(input: &MemberInviteInput) -> Self {
        Self {
            login: input.login.trim().to_owned(),
            name: input.name.trim().to_owned(),
            email: input.email.trim().to_owned(),
            language: input.language.unwrap_or_default(),
        }
    }
}

/// How a link comes to the invited person.
pub(super) enum Way {
    /// By a letter, which a job sends.
    Letter,
    /// By the operator's own hand: this is the hash of its token.
    Hand(SecretBytes),
}

/// `memberInvite`.
///
/// # Errors
/// As the input says; `ALREADY_MEMBER`, `ALREADY_INVITED`, `MAIL_LIMIT_REACHED` with the time of its end.
pub async fn invite(tx: &Tx, input: &MemberInviteInput) -> Result<Model> {
    let person = Invitee::from(input);
    let place = |field: &str| format!("input.{field}");
    Error::unless_none(person.problems(&place))?;
    let holders = Holders::find(tx, &[&person], None).await?;
    Error::unless_none(holders.problems(&place, &person))?;
    if let Some(why) = Letters::of(tx).await?.too_many(&person.email) {
        return Err(limit::problem("input.email", why).into());
    }
    write(tx, &person, false, Way::Letter).await
}

/// Writes an invitation of somebody who can be invited, with what brings him its link.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn write(tx: &Tx, person: &Invitee, is_owner: bool, way: Way) -> Result<Model> {
    const TOLD: [Column; 4] = [Column::Login, Column::Name, Column::Email, Column::IsOwner];
    let now = tx.now();
    let row = Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        login: person.login.clone(),
        name: person.name.clone(),
        name_key: person.name.to_lowercase(),
        email: person.email.clone(),
        language: person.language,
        is_owner,
        state: State::Pending,
        invited_by: tx.actor().member().map(|member| member.member_id),
        invited_at: now,
        expires_at: Timestamp(now.0 + GOOD_FOR),
        mailing: 1,
        accepted_at: None,
        revoked_at: None,
        member_id: None,
        version: 1,
    };
    let invitation = tx.create_telling::<Entity>(row, &TOLD).await?;
    post(tx, &invitation, way).await?;
    Ok(invitation)
}

/// `invitationResend`: a new link to the same address, good for another seven days. The old one is dead.
///
/// # Errors
/// `INVITATION_NOT_PENDING`, `ABOVE_OWN_RANK`, `ALREADY_MEMBER`, `ALREADY_INVITED`; `RESEND_TOO_SOON` and
/// `MAIL_LIMIT_REACHED` with the time of their end; and as for every edit.
pub(super) async fn resend(tx: &Tx, id: &str, input: &InvitationResendInput) -> Result<Model> {
    let invitation = tx.find_current::<Entity>(id, input.expected_version).await?;
    again(tx, invitation, None, Way::Letter).await
}

/// `invitationUpdate`: corrects the person's name, address or language, and sends a new link. The old one is dead.
///
/// # Errors
/// As the input says, and as for [`resend`].
pub(super) async fn update(tx: &Tx, id: &str, input: &InvitationUpdateInput) -> Result<Model> {
    let invitation = tx.find_current::<Entity>(id, input.expected_version).await?;
    let before = Invitee::of(&invitation);
    let trimmed = |text: &Option<String>| text.as_deref().map(|text| text.trim().to_owned());
    let corrected = Invitee {
        login: before.login.clone(),
        name: trimmed(&input.name).unwrap_or_else(|| before.name.clone()),
        email: trimmed(&input.email).unwrap_or_else(|| before.email.clone()),
        language: input.language.unwrap_or(before.language),
    };
    if (&corrected.name, &corrected.email, corrected.language) == (&before.name, &before.email, before.language) {
        check_open(tx, &invitation)?;
        return Ok(invitation);
    }
    again(tx, invitation, Some(corrected), Way::Letter).await
}

/// `invitationRevoke`: its link is dead from now on.
///
/// # Errors
/// `INVITATION_NOT_PENDING`, `ABOVE_OWN_RANK`, and as for every edit.
pub async fn revoke(tx: &Tx, id: &str, input: &InvitationRevokeInput) -> Result<Model> {
    let invitation = tx.find_current::<Entity>(id, input.expected_version).await?;
    check_open(tx, &invitation)?;
    let now = tx.now();
    if invitation.state_at(now) != State::Pending {
        return Err(Problem::at("id", Code::InvitationNotPending).into());
    }
    tx.update::<Entity>(invitation, |row| {
        row.state = State::Revoked;
        row.revoked_at = Some(now);
    })
    .await
}

/// Makes a new link for an invitation that is open or has expired, for the person as he is or as he is `corrected`.
///
/// # Errors
/// As for [`resend`] and [`update`].
pub(super) async fn again(tx: &Tx, invitation: Model, corrected: Option<Invitee>, way: Way) -> Result<Model> {
    check_open(tx, &invitation)?;
    // Without a correction no input is at fault: what is in the way is the invitation's own.
    let is_corrected = corrected.is_some();
    let place = |field: &str| match field {
        "name" | "email" if is_corrected => format!("input.{field}"),
        _ => "id".to_owned(),
    };
    let person = corrected.unwrap_or_else(|| Invitee::of(&invitation));
    Error::unless_none(person.problems(&place))?;
    let holders = Holders::find(tx, &[&person], Some(invitation.id)).await?;
    let mut held = holders.problems(&place, &person);
    held.dedup();
    Error::unless_none(held)?;
    if let Way::Letter = way
        && let Some(why) = Letters::of(tx).await?.too_soon(&invitation, &person.email)
    {
        return Err(limit::problem(&place("email"), why).into());
    }
    let expires_at = Timestamp(tx.now().0 + GOOD_FOR);
    let invitation = tx
        .update::<Entity>(invitation, |row| {
            row.name_key = person.name.to_lowercase();
            row.name = person.name;
            row.email = person.email;
            row.language = person.language;
            row.state = State::Pending;
            row.expires_at = expires_at;
            row.mailing += 1;
        })
        .await?;
    post(tx, &invitation, way).await?;
    Ok(invitation)
}

/// Whether it is still to be accepted, or could be if it were sent again; and the caller's to decide about.
fn check_open(tx: &Tx, invitation: &Model) -> Result<()> {
    if !is_openable(invitation.state_at(tx.now())) {
        return Err(Problem::at("id", Code::InvitationNotPending).into());
    }
    if !may_touch(tx.actor(), invitation) {
        return Err(Problem::at("id", Code::AboveOwnRank).into());
    }
    Ok(())
}

/// Whether an invitation in this state can be sent again.
pub(super) fn is_openable(state: State) -> bool {
    matches!(state, State::Pending | State::Expired)
}

/// Whoever corrects the address of an invitation can accept it himself, so the owner's is the operators', and managers
/// have their own only.
pub(super) fn may_touch(actor: &Actor, invitation: &Model) -> bool {
    let roles = actor.roles();
    let is_one_of = |those: &[Role]| those.iter().any(|role| roles.contains(role));
    let is_his = actor
        .member()
        .is_some_and(|member| invitation.invited_by == Some(member.member_id));
    if invitation.is_owner {
        is_one_of(&[Role::Owner, Role::Operator])
    } else {
        is_his || is_one_of(&[Role::Owner, Role::Administrator, Role::Operator])
    }
}

/// Writes an invitation's newest mailing, and the job that sends it.
async fn post(tx: &Tx, invitation: &Model, way: Way) -> Result<()> {
    let (delivery, sent_at, token_hash) = match way {
        Way::Letter => (Delivery::Queued, None, None),
        Way::Hand(hash) => (Delivery::Sent, Some(tx.now()), Some(hash)),
    };
    let row = mailing::Model {
        organization_id: tx.organization_id(),
        invitation_id: invitation.id,
        number: invitation.mailing,
        email: invitation.email.clone(),
        requested_at: tx.now(),
        delivery,
        delivery_failure: None,
        sent_at,
        token_hash,
    };
    tx.create_telling::<mailing::Entity>(row, &[]).await?;
    if delivery == Delivery::Queued {
        tx.enqueue(send::job(invitation, tx.now())).await?;
    }
    Ok(())
}
