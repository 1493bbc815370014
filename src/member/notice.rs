//! Letters that tell a member what has happened to his account, so that he notices a theft. The job holds IDs: whose
//! account, what happened, and the entry of the log that knows when, from where and what changed.
//!
//! Whoever changes his account again and again fills no mailbox by it, neither his own nor one that he only says is his:
//! what is too many is done, and not told.

use chrono::Duration;

use super::{
    Entity,
    letter::{self, Event, Notice},
};
use crate::{
    kernel::{
        Action, App, AuditEntryId, Caller, Error, Job, Letter, MemberId, Reader, Recipient, Result, Tx, Undelivered,
        audit,
        outbox::{self, Fate},
        security::{self, Brake},
    },
    organization,
};

/// The job's name.
pub const KIND: &str = "notice-mail";

/// Behind the entry's ID: the letter goes to the address that the member had before.
const FORMER: &str = "/former";

/// Five an hour to one mailbox. Counted are an organization's own, so that nobody elsewhere can silence them.
const MAILBOX: Brake = Brake {
    name: "notices to mailbox",
    attempts: 5,
    window: Duration::hours(1),
};

/// Ten an hour about one member.
const MEMBER: Brake = Brake {
    name: "notices about member",
    attempts: 10,
    window: Duration::hours(1),
};

const EVENTS: [(Event, &str); 5] = [
    (Event::PasswordChanged, "PASSWORD_CHANGED"),
    (Event::EmailChanged, "EMAIL_CHANGED"),
    (Event::SecondFactorAdded, "SECOND_FACTOR_ADDED"),
    (Event::SecondFactorRemoved, "SECOND_FACTOR_REMOVED"),
    (Event::OwnershipTransferred, "OWNERSHIP_TRANSFERRED"),
];

/// Has a member told of what this deed does to his account; of a new address, at the old one too.
///
/// # Errors
/// Only if the database fails.
pub async fn tell(tx: &Tx, member: MemberId, event: Event) -> Result<()> {
    let name = EVENTS.iter().find(|(known, _)| *known == event).map(|(_, name)| *name);
    let name = name.ok_or_else(|| Error::internal("an event without a name"))?;
    let argument = format!("{member}/{name}/{}", tx.entry_id());
    if event == Event::EmailChanged {
        put(tx, format!("{argument}{FORMER}")).await?;
    }
    put(tx, argument).await
}

async fn put(tx: &Tx, argument: String) -> Result<()> {
    let due_at = tx.now();
    tx.enqueue(Job {
        kind: KIND,
        argument,
        due_at,
    })
    .await
}

/// Sends the letter that a job is about.
///
/// # Errors
/// If the database fails. What becomes of the letter is an answer.
pub async fn send(app: &App, job: &outbox::Model) -> Result<Fate> {
    let caller = Caller::system(app.clone(), KIND, job.organization_id);
    let view = caller.view(Action::LetterSend).await?;
    let letter = write(&view, job).await;
    drop(view);
    caller.release().await;
    let Some((member, letter)) = letter? else {
        return Ok(Fate::Done);
    };
    let brakes = [
        (
            MAILBOX,
            format!("{} {}", job.organization_id, letter.to.email.to_lowercase()),
        ),
        (MEMBER, member.to_string()),
    ];
    let Ok(counted) = security::count(&caller, &brakes).await? else {
        tracing::info!(job = %job.id, "a notice was one too many");
        return Ok(Fate::Done);
    };
    let sent = app.mailer.send(letter).await;
    if let Err(Undelivered::Later(_)) = sent {
        security::give_back(&caller, &counted).await?;
    }
    Ok(sent.into())
}

/// The letter, and about whom; `None` where nobody is left to be told.
async fn write(reader: &Reader, job: &outbox::Model) -> Result<Option<(MemberId, Letter)>> {
    let (argument, is_former) = match job.argument.strip_suffix(FORMER) {
        Some(argument) => (argument, true),
        None => (job.argument.as_str(), false),
    };
    let (member, event, entry) = read(argument).ok_or_else(|| Error::internal("no notice to send"))?;
    let member = reader.seek::<Entity>(&member.to_string()).await?;
    let entry = reader.seek::<audit::Entity>(&entry.to_string()).await?;
    let (Some(member), Some(entry)) = (member, entry) else {
        return Ok(None);
    };
    let email = if is_former {
        former_email(&entry)
    } else {
        Some(member.email)
    };
    let Some(email) = email else { return Ok(None) };
    let organization = organization::own(reader).await?;
    // Where somebody else did it, his address is none of the member's business.
    let is_own = entry.actor_id.is_none_or(|actor| actor == member.id.to_string());
    let about = Notice {
        event,
        organization: &organization.name,
        login: &member.login,
        at: entry.occurred_at,
        address: Some(entry.address.as_str()).filter(|address| is_own && !address.is_empty()),
        zone: organization.time_zone.parse().map_err(Error::internal)?,
    };
    let to = Recipient {
        name: member.name,
        email,
    };
    let letter = letter::notice(member.language, job.id.to_string(), to, &about)?;
    Ok(Some((member.id, letter)))
}

fn read(argument: &str) -> Option<(MemberId, Event, AuditEntryId)> {
    let mut parts = argument.split('/');
    let member = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let (event, _) = EVENTS.iter().find(|(_, known)| *known == name)?;
    Some((member, *event, parts.next()?.parse().ok()?))
}

/// The address that a member had before the deed of this entry.
fn former_email(entry: &audit::Model) -> Option<String> {
    let changes: Vec<audit::Change> = serde_json::from_str(&entry.changes).ok()?;
    let email = changes
        .into_iter()
        .find(|change| change.field.as_deref() == Some("email"))?;
    serde_json::from_str(&email.before?).ok()
}
