//! What the API says of extractions.

mod list;
mod log;
mod one;

use std::sync::Arc;

use async_graphql::{Context, ID, InputType, Object, OneofObject, SimpleObject};

use super::{
    demand::Demand,
    entity::{Column, Entity, Model, State},
    rules::{self, Requested},
    run,
};
use crate::{
    agent::graphql::AgentFilter,
    audit::{graphql::AuditEntryFilter, permission::PermissionChangeFilter},
    billing::graphql::ChargeFilter,
    cti::log::CtiEventExtraction,
    kernel::{
        Action, Caller, Code, Error, PageRequest, Problem, Result,
        extract::{Asking, SourceName},
        payload::{payload, settle, user_errors},
    },
    member::MemberExtraction,
    pii::graphql::PiiGrantChangeFilter,
    ticket::graphql::TicketExtraction,
};

pub use super::log::ExtractionStepFilter;
pub use list::{ExtractionConnection, ExtractionEdge};
pub use log::{ExtractionLogQuery, ExtractionStepConnection, ExtractionStepEdge};
pub use one::ExtractionFailure;

user_errors! { ExtractionUserError, ExtractionErrorCode, "an extraction", {
    /// A value is needed.
    Blank,
    /// A value is too short.
    TooShort,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// There are too many of them.
    TooMany,
    /// It is in the list twice.
    Duplicate,
    /// As many of the caller's extractions are being made as is possible.
    LimitReached,
    /// The list has no such column.
    ColumnNotOfList,
    /// A reason is needed where personal data are in clear.
    ReasonRequired,
    /// The caller may not extract these personal data in clear, from where he asks.
    UnmaskNotPermitted,
    /// The list has more rows than can be extracted at once.
    ExtractionTooLarge,
    /// The span is wider than can be extracted at once.
    ExtractionSpanTooWide,
} }

payload! { ExtractionRequestPayload, "extractionRequest", ExtractionUserError, {
    /// The extraction, whose file is made from now on; null where there are user errors.
    extraction: Model,
} }

/// Which list leaves as a file, narrowed as its query is: exactly one.
#[derive(OneofObject)]
pub enum ExtractionList {
    /// 티켓: of a service that one works in, as its manager, with the ticket right, or as owner or administrator. Spans 31 days at most, unless the installation has it otherwise.
    Tickets(TicketExtraction),
    /// 요금 현황: the lines of charges, of 24 months at most.
    Charges(ChargeFilter),
    /// 구성원: the members of the organization.
    Members(MemberExtraction),
    /// 상담원: agents; a manager's, those of his own services.
    Agents(AgentFilter),
    /// 권한 변경 로그: spans 12 months at most.
    PermissionChanges(PermissionChangeFilter),
    /// 데이터 추출 로그: spans 12 months at most.
    ExtractionSteps(ExtractionStepFilter),
    /// 개인정보 취급 권한 로그: spans 12 months at most.
    PiiGrantChanges(PiiGrantChangeFilter),
    /// The audit log: spans 12 months at most.
    AuditEntries(AuditEntryFilter),
    /// CTI 로그: spans 31 days at most, unless the installation has it otherwise.
    CtiEvents(CtiEventExtraction),
}

impl ExtractionList {
    /// Which list, and how it is narrowed, as it is kept.
    ///
    /// # Errors
    /// Only if a value can't be written as JSON.
    pub(super) fn asked(&self) -> Result<(SourceName, serde_json::Value)> {
        let (name, value) = match self {
            Self::Tickets(input) => (SourceName::Tickets, input.to_value()),
            Self::Charges(input) => (SourceName::Charges, input.to_value()),
            Self::Members(input) => (SourceName::Members, input.to_value()),
            Self::Agents(input) => (SourceName::Agents, input.to_value()),
            Self::PermissionChanges(input) => (SourceName::PermissionChanges, input.to_value()),
            Self::ExtractionSteps(input) => (SourceName::ExtractionSteps, input.to_value()),
            Self::PiiGrantChanges(input) => (SourceName::PiiGrantChanges, input.to_value()),
            Self::AuditEntries(input) => (SourceName::AuditEntries, input.to_value()),
            Self::CtiEvents(input) => (SourceName::CtiEvents, input.to_value()),
        };
        Ok((name, value.into_json()?))
    }
}

