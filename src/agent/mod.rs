//! 상담원: the members who work in a service, as its managers (관리자) or its agents.

mod entity;

use crate::kernel::{MemberId, Result, ServiceId, Tx};

pub use entity::{Column, Entity, Model, Role};

/// Puts a member into a service.
///
/// # Errors
/// If the database refuses it.
pub async fn add(tx: &Tx, service_id: ServiceId, member_id: MemberId, role: Role) -> Result<Model> {
    let row = Model {
        organization_id: tx.organization_id(),
        service_id,
        member_id,
        role,
        added_at: tx.now(),
    };
    tx.create::<Entity>(row).await
}
