//! What the telephone of the demo's agent told in the last days: for the CTI log.

use chrono::{Days, Duration};

use super::{
    people::signed_in,
    seed::{ZONE, at},
};
use crate::{
    cti::log::{self, CtiEventInput, CtiEventsRecordInput, Kind, State},
    kernel::{Action, Caller, Error, Result, Timestamp, zone},
};

/// The agent who handles calls.
const LOGIN: &str = "agent.kang";

/// How many days his telephone tells of, today among them.
const DAYS: u64 = 3;

/// How many calls come on a day.
const CALLS: i64 = 6;

/// Fills the last days of the CTI log.
///
/// # Errors
/// If the database fails.
pub(super) async fn telephone(owner: &Caller) -> Result<()> {
    let organization = owner.organization_id().ok_or(Error::Unauthenticated)?;
    let agent = signed_in(owner.app(), organization, LOGIN).await?;
    let today = zone::date_at(owner.now().0, ZONE);
    for back in (0..DAYS).rev() {
        let Some(day) = today.checked_sub_days(Days::new(back)) else {
            continue;
        };
        let begin = at(day, 9);
        let mut events = vec![event(&agent, Kind::LoggedIn, begin, None)];
        events.extend((0..CALLS).flat_map(|number| call(&agent, begin + Duration::minutes(12 + 55 * number))));
        events.push(event(&agent, Kind::LoggedOut, begin + Duration::hours(8), None));
        // Today has come as far as it has come.
        events.retain(|event| event.occurred_at <= owner.now());
        if events.is_empty() {
            continue;
        }
        let input = CtiEventsRecordInput { events };
        let deed = async |pen: &_| log::record(pen, ZONE, &input).await;
        agent.note(Action::CtiEventsRecord, deed).await?;
    }
    Ok(())
}

/// One call from its ring to its end; one in five is not answered.
fn call(agent: &Caller, begin: chrono::DateTime<chrono::Utc>) -> Vec<CtiEventInput> {
    let random = &agent.app().random;
    let reference = format!("c-{}", begin.timestamp());
    let number = format!("010-{:04}-{:04}", random.below(10_000), random.below(10_000));
    let talk = Duration::seconds(40 + i64::try_from(random.below(400)).unwrap_or(0));
    let of_call = |kind, at| CtiEventInput {
        call_reference: Some(reference.clone()),
        customer_number: Some(number.clone()),
        ..event(agent, kind, at, None)
    };
    let answered = begin + Duration::seconds(4);
    if random.below(5) == 0 {
        return vec![
            of_call(Kind::CallRang, begin),
            of_call(Kind::CallMissed, begin + Duration::seconds(20)),
        ];
    }
    vec![
        of_call(Kind::CallRang, begin),
        of_call(Kind::CallConnected, answered),
        event(agent, Kind::StateChanged, answered, Some(State::InCall)),
        of_call(Kind::CallEnded, answered + talk),
        event(agent, Kind::StateChanged, answered + talk, Some(State::WorkTicket)),
        event(
            agent,
            Kind::StateChanged,
            answered + talk + Duration::minutes(2),
            Some(State::Waiting),
        ),
    ]
}

fn event(agent: &Caller, kind: Kind, at: chrono::DateTime<chrono::Utc>, state: Option<State>) -> CtiEventInput {
    CtiEventInput {
        external: format!("{:016x}", u64::from_be_bytes(agent.app().random.bytes())),
        kind,
        occurred_at: Timestamp(at),
        state,
        call_reference: None,
        customer_number: None,
        result_code: None,
    }
}
