//! Charges as answers need them: of many services in few statements, closed ones read and open months computed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use async_graphql::{Context, dataloader::Loader};
use sea_orm::{ColumnTrait, Condition, sea_query::ExprTrait as _};

use super::{
    charge, closed,
    graphql::{CatalogueItem, Charge, ChargeBreakdown},
    ledger::Books,
    line,
    month::{self, open_months},
    page, price,
};
use crate::{
    contract::{
        graphql::label,
        item::{Availability, ItemCode},
    },
    kernel::{Action, Batch, Caller, Error, Money, Month, Result, ServiceId, View, page::Cursor, zone},
    organization,
    service::{self, Service, ServiceKind},
};

/// The question for the last month that the organization closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LastClosed;

impl Loader<LastClosed> for Batch {
    type Value = Option<Month>;
    type Error = String;

    async fn load(&self, _: &[LastClosed]) -> std::result::Result<HashMap<LastClosed, Option<Month>>, String> {
        let last = month::last_closed(self).await.map_err(|error| format!("{error:?}"))?;
        Ok(HashMap::from([(LastClosed, last)]))
    }
}

/// The question for a service by its ID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ById(pub ServiceId);

impl Loader<ById> for Batch {
    type Value = Service;
    type Error = String;

    async fn load(&self, keys: &[ById]) -> std::result::Result<HashMap<ById, Service>, String> {
        let ids = keys.iter().map(|key| key.0);
        let rows = self
            .select::<service::Entity>()
            .among(service::Column::Id, ids)
            .all()
            .await;
        let rows = rows.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().map(|row| (ById(row.id), row)).collect())
    }
}

/// The question for the closed charges of a service in a span of months.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClosedOf(pub ServiceId, pub Month, pub Month);

impl Loader<ClosedOf> for Batch {
    type Value = Vec<Arc<Charge>>;
    type Error = String;

    async fn load(&self, keys: &[ClosedOf]) -> std::result::Result<HashMap<ClosedOf, Vec<Arc<Charge>>>, String> {
        let mut spans = BTreeMap::<_, Vec<_>>::new();
        for ClosedOf(service, from, to) in keys {
            spans.entry((*from, *to)).or_default().push(*service);
        }
        let asked = spans.iter().fold(Condition::any(), |any, ((from, to), services)| {
            let of = self.is_among(charge::Column::ServiceId, services.iter().copied());
            any.add(of.and(charge::Column::Month.between(*from, *to)))
        });
        let charges = closed::read(self, asked).await.map_err(|error| format!("{error:?}"))?;
        let mut found: HashMap<_, Vec<_>> = keys.iter().map(|key| (*key, Vec::new())).collect();
        for charge in charges.into_iter().map(Arc::new) {
            let in_span = |(from, to): &&(Month, Month)| (*from..=*to).contains(&charge.month);
            for (from, to) in spans.keys().filter(in_span) {
                if let Some(charges) = found.get_mut(&ClosedOf(charge.service_id, *from, *to)) {
                    charges.push(charge.clone());
                }
            }
        }
        Ok(found)
    }
}

/// The question for what the charge of a service in an open month is computed from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BooksOf(pub ServiceId, pub Month);

impl Loader<BooksOf> for Batch {
    type Value = Arc<Books>;
    type Error = String;

    async fn load(&self, keys: &[BooksOf]) -> std::result::Result<HashMap<BooksOf, Arc<Books>>, String> {
        let mut months = BTreeMap::<_, Vec<_>>::new();
        for BooksOf(service, month) in keys {
            months.entry(*month).or_default().push(*service);
        }
        let opened = async {
            let prices = price::book(&self.app, self).await?;
            let mut found = HashMap::new();
            for (month, services) in months {
                let books = Arc::new(Books::open(self, prices.clone(), &services, month).await?);
                found.extend(services.iter().map(|service| (BooksOf(*service, month), books.clone())));
            }
            Ok(found)
        };
        opened.await.map_err(|error: Error| format!("{error:?}"))
    }
}

/// The open months of a span.
pub(super) async fn open_in(caller: &Caller, view: &View, from: Month, to: Month) -> Result<Vec<Month>> {
    let last = view
        .loader
        .load_one(LastClosed)
        .await
        .map_err(Error::internal)?
        .flatten();
    let zone = organization::graphql::zone_of(view).await?;
    let created_on = organization::graphql::created_on(view).await?;
    let open = open_months(last, created_on, zone::date_at(caller.now().0, zone))?;
    Ok(open.into_iter().filter(|month| (from..=to).contains(month)).collect())
}

/// At most 36 months, in their order.
pub(super) fn check_span(from: Month, to: Month) -> Result<()> {
    if from > to || to.index() - from.index() >= 36 {
        return Err(Error::BadInput(
            "`from` and `to` are at most 36 months, in their order.".into(),
        ));
    }
    Ok(())
}

