//! Months at random.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

/// How large the numbers of a case may be.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) price: i64,
    pub(super) seats: u32,
    pub(super) volume: u64,
}

pub(super) const ORDINARY: Bounds = Bounds {
    price: 300_000_000,
    seats: 10_000,
    volume: 1_000_000_000,
};
pub(super) const SMALL: Bounds = Bounds {
    price: 100_000,
    seats: 6,
    volume: 5_000,
};
pub(super) const EXTREME: Bounds = Bounds {
    price: i64::MAX,
    seats: u32::MAX,
    volume: u64::MAX,
};

pub(super) fn any_item() -> impl Strategy<Value = ItemCode> {
    prop::sample::select(&ItemCode::ALL[..])
}

pub(super) fn any_month() -> impl Strategy<Value = Month> {
    (Month::FIRST.index()..=Month::LAST.index()).prop_map(|index| Month::from_index(index).expect("a month"))
}

pub(super) fn any_price(bounds: Bounds) -> impl Strategy<Value = ItemPrice> {
    let usage = (0..=bounds.volume, 0..=bounds.price, 0..=bounds.volume, 0..=bounds.price).prop_map(
        |(free, unit1_milli, limit1, unit2_milli)| UsagePrice {
            free,
            unit1_milli,
            limit1,
            unit2_milli,
        },
    );
    (
        0..=bounds.price,
        0..=bounds.price,
        any::<bool>(),
        prop::option::of(usage),
    )
        .prop_map(|(base_milli, day_milli, per_user, usage)| ItemPrice {
            base_milli,
            day_milli,
            per_user,
            usage,
        })
}

pub(super) fn any_prices(bounds: Bounds) -> impl Strategy<Value = BTreeMap<ItemCode, ItemPrice>> {
    vec(any_price(bounds), ItemCode::ALL.len()).prop_map(|prices| ItemCode::ALL.into_iter().zip(prices).collect())
}

/// Up to six spans, some of them apart: every second boundary may begin a hole.
pub(super) fn any_spans(bounds: Bounds, month: Month) -> impl Strategy<Value = Vec<Span>> {
    let seats = (0..=bounds.seats).prop_map(Seats);
    let states = vec(prop::option::weighted(0.8, btree_map(any_item(), seats, 0..6)), 6);
    let cuts = prop::collection::btree_set(1..month.days(), 0..6);
    (cuts, states).prop_map(move |(cuts, states)| {
        let starts: Vec<u32> = std::iter::once(0).chain(cuts).collect();
        let ends = starts.iter().skip(1).copied().chain([month.days()]);
        let ranges = starts.iter().zip(ends).map(|(start, end)| DateRange {
            from: day_of(month, *start),
            to: day_of(month, end - 1),
        });
        ranges
            .zip(states)
            .filter_map(|(days, items)| Some(Span { days, items: items? }))
            .collect()
    })
}

pub(super) fn any_case(bounds: Bounds) -> impl Strategy<Value = Case> {
    let trial = |month: Month| {
        vec((0..month.days(), 0..40_u32), 0..2).prop_map(move |ranges| {
            let range = |(from, length)| DateRange {
                from: day_of(month, from),
                to: day_of(month, from + length),
            };
            ranges.into_iter().map(range).collect()
        })
    };
    let usage = (0..=bounds.volume, 0..=bounds.volume).prop_map(|(one, other)| Usage {
        total: one.max(other),
        on_trial_days: one.min(other),
    });
    let usage = btree_map(prop::sample::select(&Meter::ALL[..]), usage, 0..3);
    let limit = bounds.price;
    let correction =
        (any_month(), any_item(), -limit..=limit).prop_map(|(month, item, amount)| Correction { month, item, amount });
    let discount = prop_oneof![Just(0), Just(100), 0..=100_u8];
    (any_month(), any_prices(bounds), discount, usage, vec(correction, 0..3)).prop_flat_map(
        move |(month, prices, discount_percent, usage, corrections)| {
            (any_spans(bounds, month), trial(month)).prop_map(move |(spans, free_trial)| Case {
                month,
                prices: prices.clone(),
                spans,
                free_trial,
                discount_percent,
                usage: usage.clone(),
                corrections: corrections.clone(),
            })
        },
    )
}
