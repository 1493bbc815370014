//! What the API says of services.

mod at_hand;
mod list;
mod possible;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, ID, Object, OneofObject, SimpleObject};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    entity::{Column, Entity, Model, Status},
    rules,
};
use crate::{
    agent::graphql::{self as agents, AgentConnection, AgentOrder, ServiceAgentFilter},
    billing::graphql::{self as billing, Charge, ChargeBreakdown},
    contract::{self, Contract, ServiceResumeInput, ServiceSuspendInput, ServiceTerminateInput, graphql as contracts},
    cti::line as cti,
    field::{self, Composition, Field, graphql as fields},
    kernel::{
        Action, Caller, Month, On, PageRequest, Result, Timestamp,
        at_hand::AllAtHand,
        payload::{payload, settle, user_errors},
    },
    organization::{self, Organization},
    picture::{self, Picture},
};

pub(crate) use list::service_page;
pub use list::{DateTimeRange, ServiceConnection, ServiceEdge, ServiceFilter, ServiceOrder, ServiceOrderField};

user_errors! { ServiceUserError, ServiceErrorCode, "a service", {
    /// A value is needed.
    Blank,
    /// A value is too short.
    TooShort,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// There are too many of them.
    TooMany,
    /// It is in the list twice.
    Duplicate,
    /// The code was used before, or the name is in use.
    Taken,
    /// The code is a word that addresses use already.
    Reserved,
    /// There is no time zone of this name.
    UnknownTimeZone,
    /// There is no help-center language of this code.
    UnknownLanguage,
    /// A service of this type has no such setting.
    NotAvailableForKind,
    /// There are as many services as there can be.
    LimitReached,
    /// The charges that go on were not acknowledged.
    AcknowledgementRequired,
    /// The contract has not been completed.
    ContractNotCompleted,
    /// The service is not in use.
    ServiceNotInUse,
    /// The service must be suspended first.
    ServiceStillActive,
    /// The service is not suspended.
    ServiceNotSuspended,
    /// The service has been terminated.
    ServiceTerminated,
} }

payload! { ServiceCreatePayload, "serviceCreate", ServiceUserError, {
    /// The new service, with a draft of its contract; null where there are user errors.
    service: Model,
} }
payload! { ServiceUpdatePayload, "serviceUpdate", ServiceUserError, {
    /// The service as it is now, also where it was not changed; null where there is none.
    service: Model,
} }
payload! { ServiceSuspendPayload, "serviceSuspend", ServiceUserError, {
    /// The service as it is now, also where it was not changed; null where there is none.
    service: Model,
    /// What this month stays charged, suspended or not; null where there are user errors, or without `CHARGE_READ`.
    charge: Charge,
} }
payload! { ServiceResumePayload, "serviceResume", ServiceUserError, {
    /// The service as it is now, also where it was not changed; null where there is none.
    service: Model,
} }
payload! { ServiceTerminatePayload, "serviceTerminate", ServiceUserError, {
    /// The service as it is now, also where it was not changed; null where there is none.
    service: Model,
    /// What the last month comes to; null where there are user errors, nothing is charged, or without `CHARGE_READ`.
    charge: Charge,
} }

/// A help-center language of a service.
#[derive(Debug, SimpleObject)]
pub struct ServiceLanguage {
    /// The code, such as `ko` or `zh_TW`.
    pub code: String,
    /// Whether it is the main one.
    pub is_main: bool,
}

/// What the contract's button says in the list of services.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum ContractButton {
    /// 등록: the contract is still to be completed.
    Register,
    /// 수정: the contract can be edited.
    Edit,
}

/// Something that could be done with a thing, and why it can't where it can't.
#[derive(Debug, SimpleObject)]
#[graphql(name = "Action")]
pub struct PossibleAction {
    /// The permission that the mutation of the same name needs.
    pub name: Action,
    /// Whether it can be done now, by this caller.
    pub is_allowed: bool,
    /// Why not: a code of the mutation's user errors, or `FORBIDDEN`; null where it is allowed.
    pub reason_code: Option<String>,
    /// When it becomes possible; null where it is, or where time does not mend it.
    pub available_at: Option<Timestamp>,
}

