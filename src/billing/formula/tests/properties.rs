//! What holds for every month: the formula against itself and against a slow one that charges seat by seat.

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::generate::{EXTREME, ORDINARY, SMALL, any_case, any_item, any_month, any_price};
use super::*;

/// The subtotal by another way: every seat and every day by itself, in thousandths, a line at a time.
fn slow_subtotal(case: &Case) -> i128 {
    let is_trial = |day: &NaiveDate| {
        case.free_trial
            .iter()
            .any(|range| (range.from..=range.to).contains(day))
    };
    let month: Vec<NaiveDate> = (0..case.month.days()).map(|index| case.day(index)).collect();
    let has_trial = month.iter().any(is_trial);
    let half_up = |thousandths: i128| thousandths / 1000 + i128::from(thousandths % 1000 >= 500);
    let mut subtotal = 0;
    for (item, price) in &case.prices {
        let seats_on = |day: &NaiveDate| {
            let seats = case
                .items_on(*day)
                .and_then(|items| items.get(item))
                .map_or(0, |seats| seats.0);
            if price.per_user { seats } else { seats.min(1) }
        };
        let charged: Vec<u32> = month.iter().filter(|day| !is_trial(day)).map(seats_on).collect();
        let mut licence = 0;
        for seat in 1..=charged.iter().copied().max().unwrap_or(0) {
            let mut days = 0;
            charged.iter().filter(|seats| **seats >= seat).for_each(|_| days += 1);
            let base = i128::from(price.base_milli);
            let by_day = days * i128::from(price.day_milli);
            licence += if days == i128::from(case.month.days()) {
                base
            } else {
                base.min(by_day)
            };
        }
        subtotal += half_up(licence);
        let used = item.meter().and_then(|meter| case.usage.get(&meter));
        if let (Some(usage), Some(used), true) = (price.usage, used, charged.iter().any(|seats| *seats > 0)) {
            let left_out = if has_trial { used.on_trial_days } else { 0 };
            let mut thousandths = 0;
            for unit in usage.free + 1..=used.total - left_out {
                let first = usage.limit1 == 0 || unit <= usage.limit1;
                thousandths += i128::from(if first { usage.unit1_milli } else { usage.unit2_milli });
            }
            subtotal += half_up(thousandths);
        }
    }
    subtotal
}

/// Sums that the breakdown promises.
fn check_sums(case: &Case, breakdown: &Breakdown) {
    let wide = |amount: i64| i128::from(amount);
    assert_eq!(sum(&breakdown.lines), wide(breakdown.total));
    assert_eq!(wide(breakdown.supply) + wide(breakdown.vat), wide(breakdown.total));
    assert_eq!(breakdown.vat, breakdown.supply.div_euclid(10));
    let corrections: i128 = case.corrections.iter().map(|correction| wide(correction.amount)).sum();
    let net = wide(breakdown.subtotal) - wide(breakdown.discount);
    assert_eq!(net + corrections, wide(breakdown.supply));
    assert!((0..=breakdown.subtotal).contains(&breakdown.discount));
    for line in &breakdown.lines {
        match line.kind {
            LineKind::Licence | LineKind::Usage => assert!(line.amount >= 0),
            LineKind::FreeTrial | LineKind::Discount => assert!(line.amount <= 0),
            LineKind::Correction | LineKind::Vat => {}
        }
        assert_eq!(
            line.used,
            line.free.zip(line.charged).map(|(free, charged)| free + charged)
        );
    }
}

