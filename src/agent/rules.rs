//! The verbs of agents: into a service, out of it, and what they may do there.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    entity::{Column, Entity, Model, Role},
    ground::Ground,
    input::{AgentAddInput, AgentRemoveInput, AgentRightsInput, AgentUpdateInput, AgentUpdateManyInput},
    reach::{Reach, obstacle},
    rights::{Terms, check_length, grant},
};
use crate::{
    kernel::{AgentId, Code, Error, MemberId, Outcome, Problem, Result, ServiceId, Tx},
    member,
};

/// How many agents can be changed at once.
const MOST: usize = 100;

/// The agents that were changed together.
#[derive(Debug)]
pub struct Many(pub Vec<Model>);

impl Outcome for Many {
    type Receipt = Vec<String>;

    fn receipt(&self) -> Vec<String> {
        self.0.iter().map(Outcome::receipt).collect()
    }

    async fn again(tx: &Tx, receipt: Vec<String>) -> Result<Self> {
        let ids: Vec<AgentId> = receipt.iter().filter_map(|id| id.parse().ok()).collect();
        let mut found = find_all(tx, &ids).await?;
        Ok(Self(ids.iter().filter_map(|id| found.remove(id)).collect()))
    }
}

/// Who is an agent no more, and where.
#[derive(Debug)]
pub struct Removed {
    /// The member.
    pub member: MemberId,
    /// The service.
    pub service: ServiceId,
}

impl Outcome for Removed {
    type Receipt = (MemberId, ServiceId);

    fn receipt(&self) -> Self::Receipt {
        (self.member, self.service)
    }

    async fn again(_: &Tx, (member, service): Self::Receipt) -> Result<Self> {
        Ok(Self { member, service })
    }
}

/// `agentAdd`.
///
/// # Errors
/// `NOT_FOUND` and `SERVICE_TERMINATED` at `input.serviceId`; `NOT_FOUND`, `NOT_ONESELF`, `MEMBER_LEFT`,
/// `ABOVE_OWN_RANK` and `ALREADY_AGENT` at `input.memberId`; rights that can't be had.
pub async fn add(tx: &Tx, input: &AgentAddInput) -> Result<Model> {
    let reach = Reach::of_actor(tx).await?;
    let service_id = input.service_id.parse::<ServiceId>().ok();
    let service_id = service_id.filter(|id| reach.includes(*id));
    let member_id = input.member_id.parse::<MemberId>().ok();
    let ground = Ground::read(tx, service_id.into_iter().collect(), member_id.into_iter().collect()).await?;
    let service = service_id.and_then(|id| ground.service(id));
    let member = member_id.and_then(|id| ground.member(id));
    let absent = [
        (service.is_none(), "input.serviceId"),
        (member.is_none(), "input.memberId"),
    ];
    let absent = absent.into_iter().filter(|(is_absent, _)| *is_absent);
    Error::unless_none(absent.map(|(_, path)| Problem::at(path, Code::NotFound)).collect())?;
    let (Some((service, contract)), Some((member, standing))) = (service, member) else {
        return Err(Error::internal("what is not absent is there"));
    };
    let hindrance = obstacle(tx.action(), actor(tx), reach.is_all(), standing, service);
    if let Some(code) = hindrance {
        let is_services = code == Code::ServiceTerminated;
        return Err(Problem::at(
            if is_services {
                "input.serviceId"
            } else {
                "input.memberId"
            },
            code,
        )
        .into());
    }
    let mut problems = Vec::new();
    let others = tx.select::<Entity>().filter(Column::ServiceId.eq(service.id));
    if others.filter(Column::MemberId.eq(member.id)).one().await?.is_some() {
        problems.push(Problem::at("input.memberId", Code::AlreadyAgent));
    }
    let terms = Terms {
        service,
        contract,
        gives_log_view: reach.gives_log_view(service.id),
        is_new: true,
    };
    let mut place = empty(tx, service.id, member.id);
    problems.extend(demand(&mut place, &input.rights, &terms, "input"));
    Error::unless_none(problems)?;
    let place = tx.create::<Entity>(place).await?;
    tx.about::<member::Entity>(member);
    Ok(place)
}

/// `agentUpdate`.
///
/// # Errors
/// `NOT_FOUND`, `NOT_ONESELF`, `MEMBER_LEFT`, `ABOVE_OWN_RANK` and `SERVICE_TERMINATED` at `id`; `STALE_VERSION`;
/// rights that can't be had.
pub async fn update(tx: &Tx, id: &str, input: &AgentUpdateInput) -> Result<Model> {
    let wish = Wish {
        id,
        id_path: "id".to_owned(),
        expected_version: input.expected_version,
        rights: &input.rights,
        at: "input".to_owned(),
    };
    let (mut changed, ground) = change(tx, &[wish]).await?;
    let place = changed.pop().ok_or_else(|| Error::internal("one wish, one place"))?;
    let (_, _, member, _) = ground.of(&place)?;
    tx.about::<Entity>(&place);
    tx.about::<member::Entity>(member);
    Ok(place)
}

