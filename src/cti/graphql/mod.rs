//! What the API says of CTI, and its verbs.

mod setting;

use std::sync::Arc;

use async_graphql::{Context, Enum, Object};

use super::setting::{self as settings, CtiSetting, CtiSettingUpdateInput};
use crate::{
    kernel::{
        Action, Caller, Error, Result,
        payload::{payload, settle, user_errors},
    },
    member::{Member, search::ById as MemberById},
};

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

/// CTI, to look at.
#[derive(Debug, Default)]
pub struct CtiQuery;

#[Object]
impl CtiQuery {
    /// CTI 설정: which telephony the organization is connected to, and what it does with calls; null where no service has the telephone in its contract. Needs `CTI_READ`.
    async fn cti_setting(&self, context: &Context<'_>) -> Result<Option<CtiSetting>> {
        setting::shown(context.data_unchecked::<Arc<Caller>>()).await
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
}
