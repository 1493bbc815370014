//! What a phone widget sends, and what makes an event one that can be kept.

use async_graphql::InputObject;
use chrono::{Duration, Offset, TimeZone};
use chrono_tz::Tz;
use serde::Serialize;

use super::event::{Kind, Model, State};
use crate::kernel::{Code, Day, JournalPen, MemberId, PersonalKind, Problem, Timestamp, zone};

/// How far the clock of a widget may be ahead.
const SKEW: Duration = Duration::seconds(1);

/// How late an event is still taken: what a widget kept over a long weekend without a network gets in, and what comes
/// later is no log any more, since days have been downloaded without it.
const LATEST_DAYS: i64 = 7;

/// One event of the agent's telephone.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct CtiEventInput {
    /// The name that the widget gave this event, 1 to 64 visible ASCII characters, a UUID for example: unique among the member's events, so that the event is kept once however often it comes.
    #[graphql(name = "externalId")]
    pub external: String,
    /// What happened.
    pub kind: Kind,
    /// When: at most one second in the future, and at most 7 days ago. An event of another day stands in the log of that day.
    pub occurred_at: Timestamp,
    /// The new state; only with `STATE_CHANGED`, which needs it.
    pub state: Option<State>,
    /// The telephone system's name for the call, 1 to 64 visible ASCII characters; every event of a call needs it. It must not contain the customer's number.
    pub call_reference: Option<String>,
    /// The customer's number, 3 to 24 digits, hyphens, spaces, dots and brackets, with a `+` at the front if there is one. Only what masking leaves of it is kept, such as `010-****-5678`.
    pub customer_number: Option<String>,
    /// How it ended or failed, in the telephone system's own words, 1 to 40 visible ASCII characters.
    pub result_code: Option<String>,
}

/// Events of the signed-in agent's telephone.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct CtiEventsRecordInput {
    /// The events, 1 to 500, in any order. Each is taken or refused by itself; repeating all of them is safe.
    pub events: Vec<CtiEventInput>,
}

/// The row of an event, or what is wrong with it.
pub(super) fn row(
    pen: &JournalPen,
    zone: Tz,
    member_id: MemberId,
    event: &CtiEventInput,
    place: usize,
) -> Result<Model, Vec<Problem>> {
    let problems = problems(event, pen.now(), place);
    if !problems.is_empty() {
        return Err(problems);
    }
    let at = event.occurred_at;
    let offset = zone.offset_from_utc_datetime(&at.0.naive_utc()).fix();
    Ok(Model {
        organization_id: pen.organization_id(),
        member_id,
        external_id: event.external.clone(),
        day: Day(zone::date_at(at.0, zone)),
        occurred_at: at,
        utc_offset: offset.local_minus_utc(),
        kind: event.kind,
        state: event.state,
        call_reference: event.call_reference.clone(),
        customer_number: event
            .customer_number
            .as_deref()
            .map(|number| PersonalKind::Phone.mask(number)),
        result_code: event.result_code.clone(),
        recorded_at: pen.now(),
    })
}

fn problems(event: &CtiEventInput, now: Timestamp, place: usize) -> Vec<Problem> {
    let at = |field: &str, code| Problem::at(&format!("input.events.{place}.{field}"), code);
    let mut found = Vec::new();
    let texts = [
        ("externalId", Some(&event.external), 64),
        ("callReference", event.call_reference.as_ref(), 64),
        ("resultCode", event.result_code.as_ref(), 40),
    ];
    for (field, text, most) in texts {
        let Some(text) = text else { continue };
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !(1..=most).contains(&text.len()) || !is_visible {
            found.push(at(field, Code::Invalid).with("rule", format!("1–{most} ASCII")));
        } else if event
            .customer_number
            .as_ref()
            .is_some_and(|number| gives_away(text, number))
        {
            found.push(at(field, Code::Invalid).with("rule", "no customer number"));
        }
    }
    if event.occurred_at.0 > now.0 + SKEW {
        found.push(at("occurredAt", Code::EventInFuture));
    } else if event.occurred_at.0 < now.0 - Duration::days(LATEST_DAYS) {
        found.push(at("occurredAt", Code::EventTooOld).with("max", LATEST_DAYS));
    }
    match (event.kind == Kind::StateChanged, event.state) {
        (true, None) => found.push(at("state", Code::Blank)),
        (false, Some(_)) => found.push(at("state", Code::Invalid).with("rule", "STATE_CHANGED")),
        _ => {}
    }
    if event.kind.is_of_call() && event.call_reference.is_none() {
        found.push(at("callReference", Code::Blank));
    }
    if event
        .customer_number
        .as_deref()
        .is_some_and(|number| !is_number(number))
    {
        found.push(at("customerNumber", Code::Invalid).with("rule", "+82-10-1234-5678"));
    }
    found
}

fn is_number(text: &str) -> bool {
    let number = text.strip_prefix('+').unwrap_or(text);
    let is_written = number
        .chars()
        .all(|letter| letter.is_ascii_digit() || " -.()".contains(letter));
    is_written && text.len() <= 24 && number.bytes().filter(u8::is_ascii_digit).count() >= 3
}

/// Whether the digits of a customer's number stand in a text that is kept as it is, with the country's number before them or
/// without: the last eight tell whose it is. Numbers too short to be a person's may stand anywhere by chance.
fn gives_away(text: &str, number: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let number = digits(number);
    let own = number.len().checked_sub(8).map(|from| &number[from..]);
    own.is_some_and(|own| digits(text).contains(own))
}
