//! What an import tells beside its columns.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{ComplexObject, Context, Enum, SimpleObject, dataloader::Loader};
use chrono_tz::Tz;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use crate::{
    billing::graphql::ById,
    import::{
        annotate,
        column::own,
        entity::{Difference, Model, State, problem},
        report, sheet, undo,
    },
    kernel::{Action, Batch, Caller, Code, DownloadLink, Error, ImportId, Result, Timestamp, download, message},
    member::{Member, search::ById as MemberById},
    service::{Service, graphql::PossibleAction},
};

/// When an import is to begin: an instant that a zone which changes later does not move.
#[derive(Debug, Clone, SimpleObject)]
pub struct ImportTime {
    /// The instant.
    pub at: Timestamp,
    /// The organization's zone when it was reserved, such as `Asia/Seoul`.
    pub time_zone: String,
    /// The same as people there read it, with its distance from UTC, such as `2026-11-29 01:00 +09:00`.
    pub local: String,
}

/// Why a file can't be imported at all.
#[derive(Debug, Clone, SimpleObject)]
pub struct ImportRefusal {
    /// Why, for programs; it is the same in every language.
    pub code: String,
    /// What to tell the user, in the language of `Accept-Language`.
    pub message: String,
    /// How the service's fields differ from those that the template was made of, at most 400; empty but for `TEMPLATE_OUTDATED`.
    pub differences: Vec<Difference>,
}

/// How far work is that nobody waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum JobState {
    /// It has not begun.
    Waiting,
    /// It is at work.
    Running,
    /// It is done.
    Done,
    /// It can't be done.
    Failed,
    /// It was given up.
    Canceled,
}

impl JobState {
    /// Whether nothing is done at it any more, unless somebody asks for it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Canceled)
    }
}

/// Work that takes longer than a request: ask again to see how far it is. It can be followed by the subscription `jobProgress`, too.
#[derive(Debug, Clone, SimpleObject)]
pub struct Job {
    /// How far it is.
    pub state: JobState,
    /// How much of it is done.
    pub done_count: i32,
    /// How much there is; null where that is not known yet.
    pub total_count: Option<i32>,
    /// How much of it went wrong.
    pub failed_count: i32,
    /// What there is to tell, in the language of `Accept-Language`; null where there is nothing.
    pub message: Option<String>,
    /// What came of it; null where there is no file, or no more.
    pub file: Option<DownloadLink>,
    /// Until when what came of it can be used; null where nothing ends.
    pub expires_at: Option<Timestamp>,
}

/// The verbs of an import.
const VERBS: [Action; 3] = [Action::ImportConfirm, Action::ImportDelete, Action::ImportUndo];

#[ComplexObject]
impl Model {
    /// 서비스: into which service.
    async fn service(&self, context: &Context<'_>) -> Result<Option<Service>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::ImportRead).await?;
        let service = view.loader.load_one(ById(self.service_id)).await;
        service.map_err(Error::internal)
    }

    /// 등록자: who sent the file.
    async fn uploaded_by(&self, context: &Context<'_>) -> Result<Option<Member>> {
        member(context, Some(self.uploaded_by)).await
    }

    /// Who agreed to the cautions; null before.
    async fn confirmed_by(&self, context: &Context<'_>) -> Result<Option<Member>> {
        member(context, self.confirmed_by).await
    }

    /// 예약일시: when it begins; null before it was confirmed.
    async fn due_at(&self) -> Result<Option<ImportTime>> {
        let (Some(at), Some(name)) = (self.due_at, &self.due_zone) else {
            return Ok(None);
        };
        let zone: Tz = name.parse().map_err(Error::internal)?;
        Ok(Some(ImportTime {
            at,
            time_zone: name.clone(),
            local: at.0.with_timezone(&zone).format("%Y-%m-%d %H:%M %:z").to_string(),
        }))
    }

    /// Why it can't be imported at all; null where it can.
    async fn refusal(&self, context: &Context<'_>) -> Option<ImportRefusal> {
        let language = context.data_unchecked::<Arc<Caller>>().language();
        self.told(language).map(|message| ImportRefusal {
            code: self.refusal.clone().unwrap_or_default(),
            message,
            differences: self.differences.0.clone(),
        })
    }

    /// What is wrong in the file: the first problems in the order of its rows, at most 100. `problemFile` has all of them.
    async fn problems(&self, context: &Context<'_>) -> Result<Vec<problem::Model>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::ImportRead).await?;
        let found = view.loader.load_one(ProblemsOf(self.id)).await;
        Ok(found.map_err(Error::internal)?.unwrap_or_default())
    }

    /// 오류 파일: where a copy of the user's file is with all that is wrong in it beside each row, personal data masked; null where nothing is wrong, or the file is gone. Fetching it stands in the log of extractions.
    async fn problem_file(&self, context: &Context<'_>) -> Result<Option<DownloadLink>> {
        self.link(context.data_unchecked::<Arc<Caller>>())
    }

    /// 결과 파일: where a file is with what came of each row, its number and no more of it; null before the import is over. Fetching it stands in the log of extractions.
    async fn report_file(&self, context: &Context<'_>) -> Result<Option<DownloadLink>> {
        self.report(context.data_unchecked::<Arc<Caller>>())
    }

