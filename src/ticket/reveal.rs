//! `ticketReveal`: personal data of tickets in clear, for whoever holds a grant that says so now, from where he asks. What
//! is shown stands in the log before it leaves, ticket by ticket; where the log does not take it, nothing leaves.

use std::collections::{HashMap, HashSet};

use super::{
    entity::{Entity, Model},
    filled,
    ground::{self, Ground},
    input::TicketRevealInput,
};
use crate::{
    kernel::{
        Code, Error, MemberId, Outcome, Problem, Result, ServiceId, Tx, Unmasking, personal::Masked, seal::FieldKeys,
    },
    pii,
    service::{self, Service},
};

/// The most tickets at once.
const MOST: usize = 100;

/// How long a reason is, in characters.
const REASON: std::ops::RangeInclusive<usize> = 10..=200;

/// What came of it.
pub enum Revealed {
    /// The tickets, in the order that was asked for.
    Shown(Vec<Shown>),
    /// Nothing of any of them, and why.
    Refused(Vec<Problem>),
}

/// A ticket whose personal data are shown.
pub struct Shown {
    /// The ticket.
    pub ticket: Model,
    /// Its encrypted values in clear, by the codes of their fields; `None` for one that does not open.
    pub values: Vec<(String, Option<String>)>,
}

/// What is shown is kept nowhere: it can't be asked for again but by a new deed.
impl Outcome for Revealed {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("what was revealed is not kept"))
    }
}

/// Shows all of the tickets, or none. The decision is made in this transaction, for each service once.
///
/// # Errors
/// As the input says; a refusal is no error, since it stands in the log.
pub async fn reveal(tx: &Tx, input: &TicketRevealInput) -> Result<Revealed> {
    let reason = input.reason.trim();
    Error::unless_none(check(input, reason))?;
    let member = tx.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    let texts: Vec<&str> = input.ids.iter().map(|id| id.as_str()).collect();
    let found = tx.seek_many::<Entity>(&texts).await?;
    let mut found: HashMap<String, Model> = found.into_iter().map(|row| (row.id.to_string(), row)).collect();
    let services: HashSet<ServiceId> = found.values().map(|ticket| ticket.service_id).collect();
    let services: Vec<ServiceId> = services.into_iter().collect();
    let grounds = ground::of(tx, &services, &[member]).await?;
    let tokens = decide(tx, member, &services).await?;
    let mut refusals = Vec::new();
    let mut allowed = Vec::new();
    for (place, id) in texts.iter().enumerate() {
        let at = format!("input.ids.{place}");
        let Some(ticket) = found.remove(*id) else {
            return Err(Error::not_found(&at));
        };
        let ground = grounds.get(&(ticket.service_id, member));
        match (ground, tokens.get(&ticket.service_id)) {
            (Some(ground), Some(Ok(token))) => allowed.push((ticket, ground, token)),
            (None, _) | (_, None) => refusals.push((Masked::NoRight, at)),
            (_, Some(Err(reason))) => refusals.push((*reason, at)),
        }
    }
    if let Some((first, _)) = refusals.first() {
        tx.because(reason)?;
        tx.refused(name(*first));
        let problem = |(reason, at): &(Masked, String)| Problem::at(at, code(*reason));
        return Ok(Revealed::Refused(refusals.iter().map(problem).collect()));
    }
    let keys = FieldKeys::of(tx, tx.app()).await?;
    let mut shown = Vec::with_capacity(allowed.len());
    tx.because(reason)?;
    for (ticket, ground, token) in allowed {
        let values = values(&keys, &ticket, ground, token);
        let codes: Vec<&str> = values.iter().map(|(code, _)| code.as_str()).collect();
        tx.used::<Entity>(&ticket, "revealed", &codes)?;
        shown.push(Shown { ticket, values });
    }
    Ok(Revealed::Shown(shown))
}

/// Whether the member sees each service's personal data in clear now.
async fn decide(tx: &Tx, member: MemberId, services: &[ServiceId]) -> Result<HashMap<ServiceId, pii::Access>> {
    let texts: Vec<String> = services.iter().map(ToString::to_string).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let rows: Vec<Service> = tx.seek_many::<service::Entity>(&texts).await?;
    let mut decided = HashMap::new();
    for service in rows {
        let access = pii::access(tx, member, tx.origin().address, &service, tx.now()).await?;
        decided.insert(service.id, access);
    }
    Ok(decided)
}

fn values(keys: &FieldKeys, ticket: &Model, ground: &Ground, token: &Unmasking) -> Vec<(String, Option<String>)> {
    let encrypted = ground.fields.iter().filter(|field| field.is_encrypted);
    let one = |field: &crate::field::Field| {
        let opened = filled::open(&keys.values, ticket, field);
        let clear = match opened {
            Ok(None) => return None,
            Ok(Some(value)) => value.reveal(token).map(str::to_owned),
            Err(broken) => {
                tracing::error!(ticket = %ticket.id, field = %field.id, %broken, "a sealed value does not open");
                None
            }
        };
        Some((field.code.clone(), clear))
    };
    encrypted.filter_map(one).collect()
}

fn check(input: &TicketRevealInput, reason: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    match input.ids.len() {
        0 => problems.push(Problem::at("input.ids", Code::Blank)),
        1..=MOST => {}
        _ => return vec![Problem::at("input.ids", Code::TooMany).with("max", MOST)],
    }
    let mut seen = HashSet::new();
    for (place, id) in input.ids.iter().enumerate() {
        if !seen.insert(id.as_str()) {
            problems.push(Problem::at(&format!("input.ids.{place}"), Code::Duplicate));
        }
    }
    const AT: &str = "input.reason";
    match reason.chars().count() {
        0 => problems.push(Problem::at(AT, Code::Blank)),
        length if length < *REASON.start() => {
            problems.push(Problem::at(AT, Code::TooShort).with("min", REASON.start()));
        }
        length if length > *REASON.end() => problems.push(Problem::at(AT, Code::TooLong).with("max", REASON.end())),
        _ if reason.chars().any(char::is_control) => {
            problems.push(Problem::at(AT, Code::Invalid).with("rule", "control characters"));
        }
        _ => {}
    }
    problems
}

/// What whoever asks is told. Where he has no place there is no ticket.
fn code(reason: Masked) -> Code {
    match reason {
        Masked::NoRight => Code::NotFound,
        Masked::NoGrant => Code::PiiNoGrant,
        Masked::Revoked | Masked::Expired => Code::PiiGrantEnded,
        Masked::EmailDiffers => Code::EmailDiffers,
        Masked::OutOfScope => Code::PiiOutOfScope,
        Masked::AddressNotAllowed => Code::PiiAddressNotAllowed,
    }
}

/// What the log is told.
fn name(reason: Masked) -> &'static str {
    match reason {
        Masked::NoRight => "NO_RIGHT",
        Masked::NoGrant => "NO_GRANT",
        Masked::Revoked => "REVOKED",
        Masked::Expired => "EXPIRED",
        Masked::EmailDiffers => "EMAIL_DIFFERS",
        Masked::OutOfScope => "OUT_OF_SCOPE",
        Masked::AddressNotAllowed => "ADDRESS_NOT_ALLOWED",
    }
}
