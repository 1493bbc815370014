//! The CTI log: which telephones left one on which day, their events, and until which day the log is gone.

use crate::dialect::{append_only, isolate, journal, run};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        tables(manager).await?;
        // The table of purges first: the triggers of the others look into it.
        append_only(manager, "cti_log_purge", &["organization_id", "keeps_from"]).await?;
        for (table, key) in [
            ("cti_log_day", ["organization_id", "day", "member_id"]),
            ("cti_event", ["organization_id", "member_id", "external_id"]),
        ] {
            journal(manager, table, &key, "cti_log_purge").await?;
        }
        isolate(
            manager,
            &["cti_log_purge", "cti_log_day", "cti_event"],
            "organization_id",
        )
        .await
    }
}

/// Day and offset of an event are those of the organization's zone when the event came: a zone that changes later moves
/// no event to another day. `cti_event_day` has a member's day, and an organization's, in one piece each.
async fn tables(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE cti_log_purge (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           keeps_from :date NOT NULL,
           purged_at :time NOT NULL,
           PRIMARY KEY (organization_id, keeps_from)
         ) :end;
         CREATE TABLE cti_log_day (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           day :date NOT NULL,
           member_id :uuid NOT NULL,
           opened_at :time NOT NULL,
           PRIMARY KEY (organization_id, day, member_id),
           FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id)
         ) :end;
         CREATE INDEX cti_log_day_member ON cti_log_day (organization_id, member_id, day);
         CREATE TABLE cti_event (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           member_id :uuid NOT NULL,
           external_id text NOT NULL,
           day :date NOT NULL,
           occurred_at :time NOT NULL,
           utc_offset :int NOT NULL,
           kind text NOT NULL CHECK (kind IN ('LOGGED_IN', 'LOGGED_OUT', 'STATE_CHANGED', 'CALL_RANG', 'CALL_DIALED',
             'CALL_CONNECTED', 'CALL_HELD', 'CALL_RESUMED', 'CALL_TRANSFERRED', 'CALL_ENDED', 'CALL_MISSED', 'FAILED')),
           state text CHECK (state IN ('IDLE', 'WAITING', 'WORK_TRAINING', 'WORK_REPORTING', 'WORK_MEETING', 'WORK_TICKET',
             'WORK_CHAT', 'WORK_COACHING', 'RESTING', 'IN_CALL', 'ON_HOLD', 'DIALING', 'IN_TRANSFERRED_CALL')),
           call_reference text,
           customer_number text,
           result_code text,
           recorded_at :time NOT NULL,
           PRIMARY KEY (organization_id, member_id, external_id),
           FOREIGN KEY (organization_id, day, member_id) REFERENCES cti_log_day (organization_id, day, member_id),
           CHECK ((kind = 'STATE_CHANGED') = (state IS NOT NULL))
         ) :end;
         CREATE INDEX cti_event_day ON cti_event (organization_id, day, member_id, occurred_at, external_id);",
    )
    .await
}