/// Which service: exactly one of these.
#[derive(Debug, OneofObject)]
pub enum ServiceBy {
    /// By its ID.
    Id(ID),
    /// By its code, as it was written when it was added.
    Code(String),
}

#[ComplexObject]
impl Model {
    /// 헬프센터 언어: the help center's languages, the main one first, at most 50; empty for an issue service.
    #[graphql(name = "languages")]
    async fn language_list(&self) -> Vec<ServiceLanguage> {
        self.made_languages()
    }

    /// The organization it belongs to; null where the caller may not see that.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        organization::graphql::own(context).await
    }

    /// 배너: what stands as its tab, and for its agents in chats; null where there is none. Needs `SERVICE_READ`.
    async fn banner(&self, context: &Context<'_>) -> Result<Option<Picture>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        picture::graphql::of_id(&*caller.view(Action::ServiceRead).await?, self.banner_id).await
    }

    /// 계약: its contract. Needs `CONTRACT_READ`.
    async fn contract(&self, context: &Context<'_>) -> Result<Option<Contract>> {
        contracts::of_service(context, self.id).await
    }

    /// What the contract's button says: 등록 or 수정; null once the service is terminated.
    async fn contract_button(&self) -> Option<ContractButton> {
        self.made_contract_button()
    }

    /// What can be done with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let contract = contracts::of_service(context, self.id).await?;
        contracts::actions(context, self, contract.as_ref()).await
    }

    /// Its charges, newest month first, at most 36. Needs `CHARGE_READ`.
    async fn charges(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The first month.")] from: Month,
        #[graphql(desc = "The last month, at most 36 months in all; the present one is an estimate.")] to: Month,
    ) -> Result<AllAtHand<Charge, Arc<Charge>>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let charges = billing::charges_of(caller, self.id, (from, to)).await?;
        Ok(charges.into())
    }

    /// 상담원: its agents; none for a manager who does not manage it. Needs `AGENT_READ`.
    #[expect(clippy::too_many_arguments, reason = "a list's arguments, as the schema has them")]
    async fn agents(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which agents.")] filter: Option<ServiceAgentFilter>,
        #[graphql(desc = "In what order; the first to come first where absent. Ties are broken by ID.")]
        order_by: Option<AgentOrder>,
    ) -> Result<AgentConnection> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        agents::of_service(context, self.id, request, filter, order_by).await
    }

    /// 필드: what its tickets ask for, in that order, at most 100; none for whoever has no place in it. Needs `FIELD_READ`.
    async fn fields(&self, context: &Context<'_>) -> Result<Vec<Field>> {
        fields::of_service(context, self.id).await
    }

    /// 필드 구성: what its fields make together; null for whoever has no place in it. Needs `FIELD_READ`.
    async fn field_composition(&self, context: &Context<'_>) -> Result<Option<Composition>> {
        fields::composition_of(context, self.id).await
    }

    /// What the last month would come to if it were terminated today; null where nothing would be charged. Needs `CHARGE_READ`.
    async fn termination_preview(&self, context: &Context<'_>) -> Result<Option<ChargeBreakdown>> {
        billing::termination_preview(context, self).await
    }
}

/// Services, to look at.
#[derive(Debug, Default)]
pub struct ServiceQuery;

#[Object]
impl ServiceQuery {
    /// 계약 현황: the organization's services. Needs `SERVICE_READ`.
    #[expect(clippy::too_many_arguments, reason = "a list's arguments, as the schema has them")]
    async fn services(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which services; terminated ones are left out unless asked for.")] filter: Option<
            ServiceFilter,
        >,
        #[graphql(desc = "In what order; newest first where absent. Ties are broken by ID.")] order_by: Option<
            ServiceOrder,
        >,
    ) -> Result<Option<ServiceConnection>> {
        service_page(
            context,
            PageRequest {
                first,
                after,
                last,
                before,
            },
            filter,
            order_by,
        )
        .await
        .map(Some)
    }

