//! What the API says of tickets. They exist for whoever works in their service, and for nobody else.

mod extract;
mod list;
mod value;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, ID, Object, SimpleObject};

use super::{
    entity::{Entity, Model},
    input::{TicketCreateInput, TicketRevealInput, TicketUpdateInput},
    reveal::{self, Revealed, Shown},
    rules,
};
use crate::{
    billing::graphql::ById,
    kernel::{
        Action, Caller, Code, Error, On, PageRequest, Result,
        audit::UNREADABLE,
        message::Word,
        payload::{payload, settle, user_errors},
    },
    member::{Member, search::ById as MemberById},
    service::{Service, graphql::PossibleAction},
};

pub use extract::{SOURCE, TicketExtraction};
pub use list::{TicketConnection, TicketEdge, TicketFilter, TicketValueFilter};
pub use value::{TicketValue, TicketValueFault};

/// What is wrong with the value of a field, in the words that files are told with too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum FieldValueWrong {
    /// It must be there.
    Required,
    /// It has too many characters.
    Length,
    /// It does not have the form, is none of the options, or is a mask.
    Invalid,
}

user_errors! { TicketUserError, TicketErrorCode, "a ticket", {
    /// A value is needed.
    Blank,
    /// A value is too short.
    TooShort,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// A number or an instant is too small or too large.
    OutOfRange,
    /// There are too many of them.
    TooMany,
    /// It is in the list twice.
    Duplicate,
    /// Another ticket of the service has this name in another system.
    Taken,
    /// A field of this type can't be given.
    NotForType,
    /// It is a mask of something else than what is there: it is not stored.
    MaskedValue,
    /// The member does not work in the service.
    NoServiceRole,
    /// The caller may take tickets, but not pass them on: 티켓 전달 권한.
    ForwardRightRequired,
    /// The contract of the service has not been completed.
    ContractNotCompleted,
    /// The service is suspended.
    ServiceNotInUse,
    /// The service has been terminated.
    ServiceTerminated,
    /// The caller has no grant to see personal data.
    PiiNoGrant,
    /// His grant was taken back, or its time is over.
    PiiGrantEnded,
    /// His e-mail address is not the one any more that was granted.
    EmailDiffers,
    /// His grant is not for the service.
    PiiOutOfScope,
    /// His grant is not for the address that he asks from.
    PiiAddressNotAllowed,
}, {
    /// 코드: the field whose value is at fault; null where none is.
    async fn field_code(&self) -> Option<&str> {
        self.problem.words.iter().find_map(|(name, word)| match word {
            Word::Same(code) if *name == "field" => Some(code.as_str()),
            Word::Same(_) | Word::Own { .. } => None,
        })
    }

    /// What is wrong with the field's value; null where it is no field's.
    async fn value_wrong(&self) -> Option<FieldValueWrong> {
        let is_of_field = self.problem.words.iter().any(|(name, _)| *name == "field");
        match self.problem.code {
            _ if !is_of_field => None,
            Code::Blank => Some(FieldValueWrong::Required),
            Code::TooLong => Some(FieldValueWrong::Length),
            _ => Some(FieldValueWrong::Invalid),
        }
    }
} }

payload! { TicketCreatePayload, "ticketCreate", TicketUserError, {
    /// The new ticket; null where there are user errors.
    ticket: Model,
} }
payload! { TicketUpdatePayload, "ticketUpdate", TicketUserError, {
    /// The ticket as it is now, also where it was not changed; null where there is none.
    ticket: Model,
} }
payload! { TicketRevealPayload, "ticketReveal", TicketUserError, {}, {
    /// The tickets in the order of their IDs, at most 100; empty where there are user errors.
    tickets: RevealedTicket,
} }

/// A ticket with its personal data in clear.
#[derive(Debug, SimpleObject)]
pub struct RevealedTicket {
    /// The ticket, in which they are masked as ever.
    pub ticket: Model,
    /// 개인정보: its encrypted values, in the order of the fields, at most 100.
    pub values: Vec<RevealedValue>,
}

/// A personal value in clear.
#[derive(SimpleObject)]
pub struct RevealedValue {
    /// 코드: the field.
    pub code: String,
    /// The value; null where there is a fault.
    pub text: Option<String>,
    /// Why it is not shown; null where it is.
    pub fault: Option<TicketValueFault>,
}

impl std::fmt::Debug for RevealedValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl From<Shown> for RevealedTicket {
    fn from(shown: Shown) -> Self {
        let value = |(code, text): (String, Option<String>)| RevealedValue {
            code,
            fault: text.is_none().then_some(TicketValueFault::Unreadable),
            text,
        };
        Self {
            ticket: shown.ticket,
            values: shown.values.into_iter().map(value).collect(),
        }
    }
}

#[ComplexObject]
impl Model {
    /// The service.
    async fn service(&self, context: &Context<'_>) -> Result<Option<Service>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::TicketRead).await?;
        let service = view.loader.load_one(ById(self.service_id)).await;
        service.map_err(Error::internal)
    }

