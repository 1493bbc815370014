//! Who has already what others are to get. What counts is how things stand when all changes are made: whoever lets go
//! of a value with them is no hindrance, and two who are to get the same one hinder each other.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::{
    entity::{Column, Entity, Model},
    number::Pair,
    save::Change,
};
use crate::{
    kernel::{Code, MemberId, Problem, Reader, Result},
    member::{self, Member},
};

/// Who holds each CTI ID and each number.
#[derive(Default)]
struct Holders {
    ids: HashMap<String, MemberId>,
    numbers: HashMap<String, MemberId>,
}

impl Holders {
    /// Gives somebody what he is to hold. Answers who holds the ID already, and who the number.
    fn give(&mut self, pair: &Pair, to: MemberId) -> [Option<MemberId>; 2] {
        let id = *self.ids.entry(pair.key()).or_insert(to);
        let number = *self.numbers.entry(pair.number.clone()).or_insert(to);
        [id, number].map(|holder| Some(holder).filter(|holder| *holder != to))
    }
}

/// What of the changes can't be, since others hold it. `asked` is everybody about whom something is asked: whose own
/// wish is wrong, of him it is not known what he will hold.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn find(reader: &Reader, changes: &[Change], asked: &HashSet<MemberId>) -> Result<Vec<Problem>> {
    let mut holders = Holders::default();
    for line in rivals(reader, changes).await? {
        if let Some(pair) = line.pair().filter(|_| !asked.contains(&line.member_id)) {
            holders.give(&pair, line.member_id);
        }
    }
    // Whoever keeps what he has comes before those who would get it.
    let (new, kept): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.is_one());
    let mut found = Vec::new();
    for change in kept.into_iter().chain(new) {
        let Some(pair) = &change.after else { continue };
        let [id, number] = holders.give(pair, change.member.id);
        found.extend(id.map(|holder| (format!("{}.ctiId", change.at), Code::CtiIdTaken, holder)));
        found.extend(number.map(|holder| (format!("{}.ctiNumber", change.at), Code::CtiNoTaken, holder)));
    }
    let members = names(reader, found.iter().map(|(.., holder)| *holder).collect()).await?;
    let problem = |(path, code, holder): (String, Code, MemberId)| {
        let name = members
            .get(&holder)
            .map_or_else(String::new, |member| format!("{} ({})", member.name, member.login));
        Problem::at(&path, code).with("holder", name).held_by(holder)
    };
    Ok(found.into_iter().map(problem).collect())
}

/// Everybody who holds anything now that somebody is to get.
async fn rivals(reader: &Reader, changes: &[Change]) -> Result<Vec<Model>> {
    let wanted: Vec<_> = changes
        .iter()
        .filter(|change| change.is_one())
        .filter_map(|change| change.after.as_ref())
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let any = Condition::any()
        .add(Column::CtiIdKey.is_in(wanted.iter().map(|pair| pair.key())))
        .add(Column::CtiNumber.is_in(wanted.iter().map(|pair| pair.number.clone())));
    reader.select::<Entity>().filter(any).all().await
}

async fn names(reader: &Reader, members: HashSet<MemberId>) -> Result<HashMap<MemberId, Member>> {
    if members.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = reader.select::<member::Entity>();
    let rows = rows.filter(member::Column::Id.is_in(members)).all().await?;
    Ok(rows.into_iter().map(|member| (member.id, member)).collect())
}
