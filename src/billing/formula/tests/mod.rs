//! The formula by example and by property. This file holds what the tests share: a month to compute, owned.

mod edges;
mod examples;
mod generate;
mod properties;

use std::str::FromStr;

use super::*;
use crate::billing::price_list::{CATALOGUE, PriceList};
use crate::kernel::zone::Month;

/// Everything a month is computed from.
#[derive(Clone, Debug)]
struct Case {
    month: Month,
    prices: BTreeMap<ItemCode, ItemPrice>,
    spans: Vec<Span>,
    free_trial: Vec<DateRange>,
    discount_percent: u8,
    usage: BTreeMap<Meter, Usage>,
    corrections: Vec<Correction>,
}

impl Case {
    /// November 2026, which has 30 days, at the catalogue's prices.
    fn new(spans: Vec<Span>) -> Self {
        Self {
            month: month("2026-11"),
            prices: catalogue(),
            spans,
            free_trial: Vec::new(),
            discount_percent: 0,
            usage: BTreeMap::new(),
            corrections: Vec::new(),
        }
    }

    /// The same items on the whole of November.
    fn whole(items: &[(ItemCode, u32)]) -> Self {
        Self::new(vec![span(november(1, 30), items)])
    }

    fn used(mut self, meter: Meter, total: u64) -> Self {
        self.usage.insert(
            meter,
            Usage {
                total,
                on_trial_days: 0,
            },
        );
        self
    }

    fn discounted(self, discount_percent: u8) -> Self {
        Self {
            discount_percent,
            ..self
        }
    }

    /// Changes an item's price.
    fn priced(mut self, item: ItemCode, change: impl FnOnce(&mut ItemPrice)) -> Self {
        self.prices.entry(item).and_modify(change);
        self
    }

    fn result(&self) -> Result<Breakdown, FormulaError> {
        compute(&Input {
            month: self.month,
            prices: &self.prices,
            spans: &self.spans,
            free_trial: &self.free_trial,
            discount_percent: self.discount_percent,
            usage: &self.usage,
            corrections: &self.corrections,
        })
    }

    fn breakdown(&self) -> Breakdown {
        self.result().expect("a price")
    }

    /// Supply, VAT and total.
    fn sums(&self) -> [i64; 3] {
        let breakdown = self.breakdown();
        let lines: i64 = breakdown.lines.iter().map(|line| line.amount).sum();
        assert_eq!(lines, breakdown.total);
        [breakdown.supply, breakdown.vat, breakdown.total]
    }

    /// The kinds, items and amounts of the lines.
    fn lines(&self) -> Vec<(LineKind, Option<ItemCode>, i64)> {
        let lines = self.breakdown().lines;
        lines
            .into_iter()
            .map(|line| (line.kind, line.item, line.amount))
            .collect()
    }

    /// The day of the month with this index, from 0.
    fn day(&self, index: u32) -> NaiveDate {
        day_of(self.month, index)
    }

    /// The state of the contract on a day.
    fn items_on(&self, day: NaiveDate) -> Option<&BTreeMap<ItemCode, Seats>> {
        let covers = |span: &&Span| (span.days.from..=span.days.to).contains(&day);
        self.spans.iter().find(covers).map(|span| &span.items)
    }

    /// The same, told as a span for each day.
    fn day_by_day(&self) -> Self {
        let days = (0..self.month.days()).map(|index| self.day(index));
        let spans = days.filter_map(|day| {
            let items = self.items_on(day)?.clone();
            Some(Span {
                days: DateRange { from: day, to: day },
                items,
            })
        });
        Self {
            spans: spans.collect(),
            ..self.clone()
        }
    }
}

fn catalogue() -> BTreeMap<ItemCode, ItemPrice> {
    PriceList::parse(CATALOGUE).expect("the built-in price list").prices
}

fn month(text: &str) -> Month {
    Month::parse(text).expect("a month")
}

fn date(text: &str) -> NaiveDate {
    NaiveDate::from_str(text).expect("a date")
}

fn day_of(month: Month, index: u32) -> NaiveDate {
    month.first_day() + chrono::Days::new(index.into())
}

fn days(from: &str, to: &str) -> DateRange {
    DateRange {
        from: date(from),
        to: date(to),
    }
}

/// A part of November 2026.
fn november(from: u32, to: u32) -> DateRange {
    days(&format!("2026-11-{from:02}"), &format!("2026-11-{to:02}"))
}

fn span(days: DateRange, items: &[(ItemCode, u32)]) -> Span {
    Span {
        days,
        items: items.iter().map(|(item, seats)| (*item, Seats(*seats))).collect(),
    }
}
