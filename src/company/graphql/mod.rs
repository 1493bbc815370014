//! What the API says of company information.

mod public;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject, dataloader::Loader};
use sea_orm::{ColumnTrait, QueryFilter, sea_query::LikeExpr};

use super::{
    Company, Content,
    entity::{Column, Entity, Model},
    footer::{self, CompanyPublishInput, Footer},
    revision,
    rules::{self, CompanyCreateInput, CompanyRemoveInput, CompanyUpdateInput},
};
use crate::{
    kernel::{
        Action, Batch, Caller, Code, CompanyId, Error, On, PageRequest, Result, Timestamp,
        page::{self, Cursors, Direction, Part, connection},
        payload::{payload, settle, user_errors},
        reader::Scoped,
    },
    service::{self, Service, graphql::PossibleAction},
};

pub use public::PublicQuery;

user_errors! { CompanyUserError, CompanyErrorCode, "company information", {
    /// A value is needed.
    Blank,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// There are too many of them.
    TooMany,
    /// The language is there twice.
    Duplicate,
    /// Another entry has this title.
    Taken,
    /// There is no help-center language of this code.
    UnknownLanguage,
    /// There are as many entries as there can be.
    LimitReached,
    /// Help centers show the entry; the message names them.
    CompanyInUse,
    /// An issue service has no help center.
    NotAvailableForKind,
    /// The service has been terminated.
    ServiceTerminated,
} }

payload! { CompanyCreatePayload, "companyCreate", CompanyUserError, {
    /// The new entry; null where there are user errors.
    company: Model,
} }
payload! { CompanyUpdatePayload, "companyUpdate", CompanyUserError, {
    /// The entry as it is now, also where it was not changed; null where there is none.
    company: Model,
} }
payload! { CompanyRemovePayload, "companyRemove", CompanyUserError, {
    /// The entry as it is now, also where it was not removed; null where there is none.
    company: Model,
}, {
    /// The services whose help centers show it, at most 100; empty where it was removed.
    services: Service,
} }
payload! { CompanyPublishPayload, "companyPublish", CompanyUserError, {
    /// The footer as it is now; null where there are user errors.
    footer: CompanyFooter,
} }

/// What the help center of a service shows at its foot.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub struct CompanyFooter {
    /// The service.
    pub service: Service,
    /// The entry as it was then; null where no footer was shown.
    pub company: Option<Model>,
    /// What it said then; null where no footer was shown.
    pub content: Option<Content>,
    /// Whether the help center for PCs showed it.
    pub is_on_pc: bool,
    /// Whether the help center for phones showed it.
    pub is_on_mobile: bool,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

/// Which entries; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct CompanyFilter {
    /// The title contains this, whatever the case; at most 50 characters.
    pub title_contains: Option<String>,
}

connection! { CompanyConnection, CompanyEdge, Model, "entry", "entries of company information" }

#[ComplexObject]
impl Model {
    /// The services whose help centers show it, terminated ones left out, at most 100. Needs `SERVICE_READ`.
    async fn services(&self, context: &Context<'_>) -> Result<Vec<Service>> {
        let view = context
            .data_unchecked::<Arc<Caller>>()
            .view(Action::ServiceRead)
            .await?;
        footer::services_of(&view, self.id).await
    }

    /// The version that held at an instant; null before the first. Needs `COMPANY_READ`.
    async fn as_of(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The instant.")] at: Timestamp,
    ) -> Result<Option<revision::Model>> {
        let view = context
            .data_unchecked::<Arc<Caller>>()
            .view(Action::CompanyRead)
            .await?;
        revision::at(&view, self.id, at).await
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::CompanyRead).await?;
        let gone = self.removed_at.map(|_| Code::NotFound);
        let shown = view.loader.load_one(IsShown(self.id)).await.map_err(Error::internal)?;
        let in_use = shown.map(|()| Code::CompanyInUse);
        Ok(vec![
            PossibleAction::of(caller, Action::CompanyUpdate, gone),
            PossibleAction::of(caller, Action::CompanyRemove, gone.or(in_use)),
        ])
    }
}

#[ComplexObject]
impl CompanyFooter {
    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Vec<PossibleAction> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let hindrance = footer::hindrance(&self.service).first().copied();
        vec![PossibleAction::of(caller, Action::CompanyPublish, hindrance)]
    }
}

/// The question whether a help center shows an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct IsShown(CompanyId);

impl Loader<IsShown> for Batch {
    type Value = ();
    type Error = String;

    async fn load(&self, keys: &[IsShown]) -> std::result::Result<HashMap<IsShown, ()>, String> {
        let shown = footer::shown_of(self, keys.iter().map(|key| key.0)).await;
        let shown = shown.map_err(|error| format!("{error:?}"))?;
        Ok(shown.into_iter().map(|company| (IsShown(company), ())).collect())
    }
}

/// Company information, to look at.
#[derive(Debug, Default)]
pub struct CompanyQuery;

