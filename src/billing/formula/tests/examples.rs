//! The worked examples of the price rules, and each rule by an example of its own.

use super::*;
use ItemCode::{Callback, Chat, Endusermanagement, Helpdoc, Knowledge, Smssend, Telticket, Ticket};

#[test]
fn worked_example_1_three_users() {
    let case = Case::whole(&[(Ticket, 3)]).used(Meter::Tickets, 2_500);
    assert_eq!(case.sums(), [30_000, 3_000, 33_000]);
}

#[test]
fn worked_example_2_tickets_beyond_the_free_ones() {
    let case = Case::whole(&[(Ticket, 5)]).used(Meter::Tickets, 3_420);
    assert_eq!(case.sums(), [71_000, 7_100, 78_100]);
}

#[test]
fn worked_example_3_two_steps_of_call_seconds() {
    let case = Case::whole(&[(Ticket, 2), (Telticket, 4)]).used(Meter::CallSeconds, 50_000);
    assert_eq!(case.sums(), [417_000, 41_700, 458_700]);
}

#[test]
fn worked_example_4_several_items() {
    let case = Case::whole(&[(Ticket, 5), (Chat, 2), (Helpdoc, 1)])
        .used(Meter::Tickets, 3_420)
        .used(Meter::Chats, 3_000);
    assert_eq!(case.sums(), [141_000, 14_100, 155_100]);
}

#[test]
fn worked_example_5_ten_days() {
    let case = Case::new(vec![span(november(21, 30), &[(Ticket, 3)])]);
    assert_eq!(case.sums(), [9_990, 999, 10_989]);
}

#[test]
fn worked_example_6_full_discount() {
    let case = Case::whole(&[(Ticket, 3)]).used(Meter::Tickets, 2_500).discounted(100);
    assert_eq!(case.sums(), [0, 0, 0]);
    assert_eq!(case.breakdown().discount, 30_000);
}

#[test]
fn worked_example_7_an_item_for_seven_days() {
    let case = Case::new(vec![
        span(november(1, 10), &[(Ticket, 3)]),
        span(november(11, 17), &[(Ticket, 3), (Knowledge, 1)]),
        span(november(18, 30), &[(Ticket, 3)]),
    ])
    .used(Meter::Tickets, 2_500);
    assert_eq!(case.sums(), [41_669, 4_166, 45_835]);
}

#[test]
fn lines_come_in_order_and_describe_themselves() {
    let mut case = Case::new(vec![
        span(november(1, 9), &[(Ticket, 3)]),
        span(november(10, 30), &[(Ticket, 5), (Telticket, 1), (Callback, 1)]),
    ])
    .used(Meter::Tickets, 3_100)
    .used(Meter::CallSeconds, 40_001)
    .discounted(10);
    case.free_trial = vec![days("2026-10-20", "2026-11-02")];
    case.usage.insert(
        Meter::Tickets,
        Usage {
            total: 3_100,
            on_trial_days: 40,
        },
    );
    let october = month("2026-10");
    case.corrections = vec![Correction {
        month: october,
        item: Ticket,
        amount: 1_000,
    }];
    // Ticket: 3 seats all month, 2 seats 21 days × 333; without two days of trial 3 seats 28 days × 333.
    let ticket = 30_000 + 2 * 6_993;
    let telticket = 21 * 2_333;
    let callback = 21 * 1_667;
    let call_seconds = 34_000 * 3 + 2;
    let trial = (3 * 28 * 333 - 30_000) - 40 * 50;
    let subtotal = ticket + telticket + callback + 5_000 + call_seconds + trial;
    let discount = (subtotal * 10 + 50) / 100;
    let supply = subtotal - discount + 1_000;
    assert_eq!(
        case.lines(),
        [
            (LineKind::Licence, Some(Ticket), ticket),
            (LineKind::Licence, Some(Telticket), telticket),
            (LineKind::Licence, Some(Callback), callback),
            (LineKind::Usage, Some(Ticket), 5_000),
            (LineKind::Usage, Some(Telticket), call_seconds),
            (LineKind::FreeTrial, None, trial),
            (LineKind::Discount, None, -discount),
            (LineKind::Correction, Some(Ticket), 1_000),
            (LineKind::Vat, None, supply / 10),
        ]
    );
    let breakdown = case.breakdown();
    assert_eq!(
        [breakdown.subtotal, breakdown.discount, breakdown.supply],
        [subtotal, discount, supply]
    );
    let [licence, .., usage, _, trial, discount, correction, vat] = &breakdown.lines[..] else {
        panic!("nine lines")
    };
    let described = (licence.quantity, licence.seats, licence.days);
    assert_eq!(described, (Some(3 * 30 + 2 * 21), Some(5), Some(30)));
    assert_eq!(
        (usage.used, usage.free, usage.charged),
        (Some(3_100), Some(3_000), Some(100))
    );
    assert_eq!(usage.quantity, Some(100));
    assert_eq!(trial.days, Some(2));
    assert_eq!(correction.corrects, Some(october));
    for line in [trial, discount, vat] {
        let none = (line.item, line.seats, line.used, line.corrects);
        assert_eq!(none, (None, None, None, None));
    }
}

