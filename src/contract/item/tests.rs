//! The catalogue's facts and the rules of a list of items.

use std::collections::BTreeSet;

use super::*;

fn on(item: ItemCode) -> ItemRequest {
    let user_count = item.is_per_user().then_some(3);
    ItemRequest {
        item,
        on: true,
        user_count,
        expected_volume: None,
    }
}

fn off(item: ItemCode) -> ItemRequest {
    ItemRequest {
        item,
        on: false,
        user_count: None,
        expected_volume: None,
    }
}

/// The rules broken by these items, without any approval.
fn broken(kind: ServiceKind, items: &[ItemRequest]) -> Vec<(ItemCode, Option<usize>, ItemRule)> {
    let problems = check(kind, &BTreeSet::new(), items);
    problems
        .into_iter()
        .map(|problem| (problem.item, problem.position, problem.rule))
        .collect()
}

/// The rules broken by a single request beside a sound ticket.
fn broken_alone(request: ItemRequest) -> Vec<ItemRule> {
    let problems = broken(ServiceKind::Consultation, &[on(ItemCode::Ticket), request]);
    problems.into_iter().map(|(_, _, rule)| rule).collect()
}

#[test]
fn codes_and_labels_are_whole_and_distinct() {
    let codes: BTreeSet<&str> = ItemCode::ALL.into_iter().map(ItemCode::code).collect();
    let korean: BTreeSet<&str> = ItemCode::ALL.into_iter().map(ItemCode::label_ko).collect();
    let english: BTreeSet<&str> = ItemCode::ALL.into_iter().map(ItemCode::label_en).collect();
    assert_eq!([codes.len(), korean.len(), english.len()], [ItemCode::ALL.len(); 3]);
    assert!(ItemCode::ALL.is_sorted());
    for item in ItemCode::ALL {
        assert_eq!(ItemCode::from_code(item.code()), Some(item));
        // serde, the schema and the database spell a code the same way.
        assert_eq!(toml::Value::try_from(item).expect("text").as_str(), Some(item.code()));
    }
    assert_eq!(ItemCode::from_code("ticket"), None);
    assert_eq!(ItemCode::from_code("TICKETEVALUATION"), None);
}

#[test]
fn every_meter_has_its_item() {
    let metered = ItemCode::ALL.map(ItemCode::meter).into_iter().flatten().count();
    assert_eq!(metered, Meter::ALL.len());
    assert_eq!(ItemCode::Telticket.meter(), Some(Meter::CallSeconds));
    assert_eq!(
        toml::Value::try_from(Meter::CallSeconds).expect("text").as_str(),
        Some("CALL_SECONDS")
    );
}

#[test]
fn each_kind_of_service_has_its_own_items() {
    use ItemCode::{Issuetransferstatistics, Knowledge, Security, Smssend, Ticket};
    let fixed = |kind| {
        ItemCode::ALL
            .into_iter()
            .filter(move |item| item.availability(kind) == Availability::AlwaysOn)
    };
    let optional = |kind| {
        ItemCode::ALL
            .into_iter()
            .filter(move |item| item.availability(kind) == Availability::Optional)
    };
    for kind in ServiceKind::ALL {
        assert_eq!(fixed(kind).collect::<Vec<_>>(), [Ticket]);
    }
    assert_eq!(optional(ServiceKind::Consultation).count(), 13);
    let issue: Vec<ItemCode> = optional(ServiceKind::Issue).collect();
    assert_eq!(issue, [Knowledge, Smssend, Security, Issuetransferstatistics]);
    // What an item depends on can be had wherever the item can.
    for kind in ServiceKind::ALL {
        for item in optional(kind) {
            let needed = item.depends_on().map(|needed| needed.availability(kind));
            assert_ne!(needed, Some(Availability::Unavailable), "{item:?}");
        }
    }
}

#[test]
fn a_sound_list_has_no_problems() {
    let everything: Vec<ItemRequest> = ItemCode::ALL.into_iter().map(on).collect();
    let approvals = BTreeSet::from([ItemCode::Security]);
    assert_eq!(check(ServiceKind::Consultation, &approvals, &everything), []);
    let mut only_ticket: Vec<ItemRequest> = ItemCode::ALL.into_iter().map(off).collect();
    only_ticket[0] = on(ItemCode::Ticket);
    for kind in ServiceKind::ALL {
        assert_eq!(check(kind, &BTreeSet::new(), &only_ticket), []);
        assert_eq!(check(kind, &BTreeSet::new(), &[on(ItemCode::Ticket)]), []);
    }
}

