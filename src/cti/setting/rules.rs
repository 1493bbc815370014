//! `ctiSettingUpdate`: the one verb of the CTI setting.

use async_graphql::{InputObject, MaybeUndefined};
use serde::Serialize;

use super::{
    check,
    entity::{CtiVersion, Entity, Model},
};
use crate::{
    cti::{contracted, line},
    kernel::{Code, Error, Outcome, Problem, Result, Tx, payload::asks},
    organization,
};

/// Changes to the CTI setting. Absent fields stay as they are; null clears.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct CtiSettingUpdateInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read; 0 where nothing was set yet.
    pub expected_version: i32,
    /// CTI 버전: the telephony. What it needs must be there with it; the numbers of agents stay when it changes.
    pub cti_version: MaybeUndefined<CtiVersion>,
    /// 테넌트 ID: at most 40 letters A-Z and a-z, digits, hyphens and underscores, as whoever runs the telephony gave it.
    pub tenant_id: MaybeUndefined<String>,
    /// 테넌트 명칭: at most 50 characters.
    pub tenant_name: MaybeUndefined<String>,
    /// 대표 IVR 서비스 번호: 8 to 13 digits, hyphens between them if one likes; with Mobile Contact it begins with 070.
    pub representative_ivr_number: MaybeUndefined<String>,
    /// 모바일 컨택 활성화: whether agents can take and make calls in the application for phones and PCs, once the operator has enabled Mobile Contact.
    pub is_mobile_contact_enabled: Option<bool>,
    /// CTI Log 모니터링: whether what happens to each call is logged, a file a day.
    pub is_cti_log_monitored: Option<bool>,
    /// 대기 상태 일괄 설정: whether every agent goes to work (ticket handling) after a call; otherwise a notice asks him for his state.
    pub has_bulk_wait_state: Option<bool>,
    /// 아웃바운드 티켓 자동 생성: whether every outgoing call becomes a ticket; otherwise only those in which the customer was reached.
    pub is_outbound_ticket_auto_created: Option<bool>,
    /// 인바운드 전화 자동 수신: whether an incoming call is answered by itself within 10 seconds of the first ring, transfers excepted; otherwise by the button.
    pub is_inbound_auto_answered: Option<bool>,
}

asks!(CtiSettingUpdateInput);

/// The setting after a change.
#[derive(Debug)]
pub struct Saved {
    /// As it is now.
    pub setting: Model,
    /// Whether another version was chosen while agents hold CTI IDs and numbers, which may be none there.
    pub leaves_numbers: bool,
}

impl Outcome for Saved {
    type Receipt = bool;

    fn receipt(&self) -> bool {
        self.leaves_numbers
    }

    async fn again(tx: &Tx, receipt: bool) -> Result<Self> {
        Ok(Self {
            setting: super::read(tx).await?,
            leaves_numbers: receipt,
        })
    }
}

/// `ctiSettingUpdate`.
///
/// # Errors
/// `CTI_NOT_CONTRACTED` where no service has the telephone in its contract; `STALE_VERSION`; as the input says, all at
/// once; `CTI_VERSION_NOT_APPROVED` for what the operator has not agreed to, `CTI_FIELD_REQUIRED` for what the version
/// needs.
pub async fn update(tx: &Tx, input: &CtiSettingUpdateInput) -> Result<Saved> {
    if !contracted(tx).await?.is_somewhere() {
        return Err(Problem::of(Code::CtiNotContracted).into());
    }
    let before = super::read(tx).await?;
    if before.version != input.expected_version {
        return Err(Problem::at("input.expectedVersion", Code::StaleVersion).into());
    }
    let (after, mut problems) = changed(&before, input);
    if problems.is_empty() {
        problems.extend(check::problems(&before, &after, &organization::own(tx).await?));
    }
    Error::unless_none(problems)?;
    let changes_version = before.cti_version.is_some() && before.cti_version != after.cti_version;
    let leaves_numbers = changes_version && line::is_any_held(tx).await?;
    let setting = if before == after {
        before
    } else if before.version == 0 {
        tx.create::<Entity>(Model { version: 1, ..after }).await?
    } else {
        tx.update::<Entity>(before, |row| *row = after).await?
    };
    Ok(Saved {
        setting,
        leaves_numbers,
    })
}

/// The setting with what is asked for, and what is wrong with the values by themselves.
fn changed(before: &Model, input: &CtiSettingUpdateInput) -> (Model, Vec<Problem>) {
    type Check = fn(&str) -> Result<String, Problem>;
    let mut after = before.clone();
    let mut problems = Vec::new();
    let texts: [(&mut Option<String>, &MaybeUndefined<String>, Check); 3] = [
        (&mut after.tenant_id, &input.tenant_id, check::tenant_id),
        (&mut after.tenant_name, &input.tenant_name, check::tenant_name),
        (
            &mut after.representative_ivr_number,
            &input.representative_ivr_number,
            check::ivr_number,
        ),
    ];
    for (value, asked, check) in texts {
        match asked {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => *value = None,
            MaybeUndefined::Value(text) => match check(text) {
                Ok(text) => *value = Some(text).filter(|text| !text.is_empty()),
                Err(problem) => problems.push(problem),
            },
        }
    }
    if let Some(version) = input.cti_version.as_opt_ref() {
        after.cti_version = version.copied();
    }
    for (value, asked) in [
        (&mut after.is_mobile_contact_enabled, input.is_mobile_contact_enabled),
        (&mut after.is_cti_log_monitored, input.is_cti_log_monitored),
        (&mut after.has_bulk_wait_state, input.has_bulk_wait_state),
        (
            &mut after.is_outbound_ticket_auto_created,
            input.is_outbound_ticket_auto_created,
        ),
        (&mut after.is_inbound_auto_answered, input.is_inbound_auto_answered),
    ] {
        *value = asked.unwrap_or(*value);
    }
    (after, problems)
}
