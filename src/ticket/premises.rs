//! What the rows of an import rely on besides themselves: the service and its fields, the keys, who works there, which number
//! comes next. It is read in the organization's turn, and holds in later turns as long as no deed was done in between that
//! leaves an entry in a log: asking for that is one statement instead of six.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, prelude::Uuid};

use super::{
    entity::{Column, Entity},
    made::{Made, Means},
    rules::next_number,
};
use crate::{
    agent,
    kernel::{Heads, MemberId, Result, ServiceId, TicketId, Tx},
    service,
};

/// How things were at the end of one part of an import, for the next one.
#[derive(Clone, Debug)]
pub struct Premises {
    settled: Arc<Settled>,
    import: Uuid,
    /// The number that the next ticket has.
    pub(super) next_number: i32,
    /// No row of the import behind this one is a ticket; `None` where that is not known yet.
    last_row: Option<i32>,
}

/// What only deeds change that leave an entry.
#[derive(Debug)]
struct Settled {
    heads: Heads,
    means: Means,
    members: HashSet<MemberId>,
}

impl Premises {
    /// As they are now: what is kept of the part before, if no deed was done since then.
    ///
    /// # Errors
    /// If the service is not in use, or the database fails.
    pub(super) async fn now(tx: &Tx, import: Uuid, service: ServiceId, kept: Option<&Self>) -> Result<Self> {
        let heads = tx.heads().await?;
        if let Some(kept) = kept
            && kept.import == import
            && kept.settled.heads == heads
            && kept.settled.means.service() == service
        {
            return Ok(kept.clone());
        }
        service::find_usable(tx, "id", &service.to_string()).await?;
        let places = tx.select::<agent::Entity>();
        let places = places.filter(agent::Column::ServiceId.eq(service)).all().await?;
        let settled = Settled {
            heads,
            means: Means::of(tx, service).await?,
            members: places.into_iter().map(|place| place.member_id).collect(),
        };
        Ok(Self {
            settled: Arc::new(settled),
            import,
            next_number: next_number(tx, service).await?,
            last_row: None,
        })
    }

    /// What rows are made tickets with now.
    pub(super) fn means(&self) -> &Means {
        &self.settled.means
    }

    /// Whether a member works in the service.
    pub(super) fn has(&self, member: MemberId) -> bool {
        self.settled.members.contains(&member)
    }

    /// Behind a part whose last row this was, as far as a part is known to be the furthest: rows come in their order.
    pub(super) fn comes_behind(&mut self, last_row: Option<i32>) {
        self.last_row = self.last_row.max(last_row);
    }

    /// The rows of a part that are tickets already.
    ///
    /// # Errors
    /// Only if the database fails.
    pub(super) async fn known(&self, tx: &Tx, made: &[Made]) -> Result<HashMap<i32, TicketId>> {
        #[derive(sea_orm::FromQueryResult)]
        struct Known {
            id: TicketId,
            import_row: i32,
        }
        let rows = || made.iter().map(|made| made.row.row);
        let (first, last) = (rows().min().unwrap_or(0), rows().max().unwrap_or(0));
        if self.last_row.is_some_and(|last| first > last) {
            return Ok(HashMap::new());
        }
        // A span is one walk of the index, whatever the database knows of the table.
        let known = tx
            .select::<Entity>()
            .filter(Column::ImportId.eq(self.import))
            .filter(Column::ImportRow.between(first, last))
            .select_only()
            .columns([Column::Id, Column::ImportRow]);
        let known = known.rows::<Known>().await?;
        Ok(known.into_iter().map(|row| (row.import_row, row.id)).collect())
    }
}