/// A column that a file can have.
#[derive(Debug, SimpleObject)]
pub struct ExtractionColumn {
    /// Its code, for `extractionRequest`.
    pub code: String,
    /// What stands at its head, in the language of `Accept-Language`.
    pub title: String,
    /// 개인정보: whether what stands in it is personal data, masked but with a grant.
    pub is_personal: bool,
}

/// Extractions, to look at.
#[derive(Debug, Default)]
pub struct ExtractionQuery;

#[Object]
impl ExtractionQuery {
    /// 데이터 추출: one's own extractions, the latest first. Needs `EXTRACTION_READ`.
    async fn extractions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those in any of these states, at most 10.")] state: Option<Vec<State>>,
    ) -> Result<Option<ExtractionConnection>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        list::page(context, &request, state).await
    }

    /// One of one's own extractions; null where there is none. Ask again to see how far it is. Needs `EXTRACTION_READ`.
    async fn extraction(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The extraction's ID.")] id: ID,
    ) -> Result<Option<Model>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        caller.view(Action::ExtractionRead).await?;
        Ok(find(caller, &[&id]).await?.pop())
    }

    /// The columns that a list's file can have, at most 200. Needs `EXTRACTION_READ`, and what the list's query needs.
    async fn extraction_columns(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which list.")] list: ExtractionList,
    ) -> Result<Vec<ExtractionColumn>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        caller.view(Action::ExtractionRead).await?;
        let (name, filter) = list.asked()?;
        let source = run::source(caller.app(), name)?;
        let view = caller.view(source.action).await?;
        let asking = Asking {
            caller,
            view: &view,
            filter: &filter,
            at: caller.now(),
            token: None,
        };
        let (checked, _) = settle((source.check)(&asking).await)?;
        let heads = checked.map(|checked| checked.heads).unwrap_or_default();
        let column = |head: crate::kernel::extract::Head| ExtractionColumn {
            code: head.code,
            title: head.title,
            is_personal: head.is_personal,
        };
        Ok(heads.into_iter().map(column).collect())
    }
}

/// One's own extractions of these IDs.
pub(crate) async fn find(caller: &Caller, ids: &[&str]) -> Result<Vec<Model>> {
    let Some(view) = caller.view_if_allowed(Action::ExtractionRead).await? else {
        return Ok(Vec::new());
    };
    let own = caller.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    let found = view.seek_many::<Entity>(ids).await?;
    Ok(found.into_iter().filter(|row| row.requested_by == own).collect())
}

/// Extractions, to ask for.
#[derive(Debug, Default)]
pub struct ExtractionMutation;

#[Object]
impl ExtractionMutation {
    /// 데이터 추출: has a list leave as a file, which is made by and by: ask for the extraction until its state is `READY`. Personal data are masked, but with a grant for them. Needs `EXTRACTION_REQUEST`, and what the list's query needs.
    async fn extraction_request(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which list, and how.")] input: Demand,
    ) -> Result<ExtractionRequestPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (done, mut problems) = settle(rules::request(caller, &input).await)?;
        let extraction = match done {
            Some(Requested::Taken(extraction)) => Some(*extraction),
            Some(Requested::Refused(_)) => {
                problems.push(Problem::at("input.isUnmasked", Code::UnmaskNotPermitted));
                None
            }
            None => None,
        };
        Ok(ExtractionRequestPayload {
            extraction,
            user_errors: ExtractionUserError::all(problems)?,
        })
    }
}

/// The columns of the order of extractions.
const ORDER: [Column; 2] = [Column::RequestedAt, Column::Id];