    /// 담당자: who looks after it, or did until it was done; null for nobody.
    async fn assignee(&self, context: &Context<'_>) -> Result<Option<Member>> {
        let Some(assignee) = self.assignee_id else {
            return Ok(None);
        };
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::TicketRead).await?;
        let member = view.loader.load_one(MemberById(assignee)).await;
        member.map_err(Error::internal)
    }

    /// The values of the fields that the caller sees, in their order, at most 100; personal data masked.
    async fn values(&self, context: &Context<'_>) -> Result<Vec<TicketValue>> {
        value::of_ticket(context, self).await
    }

    /// What the caller can do with it now, and why not where not; at most 10. Whether personal data are shown to him in clear, `piiAccess` says.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let works = value::ground(context, self).await?.is_some();
        let one = |name: Action| {
            let is_allowed = caller.may(name) && works;
            PossibleAction {
                name,
                is_allowed,
                reason_code: (!is_allowed).then(|| "FORBIDDEN".to_owned()),
                available_at: None,
            }
        };
        Ok(vec![one(Action::TicketUpdate)])
    }
}

/// The tickets of these IDs that the caller may know of.
pub(crate) async fn find(context: &Context<'_>, ids: &[&str]) -> Result<Vec<Model>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let Some(view) = caller.view_if_allowed(Action::TicketRead).await? else {
        return Ok(Vec::new());
    };
    let mut seen = Vec::new();
    for ticket in view.seek_many::<Entity>(ids).await? {
        if value::ground(context, &ticket).await?.is_some() {
            seen.push(ticket);
        }
    }
    Ok(seen)
}

/// Tickets, to look at.
#[derive(Debug, Default)]
pub struct TicketQuery;

#[Object]
impl TicketQuery {
    /// 티켓: the tickets of a service, the latest first, for whoever works in it; null where there is no such service in use, or none of his. Needs `TICKET_READ`.
    #[expect(clippy::too_many_arguments, reason = "a list's arguments, as the schema has them")]
    async fn tickets(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The service's ID.")] service_id: ID,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which tickets; those of the last 6 months where absent.")] filter: Option<TicketFilter>,
    ) -> Result<Option<TicketConnection>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        list::page(context, &service_id, request, filter.unwrap_or_default()).await
    }
}

/// Tickets, to change.
#[derive(Debug, Default)]
pub struct TicketMutation;

#[Object]
impl TicketMutation {
    /// 티켓 생성: adds a ticket to a service in use, for whoever works in it. Needs `TICKET_CREATE`, and a place in the service.
    async fn ticket_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The new ticket.")] input: TicketCreateInput,
    ) -> Result<TicketCreatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::create(tx, &input).await;
        let (ticket, problems) = settle(caller.act(Action::TicketCreate, &input, deed).await)?;
        Ok(TicketCreatePayload {
            ticket: reached(context, ticket).await?,
            user_errors: TicketUserError::all(problems)?,
        })
    }

    /// 티켓 수정: changes a ticket, for whoever works in its service. Absent values stay as they are; so does what comes back masked. Needs `TICKET_UPDATE`, and a place in the service.
    async fn ticket_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The ticket's ID.")] id: ID,
        #[graphql(desc = "The changes.")] input: TicketUpdateInput,
    ) -> Result<TicketUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::TicketUpdate, &On(&id, &input), deed).await)?;
        let ticket = match done {
            Some(ticket) => Some(ticket),
            None => find(context, &[&id]).await?.pop(),
        };
        Ok(TicketUpdatePayload {
            ticket: reached(context, ticket).await?,
            user_errors: TicketUserError::all(problems)?,
        })
    }

    /// 개인정보 조회: shows personal data of tickets in clear, for whoever has a grant for it, from where he asks; it is logged ticket by ticket, and so is each refusal. Needs `TICKET_REVEAL`, and a grant.
    async fn ticket_reveal(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which tickets, and what for.")] input: TicketRevealInput,
    ) -> Result<TicketRevealPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| reveal::reveal(tx, &input).await;
        let (done, problems) = settle(caller.act(Action::TicketReveal, &input, deed).await)?;
        let (shown, refusals) = match done {
            Some(Revealed::Shown(shown)) => (shown, Vec::new()),
            Some(Revealed::Refused(refusals)) => (Vec::new(), refusals),
            None => (Vec::new(), problems),
        };
        let is_broken = |shown: &Shown| shown.values.iter().any(|(_, clear)| clear.is_none());
        if shown.iter().any(is_broken) {
            caller.alarm(Action::TicketReveal, UNREADABLE);
        }
        Ok(TicketRevealPayload {
            tickets: shown.into_iter().map(RevealedTicket::from).collect(),
            user_errors: TicketUserError::all(refusals)?,
        })
    }
}

/// A ticket, if whoever asks works in its service now: who repeats a deed may have lost his place since.
async fn reached(context: &Context<'_>, ticket: Option<Model>) -> Result<Option<Model>> {
    match ticket {
        Some(ticket) if value::ground(context, &ticket).await?.is_none() => Ok(None),
        ticket => Ok(ticket),
    }
}
