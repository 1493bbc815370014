//! The list of imports, and the template that one begins with.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    billing::graphql::ById,
    import::{
        entity::{Column, Entity, Model, State},
        template,
    },
    kernel::{
        Action, Caller, DownloadLink, Error, PageRequest, Result, ServiceId, download,
        page::{self, Cursors, Direction, Part, connection},
        reader::Scoped,
    },
};

/// Which imports; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct ImportFilter {
    /// Only those into this service.
    pub service_id: Option<ID>,
    /// Only those in any of these states.
    pub state: Option<Vec<State>>,
}

connection! { ImportConnection, ImportEdge, Model, "import", "imports" }

/// Imports, to look at.
#[derive(Debug, Default)]
pub struct ImportQuery;

#[Object]
impl ImportQuery {
    /// 데이터 이관: the imports of the organization, the latest first. Needs `IMPORT_READ`.
    async fn imports(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which imports.")] filter: Option<ImportFilter>,
    ) -> Result<Option<ImportConnection>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::ImportRead).await?;
        let filter = filter.unwrap_or_default();
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "imports");
        let place = |row: &Model| [Part::Instant(row.uploaded_at), Part::Id(row.id.0)];
        let columns = [Column::UploadedAt, Column::Id];
        let select = || narrowed(view.select::<Entity>(), &filter);
        let page = page::read(select(), columns, Direction::Desc, &request, &cursors, place).await?;
        let total = match context.look_ahead().field("totalCount").exists() {
            true if page.is_whole() => page.edges.len() as u64,
            true => select().count().await?,
            false => 0,
        };
        Ok(Some(ImportConnection::of(page, total)))
    }

    /// One import; null where there is none. Ask again to see how far it is. Needs `IMPORT_READ`.
    #[graphql(name = "import")]
    async fn import_of(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The import's ID.")] id: ID,
    ) -> Result<Option<Model>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::ImportRead).await?;
        view.seek::<Entity>(&id).await
    }

    /// 템플릿 다운로드: where the workbook is that is filled in, made of what the service's fields are when it is fetched; null where there is no such service, or it is not in use. Needs `IMPORT_READ`.
    async fn import_template(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] service_id: ID,
    ) -> Result<Option<DownloadLink>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::ImportRead).await?;
        let Ok(id) = service_id.parse::<ServiceId>() else {
            return Ok(None);
        };
        let service = view.loader.load_one(ById(id)).await.map_err(Error::internal)?;
        if service.is_none_or(|service| template::check(&service).is_err()) {
            return Ok(None);
        }
        download::link(caller, template::KIND, &service_id).map(Some)
    }
}

fn narrowed<'v>(mut select: Scoped<'v, Entity>, filter: &ImportFilter) -> Scoped<'v, Entity> {
    if let Some(service) = &filter.service_id {
        let id = service.parse().unwrap_or(ServiceId(uuid::Uuid::nil()));
        select = select.filter(Column::ServiceId.eq(id));
    }
    if let Some(states) = &filter.state {
        select = select.filter(Column::State.is_in(states.iter().copied()));
    }
    select
}
