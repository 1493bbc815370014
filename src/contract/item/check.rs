//! The rules that the items of a contract obey together, all of them checked at once.

use std::collections::BTreeSet;

use super::{Availability, ItemCode};
use crate::service::kind::ServiceKind;

/// The most users of one per-user item.
pub const MAXIMUM_USERS: i64 = 10_000;
/// The largest expected volume of one item in a month.
pub const MAXIMUM_VOLUME: i64 = 1_000_000_000;

/// One item as somebody asks for it, not yet checked; hence the signed numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ItemRequest {
    /// Which item.
    pub item: ItemCode,
    /// 사용 (true) or 미사용. An item that is not listed is off.
    pub on: bool,
    /// 사용자 수: 1 to [`MAXIMUM_USERS`] where a per-user item is on, absent for the others.
    pub user_count: Option<i64>,
    /// 처리 건 수: the volume expected in a month, 0 to [`MAXIMUM_VOLUME`]; it only serves the estimate.
    pub expected_volume: Option<i64>,
}

/// A rule that a list of items breaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ItemRule {
    /// 티켓 is missing or off.
    AlwaysOn,
    /// The service's kind cannot have the item.
    Unavailable,
    /// The item is on and the one it depends on is off.
    Needs(ItemCode),
    /// The operator has not approved the item.
    ApprovalNeeded,
    /// A per-user item is on without a number of users.
    UsersMissing,
    /// The number of users is not 1 to [`MAXIMUM_USERS`].
    UsersOutOfRange,
    /// An item that costs the same for any number of users came with a number of users.
    UsersNotCounted,
    /// The expected volume is not 0 to [`MAXIMUM_VOLUME`].
    VolumeOutOfRange,
    /// The item stands in the list before already.
    ListedTwice,
}

/// One broken rule.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ItemProblem {
    /// The item that breaks it.
    pub item: ItemCode,
    /// Where in the list the item stands, from 0; `None` if it is missing there.
    pub position: Option<usize>,
    /// What is broken.
    pub rule: ItemRule,
}

/// Everything that is wrong with these items for a service of this kind, in the order of the list; empty if nothing is.
///
/// `approvals` are the items that the operator approved for the organization.
#[must_use]
pub fn check(kind: ServiceKind, approvals: &BTreeSet<ItemCode>, items: &[ItemRequest]) -> Vec<ItemProblem> {
    let on: BTreeSet<ItemCode> = items
        .iter()
        .filter(|request| request.on)
        .map(|request| request.item)
        .collect();
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for (position, request) in items.iter().enumerate() {
        let item = request.item;
        let mut broken = |rule| {
            problems.push(ItemProblem {
                item,
                position: Some(position),
                rule,
            })
        };
        if !seen.insert(item) {
            broken(ItemRule::ListedTwice);
        }
        switch_problems(kind, approvals, &on, *request)
            .into_iter()
            .for_each(&mut broken);
        number_problems(*request).into_iter().for_each(broken);
    }
    let missing = ItemCode::ALL
        .into_iter()
        .filter(|item| item.availability(kind) == Availability::AlwaysOn && !seen.contains(item));
    problems.extend(missing.map(|item| ItemProblem {
        item,
        position: None,
        rule: ItemRule::AlwaysOn,
    }));
    problems
}

/// What forbids the item to be on or off as it is asked for.
fn switch_problems(
    kind: ServiceKind,
    approvals: &BTreeSet<ItemCode>,
    on: &BTreeSet<ItemCode>,
    request: ItemRequest,
) -> Vec<ItemRule> {
    let item = request.item;
    let availability = item.availability(kind);
    if !request.on {
        let fixed = availability == Availability::AlwaysOn;
        return fixed.then_some(ItemRule::AlwaysOn).into_iter().collect();
    }
    if availability == Availability::Unavailable {
        return vec![ItemRule::Unavailable];
    }
    let needed = item
        .depends_on()
        .filter(|needed| !on.contains(needed))
        .map(ItemRule::Needs);
    let unapproved = item.needs_approval() && !approvals.contains(&item);
    needed
        .into_iter()
        .chain(unapproved.then_some(ItemRule::ApprovalNeeded))
        .collect()
}

/// What is wrong with the numbers beside the item.
fn number_problems(request: ItemRequest) -> Vec<ItemRule> {
    let users = match request.user_count {
        Some(_) if !request.item.is_per_user() => Some(ItemRule::UsersNotCounted),
        _ if !request.on || !request.item.is_per_user() => None,
        None => Some(ItemRule::UsersMissing),
        Some(count) => (!(1..=MAXIMUM_USERS).contains(&count)).then_some(ItemRule::UsersOutOfRange),
    };
    let volume = request
        .expected_volume
        .filter(|volume| !(0..=MAXIMUM_VOLUME).contains(volume))
        .map(|_| ItemRule::VolumeOutOfRange);
    users.into_iter().chain(volume).collect()
}
