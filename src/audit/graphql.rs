//! What the API says of the audit log.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{anchor, verify};
use crate::{
    kernel::{
        Action, AuditLog, Caller, Error, PageRequest, Result, ServiceId,
        audit::{Cause, Column, Entity, Model, Outcome},
        page::{self, Cursors, Part, connection},
    },
    service::graphql::DateTimeRange,
};

connection! { at hand AuditEntryConnection, AuditEntryEdge, Model, "entry", "entries of the audit log" }

/// Which entries; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct AuditEntryFilter {
    /// In any of these logs, at most 10.
    pub log: Option<Vec<AuditLog>>,
    /// Any of these actions, at most 50.
    pub action: Option<Vec<Action>>,
    /// Ended in any of these ways, at most 10.
    pub outcome: Option<Vec<Outcome>>,
    /// By this member.
    #[graphql(name = "actorId")]
    pub actor: Option<async_graphql::ID>,
    /// To this thing.
    #[graphql(name = "targetId")]
    pub target: Option<async_graphql::ID>,
    /// About this service.
    #[graphql(name = "serviceId")]
    pub service: Option<async_graphql::ID>,
    /// From this address, at most 50 characters.
    pub address: Option<String>,
    /// In this span.
    pub occurred_at: Option<DateTimeRange>,
}

/// What was found of one of the audit logs.
#[derive(Debug, SimpleObject)]
pub struct AuditVerification {
    /// Which log.
    pub log: AuditLog,
    /// How many entries are there and whole, from the first.
    pub verified_count: i64,
    /// How many before them were removed at the end of their time, under a seal that is whole.
    pub removed_count: i64,
    /// The hash of the last whole entry, in hexadecimal; empty where there is none. Kept elsewhere, it shows that nothing was cut off.
    pub head: String,
    /// The place of the first entry that is not what was written, its permission changes included; null where all are whole.
    pub broken_position: Option<i64>,
    /// What is wrong there; null where all are whole.
    pub broken_cause: Option<Cause>,
    /// The place of the last entry that is anchored outside the database; null where none is.
    pub anchored_position: Option<i64>,
    /// Whether what is kept outside the database is whole itself, and nothing of it is of the future.
    pub is_anchor_whole: bool,
}

/// The audit log, to look at.
#[derive(Debug, Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The audit log, newest first. Needs `AUDIT_READ`.
    async fn audit_entries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which entries.")] filter: Option<AuditEntryFilter>,
    ) -> Result<Option<AuditEntryConnection>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::AuditRead).await?;
        let filter = filter.unwrap_or_default();
        let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "audit entries");
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let select = || narrowed(view.select::<Entity>(), &filter);
        let place = |row: &Model| [Part::Instant(row.occurred_at), Part::Id(row.id.0)];
        let columns = [Column::OccurredAt, Column::Id];
        let page = page::read_log(
            context,
            Action::AuditRead,
            vec![select()?],
            columns,
            &request,
            &cursors,
            place,
        )
        .await?;
        let total = if context.look_ahead().field("totalCount").exists() {
            select()?.count().await?
        } else {
            0
        };
        Ok(Some(AuditEntryConnection::of(page, total)))
    }

    /// Verifies the chains of the audit logs, at most 10, from their beginning, against their ends as they are kept outside the database; one verification of each organization at a time and two in all on each server, else THROTTLED. Costs 2000 points. Needs `AUDIT_READ`.
    async fn audit_verification(&self, context: &Context<'_>) -> Result<Vec<AuditVerification>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let organization = caller.view(Action::AuditRead).await?.organization_id();
        let _walk = caller.app().verification.begin(organization).ok_or(Error::Busy(5))?;
        let anchor = anchor::read(caller.app()).await?;
        // The logs as they are from here on: none ends before what the anchor knows.
        caller.release().await;
        let one = |report: verify::Report| AuditVerification {
            log: report.log,
            verified_count: report.verified,
            removed_count: report.removed,
            head: report.head,
            broken_position: report.broken.as_ref().map(|broken| broken.sequence),
            broken_cause: report.broken.map(|broken| broken.cause),
            anchored_position: report.anchored,
            is_anchor_whole: anchor.broken().or(anchor.ahead()).is_none(),
        };
        Ok(verify::verify(caller, &anchor).await?.into_iter().map(one).collect())
    }
}

pub(super) fn narrowed<'v>(
    mut select: crate::kernel::reader::Scoped<'v, Entity>,
    filter: &AuditEntryFilter,
) -> Result<crate::kernel::reader::Scoped<'v, Entity>> {
    let too_long = filter.log.as_ref().is_some_and(|list| list.len() > 10)
        || filter.action.as_ref().is_some_and(|list| list.len() > 50)
        || filter.outcome.as_ref().is_some_and(|list| list.len() > 10)
        || filter
            .address
            .as_ref()
            .is_some_and(|text| text.len() > 50 || text.contains('\0'));
    if too_long {
        return Err(Error::BadInput(
            "A filter's lists and texts are as long as their descriptions say.".into(),
        ));
    }
    if let Some(logs) = &filter.log {
        select = select.filter(Column::Log.is_in(logs.iter().copied()));
    }
    if let Some(actions) = &filter.action {
        select = select.filter(Column::Action.is_in(actions.iter().map(|action| action.name())));
    }
    if let Some(outcomes) = &filter.outcome {
        select = select.filter(Column::Outcome.is_in(outcomes.iter().copied()));
    }
    // PostgreSQL takes no NUL, in a question neither; no ID and no address has a space.
    let plain = |text: &str| text.replace('\0', " ");
    if let Some(actor) = &filter.actor {
        select = select.filter(Column::ActorId.eq(plain(actor)));
    }
    if let Some(target) = &filter.target {
        select = select.filter(Column::TargetId.eq(plain(target)));
    }
    if let Some(service) = &filter.service {
        let id = service.parse::<ServiceId>().map_or(uuid::Uuid::nil(), |id| id.0);
        select = select.filter(Column::ServiceId.eq(id));
    }
    if let Some(address) = &filter.address {
        select = select.filter(Column::Address.eq(plain(address)));
    }
    let span = filter.occurred_at.as_ref();
    if let Some(from) = span.and_then(|span| span.from) {
        select = select.filter(Column::OccurredAt.gte(from));
    }
    if let Some(to) = span.and_then(|span| span.to) {
        select = select.filter(Column::OccurredAt.lt(to));
    }
    Ok(select)
}
