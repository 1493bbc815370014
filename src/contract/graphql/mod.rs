//! What the API says of contracts: items, versions, the daily allowance, quotes, and what can be done.

mod actions;
mod at_hand;
mod fetch;
mod quote;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject};

use super::{
    entity::{Entity, Item, Model, Status},
    input::{ContractDraftInput, ContractSignInput, ContractUpdateInput},
    item::ItemCode,
    revision, rules,
};
use crate::{
    billing::{
        self,
        graphql::{CatalogueItem, catalogue},
    },
    kernel::{
        Action, Caller, Code, Day, Error, Language, On, PageRequest, Problem, Result, Timestamp,
        page::connection,
        payload::{payload, settle, user_errors},
        zone,
    },
    organization,
    service::{self, Service, ServiceKind, graphql::PossibleAction},
};

pub(crate) use actions::actions;
pub use fetch::OfService;
pub(crate) use fetch::of_service;
pub use quote::{ContractQuote, ContractQuoteInput, ContractQuoteResult};

user_errors! { ContractUserError, ContractErrorCode, "a contract", {
    /// A number is out of its range.
    OutOfRange,
    /// There are too many of them.
    TooMany,
    /// The item is in the list twice.
    Duplicate,
    /// The contract has not been completed yet.
    ContractNotCompleted,
    /// The contract has been completed already.
    ContractAlreadySigned,
    /// The contract was edited today; `availableAt` says when it can be edited again.
    ContractAlreadyChangedToday,
    /// The contract has ended.
    ContractEnded,
    /// Tickets can't be switched off.
    ContractItemFixed,
    /// A service of this type can't have the item.
    ContractItemNotAvailable,
    /// The item needs another one.
    ContractItemDependency,
    /// The operator has to agree to the item first.
    ContractItemNeedsApproval,
    /// The item needs a number of users from 1 to 10,000.
    UserCountRequired,
    /// The item is not counted by users.
    UserCountNotAllowed,
    /// The service has been terminated.
    ServiceTerminated,
    /// The quote was for another day.
    QuoteExpired,
    /// The quote was for another contract or other items.
    QuoteMismatch,
    /// The price has moved since the quote.
    QuotePriceMoved,
} }

payload! { ContractDraftPayload, "contractDraft", ContractUserError, {
    /// The contract as it is now, also where it was not changed; null where there is none.
    contract: Model,
} }
payload! { ContractSignPayload, "contractSign", ContractUserError, {
    /// The contract as it is now, also where it was not changed; null where there is none.
    contract: Model,
    /// Its service, in use from now on; null where there is none.
    service: Service,
} }
payload! { ContractUpdatePayload, "contractUpdate", ContractUserError, {
    /// The contract as it is now, also where it was not changed; null where there is none.
    contract: Model,
} }

/// One item of a contract.
#[derive(Debug, SimpleObject)]
pub struct ContractItem {
    /// Which.
    pub code: ItemCode,
    /// What people call it, in the language of `Accept-Language`.
    pub label: String,
    /// 사용 or 미사용: whether it is on.
    pub is_on: bool,
    /// 사용자 수: for how many users; null where the item is not counted by users, or nobody has said yet.
    pub user_count: Option<i32>,
    /// 처리 건 수: the volume expected in a month, for quotes only; null where nobody has said.
    pub expected_volume: Option<i32>,
}

/// How often a contract can still be edited today.
#[derive(Debug, SimpleObject)]
pub struct ContractEditAllowance {
    /// How often in a day: 1.
    pub limit: i32,
    /// How often it was today.
    pub used: i32,
    /// How often it still can be today.
    pub remaining: i32,
    /// When the next day begins.
    pub resets_at: Timestamp,
    /// The IANA time zone that the day is meant in: the organization's.
    pub time_zone: String,
}

connection! { ContractRevisionConnection, ContractRevisionEdge, revision::Model, "version", "versions of a contract" }