    /// 주의사항: what whoever confirms an import has to know, at most 10, in the language of `Accept-Language`.
    async fn cautions(&self, context: &Context<'_>) -> Vec<&'static str> {
        let language = context.data_unchecked::<Arc<Caller>>().language();
        CAUTIONS
            .iter()
            .map(|(korean, english)| own(language, korean, english))
            .collect()
    }

    /// How far the work on it is.
    async fn job(&self, context: &Context<'_>) -> Result<Job> {
        self.job_of(context.data_unchecked::<Arc<Caller>>())
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Vec<PossibleAction> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let is_late = self.expires_at.is_some_and(|until| until <= caller.now());
        let one = |name: Action| {
            let hindrance = match name {
                _ if !caller.may(name) => Some("FORBIDDEN"),
                Action::ImportConfirm if is_late || self.state == State::Expired => Some(Code::ImportExpired.name()),
                Action::ImportConfirm if self.state != State::Draft => Some(Code::ImportNotChecked.name()),
                Action::ImportDelete if self.state != State::Reserved => Some(Code::ImportNotReserved.name()),
                Action::ImportUndo => undo::obstacle(self, caller.now()).map(Code::name),
                _ => None,
            };
            PossibleAction {
                name,
                is_allowed: hindrance.is_none(),
                reason_code: hindrance.map(str::to_owned),
                available_at: None,
            }
        };
        VERBS.into_iter().map(one).collect()
    }
}

impl Model {
    /// How far the work on it is, as a caller is told.
    pub(crate) fn job_of(&self, caller: &Caller) -> Result<Job> {
        let state = match self.state {
            State::Checking | State::Running => JobState::Running,
            State::Reserved => JobState::Waiting,
            State::Draft | State::Completed | State::Partial => JobState::Done,
            State::Refused | State::Failed => JobState::Failed,
            State::Expired | State::Deleted | State::Undone => JobState::Canceled,
        };
        Ok(Job {
            state,
            done_count: self.done_count,
            total_count: (self.state != State::Checking).then_some(self.row_count),
            failed_count: self.bad_row_count.max(self.failed_count),
            message: self.told(caller.language()),
            file: match self.report(caller)? {
                Some(report) => Some(report),
                None => self.link(caller)?,
            },
            expires_at: self.expires_at,
        })
    }

    /// Why it can't be imported at all, in words.
    fn told(&self, language: message::Language) -> Option<String> {
        let name = self.refusal.as_deref()?;
        let code = Code::ALL.iter().copied().find(|code| code.name() == name)?;
        let problem = self.refusal_words.problem(code);
        Some(message::text(language, name, &problem.words))
    }

    fn report(&self, caller: &Caller) -> Result<Option<DownloadLink>> {
        if self.started_at.is_none() || self.finished_at.is_none() {
            return Ok(None);
        }
        download::link(caller, report::KIND, &self.id.to_string()).map(Some)
    }

    fn link(&self, caller: &Caller) -> Result<Option<DownloadLink>> {
        if !self.has_file || self.problem_count == 0 {
            return Ok(None);
        }
        download::link(caller, annotate::KIND, &self.id.to_string()).map(Some)
    }
}

#[ComplexObject]
impl problem::Model {
    /// The letters of the column, such as `AB`.
    async fn column_letters(&self) -> String {
        sheet::letters(u32::try_from(self.place).unwrap_or_default())
    }

    /// What to tell the user, in the language of `Accept-Language`.
    async fn message(&self, context: &Context<'_>) -> String {
        let language = context.data_unchecked::<Arc<Caller>>().language();
        let code = Code::ALL.iter().copied().find(|code| code.name() == self.code);
        let words = code.map(|code| self.words.problem(code).words).unwrap_or_default();
        message::text(language, &self.code, &words)
    }
}

async fn member(context: &Context<'_>, id: Option<crate::kernel::MemberId>) -> Result<Option<Member>> {
    let Some(id) = id else { return Ok(None) };
    let view = context.data_unchecked::<Arc<Caller>>().view(Action::ImportRead).await?;
    view.loader.load_one(MemberById(id)).await.map_err(Error::internal)
}

/// The question for what is wrong in a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct ProblemsOf(ImportId);

impl Loader<ProblemsOf> for Batch {
    type Value = Vec<problem::Model>;
    type Error = String;

    async fn load(&self, keys: &[ProblemsOf]) -> std::result::Result<HashMap<ProblemsOf, Self::Value>, String> {
        let rows = self
            .select::<problem::Entity>()
            .filter(problem::Column::ImportId.is_in(keys.iter().map(|key| key.0)))
            .order_by_asc(problem::Column::Number);
        let mut found: HashMap<_, Vec<problem::Model>> = HashMap::new();
        for row in rows.all().await.map_err(|error| format!("{error:?}"))? {
            found.entry(ProblemsOf(row.import_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// What whoever confirms an import has to know.
const CAUTIONS: [(&str, &str); 6] = [
    (
        "확인한 파일은 다음 날 오전 1시(조직의 시간대)에 한 번에 이관됩니다.",
        "The file is imported in one go at 01:00 of the next day, in the organization's time zone.",
    ),
    (
        "이관이 시작되기 전에는 삭제할 수 있지만, 시작된 뒤에는 삭제할 수 없습니다.",
        "It can be deleted until it begins, and not any more then.",
    ),
    (
        "이관 시점에 서비스가 사용 중이 아니거나 필드가 바뀌었으면 행이 다시 검사되어 실패할 수 있습니다.",
        "Rows are looked at again when they are imported: they can fail where the service or its fields have changed.",
    ),
    (
        "숨긴 행도 이관됩니다. 외부 ID가 이미 있는 행은 건너뜁니다.",
        "Hidden rows are imported too. Rows whose external ID is there already are passed over.",
    ),
    (
        "개인정보 필드의 값은 암호화하여 저장되며, 업로드한 파일은 이관이 끝나면 삭제됩니다.",
        "Values of personal fields are kept encrypted; the file goes when the import is over.",
    ),
    (
        "이관된 티켓에는 알림이 발송되지 않고 사용량에 포함되지 않습니다.",
        "Nobody is notified of imported tickets, and they do not count as usage.",
    ),
];
