//! What the API says of CTI, and its verbs.

mod agent;
mod holding;
mod import;
mod login;
mod setting;

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};

use super::{
    line::{self, CtiAgentUpdateManyInput},
    setting::{self as settings, CtiSetting, CtiSettingUpdateInput},
};
use crate::{
    kernel::{
        Action, Caller, DownloadLink, Error, PageRequest, Result, download,
        payload::{payload, settle, user_errors},
    },
    member::{Member, search::ById as MemberById},
};

pub use agent::{CtiAgent, CtiAgentConnection, CtiAgentEdge, CtiAgentFilter};
pub use holding::{CtiHoldingConnection, CtiHoldingEdge, CtiHoldingFilter};
pub use import::{CtiAgentImportInput, CtiAgentImportOutcome, CtiAgentImportRow};
pub use login::CtiLoginCheck;
pub use setting::CtiSettingObstacle;

user_errors! { CtiUserError, CtiErrorCode, "anything of CTI", {
    /// A value is needed.
    Blank,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// There are too many of them.
    TooMany,
    /// It is in the list twice.
    Duplicate,
    /// The file is too large.
    FileTooLarge,
    /// The file is no workbook in the form of `.xlsx`, or has macros or a password.
    FileNotWorkbook,
    /// The file is damaged.
    FileDamaged,
    /// The workbook has no sheet of the name that the message tells.
    SheetNotFound,
    /// The sheet has no column of the name that the message tells.
    ColumnNotFound,
    /// The sheet has the column twice that the message tells.
    ColumnTwice,
    /// The cell is no text: of a number, zeros in front may be gone.
    CellNotText,
    /// The cell is a formula.
    CellFormula,
    /// No service has the telephone in its contract.
    CtiNotContracted,
    /// The operator has not agreed to this version, or not enabled it.
    CtiVersionNotApproved,
    /// The version needs a value that is not there.
    CtiFieldRequired,
    /// Another agent has this CTI ID: `holder`.
    CtiIdTaken,
    /// Another agent has this CTI number: `holder`.
    CtiNoTaken,
    /// A CTI ID and a CTI number are given together, or neither.
    CtiPairRequired,
    /// The member has the phone right in no service.
    AgentHasNoPhoneRight,
}, {
    /// Who has it, where it is an agent's of the organization already; null otherwise.
    async fn holder(&self, context: &Context<'_>) -> Result<Option<Member>> {
        let Some(holder) = self.problem.holder else {
            return Ok(None);
        };
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::CtiRead).await?;
        view.loader.load_one(MemberById(holder)).await.map_err(Error::internal)
    }
} }

/// What to know of a change that was made. More may be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum CtiSettingWarning {
    /// Agents keep the CTI IDs and numbers that they have, which may be none in the version that was chosen.
    NumbersOfOtherVersion,
}

payload! { CtiSettingUpdatePayload, "ctiSettingUpdate", CtiUserError, {
    /// The setting as it is now, also where it was not changed; null where there is no CTI.
    setting: CtiSetting,
}, {
    /// What to know of the change, at most 10.
    warnings: CtiSettingWarning,
} }

payload! { CtiAgentUpdateManyPayload, "ctiAgentUpdateMany", CtiUserError, {}, {
    /// The agents as they are now, in the order of the entries, at most 100; empty where there are user errors.
    agents: CtiAgent,
} }

payload! { CtiAgentImportPayload, "ctiAgentImport", CtiUserError, {}, {
    /// What came of each row, at most 10,000, in the order of the sheet; empty where the file can't be read.
    rows: CtiAgentImportRow,
} }

/// CTI, to look at.
#[derive(Debug, Default)]
pub struct CtiQuery;

#[Object]
impl CtiQuery {
    /// CTI 설정: which telephony the organization is connected to, and what it does with calls; null where no service has the telephone in its contract. Needs `CTI_READ`.
    async fn cti_setting(&self, context: &Context<'_>) -> Result<Option<CtiSetting>> {
        setting::shown(context.data_unchecked::<Arc<Caller>>()).await
    }