#[Object]
impl CompanyQuery {
    /// 회사정보 관리: the organization's entries, newest first. Needs `COMPANY_READ`.
    async fn companies(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which entries.")] filter: Option<CompanyFilter>,
    ) -> Result<Option<CompanyConnection>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::CompanyRead).await?;
        let filter = filter.unwrap_or_default();
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "companies");
        let place = |row: &Model| [Part::Instant(row.created_at), Part::Id(row.id.0)];
        let columns = [Column::CreatedAt, Column::Id];
        let select = || narrowed(view.select::<Entity>(), &filter);
        let page = page::read(select()?, columns, Direction::Desc, &request, &cursors, place).await?;
        let total = if context.look_ahead().field("totalCount").exists() {
            select()?.count().await?
        } else {
            0
        };
        Ok(Some(CompanyConnection::of(page, total)))
    }

    /// What a service's help center shows at its foot, or showed at an instant; null where it was never published. Needs `COMPANY_READ`.
    async fn company_footer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] service_id: ID,
        #[graphql(desc = "The instant; now where absent.")] as_of: Option<Timestamp>,
    ) -> Result<Option<CompanyFooter>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::CompanyRead).await?;
        let Some(service) = view.seek::<service::Entity>(&service_id).await? else {
            return Ok(None);
        };
        let at = as_of.unwrap_or_else(|| caller.now());
        let Some(shown) = footer::at(&view, service.id, at).await? else {
            return Ok(None);
        };
        let (company, said) = match shown.company_id {
            Some(id) => (
                view.seek::<Entity>(&id.to_string()).await?,
                revision::at(&view, id, at).await?,
            ),
            None => (None, None),
        };
        Ok(Some(CompanyFooter {
            service,
            company,
            content: said.map(|said| said.content),
            is_on_pc: shown.is_on_pc,
            is_on_mobile: shown.is_on_mobile,
            version: shown.revision,
        }))
    }
}

fn narrowed<'v>(select: Scoped<'v, Entity>, filter: &CompanyFilter) -> Result<Scoped<'v, Entity>> {
    let select = select.filter(Column::RemovedAt.is_null());
    let Some(text) = filter.title_contains.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(select);
    };
    if text.contains('\0') || text.chars().count() > 50 {
        return Err(Error::BadInput(
            "`titleContains` has at most 50 characters and no NUL.".into(),
        ));
    }
    let pattern = text
        .to_lowercase()
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    Ok(select.filter(Column::TitleKey.like(LikeExpr::new(format!("%{pattern}%")).escape('\\'))))
}

/// Company information, to change.
#[derive(Debug, Default)]
pub struct CompanyMutation;

#[Object]
impl CompanyMutation {
    /// 추가: adds an entry of company information. Needs `COMPANY_CREATE`.
    async fn company_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The new entry.")] input: CompanyCreateInput,
    ) -> Result<CompanyCreatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::create(tx, &input).await;
        let (company, problems) = settle(caller.act(Action::CompanyCreate, &input, deed).await)?;
        Ok(CompanyCreatePayload {
            company,
            user_errors: CompanyUserError::all(problems)?,
        })
    }

    /// 수정: changes an entry. What it said before is kept. Absent fields stay as they are. Needs `COMPANY_UPDATE`.
    async fn company_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The entry's ID.")] id: ID,
        #[graphql(desc = "The changes.")] input: CompanyUpdateInput,
    ) -> Result<CompanyUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::CompanyUpdate, &On(&id, &input), deed).await)?;
        Ok(CompanyUpdatePayload {
            company: as_it_is(caller, done, &id).await?,
            user_errors: CompanyUserError::all(problems)?,
        })
    }

    /// 삭제: removes an entry that no help center shows. What it said is kept. Needs `COMPANY_REMOVE`.
    async fn company_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The entry's ID.")] id: ID,
        #[graphql(desc = "How.")] input: CompanyRemoveInput,
    ) -> Result<CompanyRemovePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::remove(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::CompanyRemove, &On(&id, &input), deed).await)?;
        let is_removed = done.is_some();
        let company = as_it_is(caller, done, &id).await?;
        let services = match &company {
            Some(company) if !is_removed => {
                let view = caller.view(Action::ServiceRead).await?;
                footer::services_of(&view, company.id).await?
            }
            _ => Vec::new(),
        };
        Ok(CompanyRemovePayload {
            company,
            services,
            user_errors: CompanyUserError::all(problems)?,
        })
    }

    /// 적용: shows an entry at the foot of a service's help center, or none. Needs `COMPANY_PUBLISH`.
    async fn company_publish(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] id: ID,
        #[graphql(desc = "What to show, and where.")] input: CompanyPublishInput,
    ) -> Result<CompanyPublishPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| footer::publish(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::CompanyPublish, &On(&id, &input), deed).await)?;
        let footer = match done {
            Some(footer) => Some(shown(caller, &footer).await?),
            None => None,
        };
        Ok(CompanyPublishPayload {
            footer,
            user_errors: CompanyUserError::all(problems)?,
        })
    }
}

async fn shown(caller: &Caller, footer: &Footer) -> Result<CompanyFooter> {
    let view = caller.view(Action::CompanyRead).await?;
    let service = view
        .find::<service::Entity>("id", &footer.service_id.to_string())
        .await?;
    let company: Option<Company> = match footer.company_id {
        Some(id) => view.seek::<Entity>(&id.to_string()).await?,
        None => None,
    };
    Ok(CompanyFooter {
        service,
        content: company.as_ref().map(|company| company.content.clone()),
        company,
        is_on_pc: footer.is_on_pc,
        is_on_mobile: footer.is_on_mobile,
        version: footer.version,
    })
}

/// What was done, or where nothing was, the entry as it is.
async fn as_it_is(caller: &Caller, done: Option<Model>, id: &str) -> Result<Option<Model>> {
    match done {
        Some(company) => Ok(Some(company)),
        None => caller.view(Action::CompanyRead).await?.seek::<Entity>(id).await,
    }
}