    /// One service; null where there is none. Needs `SERVICE_READ`.
    async fn service(&self, context: &Context<'_>, #[graphql(desc = "Which.")] by: ServiceBy) -> Result<Option<Model>> {
        let view = context
            .data_unchecked::<Arc<Caller>>()
            .view(Action::ServiceRead)
            .await?;
        match by {
            ServiceBy::Id(id) => view.seek::<Entity>(&id).await,
            ServiceBy::Code(code) if code.contains('\0') => Ok(None),
            ServiceBy::Code(code) => view.select::<Entity>().filter(Column::Code.eq(code)).one().await,
        }
    }
}

/// Services, to change.
#[derive(Debug, Default)]
pub struct ServiceMutation;

#[Object]
impl ServiceMutation {
    /// 서비스 추가: adds a service with a draft of its contract. Needs `SERVICE_CREATE`.
    async fn service_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The new service.")] input: rules::ServiceCreateInput,
    ) -> Result<ServiceCreatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let done = caller
            .act(Action::ServiceCreate, &input, async |tx| {
                field::add_service(tx, &input).await
            })
            .await;
        let (service, problems) = settle(done)?;
        Ok(ServiceCreatePayload {
            service,
            user_errors: ServiceUserError::all(problems)?,
        })
    }

    /// 기본정보 수정: changes a service's basic information. Absent fields stay as they are. Needs `SERVICE_UPDATE`.
    async fn service_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] id: ID,
        #[graphql(desc = "The changes.")] input: rules::ServiceUpdateInput,
    ) -> Result<ServiceUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::ServiceUpdate, &On(&id, &input), deed).await)?;
        let service = as_it_is(caller, done, &id).await?;
        Ok(ServiceUpdatePayload {
            service,
            user_errors: ServiceUserError::all(problems)?,
        })
    }

    /// 사용 중지: suspends a service. It can't be used from now on, and is charged the same. Needs `SERVICE_SUSPEND`.
    async fn service_suspend(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] id: ID,
        #[graphql(desc = "How.")] input: ServiceSuspendInput,
    ) -> Result<ServiceSuspendPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| contract::suspend(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::ServiceSuspend, &On(&id, &input), deed).await)?;
        let charge = match &done {
            Some(service) => billing::this_month(context, service).await?,
            None => None,
        };
        let service = as_it_is(caller, done, &id).await?;
        Ok(ServiceSuspendPayload {
            service,
            charge,
            user_errors: ServiceUserError::all(problems)?,
        })
    }

    /// 사용: puts a suspended service to use again. Needs `SERVICE_RESUME`.
    async fn service_resume(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] id: ID,
        #[graphql(desc = "How.")] input: ServiceResumeInput,
    ) -> Result<ServiceResumePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| contract::resume(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::ServiceResume, &On(&id, &input), deed).await)?;
        let service = as_it_is(caller, done, &id).await?;
        Ok(ServiceResumePayload {
            service,
            user_errors: ServiceUserError::all(problems)?,
        })
    }

    /// 해지: terminates a suspended service for good, or discards one whose contract was never completed. Today is the last day that is charged. Needs `SERVICE_TERMINATE`.
    async fn service_terminate(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] id: ID,
        #[graphql(desc = "How.")] input: ServiceTerminateInput,
    ) -> Result<ServiceTerminatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| cti::service_terminate(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::ServiceTerminate, &On(&id, &input), deed).await)?;
        let charge = match &done {
            Some(service) => billing::this_month(context, service).await?,
            None => None,
        };
        let service = as_it_is(caller, done, &id).await?;
        Ok(ServiceTerminatePayload {
            service,
            charge,
            user_errors: ServiceUserError::all(problems)?,
        })
    }
}

/// What was done, or where nothing was, the service as it is.
async fn as_it_is(caller: &Caller, done: Option<Model>, id: &str) -> Result<Option<Model>> {
    match done {
        Some(service) => Ok(Some(service)),
        None => caller.view(Action::ServiceRead).await?.seek::<Entity>(id).await,
    }
}