/// `agentUpdateMany`: all of the changes or none.
///
/// # Errors
/// `BLANK`, `TOO_MANY` at `input.entries`; below `input.entries.N`, `DUPLICATE` at `id` and as for [`update`].
pub async fn update_many(tx: &Tx, input: &AgentUpdateManyInput) -> Result<Many> {
    match input.entries.len() {
        0 => return Err(Problem::at("input.entries", Code::Blank).into()),
        1..=MOST => {}
        _ => return Err(Problem::at("input.entries", Code::TooMany).with("max", MOST).into()),
    }
    let entries = input.entries.iter().enumerate();
    let wishes: Vec<_> = entries
        .map(|(number, entry)| Wish {
            id: &entry.id,
            id_path: format!("input.entries.{number}.id"),
            expected_version: entry.expected_version,
            rights: &entry.rights,
            at: format!("input.entries.{number}"),
        })
        .collect();
    Ok(Many(change(tx, &wishes).await?.0))
}

/// `agentRemove`.
///
/// # Errors
/// `NOT_FOUND`, `NOT_ONESELF`, `MEMBER_LEFT` and `ABOVE_OWN_RANK` at `id`; `STALE_VERSION`.
pub async fn remove(tx: &Tx, id: &str, input: &AgentRemoveInput) -> Result<Removed> {
    let reach = Reach::of_actor(tx).await?;
    let place = tx.find::<Entity>("id", id).await?;
    if !reach.includes(place.service_id) {
        return Err(Error::not_found("id"));
    }
    let ground = Ground::under(tx, std::slice::from_ref(&place)).await?;
    if let Some(problem) = gate(tx, &reach, &ground, &place, ("id", "input", input.expected_version))? {
        return Err(problem.into());
    }
    let (_, _, member, _) = ground.of(&place)?;
    let removed = Removed {
        member: place.member_id,
        service: place.service_id,
    };
    tx.delete::<Entity>(place).await?;
    tx.about::<member::Entity>(member);
    Ok(removed)
}

/// One change that is asked for, and the paths at which its problems are told.
struct Wish<'a> {
    id: &'a str,
    id_path: String,
    expected_version: i32,
    rights: &'a AgentRightsInput,
    at: String,
}

/// Makes all changes, or none where anything is wrong with any of them.
async fn change(tx: &Tx, wishes: &[Wish<'_>]) -> Result<(Vec<Model>, Ground)> {
    let reach = Reach::of_actor(tx).await?;
    let ids: Vec<Option<AgentId>> = wishes.iter().map(|wish| wish.id.parse().ok()).collect();
    let known: Vec<AgentId> = ids.iter().flatten().copied().collect();
    let mut found = find_all(tx, &known).await?;
    found.retain(|_, place| reach.includes(place.service_id));
    let ground = Ground::under(tx, &found.values().cloned().collect::<Vec<_>>()).await?;
    let (mut problems, mut changes, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for (wish, id) in wishes.iter().zip(ids) {
        let Some(place) = id.and_then(|id| found.get(&id)) else {
            problems.push(Problem::at(&wish.id_path, Code::NotFound));
            continue;
        };
        if !seen.insert(place.id) {
            problems.push(Problem::at(&wish.id_path, Code::Duplicate));
            continue;
        }
        let paths = (wish.id_path.as_str(), wish.at.as_str(), wish.expected_version);
        if let Some(problem) = gate(tx, &reach, &ground, place, paths)? {
            problems.push(problem);
            continue;
        }
        let (service, contract, ..) = ground.of(place)?;
        let terms = Terms {
            service,
            contract,
            gives_log_view: reach.gives_log_view(service.id),
            is_new: false,
        };
        let mut after = place.clone();
        problems.extend(demand(&mut after, wish.rights, &terms, &wish.at));
        changes.push((place.clone(), after));
    }
    Error::unless_none(problems)?;
    let mut changed = Vec::with_capacity(changes.len());
    for (place, after) in changes {
        changed.push(tx.update::<Entity>(place, |row| *row = after).await?);
    }
    Ok((changed, ground))
}

/// What hinders any change of a place, whatever it is: one problem at most, since what is behind it is not known then.
fn gate(
    tx: &Tx,
    reach: &Reach,
    ground: &Ground,
    place: &Model,
    (id_path, at, expected_version): (&str, &str, i32),
) -> Result<Option<Problem>> {
    let (service, _, _, standing) = ground.of(place)?;
    if place.version != expected_version {
        return Ok(Some(Problem::at(&format!("{at}.expectedVersion"), Code::StaleVersion)));
    }
    let code = obstacle(tx.action(), actor(tx), reach.is_all(), standing, service);
    Ok(code.map(|code| Problem::at(id_path, code)))
}

/// The rights that are asked for, if the question itself is one.
fn demand(place: &mut Model, wish: &AgentRightsInput, terms: &Terms<'_>, at: &str) -> Vec<Problem> {
    match check_length(wish, at) {
        Some(problem) => vec![problem],
        None => grant(place, wish, terms, at),
    }
}

fn actor(tx: &Tx) -> Option<MemberId> {
    tx.actor().member().map(|actor| actor.member_id)
}

async fn find_all(tx: &Tx, ids: &[AgentId]) -> Result<HashMap<AgentId, Model>> {
    let places = tx.select::<Entity>().filter(Column::Id.is_in(ids.iter().copied()));
    Ok(places.all().await?.into_iter().map(|place| (place.id, place)).collect())
}

/// A new place without any right.
fn empty(tx: &Tx, service_id: ServiceId, member_id: MemberId) -> Model {
    Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        service_id,
        member_id,
        role: Role::Agent,
        handles_tickets: false,
        handles_chats: false,
        handles_calls: false,
        assigns_callbacks: false,
        forwards_tickets: false,
        views_access_logs: false,
        receives_tickets: false,
        receives_chats: false,
        controls_assignment: false,
        added_at: tx.now(),
        version: 1,
    }
}