    /// CTI 상담원 관리: the members who have the phone right in a service, by name; null where no service has the telephone in its contract. Needs `CTI_READ`.
    async fn cti_agents(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which agents.")] filter: Option<CtiAgentFilter>,
    ) -> Result<Option<CtiAgentConnection>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        agent::list(context, request, &filter.unwrap_or_default()).await
    }

    /// Who held which CTI ID and number when, the last to begin first; with `at`, who held it then. It stays to be read where there is no CTI any more. Needs `CTI_READ`.
    async fn cti_holdings(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which times.")] filter: Option<CtiHoldingFilter>,
    ) -> Result<Option<CtiHoldingConnection>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let filter = filter.unwrap_or_default();
        holding::list(context, request, &filter).await.map(Some)
    }

    /// CTI 로그인 확인: whether an agent can log in to the telephony from the phone widget, and everything that he lacks for it; null where there is no such member. Needs `VIEWER_READ`, and `CTI_READ` for another member than oneself.
    async fn cti_login_check(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The member's ID; oneself where absent.")] member_id: Option<ID>,
    ) -> Result<Option<CtiLoginCheck>> {
        login::check(context, member_id.as_ref()).await
    }

    /// 일괄 등록 양식: a workbook with every CTI agent and his present CTI ID and number, to be filled in and given to `ctiAgentImport`; null where no service has the telephone in its contract. Fetching it stands in the log. Needs `CTI_READ`.
    async fn cti_agent_sheet(&self, context: &Context<'_>) -> Result<Option<DownloadLink>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::CtiRead).await?;
        if super::contracted(&view).await?.is_somewhere() {
            download::link(caller, line::sheet::KIND, "").map(Some)
        } else {
            Ok(None)
        }
    }
}

/// CTI, to change.
#[derive(Debug, Default)]
pub struct CtiMutation;

#[Object]
impl CtiMutation {
    /// CTI 설정 저장: changes the CTI setting. Absent fields stay as they are, null clears. Needs `CTI_SETTING_UPDATE`.
    async fn cti_setting_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: CtiSettingUpdateInput,
    ) -> Result<CtiSettingUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| settings::update(tx, &input).await;
        let (done, problems) = settle(caller.act(Action::CtiSettingUpdate, &input, deed).await)?;
        let warnings = match &done {
            Some(saved) if saved.leaves_numbers => vec![CtiSettingWarning::NumbersOfOtherVersion],
            _ => Vec::new(),
        };
        let setting = match done {
            Some(saved) => Some(saved.setting),
            None => setting::shown(caller).await?,
        };
        Ok(CtiSettingUpdatePayload {
            setting,
            warnings,
            user_errors: CtiUserError::all(problems)?,
        })
    }

    /// CTI 상담원 저장: gives CTI IDs and numbers to many agents or takes them back, all of it or nothing; agents can take over from each other. Needs `CTI_AGENT_UPDATE_MANY`.
    async fn cti_agent_update_many(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The agents.")] input: CtiAgentUpdateManyInput,
    ) -> Result<CtiAgentUpdateManyPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| line::update_many(tx, &input).await;
        let (done, problems) = settle(caller.act(Action::CtiAgentUpdateMany, &input, deed).await)?;
        let agents = match done {
            Some(given) => agent::of_members(caller, &given.0).await?,
            None => Vec::new(),
        };
        Ok(CtiAgentUpdateManyPayload {
            agents,
            user_errors: CtiUserError::all(problems)?,
        })
    }

    /// CTI 상담원 일괄 등록: gives CTI IDs and numbers to agents by a workbook, all of it or nothing; `dryRun` tells beforehand what would come of each row. Needs `CTI_AGENT_IMPORT`.
    async fn cti_agent_import(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "The workbook. `userErrors` tells the first 100 problems, with `[\"input\", \"file\", N, …]` for row N of the sheet; `rows` tells them all."
        )]
        input: CtiAgentImportInput,
    ) -> Result<CtiAgentImportPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (rows, user_errors) = import::import(caller, &input).await?;
        Ok(CtiAgentImportPayload { rows, user_errors })
    }
}
