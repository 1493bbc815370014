//! The anchor: the ends of all chains, kept outside the database. It is a line of blocks, each with the ends that moved
//! since the block before, bound to that one and keyed by the audit key. So a block that was changed, taken out or put in
//! shows; that its end was cut off shows by the number that the database keeps of it. And a chain whose tail was cut off,
//! or that was written anew from its beginning with the key at hand, is not the one that the anchor knows.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use chrono::{Duration, Months};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ActiveEnum, ActiveModelTrait, EntityTrait, IntoActiveModel, Iterable, entity::prelude::*, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};

use super::known::{Known, Reach};
use crate::kernel::{App, AuditLog, Keys, OrganizationId, Result, Timestamp, config, routing};

/// How far the clock of who wrote a block may be ahead of the reader's before the block is told of.
const SKEW: Duration = Duration::minutes(10);

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Of which organization.
    pub organization: OrganizationId,
    /// In which log.
    pub log: AuditLog,
    /// The last place.
    pub sequence: i64,
    /// The hash there.
    pub hash: Vec<u8>,
}

/// For how many months each log is kept.
pub type Kept = BTreeMap<String, u32>;

/// One block as it is written: a line of JSON. Ends are organization, log, place and hash. For how long logs are kept
/// stands in the first block and wherever it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Block {
    number: i64,
    at: Timestamp,
    heads: Vec<(String, String, i64, String)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    kept: Kept,
    previous: String,
    mac: String,
}

impl Block {
    fn mac(&self, keys: &Keys) -> Result<String> {
        let told = (&self.number, &self.at, &self.heads, &self.previous);
        let told = if self.kept.is_empty() {
            serde_json::to_vec(&told)?
        } else {
            serde_json::to_vec(&(told, &self.kept))?
        };
        Ok(hex(&keys.chain(b"audit anchor", &told)))
    }
}

/// What an anchor knows, read block by block.
#[derive(Debug, Clone, Default)]
pub struct Anchor {
    chains: HashMap<(OrganizationId, AuditLog), Reach>,
    kept: Kept,
    /// Up to when entries can have been removed in their time by the last block but one, by log.
    over: HashMap<AuditLog, Timestamp>,
    number: i64,
    mac: String,
    at: Option<Timestamp>,
    broken: Option<i64>,
    /// The first block that was of the future when it was read.
    ahead: Option<i64>,
    /// The last line was no block: a server fell while it wrote one, or somebody has been there.
    is_torn: bool,
}

impl Anchor {
    /// How many whole blocks it has.
    pub fn number(&self) -> i64 {
        self.number
    }

    /// When its last block was written.
    pub fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// The first block that is not what was written; `None` where all are.
    pub fn broken(&self) -> Option<i64> {
        self.broken
    }

    /// The first block whose time had not come when it was read, if there is one: its writer's clock is wrong, or he wants
    /// entries to be thought older than they are. That time is not believed.
    pub fn ahead(&self) -> Option<i64> {
        self.ahead
    }

    /// The end of a chain as it was last anchored.
    pub fn head(&self, organization: OrganizationId, log: AuditLog) -> Option<(i64, Vec<u8>)> {
        let (place, hash) = self.chains.get(&(organization, log))?.end();
        Some((place, hash.to_vec()))
    }

    /// What is known of a chain whose entries are kept from `kept_from` on by the settings of now. What was over by those
    /// of an earlier block may be gone, too.
    pub fn known(&self, organization: OrganizationId, log: AuditLog, kept_from: Timestamp) -> Known {
        let Some(at) = self.at else { return Known::default() };
        let earlier = self.over.get(&log).copied();
        let over = [earlier, self.over_at(log, at), Some(kept_from)];
        let over = over.into_iter().flatten().max().unwrap_or(kept_from);
        match self.chains.get(&(organization, log)) {
            Some(reach) => reach.known(at, over),
            None => Reach::default().known(at, over),
        }
    }

    /// Up to when entries were over at an instant, by the settings of the last block: no settings keep a log for less than the
    /// law says.
    fn over_at(&self, log: AuditLog, at: Timestamp) -> Option<Timestamp> {
        let months = *self.kept.get(&log.to_value())?;
        let months = Months::new(std::cmp::Ord::max(months, config::least_months(log)));
        at.0.checked_sub_months(months).map(Timestamp)
    }

