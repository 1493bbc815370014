//! The live progress of work that nobody waits for. The row of the work is the truth, whichever server does it: it is looked
//! at while anybody follows it, once for all who do, and each of them is asked anew, at each event, whether he still may.

use std::sync::Arc;

use async_graphql::{Context, ID, Subscription};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::watch;

use crate::{
    extraction::{self, Extraction},
    import::{
        self, Import,
        graphql::{Job, JobState},
    },
    kernel::{Action, App, Caller, Error, ExtractionId, OrganizationId, Result, id::TypedId as _},
};

/// The name under which the service itself looks.
const LOOK: &str = "job.progress";

/// Work, to follow.
#[derive(Debug, Default)]
pub struct JobSubscription;

#[Subscription]
impl JobSubscription {
    /// 진행 상황: how far work is, first as it is now, then whenever that changes, at most twice a second, and last as it ended; then the subscription is complete. Work that waits for its night is followed until then. Whoever may not see it any more gets one error, and no more. Needs `IMPORT_READ` for an import, `EXTRACTION_READ` for one's own extraction.
    async fn job_progress(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The ID of what is worked on: an import's, or that of one's own extraction.")] id: ID,
    ) -> Result<BoxStream<'static, Result<Job>>> {
        let caller = context.data_unchecked::<Arc<Caller>>().clone();
        let work = Work::of(&id);
        let seen = work.job(&caller, &id).await;
        // A subscription stays: it holds no view while nothing happens.
        caller.release().await;
        seen?;
        let organization = caller.organization_id().ok_or(Error::Unauthenticated)?;
        let key = id.to_string();
        let changes = follow(caller.app(), organization, work, &key);
        let following = Following {
            caller,
            organization,
            work,
            key,
            changes,
            last: None,
            is_over: false,
        };
        Ok(stream::unfold(following, Following::next).boxed())
    }
}

/// What kind of work is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Work {
    Import,
    Extraction,
}

impl Work {
    /// Of what kind this ID is. What is no ID at all is looked for among imports, where nothing is found.
    fn of(id: &str) -> Self {
        match id.split_once('_') {
            Some((ExtractionId::PREFIX, _)) => Self::Extraction,
            _ => Self::Import,
        }
    }

    /// The work as it is, for the caller as he is.
    async fn job(self, caller: &Caller, key: &str) -> Result<Job> {
        match self {
            Self::Import => {
                let view = caller.view(Action::ImportRead).await?;
                view.find::<import::Entity>("id", key).await?.job_of(caller)
            }
            Self::Extraction => {
                let view = caller.view(Action::ExtractionRead).await?;
                let extraction = view.find::<extraction::Entity>("id", key).await?;
                // Another's is as one that does not exist.
                match extraction.is_of(caller) {
                    true => extraction.job_of(caller),
                    false => Err(Error::not_found("id")),
                }
            }
        }
    }

    /// What of it makes a difference to who follows it; `None` where it is gone.
    async fn sight(self, caller: &Caller, key: &str) -> Result<Option<String>> {
        match self {
            Self::Import => {
                let view = caller.view(Action::ImportProgress).await?;
                let import = view.seek::<import::Entity>(key).await?;
                Ok(import.as_ref().map(sight_of_import))
            }
            Self::Extraction => {
                let view = caller.view(Action::ExtractionProgress).await?;
                let extraction = view.seek::<extraction::Entity>(key).await?;
                Ok(extraction.as_ref().map(sight_of_extraction))
            }
        }
    }
}

fn sight_of_import(import: &Import) -> String {
    format!(
        "{:?} {} {} {} {} {:?} {}",
        import.state,
        import.done_count,
        import.row_count,
        import.bad_row_count,
        import.failed_count,
        import.finished_at,
        import.has_file
    )
}

fn sight_of_extraction(extraction: &Extraction) -> String {
    format!(
        "{:?} {} {:?}",
        extraction.state, extraction.done_count, extraction.row_count
    )
}

/// Follows a row, with all others on this server who do.
fn follow(app: &App, organization: OrganizationId, work: Work, key: &str) -> watch::Receiver<String> {
    let (app, id) = (app.clone(), key.to_owned());
    let watches = app.watches.clone();
    watches.follow(key, move || {
        let (app, id) = (app.clone(), id.clone());
        async move {
            let caller = Caller::system(app, LOOK, organization);
            let seen = work.sight(&caller, &id).await;
            caller.release().await;
            seen
        }
    })
}

/// What is compared of two looks: links to files differ each time.
type Told = (JobState, i32, Option<i32>, i32, Option<String>, bool);

fn told(job: &Job) -> Told {
    (
        job.state,
        job.done_count,
        job.total_count,
        job.failed_count,
        job.message.clone(),
        job.file.is_some(),
    )
}

/// Somebody who follows.
struct Following {
    caller: Arc<Caller>,
    organization: OrganizationId,
    work: Work,
    key: String,
    changes: watch::Receiver<String>,
    last: Option<Told>,
    is_over: bool,
}

impl Following {
    async fn next(mut self) -> Option<(Result<Job>, Self)> {
        while !self.is_over {
            // At once the first time.
            if self.last.is_some() && self.changes.changed().await.is_err() {
                self.changes = follow(self.caller.app(), self.organization, self.work, &self.key);
            }
            self.changes.borrow_and_update();
            match self.look().await {
                Err(error) => {
                    self.is_over = true;
                    return Some((Err(error), self));
                }
                Ok(job) => {
                    self.is_over = job.state.is_over();
                    let told = Some(told(&job));
                    if told != self.last {
                        self.last = told;
                        return Some((Ok(job), self));
                    }
                }
            }
        }
        None
    }

    /// The work as it is, for the caller as he is.
    async fn look(&self) -> Result<Job> {
        let caller = self.caller.anew().await?;
        let job = self.work.job(&caller, &self.key).await;
        // A refusal stands in the log, as that of a query would.
        caller.leave().await;
        job
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m7_work_that_waits_or_runs_is_not_over() {
        for (state, is_over) in [
            (JobState::Waiting, false),
            (JobState::Running, false),
            (JobState::Done, true),
            (JobState::Failed, true),
            (JobState::Canceled, true),
        ] {
            assert_eq!(state.is_over(), is_over, "{state:?}");
        }
    }

    #[test]
    fn m7_the_kind_of_an_id_is_the_kind_of_the_work() {
        for (id, work) in [
            ("ext_7zzzzzzzzzzzzzzzzzzzzzzzzz", Work::Extraction),
            ("ext_", Work::Extraction),
            ("imp_7zzzzzzzzzzzzzzzzzzzzzzzzz", Work::Import),
            ("extension_x", Work::Import),
            ("ext", Work::Import),
            ("", Work::Import),
        ] {
            assert_eq!(Work::of(id), work, "{id}");
        }
    }
}
