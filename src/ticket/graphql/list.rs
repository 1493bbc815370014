//! The list of tickets: what it is narrowed by, and how often somebody may look for a personal value.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Duration, Months};

use super::value;
use crate::{
    kernel::{
        Action, Caller, Error, MemberId, PageRequest, Personal, Result, ServiceId, Timestamp, View,
        page::{Cursors, connection},
        security::{self, Brake},
    },
    service::graphql::DateTimeRange,
    ticket::{
        entity::{Channel, Model, Status},
        filled,
        ground::{Ground, GroundOf},
        search::{self, Is, Term, WIDEST, Wanted},
        term,
    },
};

connection! { TicketConnection, TicketEdge, Model, "ticket", "tickets" }

/// How often a member may look for personal values: whoever tries numbers one after the other finds nobody.
const LOOKING: Brake = Brake {
    name: "ticket search",
    attempts: 30,
    window: Duration::minutes(1),
};

/// How many months back a list goes where nothing else is said.
const MONTHS: Months = Months::new(6);

/// The longest value to search by, in characters.
const LONGEST: usize = 200;

/// Which value tickets have: exactly one of `equals` and `beginsWith`.
#[derive(Clone, InputObject)]
pub struct TicketValueFilter {
    /// 코드: a field of type `TEXT`, `DROPDOWN`, `RADIO` or `DATE`.
    pub code: String,
    /// The value is this, 1 to 200 characters, whatever the case; of encrypted values also however it is written, such as 010-1234-5678 and +82 10 1234 5678. A member can look for encrypted values 30 times a minute.
    pub equals: Option<String>,
    /// The value begins with this, 2 to 48 characters, whatever the case. Not for encrypted values.
    pub begins_with: Option<String>,
}

impl std::fmt::Debug for TicketValueFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Which tickets; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct TicketFilter {
    /// 접수일시: in this span, at most 6 months (184 days) wide. Without an end it ends now; without a beginning it begins 6 months before its end. A ticket that is named by number or by another system is found whenever it came.
    pub received_at: Option<DateTimeRange>,
    /// 상태: any of these, at most 5.
    pub status: Option<Vec<Status>>,
    /// 채널.
    pub channel: Option<Channel>,
    /// 담당자: the ID of a member.
    pub assignee_id: Option<ID>,
    /// 번호: counted in the service from 1.
    pub number: Option<i32>,
    /// What another system calls it, exactly; at most 100 characters.
    pub external_reference: Option<String>,
    /// The value of a field.
    pub value: Option<TicketValueFilter>,
}

/// A page of the tickets of a service; `None` where the caller has no place in it.
pub(super) async fn page(
    context: &Context<'_>,
    service: &str,
    request: PageRequest,
    filter: TicketFilter,
) -> Result<Option<TicketConnection>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::TicketRead).await?;
    let actor = caller.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    let Ok(service) = service.parse::<ServiceId>() else {
        return Ok(None);
    };
    let ground = view.loader.load_one(GroundOf(service, actor)).await;
    let Some(ground) = ground.map_err(Error::internal)? else {
        return Ok(None);
    };
    let wanted = Box::pin(wanted(caller, &view, (service, &ground), filter, true)).await?;
    let order = format!("tickets {service}");
    let cursors = Cursors::new(&caller.app().keys, view.organization_id(), &order);
    let page = Box::pin(search::page(&view, &wanted, &request, &cursors)).await?;
    let total = match context.look_ahead().field("totalCount").exists() {
        true if page.is_whole() => page.edges.len() as u64,
        true => search::count(&view, &wanted).await?,
        false => 0,
    };
    Ok(Some(TicketConnection::of(page, total)))
}

