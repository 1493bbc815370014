//! The live progress of work that nobody waits for. The row of the work is the truth, whichever server does it: it is looked
//! at while anybody follows it, once for all who do, and each of them is asked anew, at each event, whether he still may.

use std::sync::Arc;

use async_graphql::{Context, ID, Subscription};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::watch;

use super::one::{Job, JobState};
use crate::{
    import::entity::{Entity, Model},
    kernel::{Action, App, Caller, OrganizationId, Result},
};

/// The name under which the service itself looks.
const LOOK: &str = "job.progress";

/// Work, to follow.
#[derive(Debug, Default)]
pub struct JobSubscription;

#[Subscription]
impl JobSubscription {
    /// 진행 상황: how far work is, first as it is now, then whenever that changes, at most twice a second, and last as it ended; then the subscription is complete. Work that waits for its night is followed until then. Whoever may not see it any more gets one error, and no more. Needs `IMPORT_READ`.
    async fn job_progress(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The ID of what is worked on: an import's.")] id: ID,
    ) -> Result<BoxStream<'static, Result<Job>>> {
        let caller = context.data_unchecked::<Arc<Caller>>().clone();
        let view = caller.view(Action::ImportRead).await?;
        let organization = view.organization_id();
        let import = view.find::<Entity>("id", &id).await;
        drop(view);
        // A subscription stays: it holds no view while nothing happens.
        caller.release().await;
        let import = import?;
        let key = import.id.to_string();
        let changes = follow(caller.app(), organization, &key);
        let following = Following {
            caller,
            organization,
            key,
            changes,
            last: None,
            is_over: false,
        };
        Ok(stream::unfold(following, Following::next).boxed())
    }
}

/// Follows an import's row, with all others on this server who do.
fn follow(app: &App, organization: OrganizationId, key: &str) -> watch::Receiver<String> {
    let (app, id) = (app.clone(), key.to_owned());
    let watches = app.watches.clone();
    watches.follow(key, move || {
        let (app, id) = (app.clone(), id.clone());
        async move {
            let caller = Caller::system(app, LOOK, organization);
            let seen = match caller.view(Action::ImportProgress).await {
                Ok(view) => view.seek::<Entity>(&id).await,
                Err(error) => Err(error),
            };
            caller.release().await;
            Ok(seen?.map(|import| sight(&import)))
        }
    })
}

/// What of an import makes a difference to who follows it.
fn sight(import: &Model) -> String {
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
                self.changes = follow(self.caller.app(), self.organization, &self.key);
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
        let seen = match caller.view(Action::ImportRead).await {
            Ok(view) => view.find::<Entity>("id", &self.key).await,
            Err(error) => Err(error),
        };
        let job = seen.and_then(|import| import.job_of(&caller));
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
}