/// The charges of one service in a span of months, newest first.
///
/// # Errors
/// `BAD_USER_INPUT` for a span of more than 36 months, and those of [`Caller::view`].
pub(crate) async fn charges_of(
    caller: &Caller,
    service: ServiceId,
    (from, to): (Month, Month),
) -> Result<Vec<Arc<Charge>>> {
    let view = caller.view(Action::ChargeRead).await?;
    check_span(from, to)?;
    let open = open_in(caller, &view, from, to).await?;
    let estimates = page::estimates(&view, &[service], &open).await?;
    let mut charges: Vec<_> = estimates.into_iter().map(Arc::new).collect();
    let closed = view
        .loader
        .load_one(ClosedOf(service, from, to))
        .await
        .map_err(Error::internal)?;
    charges.extend(closed.unwrap_or_default());
    Ok(charges)
}

/// The charge of a service for the present month; `None` for whoever may change the service but see no charges, such as a
/// partner system.
pub(crate) async fn this_month(context: &Context<'_>, service: &Service) -> Result<Option<Charge>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    if !caller.may(Action::ChargeRead) {
        return Ok(None);
    }
    let view = caller.view(Action::ChargeRead).await?;
    let zone = organization::graphql::zone_of(&view).await?;
    let month = Month::of(zone::date_at(caller.now().0, zone)).ok_or_else(|| Error::internal("no such month"))?;
    let charge = charges_of(caller, service.id, (month, month)).await?.pop();
    Ok(charge.map(Arc::unwrap_or_clone))
}

/// What the last month of a service would come to if it were terminated today.
pub(crate) async fn termination_preview(context: &Context<'_>, service: &Service) -> Result<Option<ChargeBreakdown>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::ChargeRead).await?;
    if service.status == service::Status::Terminated {
        return Ok(None);
    }
    let zone = organization::graphql::zone_of(&view).await?;
    let today = zone::date_at(caller.now().0, zone);
    let month = Month::of(today).ok_or_else(|| Error::internal("no such month"))?;
    let books = view
        .loader
        .load_one(BooksOf(service.id, month))
        .await
        .map_err(Error::internal)?;
    let books = books.ok_or_else(|| Error::internal("there are no books"))?;
    Ok(books
        .charge_until(service.id, today)?
        .map(|estimate| (&estimate.breakdown).into()))
}

/// The catalogue for one type of service.
pub(crate) async fn catalogue(context: &Context<'_>, kind: ServiceKind) -> Result<Vec<CatalogueItem>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::ContractRead).await?;
    let zone = organization::graphql::zone_of(&view).await?;
    let book = price::book(caller.app(), &view).await?;
    let (_, list) = book.on(zone::date_at(caller.now().0, zone), None)?;
    let small = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
    let mut items = Vec::new();
    for code in ItemCode::ALL
        .into_iter()
        .filter(|code| code.availability(kind) != Availability::Unavailable)
    {
        let Some(price) = list.prices.get(&code) else { continue };
        let usage = price.usage;
        let limit = usage.filter(|usage| usage.limit1 > 0);
        items.push(CatalogueItem {
            code,
            label: label(caller.language(), code).to_owned(),
            is_fixed: code.availability(kind) == Availability::AlwaysOn,
            is_per_user: code.is_per_user(),
            needs_approval: code.needs_approval(),
            depends_on_item: code.depends_on(),
            meter: code.meter(),
            month_price: Money::thousandths(price.base_milli),
            day_price: Money::thousandths(price.day_milli),
            free_volume: usage.map(|usage| small(usage.free)),
            unit_price: usage.map(|usage| Money::thousandths(usage.unit1_milli)),
            volume_limit: limit.map(|usage| small(usage.limit1)),
            unit_price_beyond_limit: limit.map(|usage| Money::thousandths(usage.unit2_milli)),
        });
    }
    Ok(items)
}

/// The rows of one page of closed charges, with their lines where they are asked for.
pub(super) async fn with_lines(
    view: &View,
    rows: Vec<(Cursor, charge::Model)>,
    is_asked: bool,
) -> Result<Vec<(Cursor, Charge)>> {
    if rows.is_empty() || !is_asked {
        return Ok(rows
            .into_iter()
            .map(|(cursor, row)| (cursor, Charge::closed(&row, Vec::new())))
            .collect());
    }
    let any = rows.iter().fold(Condition::any(), |any, (_, row)| {
        any.add(
            line::Column::ServiceId
                .eq(row.service_id)
                .and(line::Column::Month.eq(row.month)),
        )
    });
    let mut lines = closed::lines(view, any).await?;
    let charge = |(cursor, row): (Cursor, charge::Model)| {
        let lines = lines.remove(&(row.service_id, row.month)).unwrap_or_default();
        (cursor, Charge::closed(&row, lines))
    };
    Ok(rows.into_iter().map(charge).collect())
}
