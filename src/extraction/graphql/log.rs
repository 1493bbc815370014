//! 데이터 추출 로그: what the API says of the log of extractions, in the shape of the other logs.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object};
use sea_orm::QueryFilter;

use crate::{
    audit::permission::PermissionParty,
    extraction::{
        log::{ExtractionStepFilter, alternatives, any, check, narrowed, span},
        step::{Column, Entity, Model},
    },
    kernel::{
        Action, Caller, Error, PageRequest, Result,
        audit::{self, ActorKind},
        page::{self, Cursors, Part, connection},
    },
    pii::graphql::Entry,
};

connection! { ExtractionStepConnection, ExtractionStepEdge, Model, "step", "steps of extractions" }

/// The log of extractions, to look at.
#[derive(Debug, Default)]
pub struct ExtractionLogQuery;

#[Object]
impl ExtractionLogQuery {
    /// 데이터 추출 로그: every list that was asked for as a file, was made, was downloaded, was refused or is gone, newest first. Needs `AUDIT_READ`.
    async fn extraction_steps(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which steps; those of the last 12 months where absent.")] filter: Option<
            ExtractionStepFilter,
        >,
    ) -> Result<Option<ExtractionStepConnection>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::AuditRead).await?;
        let filter = filter.unwrap_or_default();
        check(&filter)?;
        let span = span(filter.occurred_at.as_ref(), caller.now())?;
        let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "extraction steps");
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let select = || narrowed(view.select::<Entity>(), &filter, span);
        let ways = alternatives(&filter);
        let rows = ways.iter().map(|way| select().filter(way.clone())).collect();
        let place = |row: &Model| [Part::Instant(row.occurred_at), Part::Id(row.id.0)];
        let columns = [Column::OccurredAt, Column::Id];
        let page = page::read_log(context, Action::AuditRead, rows, columns, &request, &cursors, place).await?;
        let total = match context.look_ahead().field("totalCount").exists() {
            true if page.is_whole() => page.edges.len() as u64,
            true => select().filter(any(ways)).count().await?,
            false => 0,
        };
        Ok(Some(ExtractionStepConnection::of(page, total)))
    }
}

#[ComplexObject]
impl Model {
    /// The extraction's ID; null for what was refused when it was asked for.
    async fn extraction_reference(&self) -> Option<String> {
        self.extraction_id.map(|id| id.to_string())
    }

    /// 서비스: the ID of the service whose list it is, good for `node`; null for lists of the whole organization.
    async fn service_reference(&self) -> Option<String> {
        self.service_id.map(|id| id.to_string())
    }

    /// The ID of the grant by which personal data were in clear, good for `node`; null where they were not.
    async fn grant_reference(&self) -> Option<String> {
        self.grant_id.map(|id| id.to_string())
    }

    /// The codes of the columns, at most 200.
    async fn columns(&self) -> &[String] {
        &self.columns.0
    }

    /// 조건: how the list was narrowed, as JSON; texts that were searched for show as `***`.
    async fn filter(&self) -> String {
        self.snapshot.text()
    }

    /// The size of the file in bytes; null before it was made.
    async fn byte_size(&self) -> Option<i32> {
        self.byte_size.map(|bytes| i32::try_from(bytes).unwrap_or(i32::MAX))
    }

    /// Who did it: whoever asked or fetched, or the part of the service that made or destroyed the file.
    async fn actor(&self) -> PermissionParty {
        PermissionParty {
            kind: self.actor_kind,
            name: self.actor_name.clone(),
            login: self.actor_login.clone(),
            reference: self.actor_id.clone(),
        }
    }

    /// 요청자: who asked for the file.
    async fn requester(&self) -> PermissionParty {
        PermissionParty {
            kind: ActorKind::Member,
            name: self.target_name.clone(),
            login: Some(self.target_login.clone()),
            reference: Some(self.target_id.clone()),
        }
    }

    /// The deed's entry in the audit log, whose chain vouches for this row.
    async fn entry(&self, context: &Context<'_>) -> Result<Option<audit::Model>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::AuditRead).await?;
        view.loader
            .load_one(Entry(self.entry_id))
            .await
            .map_err(Error::internal)
    }
}
