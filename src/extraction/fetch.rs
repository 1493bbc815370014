//! 다운로드: the file, for whoever asked for it, while he may have it. It leaves only after it stands in the log that it does; so
//! does a refusal.

use futures_util::{
    StreamExt as _,
    future::{BoxFuture, FutureExt as _},
};

use super::{
    entity::{Entity, Format, Model, State},
    eyes, file, run, step, sweep,
};
use crate::kernel::{Action, Caller, Code, Error, File, Outcome, Plain, Result, Tx, download::Content};

/// What links to these files carry.
pub const KIND: &str = "extraction";

/// How often a file can be fetched.
pub(super) const MOST: i32 = 3;

/// Whether it may leave.
struct Left(bool);

impl Outcome for Left {
    type Receipt = bool;

    fn receipt(&self) -> bool {
        self.0
    }

    async fn again(_: &Tx, is: bool) -> Result<Self> {
        Ok(Self(is))
    }
}

/// The file of an extraction, for whoever fetches it now: each time is counted.
///
/// # Errors
/// `NOT_FOUND` where there is none for him.
pub fn fetch<'c>(caller: &'c Caller, id: &'c str) -> BoxFuture<'c, Result<File>> {
    async move {
        let view = caller.view(Action::ExtractionDownload).await?;
        let extraction = view.find::<Entity>("id", id).await?;
        if obstacle(&extraction, caller).is_some_and(|code| code == Code::NotFound) {
            return Err(Error::not_found("id"));
        }
        // What is not to be had is not counted.
        let content = file::content(&view, caller, &extraction).await?;
        drop(view);
        let deed = async |tx: &Tx| leave(tx, caller, id).await.map(Left);
        let has_left = caller.act(Action::ExtractionDownload, &Plain, deed).await?.0;
        let Some(content) = content.filter(|_| has_left) else {
            return Err(Error::not_found("id"));
        };
        Ok(File {
            name: extraction.file_name,
            media_type: match (extraction.has_password, extraction.format) {
                (true, _) => "application/zip",
                (false, Format::Csv) => "text/csv; charset=utf-8",
                (false, Format::Xlsx) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            },
            content: Content::Pieces(content.boxed()),
        })
    }
    .boxed()
}

/// Why a file is not to be had, whatever his grant; `None` where it is.
pub(super) fn obstacle(extraction: &Model, caller: &Caller) -> Option<Code> {
    let is_late = extraction.expires_at.is_some_and(|until| until <= caller.now());
    if !extraction.is_of(caller) {
        return Some(Code::NotFound);
    }
    match extraction.state {
        State::Expired => Some(Code::ExtractionExpired),
        State::Ready | State::Downloaded if is_late => Some(Code::ExtractionExpired),
        State::Ready | State::Downloaded if extraction.download_count >= MOST => Some(Code::ExtractionSpent),
        State::Ready | State::Downloaded => None,
        State::Failed => {
            let failure = extraction.failure.as_deref();
            let known = Code::ALL.iter().copied().find(|code| Some(code.name()) == failure);
            known.or(Some(Code::ExtractionGivenUp))
        }
        State::Requested | State::Running => Some(Code::NotFound),
    }
}

/// Decides whether the file leaves now, and writes down that it does or why it does not.
async fn leave(tx: &Tx, caller: &Caller, id: &str) -> Result<bool> {
    let extraction = tx.find::<Entity>("id", id).await?;
    if let Some(code) = obstacle(&extraction, caller) {
        tx.about::<Entity>(&extraction);
        step::tell(tx, step::Kind::Denied, &extraction, Some(code.name())).await?;
        tx.refused(code.name());
        return Ok(false);
    }
    let source = run::source(tx.app(), extraction.source)?;
    let hindrance = eyes::hindrance(tx, source, &extraction, tx.origin().address, tx.now()).await?;
    if let Some(hindrance) = hindrance {
        tx.about::<Entity>(&extraction);
        step::tell(tx, step::Kind::Denied, &extraction, Some(hindrance.name())).await?;
        if hindrance.is_for_good() {
            sweep::fail(tx, extraction, hindrance.code(), Some(hindrance.name())).await?;
        }
        tx.refused(hindrance.name());
        return Ok(false);
    }
    let extraction = tx
        .update::<Entity>(extraction, |row| {
            row.state = State::Downloaded;
            row.download_count += 1;
        })
        .await?;
    step::tell(tx, step::Kind::Downloaded, &extraction, None).await?;
    Ok(true)
}