fn labelled(language: Language, items: &[Item]) -> Vec<ContractItem> {
    let show = |item: &Item| ContractItem {
        code: item.code,
        label: label(language, item.code).to_owned(),
        is_on: item.is_on,
        user_count: item.user_count,
        expected_volume: item.expected_volume,
    };
    items.iter().map(show).collect()
}

/// What people call an item.
pub(crate) fn label(language: Language, item: ItemCode) -> &'static str {
    match language {
        Language::Korean => item.label_ko(),
        Language::English => item.label_en(),
    }
}

#[ComplexObject]
impl Model {
    /// The items that anybody has decided on, at most 14; all others are off.
    #[graphql(name = "items")]
    async fn item_list(&self, context: &Context<'_>) -> Vec<ContractItem> {
        labelled(context.data_unchecked::<Arc<Caller>>().language(), &self.items.0)
    }

    /// Its service; null where the caller may not see it.
    async fn service(&self, context: &Context<'_>) -> Result<Option<Service>> {
        let view = context
            .data_unchecked::<Arc<Caller>>()
            .view(Action::ServiceRead)
            .await?;
        view.loader
            .load_one(billing::graphql::ById(self.service_id))
            .await
            .map_err(Error::internal)
    }

    /// What can be done with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let Some(service) = self.service(context).await? else {
            return Ok(Vec::new());
        };
        let mut all = actions(context, &service, Some(self)).await?;
        all.retain(|action| {
            [Action::ContractDraft, Action::ContractSign, Action::ContractUpdate].contains(&action.name)
        });
        Ok(all)
    }

    /// How often it can still be edited today; null unless it is in force.
    async fn edit_allowance(&self, context: &Context<'_>) -> Result<Option<ContractEditAllowance>> {
        if self.status != Status::InForce {
            return Ok(None);
        }
        let now = context.data_unchecked::<Arc<Caller>>().now();
        let zone = organization::graphql::zone(context).await?;
        let next = rules::next_edit(self, now, zone);
        let used = i32::from(next.is_some());
        let tomorrow = zone::day_end(zone::date_at(now.0, zone), zone).map(Timestamp);
        let resets_at = next.or(tomorrow).ok_or_else(|| Error::internal("the day has no end"))?;
        Ok(Some(ContractEditAllowance {
            limit: 1,
            used,
            remaining: 1 - used,
            resets_at,
            time_zone: zone.name().to_owned(),
        }))
    }

    /// 계약 이력: every version that it had, newest first.
    async fn revisions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<ContractRevisionConnection> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::ContractRead).await?;
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let page = fetch::revisions(&view, &caller.app().keys, self, &request).await?;
        let total = u64::try_from(self.revision).unwrap_or(0);
        Ok(ContractRevisionConnection::of(page, total))
    }

    /// The version that was the last one at an instant; null before it was completed.
    async fn as_of(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The instant.")] at: Timestamp,
    ) -> Result<Option<revision::Model>> {
        let view = context
            .data_unchecked::<Arc<Caller>>()
            .view(Action::ContractRead)
            .await?;
        let last = view.loader.load_one(fetch::AsOf(self.id, at)).await;
        last.map_err(Error::internal)
    }
}

#[ComplexObject]
impl revision::Model {
    /// The items as they were, at most 14; those not named were off. Empty where the contract ended.
    #[graphql(name = "items")]
    async fn item_list(&self, context: &Context<'_>) -> Vec<ContractItem> {
        labelled(context.data_unchecked::<Arc<Caller>>().language(), &self.items.0)
    }

    /// The items of the version before, at most 14; empty for the first version.
    async fn previous_items(&self, context: &Context<'_>) -> Result<Vec<ContractItem>> {
        if self.revision == 1 {
            return Ok(Vec::new());
        }
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::ContractRead).await?;
        let before = view
            .loader
            .load_one(revision::Version(self.contract_id, self.revision - 1))
            .await
            .map_err(Error::internal)?;
        Ok(before.map_or_else(Vec::new, |row| labelled(caller.language(), &row.items.0)))
    }
}

