//! Which rights go together: what comes of rights that are asked for, in one place of one service. Nothing is read
//! and nothing is written here.

use super::{
    channel::Channel,
    entity::{Model, Role},
    input::AgentRightsInput,
};
use crate::{
    contract::Contract,
    kernel::{Code, Problem},
    service::{Service, ServiceKind},
};

/// What the rights of a place depend on, beside each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its contract.
    pub contract: &'a Contract,
    /// Whether whoever acts may let others see access logs.
    pub gives_log_view: bool,
    /// Whether the place is new, and has nothing that could stay as it was.
    pub is_new: bool,
}

/// Gives a place the rights that are asked for. What hangs on a channel or role goes with it, unless it is asked for
/// by name: then it is a problem, as everything else that can't be. Channels that the contract no longer offers may
/// stay, and do nothing until it does again; nobody new gets them. Paths of problems begin with `at`.
pub(super) fn grant(place: &mut Model, wish: &AgentRightsInput, terms: &Terms<'_>, at: &str) -> Vec<Problem> {
    let before = place.clone();
    let mut problems = Vec::new();
    let mut wrong = |field: &str, code: Code| problems.push(Problem::at(&format!("{at}.{field}"), code));
    place.role = wish.role.unwrap_or(before.role);
    let is_manager = place.role == Role::Manager;
    if let Some(channels) = wanted_channels(wish, terms) {
        for (number, channel) in channels.iter().enumerate() {
            if !before.handles(*channel) && !channel.is_offered(terms.contract) {
                wrong(&format!("channels.{number}"), Code::ChannelNotContracted);
            }
        }
        place.handles_calls = channels.contains(&Channel::Phone);
        place.handles_chats = channels.contains(&Channel::Chat);
        place.handles_tickets = place.handles_calls || channels.contains(&Channel::Ticket);
    }
    place.assigns_callbacks = match wish.assigns_callbacks {
        Some(false) if is_manager => {
            wrong("assignsCallbacks", Code::RightNotForRole);
            true
        }
        _ if is_manager => true,
        Some(true) if !place.handles_calls => {
            wrong("assignsCallbacks", Code::RightNeedsChannel);
            false
        }
        Some(is_wanted) => is_wanted,
        // A manager has it of his role; it is not his own to keep.
        None => before.assigns_callbacks && before.role == Role::Agent && place.handles_calls,
    };
    let is_barred = !is_manager && terms.service.kind == ServiceKind::Issue;
    let had_view = before.views_access_logs;
    place.views_access_logs = match wish.views_access_logs {
        Some(true) if is_barred => {
            wrong("viewsAccessLogs", Code::RightNotForRole);
            false
        }
        Some(true) if !had_view && !terms.gives_log_view => {
            wrong("viewsAccessLogs", Code::AboveOwnRank);
            false
        }
        Some(is_wanted) => is_wanted,
        None if terms.is_new => is_manager && terms.gives_log_view,
        None => had_view && !is_barred,
    };
    let mut receives = |wish: Option<bool>, had: bool, handles: bool, field: &str| match wish {
        Some(true) if !handles => {
            wrong(field, Code::RightNeedsChannel);
            false
        }
        Some(is_wanted) => is_wanted,
        None => (terms.is_new || had) && handles,
    };
    let (tickets, chats) = (place.handles_tickets, place.handles_chats);
    place.receives_tickets = receives(
        wish.receives_tickets,
        before.receives_tickets,
        tickets,
        "receivesTickets",
    );
    place.receives_chats = receives(wish.receives_chats, before.receives_chats, chats, "receivesChats");
    place.forwards_tickets = wish.forwards_tickets.unwrap_or(before.forwards_tickets);
    place.controls_assignment = wish.controls_assignment.unwrap_or(before.controls_assignment);
    problems
}

fn wanted_channels<'w>(wish: &'w AgentRightsInput, terms: &Terms<'_>) -> Option<&'w [Channel]> {
    match &wish.channels {
        Some(channels) => Some(channels),
        None => terms.is_new.then_some(&[Channel::Ticket]),
    }
}

/// A list of channels that is longer than there are any.
pub(super) fn check_length(wish: &AgentRightsInput, at: &str) -> Option<Problem> {
    let most = Channel::ALL.len();
    let is_too_long = wish.channels.as_ref().is_some_and(|channels| channels.len() > most);
    is_too_long.then(|| Problem::at(&format!("{at}.channels"), Code::TooMany).with("max", most))
}
