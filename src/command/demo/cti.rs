//! The demo's telephony: a private switchboard, and two who telephone, who exchanged their numbers half a year ago.

use async_graphql::MaybeUndefined::Value;

use super::people::find;
use crate::{
    cti::{
        line::{self, CtiAgentEntryInput, CtiAgentUpdateManyInput},
        setting::{self, CtiSettingUpdateInput, CtiVersion},
    },
    kernel::{Action, Caller, Plain, Result, Tx},
    organization::{self, Approval},
};

/// Who telephones, with which CTI ID and number.
const AGENTS: [(&str, &str, &str); 2] = [
    ("manager.park", "park.manager", "0701"),
    ("agent.kang", "kang.phone", "0702"),
];

/// How many months ago they exchanged their numbers.
const EXCHANGED: i32 = 6;

/// Approves the switchboard, sets it up and gives everybody who telephones what he logs in with.
///
/// # Errors
/// If the database fails.
pub(super) async fn set_up(owner: &Caller) -> Result<()> {
    let organization = owner.organization_id().ok_or(crate::kernel::Error::Unauthenticated)?;
    let operator = Caller::operator(owner.app().clone(), organization);
    let deed = async |tx: &Tx| organization::approve(tx, Approval::Ipcc, true).await;
    operator.act(Action::OrganizationApprove, &Plain, deed).await?;
    let input = CtiSettingUpdateInput {
        idempotency_key: None,
        dry_run: None,
        expected_version: 0,
        cti_version: Value(CtiVersion::IpccPrivate),
        tenant_id: Value("demo-contact".to_owned()),
        tenant_name: Value("데모 컨택센터".to_owned()),
        representative_ivr_number: Value("1588-0000".to_owned()),
        is_mobile_contact_enabled: None,
        is_cti_log_monitored: Some(true),
        has_bulk_wait_state: Some(true),
        is_outbound_ticket_auto_created: None,
        is_inbound_auto_answered: None,
    };
    let deed = async |tx: &Tx| setting::update(tx, &input).await;
    owner.act(Action::CtiSettingUpdate, &input, deed).await?;
    give(owner, AGENTS.map(|(login, id, number)| (login, id, number, 0))).await
}

/// What happened to the telephony so many months before now.
///
/// # Errors
/// If the database fails.
pub(super) async fn live(owner: &Caller, months_ago: i32) -> Result<()> {
    if months_ago != EXCHANGED {
        return Ok(());
    }
    let [park, kang] = AGENTS;
    give(owner, [(park.0, park.1, kang.2, 1), (kang.0, kang.1, park.2, 1)]).await
}

async fn give(owner: &Caller, agents: [(&str, &str, &str, i32); 2]) -> Result<()> {
    let mut entries = Vec::new();
    for (login, id, number, expected_version) in agents {
        entries.push(CtiAgentEntryInput {
            member_id: find(owner, login).await?.id.to_string().into(),
            expected_version,
            cti_id: Value(id.to_owned()),
            cti_number: Value(number.to_owned()),
        });
    }
    let input = CtiAgentUpdateManyInput {
        idempotency_key: None,
        dry_run: None,
        entries,
    };
    let deed = async |tx: &Tx| line::update_many(tx, &input).await;
    owner.act(Action::CtiAgentUpdateMany, &input, deed).await.map(drop)
}
