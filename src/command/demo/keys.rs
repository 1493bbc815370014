//! The demo's organization key: that of a system which reads services and records usage.

use super::{LOGIN, people::signed_in};
use crate::{
    kernel::{Action, App, OrganizationId, Result},
    organization::{OrganizationKeyCreateInput, create_key, key::Scope},
};

/// Makes the key. What it is shows itself to nobody: whoever tries keys out makes one.
///
/// # Errors
/// If the database fails.
pub(super) async fn make(app: &App, organization: OrganizationId) -> Result<()> {
    let owner = signed_in(app, organization, LOGIN).await?;
    let input = OrganizationKeyCreateInput {
        idempotency_key: None,
        dry_run: None,
        name: "주문 시스템".to_owned(),
        scopes: vec![Scope::ServiceRead, Scope::UsageRecord],
        allowed_addresses: None,
        expires_at: None,
    };
    let deed = async |tx: &_| create_key(tx, &input).await;
    owner.act(Action::OrganizationKeyCreate, &input, deed).await.map(drop)
}
