//! The letter that tells whoever confirmed an import what came of it. The job holds an ID; the letter holds numbers.

use super::entity::Entity;
use crate::{
    kernel::{
        Action, App, Caller, ImportId, Job, Letter, Reader, Recipient, Result, Timestamp, message,
        outbox::{self, Fate},
    },
    member::{
        self,
        letter::{self, ImportResult},
    },
    organization, service,
};

/// The job's name. Its argument is the import.
pub const KIND: &str = "import-mail";

/// The job that tells of an import.
pub(super) fn job(import: ImportId, now: Timestamp) -> Job {
    Job {
        kind: KIND,
        argument: import.to_string(),
        due_at: now,
    }
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
    let Some(letter) = letter? else { return Ok(Fate::Done) };
    Ok(app.mailer.send(letter).await.into())
}

/// The letter; `None` where nobody is left to be told.
async fn write(reader: &Reader, job: &outbox::Model) -> Result<Option<Letter>> {
    let Some(import) = reader.seek::<Entity>(&job.argument).await? else {
        return Ok(None);
    };
    let to = import.confirmed_by.unwrap_or(import.uploaded_by);
    let member = reader.seek::<member::Entity>(&to.to_string()).await?;
    let Some(member) = member.filter(|member| member.status == member::Status::Active) else {
        return Ok(None);
    };
    let service = reader
        .find::<service::Entity>("id", &import.service_id.to_string())
        .await?;
    let organization = organization::own(reader).await?;
    let reason = import.refusal.as_deref().map(|name| {
        let words = super::check::code_of(name).map(|code| import.refusal_words.problem(code).words);
        message::text(member.language, name, &words.unwrap_or_default())
    });
    let about = ImportResult {
        organization: &organization.name,
        service: &service.name,
        file: &import.file_name,
        rows: import.row_count,
        inserted: import.inserted_count,
        known: import.known_count,
        failed: import.failed_count,
        reason: reason.as_deref(),
        at: import.finished_at.unwrap_or(import.uploaded_at),
        zone: organization.time_zone.parse().map_err(crate::kernel::Error::internal)?,
    };
    let to = Recipient {
        name: member.name,
        email: member.email,
    };
    letter::import_result(member.language, job.id.to_string(), to, &about).map(Some)
}
