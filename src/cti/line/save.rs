//! Giving CTI IDs and numbers to many agents at once: everything that is wrong is told at once, and then nothing is
//! changed; otherwise all of it is, also where agents take over from each other in a ring.

use std::collections::{HashMap, HashSet};

use async_graphql::MaybeUndefined;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    conflict,
    entity::{Entity, Model},
    history,
    number::{Pair, cti_id, cti_number},
    of, places,
};
use crate::{
    cti::{Contracted, contracted},
    kernel::{Code, Error, MemberId, Problem, Reader, Result, Tx},
    member::{self, Member},
};

/// What is asked for one agent, and the paths at which its problems are told.
#[derive(Debug)]
pub(super) struct Wish {
    /// The path of the whole.
    pub at: String,
    /// What names the member, below that path.
    pub who: &'static str,
    /// The member; `None` for a text that is none's.
    pub member: Option<MemberId>,
    /// The version that was last read; `None` where that is not known.
    pub expected_version: Option<i32>,
    /// The CTI ID.
    pub id: MaybeUndefined<String>,
    /// The CTI number.
    pub number: MaybeUndefined<String>,
    /// What is wrong with it already.
    pub wrong: Vec<Problem>,
}

/// What comes of a wish that can be had.
#[derive(Debug)]
pub(super) struct Change {
    pub at: String,
    pub member: Member,
    pub before: Option<Model>,
    pub after: Option<Pair>,
}

impl Change {
    /// What he holds before.
    pub fn held(&self) -> Option<Pair> {
        self.before.as_ref().and_then(Model::pair)
    }

    /// Whether there is anything to change.
    pub fn is_one(&self) -> bool {
        self.held() != self.after
    }
}

/// What wishes are judged by.
struct Ground {
    members: HashMap<MemberId, Member>,
    lines: HashMap<MemberId, Model>,
    telephoning: HashSet<MemberId>,
}

impl Ground {
    async fn read(reader: &Reader, ids: &HashSet<MemberId>, contracted: &Contracted) -> Result<Self> {
        let members = reader
            .select::<member::Entity>()
            .filter(member::Column::Id.is_in(ids.iter().copied()))
            .filter(member::Column::Status.eq(member::Status::Active));
        let members = members.all().await?;
        let lines = of(reader, ids.iter().copied()).await?;
        let places = places(reader, ids.iter().copied(), contracted).await?;
        Ok(Self {
            members: members.into_iter().map(|member| (member.id, member)).collect(),
            lines: lines.into_iter().map(|line| (line.member_id, line)).collect(),
            telephoning: places.into_iter().map(|place| place.member_id).collect(),
        })
    }
}

/// Makes all changes, or none where anything is wrong with any of them. Answers them in the order of the wishes.
///
/// # Errors
/// `CTI_NOT_CONTRACTED`; below the path of each wish, `NOT_FOUND`, `DUPLICATE` and `AGENT_HAS_NO_PHONE_RIGHT` at what
/// names the member, `STALE_VERSION`, what is wrong with a value, `CTI_PAIR_REQUIRED`, `CTI_ID_TAKEN`, `CTI_NO_TAKEN`.
pub(super) async fn save(tx: &Tx, wishes: Vec<Wish>) -> Result<Vec<Change>> {
    let contracted = contracted(tx).await?;
    if !contracted.is_somewhere() {
        return Err(Problem::of(Code::CtiNotContracted).into());
    }
    let ids: HashSet<_> = wishes.iter().filter_map(|wish| wish.member).collect();
    let ground = Ground::read(tx, &ids, &contracted).await?;
    let (mut changes, mut problems) = (Vec::with_capacity(wishes.len()), Vec::new());
    let mut seen = HashSet::new();
    for wish in wishes {
        match judge(wish, &ground, &mut seen) {
            Ok(change) => changes.push(change),
            Err(wrong) => problems.extend(wrong),
        }
    }
    problems.extend(conflict::find(tx, &changes, &ids).await?);
    Error::unless_none(problems)?;
    write(tx, &changes).await?;
    Ok(changes)
}