/// Sets an item's seats on one day and leaves everything else as it is.
fn with_seats_on(case: &Case, day: NaiveDate, item: ItemCode, seats: u32) -> Case {
    let mut changed = case.day_by_day();
    let add = |items: &mut BTreeMap<ItemCode, Seats>| items.insert(item, Seats(seats));
    match changed.spans.iter_mut().find(|span| span.days.from == day) {
        Some(span) => add(&mut span.items),
        None => {
            let mut items = BTreeMap::new();
            add(&mut items);
            changed.spans.push(Span {
                days: DateRange { from: day, to: day },
                items,
            });
            None
        }
    };
    changed
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn lines_sum_to_the_total(case in any_case(ORDINARY)) {
        check_sums(&case, &case.breakdown());
    }

    #[test]
    fn the_formula_agrees_with_charging_every_seat_and_unit(case in any_case(SMALL)) {
        prop_assert_eq!(i128::from(case.breakdown().subtotal), slow_subtotal(&case));
    }

    #[test]
    fn extremes_are_an_error_and_never_wrap(case in any_case(EXTREME)) {
        match case.result() {
            Ok(breakdown) => check_sums(&case, &breakdown),
            Err(error) => prop_assert_eq!(error, FormulaError::TooLarge),
        }
    }

    #[test]
    fn more_seats_and_more_days_never_cost_less(
        case in any_case(ORDINARY), item in any_item(), index in 0..28_u32, more in 1..=10_000_u32,
    ) {
        let day = case.day(index);
        let before = case.items_on(day).and_then(|items| items.get(&item)).map_or(0, |seats| seats.0);
        let after = with_seats_on(&case, day, item, before + more);
        prop_assert!(case.breakdown().total <= after.breakdown().total);
    }

    #[test]
    fn a_part_of_a_month_never_costs_more_than_the_whole(
        case in any_case(ORDINARY),
        items in btree_map(any_item(), (1..=10_000_u32).prop_map(Seats), 1..6),
        (one, other) in (0..28_u32, 0..28_u32),
    ) {
        let month = case.month;
        let over = |from, to| Case {
            spans: vec![Span { days: DateRange { from, to }, items: items.clone() }],
            ..case.clone()
        };
        let part = over(case.day(one.min(other)), case.day(one.max(other)));
        let whole = over(month.first_day(), month.last_day());
        prop_assert!(part.breakdown().total <= whole.breakdown().total);
    }

    #[test]
    fn more_usage_never_costs_less(
        case in any_case(ORDINARY), meter in prop::sample::select(&Meter::ALL[..]), more in 1..=ORDINARY.volume,
    ) {
        let mut after = case.clone();
        after.usage.entry(meter).or_default().total += more;
        prop_assert!(case.breakdown().total <= after.breakdown().total);
    }

    #[test]
    fn a_longer_trial_and_a_larger_discount_never_cost_more(
        case in any_case(ORDINARY), (from, length) in (0..28_u32, 0..28_u32), more in 0..=100_u8,
    ) {
        let mut after = case.clone();
        after.free_trial.push(DateRange { from: case.day(from), to: case.day(from + length) });
        after.discount_percent = (case.discount_percent + more).min(100);
        prop_assert!(after.breakdown().total <= case.breakdown().total);
    }

    #[test]
    fn a_full_discount_leaves_nothing_but_corrections(case in any_case(ORDINARY)) {
        let case = Case { discount_percent: 100, ..case };
        let corrections: i64 = case.corrections.iter().map(|correction| correction.amount).sum();
        prop_assert_eq!(case.breakdown().supply, corrections);
    }

    #[test]
    fn a_span_may_be_told_in_parts_and_in_any_order(case in any_case(ORDINARY)) {
        let mut parts = case.day_by_day();
        prop_assert_eq!(parts.breakdown(), case.breakdown());
        parts.spans.reverse();
        prop_assert_eq!(parts.breakdown(), case.breakdown());
    }

    #[test]
    fn corrections_sum_to_one_and_meet_the_bill(
        price in any_price(ORDINARY), month in any_month(), percent in 0..=100_u8,
        counts in prop::array::uniform3(0..=ORDINARY.volume),
    ) {
        let [first, second, third] = counts;
        let step = |from, to| correction(&price, from, to, percent).expect("an amount");
        prop_assert_eq!(step(first, second) + step(second, third), step(first, third));
        prop_assert_eq!(step(first, second), -step(second, first));
        let net = |total| {
            let days = DateRange { from: month.first_day(), to: month.last_day() };
            let items = BTreeMap::from([(ItemCode::Ticket, Seats(1))]);
            let case = Case {
                month,
                prices: BTreeMap::from([(ItemCode::Ticket, price)]),
                spans: vec![Span { days, items }],
                free_trial: Vec::new(),
                discount_percent: percent,
                usage: BTreeMap::from([(Meter::Tickets, Usage { total, on_trial_days: 0 })]),
                corrections: Vec::new(),
            };
            case.breakdown().supply
        };
        // The discount was rounded over the whole bill then and over the usage alone now.
        prop_assert!((net(third) - net(first) - step(first, third)).abs() <= 1);
    }
}
