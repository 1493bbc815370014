//! From contracts, usage and prices to what the formula computes: the one path to every figure of an open month.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    formula::{self, Breakdown, Correction, DateRange, Input, Seats, Span, Usage},
    price::PriceBook,
    price_list::PriceList,
    usage::{self, Tally},
};
use crate::{
    contract::{
        self, Items, Revision,
        item::{ItemCode, Meter},
    },
    kernel::{Day, Error, Month, PriceListId, Reader, Result, ServiceId},
};

/// The figures of one service and month.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// The service.
    pub service_id: ServiceId,
    /// The month.
    pub month: Month,
    /// The prices.
    pub price_list_id: PriceListId,
    /// The lines and sums.
    pub breakdown: Breakdown,
}

/// What the charges of some services in one month are computed from, read in two statements.
#[derive(Debug)]
pub struct Books {
    month: Month,
    prices: Arc<PriceBook>,
    tally: Tally,
    revisions: BTreeMap<ServiceId, Vec<Revision>>,
}

impl Books {
    /// Reads everything for these services and the month.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn open(reader: &Reader, prices: Arc<PriceBook>, services: &[ServiceId], month: Month) -> Result<Self> {
        let mut revisions = BTreeMap::<_, Vec<_>>::new();
        for revision in contract::revisions_of(reader, services, Day(month.last_day())).await? {
            revisions.entry(revision.service_id).or_default().push(revision);
        }
        let trials: Vec<_> = revisions
            .iter()
            .filter_map(|(service, revisions)| usage::trial_of(*service, revisions))
            .collect();
        let tally = Tally::read(reader, services, &trials, month).await?;
        Ok(Self {
            month,
            prices,
            tally,
            revisions,
        })
    }

    /// What a service costs in the month if nothing changes from now on; `None` where it costs nothing at all.
    ///
    /// # Errors
    /// Only if an amount is beyond all measure.
    pub fn charge(&self, service: ServiceId) -> Result<Option<Estimate>> {
        self.charge_until(service, self.month.last_day())
    }

    /// What a service costs in the month if it ends with the day `until`.
    ///
    /// # Errors
    /// Only if an amount is beyond all measure.
    pub fn charge_until(&self, service: ServiceId, until: chrono::NaiveDate) -> Result<Option<Estimate>> {
        let Some(revisions) = self.revisions.get(&service) else {
            return Ok(None);
        };
        let spans = spans(self.month, revisions, until);
        let corrections = self.corrections(service, revisions)?;
        if spans.is_empty() && corrections.is_empty() {
            return Ok(None);
        }
        let (price_list_id, prices) = self.prices_of(self.month, revisions, &spans)?;
        let terms = Terms::of(revisions);
        let breakdown = formula::compute(&Input {
            month: self.month,
            prices: &prices.prices,
            spans: &spans,
            free_trial: &terms.trial,
            discount_percent: terms.discount_percent,
            usage: &self.tally.of(service, self.month),
            corrections: &corrections,
        })
        .map_err(Error::internal)?;
        let empty = breakdown.lines.is_empty();
        Ok((!empty).then_some(Estimate {
            service_id: service,
            month: self.month,
            price_list_id,
            breakdown,
        }))
    }

    fn prices_of(&self, month: Month, revisions: &[Revision], spans: &[Span]) -> Result<(PriceListId, &PriceList)> {
        let first_day = spans.first().map_or(month.first_day(), |span| span.days.from);
        let signed = revisions.first().filter(|row| row.effective_on.0 >= month.first_day());
        self.prices.on(first_day, signed.map(|row| row.made_at))
    }

    fn corrections(&self, service: ServiceId, revisions: &[Revision]) -> Result<Vec<Correction>> {
        let mut corrections = Vec::new();
        for (month, meter, before, now) in self.tally.late(service, self.month) {
            let known: Vec<_> = revisions
                .iter()
                .filter(|row| row.effective_on.0 <= month.last_day())
                .cloned()
                .collect();
            let (_, prices) = self.prices_of(month, &known, &spans(month, &known, month.last_day()))?;
            let item = meter.item();
            let Some(price) = prices.prices.get(&item) else {
                continue;
            };
            let percent = Terms::of(&known).discount_percent;
            let amount = formula::correction(price, before, now, percent).map_err(Error::internal)?;
            corrections.push(Correction { month, item, amount });
        }
        Ok(corrections)
    }
}

/// What a contract's last version says beside its items.
struct Terms {
    discount_percent: u8,
    trial: Vec<DateRange>,
}

impl Terms {
    fn of(revisions: &[Revision]) -> Self {
        let last = revisions.last();
        let days = last.and_then(|row| row.trial_from.zip(row.trial_to));
        Self {
            discount_percent: last.map_or(0, |row| u8::try_from(row.discount_percent).unwrap_or(0)),
            trial: days
                .map(|(from, to)| DateRange { from: from.0, to: to.0 })
                .into_iter()
                .collect(),
        }
    }
}

/// The stretches of a month in which something was on, up to the day `until`. A version counts until the day before the
/// first day of any later one: of several versions of one day the last counts, and after a zone moved west a later
/// version may begin before an earlier one.
pub(super) fn spans(month: Month, revisions: &[Revision], until: chrono::NaiveDate) -> Vec<Span> {
    let end = month.last_day().min(until);
    let mut spans = Vec::new();
    for (place, revision) in revisions.iter().enumerate() {
        let later = revisions[place + 1..].iter().map(|later| later.effective_on.0).min();
        let from = revision.effective_on.0.max(month.first_day());
        let to = later.and_then(|day| day.pred_opt()).map_or(end, |last| last.min(end));
        let items = seats(&revision.items);
        if from <= to && !items.is_empty() {
            spans.push(Span {
                days: DateRange { from, to },
                items,
            });
        }
    }
    spans
}

/// The items that are on, with their seats; an item that is not counted by users has one.
pub(super) fn seats(items: &Items) -> BTreeMap<ItemCode, Seats> {
    let on = items.0.iter().filter(|item| item.is_on);
    on.map(|item| {
        let users = if item.code.is_per_user() {
            item.user_count.unwrap_or(0)
        } else {
            1
        };
        (item.code, Seats(u32::try_from(users).unwrap_or(0)))
    })
    .collect()
}

/// The usage that a contract's expected volumes would be.
pub(super) fn expected(items: &Items) -> BTreeMap<Meter, Usage> {
    let on = items.0.iter().filter(|item| item.is_on);
    on.filter_map(|item| {
        let total = u64::try_from(item.expected_volume?).ok()?;
        Some((
            item.code.meter()?,
            Usage {
                total,
                on_trial_days: 0,
            },
        ))
    })
    .collect()
}
