//! What the verbs of tickets are asked with. Values print as `***`: they are the customers'.

use std::fmt;

use async_graphql::{ID, InputObject, MaybeUndefined};
use serde::Serialize;

use super::entity::{Channel, Priority, Status};
use crate::{
    field::value::Given,
    kernel::{Ask, Timestamp, payload::asks},
};

/// The value of one field, as its type has it; without any of them the value is taken away.
#[derive(Clone, Serialize, InputObject)]
pub struct TicketValueInput {
    /// 코드: the field.
    pub code: String,
    /// Of `TEXT`, `TEXTAREA`, `DROPDOWN`, `RADIO` and of days and times: the text; the levels of an option with ` > ` between. What came masked and comes back so leaves the value as it is.
    pub text: Option<String>,
    /// Of `CHECKBOX`: the options, at most 100.
    pub options: Option<Vec<String>>,
    /// Of `AGREE`: yes or no.
    pub is_agreed: Option<bool>,
}

impl fmt::Debug for TicketValueInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl TicketValueInput {
    /// The value that it gives, or that it gives none; `None` where it gives several.
    pub(super) fn given(&self) -> Option<Option<Given>> {
        match (&self.text, &self.options, self.is_agreed) {
            (None, None, None) => Some(None),
            (Some(text), None, None) => Some(Some(Given::Text(text.clone()))),
            (None, Some(chosen), None) => Some(Some(Given::Options(chosen.clone()))),
            (None, None, Some(is)) => Some(Some(Given::Agreed(is))),
            _ => None,
        }
    }
}

/// A new ticket.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct TicketCreateInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The ID of a service that one works in.
    pub service_id: ID,
    /// 채널; `MANUAL` where absent.
    pub channel: Option<Channel>,
    /// 상태; where absent `OPEN` with somebody who looks after it, else `NEW`.
    pub status: Option<Status>,
    /// 우선순위; `NORMAL` where absent.
    pub priority: Option<Priority>,
    /// 담당자: the ID of a member who works in the service; nobody where absent.
    pub assignee_id: Option<ID>,
    /// 접수일시: not in the future; now where absent. It can't be changed later.
    pub received_at: Option<Timestamp>,
    /// 처리내용: what was done, at most 5,000 characters.
    pub processing: Option<String>,
    /// What another system calls it, 1 to 100 visible ASCII characters; unique in the service. It can't be changed later.
    pub external_reference: Option<String>,
    /// The values of the service's fields, at most 100, each field once; all that are required must be there.
    pub values: Vec<TicketValueInput>,
}

/// Changes to a ticket. Absent values stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct TicketUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// 상태.
    pub status: Option<Status>,
    /// 우선순위.
    pub priority: Option<Priority>,
    /// 담당자: the ID of a member who works in the service; null for nobody. Agents without 티켓 전달 권한 can only take tickets and leave them.
    pub assignee_id: MaybeUndefined<ID>,
    /// 처리내용: at most 5,000 characters; null takes it away.
    pub processing: MaybeUndefined<String>,
    /// The values that are to become others, at most 100, each field once.
    pub values: Option<Vec<TicketValueInput>>,
}

/// Which tickets to see in clear, and what for.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct TicketRevealInput {
    /// The IDs of tickets, 1 to 100, each once. All of them are shown, or none.
    pub ids: Vec<ID>,
    /// 사유: what they are needed for, 10 to 200 characters; it stands in the log.
    pub reason: String,
}

asks!(TicketCreateInput, TicketUpdateInput);

/// What was seen in clear is neither kept to be repeated nor tried out.
impl Ask for TicketRevealInput {
    fn idempotency_key(&self) -> Option<&str> {
        None
    }

    fn is_dry_run(&self) -> bool {
        false
    }
}
