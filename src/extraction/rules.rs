//! `extractionRequest`: what may be asked for, and by whom. A refusal of personal data in clear stands in the log, and so does
//! one of a list.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
};

use sea_orm::{ColumnTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::{
    demand::{Demand, check, reason},
    entity::{Codes, Column, Entity, Format, Model, Snapshot, State},
    eyes, file, run,
    snapshot::snapshot,
    step, sweep,
};
use crate::{
    kernel::{
        Action, Ask as _, Caller, Code, Error, ExtractionId, Job, Language, MemberId, Outcome, PiiGrantId, Plain,
        Problem, Result, ServiceId, Tx,
        extract::{Asking, Head, Source, SourceName},
        seal::{Keychain, Purpose},
        zone,
    },
    organization, pii, service,
};

/// How many of a member's files are made at a time.
const MOST_OPEN: u64 = 5;

/// What came of it.
#[derive(Debug)]
pub enum Requested {
    /// The extraction.
    Taken(Box<Model>),
    /// It may not be, for this reason, and the log has it.
    Refused(String),
}

/// Why a list is refused that whoever asks may not see.
const FORBIDDEN: &str = "FORBIDDEN";

/// What is kept of it for whoever asks once more.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Receipt {
    /// The extraction's ID; none where it was refused by a server that did not keep why.
    Taken(Option<String>),
    /// Why it was refused.
    Refused {
        /// As the log has it.
        refused: String,
    },
}

impl Outcome for Requested {
    type Receipt = Receipt;

    fn receipt(&self) -> Self::Receipt {
        match self {
            Self::Taken(extraction) => Receipt::Taken(Some(extraction.id.to_string())),
            Self::Refused(reason) => Receipt::Refused {
                refused: reason.clone(),
            },
        }
    }

    async fn again(tx: &Tx, receipt: Self::Receipt) -> Result<Self> {
        Ok(match receipt {
            Receipt::Taken(Some(id)) => Self::Taken(Box::new(tx.find::<Entity>("id", &id).await?)),
            Receipt::Taken(None) => Self::Refused(Code::UnmaskNotPermitted.name().to_owned()),
            Receipt::Refused { refused } => Self::Refused(refused),
        })
    }
}

/// What is known of a list before it is asked for in earnest.
struct Prepared {
    columns: Codes,
    service: Option<ServiceId>,
    shows_personal: bool,
    zone: chrono_tz::Tz,
    language: Language,
}

/// `extractionRequest`.
///
/// # Errors
/// As the input says; where the list is not for him, `FORBIDDEN`. Each refusal stands in the log, also where it was only tried
/// out or is told once more.
pub async fn request(caller: &Caller, input: &Demand) -> Result<Requested> {
    let (name, filter) = input.list.asked()?;
    let source = run::source(caller.app(), name)?;
    // Whoever may not is refused by the door, or below, and nothing is read for him.
    let prepared = if caller.may(Action::ExtractionRequest) && caller.may(source.action) {
        let prepared = prepare(caller, input, source, &filter).await;
        caller.release().await;
        Some(prepared?)
    } else {
        None
    };
    let (asked, prepared) = ((name, &filter), prepared.as_ref());
    let is_fresh = AtomicBool::new(false);
    let deed = async |tx: &Tx| {
        is_fresh.store(true, Ordering::Relaxed);
        match prepared {
            None => refuse(tx, input, asked, None, FORBIDDEN).await,
            Some(prepared) => keep(tx, input, asked, prepared).await,
        }
    };
    let done = caller.act(Action::ExtractionRequest, input, deed).await?;
    let Requested::Refused(reason) = &done else {
        return Ok(done);
    };
    // A refusal that was tried out, or is told once more, has left nothing in the log so far.
    if input.is_dry_run() || !is_fresh.load(Ordering::Relaxed) {
        let telling = async |tx: &Tx| refuse(tx, input, asked, prepared, reason).await;
        caller.act(Action::ExtractionRequest, &Plain, telling).await?;
    }
    match reason.as_str() {
        FORBIDDEN => Err(Error::Forbidden(source.action)),
        _ => Ok(done),
    }
}

/// Refuses it, which stands in the log.
async fn refuse(
    tx: &Tx,
    input: &Demand,
    asked: (SourceName, &Json),
    of: Option<&Prepared>,
    reason: &str,
) -> Result<Requested> {
    step::deny(tx, told(tx, input, asked, of)?, reason).await?;
    tx.refused(reason);
    Ok(Requested::Refused(reason.to_owned()))
}

/// Looks at what is asked for. No transaction for writing is open.
async fn prepare(caller: &Caller, input: &Demand, source: &Source, filter: &Json) -> Result<Prepared> {
    let mut problems = check(input);
    let view = caller.view(source.action).await?;
    let asking = Asking {
        caller,
        view: &view,
        filter,
        at: caller.now(),
        token: None,
    };
    let checked = (source.check)(&asking).await?;
    let zone = organization::own(&view)
        .await?
        .time_zone
        .parse()
        .map_err(Error::internal)?;
    let most = caller.app().settings.extraction_rows;
    if checked.count.is_some_and(|count| count > most.into()) {
        let at = format!("input.list.{}", source.name.argument());
        problems.push(Problem::at(&at, Code::ExtractionTooLarge).with("max", most));
    }
    let columns = chosen(input, &checked.heads, &mut problems);
    Error::unless_none(problems)?;
    let shows_personal = checked
        .heads
        .iter()
        .any(|head| head.is_personal && columns.0.contains(&head.code));
    Ok(Prepared {
        columns,
        service: checked.service,
        shows_personal,
        zone,
        language: caller.language(),
    })
}

