//! What can be done with grants: giving, changing and taking them back; and what ends one without anybody's word. Nobody
//! gives himself anything, nor changes what he has; giving up one's own is free.

use std::collections::HashSet;

use chrono::Months;
use sea_orm::{
    ColumnTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::{
    change::{self, Kind},
    grant::{self, Entity, Model, Networks, Scope, Status},
    input::{PiiGrantCreateInput, PiiGrantRevokeInput, PiiGrantUpdateInput},
    network,
};
use crate::{
    admin::rank::{Rank, Standing},
    agent, cti,
    kernel::{
        Action, App, Caller, Code, Error, Job, MemberId, OrganizationId, Plain, Problem, Result, ServiceId, Timestamp,
        Tx, outbox::Fate,
    },
    member::{self, Member},
    service,
};

/// The job that notes the end of a grant.
pub const LAPSE: &str = "pii-grant-lapse";

/// The most services that a grant names: as many as there can be.
const MOST_SERVICES: usize = 100;

/// How long a purpose is, in characters.
const PURPOSE: std::ops::RangeInclusive<usize> = 10..=200;

/// How long a reason is at most.
const LONGEST_REASON: usize = 200;

/// How long a grant holds at most, and where nothing is said.
const LONGEST: Months = Months::new(12);

/// `piiGrantCreate`.
///
/// # Errors
/// As the input says, all at once; `NOT_FOUND`, `NOT_ONESELF`, `MEMBER_LEFT`, `NO_SERVICE_ROLE` and `PII_GRANT_EXISTS` at
/// `input.memberId`.
pub async fn create(tx: &Tx, input: &PiiGrantCreateInput) -> Result<Model> {
    check_actor(tx).await?;
    let holder = tx.find::<member::Entity>("input.memberId", &input.member_id).await?;
    if let Some(code) = obstacle(tx, &holder).await? {
        return Err(Problem::at("input.memberId", code).into());
    }
    end_if_over(tx, &holder).await?;
    let mut problems = Vec::new();
    if grant::active(tx, holder.id).await?.is_some() {
        problems.push(Problem::at("input.memberId", Code::PiiGrantExists));
    }
    problems.extend(check_email(&input.email, &holder));
    let (networks, wrong) = network::read("input.networks", &input.networks);
    problems.extend(wrong);
    let (scope, wrong) = scope(tx, input.service_ids.as_deref(), input.is_for_all_services).await?;
    problems.extend(wrong);
    if scope.is_none() {
        problems.push(Problem::at("input.serviceIds", Code::Blank));
    }
    let purpose = input.purpose.trim();
    problems.extend(check_purpose(purpose));
    problems.extend(check_end(tx.now(), input.valid_until));
    Error::unless_none(problems)?;
    let grant = tx
        .create::<Entity>(Model {
            id: tx.fresh_id(),
            organization_id: tx.organization_id(),
            member_id: holder.id,
            email: holder.email.clone(),
            networks: Networks(networks),
            scope: scope.unwrap_or_default(),
            purpose: purpose.to_owned(),
            valid_until: input.valid_until.unwrap_or_else(|| latest(tx.now())),
            status: Status::Active,
            granted_at: tx.now(),
            granted_by: tx.actor().display_name(),
            ended_at: None,
            version: 1,
        })
        .await?;
    change::tell(tx, Kind::Granted, (None, Some(&grant)), &holder, None).await?;
    tx.enqueue(lapse_of(&grant)).await?;
    tx.about::<member::Entity>(&holder);
    Ok(grant)
}

/// `piiGrantUpdate`.
///
/// # Errors
/// As the input says, all at once; `NOT_FOUND`, `STALE_VERSION`, `PII_GRANT_ENDED`, `NOT_ONESELF` at `id`.
pub(super) async fn update(tx: &Tx, id: &str, input: &PiiGrantUpdateInput) -> Result<Model> {
    check_actor(tx).await?;
    let (grant, holder) = standing(tx, id, input.expected_version).await?;
    if let Some(code) = obstacle(tx, &holder).await? {
        return Err(Problem::at("id", code).into());
    }
    let mut problems: Vec<Problem> = input
        .email
        .as_deref()
        .and_then(|email| check_email(email, &holder))
        .into_iter()
        .collect();
    let networks = input
        .networks
        .as_deref()
        .map(|texts| network::read("input.networks", texts));
    let networks = networks.map(|(networks, wrong)| {
        problems.extend(wrong);
        Networks(networks)
    });
    let (scope, wrong) = scope(tx, input.service_ids.as_deref(), input.is_for_all_services).await?;
    problems.extend(wrong);
    let purpose = input.purpose.as_deref().map(str::trim);
    problems.extend(purpose.and_then(check_purpose));
    problems.extend(check_end(tx.now(), input.valid_until));
    problems.extend(check_reason(input.reason.as_deref()));
    Error::unless_none(problems)?;
    let before = grant.clone();
    let grant = tx
        .update::<Entity>(grant, |row| {
            if input.email.is_some() {
                row.email.clone_from(&holder.email);
            }
            row.networks = networks.unwrap_or_else(|| row.networks.clone());
            row.scope = scope.unwrap_or_else(|| row.scope.clone());
            row.purpose = purpose.unwrap_or(&row.purpose).to_owned();
            row.valid_until = input.valid_until.unwrap_or(row.valid_until);
        })
        .await?;
    if grant.version != before.version {
        let reason = said(input.reason.as_deref());
        change::tell(tx, Kind::Updated, (Some(&before), Some(&grant)), &holder, reason).await?;
        tx.enqueue(lapse_of(&grant)).await?;
    }
    tx.about::<member::Entity>(&holder);
    Ok(grant)
}

/// `piiGrantRevoke`.
///
/// # Errors
/// `NOT_FOUND`, `STALE_VERSION`, `PII_GRANT_ENDED` at `id`; `TOO_LONG` at `input.reason`.
pub async fn revoke(tx: &Tx, id: &str, input: &PiiGrantRevokeInput) -> Result<Model> {
    check_actor(tx).await?;
    let (grant, holder) = standing(tx, id, input.expected_version).await?;
    Error::unless_none(check_reason(input.reason.as_deref()).into_iter().collect())?;
    let reason = said(input.reason.as_deref());
    let grant = end(tx, grant, &holder, (Status::Revoked, Kind::Revoked), reason).await?;
    tx.about::<member::Entity>(&holder);
    Ok(grant)
}

/// Takes a member's grant, if he has one, with what it hangs on.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn take(tx: &Tx, member: MemberId) -> Result<()> {
    if let Some(grant) = grant::active(tx, member).await? {
        let holder = tx.find::<member::Entity>("id", &member.to_string()).await?;
        end(tx, grant, &holder, (Status::Revoked, Kind::AutoRevoked), None).await?;
    }
    Ok(())
}

