//! What the API says of charges, prices and usage.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    charge, formula,
    formula::{Breakdown, LineKind},
    ledger::Estimate,
    metering::{self, Recorded, UsageRecordInput},
    page,
};
use crate::{
    contract::{
        graphql::label,
        item::{ItemCode, Meter},
    },
    kernel::{
        Action, Caller, Error, Language, Money, Month, PageRequest, Result, ServiceId, Timestamp, id,
        page::connection,
        payload::{payload, settle, user_errors},
    },
    service::{Service, ServiceKind},
};

pub(crate) use super::fetch::{ById, catalogue, charges_of, termination_preview, this_month};

user_errors! { UsageUserError, UsageErrorCode, "usage", {
    /// A value is needed.
    Blank,
    /// A value does not have the form that it must have.
    Invalid,
    /// A number is out of its range.
    OutOfRange,
    /// There are too many of them.
    TooMany,
    /// The contract did not have this on that day.
    UsageNotContracted,
    /// It has not happened yet.
    UsageInFuture,
    /// It happened too long ago.
    UsageTooOld,
    /// The entry was recorded with another quantity or day.
    UsageConflict,
} }

payload! { UsageRecordPayload, "usageRecord", UsageUserError, {
    /// How many entries were new; null where there are user errors.
    accepted_count: i32,
    /// How many entries were known already; null where there are user errors.
    repeated_count: i32,
} }

/// Whether a charge is final.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum ChargeStatus {
    /// The month is open: what it comes to if nothing changes, with the usage recorded so far.
    Estimated,
    /// 마감: the month is closed, and the charge never changes.
    Closed,
}

/// One line of a charge.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct ChargeLine {
    /// What it is for.
    pub kind: LineKind,
    /// The item; null on lines of the whole charge.
    #[graphql(name = "itemCode")]
    pub item: Option<ItemCode>,
    /// 사용자 수: the most seats of any day; null but for licences that are counted by users.
    #[graphql(name = "seatCount")]
    pub seats: Option<i32>,
    /// On how many days of the month; null but for licences.
    #[graphql(name = "dayCount")]
    pub days: Option<i32>,
    /// How much was used; null but for usage.
    #[graphql(name = "usedCount")]
    pub used: Option<i32>,
    /// How much of that is free; null but for usage.
    #[graphql(name = "freeCount")]
    pub free: Option<i32>,
    /// How much of that is charged; null but for usage.
    #[graphql(name = "chargedCount")]
    pub charged: Option<i32>,
    /// The closed month that it corrects; null but for corrections.
    pub corrects: Option<Month>,
    /// The amount; negative where it is taken off.
    pub amount: Money,
}

#[ComplexObject]
impl ChargeLine {
    /// What people call it, in the language of `Accept-Language`.
    async fn label(&self, context: &Context<'_>) -> String {
        self.label_in(context.data_unchecked::<Arc<Caller>>().language())
    }
}

impl ChargeLine {
    pub(super) fn label_in(&self, language: Language) -> String {
        let kind = self.kind.label(language);
        self.item
            .map_or_else(|| kind.to_owned(), |item| format!("{} · {kind}", label(language, item)))
    }
}

/// Lines and their sums.
#[derive(Debug, Clone, SimpleObject)]
pub struct ChargeBreakdown {
    /// The lines, at most 100; they sum to the total.
    pub lines: Vec<ChargeLine>,
    /// 이용 금액: licences and usage, free-trial days taken off.
    pub subtotal: Money,
    /// 할인: what is taken off.
    pub discount: Money,
    /// 공급가액: what remains, with corrections.
    pub supply: Money,
    /// 부가세: value-added tax, a tenth of the supply, rounded down.
    pub vat: Money,
    /// 합계: supply and tax.
    pub total: Money,
}

/// What a service costs in a month.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct Charge {
    /// The service's ID.
    #[graphql(skip)]
    pub service_id: ServiceId,
    /// The month.
    pub month: Month,
    /// Whether it is final.
    pub status: ChargeStatus,
    /// When the month was closed; null while it is open.
    pub closed_at: Option<Timestamp>,
    /// Lines and sums.
    #[graphql(flatten)]
    pub sums: ChargeBreakdown,
}

#[ComplexObject]
impl Charge {
    /// The globally unique ID.
    pub async fn id(&self) -> ID {
        ID(charge_id(self.service_id, self.month))
    }

    /// The service; null where the caller may not see it.
    async fn service(&self, context: &Context<'_>) -> Result<Option<Service>> {
        let view = context
            .data_unchecked::<Arc<Caller>>()
            .view(Action::ServiceRead)
            .await?;
        view.loader
            .load_one(ById(self.service_id))
            .await
            .map_err(Error::internal)
    }
}

/// An item of the catalogue with its prices.
#[derive(Debug, SimpleObject)]
pub struct CatalogueItem {
    /// Which.
    pub code: ItemCode,
    /// What people call it, in the language of `Accept-Language`.
    pub label: String,
    /// Whether it is always on.
    pub is_fixed: bool,
    /// Whether it is counted by users.
    pub is_per_user: bool,
    /// Whether the operator has to agree first.
    pub needs_approval: bool,
    /// The item that it needs; null where it needs none.
    pub depends_on_item: Option<ItemCode>,
    /// What is counted of it; null where it is not charged by use.
    pub meter: Option<Meter>,
    /// 기본료: for a whole month, of one user where it is counted by users.
    pub month_price: Money,
    /// 일할: for a day, where it is not a whole month.
    pub day_price: Money,
    /// How much use is free in a month; null where it is not charged by use.
    pub free_volume: Option<i32>,
    /// The price of one more; null where it is not charged by use.
    pub unit_price: Option<Money>,
    /// From how much use on the lower price counts; null where there is none.
    pub volume_limit: Option<i32>,
    /// The price of one more beyond the limit; null where there is none.
    pub unit_price_beyond_limit: Option<Money>,
}

