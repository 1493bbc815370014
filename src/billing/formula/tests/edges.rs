//! Rounding, steps, limits, and inputs that are refused.

use super::*;
use ItemCode::{Chat, Helpdoc, Knowledge, Smssend, Telticket, Ticket};

#[test]
fn short_and_long_months_cost_the_base() {
    for (month, last) in [
        ("2026-02", "28"),
        ("2028-02", "29"),
        ("2026-11", "30"),
        ("2026-12", "31"),
    ] {
        let first = format!("{month}-01");
        let whole = days(&first, &format!("{month}-{last}"));
        let mut case = Case::new(vec![span(whole, &[(Ticket, 1), (Helpdoc, 1)])]);
        case.month = super::month(month);
        assert_eq!(case.sums()[0], 60_000, "{month}");
    }
}

#[test]
fn days_never_cost_more_than_the_base() {
    // 30 of 31 days × 1,667 would be 50,010.
    let mut case = Case::new(vec![span(days("2026-12-02", "2026-12-31"), &[(Helpdoc, 1)])]);
    case.month = month("2026-12");
    assert_eq!(case.sums()[0], 50_000);
}

#[test]
fn usage_steps_are_exact_at_their_edges() {
    let seconds = |total| Case::whole(&[(Telticket, 1)]).used(Meter::CallSeconds, total).sums()[0] - 70_000;
    assert_eq!(
        [0, 6_000, 6_001, 40_000, 40_001, 40_002, 40_003].map(seconds),
        [0, 0, 3, 102_000, 102_002, 102_003, 102_005]
    );
}

#[test]
fn a_limit_inside_the_free_volume_leaves_the_free_volume_free() {
    let price = UsagePrice {
        free: 100,
        unit1_milli: 5_000,
        limit1: 50,
        unit2_milli: 1_000,
    };
    let case = Case::whole(&[(Ticket, 1)]).priced(Ticket, |ticket| ticket.usage = Some(price));
    assert_eq!(case.used(Meter::Tickets, 103).sums()[0], 10_003);
}

#[test]
fn lines_are_rounded_half_up_once() {
    // 0.499, 0.5 and 1.499 won.
    for (day_milli, users, amount) in [(499, 1, 0), (500, 1, 1), (1_499, 1, 1), (250, 2, 1), (250, 3, 1)] {
        let case =
            Case::new(vec![span(november(1, 1), &[(Chat, users)])]).priced(Chat, |chat| chat.day_milli = day_milli);
        assert_eq!(case.sums()[0], amount, "{day_milli} × {users}");
    }
}

#[test]
fn the_discount_is_rounded_half_up() {
    // 333 won: 15 % are 49.95; 50 % are 166.5.
    let discount = |percent| {
        let case = Case::new(vec![span(november(1, 1), &[(Ticket, 1)])]).discounted(percent);
        case.breakdown().discount
    };
    assert_eq!([0, 1, 15, 50, 99, 100].map(discount), [0, 3, 50, 167, 330, 333]);
    let kinds = |percent| {
        let lines = Case::whole(&[(Smssend, 1)]).discounted(percent).lines();
        lines.into_iter().map(|(kind, _, _)| kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(0), [LineKind::Licence, LineKind::Vat]);
    assert_eq!(kinds(5), [LineKind::Licence, LineKind::Discount, LineKind::Vat]);
}

#[test]
fn a_correction_is_the_difference_that_the_usage_makes() {
    let prices = catalogue();
    let ticket = |old, new, percent| correction(&prices[&Ticket], old, new, percent);
    assert_eq!(ticket(2_900, 3_000, 0), Ok(0));
    assert_eq!(ticket(2_900, 3_010, 0), Ok(500));
    assert_eq!(ticket(3_010, 3_030, 10), Ok(900));
    assert_eq!(ticket(3_030, 3_010, 10), Ok(-900));
    assert_eq!(ticket(3_010, 3_030, 100), Ok(0));
    assert_eq!(ticket(0, 1, 101), Err(FormulaError::BadDiscount(101)));
    assert_eq!(ticket(0, u64::MAX, 0), Err(FormulaError::TooLarge));
    assert_eq!(correction(&prices[&Knowledge], 0, 1_000_000, 0), Ok(0));
    // 1.5 won a second: the second half won of a month is not charged twice.
    let seconds = |old, new| correction(&prices[&Telticket], old, new, 0);
    assert_eq!([seconds(40_000, 40_001), seconds(40_001, 40_002)], [Ok(2), Ok(1)]);
    assert_eq!(seconds(40_000, 40_002), Ok(3));
}

#[test]
fn contradictions_are_refused() {
    let error = |case: Case| case.result().expect_err("an error");
    let mut unpriced = Case::whole(&[(Ticket, 1)]);
    unpriced.prices.remove(&Ticket);
    assert_eq!(error(unpriced), FormulaError::NoPrice(Ticket));
    let negative = Case::whole(&[(Ticket, 1)]).priced(Ticket, |price| price.day_milli = -1);
    assert_eq!(error(negative), FormulaError::NegativePrice(Ticket));
    for range in [
        days("2026-10-31", "2026-11-02"),
        days("2026-11-02", "2026-12-01"),
        november(3, 2),
    ] {
        assert_eq!(error(Case::new(vec![span(range, &[])])), FormulaError::BadSpan(range));
    }
    let spans = vec![
        span(november(20, 25), &[]),
        span(november(26, 30), &[]),
        span(november(1, 20), &[]),
    ];
    assert_eq!(error(Case::new(spans)), FormulaError::SpansOverlap(date("2026-11-20")));
    assert_eq!(error(Case::whole(&[]).discounted(101)), FormulaError::BadDiscount(101));
    let mut usage = Case::whole(&[]);
    usage.usage.insert(
        Meter::Chats,
        Usage {
            total: 1,
            on_trial_days: 2,
        },
    );
    assert_eq!(error(usage), FormulaError::BadUsage(Meter::Chats));
}

#[test]
fn what_does_not_fit_is_too_large() {
    let at = |base_milli, users| {
        let case = Case::whole(&[(Ticket, users)]).priced(Ticket, |price| price.base_milli = base_milli);
        case.result().map(|breakdown| breakdown.total)
    };
    assert_eq!(at(i64::MAX, u32::MAX), Err(FormulaError::TooLarge));
    assert_eq!(at(i64::MAX, 1_001), Err(FormulaError::TooLarge));
    // The supply fits and the total does not.
    assert_eq!(at(i64::MAX, 999), Err(FormulaError::TooLarge));
    assert_eq!(at(i64::MAX, 900), Ok(9_131_138_316_486_228_048));
    let use_up = |total| {
        Case::whole(&[(Ticket, 1)])
            .used(Meter::Tickets, total)
            .result()
            .map(|_| ())
    };
    assert_eq!(use_up(u64::MAX), Err(FormulaError::TooLarge));
    assert_eq!(use_up(1_000_000_000), Ok(()));
}

#[test]
fn the_largest_contract_at_the_largest_prices_fits() {
    let largest = 1_000_000_000_000;
    let mut case = Case::whole(&ItemCode::ALL.map(|item| (item, 10_000)));
    for price in case.prices.values_mut() {
        price.base_milli = largest;
        price.day_milli = largest;
        if let Some(usage) = &mut price.usage {
            *usage = UsagePrice {
                free: 0,
                unit1_milli: largest,
                limit1: 0,
                unit2_milli: 0,
            };
        }
    }
    for meter in Meter::ALL {
        case = case.used(meter, 1_000_000_000);
    }
    assert!(case.result().is_ok());
}
