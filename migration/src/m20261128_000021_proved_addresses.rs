//! Since when it is known that a member reads what is sent to his address: a link that lay in its mailbox came back.

use crate::dialect::{run, seeing_all};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "ALTER TABLE member ADD COLUMN email_proved_at :time").await?;
        let is_isolated = manager.get_database_backend() == DbBackend::Postgres;
        if is_isolated {
            run(manager, "ALTER TABLE invitation NO FORCE ROW LEVEL SECURITY").await?;
        }
        // Whoever accepted an invitation to the address that he still has. Of other addresses the tables can't tell.
        let prove = "UPDATE member SET email_proved_at = (
                       SELECT MAX(invitation.accepted_at) FROM invitation
                       WHERE invitation.organization_id = member.organization_id AND invitation.member_id = member.id
                         AND invitation.state = 'ACCEPTED' AND lower(invitation.email) = lower(member.email))";
        seeing_all(manager, "member", prove).await?;
        if is_isolated {
            run(manager, "ALTER TABLE invitation FORCE ROW LEVEL SECURITY").await?;
        }
        Ok(())
    }
}
