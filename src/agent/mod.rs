//! 상담원: the members who work in a service, as its managers (관리자) or its agents.

mod entity;

use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::kernel::{MemberId, Result, ServiceId, Tx};

pub use entity::{Column, Entity, Model, Role};

/// Puts a member into a service, with the rights that his role has of itself.
///
/// # Errors
/// If the database refuses it.
pub async fn add(tx: &Tx, service_id: ServiceId, member_id: MemberId, role: Role) -> Result<Model> {
    let is_manager = role == Role::Manager;
    let row = Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        service_id,
        member_id,
        role,
        handles_tickets: true,
        handles_chats: false,
        handles_calls: false,
        assigns_callbacks: is_manager,
        forwards_tickets: false,
        views_access_logs: is_manager,
        receives_tickets: true,
        receives_chats: false,
        controls_assignment: false,
        added_at: tx.now(),
        version: 1,
    };
    tx.create::<Entity>(row).await
}

/// Takes a member who leaves out of every service, with all his rights there.
pub fn depart(tx: &Tx, member: MemberId) -> BoxFuture<'_, Result<()>> {
    async move {
        for place in tx.select::<Entity>().filter(Column::MemberId.eq(member)).all().await? {
            tx.delete::<Entity>(place).await?;
        }
        Ok(())
    }
    .boxed()
}