/// The columns that were asked for.
fn chosen(input: &Demand, heads: &[Head], problems: &mut Vec<Problem>) -> Codes {
    let Some(columns) = &input.columns else {
        return Codes(heads.iter().map(|head| head.code.clone()).collect());
    };
    const AT: &str = "input.columns";
    match columns.len() {
        0 => problems.push(Problem::at(AT, Code::Blank)),
        1..=200 => {}
        _ => problems.push(Problem::at(AT, Code::TooMany).with("max", 200)),
    }
    let mut seen = HashSet::new();
    for (place, code) in columns.iter().enumerate().take(200) {
        let at = format!("{AT}.{place}");
        if !heads.iter().any(|head| head.code == *code) {
            let short: String = code.chars().take(50).collect();
            problems.push(Problem::at(&at, Code::ColumnNotOfList).with("column", short));
        } else if !seen.insert(code) {
            problems.push(Problem::at(&at, Code::Duplicate));
        }
    }
    Codes(columns.clone())
}

fn actor(tx: &Tx) -> Result<MemberId> {
    let member = tx.actor().member().ok_or(Error::Unauthenticated)?;
    Ok(member.member_id)
}

/// What the log says of what is asked for.
fn told(tx: &Tx, input: &Demand, (source, filter): (SourceName, &Json), of: Option<&Prepared>) -> Result<step::Told> {
    Ok(step::Told {
        extraction: None,
        requester: actor(tx)?,
        source,
        service: of.and_then(|prepared| prepared.service),
        format: input.format.unwrap_or(Format::Xlsx),
        is_unmasked: input.is_unmasked == Some(true),
        grant: None,
        // What was not looked at may be anything.
        reason: of.and_then(|_| reason(input)).map(str::to_owned),
        columns: of.map(|prepared| prepared.columns.clone()).unwrap_or_default(),
        snapshot: Snapshot(snapshot(filter)),
    })
}

async fn keep(tx: &Tx, input: &Demand, (name, filter): (SourceName, &Json), prepared: &Prepared) -> Result<Requested> {
    let member = actor(tx)?;
    let open = tx
        .select::<Entity>()
        .filter(Column::RequestedBy.eq(member))
        .filter(Column::State.is_in([State::Requested, State::Running]));
    if open.count().await? >= MOST_OPEN {
        return Err(Problem::at("input", Code::LimitReached).with("max", MOST_OPEN).into());
    }
    let grant = match input.is_unmasked {
        Some(true) => match granted(tx, member, prepared).await? {
            Ok(grant) => Some(grant),
            Err(reason) => return refuse(tx, input, (name, filter), Some(prepared), reason).await,
        },
        _ => None,
    };
    let row = fresh(tx, input, (name, filter), (member, grant), prepared).await?;
    let extraction = tx.create::<Entity>(row).await?;
    step::tell(tx, step::Kind::Requested, &extraction, None).await?;
    tx.enqueue(Job {
        kind: run::KIND,
        argument: extraction.id.to_string(),
        due_at: tx.now(),
    })
    .await?;
    tx.enqueue(sweep::job(tx.now())).await?;
    Ok(Requested::Taken(Box::new(extraction)))
}

/// The grant by which personal data may be in clear, or why they may not.
async fn granted(
    tx: &Tx,
    member: MemberId,
    prepared: &Prepared,
) -> Result<std::result::Result<PiiGrantId, &'static str>> {
    let service = match prepared.service {
        Some(id) if prepared.shows_personal => tx.seek::<service::Entity>(&id.to_string()).await?,
        _ => None,
    };
    let Some(service) = service else {
        return Ok(Err("NOTHING_MASKED"));
    };
    if let Err(reason) = pii::access(tx, member, tx.origin().address, &service, tx.now()).await? {
        return Ok(Err(eyes::told(reason)));
    }
    let grant = pii::active(tx, member).await?;
    Ok(grant.map(|grant| grant.id).ok_or("NO_GRANT"))
}

async fn fresh(
    tx: &Tx,
    input: &Demand,
    (name, filter): (SourceName, &Json),
    (member, grant): (MemberId, Option<PiiGrantId>),
    prepared: &Prepared,
) -> Result<Model> {
    let id: ExtractionId = tx.fresh_id();
    let app = tx.app();
    let keys = Keychain::for_sealing(tx, Purpose::File).await?;
    let asked = Zeroizing::new(serde_json::to_vec(
        &json!({ "filter": filter, "password": input.password }),
    )?);
    let asked = keys.seal(&app.random, &file::asked_cell(&id), &asked)?;
    let format = input.format.unwrap_or(Format::Xlsx);
    let language = prepared.language;
    let ending = match (input.password.is_some(), format) {
        (true, _) => "zip",
        (false, Format::Xlsx) => "xlsx",
        (false, Format::Csv) => "csv",
    };
    let day = zone::date_at(tx.now().0, prepared.zone);
    Ok(Model {
        id,
        organization_id: tx.organization_id(),
        source: name,
        service_id: prepared.service,
        format,
        is_unmasked: grant.is_some(),
        grant_id: grant,
        reason: reason(input).map(str::to_owned),
        columns: prepared.columns.clone(),
        snapshot: Snapshot(snapshot(filter)),
        has_password: input.password.is_some(),
        asked: Some(asked),
        language,
        state: State::Requested,
        requested_at: tx.now(),
        requested_by: member,
        address: tx.origin().address_text(),
        file_name: format!("{}-{day}.{ending}", name.label(language)),
        row_count: None,
        done_count: 0,
        byte_size: None,
        sha256: None,
        file_key: None,
        has_file: false,
        finished_at: None,
        expires_at: None,
        download_count: 0,
        failure: None,
        fence: 0,
        version: 1,
    })
}
