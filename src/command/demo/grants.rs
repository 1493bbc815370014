//! Who may see personal data in clear in the demo: a manager from the office, and an agent whose grant was taken back.

use super::{
    LOGIN,
    people::{find, signed_in},
};
use crate::{
    kernel::{Action, App, Caller, OrganizationId, Result},
    pii::{self, PiiGrantCreateInput, PiiGrantRevokeInput},
    service::Service,
};

/// Login ID, network, purpose.
const GRANTED: [(&str, &str, &str); 2] = [
    ("manager.park", "127.0.0.1", "배송지 정정과 환불 계좌 확인"),
    ("agent.kang", "203.0.113.0/24", "야간 콜백 번호 확인"),
];

/// Gives the grants, for the first service, and takes the last one back.
///
/// # Errors
/// If the database fails.
pub(super) async fn give(app: &App, organization: OrganizationId, services: &[Service]) -> Result<()> {
    let operator = Caller::operator(app.clone(), organization);
    let owner = signed_in(app, organization, LOGIN).await?;
    let mut last = None;
    for (login, network, purpose) in GRANTED {
        let member = find(&operator, login).await?;
        let first = services.iter().take(1).map(|service| service.id.to_string().into());
        let input = PiiGrantCreateInput {
            idempotency_key: None,
            dry_run: None,
            member_id: member.id.to_string().into(),
            email: member.email,
            networks: vec![network.to_owned()],
            service_ids: Some(first.collect()),
            is_for_all_services: None,
            purpose: purpose.to_owned(),
            valid_until: None,
        };
        let deed = async |tx: &_| pii::create(tx, &input).await;
        last = Some(owner.act(Action::PiiGrantCreate, &input, deed).await?);
    }
    let Some(grant) = last else { return Ok(()) };
    let input = PiiGrantRevokeInput {
        idempotency_key: None,
        dry_run: None,
        expected_version: grant.version,
        reason: Some("담당 업무 변경".to_owned()),
    };
    let id = grant.id.to_string();
    let deed = async |tx: &_| pii::revoke(tx, &id, &input).await;
    owner.act(Action::PiiGrantRevoke, &input, deed).await.map(drop)
}