#[test]
fn ticket_stays_on() {
    let consultation = ServiceKind::Consultation;
    let missing = (ItemCode::Ticket, None, ItemRule::AlwaysOn);
    assert_eq!(broken(consultation, &[]), [missing]);
    assert_eq!(broken(consultation, &[on(ItemCode::Chat)]), [missing]);
    let switched_off = (ItemCode::Ticket, Some(1), ItemRule::AlwaysOn);
    assert_eq!(
        broken(consultation, &[on(ItemCode::Chat), off(ItemCode::Ticket)]),
        [switched_off]
    );
}

#[test]
fn an_issue_service_has_no_telephone() {
    let items = [on(ItemCode::Ticket), on(ItemCode::Telticket), on(ItemCode::Callback)];
    let unavailable = |item, position| (item, Some(position), ItemRule::Unavailable);
    assert_eq!(
        broken(ServiceKind::Issue, &items),
        [unavailable(ItemCode::Telticket, 1), unavailable(ItemCode::Callback, 2)]
    );
}

#[test]
fn dependencies_hold_in_any_order() {
    use ItemCode::{Callback, Smssend, Smssendingstatus, Telticket, Ticket};
    let kind = ServiceKind::Consultation;
    for (item, needed) in [(Callback, Telticket), (Smssendingstatus, Smssend)] {
        assert_eq!(broken(kind, &[on(item), on(Ticket), on(needed)]), []);
        let problem = (item, Some(0), ItemRule::Needs(needed));
        assert_eq!(broken(kind, &[on(item), on(Ticket)]), [problem]);
        assert_eq!(broken(kind, &[on(item), on(Ticket), off(needed)]), [problem]);
        assert_eq!(broken(kind, &[off(item), on(Ticket), off(needed)]), []);
    }
}

#[test]
fn security_needs_the_operators_approval() {
    assert_eq!(broken_alone(on(ItemCode::Security)), [ItemRule::ApprovalNeeded]);
    assert_eq!(broken_alone(off(ItemCode::Security)), []);
}

#[test]
fn users_are_counted_where_they_cost() {
    let chat = |user_count| ItemRequest {
        user_count,
        ..on(ItemCode::Chat)
    };
    for count in [1, MAXIMUM_USERS] {
        assert_eq!(broken_alone(chat(Some(count))), []);
    }
    for count in [i64::MIN, -1, 0, MAXIMUM_USERS + 1, i64::MAX] {
        assert_eq!(broken_alone(chat(Some(count))), [ItemRule::UsersOutOfRange], "{count}");
    }
    assert_eq!(broken_alone(chat(None)), [ItemRule::UsersMissing]);
    let knowledge = ItemRequest {
        user_count: Some(1),
        ..on(ItemCode::Knowledge)
    };
    assert_eq!(broken_alone(knowledge), [ItemRule::UsersNotCounted]);
    let switched_off = ItemRequest {
        user_count: Some(0),
        ..off(ItemCode::Chat)
    };
    assert_eq!(broken_alone(switched_off), []);
}

#[test]
fn expected_volumes_have_bounds() {
    let chat = |volume| ItemRequest {
        expected_volume: Some(volume),
        ..on(ItemCode::Chat)
    };
    for volume in [0, MAXIMUM_VOLUME] {
        assert_eq!(broken_alone(chat(volume)), []);
    }
    for volume in [i64::MIN, -1, MAXIMUM_VOLUME + 1, i64::MAX] {
        assert_eq!(broken_alone(chat(volume)), [ItemRule::VolumeOutOfRange], "{volume}");
    }
}

#[test]
fn an_item_is_listed_once() {
    let items = [
        on(ItemCode::Ticket),
        on(ItemCode::Chat),
        off(ItemCode::Chat),
        on(ItemCode::Chat),
    ];
    let twice = |position| (ItemCode::Chat, Some(position), ItemRule::ListedTwice);
    assert_eq!(broken(ServiceKind::Consultation, &items), [twice(2), twice(3)]);
}

#[test]
fn all_problems_come_at_once() {
    let bad = ItemRequest {
        user_count: Some(0),
        expected_volume: Some(-1),
        ..on(ItemCode::Ticket)
    };
    let items = [bad, on(ItemCode::Callback), on(ItemCode::Security), bad];
    let rules: Vec<ItemRule> = broken(ServiceKind::Consultation, &items)
        .into_iter()
        .map(|(_, _, rule)| rule)
        .collect();
    assert_eq!(
        rules,
        [
            ItemRule::UsersOutOfRange,
            ItemRule::VolumeOutOfRange,
            ItemRule::Needs(ItemCode::Telticket),
            ItemRule::ApprovalNeeded,
            ItemRule::ListedTwice,
            ItemRule::UsersOutOfRange,
            ItemRule::VolumeOutOfRange,
        ]
    );
}