/// Contracts, to look at.
#[derive(Debug, Default)]
pub struct ContractQuery;

#[Object]
impl ContractQuery {
    /// 계약 항목: the catalogue of what a contract of this type can have, with today's prices; at most 20. Needs `CONTRACT_READ`.
    async fn contract_items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The type of service.")] kind: ServiceKind,
    ) -> Result<Vec<CatalogueItem>> {
        catalogue(context, kind).await
    }

    /// 예상 비용: what a contract would cost with these items. Nothing is kept of it. Needs `CONTRACT_READ`.
    async fn contract_quote(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to name a price for.")] input: ContractQuoteInput,
    ) -> Result<Option<ContractQuoteResult>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::ContractRead).await?;
        let zone = organization::graphql::zone(context).await?;
        let today = Day(zone::date_at(caller.now().0, zone));
        let asked = async {
            let contract = view.find::<Entity>("input.contractId", &input.contract).await?;
            if contract.status == Status::Ended {
                return Err(Problem::at("input.contractId", Code::ContractEnded).into());
            }
            billing::quote(&view, caller.app(), &contract, &input.items, today).await
        };
        let (quote, problems) = settle(asked.await)?;
        let quote = quote.map(|quote| ContractQuote {
            text: quote.text,
            good_on: quote.good_on,
            whole_month: (&quote.whole_month).into(),
            this_month: (&quote.this_month).into(),
        });
        Ok(Some(ContractQuoteResult {
            quote,
            user_errors: ContractUserError::all(problems)?,
        }))
    }
}

/// Contracts, to change.
#[derive(Debug, Default)]
pub struct ContractMutation;

#[Object]
impl ContractMutation {
    /// Saves a contract that is not yet completed. Needs `CONTRACT_DRAFT`.
    async fn contract_draft(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The contract's ID.")] id: ID,
        #[graphql(desc = "What is there so far.")] input: ContractDraftInput,
    ) -> Result<ContractDraftPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::draft(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::ContractDraft, &On(&id, &input), deed).await)?;
        let contract = as_it_is(caller, done, &id).await?;
        Ok(ContractDraftPayload {
            contract,
            user_errors: ContractUserError::all(problems)?,
        })
    }

    /// 계약: completes a contract. It counts from today, and its service is in use. Needs `CONTRACT_SIGN`.
    async fn contract_sign(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The contract's ID.")] id: ID,
        #[graphql(desc = "How.")] input: ContractSignInput,
    ) -> Result<ContractSignPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| billing::sign(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::ContractSign, &On(&id, &input), deed).await)?;
        let contract = as_it_is(caller, done, &id).await?;
        let service = match &contract {
            Some(contract) => {
                let view = caller.view(Action::ServiceRead).await?;
                view.seek::<service::Entity>(&contract.service_id.to_string()).await?
            }
            None => None,
        };
        Ok(ContractSignPayload {
            contract,
            service,
            user_errors: ContractUserError::all(problems)?,
        })
    }

    /// 계약 수정: edits a contract in force, once a day of the organization's time zone. What changes nothing uses no day. Needs `CONTRACT_UPDATE`.
    async fn contract_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The contract's ID.")] id: ID,
        #[graphql(desc = "The changes.")] input: ContractUpdateInput,
    ) -> Result<ContractUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| billing::update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::ContractUpdate, &On(&id, &input), deed).await)?;
        let contract = as_it_is(caller, done, &id).await?;
        Ok(ContractUpdatePayload {
            contract,
            user_errors: ContractUserError::all(problems)?,
        })
    }
}

/// What was done, or where nothing was, the contract as it is.
async fn as_it_is(caller: &Caller, done: Option<Model>, id: &str) -> Result<Option<Model>> {
    match done {
        Some(contract) => Ok(Some(contract)),
        None => caller.view(Action::ContractRead).await?.seek::<Entity>(id).await,
    }
}