/// Which charges.
#[derive(Debug, Clone, InputObject)]
pub struct ChargeFilter {
    /// The first month.
    pub from: Month,
    /// The last month, at most 36 months in all.
    pub to: Month,
    /// 서비스 유형별: only services of this type.
    pub service_kind: Option<ServiceKind>,
    /// 개별 서비스: only this service.
    #[graphql(name = "serviceId")]
    pub service: Option<ID>,
}

connection! { at hand ChargeConnection, ChargeEdge, Charge, "charge", "charges",
    /// What all of them come to, on all pages together.
    total: Money
}

/// The text that names the charge of a service and month.
pub(crate) fn charge_id(service: ServiceId, month: Month) -> String {
    format!("chg_{}{:05}", id::encode(service.0), month.index())
}

/// Back from [`charge_id`].
pub(crate) fn of_charge_id(text: &str) -> Option<(ServiceId, Month)> {
    let (service, month) = text.strip_prefix("chg_")?.split_at_checked(26)?;
    let month = Month::from_index(month.parse().ok().filter(|_| month.len() == 5)?)?;
    Some((ServiceId(id::decode(service)?), month))
}

/// Whether a line's seats are users; an item that is not counted by users has one for the reckoning only.
pub(super) fn is_counted(item: Option<ItemCode>) -> bool {
    item.is_some_and(ItemCode::is_per_user)
}

impl From<&Breakdown> for ChargeBreakdown {
    fn from(sums: &Breakdown) -> Self {
        let small = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
        let line = |line: &formula::Line| ChargeLine {
            kind: line.kind,
            item: line.item,
            seats: line
                .seats
                .filter(|_| is_counted(line.item))
                .map(|number| small(number.into())),
            days: line.days.map(|number| small(number.into())),
            used: line.used.map(small),
            free: line.free.map(small),
            charged: line.charged.map(small),
            corrects: line.corrects,
            amount: Money::won(line.amount),
        };
        Self {
            lines: sums.lines.iter().map(line).collect(),
            subtotal: Money::won(sums.subtotal),
            discount: Money::won(sums.discount),
            supply: Money::won(sums.supply),
            vat: Money::won(sums.vat),
            total: Money::won(sums.total),
        }
    }
}

impl Charge {
    /// The charge of an open month.
    pub(super) fn estimated(estimate: &Estimate) -> Self {
        let sums = (&estimate.breakdown).into();
        Self {
            service_id: estimate.service_id,
            month: estimate.month,
            status: ChargeStatus::Estimated,
            closed_at: None,
            sums,
        }
    }

    /// The total, in won.
    pub(super) fn won(&self) -> i64 {
        self.sums.total.whole_won()
    }

    /// The charge of a closed month.
    pub(super) fn closed(row: &charge::Model, lines: Vec<ChargeLine>) -> Self {
        Self {
            service_id: row.service_id,
            month: row.month,
            status: ChargeStatus::Closed,
            closed_at: Some(row.closed_at),
            sums: ChargeBreakdown {
                lines,
                subtotal: Money::won(row.subtotal),
                discount: Money::won(row.discount),
                supply: Money::won(row.supply),
                vat: Money::won(row.vat),
                total: Money::won(row.total),
            },
        }
    }
}

/// A page of charges: estimates of open months first, then closed ones, newest month first.
pub(crate) async fn charge_page(
    context: &Context<'_>,
    request: PageRequest,
    filter: ChargeFilter,
) -> Result<ChargeConnection> {
    page::read(context, request, filter).await
}

/// Charges, to look at.
#[derive(Debug, Default)]
pub struct BillingQuery;

#[Object]
impl BillingQuery {
    /// 요금 현황: the charges of all services, of one type, or of one service. Needs `CHARGE_READ`.
    async fn charges(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which months and services.")] filter: ChargeFilter,
    ) -> Result<Option<ChargeConnection>> {
        charge_page(
            context,
            PageRequest {
                first,
                after,
                last,
                before,
            },
            filter,
        )
        .await
        .map(Some)
    }
}

/// Usage, to record.
#[derive(Debug, Default)]
pub struct BillingMutation;

#[Object]
impl BillingMutation {
    /// Records metered usage, each entry once however often it comes. Needs `USAGE_RECORD`.
    async fn usage_record(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The entries.")] input: UsageRecordInput,
    ) -> Result<UsageRecordPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let done = caller
            .act(Action::UsageRecord, &input, async |tx| {
                metering::record(tx, &input).await
            })
            .await;
        let (done, problems): (Option<Recorded>, _) = settle(done)?;
        Ok(UsageRecordPayload {
            accepted_count: done.map(|recorded| recorded.accepted),
            repeated_count: done.map(|recorded| recorded.repeated),
            user_errors: UsageUserError::all(problems)?,
        })
    }
}