/// `agentRemove`: whoever works in no service any more has nobody's data to see.
///
/// # Errors
/// As for the agent's own verb.
pub async fn remove_agent(tx: &Tx, id: &str, input: &agent::AgentRemoveInput) -> Result<agent::Removed> {
    let member = tx.seek::<agent::Entity>(id).await?.map(|place| place.member_id);
    let removed = cti::line::agent_remove(tx, id, input).await?;
    if let Some(member) = member
        && !works(tx, member).await?
    {
        take(tx, member).await?;
    }
    Ok(removed)
}

/// The job: notes the end of a grant whose time is over. One that was changed meanwhile has a job of its own.
pub async fn lapse(app: &App, organization: OrganizationId, argument: &str) -> Fate {
    let Some((id, _)) = argument.split_once('@') else {
        return Fate::GivenUp("ARGUMENT".to_owned());
    };
    let caller = Caller::system(app.clone(), LAPSE, organization);
    let deed = async |tx: &Tx| {
        if let Some(grant) = tx.seek::<Entity>(id).await? {
            let holder = tx.find::<member::Entity>("id", &grant.member_id.to_string()).await?;
            tx.about::<member::Entity>(&holder);
            end_if_over(tx, &holder).await?;
        }
        Ok(Lapsed)
    };
    match caller.act(Action::PiiGrantLapse, &Plain, deed).await {
        Ok(Lapsed) => Fate::Done,
        Err(error) => {
            tracing::error!(?error, "the end of a grant could not be noted");
            Fate::Failed("INTERNAL".to_owned())
        }
    }
}

