//! Notices: what has happened to a member's account, told by letter so that a theft is noticed. Each is a row with the
//! address that the member had when it happened, since the letter about a new address goes to the old one; the row goes
//! once its letter has gone.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::{
    entity::{self, Model as Member},
    letter::{self, Event},
};
use crate::{
    kernel::{
        Action, App, Caller, Error, Job, Letter, MemberId, NoticeId, OrganizationId, Plain, Recipient, Result,
        Timestamp, Tx,
        outbox::{self, Fate},
        record::record,
    },
    organization::{self, Organization},
};

/// The job's name; its argument is the notice's ID.
pub const KIND: &str = "notice-mail";

/// A notice that waits for its letter.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "notice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoticeId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    pub member_id: MemberId,
    pub event: Event,
    pub email: String,
    pub happened_at: Timestamp,
    pub address: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "notice", NoticeId, label: id }

/// Tells a member of what has happened, by a letter to the address that he has now.
///
/// # Errors
/// If there is no such member.
pub async fn tell(tx: &Tx, member: MemberId, event: Event) -> Result<()> {
    let member = tx.find::<entity::Entity>("id", &member.to_string()).await?;
    tell_at(tx, &member, &member.email, event).await
}

/// Tells a member of what has happened, by a letter to this address.
///
/// # Errors
/// Only if the database fails.
pub async fn tell_at(tx: &Tx, member: &Member, email: &str, event: Event) -> Result<()> {
    let notice = Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        member_id: member.id,
        event,
        email: email.to_owned(),
        happened_at: tx.now(),
        address: tx.origin().address_text(),
    };
    let job = Job {
        kind: KIND,
        argument: notice.id.to_string(),
        due_at: tx.now(),
    };
    tx.create::<Entity>(notice).await?;
    tx.enqueue(job).await
}

/// Sends the letter of a notice. A server that is killed between the letter and the end of its row leaves the job to be
/// done again, with the same `Message-ID`: a letter may come twice, and is never lost.
///
/// # Errors
/// If the database fails. What becomes of the letter is an answer.
pub async fn send(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let written = write(&caller, job).await;
    caller.release().await;
    let Some((notice, letter)) = written? else {
        return Ok(Fate::Done);
    };
    let sent = app.mailer.send(letter).await;
    if sent.is_ok() {
        let deed = async |tx: &Tx| {
            tx.delete::<Entity>(notice.clone()).await?;
            Ok(notice)
        };
        caller.act(Action::LetterSend, &Plain, deed).await?;
    }
    Ok(sent.into())
}

/// The notice with its letter; `None` where it has gone.
async fn write(caller: &Caller, job: &outbox::Model) -> Result<Option<(Model, Letter)>> {
    let view = caller.view(Action::LetterSend).await?;
    let Some(notice) = view.seek::<Entity>(&job.argument).await? else {
        return Ok(None);
    };
    let member = view.find::<entity::Entity>("id", &notice.member_id.to_string()).await?;
    let id = view.organization_id().to_string();
    let organization: Organization = view.find::<organization::Entity>("id", &id).await?;
    let about = letter::Notice {
        event: notice.event,
        organization: &organization.name,
        login: &member.login,
        at: notice.happened_at,
        address: Some(notice.address.as_str()).filter(|address| !address.is_empty()),
        zone: organization.time_zone.parse().map_err(Error::internal)?,
    };
    let to = Recipient {
        name: member.name.clone(),
        email: notice.email.clone(),
    };
    let letter = letter::notice(member.language, job.id.to_string(), to, &about)?;
    Ok(Some((notice, letter)))
}
