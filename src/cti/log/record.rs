//! `ctiEventsRecord`: events are kept, each once, on the day on which they happened.

use std::collections::{BTreeSet, HashMap};

use chrono_tz::Tz;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{call, day, event, input, input::CtiEventsRecordInput, purge};
use crate::{
    agent,
    cti::setting,
    kernel::{Code, Error, JournalPen, MemberId, Problem, Result},
};

/// Most events at once.
const MOST: usize = 500;

/// What came of one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, async_graphql::Enum)]
#[graphql(name = "CtiEventOutcome")]
pub enum Kept {
    /// It stands in the log, since now or since before.
    Kept,
    /// It is as it should be, and the log is off: CTI Log 모니터링.
    NotKept,
    /// It can't be kept; the user errors say why.
    Refused,
}

/// What came of all of them, in their order.
#[derive(Debug)]
pub struct Recorded {
    /// Each event's outcome.
    pub outcomes: Vec<Kept>,
    /// Why some were refused.
    pub problems: Vec<Problem>,
    /// Whether the log is on.
    pub is_monitored: bool,
}

/// Keeps the events that can be kept, whatever is wrong with others: a widget that lost its network has to be rid of what
/// it holds. Whether the log is on is asked now, not of the time of the event. At most six statements, and three more where
/// agents called somebody.
///
/// # Errors
/// `BLANK`, `TOO_MANY`, `AGENT_HAS_NO_PHONE_RIGHT`: nothing was kept. What is wrong with single events is no error.
pub async fn record(pen: &JournalPen, zone: Tz, input: &CtiEventsRecordInput) -> Result<Recorded> {
    let member = pen.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    match input.events.len() {
        0 => return Err(Problem::at("input.events", Code::Blank).into()),
        1..=MOST => {}
        _ => return Err(Problem::at("input.events", Code::TooMany).with("max", MOST).into()),
    }
    if !agent::has_phone_anywhere(pen, member).await? {
        return Err(Problem::of(Code::AgentHasNoPhoneRight).into());
    }
    // Whoever has the phone right has it by a contract with the telephone, and so needs no second look at contracts.
    let setting = setting::read(pen).await?;
    let is_monitored = setting.is_cti_log_monitored;
    let mut batch = Batch::of(pen, zone, member, input);
    if is_monitored {
        let added = write(pen, zone, &batch.rows).await?;
        if added < batch.rows.len() as u64 {
            batch.compare(&known(pen, member, &batch.rows).await?, Kept::Kept);
        }
    } else {
        batch.compare(&known(pen, member, &batch.rows).await?, Kept::NotKept);
    }
    let makes_all = setting.is_outbound_ticket_auto_created;
    if let Some(mut jobs) = call::note(pen, &batch.taken(), makes_all).await? {
        let days: BTreeSet<_> = batch.rows.iter().map(|row| row.day).collect();
        for day in days {
            jobs.push(purge::job(pen.app(), day, zone)?);
        }
        pen.enqueue(jobs).await?;
    }
    Ok(batch.finish(is_monitored))
}

/// Adds what is not there yet, and has the day go when its time is over.
async fn write(pen: &JournalPen, zone: Tz, rows: &[event::Model]) -> Result<u64> {
    let days: BTreeSet<_> = rows.iter().map(|row| (row.day, row.member_id)).collect();
    if days.is_empty() {
        return Ok(0);
    }
    let open = |(day, member_id): &(_, _)| day::Model {
        organization_id: pen.organization_id(),
        day: *day,
        member_id: *member_id,
        opened_at: pen.now(),
    };
    let opened = pen.add::<day::Entity>(days.iter().map(open).collect()).await?;
    if opened > 0 {
        let jobs = days.iter().map(|(day, _)| purge::job(pen.app(), *day, zone));
        pen.enqueue(jobs.collect::<Result<_>>()?).await?;
    }
    pen.add::<event::Entity>(rows.to_vec()).await
}

/// The rows that are there under the names of these.
async fn known(pen: &JournalPen, member: MemberId, rows: &[event::Model]) -> Result<HashMap<String, event::Model>> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let names = rows.iter().map(|row| row.external_id.as_str());
    let same = event::Column::ExternalId.is_in(names);
    let rows = pen
        .select::<event::Entity>()
        .filter(event::Column::MemberId.eq(member))
        .filter(same);
    Ok(rows
        .all()
        .await?
        .into_iter()
        .map(|row| (row.external_id.clone(), row))
        .collect())
}

/// The events of a request: those that can be kept as rows, each name once.
struct Batch {
    rows: Vec<event::Model>,
    /// For each event, the row that it is; `None` where it was refused.
    places: Vec<Option<usize>>,
    /// What comes of each row.
    fates: Vec<Kept>,
    problems: Vec<Problem>,
}

impl Batch {
    fn of(pen: &JournalPen, zone: Tz, member: MemberId, input: &CtiEventsRecordInput) -> Self {
        let mut batch = Self {
            rows: Vec::with_capacity(input.events.len()),
            places: Vec::with_capacity(input.events.len()),
            fates: Vec::new(),
            problems: Vec::new(),
        };
        let mut names = HashMap::<&str, usize>::new();
        for (place, sent) in input.events.iter().enumerate() {
            let row = match input::row(pen, zone, member, sent, place) {
                Ok(row) => row,
                Err(problems) => {
                    batch.problems.extend(problems);
                    batch.places.push(None);
                    continue;
                }
            };
            let earlier = names.get(sent.external.as_str()).copied();
            batch.places.push(
                match earlier.and_then(|number| Some((number, batch.rows.get(number)?))) {
                    Some((number, other)) if other.tells_the_same(&row) => Some(number),
                    Some(_) => {
                        batch.problems.push(conflict(place));
                        None
                    }
                    None => {
                        names.insert(&sent.external, batch.rows.len());
                        batch.rows.push(row);
                        Some(batch.rows.len() - 1)
                    }
                },
            );
        }
        batch.fates = vec![Kept::Kept; batch.rows.len()];
        batch
    }

    /// Says what becomes of each row, beside what is there: the same, something else, or nothing, which is `otherwise`.
    fn compare(&mut self, known: &HashMap<String, event::Model>, otherwise: Kept) {
        self.fates = self
            .rows
            .iter()
            .map(|row| match known.get(&row.external_id) {
                Some(other) if other.tells_the_same(row) => Kept::Kept,
                Some(_) => Kept::Refused,
                None => otherwise,
            })
            .collect();
    }

    /// The events that were not refused.
    fn taken(&self) -> Vec<event::Model> {
        let rows = self.rows.iter().zip(&self.fates);
        let taken = rows.filter(|(_, fate)| **fate != Kept::Refused);
        taken.map(|(row, _)| row.clone()).collect()
    }

    fn finish(mut self, is_monitored: bool) -> Recorded {
        let mut outcomes = Vec::with_capacity(self.places.len());
        for (place, row) in self.places.iter().enumerate() {
            let fate = row.and_then(|row| self.fates.get(row).copied());
            if row.is_some() && fate == Some(Kept::Refused) {
                self.problems.push(conflict(place));
            }
            outcomes.push(fate.unwrap_or(Kept::Refused));
        }
        Recorded {
            outcomes,
            problems: self.problems,
            is_monitored,
        }
    }
}

fn conflict(place: usize) -> Problem {
    Problem::at(&format!("input.events.{place}.externalId"), Code::EventConflict)
}
