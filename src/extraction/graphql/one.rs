//! What an extraction tells beside its columns.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, SimpleObject};

use crate::{
    billing::graphql::ById,
    extraction::{
        entity::{Model, State},
        fetch,
    },
    import::graphql::{Job, JobState},
    kernel::{Action, Caller, Code, DownloadLink, Error, Result, download, message},
    member::{Member, search::ById as MemberById},
    service::{Service, graphql::PossibleAction},
};

/// Why there is no file, or none any more.
#[derive(Debug, Clone, SimpleObject)]
pub struct ExtractionFailure {
    /// Why, for programs; it is the same in every language.
    pub code: String,
    /// What to tell the user, in the language of `Accept-Language`.
    pub message: String,
}

#[ComplexObject]
impl Model {
    /// 서비스: whose list it is; null for lists of the whole organization, and where the caller does not see the service.
    async fn service(&self, context: &Context<'_>) -> Result<Option<Service>> {
        let Some(service) = self.service_id else {
            return Ok(None);
        };
        let view = view(context).await?;
        view.loader.load_one(ById(service)).await.map_err(Error::internal)
    }

    /// 요청자: who asked for it.
    async fn requested_by(&self, context: &Context<'_>) -> Result<Option<Member>> {
        let view = view(context).await?;
        let member = view.loader.load_one(MemberById(self.requested_by)).await;
        member.map_err(Error::internal)
    }

    /// The codes of its columns, at most 200.
    async fn columns(&self) -> &[String] {
        &self.columns.0
    }

    /// 조건: how the list was narrowed, as JSON; texts that were searched for show as `***`.
    async fn filter(&self) -> String {
        self.snapshot.text()
    }

    /// The size of the file in bytes; null before it is made.
    async fn byte_size(&self) -> Option<i32> {
        self.byte_size.map(|bytes| i32::try_from(bytes).unwrap_or(i32::MAX))
    }

    /// Why there is no file, or none to be had any more; null where there is one, or will be.
    async fn failure(&self, context: &Context<'_>) -> Option<ExtractionFailure> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let code = self.over(caller)?;
        Some(ExtractionFailure {
            code: code.name().to_owned(),
            message: self.told(caller, code),
        })
    }

    /// How far it is, and the link to its file, which is good for five minutes, for the caller alone and from where he asks; each time the file is fetched is counted.
    async fn job(&self, context: &Context<'_>) -> Result<Job> {
        self.job_of(context.data_unchecked::<Arc<Caller>>())
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Vec<PossibleAction> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let obstacle = fetch::obstacle(self, caller).map(Code::name);
        let hindrance = match caller.may(Action::ExtractionDownload) {
            true => obstacle,
            false => Some("FORBIDDEN"),
        };
        vec![PossibleAction {
            name: Action::ExtractionDownload,
            is_allowed: hindrance.is_none(),
            reason_code: hindrance.map(str::to_owned),
            available_at: None,
        }]
    }
}

impl Model {
    /// Whether the caller asked for it.
    pub(crate) fn is_of(&self, caller: &Caller) -> bool {
        caller.actor().member().map(|member| member.member_id) == Some(self.requested_by)
    }

    /// How far it is, as the caller is told.
    ///
    /// # Errors
    /// Only if a link can't be made.
    pub(crate) fn job_of(&self, caller: &Caller) -> Result<Job> {
        Ok(Job {
            state: match self.state {
                State::Requested => JobState::Waiting,
                State::Running => JobState::Running,
                State::Ready | State::Downloaded | State::Expired => JobState::Done,
                State::Failed => JobState::Failed,
            },
            done_count: self.done_count,
            total_count: self.row_count,
            failed_count: 0,
            message: self.over(caller).map(|code| self.told(caller, code)),
            file: self.link(caller)?,
            expires_at: self.expires_at,
        })
    }

    /// Why there is no file to be had any more.
    fn over(&self, caller: &Caller) -> Option<Code> {
        fetch::obstacle(self, caller).filter(|code| *code != Code::NotFound)
    }

    fn told(&self, caller: &Caller, code: Code) -> String {
        let most = caller.app().settings.extraction_rows.to_string();
        message::text(caller.language(), code.name(), &[("max", message::Word::Same(most))])
    }

    fn link(&self, caller: &Caller) -> Result<Option<DownloadLink>> {
        match fetch::obstacle(self, caller) {
            None => download::link(caller, fetch::KIND, &self.id.to_string()).map(Some),
            Some(_) => Ok(None),
        }
    }
}

async fn view(context: &Context<'_>) -> Result<Arc<crate::kernel::View>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    caller.view(Action::ExtractionRead).await
}
