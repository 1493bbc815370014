//! Sending the letter with the link, as a job: mint a token and keep its hash, commit, and only then talk to the mail
//! server. A job that is done again mints another token, so that a letter may come twice and the last one is good.

use sea_orm::{ColumnTrait, QueryFilter};

use super::{Column, Entity, GOOD_FOR, Model, close_all_but, mint};
use crate::{
    kernel::{
        Action, App, Caller, Error, Job, Letter, Outcome, Plain, Recipient, Result, Timestamp, Tx,
        outbox::{self, Fate},
        secret::token_hash,
    },
    member::{self, Member, Status, letter},
    organization,
};

/// The job's name.
pub const KIND: &str = "password-reset-mail";

/// The job that sends a reset's letter. It holds an ID.
pub(super) fn job(reset: &Model, due_at: Timestamp) -> Job {
    Job {
        kind: KIND,
        argument: reset.id.to_string(),
        due_at,
    }
}

/// The letter that is to go; `None` where it is not needed any more.
struct Minted(Option<Letter>);

impl Outcome for Minted {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("a token is minted anew each time"))
    }
}

/// Sends the letter that a job is about.
///
/// # Errors
/// If the database fails. What becomes of the letter is an answer.
pub async fn send(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let deed = async |tx: &Tx| write(tx, job).await.map(Minted);
    match caller.act(Action::LetterSend, &Plain, deed).await?.0 {
        Some(letter) => Ok(app.mailer.send(letter).await.into()),
        None => Ok(Fate::Done),
    }
}

async fn write(tx: &Tx, job: &outbox::Model) -> Result<Option<Letter>> {
    let reset = tx.seek::<Entity>(&job.argument).await?;
    let Some(reset) = reset.filter(|reset| reset.used_at.is_none()) else {
        return Ok(None);
    };
    let member = tx.find::<member::Entity>("id", &reset.member_id.to_string()).await?;
    tx.about::<member::Entity>(&member);
    let newer = tx
        .select::<Entity>()
        .filter(Column::MemberId.eq(member.id))
        .filter(Column::RequestedAt.gt(reset.requested_at));
    if member.status != Status::Active || newer.one().await?.is_some() {
        return Ok(None);
    }
    close_all_but(tx, member.id, Some(reset.id)).await?;
    let token = mint(tx.app(), tx.organization_id());
    let expires_at = Timestamp(tx.now().0 + GOOD_FOR);
    tx.update::<Entity>(reset, |row| {
        row.token_hash = Some(token_hash(&token));
        row.expires_at = expires_at;
    })
    .await?;
    letter_of(tx, job, member, &token, expires_at).await.map(Some)
}

async fn letter_of(tx: &Tx, job: &outbox::Model, member: Member, token: &str, expires_at: Timestamp) -> Result<Letter> {
    let about = letter::PasswordReset {
        organization: &organization::own(tx).await?.name,
        login: &member.login,
        link: &letter::password_reset_link(&tx.app().settings, token),
        expires_at,
        zone: tx.zone()?,
    };
    let to = Recipient {
        name: member.name,
        email: member.email,
    };
    letter::password_reset(member.language, job.id.to_string(), to, &about)
}