/// What comes of a wish, or all that is wrong with it by itself.
fn judge(wish: Wish, ground: &Ground, seen: &mut HashSet<MemberId>) -> Result<Change, Vec<Problem>> {
    let who = format!("{}.{}", wish.at, wish.who);
    if wish.member.is_none() && !wish.wrong.is_empty() {
        return Err(wish.wrong);
    }
    let Some(member) = wish.member.and_then(|id| ground.members.get(&id)) else {
        return Err(vec![Problem::at(&who, Code::NotFound)]);
    };
    if !seen.insert(member.id) {
        return Err(vec![Problem::at(&who, Code::Duplicate)]);
    }
    if !wish.wrong.is_empty() {
        return Err(wish.wrong);
    }
    let before = ground.lines.get(&member.id).cloned();
    let version = before.as_ref().map_or(0, |line| line.version);
    if wish.expected_version.is_some_and(|expected| expected != version) {
        let path = format!("{}.expectedVersion", wish.at);
        return Err(vec![Problem::at(&path, Code::StaleVersion)]);
    }
    let held = before.as_ref().and_then(Model::pair);
    let (id_path, number_path) = (format!("{}.ctiId", wish.at), format!("{}.ctiNumber", wish.at));
    let id = value(&wish.id, held.as_ref().map(|held| &held.id), |text| {
        cti_id(&id_path, text)
    });
    let number = value(&wish.number, held.as_ref().map(|held| &held.number), |text| {
        cti_number(&number_path, text)
    });
    let after = match (id, number) {
        (Ok(Some(id)), Ok(Some(number))) => Some(Pair { id, number }),
        (Ok(None), Ok(None)) => None,
        (Ok(Some(_)), Ok(None)) => return Err(vec![Problem::at(&number_path, Code::CtiPairRequired)]),
        (Ok(None), Ok(Some(_))) => return Err(vec![Problem::at(&id_path, Code::CtiPairRequired)]),
        (id, number) => return Err(id.err().into_iter().chain(number.err()).collect()),
    };
    // Whoever can't telephone may be freed of what he holds, and keep it, but gets nothing.
    if after.is_some() && after != held && !ground.telephoning.contains(&member.id) {
        return Err(vec![Problem::at(&who, Code::AgentHasNoPhoneRight)]);
    }
    Ok(Change {
        at: wish.at,
        member: member.clone(),
        before,
        after,
    })
}

/// A value as it is asked for: as it was, none, or this.
fn value(
    asked: &MaybeUndefined<String>,
    held: Option<&String>,
    parse: impl Fn(&str) -> Result<Option<String>, Problem>,
) -> Result<Option<String>, Problem> {
    match asked {
        MaybeUndefined::Undefined => Ok(held.cloned()),
        MaybeUndefined::Null => Ok(None),
        MaybeUndefined::Value(text) => parse(text),
    }
}

/// Writes the changes. Each value is free when it is given: whoever holds what another one gets lets go of it first.
async fn write(tx: &Tx, changes: &[Change]) -> Result<()> {
    let changes: Vec<_> = changes.iter().filter(|change| change.is_one()).collect();
    let ids: HashSet<String> = changes
        .iter()
        .filter_map(|change| change.after.as_ref().map(Pair::key))
        .collect();
    let numbers: HashSet<&String> = changes
        .iter()
        .filter_map(|change| change.after.as_ref().map(|pair| &pair.number))
        .collect();
    let holders = changes.iter().filter(|change| change.held().is_some());
    let open = history::open(tx, holders.map(|change| change.member.id)).await?;
    for holding in open.into_values() {
        history::end(tx, holding).await?;
    }
    let mut lines = HashMap::new();
    for change in &changes {
        let Some(mut line) = change.before.clone() else {
            continue;
        };
        let gives = change
            .held()
            .is_some_and(|held| ids.contains(&held.key()) || numbers.contains(&held.number));
        if gives {
            line = tx.update::<Entity>(line, |row| row.hold(None, tx.now())).await?;
        }
        lines.insert(change.member.id, line);
    }
    for change in &changes {
        let after = change.after.as_ref();
        if let Some(line) = lines.remove(&change.member.id) {
            tx.update::<Entity>(line, |row| row.hold(after, tx.now())).await?;
        } else {
            let mut line = empty(tx, change.member.id);
            line.hold(after, tx.now());
            tx.create::<Entity>(line).await?;
        }
    }
    let given = changes
        .iter()
        .filter_map(|change| Some((change.member.id, change.after.clone()?)));
    history::begin(tx, given).await
}

fn empty(tx: &Tx, member_id: MemberId) -> Model {
    Model {
        organization_id: tx.organization_id(),
        member_id,
        cti_id: None,
        cti_id_key: None,
        cti_number: None,
        changed_at: tx.now(),
        version: 1,
    }
}

/// Takes from members what they hold.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn free(tx: &Tx, lines: Vec<Model>) -> Result<()> {
    let open = history::open(tx, lines.iter().map(|line| line.member_id)).await?;
    for holding in open.into_values() {
        history::end(tx, holding).await?;
    }
    for line in lines {
        tx.update::<Entity>(line, |row| row.hold(None, tx.now())).await?;
    }
    Ok(())
}