#[test]
fn each_seat_has_its_own_days() {
    // 5 seats: two all month, one for 20 days, two for 10 days.
    let rising = Case::new(vec![
        span(november(1, 10), &[(Chat, 2)]),
        span(november(11, 20), &[(Chat, 3)]),
        span(november(21, 30), &[(Chat, 5)]),
    ]);
    assert_eq!(rising.sums()[0], 2 * 10_000 + 20 * 333 + 2 * 10 * 333);
    // A seat that was away in between has the days of both sides.
    let away = Case::new(vec![
        span(november(1, 10), &[(Chat, 3)]),
        span(november(11, 20), &[(Chat, 1)]),
        span(november(21, 30), &[(Chat, 3)]),
    ]);
    assert_eq!(away.sums()[0], 10_000 + 2 * 20 * 333);
}

#[test]
fn items_without_users_are_one_seat() {
    let case = Case::whole(&[(Ticket, 1), (Endusermanagement, 50)]);
    assert_eq!(case.sums()[0], 260_000);
    assert_eq!(case.breakdown().lines[1].seats, Some(1));
}

#[test]
fn an_item_that_costs_nothing_still_has_its_line() {
    let case = Case::whole(&[(Smssend, 1)]);
    let lines = [(LineKind::Licence, Some(Smssend), 0), (LineKind::Vat, None, 0)];
    assert_eq!(case.lines(), lines);
}

#[test]
fn usage_is_charged_only_of_items_that_were_on() {
    let case = Case::whole(&[(Ticket, 1), (Chat, 0)])
        .used(Meter::Chats, 5_000)
        .used(Meter::CallSeconds, 50_000);
    assert_eq!(case.sums()[0], 10_000);
    assert_eq!(case.breakdown().lines.len(), 2);
    let unpriced = Case::whole(&[(Ticket, 1)])
        .used(Meter::Tickets, 5_000)
        .priced(Ticket, |price| price.usage = None);
    assert_eq!(unpriced.sums()[0], 10_000);
}

#[test]
fn the_free_trial_takes_its_days_and_usage_out() {
    let mut case = Case::whole(&[(Ticket, 3)]);
    case.usage.insert(
        Meter::Tickets,
        Usage {
            total: 3_500,
            on_trial_days: 400,
        },
    );
    // Without a trial the usage of trial days is usage like any other.
    assert_eq!(case.sums()[0], 30_000 + 500 * 50);
    case.free_trial = vec![november(1, 8), november(5, 10)];
    let trial = -(25_000 - 5_000) - (30_000 - 3 * 20 * 333);
    assert_eq!(case.lines()[2], (LineKind::FreeTrial, None, trial));
    assert_eq!(case.sums()[0], 3 * 20 * 333 + 100 * 50);
    case.free_trial = vec![days("2020-01-01", "2030-12-31")];
    assert_eq!(case.sums(), [0, 0, 0]);
    assert_eq!(case.breakdown().lines[2].days, Some(30));
}

#[test]
fn a_trial_in_another_month_has_no_line() {
    let mut case = Case::whole(&[(Ticket, 3)]);
    case.free_trial = vec![days("2026-10-01", "2026-10-31"), days("2026-12-01", "2026-12-31")];
    assert_eq!(case.lines().len(), 2);
    // Turned around, a range has no days.
    case.free_trial = vec![november(20, 10)];
    assert_eq!(case.lines().len(), 2);
}

#[test]
fn a_month_without_contract_has_no_lines() {
    let mut case = Case::new(Vec::new()).used(Meter::Tickets, 5_000).discounted(50);
    case.free_trial = vec![november(1, 30)];
    assert_eq!(case.lines(), []);
    assert_eq!(case.sums(), [0, 0, 0]);
}

#[test]
fn corrections_come_after_the_discount_and_may_be_refunds() {
    let month = month("2026-09");
    let mut case = Case::whole(&[(Ticket, 1)]).discounted(100);
    case.corrections = vec![Correction {
        month,
        item: Ticket,
        amount: 5_005,
    }];
    assert_eq!(case.sums(), [5_005, 500, 5_505]);
    case.corrections = vec![Correction {
        month,
        item: Ticket,
        amount: -5_005,
    }];
    assert_eq!(case.sums(), [-5_005, -501, -5_506]);
}