/// What is asked for. Whoever looks for a personal value is counted, where this is a look of his own.
pub(super) async fn wanted(
    caller: &Caller,
    view: &View,
    (service, ground): (ServiceId, &Ground),
    filter: TicketFilter,
    is_counted: bool,
) -> Result<Wanted> {
    let now = caller.now();
    let is_named = filter.number.is_some() || filter.external_reference.is_some();
    let (from, to) = span(filter.received_at.as_ref(), now, is_named)?;
    if filter.status.as_ref().is_some_and(|states| states.len() > 5) {
        return Err(Error::BadInput("`status` has at most 5 values.".into()));
    }
    if let Some(name) = &filter.external_reference
        && (name.len() > 100 || name.contains('\0'))
    {
        return Err(Error::BadInput(
            "`externalReference` is as long as its description says.".into(),
        ));
    }
    let mut status = filter.status;
    if let Some(states) = &mut status {
        let mut seen = Vec::new();
        states.retain(|status| {
            !seen.contains(status) && {
                seen.push(*status);
                true
            }
        });
    }
    let nobody = MemberId(uuid::Uuid::nil());
    let assignee = filter.assignee_id.map(|id| id.parse().unwrap_or(nobody));
    let term = match &filter.value {
        Some(value) => Some(term_of(caller, view, (service, ground), value, is_counted).await?),
        None => None,
    };
    Ok(Wanted {
        service,
        from,
        to,
        status,
        channel: filter.channel,
        assignee,
        number: filter.number,
        external: filter.external_reference,
        term,
    })
}

/// From when to when; the end is open where nothing is said of it.
fn span(range: Option<&DateTimeRange>, now: Timestamp, is_named: bool) -> Result<(Timestamp, Option<Timestamp>)> {
    let (from, to) = range.map_or((None, None), |range| (range.from, range.to));
    if is_named && range.is_none() {
        return Ok((Timestamp(DateTime::UNIX_EPOCH), None));
    }
    let end = to.unwrap_or(now).0;
    let from = match from {
        Some(from) => from.0,
        None => end.checked_sub_months(MONTHS).unwrap_or(end),
    };
    if end - from > WIDEST {
        return Err(Error::BadInput("`receivedAt` spans at most 6 months.".into()));
    }
    Ok((Timestamp(from), to))
}

async fn term_of(
    caller: &Caller,
    view: &View,
    (service, ground): (ServiceId, &Ground),
    filter: &TicketValueFilter,
    is_counted: bool,
) -> Result<Term> {
    let wrong = |text: &str| Err(Error::BadInput(text.to_owned()));
    let known = ground.field(&filter.code).filter(|field| term::is_searchable(field));
    let Some(field) = known else {
        return wrong("`value.code` is no field of the service that tickets are found by.");
    };
    let fits = |text: &str, least, most| {
        let length = term::normal(text).chars().count();
        !text.chars().any(char::is_control) && length >= least && text.chars().count() <= most
    };
    let is = match (&filter.equals, &filter.begins_with) {
        (Some(text), None) if !fits(text, 1, LONGEST) => return wrong("`value.equals` has 1 to 200 characters."),
        (Some(text), None) if field.is_encrypted => {
            let value = Personal::new(service, filled::kind(field), text.trim().to_owned());
            if is_counted {
                brake(caller).await?;
            }
            let keys = value::keys_of(view).await?;
            let token = keys.index.as_ref();
            let token = token.and_then(|index| term::of_personal(field, &value, index));
            token.map_or(Is::Nothing, Is::Equal)
        }
        (Some(text), None) => Is::Equal(term::of_text(text)),
        (None, Some(_)) if field.is_encrypted => {
            return wrong("Encrypted values are found by `value.equals` only.");
        }
        (None, Some(text)) if !fits(text, 2, term::LONGEST) => {
            return wrong("`value.beginsWith` has 2 to 48 characters.");
        }
        (None, Some(text)) => {
            let (from, to) = term::of_beginning(text);
            Is::Between(from, to)
        }
        _ => return wrong("Give `equals` or `beginsWith`: exactly one."),
    };
    Ok(Term { field: field.id, is })
}

/// Counts that a member looks for a personal value.
async fn brake(caller: &Caller) -> Result<()> {
    let member = caller.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    let Some(stop) = security::attempt(caller, &[(LOOKING, member.to_string())]).await? else {
        return Ok(());
    };
    if stop.is_first {
        caller.alarm(Action::TicketRead, "SEARCH_THROTTLED");
    }
    let wait = (stop.until.0 - caller.now().0).num_seconds().max(1);
    Err(Error::Busy(u32::try_from(wait).unwrap_or(60)))
}
