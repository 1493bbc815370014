//! What webhooks are told of: the deeds of some kinds that the audit log has, each with IDs and nothing else.

use futures_util::future::BoxFuture;
use sea_orm::{ActiveEnum as _, ColumnTrait, QueryFilter};
use serde_json::json;

use super::{
    delivery,
    hook::{Column, Entity},
};
use crate::kernel::{Action, Announced, Result, ServiceId, Tx};

/// The kinds of events that there are. Their names are those of the audit log's actions.
pub const EVENTS: [Action; 37] = [
    Action::OrganizationUpdate,
    Action::OrganizationApprove,
    Action::OrganizationKeyCreate,
    Action::OrganizationKeyUpdate,
    Action::OrganizationKeyRotate,
    Action::OrganizationKeyRevoke,
    Action::MemberCreate,
    Action::MemberInvite,
    Action::MemberInviteMany,
    Action::InvitationAccept,
    Action::InvitationRevoke,
    Action::MemberUpdate,
    Action::MemberRemove,
    Action::MemberLeave,
    Action::OwnershipTransfer,
    Action::AdminAdd,
    Action::AdminRemove,
    Action::AgentAdd,
    Action::AgentUpdate,
    Action::AgentUpdateMany,
    Action::AgentRemove,
    Action::ServiceCreate,
    Action::ServiceUpdate,
    Action::ServiceSuspend,
    Action::ServiceResume,
    Action::ServiceTerminate,
    Action::ContractDraft,
    Action::ContractSign,
    Action::ContractUpdate,
    Action::ContractDiscount,
    Action::UsageRecord,
    Action::MonthClose,
    Action::CompanyCreate,
    Action::CompanyUpdate,
    Action::CompanyRemove,
    Action::CompanyPublish,
    Action::CtiSettingUpdate,
];

/// Puts a message for each webhook that wants to know of a deed, into the deed's own transaction.
///
/// # Errors
/// Only if the database fails.
pub fn announce<'t>(tx: &'t Tx, deed: &'t Announced) -> BoxFuture<'t, Result<()>> {
    Box::pin(async move {
        if !EVENTS.contains(&tx.action()) {
            return Ok(());
        }
        let hooks = tx.select::<Entity>().filter(Column::IsActive.eq(true));
        let hooks = hooks
            .filter(Column::VerifiedAt.is_not_null())
            .filter(Column::RemovedAt.is_null());
        let kind = tx.action().name();
        for hook in hooks
            .all()
            .await?
            .iter()
            .filter(|hook| hook.kinds.0.iter().any(|known| known == kind))
        {
            delivery::put(tx, hook, kind, body(tx, deed)).await?;
        }
        Ok(())
    })
}

/// The message of a deed. It has no names, addresses or values: those are asked for, by whoever may see them.
fn body(tx: &Tx, deed: &Announced) -> String {
    let told = json!({
        "id": deed.entry.to_string(),
        "kind": tx.action().name(),
        "occurredAt": tx.now().to_text(),
        "organizationId": tx.organization_id().to_string(),
        "targetId": deed.target,
        "serviceId": deed.service.map(|id| ServiceId(id).to_string()),
        "actor": { "kind": tx.actor().kind().to_value(), "id": tx.actor().id() },
    });
    told.to_string()
}

/// The message of a test: whoever wants the messages sends the challenge back.
pub(super) fn test_body(tx: &Tx, id: &str, challenge: &str) -> String {
    let told = json!({
        "id": id,
        "kind": TEST,
        "occurredAt": tx.now().to_text(),
        "organizationId": tx.organization_id().to_string(),
        "challenge": challenge,
    });
    told.to_string()
}

/// The kind of a test's message.
pub const TEST: &str = "WEBHOOK_TEST";
