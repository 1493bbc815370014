//! Sending an invitation's letter, as a job: mint a token and keep its hash, commit, and only then talk to the mail
//! server; afterwards say how it went. A server that is killed on the way leaves the job to be done again, with another
//! token and the same `Message-ID`: a letter may come twice, and is never lost.

use super::{
    entity::{Entity, Model, State},
    mailing::{self, Delivery},
    token,
};
use crate::{
    kernel::{
        Action, App, Caller, Error, InvitationId, Job, Letter, Outcome, Plain, Recipient, Result, Timestamp, Tx,
        Undelivered,
        outbox::{self, Fate},
        secret::token_hash,
    },
    member,
    member::letter,
    organization,
};

/// The job's name.
pub const KIND: &str = "invitation-mail";

/// Who invites where no member does: the operator, in the service's name.
const OPERATOR: &str = "Orgdesk";

/// The job that sends an invitation's newest letter. It holds no data: an ID and a number.
pub(super) fn job(invitation: &Model, now: Timestamp) -> Job {
    Job {
        kind: KIND,
        argument: format!("{}/{}", invitation.id, invitation.mailing),
        due_at: now,
    }
}

fn read(argument: &str) -> Result<(InvitationId, i32)> {
    let parts = argument.split_once('/');
    let parts = parts.and_then(|(id, number)| Some((id.parse().ok()?, number.parse().ok()?)));
    parts.ok_or_else(|| Error::internal("no invitation to send"))
}

/// The letter that is to go; `None` where it is not needed any more.
struct Minted(Option<Letter>);

/// What a letter came to is written down.
struct Recorded;

impl Outcome for Minted {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("a token is minted anew each time"))
    }
}

impl Outcome for Recorded {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self)
    }
}

/// Sends the letter that a job is about.
///
/// # Errors
/// If the database fails. What becomes of the letter is an answer.
pub async fn send(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let minted = caller
        .act(Action::LetterSend, &Plain, async |tx| mint(tx, job).await)
        .await?;
    let Some(letter) = minted.0 else {
        return Ok(Fate::Done);
    };
    let sent = app.mailer.send(letter).await;
    caller
        .act(Action::LetterSend, &Plain, async |tx| record(tx, job, &sent).await)
        .await?;
    Ok(sent.into())
}

/// Says of a letter whose job was given up that it will not come.
///
/// # Errors
/// If the database fails.
pub async fn give_up(app: &App, job: &outbox::Model) -> Result<()> {
    let deed = async |tx: &Tx| {
        if let Some((invitation, letter)) = find(tx, job).await?
            && letter.delivery == Delivery::Queued
        {
            tx.about::<Entity>(&invitation);
            tx.update::<mailing::Entity>(letter, |row| {
                row.delivery = Delivery::Failed;
                row.delivery_failure.get_or_insert_with(|| "LOST".to_owned());
            })
            .await?;
        }
        Ok(Recorded)
    };
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    caller.act(Action::LetterSend, &Plain, deed).await?;
    Ok(())
}

async fn mint(tx: &Tx, job: &outbox::Model) -> Result<Minted> {
    let Some((invitation, letter)) = find(tx, job).await? else {
        return Ok(Minted(None));
    };
    tx.about::<Entity>(&invitation);
    if letter.delivery == Delivery::Sent {
        return Ok(Minted(None));
    }
    if let Some(reason) = needless(&invitation, &letter, tx.now()) {
        close(tx, letter, reason).await?;
        return Ok(Minted(None));
    }
    let token = token::mint(tx.app(), tx.organization_id());
    tx.update::<mailing::Entity>(letter, |row| row.token_hash = Some(token_hash(&token)))
        .await?;
    write(tx, job, &invitation, &token).await.map(Some).map(Minted)
}

/// Why a letter need not go any more.
fn needless(invitation: &Model, letter: &mailing::Model, now: Timestamp) -> Option<&'static str> {
    match invitation.state_at(now) {
        _ if letter.number != invitation.mailing => Some("SUPERSEDED"),
        State::Pending => None,
        State::Accepted => Some("ACCEPTED"),
        State::Expired => Some("EXPIRED"),
        State::Revoked => Some("REVOKED"),
    }
}

async fn close(tx: &Tx, letter: mailing::Model, reason: &str) -> Result<()> {
    let now = tx.now();
    tx.update::<mailing::Entity>(letter, |row| {
        // Whoever accepted has had the letter: only its sender did not live to write it down.
        let has_come = reason == "ACCEPTED";
        row.delivery = if has_come { Delivery::Sent } else { Delivery::Failed };
        row.sent_at = has_come.then_some(now);
        row.delivery_failure = (!has_come).then(|| reason.to_owned());
    })
    .await?;
    Ok(())
}

async fn write(tx: &Tx, job: &outbox::Model, invitation: &Model, token: &str) -> Result<Letter> {
    let organization = tx
        .find::<organization::Entity>("id", &tx.organization_id().to_string())
        .await?;
    let inviter = match invitation.invited_by {
        Some(member) => tx.seek::<member::Entity>(&member.to_string()).await?,
        None => None,
    };
    let about = letter::Invitation {
        organization: &organization.name,
        inviter: inviter.as_ref().map_or(OPERATOR, |member| &member.name),
        login: &invitation.login,
        link: &letter::invitation_link(&tx.app().settings, token),
        expires_at: invitation.expires_at,
        zone: tx.zone()?,
    };
    let to = Recipient {
        name: invitation.name.clone(),
        email: invitation.email.clone(),
    };
    letter::invitation(invitation.language, job.id.to_string(), to, &about)
}

async fn record(tx: &Tx, job: &outbox::Model, sent: &Result<(), Undelivered>) -> Result<Recorded> {
    if let Some((invitation, letter)) = find(tx, job).await? {
        tx.about::<Entity>(&invitation);
        let now = tx.now();
        tx.update::<mailing::Entity>(letter, |row| match sent {
            Ok(()) => {
                row.delivery = Delivery::Sent;
                row.sent_at = Some(now);
                row.delivery_failure = None;
            }
            Err(Undelivered::Later(reason)) => {
                row.delivery = Delivery::Queued;
                row.delivery_failure = Some(reason.clone());
            }
            Err(Undelivered::Never(reason)) => {
                row.delivery = Delivery::Bounced;
                row.delivery_failure = Some(reason.clone());
            }
        })
        .await?;
    }
    Ok(Recorded)
}

/// The invitation and the mailing that a job is about.
async fn find(tx: &Tx, job: &outbox::Model) -> Result<Option<(Model, mailing::Model)>> {
    let (id, number) = read(&job.argument)?;
    let Some(invitation) = tx.seek::<Entity>(&id.to_string()).await? else {
        return Ok(None);
    };
    let letter = mailing::find(tx, &invitation, number).await?;
    Ok(letter.map(|letter| (invitation, letter)))
}