/// That the end of a grant was looked at.
struct Lapsed;

impl crate::kernel::Outcome for Lapsed {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(Self)
    }
}

fn lapse_of(grant: &Model) -> Job {
    Job {
        kind: LAPSE,
        argument: format!("{}@{}", grant.id, grant.valid_until.0.timestamp_millis()),
        due_at: grant.valid_until,
    }
}

async fn end_if_over(tx: &Tx, holder: &Member) -> Result<()> {
    if let Some(grant) = grant::active(tx, holder.id).await?
        && grant.valid_until <= tx.now()
    {
        end(tx, grant, holder, (Status::Expired, Kind::Expired), None).await?;
    }
    Ok(())
}

async fn end(
    tx: &Tx,
    grant: Model,
    holder: &Member,
    (status, kind): (Status, Kind),
    reason: Option<&str>,
) -> Result<Model> {
    let (before, now) = (grant.clone(), tx.now());
    let grant = tx
        .update::<Entity>(grant, |row| {
            row.status = status;
            row.ended_at = Some(now);
        })
        .await?;
    change::tell(tx, kind, (Some(&before), None), holder, reason).await?;
    Ok(grant)
}

/// A grant that holds, with its holder.
async fn standing(tx: &Tx, id: &str, expected_version: i32) -> Result<(Model, Member)> {
    let grant = tx.find_current::<Entity>(id, expected_version).await?;
    if grant.status != Status::Active || grant.valid_until <= tx.now() {
        return Err(Problem::at("id", Code::PiiGrantEnded).into());
    }
    let holder = tx.find::<member::Entity>("id", &grant.member_id.to_string()).await?;
    Ok((grant, holder))
}

/// Whoever acts must be an administrator still, as it is in this transaction.
async fn check_actor(tx: &Tx) -> Result<()> {
    match tx.actor().member() {
        Some(_) => Standing::of_actor(tx, Rank::Administrator).await.map(drop),
        None => Ok(()),
    }
}

/// Why this member can't be given anything by whoever acts.
async fn obstacle(tx: &Tx, holder: &Member) -> Result<Option<Code>> {
    let is_oneself = tx.actor().member().is_some_and(|actor| actor.member_id == holder.id);
    Ok(match holder.status {
        _ if is_oneself => Some(Code::NotOneself),
        member::Status::Left => Some(Code::MemberLeft),
        _ if !works(tx, holder.id).await? => Some(Code::NoServiceRole),
        _ => None,
    })
}

/// Whether a member has a place in a service that was not terminated.
async fn works(tx: &Tx, member: MemberId) -> Result<bool> {
    let lives = tx.related::<service::Entity>(|service| {
        service
            .and_where(
                Expr::col((service::Entity, service::Column::Id))
                    .eq(Expr::col((agent::Entity, agent::Column::ServiceId))),
            )
            .and_where(service::Column::Status.ne(service::Status::Terminated));
    });
    let places = tx.select::<agent::Entity>().filter(agent::Column::MemberId.eq(member));
    let place = places.filter(Expr::exists(lives)).limit(1).one().await?;
    Ok(place.is_some())
}