    /// The organizations that it knows.
    pub fn organizations(&self) -> std::collections::HashSet<OrganizationId> {
        self.chains.keys().map(|(organization, _)| *organization).collect()
    }

    /// Reads the next block at this instant. A line that is none is passed over where the next block goes on as if it were not
    /// there: that is what a crash leaves, and no block that was written can be made into one.
    pub fn take(&mut self, keys: &Keys, line: &str, now: Timestamp) {
        if line.is_empty() || self.broken.is_some() {
            return;
        }
        let block = serde_json::from_str::<Block>(line).ok();
        let block = block.filter(|block| block.mac(keys).is_ok_and(|mac| mac == block.mac));
        let Some(block) = block else {
            self.is_torn = true;
            return;
        };
        if block.number != self.number + 1 || block.previous != self.mac {
            (self.broken, self.is_torn) = (Some(self.number + 1), false);
            return;
        }
        // It was there by now, whatever it says of itself.
        let at = std::cmp::Ord::min(block.at, now);
        if block.at.0.signed_duration_since(now.0) > SKEW {
            self.ahead.get_or_insert(block.number);
        }
        // A clock that was ahead once makes nothing look younger or older than it is.
        let before = self.at.map(|before| std::cmp::Ord::min(before, at));
        for (organization, log, sequence, hash) in block.heads {
            let known = organization.parse().ok().zip(AuditLog::try_from_value(&log).ok());
            if let Some((key, hash)) = known.zip(unhex(&hash)) {
                self.chains.entry(key).or_default().take(before, sequence, hash);
            }
        }
        for log in AuditLog::iter() {
            if let Some(over) = before.and_then(|at| self.over_at(log, at)) {
                let known = self.over.entry(log).or_insert(over);
                *known = std::cmp::Ord::max(*known, over);
            }
        }
        if !block.kept.is_empty() {
            self.kept = block.kept;
        }
        (self.number, self.mac, self.is_torn) = (block.number, block.mac, false);
        self.at = Some(at);
    }

    /// Whether its end was cut off: what the database keeps of it is further, or is another.
    pub fn is_cut(&self, mark: &Model) -> bool {
        mark.number > self.number || (mark.number == self.number && mark.mac != self.mac)
    }

    /// What stands where the next block belongs, or stands there no more, is not what was written.
    pub fn spoil(&mut self) {
        self.broken.get_or_insert(self.number + 1);
    }

    /// Whether the last line is no block.
    pub fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// The line of the next block.
    ///
    /// # Errors
    /// Never: every block has a text.
    pub fn next(&self, keys: &Keys, at: Timestamp, heads: &[Head], kept: &Kept) -> Result<String> {
        let told = |head: &Head| {
            let (organization, log) = (head.organization.to_string(), head.log.to_value());
            (organization, log, head.sequence, hex(&head.hash))
        };
        let mut block = Block {
            number: self.number + 1,
            at,
            heads: heads.iter().map(told).collect(),
            kept: if *kept == self.kept { Kept::new() } else { kept.clone() },
            previous: self.mac.clone(),
            mac: String::new(),
        };
        block.mac = block.mac(keys)?;
        Ok(serde_json::to_string(&block)?)
    }

    /// What the database is to keep of it.
    pub fn mark(&self, place: &str, at: Timestamp) -> Model {
        Model {
            place: place.to_owned(),
            number: self.number,
            mac: self.mac.clone(),
            written_at: at,
        }
    }
}

/// How far an anchor was when it was written last.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_anchor")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: String,
    pub number: i64,
    pub mac: String,
    pub written_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
impl routing::Unowned for Entity {}

/// Keeps how far an anchor is; never less than is kept already.
///
/// # Errors
/// Only if the database fails.
pub async fn keep(app: &App, mark: Model) -> Result<()> {
    let further = ExprTrait::lt(Expr::col((Entity, Column::Number)), mark.number);
    let over = OnConflict::column(Column::Place)
        .update_columns([Column::Number, Column::Mac, Column::WrittenAt])
        .action_and_where(further)
        .to_owned();
    Entity::insert(mark.into_active_model().reset_all())
        .on_conflict(over)
        .exec_without_returning(app.database.raw())
        .await?;
    Ok(())
}

/// How far the anchor of this place was.
///
/// # Errors
/// Only if the database fails.
pub async fn kept(app: &App, place: &str) -> Result<Option<Model>> {
    routing::by_key::<Entity>(app, place.to_owned()).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(digits).collect()
}