/// The scope that is asked for; `None` where nothing is said of it.
async fn scope(
    tx: &Tx,
    services: Option<&[async_graphql::ID]>,
    is_for_all: Option<bool>,
) -> Result<(Option<Scope>, Vec<Problem>)> {
    const AT: &str = "input.serviceIds";
    let ids = match (services, is_for_all.unwrap_or(false)) {
        (None, true) => return Ok((Some(Scope::default()), Vec::new())),
        (None, false) => return Ok((None, Vec::new())),
        (Some(_), true) => {
            let problem = Problem::at("input.isForAllServices", Code::Invalid).with("rule", "serviceIds");
            return Ok((Some(Scope::default()), vec![problem]));
        }
        (Some(ids), false) => ids,
    };
    match ids.len() {
        0 => return Ok((Some(Scope::default()), vec![Problem::at(AT, Code::Blank)])),
        1..=MOST_SERVICES => {}
        _ => {
            let problem = Problem::at(AT, Code::TooMany).with("max", MOST_SERVICES);
            return Ok((Some(Scope::default()), vec![problem]));
        }
    }
    let texts: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let known = tx.seek_many::<service::Entity>(&texts).await?;
    let (mut problems, mut seen) = (Vec::new(), HashSet::<ServiceId>::new());
    for (number, text) in texts.iter().enumerate() {
        let at = format!("{AT}.{number}");
        let found = known.iter().find(|service| service.id.to_string() == *text);
        let code = match found {
            None => Some(Code::NotFound),
            Some(service) if service.status == service::Status::Terminated => Some(Code::ServiceTerminated),
            Some(service) if !seen.insert(service.id) => Some(Code::Duplicate),
            Some(_) => None,
        };
        problems.extend(code.map(|code| Problem::at(&at, code)));
    }
    let mut services: Vec<ServiceId> = seen.into_iter().collect();
    services.sort_unstable();
    let services = Some(services);
    Ok((Some(Scope { services }), problems))
}

fn check_email(email: &str, holder: &Member) -> Option<Problem> {
    let is_his = email.trim().to_lowercase() == holder.email.to_lowercase();
    (!is_his).then(|| Problem::at("input.email", Code::EmailDiffers))
}

fn check_purpose(purpose: &str) -> Option<Problem> {
    const AT: &str = "input.purpose";
    match purpose.chars().count() {
        0 => Some(Problem::at(AT, Code::Blank)),
        length if length < *PURPOSE.start() => Some(Problem::at(AT, Code::TooShort).with("min", PURPOSE.start())),
        length if length > *PURPOSE.end() => Some(Problem::at(AT, Code::TooLong).with("max", PURPOSE.end())),
        _ => check_line(AT, purpose),
    }
}

fn check_reason(reason: Option<&str>) -> Option<Problem> {
    const AT: &str = "input.reason";
    let reason = reason?;
    let is_long = reason.chars().count() > LONGEST_REASON;
    is_long
        .then(|| Problem::at(AT, Code::TooLong).with("max", LONGEST_REASON))
        .or_else(|| check_line(AT, reason))
}

fn check_line(at: &str, text: &str) -> Option<Problem> {
    let is_odd = text.chars().any(char::is_control);
    is_odd.then(|| Problem::at(at, Code::Invalid).with("rule", "control characters"))
}

fn said(reason: Option<&str>) -> Option<&str> {
    reason.map(str::trim).filter(|reason| !reason.is_empty())
}

fn latest(now: Timestamp) -> Timestamp {
    Timestamp(now.0.checked_add_months(LONGEST).unwrap_or(now.0))
}

fn check_end(now: Timestamp, until: Option<Timestamp>) -> Option<Problem> {
    let until = until?;
    let fits = until > now && until <= latest(now);
    let problem = || Problem::at("input.validUntil", Code::OutOfRange);
    (!fits).then(|| {
        problem()
            .with("min", now.0.to_rfc3339())
            .with("max", latest(now).0.to_rfc3339())
    })
}
